"""Putting pairs into a project from records with known truth.

From a record's truth every kind of known fault gives an answer, and answers are paired
region by region; an attention check sets the truth against a gross fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from semanticface.data.images import Limits, encoded
from semanticface.data.records import Record
from semanticface.preference.candidates import Candidate, Duel, regional_pair
from semanticface.preference.difference import LEAST, worth_asking
from semanticface.preference.perturbations import FAULTS, Perturbation, perturbed
from semanticface.preference.store.content import Added, Item, Project, add_pairs
from semanticface.preference.store.database import Store
from semanticface.preference.store.files import keep_file
from semanticface.preference.store.rows import keyed

_GROSS = 0.9
"""Shift of an attention check's fault, in weights."""


class Filled(NamedTuple):
    """What went into a project and what did not."""

    pairs: int
    checks: int
    alike: int
    """Looked the same, or were the same."""
    known: int
    unmeasured: int
    """Records whose truth has holes: no oracle could judge them."""


def from_truth(
    store: Store, project: Project, records: Iterable[Record], *,
    regions: Sequence[str] = ("upper", "lower"), per_region: int = 1, check_share: float = 0.1,
    least: float = LEAST, seed: int = 0,
) -> Filled:  # fmt: skip
    """Pairs of faulty answers around each record's truth, and some attention checks."""
    total = np.zeros(5, np.int64)
    for number, record in enumerate(records):
        rng = np.random.default_rng([seed, number])
        if np.isnan(record.values).any():
            total[4] += 1
            continue
        total[:4] += _fill_one(store, project, record, rng, regions, per_region, check_share, least)
    return Filled(*(int(n) for n in total))


def _fill_one(
    store: Store, project: Project, record: Record, rng: np.random.Generator,
    regions: Sequence[str], per_region: int, check_share: float, least: float,
) -> tuple[int, int, int, int]:  # fmt: skip
    item = item_of(store, record)
    truth = Candidate.of("truth", record.values)
    duels = [each for name in regions for each in _faulty(truth, name, per_region, rng)]
    sifted = worth_asking(duels, least=least, person=item.person)
    added = add_pairs(store, project.id, item, list(sifted.kept))
    checks = 0
    if rng.random() < check_share:
        region = str(rng.choice(list(regions)))
        checks = add_check(store, project, item, truth, region, least).pairs
    return added.pairs, checks, sifted.alike + sifted.unfair, added.known


def item_of(store: Store, record: Record) -> Item:
    """A face as an item; its picture goes into the store."""
    picture = keep_file(store, encoded(record.image, Limits()))
    return Item(record.id, record.subject, picture=picture, person=record.identity)


def _faulty(truth: Candidate, region: str, count: int, rng: np.random.Generator) -> Iterator[Duel]:
    """Pairs of two different faults, one of which may be none."""
    kinds = [Perturbation(kind, region, amount) for kind, amount in FAULTS]
    for _ in range(count):
        first, second = rng.choice(len(kinds) + 1, 2, replace=False)
        sides = [
            truth if i == len(kinds) else
            perturbed(truth, kinds[int(i)], seed=int(rng.integers(2**31))).candidate
            for i in (first, second)
        ]  # fmt: skip
        yield regional_pair(truth, sides[0], sides[1], region)


def add_check(
    store: Store, project: Project, item: Item, truth: Candidate, region: str, least: float = LEAST
) -> Added:
    """An attention check: the truth against a gross fault, where that shows well enough."""
    gross = perturbed(truth, Perturbation("shift", region, _GROSS, _loud(region))).candidate
    duel = regional_pair(truth, truth, gross, region)
    kept = worth_asking([duel], least=3 * least, person=item.person).kept
    return add_pairs(store, project.id, item, list(kept), purpose="check", expected="one")


def add_checks(
    store: Store, project: Project, faces: Sequence[Record], regions: Sequence[str], pairs: int
) -> int:
    """Attention checks for so many pairs, from faces whose numbers are known; how many there are.

    Called again it adds nothing.
    """
    every = project.rules.check_every
    wanted, there = (1 + pairs // every if every and pairs else 0), 0
    for number, face in enumerate(each for each in faces if not np.isnan(each.values).any()):
        if there >= wanted:
            break
        truth = Candidate.of("truth", face.values)
        region = regions[number % len(regions)]
        there += sum(add_check(store, project, item_of(store, face), truth, region))
    return there


def _loud(region: str) -> tuple[str, ...]:
    """Channels of a region whose fault nobody can overlook."""
    loud = {"brows": ("browInnerUp", "browOuterUpLeft"), "eyes": ("eyeBlinkLeft",),
            "mouth": ("mouthFunnel",), "jaw": ("jawOpen",), "upper": ("eyeBlinkLeft",),
            "lower": ("jawOpen",), "full": ("jawOpen",),
            "cheeks+nose": ("cheekPuff", "noseSneerLeft")}  # fmt: skip
    return loud[region]


def truths_of(project: Project, records: Iterable[Record]) -> dict[str, Candidate]:
    """The truth of each item by its key, for an oracle."""
    return {
        keyed(project.id, record.id): Candidate.of("truth", record.values) for record in records
    }
