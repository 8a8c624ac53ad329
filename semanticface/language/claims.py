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
7. Only the first `LIMIT` characters are read; a sentence longer than `SENTENCE`
   is read in pieces; of words repeated over and over only the first two count.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from semanticface.language.description import Description
from semanticface.language.lexicon import lexicon
from semanticface.language.mentions import Ears, ears, find_mentions, pieces, without_marks
from semanticface.language.sentences import FACE, Claim, Sentence
from semanticface.language.words import LANGUAGES

__all__ = ["FACE", "LIMIT", "Claim", "language_of", "read_claims"]

LIMIT = 12_000
"""How many characters of a text are read."""
SENTENCE = 1_000
"""How many characters of a sentence are read together."""
_PERIOD = 6
"""The longest run of words whose repetitions are left out."""


class _Part(NamedTuple):
    start: int
    end: int
    field: str


def read_claims(text: str | Description, language: str = "auto") -> list[Claim]:
    """All claims of a text, in order of their place; see the rules above."""
    whole = text.as_text() if isinstance(text, Description) else text
    spoken = language_of(whole) if language == "auto" else language
    listen = ears(spoken)
    clean, places = _squeezed(without_marks(whole[:LIMIT]))
    parts = _fields(text, places) if isinstance(text, Description) else _parts(clean)
    claims = [claim for part in parts for claim in _read_part(clean, part, listen)]
    return [_placed(claim, whole, places) for claim in claims]


def _placed(claim: Claim, whole: str, places: list[int]) -> Claim:
    """The claim with its quote and its place in the text as it was given."""
    start, end = places[claim.start], places[max(claim.end, 1) - 1] + 1
    return claim._replace(start=start, end=end, quote=whole[start:end].strip())


def _squeezed(text: str) -> tuple[str, list[int]]:
    """The text without repetitions and runs of white space, and where its characters stood."""
    words = [(match[0], match.start()) for match in re.finditer(r"\S+|\s+", text)]
    spaced = [("\n" if "\n" in w else " ", at) if w.isspace() else (w, at) for w, at in words]
    for period in range(1, _PERIOD + 1):
        spaced = _without_repeats(spaced, 2 * period)
    squeezed = "".join(word for word, _ in spaced)
    places = [at + i for word, at in spaced for i in range(len(word))]
    return squeezed, [*places, len(text)]


def _without_repeats(words: list[tuple[str, int]], period: int) -> list[tuple[str, int]]:
    """Of a run of `period` words and spaces said three times or more, the first two."""
    kept: list[tuple[str, int]] = []
    same = 0  # how many of the last words are what stood a period before
    for word in words:
        kept.append(word)
        same = same + 1 if len(kept) > period and kept[-1 - period][0] == word[0] else 0
        if same == 2 * period:
            del kept[-period:]
            same = period
    return kept


def language_of(text: str) -> str:
    """`zh` where any Chinese character stands, else `en`."""
    return "zh" if re.search("[\u4e00-\u9fff]", text) else "en"


# -- parts ---------------------------------------------------------------------------


def _fields(description: Description, places: list[int]) -> list[_Part]:
    parts, start = [], 0
    for name, text in description.as_analysis().items():
        low, high = (bisect_left(places, at) for at in (start, start + len(text)))
        parts.append(_Part(low, min(high, len(places) - 1), name))
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
    own = text[part.start : part.end]
    mentions = find_mentions(own, listen)
    starts = [mention.start for mention in mentions]
    for start, end in _bounded(own, pieces(own, 0, len(own), listen.words["sentence"])):
        inside = mentions[bisect_left(starts, start) : bisect_left(starts, end)]
        sentence = Sentence(own, start, end, inside, listen)
        about = sentence.about_symmetry if part.field == "symmetry" else sentence.about_movements
        for claim in about():
            yield claim._replace(start=claim.start + part.start, end=claim.end + part.start)


def _bounded(text: str, spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans, those beyond `SENTENCE` cut, at the border of a word where there is one."""
    for start, end in spans:
        while end - start > SENTENCE:
            cut = text.rfind(" ", start + 1, start + SENTENCE)
            cut = start + SENTENCE if cut < 0 else cut
            yield start, cut
            start = cut
        yield start, end
