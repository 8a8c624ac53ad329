"""Pairs of what a model wrote, and which of them are worth a judge's time.

pool = pool_of([(face, sampled(texts, form)), ...], ("upper", "lower"), 1, seed=[0])
telling(pool.rows, 100, discriminator="judge")     # the 100 most telling pairs
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np

from semanticface.data.images import Pictures
from semanticface.data.records import Record
from semanticface.preference.candidates import Candidate, Duel, Sampled, regional_pair
from semanticface.preference.difference import worth_asking
from semanticface.preference.judged import Asked
from semanticface.preference.pairing import item_of
from semanticface.preference.selection import select
from semanticface.preference.store.content import Added, Project, add_pairs
from semanticface.preference.store.database import Store


class Pool(NamedTuple):
    """Pairs that look different, with their faces."""

    rows: tuple[tuple[Duel, Record], ...]
    alike: int
    """Looked the same, or were the same."""
    unread: int
    """Answers that could not be read."""


class Telling(NamedTuple):
    """A pair that is to be asked."""

    duel: Duel
    face: Record
    worth: float
    """How much its verdict would tell; 0 where all are asked."""


def pool_of(
    told: Iterable[tuple[Record, Sampled]], regions: Sequence[str], per_region: int,
    seed: Sequence[int],
) -> Pool:  # fmt: skip
    """Some pairs in each region of each face's answers, those that look the same left out."""
    rows: list[tuple[Duel, Record]] = []
    alike = unread = 0
    for face, answers in told:
        rng = np.random.default_rng([*seed, *sha256(face.id.encode()).digest()[:4]])
        sifted = worth_asking(_duels(answers.candidates, regions, per_region, rng))
        rows += [(duel, face) for duel in sifted.kept]
        alike += sifted.alike + sifted.unfair
        unread += len(answers.unread)
    return Pool(tuple(rows), alike, unread)


def _duels(
    found: Sequence[Candidate], regions: Sequence[str], per_region: int, rng: np.random.Generator
) -> list[Duel]:
    return pairs_of([each for each in found if not each.missing], regions, per_region, rng)


def pairs_of(
    whole: Sequence[Candidate], regions: Sequence[str], per_region: int, rng: np.random.Generator
) -> list[Duel]:
    """For each region some pairs of drawn answers; the rest of the face is the likeliest's."""
    if len(whole) < 2:
        return []
    base, others = whole[0], whole[1:] if len(whole) > 2 else whole
    duels = []
    for region in regions:
        for _ in range(per_region):
            one, other = rng.choice(len(others), 2, replace=False)
            duels.append(regional_pair(base, others[int(one)], others[int(other)], region))
    return duels


def telling(
    pool: Sequence[tuple[Duel, Record]], ask: int, discriminator: str = ""
) -> tuple[Telling, ...]:
    """The `ask` most telling pairs, the most telling first; all, as they come, for 0.

    Without a discriminator nobody has learnt anything yet, and channels and people that were
    asked about least come first.
    """
    if not ask or len(pool) <= ask:
        return tuple(Telling(duel, face, 0.0) for duel, face in pool)
    predicted = None
    if discriminator:
        from semanticface.preference.discriminator import load
        from semanticface.preference.learned import believed

        predicted = believed(load(discriminator), asked_about(pool)).members
    chosen = select([duel for duel, _ in pool], [face.subject for _, face in pool], ask,
                    predicted=predicted)  # fmt: skip
    return tuple(Telling(*pool[each.place], each.worth) for each in chosen)


def put(store: Store, project: Project, chosen: Iterable[Telling]) -> Added:
    """Pairs into a project, with what their verdicts are worth."""
    new = known = 0
    for duel, face, worth in chosen:
        added = add_pairs(store, project.id, item_of(store, face), [duel], worth=[worth])
        new, known = new + added.pairs, known + added.known
    return Added(new, known)


def asked_about(pool: Sequence[tuple[Duel, Record]]) -> Asked:
    """Pairs that nobody judged, as a discriminator looks at them."""
    pictures = Pictures()
    shown: dict[str, Any] = {}
    for _, face in pool:
        if face.id not in shown:
            shown[face.id] = pictures.decode(face.image, face.id)
    return Asked(tuple(duel for duel, _ in pool), (math.nan,) * len(pool),
                 tuple(face.subject for _, face in pool),
                 tuple(shown[face.id] for _, face in pool),
                 tuple(face.identity for _, face in pool), 0)  # fmt: skip
