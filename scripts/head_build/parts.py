"""A part of the head: vertices that are linear in the vertices of the base mesh.

Every vertex is a weighted sum of base vertices plus an offset that stays as it is.
So a part follows all shapes and all identities without a formula of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from head_build.source import Array, Index

NAMES = ("skin", "eye_left", "eye_right", "teeth_upper", "teeth_lower", "gums", "tongue",
         "brows", "lashes", "hair")  # fmt: skip


@dataclass
class Part:
    """Geometry of one part, bound to the base mesh."""

    name: str
    source: Index
    """[m] base vertices it hangs on."""
    weights: Array | None
    """[n,m], rows sum to 1; None: vertex i is source i."""
    triangles: Index
    """[f,3] local numbers, counter-clockwise from outside."""
    albedo: Array
    """[n,3] linear RGB."""
    constant: Array | float = 0.0
    """[n,3] metres, added to rest positions only."""
    paint: dict[str, Array] = field(default_factory=dict)
    follows_shapes: bool = True

    def rest(self, base: Array) -> Array:
        """Positions [n,3] for base vertices [B,3]."""
        return self._mix(base) + self.constant

    def offsets(self, shape: Array) -> Array:
        """Offsets [n,3] for one shape of the base mesh [B,3]."""
        mixed = self._mix(shape)
        return mixed if self.follows_shapes else np.zeros_like(mixed)

    def person(self, shape: Array) -> Array:
        """Offsets [n,3] for one identity component of the base mesh."""
        return self._mix(shape)

    def _mix(self, field_: Array) -> Array:
        taken = field_[self.source]
        return taken if self.weights is None else self.weights @ taken


def affine_weights(points: Array, anchors: Array) -> Array:
    """Weights [n,m] that carry an affine motion of `anchors` [m,3] over to `points` [n,3].

    Exact where the anchors move affinely, least squares otherwise; rows sum to 1.
    """
    return with_one(points) @ np.linalg.pinv(with_one(anchors))


def similar_weights(points: Array, anchors: Array) -> Array:
    """As `affine_weights`, but the points only move along and along the line of each axis.

    Used for teeth: translation and a gentle scale, no shear from noisy anchors.
    """
    spread = np.c_[np.ones(len(anchors)), anchors - anchors.mean(0)]
    return np.c_[np.ones(len(points)), points - anchors.mean(0)] @ np.linalg.pinv(spread, 1e-2)


def with_one(points: Array) -> Array:
    """Homogeneous coordinates [n,4]."""
    return np.c_[points, np.ones(len(points))]


def split_quads(quads: Index, points: Array) -> Index:
    """Two triangles a quad along its shorter diagonal; ties fall alike on both sides."""
    a, b, c, d = quads.T
    first = np.linalg.norm(points[a] - points[c], axis=1)
    second = np.linalg.norm(points[b] - points[d], axis=1)
    lowest = points[quads][:, :, 1].argmin(1) % 2 == 0
    near = np.abs(first - second) < 1e-5
    along = np.where(near, lowest, first < second)[:, None]
    one = np.where(along, np.c_[a, b, c], np.c_[a, b, d])
    two = np.where(along, np.c_[a, c, d], np.c_[b, c, d])
    triangles = np.stack((one, two), 1).reshape(-1, 3)
    distinct = (triangles != np.roll(triangles, 1, 1)).all(1)
    return triangles[distinct]


def compact(polygons: Index) -> tuple[Index, Index]:
    """Used vertices, and the polygons counted in them."""
    used, inverse = np.unique(polygons, return_inverse=True)
    return used, inverse.reshape(polygons.shape)


def ramp(value: Array, low: float, high: float) -> Array:
    """Smooth step from 0 at `low` to 1 at `high`."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
