"""How good some answers are, in a row of numbers.

Errors are pooled over all faces; CCC and Pearson are means over the channels that are
active in the truth. What nothing was measured for is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.records import Record
from semanticface.data.tasks import Score, Task
from semanticface.language.consistency import Consistency
from semanticface.metrics.coefficients import active_channels, macro, scores, sums
from semanticface.metrics.grid import grid
from semanticface.train.decoding import Completion


class Figures(NamedTuple):
    """Of answers to faces held out."""

    mae: float
    """mean |p - y| over all channels of all faces, weights and radians alike."""
    active_mae: float
    """The same where |y| is 0.1 or more."""
    ccc: float
    pearson: float
    strict: float
    """Share of answers that are the format to the letter."""
    cut: float
    """Share that came to no end."""
    levels: float
    """Distinct values written: few mean a model that rounds."""
    words: float
    """Share of the words' decided claims that the truth bears out."""
    own: float
    """The same against the answers' own numbers."""
    reward: float
    tokens: float
    """Per answer."""


def figures(task: Task, records: Sequence[Record], answers: Sequence[Completion]) -> Figures:
    """Of one answer to each record."""
    scored = [task.score(r, a.text) for r, a in zip(records, answers, strict=True)]
    told = np.stack([task.read(a.text).values for a in answers]).astype(np.float64)
    truth = np.stack([record.values for record in records]).astype(np.float64)
    error = np.abs(told - truth)
    moving = (np.abs(truth) >= 0.1 - 1e-6) & ~np.isnan(error)
    ccc = pearson = math.nan
    if task.numbers:
        averaged = macro(scores(sums(told, truth)), active_channels(truth)).mean
        ccc, pearson = float(averaged.ccc), float(averaged.pearson)
    finite = told[~np.isnan(told)]
    return Figures(
        _mean(error[~np.isnan(error)]), _mean(error[moving]), ccc, pearson,
        _mean(np.array([each.outcome == "strict" for each in scored])),
        _mean(np.array([not each.whole for each in answers])),
        float(grid(finite).levels) if len(finite) else math.nan,
        _borne_out(scored, "words_with_truth"), _borne_out(scored, "words_with_numbers"),
        _mean(np.array([each.reward for each in scored])),
        _mean(np.array([each.tokens for each in answers])),
    )  # fmt: skip


def _borne_out(scored: Sequence[Score], which: str) -> float:
    held: list[Consistency] = [h for s in scored if (h := getattr(s, which)) is not None]
    true = sum(len(each.supported) for each in held)
    decided = true + sum(len(each.contradicted) for each in held)
    return true / decided if decided else math.nan


def _mean(numbers: NDArray[Any]) -> float:
    return float(numbers.mean()) if numbers.size else math.nan
