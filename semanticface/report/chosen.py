"""Which channels, takes and sources a page looks at closely."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semanticface.evaluation.items import PairedFrames
from semanticface.evaluation.result import Evaluation
from semanticface.metrics.coefficients import Scores, pooled, scores, sums
from semanticface.report.curves import COLOURS
from semanticface.rig import BLENDSHAPES, INDEX, NAMES
from semanticface.rig.channels import channel

WORST, BEST = 4, 2
MOST_SOURCES = 4
"""Drawn beside each other; more would not be read."""
MOST_TAKES = 3


def drawn_sources(evaluation: Evaluation, frames: Sequence[PairedFrames]) -> list[str]:
    """Sources with frames, the baselines only where there is nothing else."""
    there = {pair.source for pair in frames}
    sources = [source for source in evaluation.sources if source.name in there]
    own = [source.name for source in sources if not source.baseline]
    return own or [source.name for source in sources]


def colours(evaluation: Evaluation) -> dict[str, str]:
    """A colour a source, the same all over the page; baselines take theirs last."""
    order = sorted(evaluation.sources, key=lambda source: source.baseline)
    return {source.name: COLOURS[i % len(COLOURS)] for i, source in enumerate(order)}


def of_source(frames: Sequence[PairedFrames], source: str) -> list[PairedFrames]:
    """A source's takes."""
    return [pair for pair in frames if pair.source == source]


def pooled_scores(pairs: Sequence[PairedFrames]) -> Scores:
    """Scores [61] over all frames of some takes."""
    return scores(pooled([sums(pair.pred.values, pair.truth.values) for pair in pairs]))


def chosen_channels(
    evaluation: Evaluation, frames: Sequence[PairedFrames], asked: Sequence[str] | None
) -> list[str]:
    """Those asked for, or the active ones that agree worst and best, by concordance.

    Of the first source with frames. A prediction that stands still agrees by 0.
    """
    if asked is not None:
        return [channel(name).name for name in asked]
    sources = drawn_sources(evaluation, frames)
    if not sources:
        return []
    agreement = pooled_scores(of_source(frames, sources[0])).ccc
    known = [i for i in map(INDEX.__getitem__, evaluation.active) if not np.isnan(agreement[i])]
    rising = sorted(known, key=lambda i: float(agreement[i]))
    picked = [*rising[:WORST], *rising[max(WORST, len(rising) - BEST) :]]
    return [NAMES[i] for i in picked]


def chosen_takes(frames: Sequence[PairedFrames], source: str) -> list[str]:
    """All takes of a source, or of many the best, the middle and the worst by mean error."""
    own = of_source(frames, source)
    if len(own) <= MOST_TAKES:
        return [pair.take for pair in own]
    rising = sorted(own, key=mean_error)
    return [rising[i].take for i in (-1, len(rising) // 2, 0)]


def mean_error(pair: PairedFrames) -> float:
    """Mean absolute error over shapes and frames; infinite where nothing was measured."""
    error = frame_errors(pair)
    known = error[~np.isnan(error)]
    return float(known.mean()) if len(known) else float("inf")


def frame_errors(pair: PairedFrames) -> np.ndarray:
    """Mean absolute error of each frame [T] over the shapes measured in both; else NaN."""
    apart = np.abs(pair.pred.values - pair.truth.values)[:, : len(BLENDSHAPES)].astype(np.float64)
    known = ~np.isnan(apart)
    count = known.sum(axis=1)
    total = np.where(known, apart, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
