"""More from the same pictures: another side, another light, a worse camera.

`mirrored` turns a whole record around: picture, numbers and words together. `Pixels`
changes the pixels alone and leaves the numbers true: the shift, the crop, colours, blur,
noise and covered parts do not move a muscle. Everything follows from a seed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.records import Record, Words, in_table_order
from semanticface.errors import BadInput
from semanticface.language.consistency import check
from semanticface.language.describe import describe
from semanticface.rig import mirror

if TYPE_CHECKING:
    from PIL.Image import Image

Seed = int | Sequence[int]
_SIDES = {"left": "right", "right": "left", "左": "右", "右": "左"}
_SIDE = re.compile(r"\b(?:left|right)(?=\b|-|ward)|[左右]", re.IGNORECASE)


class Mirrored(NamedTuple):
    """A record turned around, and how its words came to be."""

    record: Record
    words: str
    """`none`, `exchanged` (left and right swapped in the text) or `described anew`."""


def mirrored(record: Record, *, seed: int = 0, language: str = "en") -> Mirrored:
    """The record as a mirror shows it.

    Left and right are exchanged in its words; where these then do not hold against
    the mirrored numbers, or the rules wrote them, the numbers are described anew.
    """
    values = mirror(record.values)
    words, how = _mirrored_words(record.words, values, seed, language)
    changed = {
        "id": _mirrored_id(record.id), "image": record.image.mirrored(),
        "targets": in_table_order(values), "words": words,
    }  # fmt: skip
    return Mirrored(record.model_copy(update=changed), how)


def _mirrored_id(name: str) -> str:
    return name.removesuffix("|mirrored") if name.endswith("|mirrored") else f"{name}|mirrored"


def _mirrored_words(
    words: Words | None, values: NDArray[np.float32], seed: int, language: str
) -> tuple[Words | None, str]:
    if words is None:
        return None, "none"
    if words.by != "rules":
        turned = words.model_copy(
            update={
                name: exchanged_sides(text)
                for name, text in words.description.as_analysis().items()
            }
        )
        if check(turned.description, values, language=language).holds:
            return turned, "exchanged"
    return Words.of(describe(values, seed=seed, language=language)), "described anew"


def exchanged_sides(text: str) -> str:
    """The text with left and right in each other's place, in English and Chinese."""

    def other(found: re.Match[str]) -> str:
        word = _SIDES[found[0].lower()]
        return word.capitalize() if found[0][0].isupper() else word

    return _SIDE.sub(other, text)


@dataclass(frozen=True)
class Pixels:
    """How far pixels may change; 0 everywhere is no change at all."""

    crop: float = 0.08
    """Most of each side's length that is cut off."""
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    tint: float = 0.06
    """Most by which a colour channel is weakened or strengthened, as a factor beside 1."""
    blur: float = 1.0
    """Largest radius in pixels for a picture of 224; a share of frames stays sharp."""
    noise: float = 0.02
    """Largest standard deviation, of full scale."""
    occlusion: float = 0.06
    """Largest share of the picture that one covering patch may take."""
    chance: float = 0.5
    """How often each of blur, noise and a patch happens."""

    def __post_init__(self) -> None:
        tops = {"crop": 0.4, "brightness": 0.9, "contrast": 0.9, "saturation": 1.0, "tint": 0.5,
                "blur": 20.0, "noise": 0.5, "occlusion": 0.5, "chance": 1.0}  # fmt: skip
        for name, top in tops.items():
            value = getattr(self, name)
            if not 0 <= value <= top:
                raise BadInput(f"{name}={value}", f"a number from 0 to {top}")

    def apply(self, image: Image, seed: Seed) -> Image:
        """A changed copy of the same size; the same seed changes it the same way."""
        rng = np.random.default_rng(seed)
        # Every number is drawn whatever happens, so that one setting does not shift the rest.
        place, colour, fuzz = rng.random(4), rng.uniform(-1, 1, 6), rng.random(10)
        changed = _cropped(image, self.crop, place)
        changed = self._coloured(changed, colour)
        if fuzz[0] < self.chance and self.blur > 0:
            changed = _blurred(changed, float(self.blur * fuzz[1]))
        if fuzz[2] < self.chance and self.noise > 0:
            changed = _noisy(changed, self.noise * fuzz[3], rng)
        if fuzz[4] < self.chance and self.occlusion > 0:
            changed = _covered(changed, self.occlusion, fuzz[5:])
        return changed

    def _coloured(self, image: Image, draw: NDArray[np.float64]) -> Image:
        from PIL.Image import fromarray

        pixels = np.asarray(image, np.float32) / 255
        pixels *= (1 + self.tint * draw[3:]).astype(np.float32)
        pixels *= np.float32(1 + self.brightness * draw[0])
        middle = np.float32(pixels.mean())
        pixels = middle + (pixels - middle) * np.float32(1 + self.contrast * draw[1])
        grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
        pixels = grey[..., None] + (pixels - grey[..., None]) * np.float32(
            1 + self.saturation * draw[2]
        )
        return fromarray(_bytes(pixels))


def _cropped(image: Image, most: float, place: NDArray[np.float64]) -> Image:
    """A part of the picture, at its full size again; each side loses its own share."""
    from PIL.Image import Resampling

    if most == 0:
        return image
    left, right, top, bottom = most * place
    box = (left * image.width, top * image.height,
           (1 - right) * image.width, (1 - bottom) * image.height)  # fmt: skip
    return image.resize(image.size, Resampling.BILINEAR, box=box)


def _blurred(image: Image, radius: float) -> Image:
    from PIL import ImageFilter

    return image.filter(ImageFilter.GaussianBlur(radius * min(image.size) / 224))


def _noisy(image: Image, spread: float, rng: np.random.Generator) -> Image:
    from PIL.Image import fromarray

    pixels = np.asarray(image, np.float32) / 255
    return fromarray(
        _bytes(pixels + np.float32(spread) * rng.standard_normal(pixels.shape, np.float32))
    )


def _covered(image: Image, most: float, draw: NDArray[np.float64]) -> Image:
    """One patch of plain colour: a hand, hair, a microphone."""
    from PIL import ImageDraw

    share, shape = most * draw[0], 0.5 + draw[1]
    width = min(1.0, (share * shape) ** 0.5) * image.width
    height = min(1.0, (share / shape) ** 0.5) * image.height
    x, y = draw[2] * (image.width - width), draw[3] * (image.height - height)
    tone = int(255 * draw[4])
    covered = image.copy()
    ImageDraw.Draw(covered).ellipse(
        (x, y, x + width, y + height), fill=(tone, tone * 3 // 4, tone * 5 // 8)
    )
    return covered


def _bytes(pixels: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(pixels * 255), 0, 255), np.uint8)
