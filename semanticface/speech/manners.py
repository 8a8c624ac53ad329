"""How one speaker's articulation differs from the table: its targets, its dominance, its timing.

    manner = differing(Manner(), seed=[1, 2], amount=1.0)

Draws are log-normal around what was there: each phone's targets by 0.25 and its dominance by
0.30 (standard deviations of the logarithm), the tracks' decays by 0.20; the mouth leads or
trails the sound by some 15 ms, and it trembles. All of it scales with `amount`. The sizes are
this project's own; they exist so that a synthetic speaker is none whom the rules know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.rig import CHANNELS, COUNT, INDEX
from semanticface.speech.phones import Phone, phone, phones

Array = NDArray[np.float64]
_TARGETS, _DOMINANCE, _DECAY = 0.25, 0.30, 0.20
_LEAD, _TREMBLE = 0.015, 0.012
_TREMBLE_FADES = 8.0
"""1/s: how soon the trembling forgets where it was."""


class Manner(NamedTuple):
    """Departures from the table; none as it is made."""

    own: Mapping[str, Phone] = {}
    """Rows in place of the table's."""
    before: float = 1.0
    """Factor on the decays towards earlier times: below 1 sounds are prepared earlier."""
    after: float = 1.0
    lead: float = 0.0
    """Seconds by which the mouth is ahead of the sound."""
    tremble: float = 0.0
    """Standard deviation, in weights, of what belongs to no sound."""
    seed: int = 0
    """Of the trembling."""

    def phone(self, name: str) -> Phone:
        """The speaker's row of a phone."""
        return self.own.get(name) or phone(name)


def differing(manner: Manner, seed: Sequence[int], amount: float) -> Manner:
    """The same manner, departed from by a draw of `amount`."""
    rng = np.random.default_rng(list(seed))
    own = {name: _differing(manner.phone(name), rng, amount) for name in phones()}
    before, after = np.exp(amount * _DECAY * rng.standard_normal(2))
    return Manner(
        own, manner.before * float(before), manner.after * float(after),
        manner.lead + amount * _LEAD * float(rng.standard_normal()),
        float(np.hypot(manner.tremble, amount * _TREMBLE)), int(rng.integers(2**31)),
    )  # fmt: skip


def _differing(row: Phone, rng: np.random.Generator, amount: float) -> Phone:
    """Left and right stay alike: one draw a phone and a base name."""
    factor = np.exp(amount * _TARGETS * rng.standard_normal(COUNT))
    sure = np.exp(amount * _DOMINANCE * rng.standard_normal(len(row.dominance)))
    if row.silent:  # rest is rest
        return row
    targets = row.targets * _paired(factor)
    return row._replace(
        targets=np.clip(targets, 0, 1), dominance=np.clip(row.dominance * sure, 0, 1)
    )


def _paired(factor: Array) -> Array:
    return np.array([factor[min(i, INDEX[CHANNELS[i].mirror])] for i in range(COUNT)])


def tremble(manner: Manner, times: Array, columns: Sequence[int]) -> Array:
    """[T, 61]: an Ornstein-Uhlenbeck process on the columns, 0 elsewhere."""
    out = np.zeros((len(times), COUNT))
    if manner.tremble == 0 or not len(times):
        return out
    rng = np.random.default_rng(manner.seed)
    fresh = rng.standard_normal((len(times), len(columns)))
    now = fresh[0]
    for t in range(len(times)):
        if t:
            kept = float(np.exp(-_TREMBLE_FADES * (times[t] - times[t - 1])))
            now = kept * now + np.sqrt(1 - kept * kept) * fresh[t]
        out[t, list(columns)] = manner.tremble * now
    return out
