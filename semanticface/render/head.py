"""The head: a mesh that moves exactly as its 61 coefficients say.

Axes: metres, +x the subject's left, +y up, +z out of the face; the origin lies midway
between the eyeball centres. Shapes add up linearly. Eyeballs turn about their centres,
and the head about the top of the neck.

Where an eye's three rotations are all exactly zero they count as absent and the gaze
comes from that eye's eyeLook shapes, 0.60 rad sideways and 0.61 rad up or down at
weight 1 (measured on Live Link Face takes). Otherwise the gaze is the rotation less its
rest of 0.07 rad outwards, and the eyeLook shapes move the lids only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput
from semanticface.render.identity import coefficients
from semanticface.rig import COUNT, INDEX, NAMES

Floats = NDArray[np.float32]
Index = NDArray[np.int32]

PARTS = ("skin", "eye_left", "eye_right", "teeth_upper", "teeth_lower", "gums", "tongue",
         "brows", "lashes", "hair")  # fmt: skip
SHAPES = 52
ASSET = Path(__file__).parent / "assets" / "head.npz"

LOOK_YAW = 0.60
"""Radians an eyeball turns sideways at eyeLookIn or eyeLookOut 1."""
LOOK_PITCH = 0.61
"""Radians at eyeLookUp or eyeLookDown 1."""
REST_YAW = 0.07
"""Outward offset of Live Link's eye yaw at a straight gaze, radians."""
_BLOCK = 16


class Eye(NamedTuple):
    """An eyeball: it turns about its centre."""

    centre: Floats
    """[3], on the neutral head."""
    radius: float
    vertices: Index


@dataclass(frozen=True)
class Head:
    """A neutral mesh, what each channel adds to it, and what makes it another person."""

    name: str
    neutral: Floats
    """[V,3]."""
    shapes: Floats
    """[52,V,3] offsets at weight 1, in channel order; zero where the rig has none."""
    has: NDArray[np.bool_]
    """[52] channels the rig really has."""
    identity: Floats
    """[K,V,3] offsets for one standard deviation of each component."""
    triangles: Index
    """[F,3], counter-clockwise seen from outside."""
    part: NDArray[np.uint8]
    """[V], index into PARTS."""
    albedo: Floats
    """[V,3] linear RGB."""
    paint: dict[str, Floats]
    """Soft masks [V], 0 to 1."""
    eyes: tuple[Eye, Eye]
    """The subject's left and right."""
    neck: Floats = field(default_factory=lambda: np.array((0, -0.075, -0.085), np.float32))
    """[3], the joint the head turns about."""
    lips: tuple[Index, Index] | None = None
    """Upper and lower rim of the mouth, from the subject's right corner to the left one."""
    turn: Floats | None = None
    """[V], 1 where a vertex turns with the head, 0 where the neck stays; None: all turn."""

    def identity_offset(self, who: int | ArrayLike | None) -> Floats:
        """Offsets [V,3] of a person: a seed, or up to K coefficients in standard deviations."""
        weights = coefficients(who, len(self.identity))
        flat = self.identity.reshape(len(self.identity), -1)
        return np.asarray(weights @ flat, np.float32).reshape(self.neutral.shape)

    @cached_property
    def matrix(self) -> Floats:
        """[52, V*3] the shapes as the matrix of the one product."""
        return np.ascontiguousarray(self.shapes.reshape(SHAPES, -1))

    @cached_property
    def eye_rows(self) -> tuple[slice | Index, slice | Index]:
        """Where each eyeball's vertices stand; a slice where they follow one another."""
        first, second = (_rows(eye.vertices) for eye in self.eyes)
        return first, second

    @cached_property
    def eye_means(self) -> tuple[Floats, Floats]:
        """Mean vertex of each eyeball at rest; its centre where the rig has no eyeball."""
        first, second = (
            np.asarray(self.neutral[rows].mean(0) if len(eye.vertices) else eye.centre, np.float32)
            for eye, rows in zip(self.eyes, self.eye_rows, strict=True)
        )
        return first, second

    def eye_centres(self, person: Floats) -> Floats:
        """[2,3] centres of the eyeballs of a person's neutral vertices [V,3]."""
        found = []
        for eye, rows, mean in zip(self.eyes, self.eye_rows, self.eye_means, strict=True):
            shift = person[rows].mean(0) - mean if len(eye.vertices) else 0
            found.append(eye.centre + shift)
        return np.stack(found).astype(np.float32)


def _rows(vertices: Index) -> slice | Index:
    if len(vertices) and vertices[-1] - vertices[0] + 1 == len(vertices):
        return slice(int(vertices[0]), int(vertices[-1]) + 1)
    return vertices


@cache
def _shipped() -> Head:
    return read_npz(ASSET)


def load_head(path: str | PathLike[str] | None = None) -> Head:
    """The shipped head (read once), or the .npz of this layout at `path`."""
    return _shipped() if path is None else read_npz(Path(path))


def read_npz(path: Path) -> Head:
    """Read the layout that scripts/build_head.py writes."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return _head_of(path.stem, arrays)
    except FileNotFoundError:
        raise BadInput("no such file", "a head in .npz", file=path) from None
    except KeyError as missing:
        raise BadInput(f"no array {missing}", "the arrays of a head (see scripts/build_head.py)",
                       file=path) from None  # fmt: skip


def _head_of(name: str, arrays: dict[str, Any]) -> Head:
    neutral = arrays["neutral"].astype(np.float32)
    part = arrays["part"]
    shapes = _dense(arrays, len(neutral))
    names = [str(each) for each in arrays["paint_names"]]
    masks = arrays["paint"].astype(np.float32) / 255
    eyes = [
        Eye(centre.astype(np.float32), float(radius), _members(part, f"eye_{side}"))
        for side, centre, radius in zip(
            ("left", "right"), arrays["eye_centres"], arrays["eye_radius"], strict=True
        )
    ]
    return Head(
        name=name,
        neutral=neutral,
        shapes=shapes,
        has=np.abs(shapes).max((1, 2)) > 0,
        identity=arrays["identity"].astype(np.float32),
        triangles=arrays["triangles"].astype(np.int32),
        part=part,
        albedo=arrays["albedo"].astype(np.float32),
        paint=dict(zip(names, masks, strict=True)),
        eyes=(eyes[0], eyes[1]),
        lips=(arrays["rim_upper"].astype(np.int32), arrays["rim_lower"].astype(np.int32)),
        turn=turn_weights(neutral),
    )


def _dense(arrays: dict[str, Any], count: int) -> Floats:
    counts = arrays["shape_counts"]
    shapes = np.zeros((len(counts), count, 3), np.float32)
    shapes[np.repeat(np.arange(len(counts)), counts), arrays["shape_vertices"]] = arrays[
        "shape_offsets"
    ]
    return shapes


def _members(part: NDArray[np.uint8], name: str) -> Index:
    return np.flatnonzero(part == PARTS.index(name)).astype(np.int32)


def turn_weights(neutral: Floats, low: float = -0.185, high: float = -0.095) -> Floats:
    """1 on the skull, falling to 0 at the foot of the neck (heights in metres)."""
    height = neutral[:, 1] - 0.35 * np.minimum(neutral[:, 2] + 0.06, 0)
    t = np.clip((height - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def pose(head: Head, values: ArrayLike, offset: Floats | None = None) -> Floats:
    """Vertices [V,3] of one frame. `values`: 61 numbers, `offset`: see identity_offset."""
    row = checked(np.asarray(values, np.float32)[None])[0]
    base = head.neutral if offset is None else head.neutral + offset
    added = (row[:SHAPES] @ head.matrix).reshape(-1, 3)
    return _posed(head, base, head.eye_centres(base), added, row)


def pose_frames(head: Head, values: ArrayLike, offset: Floats | None = None) -> Iterator[Floats]:
    """Vertices [V,3] of each row of `values` [T,61]."""
    table = checked(np.asarray(values, np.float32))
    base = head.neutral if offset is None else head.neutral + offset
    centres = head.eye_centres(base)
    for start in range(0, len(table), _BLOCK):
        rows = table[start : start + _BLOCK]
        for row, added in zip(rows, rows[:, :SHAPES] @ head.matrix, strict=True):
            yield _posed(head, base, centres, added.reshape(-1, 3), row)


def checked(table: Floats) -> Floats:
    """The coefficients [T,61], all finite, or a BadInput that names what is not."""
    if table.ndim != 2 or table.shape[1] != COUNT:
        raise BadInput(f"coefficients of shape {table.shape}", f"{COUNT} numbers a frame")
    bad = ~np.isfinite(table)
    if bad.any():
        names = [NAMES[i] for i in np.flatnonzero(bad.any(0))]
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        raise BadInput(f"values that are not finite in {shown}", "a number for each channel",
                       row=int(np.flatnonzero(bad.any(1))[0]),
                       hint="Fill or leave out missing channels before rendering.")  # fmt: skip
    return table


def _posed(head: Head, base: Floats, centres: Floats, added: Floats, row: Floats) -> Floats:
    points = base + added
    for side, rows, centre in zip(("left", "right"), head.eye_rows, centres, strict=True):
        yaw, pitch, roll = gaze(row, side)
        if yaw or pitch or roll:
            turned = (points[rows] - centre) @ rotation_matrix(-yaw, pitch, roll).T
            points[rows] = turned + centre
    angles = row[INDEX["headYaw"] : INDEX["headRoll"] + 1]
    return _turn_head(head, points, angles) if angles.any() else points


def gaze(row: Floats, side: str) -> Floats:
    """Yaw (to the subject's right), pitch (down) and roll of one eyeball, radians."""
    first = INDEX[f"{side}EyeYaw"]
    turned = row[first : first + 3]
    outwards = -1.0 if side == "left" else 1.0
    if turned.any():
        return np.asarray(turned - [outwards * REST_YAW, 0, 0], np.float32)
    down, inwards, out, up = (
        row[INDEX[f"eyeLook{way}{side.capitalize()}"]] for way in ("Down", "In", "Out", "Up")
    )
    yaw = outwards * LOOK_YAW * (out - inwards)
    return np.array((yaw, LOOK_PITCH * (down - up), 0), np.float32)


def _turn_head(head: Head, points: Floats, angles: Floats) -> Floats:
    yaw, pitch, roll = angles
    change = rotation_matrix(yaw, -pitch, roll) - np.eye(3, dtype=np.float32)
    added = (points - head.neck) @ change.T
    if head.turn is not None:
        added *= head.turn[:, None]
    return np.asarray(points + added, np.float32)


def rotation_matrix(about_y: float, about_x: float, about_z: float) -> Floats:
    """Right-handed turns: first about z, then x, then y."""
    cy, sy, cx, sx = np.cos(about_y), np.sin(about_y), np.cos(about_x), np.sin(about_x)
    cz, sz = np.cos(about_z), np.sin(about_z)
    y = np.array(((cy, 0, sy), (0, 1, 0), (-sy, 0, cy)), np.float32)
    x = np.array(((1, 0, 0), (0, cx, -sx), (0, sx, cx)), np.float32)
    z = np.array(((cz, -sz, 0), (sz, cz, 0), (0, 0, 1)), np.float32)
    return np.asarray(y @ x @ z, np.float32)
