"""Which number is called slight, moderate, strong or extreme.

The published bins, configurable by whoever wants others:

=========  ============  ==================  =================
word       weights       head (degrees)      eyes (degrees)
=========  ============  ==================  =================
inactive   below 0.1     below 5             below 5
slight     0.1 to 0.3    5 to 12             5 to 10
moderate   0.3 to 0.6    12 to 25            10 to 20
strong     0.6 to 0.85   25 to 40            20 to 30
extreme    0.85 and up   40 and up           30 and up
=========  ============  ==================  =================

A lower edge belongs to its bin. Numbers on a grid of 0.1 fall on edges, and 0.7
is 0.69999999 in float32, so every comparison forgives `EPSILON`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, did_you_mean

LEVELS = ("slight", "moderate", "strong", "extreme")
"""The level names that the lexicons can say, weakest first."""
EPSILON = 1e-6
Levels = NDArray[np.int8]


@dataclass(frozen=True)
class IntensityBins:
    """Lower edges of rising bins and the level name of each; below `edges[0]` is inactive."""

    edges: tuple[float, ...] = (0.1, 0.3, 0.6, 0.85)
    words: tuple[str, ...] = LEVELS

    def __post_init__(self) -> None:
        if not self.edges or len(self.edges) != len(self.words):
            raise BadInput(
                f"{len(self.edges)} edges for {len(self.words)} words", "one lower edge per word"
            )
        if self.edges[0] <= 0 or any(
            a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)
        ):
            raise BadInput(f"edges {self.edges}", "positive numbers that rise")
        for word in self.words:
            if word not in LEVELS:
                hint = did_you_mean(word, LEVELS)
                raise BadInput(f"the level '{word}'", f"one of {LEVELS}", hint=hint)
        ranks = [LEVELS.index(word) for word in self.words]
        if ranks != sorted(set(ranks)):
            raise BadInput(f"words {self.words}", "different levels, weakest first")

    @classmethod
    def degrees(cls, *edges: float, words: tuple[str, ...] = LEVELS) -> IntensityBins:
        """Bins for rotations, edges told in degrees and kept in radians."""
        return cls(tuple(math.radians(edge) for edge in edges), words)

    @property
    def active(self) -> float:
        """The least value that counts as active."""
        return self.edges[0]

    def levels(self, magnitudes: NDArray[np.floating]) -> Levels:
        """0 where inactive or NaN, else 1 for the first bin, and so on; any shape."""
        levels = np.zeros(magnitudes.shape, dtype=np.int8)
        for edge in self.edges:
            levels += magnitudes >= np.float32(edge - EPSILON)
        return levels

    def word(self, value: float) -> str | None:
        """The level name of one number, None where inactive."""
        level = int(self.levels(np.array([value], np.float32))[0])
        return self.words[level - 1] if level else None

    def range_of(self, first: str, last: str | None = None) -> tuple[float, float]:
        """Lowest value of level `first` and upper end of level `last` (default the same).

        A level that these bins do not have takes the place of its neighbours:
        the range then runs from the nearest weaker to the nearest stronger one.
        """
        ranks = [LEVELS.index(word) for word in self.words]
        low, high = LEVELS.index(first), LEVELS.index(last or first)
        below = [edge for edge, rank in zip(self.edges, ranks, strict=True) if rank <= low]
        above = [edge for edge, rank in zip(self.edges, ranks, strict=True) if rank > high]
        return (below[-1] if below else self.active, above[0] if above else math.inf)


_HEAD = IntensityBins.degrees(5, 12, 25, 40)
_EYES = IntensityBins.degrees(5, 10, 20, 30)


@dataclass(frozen=True)
class Bins:
    """The three scales of a face: weights, head rotations, eye rotations (radians)."""

    weights: IntensityBins = IntensityBins()
    head: IntensityBins = _HEAD
    eyes: IntensityBins = _EYES

    def __post_init__(self) -> None:
        if not self.weights.words == self.head.words == self.eyes.words:
            raise BadInput(
                f"bins of different words {self.weights.words}, {self.head.words}, "
                f"{self.eyes.words}",
                "the same level names on all three scales",
            )

    @property
    def words(self) -> tuple[str, ...]:
        """The level names, weakest first."""
        return self.weights.words


DEFAULT = Bins()
