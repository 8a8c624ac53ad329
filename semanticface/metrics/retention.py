"""What smoothing leaves of the peaks: blinks, syllables, raised brows."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.motion.stretches import stretches
from semanticface.rig import COUNT, FaceClip

RISE = 0.2
"""How far above its surroundings a peak must stand, in weights."""
NEAR = 0.1
"""Seconds to either side within which a moved peak is still the same."""


class Retention(NamedTuple):
    """How much of the peaks is left, [61] each."""

    kept: NDArray[np.float64]
    """Mean over the peaks of the rise afterwards / the rise before; NaN without a peak."""
    peaks: NDArray[np.int64]
    """How many peaks there were."""


def peak_retention(before: FaceClip, after: FaceClip, rise: float = RISE) -> Retention:
    """How high the peaks of `before` still are in `after`, two clips of the same times.

    A peak stands at least `rise` above the higher of the two valleys around it
    (its prominence). Its rise afterwards is the highest value within 0.1 s, less
    that same valley; 1 is untouched, 0 is gone. This project's own measure.
    """
    total, count = np.zeros(COUNT), np.zeros(COUNT, np.int64)
    reach = max(round(NEAR / before.step), 1) if len(before) > 1 and before.step > 0 else 1
    for stretch in stretches(before):
        for channel in stretch.channels.tolist():
            one = before.values[stretch.frames, channel].astype(np.float64)
            other = after.values[stretch.frames, channel].astype(np.float64)
            shares = _shares(one, other, rise, reach)
            total[channel] += shares.sum()
            count[channel] += len(shares)
    return Retention(np.where(count > 0, total / np.maximum(count, 1), np.nan), count)


def _shares(
    one: NDArray[np.float64], other: NDArray[np.float64], rise: float, reach: int
) -> NDArray[np.float64]:
    """Of each peak of `one`, the share of its rise that `other` still has near it."""
    tops, found = import_module("scipy.signal").find_peaks(one, prominence=rise)
    left = [
        (other[max(top - reach, 0) : top + reach + 1].max() - one[top] + height) / height
        for top, height in zip(tops, found["prominences"], strict=True)
    ]
    return np.array(left, dtype=np.float64)
