"""Find the eyeballs of a mesh: separate round bodies behind the lids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Index = NDArray[np.int32]

_RADIUS = (0.008, 0.020)
"""Plausible radii, metres."""
_NEAR = 0.022
"""Farthest that an eyeball's centre lies from the middle of its lids, metres."""
_ROUND = 0.10
"""Largest standard deviation of the distance to the centre, as a share of the radius."""


@dataclass(frozen=True)
class Eyeball:
    """A round body."""

    centre: Floats
    radius: float
    vertices: Index


def find_eyeballs(
    points: Floats, triangles: Index, lids: list[Floats]
) -> tuple[Eyeball | None, Eyeball | None]:
    """The left and right eyeball; `lids`: the middle of each eye's lids [3], metres.

    A cornea or a wet layer that is a body of its own and shares the centre counts as
    part of the eyeball.
    """
    bodies = [ball for body in components(points, triangles) if (ball := _ball(points, body))]
    first, second = (_nearest(bodies, place) for place in lids)
    return first, second


def components(points: Floats, triangles: Index) -> list[Index]:
    """Vertices of each connected body; corners at the same place count as joined."""
    _, place = np.unique(np.round(points, 6), axis=0, return_inverse=True)
    corner = place.ravel()[triangles]
    label = np.arange(int(place.max()) + 1)
    while True:  # the lowest label spreads along the edges, and halves its paths each round
        lowest = label[corner].min(1)
        before = label.copy()
        np.minimum.at(label, corner.ravel(), np.repeat(lowest, 3))
        label = label[label]
        if (label == before).all():
            break
    of_vertex = label[place.ravel()]
    used = np.unique(triangles)
    order = used[np.argsort(of_vertex[used], kind="stable")]
    cuts = np.flatnonzero(np.diff(of_vertex[order])) + 1
    return [np.sort(each).astype(np.int32) for each in np.split(order, cuts)]


def _ball(points: Floats, body: Index) -> Eyeball | None:
    """The sphere through a body, if it is one."""
    if len(body) < 20:
        return None
    own = points[body].astype(np.float64)
    offset = own.mean(0)
    spoke = own - offset
    solved = np.linalg.lstsq(np.c_[2 * spoke, np.ones(len(spoke))], (spoke**2).sum(1), rcond=None)[
        0
    ]
    radius = float(np.sqrt(max(solved[3] + solved[:3] @ solved[:3], 0)))
    far = np.linalg.norm(spoke - solved[:3], axis=1)
    if not _RADIUS[0] < radius < _RADIUS[1] or far.std() > _ROUND * radius:
        return None
    return Eyeball((solved[:3] + offset).astype(np.float32), radius, body)


def _nearest(bodies: list[Eyeball], place: Floats) -> Eyeball | None:
    near = [ball for ball in bodies if np.linalg.norm(ball.centre - place) < _NEAR]
    if not near:
        return None
    main = max(near, key=lambda ball: len(ball.vertices))
    layers = [
        ball for ball in near if np.linalg.norm(ball.centre - main.centre) < 0.3 * main.radius
    ]
    vertices = np.sort(np.concatenate([ball.vertices for ball in layers]))
    return Eyeball(main.centre, main.radius, vertices.astype(np.int32))
