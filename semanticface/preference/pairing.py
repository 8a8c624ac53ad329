"""Putting pairs into a project: from records with known truth, or from two clips.

From a record's truth every kind of known fault gives an answer, and answers are paired
region by region; an attention check sets the truth against a gross fault. From two clips
(a take and a tracker, an earlier and a later model) every few seconds give a pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from semanticface.data.images import Limits, encoded
from semanticface.data.records import Record
from semanticface.errors import BadInput
from semanticface.preference.candidates import Candidate, Duel, regional_pair
from semanticface.preference.difference import LEAST, worth_asking
from semanticface.preference.perturbations import FAULTS, Perturbation, perturbed
from semanticface.preference.store.content import Added, Item, Project, add_pairs
from semanticface.preference.store.database import Store
from semanticface.preference.store.files import keep_file
from semanticface.preference.store.rows import keyed
from semanticface.rig import FaceClip

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
    item = _item(store, record)
    truth = Candidate.of("truth", record.values)
    duels = [each for name in regions for each in _faulty(truth, name, per_region, rng)]
    sifted = worth_asking(duels, least=least, person=item.person)
    added = add_pairs(store, project.id, item, list(sifted.kept))
    checks = 0
    if rng.random() < check_share:
        region = str(rng.choice(list(regions)))
        checks = add_check(store, project, item, truth, region, least).pairs
    return added.pairs, checks, sifted.alike + sifted.unfair, added.known


def _item(store: Store, record: Record) -> Item:
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


def from_clips(
    store: Store, project: Project, one: FaceClip, other: FaceClip, names: tuple[str, str], *,
    subject: str, every: float = 1.0, regions: Sequence[str] = ("upper", "lower"),
    least: float = LEAST, person: int | None = None,
) -> Filled:  # fmt: skip
    """Stills of two clips at the same times, compared region by region; the first is the base.

    Both clips start at zero here; align them before if they do not begin together.
    """
    from semanticface.render.timeline import face_at

    if every <= 0:
        raise BadInput(f"a pair every {every:g} s", "a time above 0")
    first, second = one.from_zero(), other.from_zero()
    total = np.zeros(5, np.int64)
    for at in np.arange(0, min(first.duration, second.duration) + 1e-9, every):
        try:
            faces = [
                Candidate.of(name, np.where(clip.present, face_at(clip, float(at)), np.nan))
                for name, clip in zip(names, (first, second), strict=True)
            ]
        except BadInput:  # a tracker had lost the face at this time
            total[4] += 1
            continue
        duels = [regional_pair(faces[0], faces[0], faces[1], name) for name in regions]
        sifted = worth_asking(duels, least=least, person=person)
        item = Item(f"{subject} {at:.3f} s", subject, person=person)
        added = add_pairs(store, project.id, item, list(sifted.kept))
        total[:4] += (added.pairs, 0, sifted.alike + sifted.unfair, added.known)
    return Filled(*(int(n) for n in total))
