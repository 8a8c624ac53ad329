"""Colour scales that look even: straight lines in OKLab (Ottosson 2020), as sRGB hex.

One rule on every map: the paler, the better. Text on a colour is black or white,
whichever stands out more.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS = 255
"""Colours of a scale: more cannot be told apart."""
SEVERE = ("#f7f8fa", "#f6c28b", "#c8553d", "#6b1d3a")
"""Light to dark over four anchors that lie about evenly in lightness."""
BELOW, ABOVE = ("#f7f8fa", "#8db7e8", "#22589c"), ("#f7f8fa", "#f3b27a", "#b04a1f")
"""Too low is blue and too high is orange: told apart by every kind of colour vision."""

_TO_CONE = np.array([
    [0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
])  # fmt: skip
_TO_LAB = np.array([
    [0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
])  # fmt: skip


@lru_cache(maxsize=4096)
def _blend(step: int, anchors: tuple[str, ...]) -> str:
    stops = np.array([_lab(_rgb(each)) for each in anchors])
    place = step / _STEPS * (len(stops) - 1)
    left = min(int(place), len(stops) - 2)
    return _hex(_srgb(stops[left] + (stops[left + 1] - stops[left]) * (place - left)))


def shade(share: float, anchors: tuple[str, ...] = SEVERE) -> str:
    """The colour at `share` 0 to 1 of the way along the anchors; beyond is cut."""
    return _blend(round(min(max(share, 0.0), 1.0) * _STEPS), anchors)


@lru_cache(maxsize=4096)
def ink_on(colour: str) -> str:
    """Black or white, by the higher contrast (WCAG 2): never below 4.58 to 1."""
    light = float(_linear(_rgb(colour)) @ (0.2126, 0.7152, 0.0722))
    return "#000000" if (light + 0.05) ** 2 > 1.05 * 0.05 else "#ffffff"


def rgb(colour: str) -> tuple[int, int, int]:
    """`#2f6fde` as three bytes."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue


def _rgb(colour: str) -> Floats:
    return np.array(rgb(colour)) / 255


def _hex(values: Floats) -> str:
    return "#" + "".join(f"{round(float(x) * 255):02x}" for x in np.clip(values, 0, 1))


def _linear(values: Floats) -> Floats:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _lab(values: Floats) -> Floats:
    return np.asarray(_TO_LAB @ np.cbrt(_TO_CONE @ _linear(values)))


def _srgb(lab: Floats) -> Floats:
    line = np.linalg.solve(_TO_CONE, np.linalg.solve(_TO_LAB, lab) ** 3)
    curved = 1.055 * np.maximum(line, 0) ** (1 / 2.4) - 0.055
    return np.where(line <= 0.0031308, 12.92 * line, curved)
