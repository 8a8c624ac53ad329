"""What stands behind the head: linear light [H, W, 3]."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, did_you_mean
from semanticface.render.look import linear

Floats = NDArray[np.float32]

BACKGROUNDS = ("plain", "gradient", "noise")


def background_of(name: str, width: int, height: int, seed: int = 0) -> Floats:
    """`plain` grey, a `gradient` brighter behind the head, coloured `noise`, or `#rrggbb`."""
    if re.fullmatch(r"#[0-9a-fA-F]{6}", name):
        channels = [int(name[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        return _plain(width, height, *channels)
    if name == "plain":
        return _plain(width, height, 0.50, 0.51, 0.52)
    if name == "gradient":
        return _gradient(width, height)
    if name == "noise":
        return _noise(width, height, seed)
    raise BadInput(f"the background '{name}'", f"one of {', '.join(BACKGROUNDS)} or #rrggbb",
                   hint=did_you_mean(name, BACKGROUNDS))  # fmt: skip


def _plain(width: int, height: int, red: float, green: float, blue: float) -> Floats:
    return np.tile(np.array(linear(red, green, blue), np.float32), (height, width, 1))


@lru_cache(maxsize=4)
def _gradient(width: int, height: int) -> Floats:
    y, x = np.mgrid[0:height, 0:width] + 0.5
    away = np.hypot((x / width - 0.5) * 1.1, (y / height - 0.42) * 0.9)
    glow = np.clip(1 - 1.35 * away, 0, 1) ** 1.3
    low, high = np.array(linear(0.25, 0.27, 0.30)), np.array(linear(0.60, 0.62, 0.64))
    return np.asarray(low + glow[..., None] * (high - low), np.float32)


def _noise(width: int, height: int, seed: int) -> Floats:
    """A blurred, coloured pattern: no two pixels of the face are told by their surroundings."""
    rng = np.random.default_rng([seed, 3])
    coarse = rng.uniform(0.05, 0.60, (5, 5, 3))
    fine = rng.uniform(-0.10, 0.10, (17, 17, 3))
    picture = _stretched(coarse, width, height) + _stretched(fine, width, height)
    return np.asarray(np.clip(picture, 0.01, 0.9), np.float32)


def _stretched(grid: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    rows = _weights(height, len(grid))
    columns = _weights(width, grid.shape[1])
    return np.asarray(np.einsum("ia,jb,abc->ijc", rows, columns, grid))


def _weights(count: int, knots: int) -> NDArray[np.float64]:
    """[count, knots] smooth interpolation between evenly spaced knots."""
    place = (np.arange(count) + 0.5) / count * (knots - 1)
    distance = np.abs(place[:, None] - np.arange(knots))
    t = np.clip(1 - distance, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
