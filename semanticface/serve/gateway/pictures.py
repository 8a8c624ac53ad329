"""Pictures from strangers: looked at before they are opened, and opened within bounds.

Kind and size are read from the first bytes. Only then are the pixels decoded, which a
picture cut short or broken does not survive; a small file that unfolds into a huge
picture (a decompression bomb) is refused by its header alone.
"""

from __future__ import annotations

import base64
import binascii
import io
import warnings

from semanticface.errors import BadInput

KINDS = ("PNG", "JPEG", "WEBP")
LEAST = 16
"""Pixels a side: no face can be read from fewer."""


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
