"""What a text claims about a face, read by published rules.

The rules of reading:

1. Four parts are told apart by their titles or their numbers: category, muscle
   movements, emotional implication, symmetry. The emotional part makes no claim
   about movements: it interprets. Text without parts is read as movements.
2. Words name movements (`smile`, `zygomaticus major`, `AU12`); a few of them can
   mean several (`raised eyebrows`: inner or outer), and then any one will do.
3. Words of level and side belong to the movement of their own phrase; `slight
   dimpling and sneering` hands level and side on. In a bracket right after a
   movement another name says the same thing again: `head tilt (head yaw)`.
4. `no`, `without`, `remain neutral` and the like make a claim of inactivity,
   handed on along a list. `minimal` claims at most a slight movement.
5. After `may`, `possibly`, `suggesting` and the like a claim is hedged; it can
   be borne out but never contradicted.
6. In the symmetry part, and beside words such as `asymmetrical` anywhere, the
   nearest such word before a movement (else after it) says what is claimed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from semanticface.language.description import Description
from semanticface.language.lexicon import lexicon
from semanticface.language.mentions import Ears, ears, find_mentions, pieces, without_marks
from semanticface.language.sentences import FACE, Claim, Sentence
from semanticface.language.words import LANGUAGES

__all__ = ["FACE", "Claim", "language_of", "read_claims"]


@dataclass(frozen=True)
class _Part:
    start: int
    end: int
    field: str


def read_claims(text: str | Description, language: str = "auto") -> list[Claim]:
    """All claims of a text, in order of their place; see the rules above."""
    whole = text.as_text() if isinstance(text, Description) else text
    spoken = language_of(whole) if language == "auto" else language
    listen = ears(spoken)
    clean = without_marks(whole)
    parts = _fields(text) if isinstance(text, Description) else _parts(clean)
    claims = [claim for part in parts for claim in _read_part(clean, part, listen)]
    return [replace(each, quote=whole[each.start : each.end].strip()) for each in claims]


def language_of(text: str) -> str:
    """`zh` where any Chinese character stands, else `en`."""
    return "zh" if re.search("[\u4e00-\u9fff]", text) else "en"


# -- parts ---------------------------------------------------------------------------


def _fields(description: Description) -> list[_Part]:
    parts, start = [], 0
    for name, text in description.as_analysis().items():
        parts.append(_Part(start, start + len(text), name))
        start += len(text) + 1
    return parts


def _parts(text: str) -> list[_Part]:
    """Parts by their titles in any language; what stands before the first title is movements."""
    end = _before_json(text)
    marks = sorted(
        (match.end(), match.start(), name)
        for language in LANGUAGES
        for name, title in lexicon(language).hearing.fields.items()
        for match in re.finditer(title, text[:end], re.IGNORECASE)
    )
    if not marks:
        return [_Part(0, end, "muscle_movements")]
    stops = [start for _, start, _ in marks[1:]] + [end]
    head = [_Part(0, marks[0][1], "muscle_movements")]
    return head + [_Part(m[0], stop, m[2]) for m, stop in zip(marks, stops, strict=True)]


def _before_json(text: str) -> int:
    """Where a trailing object of numbers begins; the whole text where there is none."""
    brace = re.search(r"\{\s*[\"'\s]\w+[\"'\s]\s*:\s*[-\d]", text)
    return brace.start() if brace else len(text)


def _read_part(text: str, part: _Part, listen: Ears) -> Iterator[Claim]:
    if part.field == "emotional_implication":
        return
    # Blank what lies outside, so that spans need no shifting and no pattern runs over.
    own = " " * part.start + text[part.start : part.end]
    mentions = find_mentions(own, listen)
    for start, end in pieces(own, part.start, len(own), listen.words["sentence"]):
        inside = [m for m in mentions if start <= m.start < end]
        sentence = Sentence(own, start, end, inside, listen)
        if part.field == "symmetry":
            yield from sentence.about_symmetry()
        else:
            yield from sentence.about_movements()
