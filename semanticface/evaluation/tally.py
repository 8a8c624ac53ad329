"""Everything countable of one source on one take, in sums that add up over takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.metrics.coefficients import Scores, macro, mean_over, members, scores, skill
from semanticface.metrics.events import (
    EventSums,
    LeanSums,
    asymmetry_sums,
    blink_sums,
    closure_sums,
    event_scores,
    lean_agreement,
    mouth_onsets,
)
from semanticface.metrics.ratio import Floats
from semanticface.metrics.sums import Sums, sums
from semanticface.metrics.validity import ValiditySums, validity, validity_sums
from semanticface.rig import FaceClip


class Tally(NamedTuple):
    """Sums of one source on one take, or of several with leading axes."""

    coefficients: Sums
    zero: Sums
    """Of guessing zero, on the same frames."""
    mean: Sums
    """Of guessing the training mean, on the same frames; no frames where there is none."""
    blinks: EventSums
    opening: EventSums
    closing: EventSums
    closures: EventSums
    leans: LeanSums
    valid: ValiditySums


HEADLINE = (
    "mae", "rmse", "active_mae", "bias", "pearson", "ccc", "f1_10", "f1_30", "amplitude_ratio",
    "symmetry_error", "skill_zero", "skill_mean", "blink_f1", "blink_lag", "closure_f1",
    "opening_lag", "closing_lag", "lean_agreement", "missing", "out_of_range", "contradictory",
)  # fmt: skip
"""Names of the figures of `headline`, most asked for first."""
OF_CHANNELS = (
    "mae", "rmse", "active_mae", "bias", "pearson", "ccc", "f1_10", "f1_30", "amplitude_ratio",
    "symmetry_error",
)  # fmt: skip
"""Those that stand for one channel, or are the mean over several."""


_NONE = EventSums(0.0, 0.0, 0.0, 0.0, 0.0)


def tally(
    pred: FaceClip, truth: FaceClip, mean: NDArray[np.floating] | None = None, *,
    moving: bool = True,
) -> Tally:  # fmt: skip
    """Count one source on one take; both clips at the same times.

    Frames that the source does not have are left out of both guesses, so that all
    three are scored on the same. Without `moving` the frames are single pictures, in
    which there are no events.
    """
    p, y, times = pred.values, truth.values, truth.times
    known = np.where(np.isnan(p), np.nan, y)
    guess = np.full(p.shape[1], np.nan) if mean is None else np.asarray(mean, np.float64)
    events = (_NONE,) * 4
    if moving:
        onsets = mouth_onsets(p, y, times)
        blinks, closures = blink_sums(p, y, times), closure_sums(p, y, times)
        events = (blinks, onsets.opening, onsets.closing, closures)
    return Tally(
        sums(p, y),
        sums(np.where(np.isnan(known), np.nan, 0.0), known),
        sums(np.where(np.isnan(known), np.nan, guess), known),
        *events,
        asymmetry_sums(p, y), validity_sums(p, pred.present),
    )  # fmt: skip


def headline(t: Tally, active: NDArray[np.bool_], group: str | None = None) -> Floats:
    """The figures of `HEADLINE` [..., M] of tallies [...], over a region or the whole face."""
    return headlines(t, active, (group,))[..., 0, :]


def headlines(t: Tally, active: NDArray[np.bool_], groups: Sequence[str | None]) -> Floats:
    """The same for several regions at once, [..., G, M]."""
    own, zero, mean = scores(t.coefficients), scores(t.zero), scores(t.mean)
    rows = []
    for group in groups:
        figures = _of_channels(own, zero, mean, active, group)
        if group is None:
            figures |= _of_events(t)
        blank = np.full_like(figures["mae"], np.nan)
        rows.append(np.stack([figures.get(name, blank) for name in HEADLINE], axis=-1))
    return np.stack(rows, axis=-2)


def of_channels(t: Tally) -> Floats:
    """The figures of `OF_CHANNELS` for every channel, [..., 61, M]."""
    own = scores(t.coefficients)._asdict()
    return np.stack([own[name] for name in OF_CHANNELS], axis=-1)


def _of_channels(
    own: Scores, zero: Scores, mean: Scores, active: NDArray[np.bool_], group: str | None
) -> dict[str, Floats]:
    found = {
        name: value
        for name, value in macro(own, active, group).mean._asdict().items()
        if name in HEADLINE
    }
    found["skill_zero"], found["skill_mean"] = _skill(own, zero, group), _skill(own, mean, group)
    return found


def _skill(own: Scores, guess: Scores, group: str | None) -> Floats:
    """1 - MAE / MAE of the guess, both averaged over the channels for which there is a guess."""
    there = np.where(guess.n > 0, own.mae, np.nan)
    inside = members(group)
    return skill(mean_over(there, inside)[0], mean_over(guess.mae, inside)[0])


def _of_events(t: Tally) -> dict[str, Floats]:
    blinks, closures = event_scores(t.blinks), event_scores(t.closures)
    valid = validity(t.valid)
    agree = lean_agreement(LeanSums(*(part.sum(axis=-1) for part in map(np.asarray, t.leans))))
    return {
        "blink_f1": blinks.f1, "blink_lag": blinks.lag, "closure_f1": closures.f1,
        "opening_lag": event_scores(t.opening).lag, "closing_lag": event_scores(t.closing).lag,
        "lean_agreement": agree, "out_of_range": valid.out_of_range_all,
        "contradictory": valid.contradictory,
    }  # fmt: skip
