"""Tokens with digits as the words that are spoken: 25, 1984, 21st, 3.14, $5.20, 50%, 1990s.

A number may be read in several ways (1984 as a year, as a quantity, digit by digit); all are
given, the likeliest first, and the sound decides between them. English, spelt by num2words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from semanticface.errors import need

Words = tuple[str, ...]
"""The words of one way of reading."""

_NUMBER = re.compile(
    r"(?P<money>[$\u00a3\u20ac])?(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d+))?"
    r"(?P<tail>\s?%|st|nd|rd|th|'?s)?",
    re.ASCII,
)
_SPAN = re.compile(r"\d+(?:-\d+)+", re.ASCII)
_LONGEST = 24
"""Digits of the longest number that is read; of the longest quantity, 12."""
_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_MONEY = {"$": ("dollar", "cent"), "\u00a3": ("pound", "penny"), "\u20ac": ("euro", "cent")}
_MANY = {"cent": "cents", "penny": "pence"}
_YEARS = range(1100, 2100)


def readings(token: str) -> tuple[Words, ...]:
    """How a token with digits is read, the likeliest first; empty where it is no number."""
    if sum(each.isdigit() for each in token) > _LONGEST:
        return ()
    if _SPAN.fullmatch(token):
        return _unique(_span(token.split("-")))
    found = _NUMBER.fullmatch(token)
    return () if found is None else _unique(_number(**found.groupdict()))


def _unique(ways: Iterable[Words]) -> tuple[Words, ...]:
    return tuple(dict.fromkeys(ways))


def _span(parts: list[str]) -> Iterator[Words]:
    """10-20 is ten to twenty; 555-1234 may be read digit by digit."""
    each = [next(_amount(part)) for part in parts]
    yield tuple(word for i, one in enumerate(each) for word in (("to", *one) if i else one))
    yield tuple(word for one in each for word in one)
    yield from _one_by_one("".join(parts))


def _number(money: str | None, whole: str, part: str | None, tail: str | None) -> Iterator[Words]:
    tail = (tail or "").strip()
    grouped, whole = "," in whole, whole.replace(",", "")
    if tail in ("st", "nd", "rd", "th"):
        yield from _spelt(whole, "ordinal")
        return
    if money:
        yield from _money(money, whole, part)
    plain = grouped or money or tail == "%"
    ways = _decimal(whole, part) if part else _amount(whole) if plain else _whole(whole)
    for way in ways:
        yield (*way, "percent") if tail == "%" else _plural(way) if tail else way


def _money(sign: str, whole: str, part: str | None) -> Iterator[Words]:
    unit, hundredth = _MONEY[sign]
    if part and len(part) != 2:
        yield from ((*way, f"{unit}s") for way in _decimal(whole, part))
        return
    for way in _amount(whole):
        units = (*way, unit if way == ("one",) else f"{unit}s")
        if not part:
            yield units
            continue
        cents = next(_amount(part.lstrip("0") or "0"))
        many = hundredth if cents == ("one",) else _MANY[hundredth]
        yield (*units, *cents, many)
        yield (*units, "and", *cents, many)
        yield (*way, *cents)


def _decimal(whole: str, part: str) -> Iterator[Words]:
    for way in _amount(whole):
        yield from ((*way, "point", *digits) for digits in _one_by_one(part))


def _whole(digits: str) -> Iterator[Words]:
    """As a year, a quantity, digit by digit."""
    if len(digits) == 4 and int(digits) in _YEARS:
        yield from _spelt(digits, "year")
    yield from _amount(digits)
    if len(digits) > 2:
        yield from _one_by_one(digits)


def _amount(digits: str) -> Iterator[Words]:
    """As a quantity; what begins with a zero has none."""
    if len(digits) > 12 or (digits[0] == "0" and len(digits) > 1):
        yield from _one_by_one(digits)
    else:
        yield from _spelt(digits, "cardinal")


def _one_by_one(digits: str) -> Iterator[Words]:
    told = tuple(_DIGITS[int(each)] for each in digits)
    yield told
    if "zero" in told:
        yield tuple("oh" if each == "zero" else each for each in told)


def _spelt(digits: str, kind: str) -> Iterator[Words]:
    """By num2words, with its `and` and without."""
    library: Any = need("num2words", "speech", "Reading numbers aloud")
    words = tuple(re.findall("[a-z]+", library.num2words(int(digits), to=kind)))
    yield words
    yield tuple(each for each in words if each != "and")


def _plural(way: Words) -> Words:
    """Of the last word: nineties, hundreds."""
    last = way[-1]
    return (*way[:-1], f"{last[:-1]}ies" if last.endswith("y") else f"{last}s")
