"""How much open sky each point of the head sees: the soft shadow in its hollows.

Baked once for a head, by looking at it from many directions with the z-buffer
itself: a vertex that is hidden from a direction gets no light from there. A fold
that only shows when the eyes close or the mouth opens would be baked black, so the
brightest of several faces counts. Directions come in mirrored pairs: a symmetric
head is shaded symmetrically.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semanticface.render.raster import draw, vertex_normals

Floats = NDArray[np.float32]

_SIZE = 224
_PAIRS = 28


def baked(faces: list[Floats], triangles: NDArray[np.int32]) -> Floats:
    """[V] share of the sky, 0 to 1, seen from each vertex in the most open of the faces."""
    return np.asarray(np.max([_openness(face, triangles) for face in faces], axis=0), np.float32)


def _openness(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    normals = np.empty_like(vertices)
    vertex_normals(vertices, triangles, normals)
    reach = float(np.abs(vertices - vertices.mean(axis=0)).max()) * 1.8
    lifted = vertices + 0.0012 * normals
    got, all_of_it = np.zeros(len(vertices)), np.full(len(vertices), 1e-9)
    near = np.empty((_SIZE, _SIZE), np.float32)
    seen = np.empty((_SIZE, _SIZE), np.int32)
    closed = np.zeros(len(triangles), np.uint8)
    for direction in _directions():
        facing = np.clip(normals @ direction, 0, None)
        axes = _axes(direction)
        screen = _flat(vertices, axes, reach)
        draw(screen, triangles, closed, near, seen)
        got += facing * _visible(_flat(lifted, axes, reach), near, 0.0006 / reach)
        all_of_it += facing
    return np.asarray(got / all_of_it, np.float32)


def _directions() -> NDArray[np.float32]:
    """[D, 3] unit vectors, evenly over the sphere, each with its mirror image."""
    k = np.arange(_PAIRS) + 0.5
    y = 1 - 2 * k / _PAIRS
    turn = np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - y * y)
    one = np.stack([np.abs(np.cos(turn)) * ring + 1e-3, y, np.sin(turn) * ring], axis=1)
    both = np.concatenate([one, one * [-1, 1, 1]])
    return np.asarray(both / np.linalg.norm(both, axis=1, keepdims=True), np.float32)


def _axes(towards: NDArray[np.float32]) -> Floats:
    helper = np.array([0, 1, 0] if abs(towards[1]) < 0.9 else [0, 0, 1], np.float32)
    right = np.cross(helper, towards)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards]).astype(np.float32)


def _flat(points: Floats, axes: Floats, reach: float) -> Floats:
    """Seen without perspective: x, y in pixels, and a nearness above zero."""
    seen = points @ axes.T / reach
    x, y = (0.5 + 0.5 * seen[:, 0]) * _SIZE, (0.5 - 0.5 * seen[:, 1]) * _SIZE
    return np.ascontiguousarray(np.stack([x, y, seen[:, 2] + 2], axis=1), dtype=np.float32)


def _visible(screen: Floats, near: Floats, slack: float) -> NDArray[np.float64]:
    """1 where nothing is nearer, averaged over the four pixels around each point."""
    hits = np.zeros(len(screen))
    for dx in (-0.5, 0.5):
        for dy in (-0.5, 0.5):
            x = np.clip((screen[:, 0] + dx).astype(int), 0, _SIZE - 1)
            y = np.clip((screen[:, 1] + dy).astype(int), 0, _SIZE - 1)
            hits += near[y, x] <= screen[:, 2] + slack
    return hits / 4
