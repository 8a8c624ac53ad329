"""Posing a head many times: only what a shape moves is added, and only where it is at work.

`head.pose` multiplies the whole matrix of shapes, which is simple and needs only
numpy. Seven eighths of that matrix are zeros, so a renderer walks over the rest.
Sums are taken in another order than in the product: vertices may differ by less than
a nanometre.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.render.compiled import compiled
from semanticface.render.head import SHAPES, Head, checked, gaze, rotation_matrix
from semanticface.rig import INDEX

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
_ONE = np.eye(3, dtype=np.float32)


class Moves(NamedTuple):
    """The offsets of all shapes that are not zero, one shape after another."""

    starts: Ints
    """[53] where each shape begins."""
    vertices: Ints
    """[N]"""
    offsets: Floats
    """[N,3]"""


class Poser:
    """Vertices of one person, frame after frame; each call writes over the last one's."""

    def __init__(self, head: Head, offset: Floats | None = None) -> None:
        self._head = head
        self._base = np.ascontiguousarray(head.neutral if offset is None else head.neutral + offset)
        self._centres = head.eye_centres(self._base)
        self._moves = moves_of(head.shapes)
        count = len(head.neutral)
        self._all, self._whole = np.arange(count, dtype=np.int32), np.ones(count, np.float32)
        self._turn = self._whole if head.turn is None else np.ascontiguousarray(head.turn)
        self._points = self._base.copy()

    def __call__(self, values: Floats) -> Floats:
        """Vertices [V,3] for 61 numbers, as `head.pose` gives them."""
        row = checked(values[None])[0]
        points = self._points
        np.copyto(points, self._base)
        blended(self._moves, row, points)
        for side, eye, centre in zip(
            ("left", "right"), self._head.eyes, self._centres, strict=True
        ):
            yaw, pitch, roll = gaze(row, side)
            if yaw or pitch or roll:
                change = rotation_matrix(-yaw, pitch, roll) - _ONE
                turned(points, eye.vertices, centre, change, self._whole)
        yaw, pitch, roll = row[INDEX["headYaw"] : INDEX["headRoll"] + 1]
        if yaw or pitch or roll:
            change = rotation_matrix(yaw, -pitch, roll) - _ONE
            turned(points, self._all, self._head.neck, change, self._turn)
        return points


_known: list[tuple[Floats, Moves]] = []


def moves_of(shapes: Floats) -> Moves:
    """The shapes [52,V,3] without their zeros; those of the last four heads are kept."""
    for whose, moves in _known:
        if whose is shapes:
            return moves
    _known.append((shapes, _without_zeros(shapes)))
    del _known[:-4]
    return _known[-1][1]


def _without_zeros(shapes: Floats) -> Moves:
    shape, vertex = np.nonzero(shapes.any(2))
    starts = np.searchsorted(shape, np.arange(SHAPES + 1)).astype(np.int32)
    return Moves(starts, vertex.astype(np.int32), np.ascontiguousarray(shapes[shape, vertex]))


@compiled
def blended(moves: Moves, row: Floats, out: Floats) -> None:
    """Add all shapes by their weights to `out` [V,3]."""
    starts, vertices, offsets = moves
    for shape in range(starts.shape[0] - 1):
        weight = row[shape]
        if weight == np.float32(0.0):
            continue
        for k in range(starts[shape], starts[shape + 1]):
            i = np.uint32(vertices[k])
            out[i, 0] += weight * offsets[k, 0]
            out[i, 1] += weight * offsets[k, 1]
            out[i, 2] += weight * offsets[k, 2]


@compiled
def turned(points: Floats, which: Ints, centre: Floats, change: Floats, share: Floats) -> None:
    """Turn some of `points` [V,3] about a centre in place, each by its share [V].

    `change` is the rotation less one.
    """
    for k in range(which.shape[0]):
        i = np.uint32(which[k])
        x = points[i, 0] - centre[0]
        y = points[i, 1] - centre[1]
        z = points[i, 2] - centre[2]
        points[i, 0] += share[i] * (change[0, 0] * x + change[0, 1] * y + change[0, 2] * z)
        points[i, 1] += share[i] * (change[1, 0] * x + change[1, 1] * y + change[1, 2] * z)
        points[i, 2] += share[i] * (change[2, 0] * x + change[2, 1] * y + change[2, 2] * z)
