"""What judges prefer, and whether they agree with each other and with a learnt one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, need
from semanticface.metrics.clusters import by_key
from semanticface.metrics.interval import Interval
from semanticface.metrics.ratio import Floats
from semanticface.metrics.statistics import cluster_bootstrap, wilson

Ties = Literal["half", "drop", "loss"]
Level = Literal["nominal", "ordinal", "interval", "ratio"]


def win_rate(
    wins: int, losses: int, ties: int = 0, *, policy: Ties = "half", level: float = 0.95
) -> Interval:
    """Share of comparisons won, 0 to 1, with Wilson's interval.

    half: (wins + ties / 2) / all; drop: wins / (wins + losses); loss: wins / all. Judgements
    are taken for independent: with several by one rater or of one item, bootstrap instead.
    """
    won = {"half": wins + ties / 2, "drop": wins, "loss": wins}[policy]
    judged = wins + losses + (0 if policy == "drop" else ties)
    rate = wilson(won, judged, level=level)
    return rate._replace(method=f"wilson, ties {policy}")


class Comparison(NamedTuple):
    """One verdict: `one` against `other`; score 1, 0.5 (tie) or 0 for `one`."""

    one: str
    other: str
    score: float
    cluster: str | None
    """Who judged, or what was judged: verdicts that depend on each other share it."""


class Ranking(NamedTuple):
    """Strengths of a Bradley-Terry model, in the order of `items`."""

    items: tuple[str, ...]
    strength: Interval
    """Natural log odds, mean 0: P(a beats b) = 1 / (1 + exp(s_b - s_a))."""


def bradley_terry(
    comparisons: Sequence[Comparison], *, alpha: float = 0.0, resamples: int = 1000,
    level: float = 0.95, seed: int = 0,
) -> Ranking:  # fmt: skip
    """Maximum-likelihood strengths of things compared in pairs (Bradley and Terry 1952).

    By iterated Luce spectral ranking (choix, Maystre and Grossglauser 2015), a tie as half
    a win for each, with a bootstrap over clusters. Something that never lost, or parts
    nobody compared, have no finite strengths: that is an error, and in a resample NaN.
    `alpha` above 0 adds a little of every verdict and so always gives strengths, shrunk.
    """
    items = tuple(sorted({name for each in comparisons for name in (each.one, each.other)}))
    counts = [_wins(each, items) for each in comparisons]
    table = by_key(counts, [each.cluster for each in comparisons]).sums
    if len(items) < 2 or (alpha == 0 and not _connected(np.sum(table, axis=0))):
        raise BadInput(
            f"comparisons of {', '.join(items) or 'nothing'} without wins both ways",
            "a chain of wins from each to each",
            hint="Something never lost or never won. Compare more, or set alpha above 0.",
        )
    strength = cluster_bootstrap(
        table, lambda wins: np.array([_strengths(each, alpha) for each in wins]),
        resamples=resamples, level=level, seed=seed,
    )  # fmt: skip
    return Ranking(items, strength)


def _wins(comparison: Comparison, items: tuple[str, ...]) -> Floats:
    """[n, n]: row beats column."""
    one, other, score = items.index(comparison.one), items.index(comparison.other), comparison.score
    if score not in (0, 0.5, 1) or one == other:
        raise BadInput(f"{comparison}", "two different things and a score of 0, 0.5 or 1")
    wins = np.zeros((len(items), len(items)))
    wins[one, other], wins[other, one] = score, 1 - score
    return wins


def _connected(wins: Floats) -> bool:
    from scipy.sparse.csgraph import connected_components

    return bool(connected_components(wins, directed=True, connection="strong")[0] == 1)


def _strengths(wins: Floats, alpha: float) -> Floats:
    choix: Any = need("choix", "arena", "Bradley-Terry")
    if alpha == 0 and not _connected(wins):
        return np.full(len(wins), np.nan)
    try:
        strength = np.asarray(choix.ilsr_pairwise_dense(wins, alpha=alpha, max_iter=1000))
    except RuntimeError:  # not converged: all but separated
        return np.full(len(wins), np.nan)
    return np.asarray(strength - strength.mean())


def cohen_kappa(one: Sequence[Any], other: Sequence[Any]) -> float:
    """Agreement of two raters beyond chance, (po - pe) / (1 - pe) (Cohen 1960), up to 1.

    po: share of items named alike; pe: the same if each named at its own rates. Unweighted
    categories. NaN where both only ever named one and the same.
    """
    if len(one) != len(other) or not len(one):
        raise BadInput(f"{len(one)} and {len(other)} ratings", "one each for the same items")
    names = sorted({*one, *other}, key=str)
    table = np.zeros((len(names), len(names)))
    np.add.at(table, ([names.index(a) for a in one], [names.index(b) for b in other]), 1)
    table /= len(one)
    return _beyond(float(np.trace(table)), float(table.sum(axis=0) @ table.sum(axis=1)))


def fleiss_kappa(counts: NDArray[Any]) -> float:
    """Agreement of n raters beyond chance (Fleiss 1971), from counts [items, categories].

    P = mean over items of (sum n_j^2 - n) / (n (n - 1)), Pe = sum of squared category
    shares, (P - Pe) / (1 - Pe). Every item has the same number of ratings, not always by
    the same raters; where that number differs, use `krippendorff_alpha`.
    """
    table = np.asarray(counts, np.float64)
    raters = np.unique(table.sum(axis=1)) if table.ndim == 2 else np.zeros(0)
    if len(raters) != 1 or raters[0] < 2:
        raise BadInput(
            f"ratings per item of {raters.tolist()}", "the same number, 2 or more, for every item",
            hint="krippendorff_alpha allows missing ratings.",
        )  # fmt: skip
    n = raters[0]
    alike = ((table**2).sum(axis=1) - n) / (n * (n - 1))
    shares = table.sum(axis=0) / table.sum()
    return _beyond(float(alike.mean()), float((shares**2).sum()))


def _beyond(observed: float, chance: float) -> float:
    return (observed - chance) / (1 - chance) if chance < 1 else float("nan")


def krippendorff_alpha(ratings: NDArray[np.floating], level: Level = "nominal") -> float:
    """1 - observed / expected disagreement of ratings [raters, items], NaN where missing.

    By the package krippendorff (Krippendorff 2004). 1 is full agreement, 0 chance; NaN
    where all ratings are the same, so that nothing could have been told apart.
    """
    package: Any = need("krippendorff", "arena", "Krippendorff's alpha")
    table = np.asarray(ratings, np.float64)
    if table.ndim != 2 or not (np.count_nonzero(~np.isnan(table), axis=0) >= 2).any():
        raise BadInput(f"ratings of shape {table.shape}", "[raters, items], an item rated twice")
    if len(np.unique(table[~np.isnan(table)])) < 2:
        return float("nan")
    return float(package.alpha(reliability_data=table, level_of_measurement=level))


class Round(NamedTuple):
    """Verdicts of one round of preference training on N answers against their rivals.

    1 the answer wins, 0.5 a tie, 0 it loses, NaN not judged."""

    discriminator: NDArray[np.floating]
    human: NDArray[np.floating]
    clusters: Sequence[str | None]
    """The subject, script or rater of each verdict."""


def oracle_drift(
    rounds: Mapping[int, Round], *, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> dict[int, Interval]:
    """Discriminator win rate minus human win rate, by round, -1 to 1.

    Growing from round to round, it says that answers please the learnt judge more than
    people (SuperFace sees it from round 3). Both rates are drawn on the same clusters.
    Ties count half.
    """
    return {
        number: cluster_bootstrap(
            by_key(_verdicts(each), each.clusters).sums, _drift,
            resamples=resamples, level=level, seed=seed,
        )
        for number, each in rounds.items()
    }  # fmt: skip


def _verdicts(judged: Round) -> list[Floats]:
    """Per answer: wins and verdicts of the discriminator, wins and verdicts of people."""
    both = [np.asarray(each, np.float64) for each in (judged.discriminator, judged.human)]
    if both[0].shape != both[1].shape or both[0].ndim != 1:
        raise BadInput(f"verdicts of shapes {both[0].shape} and {both[1].shape}", "[N] each")
    columns = [column for each in both for column in (np.nan_to_num(each), ~np.isnan(each))]
    return list(np.column_stack(columns).astype(np.float64))


def _drift(s: Floats) -> Floats:
    there = (s[..., 1] > 0) & (s[..., 3] > 0)
    counts = np.where(there[..., np.newaxis], s[..., [1, 3]], np.nan)
    rates = s[..., [0, 2]] / counts
    return np.asarray(rates[..., 0] - rates[..., 1])
