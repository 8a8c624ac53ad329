"""Eyeballs: rings for a crisp iris, a slight cornea, fitted to the helper eyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from head_build.parts import Part, ramp
from head_build.source import Array, Base, Index

SEGMENTS = 32
IRIS = 0.0062
"""Radius of the iris, metres."""
PUPIL = 0.0024
BULGE = 0.0006
"""How far the cornea stands before the sphere, metres."""
_EDGE = 0.00018
_SCLERA = (0.78, 0.74, 0.71)
_IRIS = (0.10, 0.055, 0.028)
_RIM = (0.018, 0.012, 0.010)
_VEIN = (0.62, 0.30, 0.26)


@dataclass(frozen=True)
class Ball:
    """An eyeball at rest."""

    centre: Array
    radius: float


def fit_ball(helper: Array) -> Ball:
    """Centre and radius from the helper eye's box; its front bulges, so z counts from behind."""
    low, high = helper.min(0), helper.max(0)
    radius = float((high - low)[:2].mean() / 2)
    centre = (low + high) / 2
    centre[2] = low[2] + radius
    return Ball(centre, radius)


def eyeball(base: Base, rest: Array, side: str) -> tuple[Part, Ball]:
    """The `left` or `right` eyeball; the right is the left mirrored, vertex for vertex."""
    left = base.members("helper-l-eye")
    source = left if side == "left" else base.mirror[left]
    ball = fit_ball(rest[source])
    angles = _angles(ball.radius)
    unit, polar = _directions(angles)
    if side == "right":
        unit[:, 0] *= -1
    points = ball.centre + unit * _distance(polar, ball.radius)[:, None]
    albedo, paint = _colours(polar * ball.radius, unit)
    triangles = _triangles(len(angles))
    triangles = triangles if side == "left" else triangles[:, ::-1]
    weights = _move_and_scale(points, rest[source])
    part = Part(f"eye_{side}", source, weights, triangles, albedo,
                points - weights @ rest[source], paint, follows_shapes=False)  # fmt: skip
    return part, ball


def _move_and_scale(points: Array, anchors: Array) -> Array:
    """Weights of the mean motion; `growth` is what identities use."""
    return np.full((len(points), len(anchors)), 1 / len(anchors))


def growth(points: Array, centre: Array, anchors: Array, shape: Array) -> Array:
    """Offsets [n,3] of a ball that moves and grows as its anchors do, and stays round."""
    spokes = anchors - anchors.mean(0)
    scale = float((spokes * (shape - shape.mean(0))).sum() / (spokes**2).sum())
    shift = shape.mean(0) + scale * (centre - anchors.mean(0))
    return np.asarray(shift + scale * (points - centre))


def _angles(radius: float) -> Array:
    """Polar angles of the rings, from the pole in front; close pairs where colours change."""
    arcs = [0.0009, PUPIL - _EDGE, PUPIL + _EDGE, PUPIL + 0.0010, 0.5 * (PUPIL + IRIS),
            IRIS - 0.0011, IRIS - 2.2 * _EDGE, IRIS + 1.2 * _EDGE, IRIS + 0.0009]  # fmt: skip
    front = np.array(arcs) / radius
    back = np.linspace(front[-1] + 0.13, 2.35, 8)
    return np.r_[front, back]


def _directions(angles: Array) -> tuple[Array, Array]:
    turn = np.arange(SEGMENTS) * 2 * np.pi / SEGMENTS
    ring = np.stack((np.cos(turn), np.sin(turn)), 1)
    rows = [np.c_[np.sin(a) * ring, np.full(SEGMENTS, np.cos(a))] for a in angles]
    unit = np.concatenate(([[0.0, 0.0, 1.0]], *rows))
    polar = np.r_[0.0, np.repeat(angles, SEGMENTS)]
    return unit, polar


def _distance(polar: Array, radius: float) -> Array:
    edge = 1.25 * IRIS / radius
    return radius + BULGE * np.cos(np.clip(polar / edge, 0, 1) * np.pi / 2) ** 2


def _triangles(rings: int) -> Index:
    i = np.arange(SEGMENTS)
    j = (i + 1) % SEGMENTS
    fan = np.c_[np.zeros(SEGMENTS, np.int64), 1 + i, 1 + j]
    bands = []
    for ring in range(rings - 1):
        a, b = 1 + ring * SEGMENTS, 1 + (ring + 1) * SEGMENTS
        bands += [np.c_[a + i, b + i, b + j], np.c_[a + i, b + j, a + j]]
    return np.concatenate((fan, *bands))


def _colours(arc: Array, unit: Array) -> tuple[Array, dict[str, Array]]:
    pupil = 1 - ramp(arc, PUPIL - _EDGE, PUPIL + _EDGE)
    white = ramp(arc, IRIS - 2.2 * _EDGE, IRIS + 1.2 * _EDGE)
    iris = (1 - pupil) * (1 - white)
    rim = ramp(arc, IRIS - 0.0013, IRIS - 2.2 * _EDGE)[:, None]
    turn = np.arctan2(unit[:, 1], unit[:, 0])
    fibre = 1 + 0.18 * np.cos(turn * 16) * (arc > PUPIL) + 0.35 * (1 - ramp(arc, PUPIL, IRIS))
    colour = np.array(_IRIS) * fibre[:, None] * (1 - 0.75 * rim) + np.array(_RIM) * 0.75 * rim
    red = ramp(arc, IRIS + 0.004, 0.022)[:, None]
    sclera = np.array(_SCLERA) * (1 - red) + np.array(_VEIN) * red
    albedo = colour * iris[:, None] + sclera * white[:, None] + 0.004 * pupil[:, None]
    return albedo, {"iris": iris, "pupil": pupil, "sclera": white}
