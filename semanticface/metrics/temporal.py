"""Whether a face moves like a face: tremor, smoothness, spectrum, freezes, regularity.

Each metric is an array [61], NaN for a channel that is absent or too short, and
one figure: the mean over the blendshapes that have it. Rotations keep their place
in the array and stay out of the figure, because radians and weights do not add.
Every difference is taken over the frames' own times; none is taken across a
missing frame or a value that was not measured.

Too smooth is a fault as well: read jitter, high-frequency share and smoothness
against a reference at the same rate, not alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.motion.align import Lag, best_lag
from semanticface.motion.resample import common_grid, straight_lines
from semanticface.motion.stretches import even_grid, is_even, stretches
from semanticface.rig import BLENDSHAPES, COUNT, FaceClip

Array = NDArray[np.float64]
_WEIGHTS = slice(0, len(BLENDSHAPES))
_MISSING_FRAME = 1.5  # usual steps: a longer one hides at least one frame
ABOVE_HZ = 8.0
"""Where tremor begins: blinks and speech have most of their energy below."""
SEGMENT = 2.0
"""Seconds of a Welch segment: 0.5 Hz between the lines of the spectrum."""
FLOOR = 1e-10
"""Power per Hz, weights squared, that counts as silence in a log spectrum."""
SAME = 1e-7
"""Two values nearer than this are equal: float32 rounding of a weight."""


class Row(NamedTuple):
    """What a figure of `summary` means."""

    name: str
    unit: str
    better: str
    """`lower`, `higher`, or the value that is best."""
    what: str
    source: str


ROWS: tuple[Row, ...] = (
    Row("jitter", "1/frame^2", "reference", "mean |x[i+1] - 2 x[i] + x[i-1]|",
        "the usual mean absolute second difference, per frame"),
    Row("jitter_per_second", "1/s^2", "reference",
        "mean |second divided difference over the real times|", "the same, per second squared"),
    Row("smoothness", "", "reference",
        "1 - sum |d2| / sum (|d1 before| + |d1 after|)",
        "this project's; REFA names a Smoothness without giving its formula"),
    Row("high_share", "", "reference", f"energy above {ABOVE_HZ:g} Hz / energy above 0",
        "Welch 1967; Hann, 2 s, half overlap"),
    Row("frozen", "", "lower", "frames that equal the one before in every channel",
        "this project's; tolerance 1e-7"),
    Row("longest_freeze", "s", "lower", "longest run of such frames", "this project's"),
    Row("step_spread", "", "lower", "std / median of the steps in time",
        "coefficient of variation"),
    Row("regular_steps", "", "higher", "steps within 10 % of the median", "this project's"),
    Row("missing_frames", "frames", "lower", "frames that would fit in pauses over 1.5 steps",
        "this project's"),
    Row("jitter_ratio", "", "one", "jitter of the prediction / of the reference, at the same rate",
        "this project's; median over channels in which the reference moves"),
    Row("log_spectral_distance", "dB", "lower", "sqrt mean_f (10 log10 P/Q)^2",
        "Gray and Markel 1976; Welch spectra with a floor"),
    Row("lag", "s", "zero", "shift of best correlation, positive = prediction late",
        "cross-correlation of jawOpen and blinks"),
)  # fmt: skip


class Jitter(NamedTuple):
    """Mean absolute second difference, [61] each."""

    per_frame: Array
    """mean |x[i+1] - 2 x[i] + x[i-1]|, per frame squared."""
    per_second: Array
    """mean |2 ((x2-x1)/h2 - (x1-x0)/h1) / (h1+h2)|, per second squared, h in seconds."""


def jitter(clip: FaceClip) -> Jitter:
    """Mean absolute second difference of each channel, over frames and over real time.

    For sin(w t) at even steps h the first is 4 sin(w h / 2)^2 mean |sin|, and the
    second nears w^2 mean |sin|. A triple across a missing frame is left out.
    """
    x, (before, after) = _triples(clip)
    plain = x[2] - 2 * x[1] + x[0]
    divided = 2 * ((x[2] - x[1]) / after - (x[1] - x[0]) / before) / (before + after)
    return Jitter(_mean(np.abs(plain)), _mean(np.abs(divided)))


def jitter_ratio(pred: FaceClip, truth: FaceClip) -> Array:
    """Per-frame jitter of `pred` over that of `truth`, both on the coarser rate; [61].

    1 is as lively as the reference, 0 is frozen, above 1 trembles. NaN where the
    reference's jitter is below 1e-6: it does not move there.
    """
    one, other = common_grid(pred, truth)
    shaken, usual = jitter(one).per_frame, jitter(other).per_frame
    return _divided(shaken, usual, 1e-6)


def smoothness(clip: FaceClip) -> Array:
    """1 - sum |d2| / sum (|d1 before| + |d1 after|) of each channel, [61], no unit, 0 to 1.

    1 for straight movement, 0 for a value that turns at every frame, 0.134 for
    white noise (1 - sqrt 3 / 2). Unlike jitter it does not grow with the size of a
    movement. NaN where a channel never moves.
    """
    x, _ = _triples(clip)
    bend = np.abs(x[2] - 2 * x[1] + x[0])
    way = np.abs(x[2] - x[1]) + np.abs(x[1] - x[0])
    return 1 - _divided(np.nansum(bend, axis=0), np.nansum(way, axis=0), 1e-9)


class Spectrum(NamedTuple):
    """Welch's power spectral density."""

    hertz: NDArray[np.floating]
    """[F], evenly spaced, up to half the rate."""
    power: Array
    """[F, 61] in squared units per Hz; NaN for a channel without a long enough stretch."""


def spectrum(clip: FaceClip, segment: float = SEGMENT) -> Spectrum:
    """Power spectral density of each channel (Welch 1967: Hann, half overlap, mean removed).

    Only unbroken stretches of at least `segment` seconds count, each by its
    length. A stretch with a missing frame is read on even steps.
    """
    rate = 1 / clip.step if len(clip) > 1 and clip.step > 0 else float("nan")
    if np.isnan(rate):
        raise BadInput(f"a clip of {len(clip)} frames without a rate", "frames at rising times")
    length = max(round(segment * rate), 4)
    hertz = np.fft.rfftfreq(length, 1 / rate)
    power, weight = np.zeros((len(hertz), COUNT)), np.zeros(COUNT)
    for values, channels in _even_stretches(clip, length):
        _, found = import_module("scipy.signal").welch(values, rate, nperseg=length, axis=0)
        power[:, channels] += found * len(values)
        weight[channels] += len(values)
    with np.errstate(invalid="ignore"):
        return Spectrum(hertz, np.where(weight > 0, power / weight, np.nan))


def high_share(clip: FaceClip, above: float = ABOVE_HZ) -> Array:
    """Share of each channel's energy above `above` Hz, [61], 0 to 1; resting level excluded.

    NaN where a channel does not move, and everywhere if half the rate is not above
    `above`, or if there is no rate.
    """
    if np.isnan(clip.step):
        return np.full(COUNT, np.nan)
    hertz, power = spectrum(clip)
    if hertz[-1] <= above:
        return np.full(COUNT, np.nan)
    return _divided(power[hertz > above].sum(axis=0), power[1:].sum(axis=0), FLOOR)


def log_spectral_distance(pred: FaceClip, truth: FaceClip) -> Array:
    """sqrt(mean over f of (10 log10 P(f) / Q(f))^2) of each channel, [61], in dB.

    Both clips are read at the coarser rate; the line at 0 Hz is left out; power
    below `FLOOR` counts as `FLOOR`, so that a frozen channel has a finite distance.
    NaN where the truth is silent throughout.
    """
    one, other = (spectrum(each).power[1:] for each in common_grid(pred, truth))
    silent = ~(other.max(axis=0) > FLOOR)
    apart = 10 * np.log10(np.maximum(one, FLOOR) / np.maximum(other, FLOOR))
    return np.where(silent, np.nan, np.sqrt(np.mean(apart**2, axis=0)))


class Frozen(NamedTuple):
    """Frames that did not change."""

    share: float
    """Of the frames with a tracked frame before them, those equal to it in all channels."""
    longest: float
    """Seconds from the frame that stuck to the last one like it."""
    channels: Array
    """[61]: the same share for each channel alone; 1 for one that never moves."""


def frozen(clip: FaceClip, same: float = SAME) -> Frozen:
    """How much of the clip stands still, within `same` of each channel's unit.

    A channel that is NaN in either frame does not speak; a frame in which all of
    them are silent is not counted.
    """
    change = np.abs(np.diff(clip.values.astype(np.float64), axis=0))
    known = np.isfinite(change)
    still = known & (np.where(known, change, np.inf) <= same)
    counted = known.any(axis=1)
    stuck = np.asarray(counted & (still | ~known).all(axis=1), np.bool_)
    share = float(stuck.sum() / counted.sum()) if counted.any() else float("nan")
    own = _divided(still.sum(axis=0).astype(float), known.sum(axis=0).astype(float), 0.5)
    longest = _longest(stuck, clip.times) if counted.any() else float("nan")
    return Frozen(share, longest, own)


class Regularity(NamedTuple):
    """How evenly frames come."""

    spread: float
    """Standard deviation of the steps over their median."""
    regular: float
    """Share of the steps within 10 % of the median."""
    missing: int
    """Frames that would have fitted into the pauses."""


def regularity(clip: FaceClip) -> Regularity:
    """How evenly the frames come in time; NaN for fewer than two."""
    steps = np.diff(clip.times)
    if not len(steps) or np.isnan(clip.step):
        return Regularity(float("nan"), float("nan"), 0)
    near = np.abs(steps - clip.step) <= 0.1 * clip.step
    missing = sum(gap.missing for gap in clip.gaps(_MISSING_FRAME))
    return Regularity(float(steps.std() / clip.step), float(near.mean()), missing)


def lag(pred: FaceClip, truth: FaceClip, within: float = 0.5) -> Lag:
    """How late the prediction is: the shift of best correlation of jawOpen and blinks."""
    return best_lag(pred, truth, within=within)


def summary(
    clip: FaceClip, truth: FaceClip | None = None, *, lagging: bool = True
) -> dict[str, float]:
    """One figure for each of `ROWS`; those that need a reference only with `truth`.

    `lagging`: search the lag as well, which takes longer than the rest.
    """
    shaken, stuck, pace = jitter(clip), frozen(clip), regularity(clip)
    figures = {
        "jitter": figure(shaken.per_frame), "jitter_per_second": figure(shaken.per_second),
        "smoothness": figure(smoothness(clip)), "high_share": figure(high_share(clip)),
        "frozen": stuck.share, "longest_freeze": stuck.longest, "step_spread": pace.spread,
        "regular_steps": pace.regular, "missing_frames": float(pace.missing),
    }  # fmt: skip
    if truth is not None:
        figures["jitter_ratio"] = middle(jitter_ratio(clip, truth))
        figures["log_spectral_distance"] = figure(log_spectral_distance(clip, truth))
        if lagging:
            figures["lag"] = lag(clip, truth).seconds
    return figures


def figure(per_channel: Array) -> float:
    """The mean over the blendshapes that have a value; NaN if none has."""
    known = per_channel[_WEIGHTS][~np.isnan(per_channel[_WEIGHTS])]
    return float(known.mean()) if len(known) else float("nan")


def middle(per_channel: Array) -> float:
    """The median over the blendshapes that have a value; of ratios, which a mean misjudges."""
    known = per_channel[_WEIGHTS][~np.isnan(per_channel[_WEIGHTS])]
    return float(np.median(known)) if len(known) else float("nan")


def _triples(clip: FaceClip) -> tuple[tuple[Array, Array, Array], tuple[Array, Array]]:
    """Values of frames i-1, i, i+1, and the two steps [n, 1], where no frame is missing."""
    values, steps = clip.values.astype(np.float64), np.diff(clip.times)
    whole = (steps > 0) & (steps <= _MISSING_FRAME * clip.step) if len(steps) else steps > 0
    middle = np.flatnonzero(whole[:-1] & whole[1:]) + 1
    x = (values[middle - 1], values[middle], values[middle + 1])
    return x, (steps[middle - 1][:, None], steps[middle][:, None])


def _even_stretches(clip: FaceClip, least: int) -> Iterator[tuple[Array, NDArray[np.intp]]]:
    """(values at even steps, channels) of every stretch of at least `least` frames."""
    for stretch in stretches(clip):
        times = clip.times[stretch.frames]
        values = clip.values[stretch.frames][:, stretch.channels].astype(np.float64)
        if not is_even(times):
            own, first = np.unique(times, return_index=True)
            times = even_grid(own, clip.step)
            values = straight_lines(own, values[first], times)
        if len(times) >= least:
            yield values, stretch.channels


def _longest(stuck: NDArray[np.bool_], times: Array) -> float:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], stuck.astype(np.int8), [0]])))
    starts, stops = edges[::2], edges[1::2]
    return float((times[stops] - times[starts]).max()) if len(starts) else 0.0


def _mean(values: Array) -> Array:
    known = np.isfinite(values)
    return _divided(np.where(known, values, 0).sum(axis=0), known.sum(axis=0).astype(float), 0.5)


def _divided(above: Array, below: Array, least: float) -> Array:
    """above / below; NaN where `below` is under `least` or unknown."""
    fine = below >= least
    return np.where(fine, above / np.where(fine, below, 1.0), np.nan)
