"""Guesses that every source has to beat, made from the reference itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semanticface.errors import BadInput
from semanticface.evaluation.summary import clustered
from semanticface.evaluation.tally import tally
from semanticface.metrics.coefficients import all_zero, constant, left_out_means, previous_frame
from semanticface.metrics.ratio import Floats, ratio
from semanticface.rig import FaceClip


def guess(kind: str, truth: FaceClip, mean: Floats | None) -> FaceClip:
    """The baseline's prediction at the reference's own times."""
    if kind == "zero":
        values = all_zero(truth.values)
    elif kind == "previous":
        values = previous_frame(truth.values)
    elif mean is not None:
        values = constant(mean, truth.values)
    else:
        raise BadInput("no mean to guess", "a training mean, or other takes")
    return FaceClip.of(values, truth.times)


def means_of_others(
    truths: Sequence[FaceClip], keys: Sequence[str | None]
) -> tuple[dict[str, Floats], str]:
    """For every take or subject the mean of all others, and what that is called.

    With a single one there is no other: its own mean is a guess that knows what it
    should not, and is called so.
    """
    scored = clustered([tally(clip, clip) for clip in truths], keys)
    sums = scored.tallies.coefficients
    if len(scored.names) == 1:
        own = ratio(sums.truth, sums.frames)[0]
        return {scored.names[0]: own}, "own mean (knows the take)"
    means = left_out_means(sums)
    return dict(zip(scored.names, means, strict=True)), "mean of other takes"


def training_mean(clips: Sequence[FaceClip]) -> Floats:
    """Mean of all frames of training clips, [61]; NaN for channels they do not have."""
    table = np.concatenate([clip.values for clip in clips]).astype(np.float64)
    known = ~np.isnan(table)
    return ratio(np.where(known, table, 0).sum(axis=0), known.sum(axis=0))
