"""One source against another, on the same takes and the same frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.evaluation.pairing import Paired
from semanticface.evaluation.result import ChannelDifference, Comparison, Figure
from semanticface.evaluation.summary import DEFAULT, Sureness, clustered, interval
from semanticface.evaluation.tally import HEADLINE, OF_CHANNELS, Tally, headline, of_channels, tally
from semanticface.metrics.catalogue import metric as row_of
from semanticface.metrics.ratio import Floats
from semanticface.metrics.significance import equivalence, sign_flip, takes_needed
from semanticface.metrics.statistics import holm
from semanticface.motion.resample import common_grid, resample
from semanticface.rig import NAMES, FaceClip

Rival = Callable[[FaceClip], FaceClip]
"""A baseline: from the reference of a take to a prediction at its times."""


def joint(one: Paired, other: Paired) -> tuple[FaceClip, FaceClip, FaceClip]:
    """(one, other, truth) at the same times, each only where both predict."""
    grid = common_grid(one.truth, other.truth)
    truth = grid.first
    first, second = common_grid(one.pred, truth).first, common_grid(other.pred, truth).first
    if len(first) != len(truth) or len(second) != len(truth):
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
    size, spread = abs(float(differences.mean())), float(differences.std(ddof=1))
    if size == 0 or spread == 0:
        return None
    try:
        return takes_needed(size, spread)
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
    return f"{of.one} is {sides} than {of.other} ({span})."


def _sides(better: str, low: float, high: float) -> str | None:
    if low <= 0 <= high:
        return None
    if better not in ("lower", "higher"):
        return "higher" if low > 0 else "lower"
    return "better" if (low > 0) == (better == "higher") else "worse"
