"""Where the faces are: MediaPipe's BlazeFace of short range, in numpy alone.

    for face in faces(picture):      # a PIL picture; the surest first
        face.score, face.box, face.points

The network sees 128 x 128 pixels and finds faces that take an eighth of them or more, so a
picture without such a face is looked at again with a margin around it, and then piece by piece.
What a score, a box and a point are follows MediaPipe's `face_detection_short_range`: 896 anchors
on grids of 16 x 16 (two each) and 8 x 8 (six each), all of the same size; boxes that overlap
are averaged by their scores. The weights are its own (`assets/blazeface`, Apache-2.0), read from
its wheel by `scripts/build_blazeface.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

Floats = NDArray[np.float32]

SIZE = 128
SURE = 0.5
"""Score from which on something is a face."""
SURER = 0.75
"""The same of a piece of a picture, for there are many pieces and no face in most."""
_MARGIN = 1.6
_PIECES = (2, 4)
_SMALLEST = 64
"""Pixels a side of the smallest piece that is looked at."""
_ALIKE = 0.3
"""Overlap, as intersection over union, from which on two boxes are of one face."""
_HALVING = (2, 5, 11)
_BLOCKS, _FINE = 16, 10


class Found(NamedTuple):
    """A face, in pixels of the picture; y is down."""

    score: float
    """0 to 1."""
    box: Floats
    """[4] left, top, right, bottom: from the brows to the chin, more or less."""
    points: Floats
    """[6, 2] right eye, left eye, nose, mouth, right ear, left ear, sides as the subject's."""

    @property
    def area(self) -> float:
        """Of the box, in square pixels."""
        return float((self.box[2] - self.box[0]) * (self.box[3] - self.box[1]))


class Square(NamedTuple):
    """A part of a picture, or more than it; pixels."""

    left: float
    top: float
    side: float


def faces(picture: Image) -> list[Found]:
    """Every face that is seen from the first distance at which there is one; the surest first."""
    width, height = picture.size
    longest = max(width, height)
    for side in (longest, longest * _MARGIN):
        square = Square((width - side) / 2, (height - side) / 2, side)
        if found := seen(picture, square):
            return found
    for parts in _PIECES:
        if longest / parts < _SMALLEST:
            break
        every = [face for square in _pieces(width, height, longest / parts)
                 for face in seen(picture, square, SURER)]  # fmt: skip
        if every:
            return _one_each(every)
    return []


def seen(picture: Image, square: Square, least: float = SURE) -> list[Found]:
    """The faces in one look at a square of the picture; what lies beyond its edge is black."""
    from PIL import Image as Pillow

    left, top, side = square
    shown = picture.crop((round(left), round(top), round(left + side), round(top + side)))
    small = shown.resize((SIZE, SIZE), Pillow.Resampling.BILINEAR)
    scores, raw = _network(np.asarray(small, np.float32) / 127.5 - 1)
    sure = np.flatnonzero(scores >= least)
    found = [_found(scores[i], raw[i], _anchors()[i], square) for i in sure]
    return _one_each(found)


def _pieces(width: int, height: int, side: float) -> Iterator[Square]:
    """Squares that overlap by half and cover the picture."""
    for top in _steps(height, side):
        for left in _steps(width, side):
            yield Square(left, top, side)


def _steps(length: float, side: float) -> Iterator[float]:
    if length <= side:
        yield (length - side) / 2
        return
    count = int(np.ceil(2 * (length - side) / side - 1e-9)) + 1
    yield from np.linspace(0, length - side, count).tolist()


def _found(score: np.float32, raw: Floats, anchor: Floats, square: Square) -> Found:
    """A row of the network's numbers: centre, size, six points, in pixels of its own picture."""
    to = np.array(square[:2], np.float32)
    pairs = raw.reshape(8, 2) / SIZE
    middle, size = pairs[0] + anchor, pairs[1]
    box = np.concatenate([middle - size / 2, middle + size / 2]) * square.side + np.tile(to, 2)
    return Found(float(score), _narrow(box), _narrow((pairs[2:] + anchor) * square.side + to))


def _one_each(found: list[Found]) -> list[Found]:
    """The mean of all boxes that overlap a surer one, weighted by score; the surest first."""
    waiting, kept = sorted(found, key=lambda each: -each.score), []
    while waiting:
        alike = [each for each in waiting if _overlap(waiting[0].box, each.box) > _ALIKE]
        shares = np.array([each.score for each in alike], np.float32)
        shares /= shares.sum()
        box = np.tensordot(shares, np.array([each.box for each in alike]), 1)
        points = np.tensordot(shares, np.array([each.points for each in alike]), 1)
        kept.append(Found(alike[0].score, _narrow(box), _narrow(points)))
        waiting = [each for each in waiting if _overlap(waiting[0].box, each.box) <= _ALIKE]
    return kept


def _narrow(numbers: NDArray[Any]) -> Floats:
    return np.asarray(numbers, np.float32)


def _overlap(a: Floats, b: Floats) -> float:
    """Intersection over union of two boxes; a box's with itself is 1 whatever its size."""
    if a is b:
        return 1.0
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    both = float(sides.prod())
    union = float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()) - both
    return both / union if union > 0 else 0.0


@cache
def weights() -> dict[str, Floats]:
    """As the asset has them, in float32."""
    place = resources.files("semanticface") / "train" / "assets" / "blazeface" / "weights.npz"
    with place.open("rb") as stream, np.load(stream) as held:
        return {name: held[name].astype(np.float32) for name in held.files}


@cache
def _anchors() -> Floats:
    """[896, 2] middles, as shares of the picture, in the order of the network's rows."""
    grids = []
    for cells, each in ((16, 2), (8, 6)):
        at = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        y, x = np.meshgrid(at, at, indexing="ij")
        grids.append(np.repeat(np.stack([x, y], 2).reshape(-1, 2), each, axis=0))
    return np.concatenate(grids)


def _network(picture: Floats) -> tuple[Floats, Floats]:
    """[128, 128, 3] from -1 to 1: scores [896] from 0 to 1, and raw rows [896, 16]."""
    held = weights()
    x = np.maximum(_windows(picture, 5, 2) @ held["first"].reshape(75, -1) + held["first_bias"], 0)
    fine = x
    for n in range(_BLOCKS):
        x = _block(x, n, 2 if n in _HALVING else 1)
        fine = x if n == _FINE else fine
    scores, rows = [], []
    for name, grid in (("fine", fine), ("coarse", x)):
        scores.append((grid @ held[f"{name}_score"] + held[f"{name}_score_bias"]).reshape(-1))
        rows.append((grid @ held[f"{name}_rows"] + held[f"{name}_rows_bias"]).reshape(-1, 16))
    known = np.clip(np.concatenate(scores), -80, 80)  # beyond it exp has no float32
    return 1 / (1 + np.exp(-known)), np.concatenate(rows)


def _block(x: Floats, n: int, stride: int) -> Floats:
    """A channel by itself over 3 x 3 cells, all channels of a cell, and the way around both."""
    held = weights()
    depth, point = held[f"depth{n}"], held[f"point{n}"]
    size, most = x.shape[0] // stride, point.shape[1]
    padded = np.pad(x, ((2 - stride, 1), (2 - stride, 1), (0, 0)))
    summed = np.zeros((size, size, x.shape[2]), np.float32)
    for i in range(3):
        for j in range(3):
            end = (i + stride * (size - 1) + 1, j + stride * (size - 1) + 1)
            summed += padded[i : end[0] : stride, j : end[1] : stride] * depth[i, j]
    made: Floats = (summed + held[f"depth_bias{n}"]) @ point + held[f"point_bias{n}"]
    around = x if stride == 1 else x.reshape(size, 2, size, 2, -1).max(axis=(1, 3))
    made[..., : around.shape[2]] += around
    return np.maximum(made, 0)[..., :most]


def _windows(picture: Floats, size: int, stride: int) -> Floats:
    """[H / stride, W / stride, size * size * 3]: what each cell of a convolution sees."""
    around = size - stride
    padded = np.pad(picture, ((around // 2, around - around // 2),) * 2 + ((0, 0),))
    seen_by = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(0, 1))
    cells = seen_by[::stride, ::stride].transpose(0, 1, 3, 4, 2)
    return cells.reshape(*cells.shape[:2], -1)
