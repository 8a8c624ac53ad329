"""Sheets of pictures: contact sheets with labels, pairs side by side, differences.

Pictures are uint8 [H, W, 3]; so is a sheet. Labels are set in Pillow's own font.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from semanticface.errors import BadInput
from semanticface.render.picture import Picture

_PAPER, _INK = (250, 250, 248), (40, 42, 46)
_GAP = 4


def contact_sheet(
    pictures: Sequence[Picture], labels: Sequence[str] = (), *, columns: int = 8, title: str = ""
) -> Picture:
    """Pictures of one size in rows, each with its label below."""
    if not pictures:
        raise BadInput("no pictures", "at least one for a sheet")
    if labels and len(labels) != len(pictures):
        raise BadInput(f"{len(labels)} labels", f"{len(pictures)}, one a picture")
    height, width = _one_size(pictures)
    columns = min(columns, len(pictures))
    text = _text_height(width) if labels else 0
    head = _text_height(width) + 8 if title else 0
    rows = ceil(len(pictures) / columns)
    paper = Image.new("RGB", (columns * (width + _GAP) + _GAP,
                              head + rows * (height + text + _GAP) + _GAP), _PAPER)  # fmt: skip
    draw = ImageDraw.Draw(paper)
    if title:
        draw.text((_GAP + 2, 4), title, _INK, ImageFont.load_default(_font_size(width) + 2))
    for i, picture in enumerate(pictures):
        x = _GAP + (i % columns) * (width + _GAP)
        y = head + _GAP + (i // columns) * (height + text + _GAP)
        paper.paste(Image.fromarray(picture), (x, y))
        if labels:
            _write(draw, labels[i], x, y + height, width)
    return np.asarray(paper)


def side_by_side(pictures: Sequence[Picture], labels: Sequence[str] = ()) -> Picture:
    """Pictures of one size in one row."""
    return contact_sheet(pictures, labels, columns=len(pictures))


def difference_sheet(
    one: Picture, other: Picture, labels: tuple[str, str] = ("one", "other"), *, gain: float = 4.0
) -> Picture:
    """Two pictures and where they differ, `gain` times as strong on black."""
    return side_by_side(
        [one, other, difference(one, other, gain)], [*labels, f"difference x {gain:g}"]
    )


def difference(one: Picture, other: Picture, gain: float = 1.0) -> Picture:
    """Absolute difference of two pictures, times `gain`."""
    _one_size([one, other])
    apart = np.abs(one.astype(np.int16) - other.astype(np.int16))
    return np.asarray(np.clip(apart * gain, 0, 255), np.uint8)


def _one_size(pictures: Sequence[NDArray[np.uint8]]) -> tuple[int, int]:
    sizes = {picture.shape for picture in pictures}
    if len(sizes) != 1:
        raise BadInput(f"pictures of sizes {sorted(sizes)}", "one size")
    height, width, channels = sizes.pop()
    if channels != 3:
        raise BadInput(f"pictures with {channels} channels", "3")
    return height, width


def _font_size(width: int) -> int:
    return int(min(max(width // 11, 9), 22))


def _text_height(width: int) -> int:
    return _font_size(width) + 7


def _write(draw: ImageDraw.ImageDraw, text: str, x: int, y: int, width: int) -> None:
    """A label in the middle below its picture, smaller where it is too long."""
    size = _font_size(width)
    font = ImageFont.load_default(size)
    while size > 6 and draw.textlength(text, font=font) > width:
        size -= 1
        font = ImageFont.load_default(size)
    draw.text((x + (width - draw.textlength(text, font=font)) / 2, y + 2), text, _INK, font)
