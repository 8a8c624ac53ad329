"""Pictures from strangers: looked at before they are opened, and opened within bounds.

Kind and size are read from the first bytes. Only then are the pixels decoded, which a
picture cut short or broken does not survive; a small file that unfolds into a huge
picture (a decompression bomb) is refused by its header alone, and a JPEG that asks for
thousands of passes over its pixels by its markers.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import warnings

from semanticface.errors import BadInput

KINDS = ("PNG", "JPEG", "WEBP")
LEAST = 16
"""Pixels a side: no face can be read from fewer."""
_MOST_SCANS = 64
"""Passes of a progressive JPEG; encoders make ten or so, and each costs a whole picture's time."""
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_ALONE, _END, _SCAN = (0x01, 0xD8), 0xD9, 0xDA


def checked(picture: bytes, most_pixels: int) -> bytes:
    """The same bytes, if they are a whole picture of reasonable size."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(picture), formats=KINDS) as image:
            warnings.simplefilter("ignore")  # about sizes: bounded here
            _bounded(image.size, most_pixels)
            frames = int(getattr(image, "n_frames", 1))
            if frames > 1 and image.format != "MPO":  # a phone's, with a depth map behind it
                raise BadInput(f"a film of {frames} pictures", "one picture")
            if scans(picture) > _MOST_SCANS:
                raise BadInput("a JPEG of very many passes", f"{_MOST_SCANS} at most")
            image.load()
    except UnidentifiedImageError:
        raise BadInput(
            f"{len(picture)} bytes that are no picture", f"one of {', '.join(KINDS)}"
        ) from None
    except BadInput:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as fault:
        raise BadInput(f"a broken picture ({fault})", "a whole one") from None
    return picture


def scans(picture: bytes) -> int:
    """Passes over its pixels that a JPEG asks for; what follows its end does not count."""
    if not picture.startswith(b"\xff\xd8"):
        return 0
    at = count = 0
    while (found := _MARKER.search(picture, at)) and found[1][0] != _END and count <= _MOST_SCANS:
        at = found.end()
        count += found[1][0] == _SCAN
        if found[1][0] not in _ALONE:
            at += int.from_bytes(picture[at : at + 2], "big")
    return count


def _bounded(size: tuple[int, int], most_pixels: int) -> None:
    width, height = size
    if min(size) < LEAST:
        raise BadInput(f"{width} x {height} pixels", f"{LEAST} a side at least")
    if width * height > most_pixels:
        raise BadInput(
            f"{width} x {height} pixels",
            f"at most {most_pixels:,} in all",
            hint="Send it smaller: a model sees some hundred pixels a side.",
        )


def from_base64(text: str) -> bytes:
    """Bytes from base64 or from a data URL; never an address or a path."""
    if text.startswith("data:"):
        head, _, text = text.partition(",")
        if not head.endswith(";base64"):
            raise BadInput("a data URL of another kind", "data:image/png;base64,...")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("text that is no base64", "a picture's bytes in base64",
                       hint="Addresses and paths are not fetched.") from None  # fmt: skip
