"""One source against another, on the same takes and the same frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.evaluation.pairing import Paired
from semanticface.evaluation.result import ChannelDifference, Comparison, Figure
from semanticface.evaluation.summary import (
    DEFAULT,
    Sureness,
    clustered,
    interval,
    mean_over_clusters,
)
from semanticface.evaluation.tally import HEADLINE, OF_CHANNELS, Tally, headline, of_channels, tally
from semanticface.metrics.catalogue import metric as row_of
from semanticface.metrics.ratio import Floats
from semanticface.metrics.significance import equivalence, sign_flip, takes_needed, upper_spread
from semanticface.metrics.statistics import holm
from semanticface.metrics.temporal import summary as temporal_summary
from semanticface.motion.resample import on_measured_frames, resample
from semanticface.rig import NAMES, FaceClip

SCALAR = ("jitter_ratio", "log_spectral_distance")
GEOMETRY = ("lve_max_squared", "lve_root", "lve_mean_max", "lip_gap_error", "aperture_error")
COMPARED = (*HEADLINE, *SCALAR, *GEOMETRY)
"""Metrics by which two sources can be compared on the same frames."""
Rival = Callable[[FaceClip], FaceClip]
"""A baseline: from the reference of a take to a prediction at its times."""


def joint(one: Paired, other: Paired) -> tuple[FaceClip, FaceClip, FaceClip]:
    """(one, other, truth) at the same times, each only where both predict."""
    truth = on_measured_frames(one.truth, other.truth).second
    first, second = (_onto(each.pred, truth) for each in (one, other))
    return (*_where_both(first, second), truth)


def _onto(clip: FaceClip, truth: FaceClip) -> FaceClip:
    return resample(clip, truth.times)


def _where_both(first: FaceClip, second: FaceClip) -> tuple[FaceClip, FaceClip]:
    lost = np.isnan(first.values) | np.isnan(second.values)
    return tuple(  # type: ignore[return-value]
        FaceClip.of(np.where(lost, np.nan, clip.values), clip.times, meta=clip.meta)
        for clip in (first, second)
    )


def against_rival(one: Paired, rival: Rival) -> tuple[FaceClip, FaceClip, FaceClip]:
    """The same for a baseline, which is made from the reference of the source's own frames."""
    return (*_where_both(one.pred, rival(one.truth)), one.truth)


def compare(
    names: tuple[str, str],
    triples: Sequence[tuple[FaceClip, FaceClip, FaceClip]],
    keys: Sequence[str],
    active: NDArray[np.bool_],
    *,
    metric: str = "mae",
    margin: float | None = None,
    mean: Mapping[str, Floats] | None = None,
    sure: Sureness = DEFAULT,
) -> Comparison:
    """The difference one - other by a headline metric, how sure, and by channel."""
    tallies = [
        [tally(clip, truth, None if mean is None else mean.get(key)) for clip in (one, other)]
        for (one, other, truth), key in zip(triples, keys, strict=True)
    ]
    first, second = (clustered([pair[i] for pair in tallies], keys) for i in (0, 1))
    if metric not in HEADLINE:
        return _by_scalars(names, triples, keys, metric, margin, sure)
    at = HEADLINE.index(metric)

    def difference(both: tuple[Tally, Tally]) -> Floats:
        return np.asarray((headline(both[0], active) - headline(both[1], active))[..., [at]])

    found = interval((first.tallies, second.tallies), difference, len(first.names), sure)
    found = found._replace(estimate=found.estimate[0], low=found.low[0], high=found.high[0])
    own = headline(first.tallies, active)[:, at] - headline(second.tallies, active)[:, at]
    figure = Figure.of(found, float(sum(len(truth) for *_, truth in triples)))
    evidence = _evidence(own, margin) if len(own) > 1 and np.isfinite(own).all() else _Evidence()
    channels = _by_channel(first.tallies, second.tallies, metric) if len(own) > 1 else {}
    told = Comparison(
        one=names[0], other=names[1], metric=metric, better=row_of(metric).better,
        difference=figure, margin=margin, channels=channels, **evidence._asdict(),
    )  # fmt: skip
    return told.model_copy(update={"verdict": verdict(told)})


def _by_scalars(
    names: tuple[str, str], triples: Sequence[tuple[FaceClip, FaceClip, FaceClip]],
    keys: Sequence[str], metric: str, margin: float | None, sure: Sureness,
) -> Comparison:  # fmt: skip
    """By a metric that does not add up over frames: of movement, or on the head's vertices."""
    differences = np.array([_scalar(metric, one, truth) - _scalar(metric, other, truth)
                            for one, other, truth in triples])  # fmt: skip
    figure = mean_over_clusters(differences, keys, sure)
    own = np.array([differences[[k == key for k in keys]].mean() for key in dict.fromkeys(keys)])
    evidence = _evidence(own, margin) if len(own) > 1 and np.isfinite(own).all() else _Evidence()
    better = row_of(metric).better
    told = Comparison(
        one=names[0], other=names[1], metric=metric, difference=figure, margin=margin,
        better="lower" if better == "one" else better, **evidence._asdict(),
    )  # fmt: skip
    return told.model_copy(update={"verdict": verdict(told)})


def _scalar(metric: str, pred: FaceClip, truth: FaceClip) -> float:
    """One figure of one take; ratios as their distance from 1 on a log scale, so less is better."""
    if metric in GEOMETRY:
        from semanticface.metrics.geometry import compare_clips
        from semanticface.metrics.zones import find_zones
        from semanticface.render.head import load_head

        head = load_head()
        return float(getattr(compare_clips(head, truth, pred, find_zones(head)), metric))
    value = temporal_summary(pred, truth, lagging=False)[metric]
    return abs(float(np.log2(value))) if row_of(metric).better == "one" else float(value)


class _Evidence(NamedTuple):
    p: float | None = None
    p_least: float | None = None
    takes_needed: int | None = None
    equivalent: bool | None = None


def _evidence(differences: Floats, margin: float | None) -> _Evidence:
    """Sign-flip test, equivalence and the takes a repeat would need, over clusters."""
    test = sign_flip(differences[:, None])
    same = None if margin is None else bool(equivalence(differences, margin).equivalent)
    return _Evidence(float(np.ravel(test.p)[0]), float(test.least), _needed(differences), same)


def _needed(differences: Floats) -> int | None:
    """Planned with the upper limit of the spread: that of a few takes is itself a guess."""
    size = abs(float(differences.mean()))
    if size == 0 or not differences.std():
        return None
    try:
        return takes_needed(size, upper_spread(differences))
    except BadInput:  # more takes than anybody has
        return None


def _by_channel(first: Tally, second: Tally, metric: str) -> dict[str, ChannelDifference]:
    """Per channel, with p corrected by Holm for looking at all of them."""
    if metric not in OF_CHANNELS:
        return {}
    at = OF_CHANNELS.index(metric)
    differences = of_channels(first)[..., at] - of_channels(second)[..., at]
    known = np.flatnonzero(np.isfinite(differences).all(axis=0))
    if not len(known):
        return {}
    p = np.asarray(sign_flip(differences[:, known]).p)
    corrected = holm(p)
    return {
        NAMES[i]: ChannelDifference(
            difference=float(differences[:, i].mean()), p=float(p[j]), p_holm=float(corrected[j])
        )
        for j, i in enumerate(known)
    }


def verdict(of: Comparison) -> str:
    """The comparison in a sentence that claims no more than the interval shows."""
    value, low, high = of.difference.value, of.difference.low, of.difference.high
    if value is None:
        return f"{of.one} and {of.other} cannot be compared by {of.metric}."
    about = f"{of.metric} {value:+.4f}"
    if low is None or high is None:
        return (
            f"{of.one} against {of.other}: {about} on one take or subject, "
            "which shows nothing about others."
        )
    span = f"{about}, interval {low:+.4f} to {high:+.4f}, {of.difference.clusters} clusters"
    sides = _sides(of.better, low, high)
    if sides is None:
        same = " They are equivalent within the margin." if of.equivalent else ""
        return f"No difference shown between {of.one} and {of.other} ({span}).{same}"
    small = f", though within the margin of {of.margin:g}" if of.equivalent else ""
    return f"{of.one} is {sides} than {of.other}{small} ({span})."


def _sides(better: str, low: float, high: float) -> str | None:
    if low <= 0 <= high:
        return None
    if better not in ("lower", "higher"):
        return "higher" if low > 0 else "lower"
    return "better" if (low > 0) == (better == "higher") else "worse"
