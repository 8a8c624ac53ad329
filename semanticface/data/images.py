"""Where a picture is, and decoding it when it is wanted.

A record never holds a decoded picture. It holds an `ImageRef`: a file, a stretch of
bytes in a shard, a moment of a movie, or the encoded bytes themselves. `Pictures`
decodes one in the collator, upright and in sRGB order, within limits, and an unreadable
one is an error that names its record: nothing else is ever given in its place.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from semanticface.errors import BadInput, SemanticFaceError

if TYPE_CHECKING:
    from PIL.Image import Image

KINDS = ("path", "shard", "movie", "data")
FILES = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
"""Kinds of files that are decoded; others have no business in a data set of faces."""
OTHERS = (".gif", ".heic", ".heif", ".avif", ".jxl", ".jp2")
"""Names of pictures of other kinds: they are listed where pictures are looked for, not read."""
MAX_PIXELS = 50_000_000
MAX_BYTES = 64 * 2**20
_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_BEHIND = (255, 255, 255, 255)


class ImageRef(BaseModel):
    """A picture by place: exactly one of path, shard, movie and data."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str | None = Field(default=None, min_length=1)
    shard: str | None = Field(default=None, min_length=1)
    """A file that holds many encoded pictures; this one is `size` bytes from `offset`."""
    offset: int | None = Field(default=None, ge=0)
    size: int | None = Field(default=None, gt=0, le=MAX_BYTES)
    movie: str | None = Field(default=None, min_length=1)
    """A film; the picture is the frame shown at `time` seconds from its start."""
    time: float | None = Field(default=None, allow_inf_nan=False)
    data: bytes | None = Field(default=None, repr=False)
    """The encoded picture itself, as it comes out of a table."""
    turn: Literal[0, 90, 180, 270] = 0
    """Degrees to turn the decoded picture counter-clockwise, before anything else."""
    flip: bool = False
    """Whether left and right of the decoded picture are exchanged."""

    @model_validator(mode="after")
    def _one_place(self) -> ImageRef:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(KINDS)}; given: {given or 'none'}")
        needs = {"shard": ("offset", "size"), "movie": ("time",)}.get(given[0], ())
        for name in ("offset", "size", "time"):
            if (getattr(self, name) is not None) != (name in needs):
                raise ValueError(f"'{name}' belongs to a {'movie' if name == 'time' else 'shard'}")
        return self

    @property
    def kind(self) -> str:
        """path, shard, movie or data."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def place(self) -> str:
        """Where the picture is, for messages."""
        named = {
            "path": self.path,
            "shard": f"{self.shard} at byte {self.offset}",
            "movie": f"{self.movie} at {self.time} s",
            "data": "bytes in the record",
        }
        return str(named[self.kind])

    def under(self, folder: Path) -> ImageRef:
        """The same place with a relative path taken from `folder`."""
        if self.kind == "data":
            return self
        return self.model_copy(update={self.kind: str(folder / getattr(self, self.kind))})

    def relative_to(self, folder: Path) -> ImageRef:
        """The same place told from `folder` where it lies below it."""
        if self.kind == "data":
            return self
        place = Path(getattr(self, self.kind))
        inside = place.is_absolute() and place.is_relative_to(folder)
        told = place.relative_to(folder).as_posix() if inside else str(place)
        return self.model_copy(update={self.kind: told})

    def mirrored(self) -> ImageRef:
        """The same picture seen in a mirror."""
        return self.model_copy(update={"flip": not self.flip})


def image_of(held: object) -> ImageRef:
    """A reference from what a table holds: a path, bytes, a reference, or HF's {bytes, path}."""
    if isinstance(held, ImageRef):
        return held
    if isinstance(held, str):
        return ImageRef(path=held)
    if isinstance(held, bytes):
        return ImageRef(data=held)
    if not isinstance(held, Mapping):
        raise BadInput(f"a picture given as {type(held).__name__}", "a path, bytes or an object")
    given = {key: value for key, value in held.items() if value is not None}
    if "bytes" in given:  # as Hugging Face's Image feature stores it; its path is only a name
        return ImageRef(data=given["bytes"])
    return ImageRef.model_validate(given)


@dataclass(frozen=True)
class Limits:
    """What a picture may cost before it is refused unread."""

    pixels: int = MAX_PIXELS
    bytes: int = MAX_BYTES


class Pictures:
    """Decodes references; keeps the last movie open, for frames are asked for in order."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._movie: Any = None

    def decode(self, ref: ImageRef, record: str = "") -> Image:
        """An RGB picture, upright. `record` is named if it cannot be read."""
        try:
            return _oriented(self._frame(ref) if ref.kind == "movie" else self._still(ref), ref)
        except BadInput as fault:
            raise _named(fault, ref, record) from fault.__cause__

    def size(self, ref: ImageRef, record: str = "") -> tuple[int, int]:
        """Width and height of what `decode` gives; files are not decoded for it."""
        if ref.kind == "movie":
            return self.decode(ref, record).size
        try:
            width, height = _upright_size(self._opened(ref))
        except BadInput as fault:
            raise _named(fault, ref, record) from fault.__cause__
        return (height, width) if ref.turn in (90, 270) else (width, height)

    def __getstate__(self) -> dict[str, Any]:
        """Travel to a worker process without the open movie."""
        return {"limits": self.limits, "_movie": None}

    def _still(self, ref: ImageRef) -> Image:
        image = self._opened(ref)
        try:
            image.load()
            return _rgb(_exif_upright(image))
        except BadInput:
            raise
        except Exception as error:  # decoders of broken files raise whatever comes
            raise BadInput(f"a broken picture ({_short(error)})", "a whole one") from error

    def _opened(self, ref: ImageRef) -> Image:
        from PIL import Image, UnidentifiedImageError

        data = encoded(ref, self.limits)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                image = Image.open(io.BytesIO(data), formats=FILES)
        except Image.DecompressionBombError as error:
            raise self._too_large(str(error)) from error
        except UnidentifiedImageError as error:  # which would name our buffer by its address
            raise BadInput(f"no picture (it begins with {data[:8]!r})",
                           f"one of {', '.join(FILES)}") from error  # fmt: skip
        except Exception as error:
            raise BadInput(f"no picture ({_short(error)})", f"one of {', '.join(FILES)}") from error
        if image.width * image.height > self.limits.pixels:
            raise self._too_large(f"{image.width} x {image.height} pixels")
        return image

    def _too_large(self, found: str) -> BadInput:
        return BadInput(found, f"at most {self.limits.pixels:,} pixels",
                        hint="Raise Limits(pixels=...) if it is meant.")  # fmt: skip

    def _frame(self, ref: ImageRef) -> Image:
        from semanticface.data.movies import Movie

        if self._movie is None or self._movie.path != ref.movie:
            self._movie = Movie(str(ref.movie), self.limits.pixels)
        frame: Image = self._movie.at(ref.time)
        return frame


def encoded(ref: ImageRef, limits: Limits) -> bytes:
    """The encoded bytes of a still picture."""
    if ref.data is not None:
        data = ref.data
    else:
        try:
            with Path(str(ref.path or ref.shard)).open("rb") as stream:
                stream.seek(ref.offset or 0)
                data = stream.read(ref.size or limits.bytes + 1)
        except OSError as error:
            raise BadInput(error.strerror or "an unreadable file", "a picture") from error
    if len(data) > limits.bytes:
        raise BadInput("a larger file", f"at most {limits.bytes:,} bytes")
    if ref.size is not None and len(data) < ref.size:
        raise BadInput(f"{len(data)} bytes", f"{ref.size}: is the shard cut off?")
    return data


def _exif_upright(image: Image) -> Image:
    """Turned as the camera's orientation tag asks; most pictures have none."""
    from PIL import ImageOps

    return ImageOps.exif_transpose(image) or image


def _upright_size(image: Image) -> tuple[int, int]:
    try:
        sideways = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    except Exception as error:  # a broken tag
        raise BadInput(f"a broken picture ({_short(error)})", "a whole one") from error
    return (image.height, image.width) if sideways else image.size


def _rgb(image: Image) -> Image:
    """As RGB; see-through parts show white, and 16 bits a channel are refused, not clipped."""
    from PIL.Image import alpha_composite, new

    if image.mode in _DEEP:
        raise BadInput(f"{image.mode} pixels", "8 bits a channel", hint="Convert the file first.")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        return alpha_composite(new("RGBA", clear.size, _BEHIND), clear).convert("RGB")
    return image.convert("RGB")


def _oriented(image: Image, ref: ImageRef) -> Image:
    from PIL.Image import Transpose

    turns = {90: Transpose.ROTATE_90, 180: Transpose.ROTATE_180, 270: Transpose.ROTATE_270}
    turned = image.transpose(turns[ref.turn]) if ref.turn else image
    return turned.transpose(Transpose.FLIP_LEFT_RIGHT) if ref.flip else turned


def _named(fault: BadInput, ref: ImageRef, record: str) -> SemanticFaceError:
    where = f"record {record}, picture {ref.place}" if record else ref.place
    return fault.at(file=where)


def _short(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= 120 else text[:117] + "..."
