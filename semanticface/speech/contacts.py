"""What must touch does touch: lips at p, b, m, and the lower lip the teeth at f, v.

Blending pulls a short closure open between two open vowels. People notice that first, so
after blending every contact is made in at least one frame, whatever stands around it: the
lips meet whatever the jaw does (Lofqvist and Gracco 1997). The way in and out is a cosine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semanticface.metrics.events import CLOSE_SHARE
from semanticface.rig import INDEX

Array = NDArray[np.float64]
Span = tuple[float, float]
WAY = 0.06
"""Seconds from open lips to closed ones."""
_HOLD = (0.1, 0.2)
"""Shares of a contact's time at its start and end in which it may still be on its way."""
LIPS_JAW, TEETH_JAW = 0.14, 0.12
"""How far the jaw may be open in a contact."""
_TIGHT = 0.01


def _at(*names: str) -> list[int]:
    whole = [(n,) if n in INDEX else (f"{n}Left", f"{n}Right") for n in names]
    return [INDEX[name] for group in whole for name in group]


_JAW, _CLOSE = INDEX["jawOpen"], INDEX["mouthClose"]
_PARTING = _at("mouthLowerDown", "mouthUpperUp")
_LIPS = {"mouthPress": 0.18, "mouthRollLower": 0.12, "mouthRollUpper": 0.08}
_TEETH = {"mouthRollLower": 0.44, "mouthUpperUp": 0.24}
_AGAINST_TEETH = _at("mouthLowerDown", "mouthPress", "mouthRollUpper", "mouthClose")


def make_contacts(values: Array, times: Array, lips: Sequence[Span], teeth: Sequence[Span]) -> None:
    """Bring the contacts into values [T, 61], in place."""
    near = closeness(times, teeth)
    shut = closeness(times, lips)
    # A v right after a p: the way out of the p may not take the only frame of the v.
    shut = np.where((near >= 1) & (shut < 1), 0.0, shut)
    _touch_teeth(values, np.minimum(near, 1 - shut))
    _meet(values, shut)


def closeness(times: Array, spans: Sequence[Span]) -> Array:
    """[T] 0 to 1: how far each contact is made; 1 in at least one frame of each."""
    level = np.zeros(len(times))
    if not len(times):
        return level
    for start, end in spans:
        length = end - start
        low, high = start + _HOLD[0] * length, end - _HOLD[1] * length
        nearest = float(times[_nearest(times, (low + high) / 2)])
        low, high = min(low, nearest), max(high, nearest)
        first, last = np.searchsorted(times, (low - WAY, high + WAY))
        away = np.maximum(low - times[first:last], times[first:last] - high)
        here = 0.5 + 0.5 * np.cos(np.pi * np.clip(away / WAY, 0, 1))
        np.maximum(level[first:last], here, out=level[first:last])
    return level


def _nearest(times: Array, moment: float) -> int:
    """The frame next to a moment."""
    after = min(int(np.searchsorted(times, moment)), len(times) - 1)
    before = max(after - 1, 0)
    return before if moment - times[before] <= times[after] - moment else after


def _meet(values: Array, level: Array) -> None:
    open_share = 1 - level
    jaw = values[:, _JAW]
    jaw -= level * np.maximum(jaw - LIPS_JAW, 0)
    values[:, _PARTING] *= open_share[:, None]
    values[:, INDEX["tongueOut"]] *= open_share
    values[:, INDEX["mouthFunnel"]] *= 1 - 0.7 * level
    _raise(values, _LIPS, level)
    gap = jaw - CLOSE_SHARE * values[:, _CLOSE]
    wanted = np.minimum(gap, open_share * np.maximum(gap, 0) - level * _TIGHT)
    values[:, _CLOSE] = np.clip((jaw - wanted) / CLOSE_SHARE, 0, 1)


def _touch_teeth(values: Array, level: Array) -> None:
    values[:, _JAW] -= level * np.maximum(values[:, _JAW] - TEETH_JAW, 0)
    values[:, _AGAINST_TEETH] *= (1 - level)[:, None]
    values[:, _at("mouthFunnel", "mouthPucker")] *= (1 - 0.6 * level)[:, None]
    values[:, INDEX["tongueOut"]] *= 1 - level
    _raise(values, _TEETH, level)


def _raise(values: Array, least: dict[str, float], level: Array) -> None:
    for base, amount in least.items():
        for column in _at(base):
            np.maximum(values[:, column], amount * level, out=values[:, column])
