"""Brow hairs, lashes, and a short cap of hair; all bound to the skin."""

from __future__ import annotations

import numpy as np
from head_build.parts import Part, compact, ramp, split_quads
from head_build.source import Array, Base, Index

_HAIR = np.array((0.050, 0.032, 0.021))
_LASH = (0.014, 0.010, 0.009)
# the middle line of the left brow, millimetres: x, y, half its height
_BROW = np.array(((11.0, 14.8, 2.5), (17, 16.3, 3.5), (25, 18.0, 3.8), (34, 19.5, 3.4),
                  (42, 19.4, 2.7), (49, 17.2, 1.8), (55, 13.8, 0.7)))  # fmt: skip
_BROW_SEED = 7
HAIRS = 120
"""Hairs of one brow."""
_UPPER_LASH, _LOWER_LASH = 0.40, 0.16
"""Share of the helper cards' depth that is kept."""


def brows(base: Base, rest: Array, skin: Part) -> Part:
    """Short flat hairs lying on the brow; the right brow is the left mirrored."""
    roots, tips, widths = _flow()
    across = np.stack((-(tips - roots)[:, 1], (tips - roots)[:, 0]), 1)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    half = across * widths[:, None] / 2
    corners = np.stack((roots + half, roots - half, tips - 0.35 * half, tips + 0.35 * half), 1)
    cover = Cover(skin, rest)
    vertices, weights, normal = cover.under(corners.reshape(-1, 2))
    lift = np.tile((0.0006, 0.0006, 0.0012, 0.0012), len(roots))[:, None]
    source, weights = _dense(vertices, weights)
    count = len(weights)
    quads = np.arange(count).reshape(-1, 4)
    triangles = np.concatenate((quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]))
    shade = np.random.default_rng(_BROW_SEED).uniform(0.75, 1.25, len(roots)).repeat(4)[:, None]
    both = np.zeros((2 * count, 2 * len(source)))
    both[:count, : len(source)] = weights
    both[count:, len(source) :] = weights
    constant = normal * lift
    return Part("brows", np.r_[source, base.mirror[source]], both,
                np.concatenate((triangles, triangles[:, ::-1] + count)),
                np.tile(_HAIR * shade, (2, 1)),
                np.concatenate((constant, constant * [-1, 1, 1])))  # fmt: skip


def _flow() -> tuple[Array, Array, Array]:
    """Roots and tips [n,2] in the xy plane and widths [n], metres; left brow."""
    rng = np.random.default_rng(_BROW_SEED)
    along = np.clip((np.arange(HAIRS) + rng.uniform(0, 1, HAIRS)) / HAIRS, 0, 1) ** 0.95
    side = rng.uniform(-1, 1, HAIRS)
    knots = np.linspace(0, 1, len(_BROW))
    x, y, half = (np.interp(along, knots, column) for column in _BROW.T)
    angle = np.interp(along, [0, 0.12, 0.4, 0.7, 1], [62, 44, 24, -2, -32])
    angle = np.radians(angle - side * 16 + rng.normal(0, 5, HAIRS))
    length = np.interp(along, [0, 0.3, 0.75, 1], [5.5, 8.0, 7.0, 4.5]) * rng.uniform(
        0.85, 1.1, HAIRS
    )
    centre = np.c_[x, y + side * half * 0.75]
    reach = np.c_[np.cos(angle), np.sin(angle)] * length[:, None]
    width = np.interp(along, [0, 0.2, 0.7, 1], [1.0, 1.55, 1.4, 0.95])
    return (centre - 0.45 * reach) / 1000, (centre + 0.55 * reach) / 1000, width / 1000


class Cover:
    """Finds the skin under a point of the xy plane, looking from the front."""

    def __init__(self, skin: Part, rest: Array) -> None:
        self._points = skin.rest(rest)
        facing = self._points[skin.triangles]
        normal = np.cross(facing[:, 1] - facing[:, 0], facing[:, 2] - facing[:, 0])
        front = (normal[:, 2] > 0) & (facing[..., 2].min(1) > -0.02)
        self._corners = skin.triangles[front]
        self._normal = normal[front] / np.linalg.norm(normal[front], axis=1, keepdims=True)
        self._source = skin.source

    def under(self, at: Array) -> tuple[Index, Array, Array]:
        """Base vertices [n,3], barycentric weights [n,3] and normals [n,3]."""
        found = [self._one(x, y) for x, y in at]
        vertices, weights, normals = (np.array(each) for each in zip(*found, strict=True))
        return self._source[vertices], weights, normals

    def _one(self, x: float, y: float) -> tuple[Index, Array, Array]:
        a, b, c = (self._points[self._corners[:, i]] for i in range(3))
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
        v = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (y - a[:, 1])) / area
        w = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (x - a[:, 0]) * (b[:, 1] - a[:, 1])) / area
        share = np.stack((1 - v - w, v, w), 1)
        depth = (share * np.stack((a[:, 2], b[:, 2], c[:, 2]), 1)).sum(1)
        inside = share.min(1) >= -1e-9
        if not inside.any():
            raise RuntimeError(f"no skin in front at x {x:.4f}, y {y:.4f}")
        best = int(np.where(inside, depth, -np.inf).argmax())
        return self._corners[best], share[best], self._normal[best]


def _dense(vertices: Index, weights: Array) -> tuple[Index, Array]:
    source, place = np.unique(vertices, return_inverse=True)
    dense = np.zeros((len(vertices), len(source)))
    np.add.at(dense, (np.arange(len(vertices))[:, None], place.reshape(vertices.shape)), weights)
    return source, dense


def lashes(base: Base, rest: Array, centres: Array) -> Part:
    """Thin strips on the lid margins: the helper's lash cards drawn in towards their roots."""
    pieces = []
    for row, kept in ((1, _LOWER_LASH), (2, _UPPER_LASH)):
        used, quads = compact(base.faces[f"helper-l-eyelashes-{row}"])
        pieces.append(
            (used, _drawn_in(rest[used], centres[0], kept), split_quads(quads, rest[used]))
        )
    pieces += [(base.mirror[used], pull, triangles[:, ::-1]) for used, pull, triangles in pieces]
    sizes = np.cumsum([0, *(len(used) for used, _, _ in pieces)])
    weights = np.zeros((sizes[-1], sizes[-1]))
    for start, (used, pull, _) in zip(sizes, pieces, strict=False):
        weights[start : start + len(used), start : start + len(used)] = pull
    triangles = np.concatenate(
        [each + start for start, (_, _, each) in zip(sizes, pieces, strict=False)]
    )
    source = np.concatenate([used for used, _, _ in pieces])
    return Part("lashes", source, weights, triangles, np.tile(_LASH, (len(source), 1)))


def _drawn_in(points: Array, centre: Array, kept: float) -> Array:
    """Weights [n,n]: each point moved to its nearest root, up to a share `kept` of the way out."""
    far = np.linalg.norm(points - centre, axis=1)
    roots = np.flatnonzero(far < np.quantile(far, 0.30))
    distance = np.linalg.norm((points[:, None] - points[roots][None]) * [1.6, 1, 1], axis=2)
    near = np.exp(-((distance - distance.min(1, keepdims=True)) / 0.0012))
    near /= near.sum(1, keepdims=True)
    weights = np.eye(len(points)) * kept
    weights[:, roots] += near * (1 - kept)
    return weights


def cap(rest: Array, skin: Part) -> Part:
    """Short hair: the scalp again, cut along the hairline and lifted off the skin."""
    points = skin.rest(rest)
    value = scalp(points)
    edges, triangles, weights = _cut(skin.triangles, value)
    used, inverse = np.unique(edges, return_inverse=True)
    dense = np.zeros((len(edges), len(used)))
    rows = np.arange(len(edges))
    np.add.at(dense, (rows, inverse.reshape(edges.shape)[:, 0]), 1 - weights)
    np.add.at(dense, (rows, inverse.reshape(edges.shape)[:, 1]), weights)
    normal = _normals(points, skin.triangles)[used]
    inside = np.maximum(dense @ value[used], 0)
    thick = 0.0012 + 0.0085 * (1 - np.exp(-inside / 0.014))
    outward = dense @ normal
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    streak = 1 + 0.25 * np.sin(np.arctan2(*(dense @ points[used])[:, [0, 1]].T) * 23)
    return Part("hair", skin.source[used], dense, triangles, _HAIR * streak[:, None],
                outward * thick[:, None], {"hair": np.ones(len(edges))})  # fmt: skip


def scalp(points: Array) -> Array:
    """Metres inside the hairline, negative on the face, neck and ears; points [n,3]."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    above = y - 0.066 + 0.10 * np.maximum(x - 0.02, 0)
    temple = -0.036 + 0.25 * np.maximum(y - 0.03, 0)  # how far back the side begins
    side = np.minimum(temple - z, y - (-0.012 - 0.55 * np.maximum(-0.105 - z, 0)))
    corner = 0.010 * np.logaddexp(above / 0.010, side / 0.010) - 0.004
    ear = np.where(x > 0.058, np.hypot((y + 0.016) / 1.5, z + 0.082) - 0.0195, 1.0)
    return np.minimum(np.minimum(corner, ear), y + 0.075)


def _cut(triangles: Index, value: Array) -> tuple[Index, Index, Array]:
    """Clip triangles to value >= 0: vertices as edges (i, j, t), and triangles of them."""
    number: dict[tuple[int, int], int] = {}
    share: list[float] = []
    out: list[list[int]] = []

    def vertex(i: int, j: int) -> int:
        key = (min(i, j), max(i, j))
        if key not in number:
            number[key] = len(share)
            a, b = key
            share.append(0.0 if a == b else float(value[a] / (value[a] - value[b])))
        return number[key]

    for triangle in triangles:
        ring: list[int] = []
        for i, j in zip(triangle, np.roll(triangle, -1), strict=True):
            if value[i] >= 0:
                ring.append(vertex(int(i), int(i)))
            if (value[i] >= 0) != (value[j] >= 0):
                ring.append(vertex(int(i), int(j)))
        out += [[ring[0], ring[k], ring[k + 1]] for k in range(1, len(ring) - 1)]
    return np.array(list(number)), np.array(out), np.array(share)


def _normals(points: Array, triangles: Index) -> Array:
    corner = points[triangles]
    face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    total = np.zeros_like(points)
    np.add.at(total, triangles, face[:, None])
    return np.asarray(total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-12))


def brow_mask(points: Array) -> Array:
    """Soft shade of the brow on the skin [n], 0 to 1."""
    x, y = np.abs(points[:, 0]) * 1000, points[:, 1] * 1000
    middle = np.interp(x, _BROW[:, 0], _BROW[:, 1])
    half = np.interp(x, _BROW[:, 0], _BROW[:, 2]) + 1.5
    ends = ramp(x, 5.0, 11.0) * (1 - ramp(x, 50.0, 58.0))
    return np.asarray(np.exp(-(((y - middle) / half) ** 2)) * ends * (points[:, 2] > -0.02))
