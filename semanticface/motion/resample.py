"""A clip at other times, taken from its clock and not from its frame numbers.

Between two measured frames a value is interpolated. Nothing is made up beyond
that: outside the clip, in a gap longer than three usual steps, and beside a
frame that was not measured, the result is NaN. What was bridged, what stayed
NaN and what was dropped is counted in the clip's conventions.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput
from semanticface.motion.stretches import Stretch, gap_limit, stretches
from semanticface.rig import FaceClip
from semanticface.rig.clip import Times

Way = Literal["linear", "pchip"]
WAYS: tuple[Way, ...] = ("linear", "pchip")
_SNAP = 1e-6  # of a step: nearer than that, a frame's own value is taken to the bit
_SAME = 1e-9  # seconds
_COARSER = 1.25


class CommonGrid(NamedTuple):
    """Two clips at the same times."""

    first: FaceClip
    second: FaceClip


def resample(
    clip: FaceClip, times: ArrayLike | None = None, *, rate: float | None = None,
    way: Way = "linear", longest_gap: float | None = None, lowpass: bool = False,
) -> FaceClip:  # fmt: skip
    """The clip at `times` (seconds on its own clock), or at an even `rate` from its first frame.

    `linear` interpolates on straight lines. `pchip` is the monotone cubic of
    Fritsch and Carlson (1980): smooth, and never beyond its two neighbours.

    `longest_gap`: seconds that may be bridged; by default three usual steps. A
    frame that is there but NaN is never bridged.

    `lowpass`: before going to a lower rate, take out what the new rate cannot
    hold (zero phase, 0.4 of the new rate), so that tremor does not turn up as
    slow movement.

    Columns in `extra` are dropped: nobody knows whether they may be interpolated.
    """
    if way not in WAYS:
        raise BadInput(f"the way '{way}'", f"one of {', '.join(WAYS)}")
    wanted = _wanted(clip, times, rate)
    limit = gap_limit(clip) if longest_gap is None else longest_gap
    source = _without_aliases(clip, wanted, limit) if lowpass else clip
    source, alike = _one_frame_a_time(source)
    values = np.full((len(wanted), source.values.shape[1]), np.nan)
    for stretch in stretches(source, limit):
        _fill(values, source, stretch, wanted, way)
    told = _told(source, wanted, values, way, limit)
    told += f"; {alike} frames stamped like their next one dropped" if alike else ""
    told += f"; columns {', '.join(sorted(clip.extra))} dropped" if clip.extra else ""
    meta = source.meta.applied(told)
    return FaceClip(np.asarray(values, np.float32), wanted, clip.present, meta)


def common_grid(
    a: FaceClip, b: FaceClip, *, rate: float | None = None, way: Way = "linear"
) -> CommonGrid:
    """Both clips at the same even times over the span they share.

    The grid has the coarser of both rates unless `rate` is given and starts at a
    frame of that clip. Clips whose times in the shared span are the same already
    come back cut, with every number as it was.
    """
    start, end = shared_span(a, b)
    cut = tuple(each.between(start, end + _SAME) for each in (a, b))
    if rate is None and np.array_equal(cut[0].times, cut[1].times) and len(cut[0]):
        return CommonGrid(*cut)
    coarser = max((a, b), key=lambda clip: clip.step)
    if rate is None and np.isnan(coarser.step):
        raise BadInput("a clip of a single moment", "at least two frames to find its rate")
    step = coarser.step if rate is None else 1 / _positive(rate)
    begin = float(coarser.times[np.searchsorted(coarser.times, start - _SAME)])
    grid = begin + np.arange(int((end - begin) / step + _SNAP) + 1) * step
    return CommonGrid(resample(a, grid, way=way), resample(b, grid, way=way))


def on_measured_frames(a: FaceClip, b: FaceClip) -> CommonGrid:
    """Both clips at moments in which one of them was measured, over the span they share.

    The moments are `b`'s, or `a`'s where its frames lie farther apart by a quarter or more.
    Only the other clip is interpolated, and only where it has no frame of its own: a value
    between two frames is smoother than any frame, so a grid of its own would flatter
    whoever trembles.
    """
    start, end = shared_span(a, b)
    first_leads = a.step > _COARSER * b.step  # NaN compares as false
    leader = a if first_leads else b
    kept, _ = _one_frame_a_time(leader.between(start - _SAME, end + _SAME))
    other = resample(b if first_leads else a, kept.times)
    return CommonGrid(kept, other) if first_leads else CommonGrid(other, kept)


def shared_span(a: FaceClip, b: FaceClip) -> tuple[float, float]:
    """(start, end) in seconds of the time that both clips cover; refused if there is none."""
    if not len(a) or not len(b):
        raise BadInput("a clip without frames", "two clips that overlap in time")
    if a.meta.clock != b.meta.clock:
        raise BadInput(
            f"one clip on a {a.meta.clock} clock and one on a {b.meta.clock} clock",
            "both on the same",
            hint="If both begin at the same moment, let both count from zero.",
        )
    start, end = max(a.times[0], b.times[0]), min(a.times[-1], b.times[-1])
    if start > end:
        raise BadInput(
            f"clips from {_span(a)} and from {_span(b)}",
            "clips that overlap in time",
            hint="If both begin at the same moment, let both count from zero.",
        )
    return float(start), float(end)


def _wanted(clip: FaceClip, times: ArrayLike | None, rate: float | None) -> Times:
    if (times is None) == (rate is None):
        raise BadInput(
            "both times and a rate" if rate is not None else "neither times nor a rate",
            "one of the two",
        )
    if times is not None:
        return np.atleast_1d(np.asarray(times, dtype=np.float64))
    if not len(clip):
        return np.zeros(0)
    assert rate is not None
    count = int(clip.duration * _positive(rate) + _SNAP) + 1
    return np.asarray(clip.times[0] + np.arange(count) / rate, dtype=np.float64)


def _positive(rate: float) -> float:
    if not (np.isfinite(rate) and rate > 0):
        raise BadInput(f"a rate of {rate:g}", "frames a second above zero")
    return rate


def _one_frame_a_time(clip: FaceClip) -> tuple[FaceClip, int]:
    """Of frames stamped alike only the last, and how many went."""
    bare = replace(clip, extra={})
    last = np.append(np.diff(bare.times) > 0, True)[: len(bare)]
    return (bare, 0) if last.all() else (bare[last], int((~last).sum()))


def _without_aliases(clip: FaceClip, wanted: Times, limit: float) -> FaceClip:
    from semanticface.motion.filters import Lowpass, zero_phase

    step = float(np.median(np.diff(wanted))) if len(wanted) > 1 else 0.0
    if not step > clip.step * 1.01:
        return clip
    return zero_phase(clip, {"all": Lowpass(0.4 / step)}, longest_gap=limit)


def _fill(
    values: NDArray[np.float64], clip: FaceClip, stretch: Stretch, wanted: Times, way: Way
) -> None:
    """Interpolate one stretch into the rows of `values` whose times lie in it."""
    times = clip.times[stretch.frames]
    known = clip.values[stretch.frames][:, stretch.channels].astype(np.float64)
    snap = _SNAP * (clip.step if len(clip) > 1 and not np.isnan(clip.step) else 1.0)
    rows = np.flatnonzero((wanted >= times[0] - snap) & (wanted <= times[-1] + snap))
    if not len(rows):
        return
    at = np.clip(wanted[rows], times[0], times[-1])
    between = known[[0] * len(rows)] if len(times) == 1 else _between(times, known, at, way)
    values[np.ix_(rows, stretch.channels)] = _snapped(between, times, known, at, snap)


def _between(times: Times, known: NDArray[np.float64], at: Times, way: Way) -> NDArray[np.float64]:
    if way == "pchip" and len(times) > 2:
        pchip = import_module("scipy.interpolate").PchipInterpolator
        return np.asarray(pchip(times, known, axis=0)(at), np.float64)
    return straight_lines(times, known, at)


def straight_lines(times: Times, known: NDArray[np.float64], at: Times) -> NDArray[np.float64]:
    """`known` [frames, channels] at rising `times`, read at `at` on the lines between them."""
    left = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
    share = ((at - times[left]) / (times[left + 1] - times[left]))[:, None]
    return np.asarray(known[left] * (1 - share) + known[left + 1] * share, np.float64)


def _snapped(
    between: NDArray[np.float64], times: Times, known: NDArray[np.float64], at: Times, snap: float
) -> NDArray[np.float64]:
    """The interpolated rows, but a frame's own values where a time falls on it."""
    after = np.clip(np.searchsorted(times, at), 0, len(times) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(at - times[before] < times[after] - at, before, after)
    on = np.abs(times[nearest] - at) <= snap
    return np.where(on[:, None], known[nearest], between)


def _told(
    clip: FaceClip, wanted: Times, values: NDArray[np.float64], way: Way, limit: float
) -> str:
    """What resampling did, in words."""
    outside, in_gap, unknown = _left_empty(clip, wanted, values, limit)
    bridged = [gap for gap in clip.gaps() if gap.seconds <= limit]
    parts = [f"resampled to {_rate_of(wanted)}, {way}"]
    for count, text in (
        (len(bridged), "short pauses bridged"),
        (in_gap, "frames left empty in longer gaps"),
        (outside, "frames left empty outside the clip"),
        (unknown, "values left empty beside ones not measured"),
    ):
        parts += [f"{count} {text}"] if count else []
    return "; ".join(parts)


def _left_empty(
    clip: FaceClip, wanted: Times, values: NDArray[np.float64], limit: float
) -> tuple[int, int, int]:
    """How much is empty: frames outside the clip, frames in a gap, values beside lost ones."""
    missing = np.isnan(values[:, clip.present])
    if not len(clip):
        return len(wanted), 0, 0
    outside = missing.all(axis=1) & ((wanted < clip.times[0]) | (wanted > clip.times[-1]))
    after = np.clip(np.searchsorted(clip.times, wanted), 1, max(len(clip) - 1, 1))
    pause = clip.times[after % len(clip)] - clip.times[after - 1]
    in_gap = missing.all(axis=1) & ~outside & (pause > limit)
    return int(outside.sum()), int(in_gap.sum()), int(missing[~outside & ~in_gap].sum())


def _rate_of(times: Times) -> str:
    if len(times) < 2:
        return f"{len(times)} given times"
    steps = np.diff(times)
    even = steps.min() > 0 and np.ptp(steps) < 1e-3 * steps.min()
    return f"{1 / np.median(steps):.3f} fps" if even else f"{len(times)} given times"


def _span(clip: FaceClip) -> str:
    return f"{clip.times[0]:.3f} to {clip.times[-1]:.3f} s"
