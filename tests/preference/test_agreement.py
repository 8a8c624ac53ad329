"""What verdicts say about raters and sources: known raters, known sources."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from semanticface.preference.agreement import agreement, kappas, ranking, records
from semanticface.preference.candidates import Candidate, Duel
from semanticface.preference.store import Store
from semanticface.preference.store.content import Item, add_pairs, add_project, add_rater
from semanticface.preference.store.questions import open_questions
from semanticface.preference.store.verdicts import Choice, Heard, heard, record

from .pairs import QUIET, face


def verdict(
    rater: str, number: int, choice: Choice, *, flipped: bool = False, seconds: float = 2.0,
    purpose: str = "judge", turn: int = 0, pair: int | None = None, region: str = "lower",
) -> Heard:  # fmt: skip
    at = number if pair is None else pair
    return Heard(f"v{rater}{number}", rater, rater, "human", f"pair {at}", f"item {at}", region,
                 "a", "b", purpose, "one" if purpose == "check" else None, turn, number, flipped,
                 choice, seconds, float(number))  # fmt: skip


def honest(name: str, count: int, seed: int = 0) -> list[Heard]:
    """Sides at random, answers by what the pair is."""
    flips = np.random.default_rng(seed).random(count) < 0.5
    return [verdict(name, n, "one" if n % 3 else "other", flipped=bool(flips[n]))
            for n in range(count)]  # fmt: skip


def suspicions(said: Sequence[Heard]) -> str:
    return "; ".join(records(said)[0].suspicious)


def test_an_honest_rater_is_not_suspected() -> None:
    assert suspicions(honest("ann", 60)) == ""


def test_one_who_always_presses_left_is_found() -> None:
    said = [
        verdict("lefty", n, "other" if n % 2 else "one", flipped=bool(n % 2)) for n in range(30)
    ]
    assert {each.click for each in said} == {"left"}
    assert "presses left in 100% of 30" in suspicions(said)
    (record,) = records(said)
    assert record.left == 1


def test_few_presses_prove_nothing() -> None:
    assert suspicions([verdict("new", n, "one") for n in range(10)]) == ""


def test_always_the_same_haste_failed_checks_and_inconsistency_are_found() -> None:
    ties = [verdict("t", n, "tie") for n in range(25)]
    assert "answers 'tie' in 25 of 25" in suspicions(ties)
    assert "decides in 0.2 s" in suspicions([e._replace(seconds=0.2) for e in honest("h", 30)])
    checks = [verdict("c", 100 + n, "other", purpose="check") for n in range(4)]
    assert "passed 0 of 4" in suspicions(honest("c", 5) + checks)
    again = [verdict("r", 100 + n, "other" if n % 3 else "one", turn=1, pair=n) for n in range(10)]
    assert "answered 0 of 10 repeated" in suspicions(honest("r", 10) + again)


def test_agreement_is_one_between_equals_and_near_nothing_between_strangers() -> None:
    one, two = (
        honest("ann", 60),
        [e._replace(rater_id="bob", rater="bob") for e in honest("ann", 60)],
    )
    assert agreement([*one, *two]) == (60, pytest.approx(1.0))
    coin = np.random.default_rng(3).random(60) < 0.5
    random = [e._replace(choice="one" if c else "other") for e, c in zip(two, coin, strict=True)]
    assert abs(agreement([*one, *random]).alpha) < 0.35
    assert kappas([*one, *two])[0].kappa == pytest.approx(1.0)
    assert math.isnan(agreement(one).alpha) and kappas(one) == ()
    assert agreement([*one, *two], "upper").pairs == 0


def test_checks_repeats_and_skips_are_no_votes() -> None:
    one, two = (honest(name, 20) for name in ("ann", "bob"))
    noise = [verdict("bob", 200 + n, "other", purpose="check", pair=n) for n in range(20)]
    noise += [verdict("bob", 300 + n, "skip", pair=n) for n in range(20)]
    noise += [verdict("bob", 400 + n, "tie", turn=1, pair=n) for n in range(20)]
    assert agreement([*one, *two, *noise]).alpha == pytest.approx(1.0)


def test_the_better_source_ranks_first_with_an_interval(store: Store) -> None:
    project = add_project(store, "faces", rules=QUIET)
    strengths = {"good": 0.55, "fair": 0.75, "poor": 1.0}
    names = list(strengths)
    for number in range(18):
        one, other = names[number % 3], names[(number + 1) % 3]
        duel = Duel(*(Candidate.of(n, face(jawOpen=strengths[n])) for n in (one, other)), "lower")
        add_pairs(store, project.id, Item(f"i{number}", f"s{number % 6}"), [duel])
    rater = add_rater(store, project.id, "ann")
    for number in range(18):
        asked = open_questions(store, project, rater.id, 1)[0]
        sides = _sources(store, asked.left, asked.right)
        better = min((0, 1), key=lambda k: strengths[sides[k]])
        upset = number % 6 == 5
        record(
            store, rater.id, asked.id, ("left", "right")[better ^ upset], key=f"click-{number:03}"
        )
    found = ranking(store, heard(store, project.id), resamples=200)
    assert [each.source for each in found.ranks] == ["good", "fair", "poor"]
    assert found.clusters == 6 and found.ranks[0].comparisons == 12
    assert all(each.low <= each.strength <= each.high for each in found.ranks
               if math.isfinite(each.low))  # fmt: skip


def _sources(store: Store, *keys: str) -> list[str]:
    from semanticface.preference.store.content import answer_of

    return [answer_of(store, key).source for key in keys]


def test_without_verdicts_there_is_no_ranking(store: Store) -> None:
    add_project(store, "faces")
    assert ranking(store, []).ranks == ()
