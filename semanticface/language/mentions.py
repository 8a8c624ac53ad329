"""Where a text speaks of a movement or a part of the face: spans, not yet claims.

All spans index the text as it was given: marks of emphasis are blanked, not cut.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from semanticface.language.lexicon import lexicon
from semanticface.language.words import Heard, Hearing

_GAP = r"(?:(?!(?:and|or|but|with|while)\b)[^\s.;:,()]+\s+){0,4}?"
_SPACE = re.compile(r" (?![*?+\]])")
_MARKS = re.compile(r"[*_`#>\"“”]")


class Mention(NamedTuple):
    """Words at [start, end) that name a movement (or an area) and what they may mean."""

    start: int
    end: int
    heard: Heard
    area: bool = False


@dataclass(frozen=True)
class Ears:
    """A `Hearing` with its expressions compiled."""

    hearing: Hearing
    movements: tuple[tuple[Heard, re.Pattern[str]], ...]
    areas: tuple[tuple[Heard, re.Pattern[str]], ...]
    directions: tuple[tuple[Heard, re.Pattern[str]], ...]
    levels: tuple[tuple[re.Pattern[str], str, str], ...]
    titles: tuple[tuple[str, re.Pattern[str]], ...]
    words: dict[str, re.Pattern[str]] = field(default_factory=dict)


@cache
def ears(language: str) -> Ears:
    """The compiled hearing of a language."""
    hearing = lexicon(language).hearing
    plain = (
        "gaze", "left", "right", "both", "negation", "at_rest", "hedge", "asymmetric", "symmetric",
        "not_asymmetric", "negligible", "stronger", "sided_level", "boundary", "shared", "listed",
        "clause", "sentence",
    )  # fmt: skip
    return Ears(
        hearing,
        tuple((each, pattern(each.pattern)) for each in hearing.movements),
        tuple((each, pattern(each.pattern)) for each in hearing.areas),
        tuple((each, pattern(each.pattern)) for each in hearing.gaze_directions),
        tuple((pattern(text), low, high) for text, low, high in hearing.levels),
        tuple((region, pattern(text)) for region, text in hearing.titles.items()),
        {name: pattern(getattr(hearing, name)) for name in plain},
    )


def pattern(text: str) -> re.Pattern[str]:
    """Compile a heard pattern: a space is any white space, `~` up to four words of a phrase."""
    return re.compile(_SPACE.sub(r"\\s+", text).replace("~", _GAP), re.IGNORECASE)


def without_marks(text: str) -> str:
    """The text with emphasis blanked; every character stays at its place."""
    return _MARKS.sub(" ", text)


def find_mentions(text: str, listen: Ears) -> list[Mention]:
    """All movements and areas named in `text`, in order; of overlapping ones the longest."""
    regions = _Regions(text, listen)
    found = [
        Mention(match.start(), match.end(), heard, area)
        for area, table in ((False, listen.movements), (True, listen.areas))
        for heard, compiled in table
        for match in compiled.finditer(text)
        if heard.region is None or regions.at(match.start()) == heard.region
    ]
    return _longest(found + _gazes(text, listen))


def _longest(found: list[Mention]) -> list[Mention]:
    """Of overlapping mentions the longest; movements before areas."""
    kept: list[Mention] = []
    starts: list[int] = []
    for each in sorted(found, key=lambda m: (m.area, m.start - m.end)):
        at = bisect_left(starts, each.start)
        clear_before = not at or kept[at - 1].end <= each.start
        if clear_before and (at == len(kept) or each.end <= starts[at]):
            kept.insert(at, each)
            starts.insert(at, each.start)
    return kept


def _gazes(text: str, listen: Ears) -> list[Mention]:
    """Directions of gaze: groups a, b... of the gaze pattern each hold one direction."""
    found = []
    for match in listen.words["gaze"].finditer(text):
        spans = sorted(match.span(name) for name in match.re.groupindex if match[name])
        start = match.start()
        for i, (low, high) in enumerate(spans):
            heard = _direction(text[low:high], listen)
            end = match.end() if i == len(spans) - 1 else high
            if heard is not None:
                found.append(Mention(low if i else start, end, heard))
    return found


def _direction(words: str, listen: Ears) -> Heard | None:
    for heard, compiled in listen.directions:
        if compiled.search(words):
            return heard
    return None


class _Regions:
    """Which region's title stands over each place; a new line ends it."""

    def __init__(self, text: str, listen: Ears) -> None:
        marks: list[tuple[int, str]] = [(match.end(), "") for match in re.finditer(r"\n", text)]
        for region, compiled in listen.titles:
            marks += [(match.end(), region) for match in compiled.finditer(text)]
        marks.sort()
        self._starts = [start for start, _ in marks]
        self._regions = [region for _, region in marks]

    def at(self, place: int) -> str:
        where = bisect_right(self._starts, place)
        return self._regions[where - 1] if where else ""


def pieces(text: str, start: int, end: int, split: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Cut [start, end) of a text where `split` matches."""
    for match in split.finditer(text, start, end):
        yield start, match.start()
        start = match.end()
    yield start, end
