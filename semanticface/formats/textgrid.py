"""Praat TextGrids: words and phones with their times, in long or short text form.

A TextGrid is numbers, texts in double quotes and flags in angle brackets; every
other word is decoration. Praat itself reads it so, and so does this module,
which is why both forms, all white space and any label are read by one rule.
(praatio serves as the second opinion in the tests; it rounds times that are
close to whole seconds and splits files at words that labels may contain.)

Times are seconds. Points are intervals whose end is their start. UTF-8 and, by
its byte order mark, UTF-16 are read; UTF-8 is written.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from semanticface.atomic import write_text
from semanticface.errors import BadInput
from semanticface.formats.json_lines import PathLike, read_bytes

MAX_BYTES = 64 * 2**20
_TOKEN = re.compile(
    r'"(?P<text>[^"]*+(?:""[^"]*+)*+)"|(?P<flag><[^>\n]{0,64}>)|(?<![^\s"])(?P<number>[+-]?\d[^\s"]*)'
    r'|(?P<open>")|![^\n]*|[^\s"<!][^\s"]*|[<!]'
)
_HEADS = (("ooTextFile", "TextGrid"), ("ooTextFile short", "TextGrid"))
_KINDS = ("IntervalTier", "TextTier")


@dataclass(frozen=True)
class Interval:
    """A stretch of time with its label; a point where start and end are equal."""

    start: float
    end: float
    text: str


def read_tiers(
    path: PathLike, *, keep_empty: bool = False, max_bytes: int = MAX_BYTES
) -> dict[str, list[Interval]]:
    """Tiers by name, in file order, each with its intervals in order.

    `keep_empty`: also the unlabelled intervals that Praat puts between labels.
    """
    tokens = _Tokens(_decode(read_bytes(path, max_bytes=max_bytes), path), path)
    head = (tokens.text("the file type"), tokens.text("the class"))
    if head not in _HEADS:
        raise BadInput(f"the header {head}", f"{_HEADS[0]}", file=path, row=1)
    tokens.span()
    tiers: dict[str, list[Interval]] = {}
    if not tokens.exists():
        return tiers
    for _ in range(tokens.count("tiers")):
        name, intervals = _tier(tokens)
        if name in tiers:
            raise tokens.fault(f"two tiers called '{name}'", "each name once")
        tiers[name] = [each for each in intervals if keep_empty or each.text]
    return tiers


def write_tiers(
    tiers: Mapping[str, Sequence[Interval]],
    path: PathLike,
    *,
    layout: Literal["long", "short"] = "long",
    end: float | None = None,
) -> None:
    """Write tiers as a TextGrid whose gaps are filled with unlabelled intervals.

    `end`: the end of the recording, otherwise that of the last interval. A tier
    of points only becomes a point tier. Times are written in full.
    """
    every = [each for tier in tiers.values() for each in tier]
    first = min([0.0, *(each.start for each in every)])
    last = max([each.end for each in every], default=0.0) if end is None else end
    blocks = [_block(name, list(tier), first, last) for name, tier in tiers.items()]
    text = _long(blocks, first, last) if layout == "long" else _short(blocks, first, last)
    write_text(path, text)


@dataclass(frozen=True)
class _Block:
    """A tier ready to be written: in order and without gaps."""

    name: str
    points: bool
    start: float
    end: float
    intervals: list[Interval]


def _block(name: str, tier: list[Interval], first: float, last: float) -> _Block:
    for each in tier:
        if not (math.isfinite(each.start) and math.isfinite(each.end) and each.start <= each.end):
            raise BadInput(f"{each}", "an end after the start", column=name)
    points = bool(tier) and all(each.start == each.end for each in tier)
    if not points and any(each.start == each.end for each in tier):
        raise BadInput("points among intervals", "one kind a tier", column=name)
    for one, other in pairwise(tier):
        if other.start < one.end:
            raise BadInput(f"{other} after {one}", "intervals in order, apart", column=name)
    if tier and tier[-1].end > last:
        raise BadInput(f"an interval to {tier[-1].end}", f"none past the end {last}", column=name)
    return _Block(name, points, first, last, tier if points else _filled(tier, first, last))


def _filled(tier: list[Interval], first: float, last: float) -> list[Interval]:
    filled: list[Interval] = []
    now = first
    for each in tier:
        if each.start > now:
            filled.append(Interval(now, each.start, ""))
        filled.append(each)
        now = each.end
    return [*filled, Interval(now, last, "")] if last > now else filled


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


_HEAD = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'


def _short(blocks: list[_Block], first: float, last: float) -> str:
    parts = [f"{first!r}\n{last!r}\n<exists>\n{len(blocks)}\n"]
    for block in blocks:
        kind = _KINDS[block.points]
        parts.append(
            f'"{kind}"\n{_quoted(block.name)}\n{block.start!r}\n{block.end!r}\n'
            f"{len(block.intervals)}\n"
        )
        for each in block.intervals:
            times = f"{each.start!r}" if block.points else f"{each.start!r}\n{each.end!r}"
            parts.append(f"{times}\n{_quoted(each.text)}\n")
    return _HEAD + "".join(parts)


def _long(blocks: list[_Block], first: float, last: float) -> str:
    parts = [
        f"xmin = {first!r}\nxmax = {last!r}\ntiers? <exists>\nsize = {len(blocks)}\nitem []:\n"
    ]
    for i, block in enumerate(blocks, start=1):
        word = "points" if block.points else "intervals"
        parts.append(
            f'    item [{i}]:\n        class = "{_KINDS[block.points]}"\n'
            f"        name = {_quoted(block.name)}\n        xmin = {block.start!r}\n"
            f"        xmax = {block.end!r}\n        {word}: size = {len(block.intervals)}\n"
        )
        for j, each in enumerate(block.intervals, start=1):
            lines = (
                (f"number = {each.start!r}", f"mark = {_quoted(each.text)}")
                if block.points
                else (
                    f"xmin = {each.start!r}",
                    f"xmax = {each.end!r}",
                    f"text = {_quoted(each.text)}",
                )
            )
            parts.append(f"        {word} [{j}]:\n")
            parts += [f"            {line}\n" for line in lines]
    return _HEAD + "".join(parts)


def _decode(data: bytes, path: PathLike) -> str:
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as fault:
        raise BadInput(
            f"a byte at {fault.start} that is not {'UTF-16' if wide else 'UTF-8'}", "a text file",
            file=path, hint="In Praat choose Text writing preferences: UTF-8.",
        ) from None  # fmt: skip


def _tier(tokens: _Tokens) -> tuple[str, list[Interval]]:
    kind = tokens.text("a tier's class")
    if kind not in _KINDS:
        raise tokens.fault(f"the class '{kind}'", " or ".join(_KINDS))
    name = tokens.text("a tier's name")
    tokens.span()
    intervals: list[Interval] = []
    for _ in range(tokens.count("intervals")):
        start = tokens.number("a start")
        end = tokens.number("an end") if kind == _KINDS[0] else start
        if end < start or (intervals and start < intervals[-1].start):
            raise tokens.fault(f"the time {start:g} to {end:g}", "times that rise")
        intervals.append(Interval(start, end, tokens.text("a label")))
    return name, intervals


class _Tokens:
    """The numbers, texts and flags of a file, one after the other."""

    def __init__(self, text: str, path: PathLike) -> None:
        self._text, self._path = text, path
        self._found = self._scan()
        self._at = 0

    def _scan(self) -> Iterator[tuple[str, str]]:
        for found in _TOKEN.finditer(self._text):
            self._at = found.start()
            kind = found.lastgroup
            if kind == "open":
                raise self.fault("a quote that is never closed", "a label in double quotes")
            if kind is not None:
                yield kind, found[kind]
        self._at = len(self._text)

    def fault(self, found: str, expected: str) -> BadInput:
        row = self._text.count("\n", 0, self._at) + 1
        return BadInput(found, expected, file=self._path, row=row)

    def _next(self, kind: str, what: str) -> str:
        got = next(self._found, None)
        if got is None:
            raise self.fault("the end of the file", what)
        if got[0] != kind:
            raise self.fault(f"'{got[1][:40]}'", what)
        return got[1]

    def text(self, what: str) -> str:
        return self._next("text", what).replace('""', '"')

    def number(self, what: str) -> float:
        shown = self._next("number", what)
        try:
            value = float(shown) if "_" not in shown else math.nan
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.fault(f"'{shown[:40]}'", f"{what}, in seconds")
        return value

    def span(self) -> tuple[float, float]:
        return self.number("xmin"), self.number("xmax")

    def count(self, what: str) -> int:
        value = self.number(f"how many {what}")
        if value < 0 or value != int(value):
            raise self.fault(f"{value:g} {what}", "a whole number of them")
        return int(value)

    def exists(self) -> bool:
        return self._next("flag", "<exists> or <absent>") == "<exists>"
