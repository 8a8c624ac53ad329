"""Things that happen in a face at a time: blinks, lips that meet or part, lopsidedness.

Frames that either source has not measured are taken out of both, so nobody is blamed
for what the other could not see. All times are seconds. Counts are additive, as the
sums of coefficients are: add them over clips, then ask `event_scores`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.ratio import Floats, ratio
from semanticface.rig import CHANNELS, COUNT, INDEX

Array = NDArray[np.floating]

BLINK_ON, BLINK_OFF = 0.5, 0.3
"""Mean of both eyeBlink at which a blink begins and ends. Real takes rest below 0.3,
but for eyes that look down, and blink to 0.6 to 1."""
BLINK_WINDOW = 0.1
CLOSE_SHARE = 1.01
"""Of jawOpen that a mouthClose of 1 takes back, measured on the ARKit mesh (40.9 / 40.4)."""
SHUT_BELOW, APART_ABOVE = 0.03, 0.06
"""Lip gap as a share of a fully open jaw: 1.3 mm and 2.5 mm on the ARKit mesh."""
SHUT_WINDOW = 0.1
ONSET_WINDOW = 0.3
LEAST_LEAN = 0.05
"""A truth whose sides differ by less than this leans to neither."""

_EPSILON = 1e-9  # two stamps 0.1 s apart may differ by 0.1000000001
_LEFTS = tuple(
    channel.index
    for channel in CHANNELS
    if channel.unit == "weight" and channel.mirror != channel.name and "Left" in channel.name
)
_RIGHTS = tuple(INDEX[CHANNELS[i].mirror] for i in _LEFTS)
LEANS: tuple[str, ...] = tuple(CHANNELS[i].name.replace("Left", "") for i in _LEFTS)
"""The pairs of `asymmetry_sums`, in order; jaw and mouth stand for their slide to a side."""


class Event(NamedTuple):
    """A stretch in which a signal is up."""

    start: float
    """When it rose to the threshold, between frames; of the first frame if unseen."""
    end: float
    time: float
    """The middle of its height: of the frames within 5 % of the peak."""
    peak: float
    seen_start: bool
    """False where the clip or a measured stretch begins with the signal up."""
    seen_end: bool


def events(signal: Array, times: Array, on: float, off: float) -> list[Event]:
    """Stretches that begin at `on` or above and last until the signal is below `off`.

    The lower second threshold keeps a signal that trembles around one from counting
    twice. A frame without value ends an event.
    """
    if not off <= on:
        raise BadInput(f"on {on:g}, off {off:g}", "off not above on")
    level, clock = np.asarray(signal, np.float64), np.asarray(times, np.float64)
    found: list[Event] = []
    first: int | None = None
    for i, value in enumerate(level.tolist()):
        if first is None and value >= on:
            first = i
        elif first is not None and not value >= off:
            found.append(_event(level, clock, first, i, on, off))
            first = None
    if first is not None:
        found.append(_event(level, clock, first, len(level), on, off))
    return found


def _event(level: Floats, times: Floats, first: int, after: int, on: float, off: float) -> Event:
    inside, clock = level[first:after], times[first:after]
    peak = float(inside.max())
    height = inside >= peak - 0.05 * abs(peak)
    seen_start = first > 0 and not np.isnan(level[first - 1])
    seen_end = after < len(level) and not np.isnan(level[after])
    start = _crossing(level, times, first - 1, on) if seen_start else float(clock[0])
    end = _crossing(level, times, after - 1, off) if seen_end else float(clock[-1])
    time = float(clock[height][[0, -1]].mean())
    return Event(start, end, time, peak, bool(seen_start), bool(seen_end))


def _crossing(level: Floats, times: Floats, before: int, threshold: float) -> float:
    """When the straight line from frame `before` to the next passes the threshold."""
    one, two = float(level[before]), float(level[before + 1])
    share = (threshold - one) / (two - one)
    return float(times[before] + share * (times[before + 1] - times[before]))


class EventSums(NamedTuple):
    """Counts that add up over clips; floats, or arrays with leading axes."""

    hits: Floats | float
    """Pairs of a predicted and a true event."""
    claimed: Floats | float
    """Predicted events."""
    shown: Floats | float
    """True events."""
    lag: Floats | float
    """Sum of predicted less true time over the hits, seconds."""
    absolute_lag: Floats | float


class EventScores(NamedTuple):
    """Rates 0 to 1; NaN where there was nothing to divide by."""

    precision: Floats
    """hits / predicted events."""
    recall: Floats
    """hits / true events."""
    f1: Floats
    """2 hits / (predicted + true events)."""
    lag: Floats
    """Mean of predicted less true time over the hits, seconds; positive is late."""
    absolute_lag: Floats
    shown: Floats


def event_scores(s: EventSums) -> EventScores:
    """Rates and lags of counts, over all leading axes."""
    hits, claimed, shown, lag, absolute = (np.asarray(part, np.float64) for part in s)
    return EventScores(
        ratio(hits, claimed), ratio(hits, shown), ratio(2 * hits, claimed + shown),
        ratio(lag, hits), ratio(absolute, hits), shown,
    )  # fmt: skip


def match_times(pred: Array, truth: Array, window: float) -> list[tuple[int, int]]:
    """Pairs of indices of moments at most `window` seconds apart, one to one.

    As many pairs as can be, and of all ways to have that many the one with the least
    total distance.
    """
    p, y = np.asarray(pred, np.float64), np.asarray(truth, np.float64)
    ours, theirs = np.argsort(p, kind="stable"), np.argsort(y, kind="stable")
    found = _matched(np.column_stack([p, p])[ours], np.column_stack([y, y])[theirs], window)
    return [(int(ours[i]), int(theirs[j])) for i, j in found]


class _Chain(NamedTuple):
    pairs: int
    saved: float
    """Less the total distance of the beginnings."""
    last: tuple[int, int] | None = None
    before: _Chain | None = None


def _matched(ours: Floats, theirs: Floats, window: float) -> list[tuple[int, int]]:
    """The best pairs of spans [N, 2] and [M, 2], each in order of time without overlap.

    Two pairs that cross can be uncrossed at no cost, so the best way to match the first
    i of ours with the first j of theirs follows from the ways to match one less.
    """
    reach = window + _EPSILON
    first = np.searchsorted(theirs[:, 1], ours[:, 0] - reach, "left").tolist()
    after = np.searchsorted(theirs[:, 0], ours[:, 1] + reach, "right").tolist()
    best = [_Chain(0, 0.0)]  # for the first j of theirs; the last stands for all beyond
    for i, (low, high) in enumerate(zip(first, after, strict=True)):
        best += [best[-1]] * (high + 1 - len(best))
        shorter = best[low]
        for j in range(low, high):
            apart = abs(float(ours[i, 0] - theirs[j, 0]))
            longer = _Chain(shorter.pairs + 1, shorter.saved - apart, (i, j), shorter)
            shorter = best[j + 1]
            best[j + 1] = max(best[j + 1], best[j], longer, key=lambda each: each[:2])
    return _unchained(best[-1])


def _unchained(chain: _Chain | None) -> list[tuple[int, int]]:
    found = []
    while chain is not None and chain.last is not None:
        found.append(chain.last)
        chain = chain.before
    return found[::-1]


def blink_sums(
    pred: Array, truth: Array, times: Array, *, window: float = BLINK_WINDOW,
    on: float = BLINK_ON, off: float = BLINK_OFF,
) -> EventSums:  # fmt: skip
    """Blinks of pred and truth [T, 61] that fall within `window` of each other.

    A blink is an event of the mean of eyeBlinkLeft and eyeBlinkRight; its time is the
    middle of its height, which a muted blink shares with a full one. A closed eye counts
    once however long; a wink lifts the mean to one half at most.
    """
    p, y = _both(_mean_blink(_face(pred)), _mean_blink(_face(truth)), times)
    ours, theirs = (np.array([e.time for e in events(x, times, on, off)]) for x in (p, y))
    return _time_sums(ours, theirs, window)


def _mean_blink(face: Floats) -> Floats:
    return (face[:, INDEX["eyeBlinkLeft"]] + face[:, INDEX["eyeBlinkRight"]]) / 2


def lip_gap(values: Array) -> Floats:
    """jawOpen - 1.01 mouthClose over time [T]: the lips' distance, as a share of an open jaw's.

    Times 40.4 mm on the ARKit mesh. A little below 0 where lips are pressed together.
    """
    face = _face(values)
    return np.asarray(face[:, INDEX["jawOpen"]] - CLOSE_SHARE * face[:, INDEX["mouthClose"]])


class Onsets(NamedTuple):
    """Matches of the moments at which lips part, and at which they meet."""

    opening: EventSums
    closing: EventSums


def mouth_onsets(
    pred: Array, truth: Array, times: Array, *, window: float = ONSET_WINDOW,
    on: float = 0.1, off: float = 0.06,
) -> Onsets:  # fmt: skip
    """How late the mouth opens and closes: moments when the lip gap passes a threshold.

    Opening: it rises to `on`; closing: it falls below `off`, both between frames by a
    straight line. Moments that a source did not show (its clip begins open) are no events.
    A muted prediction reaches a fixed threshold later: read the lag with the amplitude.
    """
    p, y = _both(lip_gap(pred), lip_gap(truth), times)
    ours, theirs = (events(x, times, on, off) for x in (p, y))
    return Onsets(
        _time_sums(_starts(ours), _starts(theirs), window),
        _time_sums(_ends(ours), _ends(theirs), window),
    )


def _starts(found: list[Event]) -> Floats:
    return np.array([each.start for each in found if each.seen_start])


def _ends(found: list[Event]) -> Floats:
    return np.array([each.end for each in found if each.seen_end])


def closure_sums(
    pred: Array, truth: Array, times: Array, *, window: float = SHUT_WINDOW,
    shut: float = SHUT_BELOW, apart: float = APART_ABOVE,
) -> EventSums:  # fmt: skip
    """Stretches of closed lips that overlap, or miss each other by at most `window`.

    Closed: the lip gap is at most `shut`, until it is above `apart`. One to one, so lips
    that never part match one closure and miss the others. The lag is between beginnings.
    """
    p, y = _both(lip_gap(pred), lip_gap(truth), times)
    ours, theirs = (_spans(events(-x, times, -shut, -apart)) for x in (p, y))
    found = _matched(ours, theirs, window)
    lags = np.array([ours[i, 0] - theirs[j, 0] for i, j in found])
    return _event_sums(lags, len(ours), len(theirs))


def closed_spans(values: Array, spans: Array, times: Array, *, shut: float = SHUT_BELOW) -> Floats:
    """For each span [N, 2] of seconds (a p, b or m), 1 if the lips close in it, else 0.

    The mean is the bilabial closure rate. NaN for a span without a measured frame.
    """
    gap, clock = lip_gap(values), np.asarray(times, np.float64)
    return np.array([_closes(gap[(clock >= a) & (clock <= b)], shut) for a, b in spans])


def _closes(gap: Floats, shut: float) -> float:
    known = gap[~np.isnan(gap)]
    return float((known <= shut).any()) if len(known) else float("nan")


class LeanSums(NamedTuple):
    """Frames by pair [..., 23], in the order of `LEANS`."""

    leaning: Floats
    """Frames in which the truth's sides differ by `least` or more."""
    same: Floats
    """Of these, the prediction differs the same way."""
    other: Floats
    """It differs the other way."""


def asymmetry_sums(pred: Array, truth: Array, *, least: float = LEAST_LEAN) -> LeanSums:
    """Whether the stronger side is the same, for each left-right pair of weights.

    same / leaning is the agreement: 0.5 for a coin, 0 for a face that is always even,
    whose frames are neither `same` nor `other` (sides within 1e-6).
    """
    p, y = (face[:, _LEFTS] - face[:, _RIGHTS] for face in map(_face, (pred, truth)))
    known = ~(np.isnan(p) | np.isnan(y))
    leaning = known & (np.abs(y) >= least - 1e-6)
    ahead = np.where(np.abs(p) > 1e-6, np.sign(p), 0) * np.sign(y)
    masks = (leaning, leaning & (ahead > 0), leaning & (ahead < 0))
    return LeanSums(*(np.asarray(mask.sum(axis=0), np.float64) for mask in masks))


def lean_agreement(s: LeanSums) -> Floats:
    """same / leaning per pair [..., 23], 0 to 1; NaN where the truth never leans."""
    return ratio(s.same, s.leaning)


def _face(values: Array) -> Floats:
    face = np.asarray(values, np.float64)
    if face.ndim != 2 or face.shape[1] != COUNT:
        raise BadInput(f"values of shape {face.shape}", f"[frames, {COUNT}]")
    return face


def _both(pred: Floats, truth: Floats, times: Array) -> tuple[Floats, Floats]:
    if not len(pred) == len(truth) == len(times):
        raise BadInput(
            f"{len(pred)} and {len(truth)} frames with {len(times)} times", "one time grid"
        )
    lost = np.isnan(pred) | np.isnan(truth)
    return np.where(lost, np.nan, pred), np.where(lost, np.nan, truth)


def _time_sums(ours: Floats, theirs: Floats, window: float) -> EventSums:
    found = match_times(ours, theirs, window)
    lags = np.array([ours[i] - theirs[j] for i, j in found])
    return _event_sums(lags, len(ours), len(theirs))


def _event_sums(lags: Floats, claimed: int, shown: int) -> EventSums:
    total, absolute = float(lags.sum()), float(np.abs(lags).sum())
    return EventSums(float(len(lags)), float(claimed), float(shown), total, absolute)


def _spans(found: list[Event]) -> Floats:
    return np.array([(e.start, e.end) for e in found], np.float64).reshape(-1, 2)
