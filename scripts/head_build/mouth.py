"""Teeth, gums and tongue, hung on the helper rows of teeth that follow every target."""

from __future__ import annotations

import numpy as np
from head_build.parts import Part, compact, ramp, similar_weights, split_quads
from head_build.source import Array, Base, Index

from semanticface.rig import INDEX

# crown widths in metres from the middle outwards: incisors, canine, premolars, molars
_UPPER = (0.0086, 0.0068, 0.0076, 0.0070, 0.0068, 0.0100, 0.0098)
_LOWER = (0.0056, 0.0060, 0.0069, 0.0070, 0.0071, 0.0108, 0.0102)
_UPPER_HEIGHT = (0.0100, 0.0088, 0.0096, 0.0084, 0.0080, 0.0074, 0.0070)
_LOWER_HEIGHT = (0.0086, 0.0088, 0.0096, 0.0084, 0.0080, 0.0074, 0.0070)
_ENAMEL = (0.72, 0.66, 0.54)
_ROOT = (0.58, 0.46, 0.33)
_GUM = (0.48, 0.14, 0.13)
_TONGUE = (0.50, 0.17, 0.16)
_AROUND = 8


class Arch:
    """The curve of a row of teeth seen from above, by its length from the middle."""

    def __init__(self, half_width: float, front: float, back: float) -> None:
        turn = np.linspace(0, np.pi / 2, 400)
        x = half_width * np.sin(turn) ** 0.92
        z = back + (front - back) * np.cos(turn)
        self._x, self._z = x, z
        self._length = np.r_[0, np.cumsum(np.hypot(np.diff(x), np.diff(z)))]

    def at(self, length: Array) -> tuple[Array, Array]:
        """Points [n,2] (x, z) and outward normals [n,2] for lengths >= 0."""
        x, z = np.interp(length, self._length, self._x), np.interp(length, self._length, self._z)
        step = 2e-4
        ahead = (
            np.interp(length + step, self._length, self._x),
            np.interp(length + step, self._length, self._z),
        )
        dx, dz = ahead[0] - x, ahead[1] - z
        size = np.hypot(dx, dz) + 1e-12
        return np.c_[x, z], np.c_[-dz, dx] / size[:, None]


def teeth(base: Base, rest: Array, row: str) -> Part:
    """The `upper` or `lower` row: fourteen separate bodies."""
    source = base.members(f"helper-{row}-teeth")
    anchors = rest[source]
    bodies = [_tooth(anchors, row, number, side) for side in (1, -1) for number in range(7)]
    points = np.concatenate([body[0] for body in bodies])
    size = len(bodies[0][0])
    triangles = np.concatenate([body[1] + i * size for i, body in enumerate(bodies)])
    root = np.concatenate([body[2] for body in bodies])[:, None]
    albedo = np.array(_ENAMEL) * (1 - root) + np.array(_ROOT) * root
    return _hang(f"teeth_{row}", source, anchors, points, triangles, albedo)


def _arch(anchors: Array, row: str) -> Arch:
    front, back = anchors[:, 2].max(), anchors[:, 2].min()
    inset = 0.0008 if row == "upper" else 0.0018
    return Arch(
        float(np.abs(anchors[:, 0]).max()) - inset - 0.004, front - inset - 0.0016, back - 0.004
    )


def _bite(anchors: Array, row: str) -> float:
    """Height of the biting edge in front."""
    front = anchors[anchors[:, 2] > anchors[:, 2].max() - 0.006, 1]
    return float(front.min() - 0.0032) if row == "upper" else float(front.max() - 0.0024)


def _tooth(anchors: Array, row: str, number: int, side: int) -> tuple[Array, Index, Array]:
    """One crown: points [n,3], triangles, and how near each point lies to the root."""
    widths = _UPPER if row == "upper" else _LOWER
    height = (_UPPER_HEIGHT if row == "upper" else _LOWER_HEIGHT)[number]
    width, depth = widths[number], 0.0062 if number < 3 else 0.0085
    middle = np.array([sum(widths[:number]) + width / 2])
    place, normal = (each[0] for each in _arch(anchors, row).at(middle))
    along = np.array([normal[1], -normal[0]])
    up = 1.0 if row == "upper" else -1.0
    sharp = 0.32 if number < 3 else 0.72  # how thick the biting edge is
    cusp = 0.0004 if number == 2 else 0.0
    short = 0.0005 if row == "upper" and number == 1 else 0.0
    bite = _bite(anchors, row) + up * (short - cusp)
    levels = ((0.0, 0.80, sharp), (0.10, 0.95, sharp + 0.22), (0.42, 0.99, 0.9), (0.8, 0.84, 1.0),
              (1.15, 0.74, 0.9))  # fmt: skip
    turn = np.arange(_AROUND) * 2 * np.pi / _AROUND + np.pi / _AROUND
    square = np.maximum(np.abs(np.cos(turn)), np.abs(np.sin(turn))) ** 0.55
    rings, root = [], []
    for level, wide, thick in levels:
        a = np.cos(turn) / square * width / 2 * wide
        b = np.sin(turn) / square * depth / 2 * thick - depth * 0.5 * (1 - thick) * 0.25
        flat = place + a[:, None] * along - depth * 0.35 * normal + b[:, None] * normal
        rings.append(np.c_[flat[:, 0], np.full(_AROUND, bite + up * level * height), flat[:, 1]])
        root.append(np.full(_AROUND, float(ramp(np.array(level), 0.35, 1.05))))
    tip = rings[0].mean(0) - [0, up * 0.0003, 0]
    points = np.concatenate([*rings, [tip]])
    triangles = _tube(len(levels), up > 0)
    if side < 0:
        points, triangles = points * [-1, 1, 1], triangles[:, ::-1]
    return points, triangles, np.concatenate([*root, [0.0]])


def _tube(rings: int, upwards: bool) -> Index:
    i = np.arange(_AROUND)
    j = (i + 1) % _AROUND
    parts = [np.c_[np.full(_AROUND, rings * _AROUND), i, j]]
    for ring in range(rings - 1):
        a, b = ring * _AROUND, (ring + 1) * _AROUND
        parts += [np.c_[a + i, b + i, b + j], np.c_[a + i, b + j, a + j]]
    triangles = np.concatenate(parts)
    return triangles if upwards else triangles[:, ::-1]


def gums(base: Base, rest: Array, row: str) -> Part:
    """A ridge behind and around the roots of one row."""
    source = base.members(f"helper-{row}-teeth")
    anchors = rest[source]
    length = np.linspace(0, 0.056, 15)
    place, normal = _arch(anchors, row).at(length)
    height = np.interp(length, [0, 0.02, 0.056], [0.0092, 0.0088, 0.0070])
    up = 1.0 if row == "upper" else -1.0
    profile = ((-0.012, 0.2), (-0.0085, -0.2), (-0.0045, -0.12), (-0.0022, 0.02),
               (-0.0002, 0.30), (-0.001, 0.9), (-0.005, 1.2))  # fmt: skip
    bite = _bite(anchors, row)
    rows = []
    for out, rise in profile:
        flat = place + out * normal
        rows.append(np.c_[flat[:, 0], bite + up * height * (0.80 + rise * 0.8), flat[:, 1]])
    half = np.stack(rows, 1)
    half[0, :, 0] = 0
    mirrored = half[:0:-1] * [-1, 1, 1]
    points = np.concatenate((mirrored, half))
    triangles = _sheet(points.shape[0], points.shape[1])
    triangles = triangles if row == "lower" else triangles[:, ::-1]
    flat_points = points.reshape(-1, 3)
    albedo = np.tile(_GUM, (len(flat_points), 1))
    return _hang("gums", source, anchors, flat_points, triangles, albedo)


def _sheet(rows: int, columns: int) -> Index:
    grid = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]
    quads = np.stack((a, b, c, d), -1).reshape(-1, 4)
    return np.concatenate((quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]))


def tongue(base: Base, rest: Array) -> Part:
    """MakeHuman's own tongue."""
    used, quads = compact(base.faces["helper-tongue"])
    triangles = split_quads(quads, rest[used])
    points = rest[used]
    front = ramp(points[:, 2], points[:, 2].max() - 0.045, points[:, 2].max() - 0.004)[:, None]
    albedo = np.array(_TONGUE) * (0.22 + 0.78 * front)
    return Part("tongue", used, None, triangles, albedo)


def give_way(base: Base, rest: Array, shapes: Array) -> None:
    """Let the tongue lie flat on the floor of an open mouth, and reach further when it is out.

    Changes jawOpen and tongueOut [52,B,3] in place, at the tongue's vertices only.
    """
    own = base.members("helper-tongue")
    points = rest[own]
    floor = np.quantile(points[:, 1], 0.25)
    thickness = np.maximum(points[:, 1] - floor, 0)
    front = ramp(points[:, 2], points[:, 2].max() - 0.05, points[:, 2].max())
    shapes[INDEX["jawOpen"], own, 1] -= 0.45 * thickness + 0.0025
    shapes[INDEX["tongueOut"], own] *= 1.0 + 0.3 * front[:, None]
    shapes[INDEX["tongueOut"], own, 1] -= 0.004 * front**2


def _hang(
    name: str, source: Index, anchors: Array, points: Array, triangles: Index, albedo: Array
) -> Part:
    weights = similar_weights(points, anchors)
    return Part(name, source, weights, triangles, albedo, points - weights @ anchors)
