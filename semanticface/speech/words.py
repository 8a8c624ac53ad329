"""A transcript as words that can be looked up, each with the place it came from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from semanticface.errors import BadInput
from semanticface.formats.json_lines import read_text

_WORD = re.compile(
    r"(?:[$\u00a3\u20ac](?=\d))?[^\W_]+(?:(?:['\u2019.\-&]|(?<=\d),(?=\d{3}(?!\d)))[^\W_]+)*"
    r"(?:['\u2019]|(?<=\d)\s?%)?"
)
_SPACES = re.compile(r"\s+")
MAX_TEXT = 8 * 2**20
_A_PLACE = re.compile(r"[/\\]|\w\.(txt|md|text|lab|srt|vtt|json|textgrid|ctm)$", re.IGNORECASE)
"""What no word looks like, but a place does."""


class Token(NamedTuple):
    """One spoken word."""

    shown: str
    """As the transcript spells it."""
    key: str
    """As dictionaries spell it: lower case, straight apostrophes."""


def tokens(text: str) -> list[Token]:
    """The words of a text; what stands in [square] or <angled> brackets is not spoken."""
    spoken = re.sub(r"\[[^\]\n]*\]|<[^>\n]*>", " ", text)
    return [
        Token(found[0], found[0].lower().replace("\u2019", "'"))
        for found in _WORD.finditer(_SPACES.sub(" ", spoken))
    ]


def transcript_of(told: str) -> str:
    """The text of a transcript given as text, or as the place of a text file."""
    looks_like_file = "\n" not in told and len(told) < 4096 and _names_a_file(told)
    if looks_like_file:
        text = read_text(Path(told), max_bytes=MAX_TEXT)
    elif _A_PLACE.search(told) and " " not in told:
        raise BadInput("no such file", "a text file, or the words themselves", file=told)
    else:
        text = told
    if not tokens(text):
        raise BadInput("a transcript without a word", "what is said in the recording",
                       file=told if looks_like_file else None)  # fmt: skip
    return text


def _names_a_file(told: str) -> bool:
    try:
        return Path(told).is_file()
    except OSError:
        return False


def latin_share(listed: list[Token]) -> float:
    """Share of the words spelt with a to z, digits, apostrophes and hyphens alone."""
    plain = re.compile(r"[a-z'.\-&]+|[$\u00a3\u20ac]?[a-z\d.,'\-]*\d[a-z\d.,'\-%\s]*")
    return sum(bool(plain.fullmatch(each.key)) for each in listed) / max(len(listed), 1)
