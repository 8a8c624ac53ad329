"""Whether two sources differ, are as good as equal, and how many takes it takes to tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.clusters import count
from semanticface.metrics.ratio import Floats

_MOST_EXACT = 14
"""Up to 2^14 sign patterns are tried all; beyond that some are drawn."""
_MOST_TAKES = 100_000


class SignFlip(NamedTuple):
    """A permutation test; arrays where the differences were."""

    difference: Floats
    """Mean over clusters."""
    p: Floats
    """Two-sided; NaN where a cluster has no difference."""
    least: float
    """The smallest p these clusters could have given, 2^(1-K) where all patterns were tried."""
    exact: bool
    clusters: int


def sign_flip(
    differences: NDArray[np.floating], *, resamples: int = 10_000, seed: int = 0
) -> SignFlip:
    """Test whether paired differences [K, ...] of K clusters are centred on zero.

    If the two sources were equal, either could have had either score, so every pattern
    of signs is as likely as the one seen: p is the share of patterns with a mean as far
    from 0. All 2^K up to 14 clusters, else `resamples` drawn ones, (b + 1) / (m + 1)
    (Phipson and Smyth 2010). With 5 clusters or fewer p cannot fall below 0.05.
    """
    table = np.asarray(differences, np.float64)
    clusters = count(np.zeros(table.shape))
    exact = clusters <= _MOST_EXACT
    signs = _all_signs(clusters) if exact else _some_signs(clusters, resamples, seed)
    flat = table.reshape(clusters, -1)
    seen = np.abs(flat.mean(axis=0))
    flipped = np.abs(signs @ np.nan_to_num(flat)) / clusters
    as_far = (flipped >= seen * (1 - 1e-12) - 1e-300).sum(axis=0)
    p = as_far / len(signs) if exact else (as_far + 1) / (len(signs) + 1)
    p = np.where(np.isnan(seen), np.nan, p).reshape(table.shape[1:])
    least = 2.0 ** (1 - clusters) if exact else 1 / (len(signs) + 1)
    return SignFlip(table.mean(axis=0), p, least, exact, clusters)


def _all_signs(clusters: int) -> Floats:
    patterns = np.arange(2**clusters)[:, np.newaxis] >> np.arange(clusters)
    return np.asarray(1.0 - 2.0 * (patterns & 1), np.float64)


def _some_signs(clusters: int, resamples: int, seed: int) -> Floats:
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(resamples, clusters))


class Equivalence(NamedTuple):
    """Two one-sided tests against a margin."""

    difference: float
    low: float
    high: float
    """Interval of level 1 - 2 alpha: equivalent means it lies inside the margin."""
    margin: float
    p: float
    equivalent: bool
    clusters: int


def equivalence(
    differences: NDArray[np.floating], margin: float, *, alpha: float = 0.05
) -> Equivalence:
    """Whether paired differences [K] of K clusters are surely within ± margin (TOST).

    p is the larger of the p values of t = (mean + margin) / se against "not above
    -margin" and t = (margin - mean) / se against "not below margin", with K - 1 degrees
    of freedom (Schuirmann 1987). "Not significantly different" is no equivalence; this
    is. The margin, in the metric's unit, has to be declared before looking.
    """
    from scipy.special import stdtr, stdtrit

    table = np.asarray(differences, np.float64)
    clusters = count(table)
    if table.ndim != 1 or not margin > 0:
        raise BadInput(f"differences of shape {table.shape}, margin {margin:g}", "[K], above 0")
    mean, error = float(table.mean()), float(table.std(ddof=1) / np.sqrt(clusters))
    nearest = margin - abs(mean)
    surely = np.inf if nearest > 0 else -np.inf
    p = float(stdtr(clusters - 1, -nearest / error if error > 0 else -surely))
    reach = float(stdtrit(clusters - 1, 1 - alpha)) * error
    return Equivalence(mean, mean - reach, mean + reach, margin, p, p < alpha, clusters)


def power(takes: int, difference: float, spread: float, *, alpha: float = 0.05) -> float:
    """Chance that a paired two-sided t test over `takes` finds a true mean difference.

    Noncentral t with takes - 1 degrees of freedom and noncentrality difference / spread
    sqrt(takes). `spread` is the standard deviation between takes of the paired
    difference, in the unit of `difference`.
    """
    from scipy.special import stdtrit
    from scipy.stats import nct

    _check_effect(difference, spread)
    if takes < 2:
        return 0.0
    beyond = stdtrit(takes - 1, 1 - alpha / 2)
    shift = abs(difference) / spread * takes**0.5
    # the far tail is below 1e-3 of alpha wherever power matters, yet counts at difference 0
    return float(nct.sf(beyond, takes - 1, shift) + nct.cdf(-beyond, takes - 1, shift))


def takes_needed(
    difference: float, spread: float, *, chance: float = 0.8, alpha: float = 0.05
) -> int:
    """The fewest takes with which such a difference is found with `chance`.

    The spread of a few takes is itself a guess: ask again with `upper_spread`.
    """
    _check_effect(difference, spread)
    if difference == 0 or not 0 < chance < 1:
        raise BadInput(f"difference {difference:g}, chance {chance:g}", "not 0, between 0 and 1")
    few, many = 1, 2
    while power(many, difference, spread, alpha=alpha) < chance:
        few, many = many, many * 2
        if few > _MOST_TAKES:
            raise BadInput(
                f"a difference of {difference:g} in a spread of {spread:g}",
                f"one that {_MOST_TAKES} takes could show",
            )
    while many - few > 1:
        middle = (few + many) // 2
        found = power(middle, difference, spread, alpha=alpha) >= chance
        few, many = (few, middle) if found else (middle, many)
    return many


def upper_spread(differences: NDArray[np.floating], *, confidence: float = 0.8) -> float:
    """Upper confidence limit of the standard deviation between clusters, from values [K].

    sd sqrt((K - 1) / chi²) with the lower quantile of chi² with K - 1 degrees of freedom
    (Browne 1995): planning with it keeps the power with that confidence. 3 takes give
    2.1 times the spread they show.
    """
    from scipy.special import chdtri

    table = np.asarray(differences, np.float64)
    clusters = count(table)
    return float(table.std(ddof=1) * np.sqrt((clusters - 1) / chdtri(clusters - 1, confidence)))


def _check_effect(difference: float, spread: float) -> None:
    if not (np.isfinite(difference) and np.isfinite(spread) and spread > 0):
        raise BadInput(f"difference {difference:g}, spread {spread:g}", "finite, spread above 0")
