"""Smoothing a whole clip: Savitzky-Golay and a zero-phase Butterworth low-pass.

Both look ahead, so nothing moves in time; for a live stream see `one_euro`.
Both need even steps. A stretch with a missing frame or an irregular clock is
taken to even steps, filtered, and taken back to its own times; the conventions
count how often. A stretch too short for the filter passes as it is and is
counted too. NaN stays NaN: each unbroken stretch is filtered for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.motion.regions import by_channel
from semanticface.motion.resample import straight_lines
from semanticface.motion.stretches import Stretch, even_grid, is_even, stretches
from semanticface.rig import CHANNELS, NAMES, REGIONS, FaceClip, region_indices
from semanticface.rig.clip import Times

Table: TypeAlias = NDArray[np.float64]
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

    def needs(self, rate: float) -> int:
        """Frames that a stretch must have; 0 where the window changes nothing at this rate."""
        window = self.frames(rate)
        return 0 if window <= self.order + 1 else window

    def run(self, values: Table, rate: float) -> Table:
        """`values` [frames, channels] at even steps, filtered."""
        fit = import_module("scipy.signal").savgol_filter
        return np.asarray(fit(values, self.frames(rate), self.order, axis=0), np.float64)


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

    def needs(self, rate: float) -> int:
        """Frames that a stretch must have; 0 where the rate holds nothing above the cutoff."""
        return 0 if self.cutoff >= 0.49 * rate else self._padding + 1

    def run(self, values: Table, rate: float) -> Table:
        """`values` [frames, channels] at even steps, filtered."""
        signal = import_module("scipy.signal")
        sections = signal.butter(self.order, self.cutoff, fs=rate, output="sos")
        both_ways = signal.sosfiltfilt(sections, values, axis=0, padlen=self._padding)
        return np.asarray(both_ways, np.float64)

    @property
    def _padding(self) -> int:
        """Frames mirrored beyond each end; SciPy's own choice for this many sections."""
        return 3 * (2 * ((self.order + 1) // 2) + 1)


Filter: TypeAlias = Savgol | Lowpass

# Blinks last 0.2 s and lips close within 0.1 s, so eyes and mouth are smoothed less.
# Chosen on real 30 fps takes: peaks keep at least 95 % of their height.
SAVGOL: Mapping[str, Savgol] = {
    "all": Savgol(0.22), "eye": Savgol(0.22, 4), "mouth": Savgol(0.22, 4), "jaw": Savgol(0.22, 4),
    "tongue": Savgol(0.22, 4),
}  # fmt: skip
LOWPASS: Mapping[str, Lowpass] = {
    "all": Lowpass(6.0), "eye": Lowpass(10.0), "mouth": Lowpass(10.0), "jaw": Lowpass(10.0),
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
    chosen = by_channel(SAVGOL, settings or {})
    return _filtered(clip, "Savitzky-Golay", chosen, uneven, longest_gap)


def zero_phase(
    clip: FaceClip, settings: Mapping[str, Lowpass | None] | None = None, *,
    uneven: Uneven = "resample", longest_gap: float | None = None,
) -> FaceClip:  # fmt: skip
    """A Butterworth low-pass forwards and backwards, so that nothing is delayed.

    `settings` as for `savgol`, over the defaults `LOWPASS`. A cutoff that the
    clip's rate cannot hold anyway leaves the channel as it is.
    """
    chosen = by_channel(LOWPASS, settings or {})
    return _filtered(clip, "zero-phase low-pass", chosen, uneven, longest_gap)


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


class Counts:
    """What a filter left alone or had to bend: stretches by what happened to them."""

    def __init__(self) -> None:
        self._seen: dict[str, set[tuple[int, int, int]]] = {}

    def add(self, what: str, stretch: Stretch) -> None:
        """Note that `what` happened to `stretch`; again for another region counts once."""
        key = (stretch.start, stretch.stop, int(stretch.channels[0]))
        self._seen.setdefault(what, set()).add(key)

    def told(self) -> Iterator[str]:
        """Each count that is not zero, in words."""
        for what, seen in self._seen.items():
            frames = sum(stop - start for start, stop, _ in seen)
            yield f"{len(seen)} stretches ({frames} frames) {what}"


_LOW = np.array([channel.low for channel in CHANNELS])
_HIGH = np.array([channel.high for channel in CHANNELS])


def _filtered(
    clip: FaceClip, name: str, chosen: Sequence[Filter | None], uneven: Uneven,
    longest_gap: float | None,
) -> FaceClip:  # fmt: skip
    """The clip with every unbroken stretch of every set channel filtered."""
    values, counts = clip.values.astype(np.float64), Counts()
    for stretch in stretches(clip, longest_gap):
        if uneven == "refuse":
            _must_be_even(clip.times[stretch.frames], stretch)
        for setting, channels in _groups(chosen, stretch):
            place = np.ix_(range(stretch.start, stretch.stop), channels)
            values[place] = _run(setting, clip.times, values[place], stretch, counts)
    kept = held(values, clip.values)
    moved = [f"{kept.moved} values held within their range"] if kept.moved else []
    return clip.with_values(
        kept.values, "; ".join([name, describe(chosen), *counts.told(), *moved])
    )


def _run(setting: Filter, times: Times, values: Table, stretch: Stretch, counts: Counts) -> Table:
    """One stretch of some channels filtered, on even steps of their own if need be."""
    own, first = np.unique(times[stretch.frames], return_index=True)
    if len(own) < 2:
        counts.add("too short to filter, left alone", stretch)
        return values
    even = is_even(times[stretch.frames])
    step = float(np.median(np.diff(own)))
    grid = own if even else even_grid(own, step)
    rate = (len(grid) - 1) / float(grid[-1] - grid[0])
    needed = setting.needs(rate)
    if not needed:
        counts.add("too slow for this filter, left alone", stretch)
        return values
    if len(grid) < needed:
        counts.add("too short to filter, left alone", stretch)
        return values
    if even:
        return setting.run(values, rate)
    counts.add("uneven, filtered on even steps and taken back", stretch)
    filtered = setting.run(straight_lines(own, values[first], grid), rate)
    return straight_lines(grid, filtered, times[stretch.frames])


def describe(chosen: Sequence[object]) -> str:
    """The settings with the regions that have them; channels that differ from theirs by name."""
    users: dict[str, list[str]] = {}
    for region in REGIONS:
        texts = {index: str(chosen[index] or "off") for index in region_indices(region)}
        usual = max(texts.values(), key=list(texts.values()).count)
        users.setdefault(usual, []).append(region)
        for index, text in texts.items():
            if text != usual:
                users.setdefault(text, []).append(NAMES[index])
    return ", ".join(f"{'/'.join(names)} {text}" for text, names in users.items())


def _groups(
    chosen: Sequence[Filter | None], stretch: Stretch
) -> Iterator[tuple[Filter, list[int]]]:
    """The stretch's channels by their setting; those that are off are left out."""
    groups: dict[Filter, list[int]] = {}
    for index in stretch.channels.tolist():
        setting = chosen[index]
        if setting is not None:
            groups.setdefault(setting, []).append(index)
    yield from groups.items()


def _must_be_even(times: Times, stretch: Stretch) -> None:
    if not is_even(times):
        raise BadInput(
            f"uneven steps of {np.diff(times).min():.4f} to {np.diff(times).max():.4f} s",
            "even steps",
            row=stretch.start,
            hint="Resample the clip first, or leave `uneven` at 'resample'.",
        )
