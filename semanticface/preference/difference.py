"""How different two answers look: a pair that looks the same is not worth a rater's time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.preference.candidates import Candidate, Duel
from semanticface.preference.presentation import Presentation, shown
from semanticface.render.picture import Picture

LEAST = 3.0
"""Least rendered difference of a pair worth asking, in grey levels; see `apart`."""
SMALL = Presentation("plain", size=128, look="clay", background="plain", antialias=False)
"""How candidates are drawn for comparing them: fast, even light, no colour."""
_BLOCK = 8
_MOMENTS = 5


def apart(one: Picture, other: Picture) -> float:
    """Greatest mean absolute difference of a block of 8 x 8 pixels, in grey levels 0 to 255.

    A mean over the whole picture would call a lid that closes nothing; a single pixel
    would call every edge something.
    """
    gap = np.abs(one.astype(np.int16) - other.astype(np.int16)).mean(axis=2)
    height, width = (side // _BLOCK * _BLOCK for side in gap.shape)
    blocks = gap[:height, :width].reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
    return float(blocks.mean(axis=(1, 3)).max())


def looks_apart(
    one: Candidate, other: Candidate, region: str = "full", *, person: int | None = None,
    how: Presentation = SMALL,
) -> float:  # fmt: skip
    """`apart` of two answers drawn alike; of clips the most of five moments."""
    return max(
        apart(shown(one.drawable[i], region, how, person=person),
              shown(other.drawable[j], region, how, person=person))
        for i, j in _moments(one, other)
    )  # fmt: skip


def _moments(one: Candidate, other: Candidate) -> list[tuple[int, int]]:
    """Rows of both at five moments of the shorter one; its one row for stills."""
    end = min(one.times[-1], other.times[-1])
    at = np.unique(np.linspace(0, end, _MOMENTS))
    return [(_row(one.times, t), _row(other.times, t)) for t in at]


def _row(times: NDArray[np.float64], t: float) -> int:
    return int(np.abs(times - t).argmin())


class Sifted(NamedTuple):
    """Pairs worth asking, and how many were left out."""

    kept: tuple[Duel, ...]
    alike: int
    """Looked the same."""
    unfair: int
    """Differed outside their region, or not at all."""


def worth_asking(
    duels: Iterable[Duel], *, least: float = LEAST, person: int | None = None
) -> Sifted:
    """The pairs that look different and differ only where they should."""
    kept, alike, unfair = [], 0, 0
    for duel in duels:
        if not duel.fair:
            unfair += 1
        elif looks_apart(duel.one, duel.other, duel.region, person=person) < least:
            alike += 1
        else:
            kept.append(duel)
    return Sifted(tuple(kept), alike, unfair)
