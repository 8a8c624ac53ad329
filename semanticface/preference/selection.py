"""Which pairs to ask next: the ones whose verdict tells most.

For a pair with predicted probabilities p_k of K judges that the first answer wins
(an ensemble of discriminators, or several oracles), p the mean of p_k:

    uncertainty  = 4 p (1 - p)                         0 settled, 1 even
    disagreement = 2 std(p_k)                          0 agreed, 1 split in two camps
    coverage     = mean of 1 / sqrt(1 + asked before)  of its subject and of the channels
                                                       in which the answers differ

    worth = uncertainty_weight * uncertainty + disagreement_weight * disagreement
            + coverage_weight * coverage

Pairs are taken one by one, and each taken pair counts as asked for the next. The
formula is this project's own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.preference.candidates import Duel
from semanticface.rig import COUNT

_DIFFERS = 0.02
"""Least difference of a channel, in weights or radians, that a verdict can be about."""


class Weights(NamedTuple):
    """How much each reason to ask counts."""

    uncertainty: float = 1.0
    disagreement: float = 1.0
    coverage: float = 1.0


EVEN = Weights()


class Choice(NamedTuple):
    """A pair that was taken and why."""

    place: int
    """Its place in the list given."""
    worth: float
    uncertainty: float
    disagreement: float
    coverage: float


def select(
    duels: Sequence[Duel], subjects: Sequence[str], count: int, *,
    predicted: NDArray[np.floating] | None = None, weights: Weights = EVEN,
) -> tuple[Choice, ...]:  # fmt: skip
    """The `count` most telling pairs, best first.

    `predicted`: [K, N] probabilities that the first answer wins; None where nobody has
    learnt anything yet, and then every pair is as uncertain as the next.
    """
    if len(duels) != len(subjects):
        raise BadInput(f"{len(subjects)} subjects", f"{len(duels)}, one a pair")
    doubt, split = _judged(predicted, len(duels))
    moved = np.array([_moved(each) for each in duels]).reshape(len(duels), COUNT)
    asked, met = np.zeros(COUNT), Counter[str]()
    left = list(range(len(duels)))
    taken: list[Choice] = []
    while left and len(taken) < count:
        fresh = {i: _coverage(moved[i], asked, met[subjects[i]]) for i in left}
        scored = [_choice(i, doubt[i], split[i], fresh[i], weights) for i in left]
        best = max(scored, key=lambda each: (each.worth, -each.place))
        taken.append(best)
        left.remove(best.place)
        asked += moved[best.place]
        met[subjects[best.place]] += 1
    return tuple(taken)


def _judged(
    predicted: NDArray[np.floating] | None, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if predicted is None:
        return np.ones(count), np.zeros(count)
    table = np.atleast_2d(np.asarray(predicted, np.float64))
    if table.shape[1] != count or not ((table >= 0) & (table <= 1)).all():
        raise BadInput(f"predictions of shape {table.shape}", f"[judges, {count}] from 0 to 1")
    mean = table.mean(axis=0)
    return 4 * mean * (1 - mean), 2 * table.std(axis=0)


def _choice(index: int, doubt: float, split: float, fresh: float, weights: Weights) -> Choice:
    worth = weights.uncertainty * doubt + weights.disagreement * split + weights.coverage * fresh
    return Choice(index, float(worth), float(doubt), float(split), float(fresh))


def _moved(duel: Duel) -> NDArray[np.bool_]:
    """Bool [61]: channels in which the two answers differ at some moment."""
    gap = np.nan_to_num(np.abs(duel.one.values - duel.other.values))
    return np.asarray((gap > _DIFFERS).any(axis=0))


def _coverage(moved: NDArray[np.bool_], asked: NDArray[np.float64], met: int) -> float:
    channels = float((1 / np.sqrt(1 + asked[moved])).mean()) if moved.any() else 0.0
    return (channels + 1 / math.sqrt(1 + met)) / 2
