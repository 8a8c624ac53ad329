"""What verdicts say about the raters, and about the sources of the answers.

Kinds of judges are told apart everywhere: a summary is of people, or of oracles, or of
discriminators. Attention checks and second turns count for the rater's record only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.agreement import (
    Comparison,
    bradley_terry,
    cohen_kappa,
    krippendorff_alpha,
)
from semanticface.preference.store.database import Store
from semanticface.preference.store.tables import ANSWERS, ITEMS
from semanticface.preference.store.verdicts import Heard

_CODES = {"one": 0, "other": 1, "tie": 2, "bad": 3}
_DECIDED = ("one", "other")
_RARE = 0.001
"""Chance of a pattern in honest clicking from which on a rater is looked at."""
_SHRUNK = 0.1


@dataclass(frozen=True)
class Limits:
    """From when on a rater is suspicious. The limits are this project's own."""

    fewest: int = 20
    """Decided pairs before sides are looked at."""
    fewest_checks: int = 3
    checks: float = 0.7
    fewest_repeats: int = 5
    repeats: float = 0.6
    seconds: float = 0.6
    """Median below which nobody can have looked at both."""
    same: float = 0.95
    """Share of one and the same button."""


class Record(NamedTuple):
    """One rater."""

    rater_id: str
    name: str
    kind: str
    verdicts: int
    clicks: dict[str, int]
    seconds: float | None
    """Median."""
    left: float
    """Share of left among left and right; NaN where there is neither."""
    checks: tuple[int, int]
    """Passed, of how many."""
    repeats: tuple[int, int]
    """Answered the same way, of how many decided both times."""
    suspicious: tuple[str, ...]


def records(verdicts: Sequence[Heard], limits: Limits | None = None) -> tuple[Record, ...]:
    """Every rater's record, by name."""
    by_rater: dict[str, list[Heard]] = {}
    for each in verdicts:
        by_rater.setdefault(each.rater_id, []).append(each)
    found = [_record(said, limits or Limits()) for said in by_rater.values()]
    return tuple(sorted(found, key=lambda each: each.name))


def _record(said: Sequence[Heard], limits: Limits) -> Record:
    clicks = Counter(each.click for each in said)
    sided = clicks["left"] + clicks["right"]
    times = [each.seconds for each in said if each.seconds is not None]
    checks = [each for each in said if each.purpose == "check" and each.choice != "skip"]
    passed = sum(each.choice == each.expected for each in checks)
    same, twice = _self_consistency(said)
    record = Record(
        said[0].rater_id, said[0].rater, said[0].kind, len(said), dict(clicks),
        median(times) if times else None, clicks["left"] / sided if sided else float("nan"),
        (passed, len(checks)), (same, twice), (),
    )  # fmt: skip
    return record._replace(suspicious=tuple(_suspicions(record, limits)))


def _self_consistency(said: Sequence[Heard]) -> tuple[int, int]:
    first = {each.pair_id: each.choice for each in said if each.turn == 0}
    twice = [
        (first[each.pair_id], each.choice) for each in said
        if each.turn == 1 and each.choice in _DECIDED and first.get(each.pair_id) in _DECIDED
    ]  # fmt: skip
    return sum(a == b for a, b in twice), len(twice)


def _suspicions(record: Record, limits: Limits) -> list[str]:
    from scipy.stats import binomtest

    left, right = (record.clicks.get(side, 0) for side in ("left", "right"))
    told = []
    if left + right >= limits.fewest and binomtest(left, left + right).pvalue < _RARE:
        side, share = ("left", record.left) if left > right else ("right", 1 - record.left)
        told.append(f"presses {side} in {share:.0%} of {left + right} decided pairs")
    most, count = max(record.clicks.items(), key=lambda each: each[1])
    enough = record.verdicts >= limits.fewest
    if enough and most not in ("left", "right") and count / record.verdicts >= limits.same:
        told.append(f"answers '{most}' in {count} of {record.verdicts}")
    passed, checks = record.checks
    if checks >= limits.fewest_checks and passed / checks < limits.checks:
        told.append(f"passed {passed} of {checks} attention checks")
    same, twice = record.repeats
    if twice >= limits.fewest_repeats and same / twice < limits.repeats:
        told.append(f"answered {same} of {twice} repeated pairs as before")
    if enough and record.seconds is not None and record.seconds < limits.seconds:
        told.append(f"decides in {record.seconds:.1f} s")
    return told


# -- between raters -----------------------------------------------------------


class Agreement(NamedTuple):
    """How far raters agree on the pairs that several judged."""

    pairs: int
    """Judged by two or more."""
    alpha: float
    """Krippendorff's, nominal over one / other / tie / both bad; NaN if it cannot be told."""


def agreement(verdicts: Sequence[Heard], region: str | None = None) -> Agreement:
    """Krippendorff's alpha over all pairs, or those of one region."""
    table = _table(verdicts, region)
    shared = int((np.count_nonzero(~np.isnan(table), axis=0) >= 2).sum()) if table.size else 0
    return Agreement(shared, krippendorff_alpha(table) if shared else float("nan"))


def _counted(verdicts: Sequence[Heard], region: str | None = None) -> list[Heard]:
    return [
        each for each in verdicts
        if each.purpose == "judge" and each.turn == 0 and each.choice in _CODES
        and region in (None, each.region)
    ]  # fmt: skip


def _table(verdicts: Sequence[Heard], region: str | None) -> NDArray[np.float64]:
    """[raters, pairs] of codes, NaN where not judged."""
    counted = _counted(verdicts, region)
    raters = sorted({each.rater_id for each in counted})
    pairs = {key: i for i, key in enumerate(sorted({each.pair_id for each in counted}))}
    table = np.full((len(raters), len(pairs)), np.nan)
    for each in counted:
        table[raters.index(each.rater_id), pairs[each.pair_id]] = _CODES[each.choice]
    return table


class Kappa(NamedTuple):
    """Cohen's kappa of two raters over what both judged."""

    one: str
    other: str
    pairs: int
    kappa: float


def kappas(verdicts: Sequence[Heard], fewest: int = 10) -> tuple[Kappa, ...]:
    """Of every two raters with at least `fewest` pairs in common."""
    said: dict[str, dict[str, str]] = {}
    for each in _counted(verdicts):
        said.setdefault(each.rater, {})[each.pair_id] = each.choice
    found = []
    for one, other in combinations(sorted(said), 2):
        shared = sorted(said[one].keys() & said[other].keys())
        if len(shared) >= fewest:
            kappa = cohen_kappa([said[one][k] for k in shared], [said[other][k] for k in shared])
            found.append(Kappa(one, other, len(shared), kappa))
    return tuple(found)


# -- between sources ----------------------------------------------------------


class Rank(NamedTuple):
    """A source of answers on the Bradley-Terry scale."""

    source: str
    strength: float
    """Natural log odds, mean 0."""
    low: float
    high: float
    """95 % by bootstrap over subjects; NaN where it cannot be told."""
    comparisons: int


class Ranking(NamedTuple):
    """All sources, the strongest first."""

    ranks: tuple[Rank, ...]
    clusters: int
    """Subjects that were drawn again."""
    note: str
    """Why there is no ranking, or why it is shrunk."""


def ranking(
    store: Store, verdicts: Sequence[Heard], *, resamples: int = 400, seed: int = 0
) -> Ranking:
    """Bradley-Terry strengths of the sources; ties are half a win for each.

    Where a source never lost, strengths have no bound: a tenth of a verdict each way is
    added, and the note says so.
    """
    sources, subjects = _named(store)
    said = [each for each in _counted(verdicts) if each.choice != "bad"]
    compared = [_comparison(each, sources, subjects) for each in said]
    compared = [each for each in compared if each.one != each.other]
    clusters = len({each.cluster for each in compared})
    if not compared or clusters < 2:
        return Ranking((), clusters, "verdicts about two subjects or more are needed")
    note = ""
    try:
        found = bradley_terry(compared, resamples=resamples, seed=seed)
    except BadInput:
        note = "shrunk: a source never lost or never won"
        found = bradley_terry(compared, alpha=_SHRUNK, resamples=resamples, seed=seed)
    counts = Counter(name for each in compared for name in (each.one, each.other))
    ranks = [
        Rank(name, float(found.strength.estimate[i]), float(found.strength.low[i]),
             float(found.strength.high[i]), counts[name])
        for i, name in enumerate(found.items)
    ]  # fmt: skip
    return Ranking(tuple(sorted(ranks, key=lambda each: -each.strength)), clusters, note)


def _comparison(said: Heard, sources: Mapping[str, str], subjects: Mapping[str, str]) -> Comparison:
    score = {"one": 1.0, "other": 0.0}.get(said.choice, 0.5)
    return Comparison(sources[said.one_id], sources[said.other_id], score, subjects[said.item_id])


def _named(store: Store) -> tuple[dict[str, str], dict[str, str]]:
    with store.reading() as connection:
        named = ANSWERS.select().with_only_columns(ANSWERS.c.id, ANSWERS.c.source)
        answers = connection.execute(named)
        sources = {row[0]: row[1] for row in answers}
        items = connection.execute(ITEMS.select().with_only_columns(ITEMS.c.id, ITEMS.c.subject))
        return sources, {row[0]: row[1] for row in items}
