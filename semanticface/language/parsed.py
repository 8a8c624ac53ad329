"""What reading an answer gives: numbers, words, and an honest report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.language.description import Description
from semanticface.rig import CHANNELS, COUNT, NAMES

Outcome = Literal["strict", "tolerant", "repaired", "failed"]


class ParseReport(NamedTuple):
    """How an answer was read and what was wrong with it.

    `strict`: the text is exactly what its format asks for. `tolerant`: every
    value read stands plainly in the text, which differs on the surface (prose
    around it, other spelling or order, missing or extra names). `repaired`: the
    text itself was broken and had to be picked apart. `failed`: no value read.

    No value is ever filled in, clamped or guessed; the tuples hold names.
    """

    outcome: Outcome
    missing: tuple[str, ...] = ()
    """Channels the format asks for that have no value."""
    extra: tuple[str, ...] = ()
    """Names in the answer that are no channel."""
    duplicate: tuple[str, ...] = ()
    """Channels given twice with different values; they count as missing."""
    out_of_range: tuple[str, ...] = ()
    """Channels whose value is kept although it lies outside their range."""
    not_finite: tuple[str, ...] = ()
    """Channels given as NaN or infinity; they count as missing."""
    notes: tuple[str, ...] = ()
    """What was tolerated or mended, in words."""

    @property
    def ok(self) -> bool:
        """Every channel asked for has a finite value in range."""
        return self.outcome != "failed" and not (self.missing or self.out_of_range)


STRICT = ParseReport("strict")

# A float32 next to a bound may round past it.
LOW = np.array([channel.low - 1e-6 for channel in CHANNELS])
HIGH = np.array([channel.high + 1e-6 for channel in CHANNELS])


class Parsed(NamedTuple):
    """values float32 [61] (NaN where the answer gave none), words, and the report."""

    values: NDArray[np.float32]
    description: Description | None
    report: ParseReport
    format: str = ""
    """Key of the answer format it was read as."""
    keyframe: str | None = None
    """The answer's own name for the frame (`Keyframe_one`), if it gave one."""


def nothing(*notes: str, channels: tuple[int, ...] = tuple(range(COUNT))) -> Parsed:
    """A failed reading."""
    missing = tuple(NAMES[i] for i in channels)
    values = np.full(COUNT, np.nan, dtype=np.float32)
    return Parsed(values, None, ParseReport("failed", missing=missing, notes=notes))


@dataclass
class Tally:
    """Collects values and faults while an answer is read."""

    channels: tuple[int, ...]
    values: NDArray[np.float32] = field(
        default_factory=lambda: np.full(COUNT, np.nan, dtype=np.float32)
    )
    extra: list[str] = field(default_factory=list)
    duplicate: list[str] = field(default_factory=list)
    not_finite: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    repaired: bool = False
    seen: set[int] = field(default_factory=set)
    _voided: set[int] = field(default_factory=set)

    def note(self, text: str, *, repair: bool = False) -> None:
        """Count a surface difference, or a repair."""
        self.notes[text] = self.notes.get(text, 0) + 1
        self.repaired |= repair

    def put(self, index: int, value: float) -> None:
        """Take a channel's value; a second, different one voids both."""
        before = self.values[index]
        self.seen.add(index)
        number = np.float32(value) if abs(value) < 1e30 else np.float32(np.nan)
        if not np.isfinite(number):
            self.not_finite.append(NAMES[index])
            self.void(index)
        elif index in self._voided:
            self.duplicate.append(NAMES[index])
        elif np.isfinite(before) and before != number:
            self.duplicate.append(NAMES[index])
            self.void(index)
        else:
            self.values[index] = number + np.float32(0)  # -0.0 to 0.0

    def void(self, index: int) -> None:
        """Something unusable was said of this channel: whatever else is said, it is missing."""
        self._voided.add(index)
        self.values[index] = np.nan

    def parsed(self, description: Description | None, key: str) -> Parsed:
        """Close the books."""
        values = self.values
        missing = tuple(NAMES[i] for i in self.channels if np.isnan(values[i]))
        found = bool(np.isfinite(values).any())
        outcome: Outcome = "repaired" if self.repaired else "tolerant"
        report = ParseReport(
            outcome if found else "failed",
            missing,
            tuple(dict.fromkeys(self.extra)),
            tuple(dict.fromkeys(self.duplicate)),
            outside(values),
            tuple(dict.fromkeys(self.not_finite)),
            tuple(text if n == 1 else f"{text} ({n} times)" for text, n in self.notes.items()),
        )
        return Parsed(values, description, report, key)


def outside(values: NDArray[np.floating]) -> tuple[str, ...]:
    """Names of the channels whose value lies outside their range."""
    wrong = (values < LOW) | (values > HIGH)
    return tuple(NAMES[i] for i in np.flatnonzero(wrong)) if wrong.any() else ()
