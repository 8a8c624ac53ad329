"""Small pictures as files in memory."""

from __future__ import annotations

import io

import numpy as np


def png(seed: int = 0, size: tuple[int, int] = (112, 112), kind: str = "PNG") -> bytes:
    """Noise; each seed another picture."""
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()
