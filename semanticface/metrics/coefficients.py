"""How near predicted coefficients are to a reference, channel by channel.

Frames are pooled before a metric is computed, never averaged over clips: a clip
counts by its length. p is the prediction, y the truth, n the frames measured in
both; moments divide by n. What is undefined is NaN and never 0: correlation with
a truth that stands still, recall of what was never shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.ratio import Floats, ratio
from semanticface.metrics.sums import (
    ACTIVE_TAU,
    IS_ROTATION,
    Sums,
    pooled,
    stacked,
    sums,
)
from semanticface.rig import COUNT, region_indices
from semanticface.rig.activity import ACTIVE_HIGH, ACTIVE_SPREAD

__all__ = [
    "ACTIVE_TAU",
    "Macro",
    "Scores",
    "Sums",
    "active_channels",
    "all_zero",
    "constant",
    "left_out_means",
    "macro",
    "pooled",
    "previous_frame",
    "scores",
    "skill",
    "stacked",
    "sums",
]

_STILL = 1e-12
"""A variance of at most this (a deviation of 1e-6) is rounding: the channel stands still."""


class Scores(NamedTuple):
    """Each float64 [..., 61]; errors in the channel's own unit (weight or radian)."""

    n: Floats
    """Frames measured in both sources."""
    missing: Floats
    """Share of the truth's frames without a prediction, 0 to 1."""
    mae: Floats
    """mean |p - y|."""
    mse: Floats
    """mean (p - y)^2, unit squared."""
    rmse: Floats
    """Root of `mse`."""
    bias: Floats
    """mean (p - y); positive where the prediction is too high."""
    pearson: Floats
    """cov(p, y) / (sd p sd y), -1 to 1; NaN where either stands still."""
    ccc: Floats
    """Lin's concordance 2 cov / (var p + var y + (mean p - mean y)^2), -1 to 1 (Lin 1989,
    moments over n). 0 for a prediction that stands still, NaN for such a truth."""
    active_mae: Floats
    """mean |p - y| over the frames with |y| above tau."""
    precision_10: Floats
    """Hits / frames the prediction shows at 0.1 or more; NaN where it shows none."""
    recall_10: Floats
    """Hits / frames the truth shows at 0.1 or more; NaN where it shows none."""
    f1_10: Floats
    """2 hits / (claimed + shown), the harmonic mean of both; NaN where neither shows any."""
    precision_30: Floats
    recall_30: Floats
    f1_30: Floats
    amplitude_ratio: Floats
    """sum p / sum y over the frames with y above tau; below 1 is muted. Of rotations,
    sum p sign(y) / sum |y|: the part of the turn that was followed."""
    symmetry_error: Floats
    """mean |(pL - pR) - (yL - yR)| over a channel and its mirror partner; the same number
    in both, NaN without partner. Yaw and roll of the eyes mirror into their negative, so
    there it is mean |(pL + pR) - (yL + yR)|."""
    truth_std: Floats
    """Standard deviation of the truth; 0 where it stands still."""
    pred_std: Floats


_CORRELATIONS = frozenset({"pearson", "ccc", "amplitude_ratio"})


def scores(s: Sums) -> Scores:
    """Every metric of Sums [..., 61], over all leading axes at once."""
    n = s.frames
    truth, pred = ratio(s.truth, n), ratio(s.pred, n)
    truth_var = _variance(ratio(s.truth2, n), truth)
    pred_var = _variance(ratio(s.pred2, n), pred)
    covariance = ratio(s.product, n) - truth * pred
    mse = ratio(s.squared, n)
    moved = truth_var > 0
    spread = np.sqrt(truth_var * pred_var)
    apart = pred_var + truth_var + (pred - truth) ** 2
    return Scores(
        n=n,
        missing=ratio(s.missing, s.missing + n),
        mae=ratio(s.absolute, n),
        mse=mse,
        rmse=np.sqrt(mse),
        bias=pred - truth,
        pearson=np.clip(ratio(covariance, spread), -1, 1),
        ccc=ratio(np.where(pred_var > 0, 2 * covariance, 0.0), np.where(moved, apart, 0.0)),
        active_mae=ratio(s.active_absolute, s.active_frames),
        **_activation_scores("10", s.hits_10, s.claimed_10, s.shown_10),
        **_activation_scores("30", s.hits_30, s.claimed_30, s.shown_30),
        amplitude_ratio=ratio(s.active_pred, np.where(s.active_frames > 0, s.active_truth, 0.0)),
        symmetry_error=ratio(s.pair_absolute, s.pair_frames),
        truth_std=np.sqrt(truth_var),
        pred_std=np.sqrt(pred_var),
    )


def _activation_scores(
    level: str, hits: Floats, claimed: Floats, shown: Floats
) -> dict[str, Floats]:
    return {
        f"precision_{level}": ratio(hits, claimed),
        f"recall_{level}": ratio(hits, shown),
        f"f1_{level}": ratio(2 * hits, claimed + shown),
    }


def _variance(mean_square: Floats, mean: Floats) -> Floats:
    variance = mean_square - mean**2
    return np.where(variance <= _STILL, 0.0, variance)  # NaN stays NaN


def active_channels(
    truth: NDArray[np.floating] | Sequence[NDArray[np.floating]],
) -> NDArray[np.bool_]:
    """Bool [61]: channels that move enough for a correlation to mean something.

    95th percentile above 0.05 and standard deviation above 0.01, over all frames of
    the clips [T, 61] together. Of rotations the percentile is that of the magnitude.
    """
    clips = [truth] if isinstance(truth, np.ndarray) else list(truth)
    table = np.concatenate([np.asarray(clip, np.float64).reshape(-1, COUNT) for clip in clips])
    return np.array([_is_active(column[~np.isnan(column)]) for column in table.T])


def _is_active(known: Floats) -> bool:
    if not len(known):
        return False
    # no harm to weights: a tracker's are not negative
    high = np.percentile(np.abs(known), 95)
    return bool(high > ACTIVE_HIGH and known.std() > ACTIVE_SPREAD)


class Macro(NamedTuple):
    """Means over channels; the fields of both hold arrays [...]."""

    mean: Scores
    """Of each metric, over the channels that have it."""
    channels: Scores
    """How many channels that was."""
    still: Floats
    """Active channels in which the prediction stands still: their Pearson counts as 0."""


def macro(s: Scores, active: NDArray[np.bool_], group: str | None = None) -> Macro:
    """Unweighted mean over the channels of a region or half, or over the whole face.

    Pearson, CCC and amplitude ratio are averaged over `active` channels, the rest over
    every channel that has the metric. A mean of weights and radians has no unit, so
    rotations are left out, but from a group that holds nothing else (`head`).

    A dead channel has no Pearson. Leaving it out would reward it, so in an active
    channel a prediction that stands still counts as 0 and is counted in `still`.
    """
    chosen = members(group)
    dead = chosen & active & (s.truth_std > 0) & (s.pred_std == 0)
    filled = s._replace(pearson=np.where(dead, 0.0, s.pearson))
    means, counts = {}, {}
    for name, values in filled._asdict().items():
        used = chosen & active if name in _CORRELATIONS else chosen
        means[name], counts[name] = mean_over(values, used)
    return Macro(Scores(**means), Scores(**counts), np.asarray(dead.sum(axis=-1), np.float64))


def members(group: str | None) -> NDArray[np.bool_]:
    """The channels that a mean over a region, a half or the face goes over."""
    inside = np.ones(COUNT, np.bool_)
    if group is not None:
        inside = np.isin(np.arange(COUNT), region_indices(group))
    weights = inside & ~IS_ROTATION
    return weights if weights.any() else inside


def mean_over(values: Floats, used: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """(mean, count) over the channels used that have a value."""
    there = used & ~np.isnan(values)
    count = np.asarray(there.sum(axis=-1), np.float64)
    return ratio(np.asarray(np.where(there, values, 0.0).sum(axis=-1)), count), count


def skill(error: Floats | float, baseline_error: Floats | float) -> Floats:
    """1 - error / baseline error: 1 is perfect, 0 no better than the baseline, below 0 worse.

    No unit. NaN where the baseline makes no error. Take it of pooled or macro errors;
    a mean of skills lets one quiet channel outweigh the face.
    """
    return 1 - ratio(np.asarray(error, np.float64), np.asarray(baseline_error, np.float64))


def all_zero(truth: NDArray[np.floating]) -> Floats:
    """The face at rest [T, 61] wherever there is a truth. Hard to beat: most values are 0."""
    return constant(np.zeros(COUNT), truth)


def constant(mean: NDArray[np.floating], truth: NDArray[np.floating]) -> Floats:
    """The same face `mean` [61] in every frame [T, 61] wherever there is a truth.

    The mean of training data, or else that of the other clusters (`left_out_means`):
    the mean of the very truth that is scored knows what it should not.
    """
    return np.where(np.isnan(truth), np.nan, np.asarray(mean, np.float64))


def previous_frame(truth: NDArray[np.floating]) -> Floats:
    """The truth one row late [T, 61]; NaN in the first row and after a lost frame.

    It has seen the reference, so it is a bar for trackers of a stream only, and a
    higher one the higher the frame rate.
    """
    table = np.asarray(truth, np.float64)
    return np.concatenate([np.full((1, COUNT), np.nan), table[:-1]])[: len(table)]


def left_out_means(s: Sums) -> Floats:
    """For each of K clusters, the mean truth of all others, [K, 61]; NaN without any."""
    if s.truth.ndim != 2 or len(s.truth) < 2:
        raise BadInput(f"sums of shape {s.truth.shape}", "a leading axis of two or more clusters")
    return ratio(s.truth.sum(axis=0) - s.truth, s.frames.sum(axis=0) - s.frames)
