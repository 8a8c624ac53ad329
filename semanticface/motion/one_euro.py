"""The One Euro filter: smooth while a face rests, quick when it moves, never looking ahead.

G. Casiez, N. Roussel, D. Vogel: 1 Euro Filter, CHI 2012. A first-order low-pass
whose cutoff rises with speed:

    speed_i  = low-pass at `speed_cutoff` of (x_i - y_(i-1)) / dt
    cutoff   = min_cutoff + beta * |speed_i|             [Hz]
    y_i      = a x_i + (1 - a) y_(i-1),  a = 1 / (1 + 1 / (2 pi cutoff dt))

with the real dt of every frame, so that a late frame is no fault. On a steady
ramp y runs 1 / (2 pi cutoff) seconds behind: `OneEuroSettings.delay` is the most
that can be.

This is the paper's algorithm. Its speed is taken from the last estimate and so
counts the estimate's own lag: at a higher frame rate the same settings follow more
quickly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput
from semanticface.motion.filters import describe
from semanticface.motion.regions import by_channel
from semanticface.rig import COUNT, FaceClip
from semanticface.rig.clip import Values

LONGEST_GAP = 0.25
"""Seconds without a value after which a channel starts anew."""


@dataclass(frozen=True)
class OneEuroSettings:
    """`min_cutoff` in Hz at rest, `beta` in Hz per unit a second, `speed_cutoff` in Hz.

    The unit is that of the channel: a weight, or a radian.
    """

    min_cutoff: float
    beta: float
    speed_cutoff: float = 1.0

    def __post_init__(self) -> None:
        numbers = (self.min_cutoff, self.beta, self.speed_cutoff)
        if not (np.isfinite(numbers).all() and min(numbers) >= 0 and self.min_cutoff > 0
                and self.speed_cutoff > 0):  # fmt: skip
            raise BadInput(f"{self}", "cutoffs above 0 Hz and a beta of 0 or more")

    def __str__(self) -> str:
        return f"{self.min_cutoff:g} Hz beta {self.beta:g}"

    @property
    def delay(self) -> float:
        """Seconds behind on a steady ramp at most: 1 / (2 pi min_cutoff)."""
        return 1 / (2 * np.pi * self.min_cutoff)


# A blink goes from open to shut in two or three frames, lips nearly as fast.
# Chosen on real 30 fps takes: peaks keep at least 95 % of their height.
ONE_EURO: Mapping[str, OneEuroSettings] = {
    "all": OneEuroSettings(2.0, 8.0, 2.0), "eye": OneEuroSettings(4.0, 12.0, 4.0),
    "mouth": OneEuroSettings(3.0, 12.0, 4.0), "jaw": OneEuroSettings(3.0, 12.0, 4.0),
    "tongue": OneEuroSettings(3.0, 12.0, 4.0),
}  # fmt: skip


class OneEuro:
    """Filters one frame after the other, as they come.

    A channel that is NaN comes out as NaN and starts anew afterwards, as does
    everything after a pause longer than `longest_gap` seconds.
    """

    def __init__(
        self, settings: Mapping[str, OneEuroSettings | None] | None = None, *,
        longest_gap: float = LONGEST_GAP,
    ) -> None:  # fmt: skip
        self.settings = by_channel(ONE_EURO, settings or {})
        self.longest_gap = longest_gap
        self._on = np.array([each is not None for each in self.settings])
        self._min_cutoff = self._each("min_cutoff")
        self._beta = self._each("beta")
        self._speed_cutoff = self._each("speed_cutoff")
        self.reset()

    def reset(self) -> None:
        """Forget everything that came."""
        self._time: float | None = None
        self._estimate = np.full(COUNT, np.nan)
        self._speed = np.zeros(COUNT)

    def step(self, t: float, values: ArrayLike) -> Values:
        """The filtered values [61] of a frame at `t` seconds; time must not run backwards."""
        raw = np.asarray(values, dtype=np.float64)
        if raw.shape != (COUNT,):
            raise BadInput(f"values of shape {raw.shape}", f"({COUNT},), one a channel")
        passed = self._passed(float(t))
        if passed > self.longest_gap:
            self._estimate[:] = np.nan
        new = np.isnan(self._estimate)
        self._speed[new] = 0.0
        before = np.where(new, raw, self._estimate)
        if passed > 0:
            self._follow(raw - before, before, passed)
        else:  # two frames at one moment: a filter in time has nothing to go by
            self._estimate = before
        self._estimate = np.where(np.isnan(raw), np.nan, self._estimate)
        self._time = float(t)
        return np.where(self._on, self._estimate, raw).astype(np.float32)

    def _follow(
        self, change: NDArray[np.float64], before: NDArray[np.float64], passed: float
    ) -> None:
        raw_speed = np.nan_to_num(change / passed)  # of a NaN channel: it starts anew anyway
        self._speed += _alpha(self._speed_cutoff, passed) * (raw_speed - self._speed)
        cutoff = self._min_cutoff + self._beta * np.abs(self._speed)
        self._estimate = before + _alpha(cutoff, passed) * change

    def _passed(self, t: float) -> float:
        if not np.isfinite(t):
            raise BadInput(f"the time {t}", "seconds")
        if self._time is None:
            return 0.0
        if t < self._time:
            raise BadInput(f"time {t:.6f} s after {self._time:.6f} s", "times that do not fall")
        return t - self._time

    def _each(self, name: str) -> NDArray[np.float64]:
        return np.array([1.0 if each is None else getattr(each, name) for each in self.settings])


def one_euro(
    clip: FaceClip, settings: Mapping[str, OneEuroSettings | None] | None = None, *,
    longest_gap: float = LONGEST_GAP,
) -> FaceClip:  # fmt: skip
    """The clip as `OneEuro` would have given it live, number for number.

    `settings` by region or channel go over the defaults `ONE_EURO`; None leaves
    those channels as they are.
    """
    stream = OneEuro(settings, longest_gap=longest_gap)
    rows = [stream.step(t, row) for t, row in zip(clip.times, clip.values, strict=True)]
    values = np.array(rows, np.float32).reshape(clip.values.shape)
    slowest = max((each.delay for each in stream.settings if each is not None), default=0.0)
    told = f"One Euro; {describe(stream.settings)}; up to {slowest * 1000:.0f} ms behind"
    return clip.with_values(values, told)


def _alpha(cutoff: NDArray[np.float64], dt: float) -> NDArray[np.float64]:
    return 1 / (1 + 1 / (2 * np.pi * cutoff * dt))
