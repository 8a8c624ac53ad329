"""A picture cut to the face, as the small model's training pictures were.

    crop = crop_of("face")            # or "none", or "120,40,300": left, top, side
    cut = crop.cut(picture)           # a PIL picture; BadInput if no face is seen
    cut.picture, cut.told             # {"box": [98, 51, 240], "by": "blazeface", "score": 0.93}

    encoded, told = cut_file(data, crop)   # the same of a file's bytes, for whoever sends them on

`blazeface` finds the face; of several the largest one counts. The square that is cut is the one
`nano_view.face_camera` would show: its middle and side are linear in the six points, moved and
scaled to middle 0 and size 1, with coefficients that were fitted on renders (`frame.json`), for
the place of the head and not of its turned face is what training kept still. What lies beyond the
picture's edge is its edge again. A picture that is cut so already stays as it is.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from semanticface.data.images import ImageRef, Pictures
from semanticface.errors import BadInput
from semanticface.train.blazeface import SURE, Found, Square, faces, seen

if TYPE_CHECKING:
    from PIL.Image import Image

FACE, NONE = "face", "none"
NO_FACE = "no face in the picture"
_GRID = 28
"""Pixels a side of what Qwen-VL makes one token of."""
_CLOSER = 1.5
"""Side of the second look at a face, in sides of what the first would cut: points get sharper."""
_SAME = 0.08
"""Share of a side by which a picture that is cut already may be off."""
_BEYOND = 3.0
"""Sides of the picture within which a square that somebody gives must lie."""


class Cut(NamedTuple):
    """What is shown to a model, and what to tell about it."""

    picture: Any
    told: dict[str, Any]


class Crop(Protocol):
    """A way to cut pictures."""

    @property
    def key(self) -> str:
        """Another one shows a model other pixels; empty for the whole picture."""

    def cut(self, picture: Image) -> Cut:
        """The part to be shown."""


@dataclass(frozen=True)
class Whole:
    """Pictures as they are."""

    key = ""

    def cut(self, picture: Image) -> Cut:
        """All of it."""
        return Cut(picture, {})


@dataclass(frozen=True)
class Given:
    """The same square of every picture."""

    square: Square

    @property
    def key(self) -> str:
        """The square."""
        return f"square {self.square}"

    def cut(self, picture: Image) -> Cut:
        """The square, which must touch the picture."""
        left, top, side = self.square
        width, height = picture.size
        outside = left >= width or top >= height or left + side <= 0 or top + side <= 0
        if outside or side > _BEYOND * max(picture.size):
            raise BadInput(f"a crop of {side:g} pixels at {left:g}, {top:g}",
                           f"one within the picture's {width} x {height} pixels")  # fmt: skip
        return Cut(part(picture, self.square), _told(self.square, "given"))


@dataclass(frozen=True)
class Sought:
    """The largest face."""

    key = "blazeface 1"

    def cut(self, picture: Image) -> Cut:
        """The face as `nano_view.face_camera` would show it."""
        found = face_in(picture)
        if found is None:
            raise BadInput(NO_FACE, "one that can be seen",
                           hint="--crop none reads the picture as it is.")  # fmt: skip
        square = square_of(found)
        score = round(found.score, 3)
        if _whole(square, picture):
            return Cut(picture, {"box": "all", "by": "blazeface", "score": score})
        return Cut(part(picture, square), _told(square, "blazeface") | {"score": score})


def crop_of(text: str) -> Crop:
    """`face`, `none`, or a square: left, top and side in pixels, with commas between."""
    if text in (FACE, NONE):
        return Sought() if text == FACE else Whole()
    try:
        left, top, side = (float(each) for each in text.split(","))
    except ValueError:
        left = top = side = np.nan
    if not (np.isfinite([left, top, side]).all() and side >= 1):
        raise BadInput(f"the crop '{text}'", f"{FACE}, {NONE}, or left,top,side in pixels")
    return Given(Square(left, top, side))


def cut_file(data: bytes, crop: Crop) -> Cut:
    """The same of an encoded picture; what is cut is PNG, or the bytes as they came."""
    if not crop.key:
        return Cut(data, {})
    picture = Pictures().decode(ImageRef(data=data), "the picture")
    cut = crop.cut(picture)
    if cut.picture is picture:
        return Cut(data, cut.told)
    # A model of small squares sees one of this grid at its full size; see `predictor`.
    side = max(1, round(cut.picture.width / _GRID)) * _GRID
    buffer = io.BytesIO()
    cut.picture.resize((side, side)).save(buffer, "PNG", compress_level=1)
    return Cut(buffer.getvalue(), cut.told)


def face_in(picture: Image) -> Found | None:
    """The largest face, looked at twice."""
    found = faces(picture)
    if not found:
        return None
    first = max(found, key=lambda each: each.area)
    left, top, side = square_of(first)
    more = (_CLOSER - 1) / 2 * side
    again = seen(picture, Square(left - more, top - more, _CLOSER * side), SURE)
    return max(again, key=lambda each: each.area, default=first)


def place_of(found: Found) -> Square:
    """Middle of the six points as left and top, and their root mean square distance from it."""
    middle = found.points.mean(axis=0)
    size = float(np.sqrt(((found.points - middle) ** 2).sum(axis=1).mean()))
    return Square(float(middle[0]), float(middle[1]), size)


def features(found: Found) -> NDArray[np.float64]:
    """[13] one, and the points as seen from their middle in units of their size."""
    left, top, size = place_of(found)
    points = (found.points.astype(np.float64) - (left, top)) / max(size, 1e-6)
    return np.concatenate([[1.0], points.reshape(-1)])


def square_of(found: Found) -> Square:
    """What `nano_view.face_camera` would show of this face."""
    x, y, size = place_of(found)
    aside, down, sides = features(found) @ frame()
    side = float(sides) * size
    return Square(x + float(aside) * size - side / 2, y + float(down) * size - side / 2, side)


@cache
def frame() -> NDArray[np.float64]:
    """[13, 3] middle x, middle y and side of the square, in sizes of the points."""
    place = resources.files("semanticface") / "train" / "assets" / "blazeface" / "frame.json"
    return np.array(json.loads(place.read_text(encoding="utf-8"))["frame"], np.float64)


def part(picture: Image, square: Square) -> Image:
    """A square of the picture to the nearest pixel; beyond the edge its last row or column."""
    from PIL import Image as Pillow

    left, top, side = round(square.left), round(square.top), max(1, round(square.side))
    width, height = picture.size
    inside = picture.crop((max(left, 0), max(top, 0), min(left + side, width),
                           min(top + side, height)))  # fmt: skip
    around = [(max(-top, 0), max(top + side - height, 0)),
              (max(-left, 0), max(left + side - width, 0))]  # fmt: skip
    if not np.any(around):
        return inside
    return Pillow.fromarray(np.pad(np.asarray(inside.convert("RGB")), [*around, (0, 0)], "edge"))


def _whole(square: Square, picture: Image) -> bool:
    """Whether the picture is that square, nearly."""
    width, height = picture.size
    left, top, side = square
    off = [left, top, left + side - width, top + side - height]
    return width == height and max(map(abs, off)) <= _SAME * width


def _told(square: Square, by: str) -> dict[str, Any]:
    return {"box": [round(each) for each in square], "by": by}
