"""Answers of a policy, pairs of them, and who judges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from preference_build.faces import Faces
from preference_build.policy import Pairs, Policy, Seen, values_of, words_of

from semanticface.preference.candidates import Candidate, Duel, regional_pair
from semanticface.preference.discriminator import Discriminator
from semanticface.preference.judged import Judged, of_coefficients, of_renders
from semanticface.preference.oracle import Oracle, nearer
from semanticface.preference.regions import region_of
from semanticface.rig import CHANNELS

HALVES = ("upper", "lower")
GAINS = (0.7, 1.0, 1.4, 2.0)
SHAPES = np.array([each.unit == "weight" for each in CHANNELS])
LOW = np.array([-1.0 if each.signed else 0.0 for each in CHANNELS], np.float32)
HIGH = np.ones(len(CHANNELS), np.float32)
Values = NDArray[np.float32]


class Asked(NamedTuple):
    """Pairs of answers, and the words they are made of."""

    duels: list[Duel]
    face: NDArray[np.int64]
    one: NDArray[np.int64]
    """[N, 61] words."""
    other: NDArray[np.int64]

    def some(self, which: NDArray[np.intp]) -> Asked:
        """Part of them."""
        return Asked([self.duels[int(i)] for i in which], self.face[which], self.one[which],
                     self.other[which])  # fmt: skip


def seen_of(held: Faces) -> Seen:
    """What a policy takes."""
    return Seen(torch.from_numpy(held.seen), torch.from_numpy(held.read))


def answers(policy: Policy, held: Faces) -> Values:
    """[N, 61] the likeliest."""
    return values_of(policy.say(seen_of(held)))


def asked(
    policy: Policy, held: Faces, count: int, regions: Sequence[str], seed: int
) -> Asked:  # fmt: skip
    """`count` pairs of drawn answers; of regional ones the rest is the likeliest answer's.

    Each drawn answer's shapes are taken at one of four amplitudes, so that verdicts can be
    about more than the noise of drawing. Pairs that are the same in the region are not
    asked; faces and regions take turns.
    """
    base, seen, rng = policy.say(seen_of(held)), seen_of(held), np.random.default_rng([seed, 7])
    rows: list[tuple[Duel, int, NDArray[np.int64], NDArray[np.int64]]] = []
    turn = 0
    while len(rows) < count:
        drawn = [policy.say(seen, temperature=1.0, seed=seed * 1000 + 2 * turn + k) for k in (0, 1)]
        for face in rng.permutation(len(held.truth)):
            region = regions[(turn + int(face)) % len(regions)]
            mask = region_of(region).mask
            loud = [_louder(each[face], float(rng.choice(GAINS))) for each in drawn]
            sides = [np.where(mask, each, base[face]) for each in loud]
            if len(rows) < count and (sides[0] != sides[1]).any():
                rows.append((_duel(sides, base[face], region), int(face), sides[0], sides[1]))
        turn += 1
    columns = list(zip(*rows, strict=True))
    return Asked(list(columns[0]), *(np.array(each) for each in columns[1:]))


def _louder(words: NDArray[np.int64], gain: float) -> NDArray[np.int64]:
    values = values_of(words)
    values[SHAPES] *= gain
    return np.asarray(words_of(np.clip(values, LOW, HIGH)).numpy())


def _duel(sides: Sequence[NDArray[np.int64]], base: NDArray[np.int64], region: str) -> Duel:
    made = [Candidate.of("drawn", values_of(each)) for each in (base, *sides)]
    return regional_pair(made[0], made[1], made[2], region)


def by_oracle(told: Asked, held: Faces, oracle: Oracle) -> NDArray[np.float64]:
    """[N] 1 where the one won."""
    clicks = [oracle.judge(duel.one, duel.other, _truth(held, face), duel.region).click
              for duel, face in zip(told.duels, told.face, strict=True)]  # fmt: skip
    return np.array([{"left": 1.0, "right": 0.0}.get(each, 0.5) for each in clicks])


def judged(told: Asked, held: Faces, won: NDArray[np.float64]) -> Judged:
    """As a discriminator takes them."""
    people = [str(held.people[face]) for face in told.face]
    return of_coefficients(held.read[told.face], told.duels, won.tolist(), people)


def drawn(told: Asked, held: Faces, won: NDArray[np.float64]) -> Judged:
    """As a discriminator of renders takes them; answers are drawn on the face's own head."""
    people = [int(held.people[face]) for face in told.face]
    pictures = [Image.fromarray(held.pictures[face]) for face in told.face]
    return of_renders(pictures, told.duels, won.tolist(), [str(each) for each in people],
                      people=people)  # fmt: skip


def by_discriminator(told: Asked, held: Faces, judge: Discriminator) -> NDArray[np.float64]:
    """[N] probability that the one wins."""
    return judge.believes(judged(told, held, np.full(len(told.duels), np.nan))).probability


def preferences(told: Asked, won: NDArray[np.float64], *, masked: bool) -> Pairs:
    """Chosen and rejected words; undecided pairs are left out."""
    decided = np.flatnonzero(won != 0.5)
    first = (won > 0.5)[:, None]
    chosen, rejected = (np.where(first, a, b) for a, b in
                        ((told.one, told.other), (told.other, told.one)))  # fmt: skip
    counts = np.array([region_of(each.region).mask | (not masked) for each in told.duels])
    return Pairs(told.face[decided], chosen[decided], rejected[decided], counts[decided])


def _truth(held: Faces, face: int) -> Candidate:
    return Candidate.of("truth", held.truth[face])


# -- how good answers are -----------------------------------------------------

Judge = Callable[[Duel, int], float]
"""1 where the one wins, 0, or 0.5."""


def plain(held: Faces) -> Judge:
    """An oracle without error, in plain millimetres."""

    def judge(duel: Duel, face: int) -> float:
        by = nearer(duel, _truth(held, face))
        return 0.5 if by == 0 else float(by > 0)

    return judge


def pixels(held: Faces, oracle: Oracle) -> Judge:
    """An oracle that sees the drawn pictures and nothing of the rig."""

    def judge(duel: Duel, face: int) -> float:
        far = [oracle.distance(each, _truth(held, face), duel.region)
               for each in (duel.one, duel.other)]  # fmt: skip
        return 0.5 if far[0] == far[1] else float(far[0] < far[1])

    return judge


def win_rates(mine: Values, theirs: Values, held: Faces, judge: Judge) -> dict[str, float]:
    """Share of duels won in each half, and of both; `people` is the standard error over
    people of the latter."""
    won = np.array([[judge(_duel_of(mine[i], theirs[i], held.truth[i], region), i)
                     for i in range(len(mine))] for region in HALVES])  # fmt: skip
    people = [won[:, held.people == who].mean() for who in np.unique(held.people)]
    return {**dict(zip(HALVES, won.mean(axis=1).tolist(), strict=True)),
            "both": float(won.mean()), "people": float(np.std(people, ddof=1))
            / len(people) ** 0.5}  # fmt: skip


def _duel_of(one: Values, other: Values, base: Values, region: str) -> Duel:
    sides = [Candidate.of("answer", each) for each in (base, one, other)]
    return regional_pair(sides[0], sides[1], sides[2], region)


def discriminated(mine: Values, theirs: Values, held: Faces, judge: Discriminator) -> float:
    """Share of duels in both halves that a discriminator would give."""
    duels = [_duel_of(mine[i], theirs[i], mine[i], region)
             for region in HALVES for i in range(len(mine))]  # fmt: skip
    looked = np.concatenate([held.read] * len(HALVES))
    people = [str(each) for each in held.people] * len(HALVES)
    pairs = of_coefficients(looked, duels, [np.nan] * len(duels), people)
    same = (pairs.one == pairs.other).all(axis=1)
    told = judge.believes(pairs).probability
    return float(np.where(same, 0.5, told > 0.5).mean())


def errors(told: Values, held: Faces) -> dict[str, float]:
    """MAE, and where |truth| is 0.1 or more; of these the mean amplitude, shapes only."""
    off, active = np.abs(told - held.truth), np.abs(held.truth) >= 0.1
    shapes = active.copy()
    shapes[:, 52:] = False
    return {"mae": float(off.mean()), "active_mae": float(off[active].mean()),
            "amplitude": float(told[shapes].sum() / held.truth[shapes].sum())}  # fmt: skip
