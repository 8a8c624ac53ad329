"""Smoothing a whole clip: Savitzky-Golay and a zero-phase Butterworth low-pass.

Both look ahead, so nothing moves in time; for a live stream see `one_euro`.
Both need even steps. A stretch with a missing frame or an irregular clock is
taken to even steps, filtered, and taken back to its own times; the conventions
count how often. A stretch too short for the filter passes as it is and is
counted too. NaN stays NaN: each unbroken stretch is filtered for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.motion.regions import by_channel
from semanticface.motion.resample import straight_lines
from semanticface.motion.stretches import Stretch, even_grid, is_even, stretches
from semanticface.rig import CHANNELS, FaceClip
from semanticface.rig.clip import Times

Table: TypeAlias = NDArray[np.float64]
Setting = TypeVar("Setting")
Kernel: TypeAlias = Callable[[Table, float, Setting, "Counts"], Table]
"""(values [frames, channels] at even steps, rate, setting, counts) -> filtered values."""
Uneven = Literal["resample", "refuse"]


@dataclass(frozen=True)
class Savgol:
    """A polynomial of `order` fitted to each `window` (Savitzky and Golay, 1964)."""

    window: float
    order: int = 2
    unit: Literal["seconds", "frames"] = "seconds"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.window) and self.window > 0 and self.order >= 0):
            raise BadInput(f"{self}", "a window above 0 and an order of 0 or more")
        if self.unit == "frames" and self.window % 2 != 1:
            raise BadInput(f"a window of {self.window:g} frames", "an odd number of frames")

    def __str__(self) -> str:
        return f"{self.window:g} {'s' if self.unit == 'seconds' else 'frames'} order {self.order}"

    def frames(self, rate: float) -> int:
        """The window in frames: the odd number nearest to it, at least one."""
        length = self.window if self.unit == "frames" else self.window * rate
        return 2 * max(round((length - 1) / 2), 0) + 1


@dataclass(frozen=True)
class Lowpass:
    """A Butterworth low-pass run forwards and backwards.

    `cutoff` in Hz is where one pass leaves 0.71 of a wave; the two leave half.
    """

    cutoff: float
    order: int = 2

    def __post_init__(self) -> None:
        if not (np.isfinite(self.cutoff) and self.cutoff > 0 and self.order >= 1):
            raise BadInput(f"{self}", "a cutoff above 0 Hz and an order of 1 or more")

    def __str__(self) -> str:
        return f"{self.cutoff:g} Hz order {self.order}"


# Blinks last 0.2 s and lips close within 0.1 s, so eyes and mouth are smoothed less.
# Chosen on real 30 fps takes: peaks keep at least 95 % of their height.
SAVGOL: Mapping[str, Savgol] = {
    "all": Savgol(0.30), "head": Savgol(0.30),
    "eye": Savgol(0.16, 3), "mouth": Savgol(0.16), "jaw": Savgol(0.16), "tongue": Savgol(0.16),
}  # fmt: skip
LOWPASS: Mapping[str, Lowpass] = {
    "all": Lowpass(6.0), "eye": Lowpass(12.0), "mouth": Lowpass(10.0), "jaw": Lowpass(10.0),
    "tongue": Lowpass(10.0),
}  # fmt: skip


def savgol(
    clip: FaceClip, settings: Mapping[str, Savgol | None] | None = None, *,
    uneven: Uneven = "resample", longest_gap: float | None = None,
) -> FaceClip:  # fmt: skip
    """Savitzky-Golay over every unbroken stretch; ends are fitted, not padded.

    `settings` by region or channel go over the defaults `SAVGOL`; None leaves
    those channels as they are.
    """
    chosen = by_channel({**SAVGOL, **(settings or {})})
    return _filtered(clip, "Savitzky-Golay", chosen, _savgol, uneven, longest_gap)


def zero_phase(
    clip: FaceClip, settings: Mapping[str, Lowpass | None] | None = None, *,
    uneven: Uneven = "resample", longest_gap: float | None = None,
) -> FaceClip:  # fmt: skip
    """A Butterworth low-pass forwards and backwards, so that nothing is delayed.

    `settings` as for `savgol`, over the defaults `LOWPASS`. A cutoff that the
    clip's rate cannot hold anyway leaves the channel as it is.
    """
    chosen = by_channel({**LOWPASS, **(settings or {})})
    return _filtered(clip, "zero-phase low-pass", chosen, _lowpass, uneven, longest_gap)


class Held(NamedTuple):
    """Filtered values kept within what the channels and their source reach."""

    values: Table
    moved: int


def held(after: Table, before: NDArray[np.floating]) -> Held:
    """Overshoot cut off: no value beyond its channel's range unless the source went there."""
    with np.errstate(invalid="ignore"):
        low = np.fmin(np.fmin.reduce(before, axis=0, initial=np.inf), _LOW)
        high = np.fmax(np.fmax.reduce(before, axis=0, initial=-np.inf), _HIGH)
    kept = np.clip(after, low, high)
    return Held(kept, int(np.count_nonzero(kept != after) - np.isnan(after).sum()))


@dataclass
class Counts:
    """What a filter left alone or had to bend, counted."""

    short: int = 0
    short_frames: int = 0
    evened: int = 0
    beyond_rate: int = 0

    def told(self) -> Iterator[str]:
        """Each count that is not zero, in words."""
        if self.short:
            yield f"{self.short} stretches of {self.short_frames} frames left alone: too short"
        if self.evened:
            yield f"{self.evened} uneven stretches filtered on even steps and taken back"
        if self.beyond_rate:
            yield f"{self.beyond_rate} stretches left alone: the cutoff is beyond their rate"


_LOW = np.array([channel.low for channel in CHANNELS])
_HIGH = np.array([channel.high for channel in CHANNELS])


def _filtered(
    clip: FaceClip, name: str, chosen: tuple[Setting | None, ...], kernel: Kernel[Setting],
    uneven: Uneven, longest_gap: float | None,
) -> FaceClip:  # fmt: skip
    """The clip with `kernel` run over every unbroken stretch of every set channel."""
    values, counts = clip.values.astype(np.float64), Counts()
    for stretch in stretches(clip, longest_gap):
        times = clip.times[stretch.frames]
        _check_even(times, stretch, uneven)
        for setting, channels in _groups(chosen, stretch):
            place = np.ix_(range(stretch.start, stretch.stop), channels)
            values[place] = _on_even_steps(times, values[place], setting, kernel, counts)
    kept = held(values, clip.values)
    moved = [f"{kept.moved} values held within their range"] if kept.moved else []
    return clip.with_values(
        kept.values, "; ".join([name, describe(chosen), *counts.told(), *moved])
    )


def describe(chosen: tuple[Setting | None, ...]) -> str:
    """The settings with the channels they were used on, in a few words."""
    users: dict[str, list[str]] = {}
    for channel, setting in zip(CHANNELS, chosen, strict=True):
        text = "off" if setting is None else str(setting)
        users.setdefault(text, []).append(channel.region)
    return ", ".join(
        f"{'/'.join(dict.fromkeys(regions))} {text}" for text, regions in users.items()
    )


def _groups(
    chosen: tuple[Setting | None, ...], stretch: Stretch
) -> Iterator[tuple[Setting, list[int]]]:
    """The stretch's channels by their setting; those that are off are left out."""
    groups: dict[Setting, list[int]] = {}
    for index in stretch.channels.tolist():
        setting = chosen[index]
        if setting is not None:
            groups.setdefault(setting, []).append(index)
    yield from groups.items()


def _check_even(times: Times, stretch: Stretch, uneven: Uneven) -> None:
    if uneven == "refuse" and not is_even(times):
        raise BadInput(
            f"uneven steps of {np.diff(times).min():.4f} to {np.diff(times).max():.4f} s",
            "even steps",
            row=stretch.start,
            hint="Resample the clip first, or leave `uneven` at 'resample'.",
        )


def _on_even_steps(
    times: Times, values: Table, setting: Setting, kernel: Kernel[Setting], counts: Counts
) -> Table:
    own, first = np.unique(times, return_index=True)
    if len(own) < 2:
        counts.short += 1
        counts.short_frames += len(times)
        return values
    step = float(np.median(np.diff(own)))
    if is_even(times):
        return kernel(values, 1 / step, setting, counts)
    grid = even_grid(own, step)
    counts.evened += 1
    evened = straight_lines(own, values[first], grid)
    rate = (len(grid) - 1) / float(grid[-1] - grid[0])
    return straight_lines(grid, kernel(evened, rate, setting, counts), times)


def _savgol(values: Table, rate: float, setting: Savgol, counts: Counts) -> Table:
    window = setting.frames(rate)
    if window <= setting.order + 1:  # a polynomial through every point changes nothing
        counts.beyond_rate += 1
        return values
    if len(values) < window:
        counts.short += 1
        counts.short_frames += len(values)
        return values
    run = import_module("scipy.signal").savgol_filter
    return np.asarray(run(values, window, setting.order, axis=0), np.float64)


def _lowpass(values: Table, rate: float, setting: Lowpass, counts: Counts) -> Table:
    if setting.cutoff >= 0.49 * rate:
        counts.beyond_rate += 1
        return values
    signal = import_module("scipy.signal")
    sections = signal.butter(setting.order, setting.cutoff, fs=rate, output="sos")
    pad = 3 * (2 * len(sections) + 1)  # SciPy's own choice, at least as long as the ringing
    if len(values) <= pad:
        counts.short += 1
        counts.short_frames += len(values)
        return values
    return np.asarray(signal.sosfiltfilt(sections, values, axis=0, padlen=pad), np.float64)
