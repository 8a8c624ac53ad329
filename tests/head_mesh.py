"""Geometry that the tests of the head need: what covers what, and who mirrors whom."""

from __future__ import annotations

import numpy as np

from semanticface.render.head import PARTS, Head
from semanticface.rig import CHANNELS, COUNT, INDEX


def face(**values: float) -> np.ndarray:
    """61 values by name, zero elsewhere."""
    row = np.zeros(COUNT, np.float32)
    for name, value in values.items():
        row[INDEX[name]] = value
    return row


def mirrored(row: np.ndarray) -> np.ndarray:
    """The 61 values of the mirrored face."""
    return np.array([row[INDEX[each.mirror]] * each.mirror_sign for each in CHANNELS], np.float32)


def members(head: Head, *parts: str) -> np.ndarray:
    """Vertices of the named parts."""
    return np.flatnonzero(np.isin(head.part, [PARTS.index(name) for name in parts]))


def faces_of(head: Head, *parts: str) -> np.ndarray:
    """Triangles of the named parts."""
    wanted = np.isin(head.part, [PARTS.index(name) for name in parts])
    return head.triangles[wanted[head.triangles[:, 0]]]


def covered(points: np.ndarray, triangles: np.ndarray, vertices: np.ndarray, near: float = 0.03):
    """[n] bool: a triangle lies in front of the point as seen from +z."""
    low, high = points[:, :2].min(0) - near, points[:, :2].max(0) + near
    flat = vertices[triangles]
    inside = ((flat[..., :2] > low) & (flat[..., :2] < high)).all((1, 2))
    a, b, c = flat[inside].transpose(1, 0, 2)
    area = _cross(b - a, c - a)
    kept = np.abs(area) > 1e-12
    a, b, c, area = a[kept], b[kept], c[kept], area[kept]
    # Few points lie in a triangle's box, and only there the rest is worth its time.
    box = np.stack([a, b, c])[..., :2]
    least, most = box.min(0) - 1e-6, box.max(0) + 1e-6
    x, y = points[:, :1], points[:, 1:2]
    near_by = (x >= least[:, 0]) & (x <= most[:, 0]) & (y >= least[:, 1]) & (y <= most[:, 1])
    which, of = np.nonzero(near_by)
    p, a, b, c, area = points[which], a[of], b[of], c[of], area[of]
    v = _cross(p - a, c - a) / area
    w = _cross(b - a, p - a) / area
    u = 1 - v - w
    depth = u * a[:, 2] + v * b[:, 2] + w * c[:, 2]
    hit = (u >= -1e-6) & (v >= -1e-6) & (w >= -1e-6) & (depth > p[:, 2])
    return np.bincount(which[hit], minlength=len(points)) > 0


def _cross(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]


def normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """[f,3] normals of triangles, not normalised."""
    a, b, c = vertices[triangles].transpose(1, 0, 2)
    return np.cross(b - a, c - a)


def mirror_map(head: Head) -> np.ndarray:
    """[V] the vertex that stands where this one's mirror image stands, in the mirrored part."""
    partner = np.arange(len(head.neutral))
    for number, name in enumerate(PARTS):
        there = {"eye_left": "eye_right", "eye_right": "eye_left"}.get(name, name)
        here, other = np.flatnonzero(head.part == number), members(head, there)
        points = head.neutral[here] * [-1, 1, 1]
        for chunk in np.array_split(np.arange(len(here)), max(1, len(here) // 500)):
            gap = ((points[chunk, None] - head.neutral[other][None]) ** 2).sum(2)
            partner[here[chunk]] = other[gap.argmin(1)]
    return partner


def lip_gap(head: Head, vertices: np.ndarray, reach: float = 0.8) -> np.ndarray:
    """Height of the upper rim above the lower one, metres, at 37 places.

    They cover the middle 80 % of the mouth's width.
    """
    assert head.lips is not None
    upper, lower = (vertices[rim] for rim in head.lips)
    middle, half = (upper[0, 0] + upper[-1, 0]) / 2, (upper[-1, 0] - upper[0, 0]) / 2
    at = np.linspace(-reach, reach, 37) * half + middle
    return np.interp(at, upper[:, 0], upper[:, 1]) - np.interp(at, lower[:, 0], lower[:, 1])
