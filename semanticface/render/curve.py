"""From linear light to sRGB bytes, and back for what must keep its colour."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

STEPS, _TOP = 4096, 1.6  # the response curve, and the light it ends at
_KNEE = 0.70
PER_LIGHT = np.float32(STEPS / _TOP)


@cache
def response_curve() -> Bytes:
    """[4096] from linear light 0..1.6 to sRGB bytes, with a soft shoulder above 0.7."""
    light = (np.arange(STEPS) + 0.5) / STEPS * _TOP
    far = np.clip((light - _KNEE) / (_TOP - _KNEE), 0, 1)
    soft = np.where(light > _KNEE, _KNEE + (1 - _KNEE) * (1 - (1 - far) ** 3), light)
    coded = np.where(soft <= 0.0031308, 12.92 * soft, 1.055 * soft ** (1 / 2.4) - 0.055)
    coded[0] = 0  # no light is black
    return np.asarray(np.clip(np.rint(coded * 255), 0, 255), np.uint8)


def before_shoulder(light: Floats) -> Floats:
    """The light that the curve shows as `light` (0..1): so that a background keeps its colour."""
    far = np.clip((light - _KNEE) / (1 - _KNEE), 0, 1)
    bent = _KNEE + (_TOP - _KNEE) * (1 - np.cbrt(1 - far))
    return np.asarray(np.where(light > _KNEE, bent, light), np.float32)


def shown(light: Floats) -> Bytes:
    """Linear light as sRGB bytes, as the renderer's last step shows it."""
    place = (light * PER_LIGHT).astype(np.int32).clip(0, STEPS - 1)
    return np.asarray(response_curve()[place], np.uint8)
