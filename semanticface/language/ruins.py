"""Picking `"name": number` pairs and words out of JSON that is broken or cut off."""

from __future__ import annotations

import json
import re

from semanticface.language.description import FIELDS, Description
from semanticface.language.parsed import Tally
from semanticface.rig import find

_NUMBER = r"-?\d{1,6}(?:\.\d{1,20})?"
# Something must follow the number that ends it: at the very end of a text that broke
# off, 0.1 may be the beginning of 0.123, and in 0,123 the comma is a decimal one.
_ENDED = r"""(?=["']?\s{0,8}(?:[;}\]\n]|,\s{0,40}(?:["'}\n]|$)))"""
_NAME = r"[A-Za-z][A-Za-z_]{2,31}"
_PIECE = re.compile(
    rf"""(["'])(?P<name>{_NAME})\1\s{{0,8}}:\s{{0,8}}["']?(?P<number>{_NUMBER}){_ENDED}"""
    r'''|"(?:[^"\\\n]|\\.)*"'''  # any other string is skipped whole, whatever stands in it
)
_BARE = re.compile(
    rf"(?m)^[ \t]{{0,16}}[-*]?[ \t]{{0,4}}(?P<name>{_NAME})[ \t]{{0,4}}[:=][ \t]{{0,4}}"
    rf"(?P<number>{_NUMBER})[ \t]{{0,4}}[,;]?[ \t]{{0,16}}\n"
)


def pick_pairs(text: str, tally: Tally) -> int:
    """Fill the tally from a broken text; says how many pairs were found.

    Keys must be quoted, or stand alone with their number on a line. In a two-key
    answer only what follows `"arkit"` counts, never what a description quotes.
    """
    begun = max(text.rfind('"arkit"'), text.rfind("'arkit'"))
    if begun < 0 and any(f'"{name}"' in text for name in ("analysis", *FIELDS)):
        return 0
    numbers = text[max(begun, 0) :]
    found = _take(_PIECE, numbers, tally)
    return found or (_take(_BARE, numbers, tally) if "{" not in numbers else 0)


def _take(pattern: re.Pattern[str], text: str, tally: Tally) -> int:
    found = 0
    for match in pattern.finditer(text):
        index = find(match["name"]) if match["name"] else None
        if index is not None:
            tally.put(index, float(match["number"]))
            found += 1
    return found


def broken_words(text: str) -> Description | None:
    """The analysis fields of a broken two-key answer, if all four are whole; else a list."""
    found = {}
    for name in FIELDS:
        match = re.search(rf'"{name}"\s{{0,8}}:\s{{0,8}}("(?:[^"\\]|\\.)*")', text[:50_000])
        if match is None:
            return Description.from_markdown(text[: max(text.find("{"), 0)])
        try:
            found[name] = json.loads(match[1], strict=False)
        except ValueError:
            return None
    return Description(**found)
