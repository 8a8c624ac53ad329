"""Words and phones over time, and what went wrong with them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

from semanticface.errors import BadInput
from semanticface.speech.phones import SILENCE, Symbols, parts, phone


class Sound(NamedTuple):
    """One symbol of an alignment and its time in seconds."""

    symbol: str
    """As the alignment spells it, without its stress or tone: AH, EY, iang, SIL."""
    start: float
    end: float
    stress: int | None = None
    """0, 1, 2 as the dictionary marks it, a tone in pinyin; None where nobody said."""
    word: int | None = None
    """Which word it belongs to; None for silence and for phones without words."""
    score: float = math.nan
    """Mean log-likelihood a frame below the best sound of that frame; NaN where not known."""


class Word(NamedTuple):
    """One word of the transcript and its time in seconds."""

    text: str
    start: float
    end: float
    score: float = math.nan


class Fault(NamedTuple):
    """Something about one word, or about a stretch of sound, that could not be done."""

    word: str
    """Empty where it is about the sound."""
    start: float
    """Seconds; NaN where no time could be given."""
    end: float
    why: str

    def line(self) -> str:
        """For a person to read."""
        where = "" if math.isnan(self.start) else f"{self.start:.2f} to {self.end:.2f} s: "
        return f"{where}'{self.word}': {self.why}" if self.word else f"{where}{self.why}"


class Piece(NamedTuple):
    """A phone of the articulation table in time: half a diphthong, or a whole symbol."""

    phone: str
    start: float
    end: float
    sound: int
    """Index of the symbol it is part of."""


@dataclass(frozen=True)
class Timeline:
    """Sounds in order without overlap, words in order, and what failed."""

    sounds: tuple[Sound, ...]
    words: tuple[Word, ...] = ()
    seconds: float = 0.0
    """Length of the recording."""
    symbols: Symbols = "arpabet"
    source: str = ""
    """Who aligned it: pocketsphinx, a file's name, flite."""
    score: float = math.nan
    """Mean score a frame of what is said; see `Sound.score`."""
    faults: tuple[Fault, ...] = field(default=())

    def __post_init__(self) -> None:
        _check_order("sound", self.sounds)
        _check_order("word", self.words)
        ends = [each.end for each in self.sounds] + [each.end for each in self.words]
        last = max(ends, default=0.0)
        if self.seconds < last:
            object.__setattr__(self, "seconds", last)

    def pieces(self) -> Iterator[Piece]:
        """Phones of the table over the whole recording; gaps and unknown symbols are silence."""
        now = 0.0
        for index, each in enumerate(self.sounds):
            if each.start > now + 1e-9:
                yield Piece(SILENCE, now, each.start, -1)
            now = each.end
            yield from _split(index, each, self.symbols)
        if self.seconds > now + 1e-9:
            yield Piece(SILENCE, now, self.seconds, -1)

    def contacts(self, kind: str) -> list[tuple[float, float]]:
        """Spans in which something must touch: `lips` of p, b, m, `teeth` of f, v."""
        return [(p.start, p.end) for p in self.pieces() if phone(p.phone).contact == kind]

    def silences(self, least: float = 0.0) -> list[tuple[float, float]]:
        """Spans in which nothing is said, those that follow each other as one."""
        spans: list[tuple[float, float]] = []
        for each in self.pieces():
            if each.phone != SILENCE:
                continue
            if spans and each.start - spans[-1][1] < 1e-6:
                spans[-1] = (spans[-1][0], each.end)
            else:
                spans.append((each.start, each.end))
        return [span for span in spans if span[1] - span[0] >= least]

    def shifted(self, seconds: float) -> Timeline:
        """The same a little later; nothing may fall before zero."""
        return replace(
            self,
            sounds=tuple(s._replace(start=s.start + seconds, end=s.end + seconds)
                         for s in self.sounds),
            words=tuple(w._replace(start=w.start + seconds, end=w.end + seconds)
                        for w in self.words),
            seconds=self.seconds + seconds,
        )  # fmt: skip

    def with_fault(self, *faults: Fault) -> Timeline:
        """The same with more faults on its list."""
        return replace(self, faults=(*self.faults, *faults))


def _split(index: int, each: Sound, symbols: Symbols) -> Iterator[Piece]:
    now, length = each.start, each.end - each.start
    found = parts(each.symbol, symbols)
    if not found:
        yield Piece(SILENCE, each.start, each.end, index)
        return
    for part in found:
        after = now + part.share * length
        yield Piece(part.phone, now, after, index)
        now = after


def _check_order(name: str, spans: Sequence[Sound | Word]) -> None:
    for row, each in enumerate(spans, 1):
        if not (0 <= each.start <= each.end and math.isfinite(each.end)):
            raise BadInput(f"the {name} {each[0]!r} from {each.start} to {each.end} s",
                           "a start of 0 or more and an end after it", row=row)  # fmt: skip
    for row, (one, other) in enumerate(pairwise(spans), 2):
        if other.start < one.end - 1e-6:
            raise BadInput(
                f"the {name} {other[0]!r} at {other.start:g} s before {one[0]!r} has ended at "
                f"{one.end:g} s", f"{name}s in order, apart", row=row,
            )  # fmt: skip
