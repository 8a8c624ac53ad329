"""How English words are pronounced: dictionary, your own entries, endings, letter to sound.

In this order, and the first that knows a word is taken:

1. your own entries, `word  PH ON EH1 M Z` a line, as the CMU dictionary is written;
2. the dictionary inside pocketsphinx (CMU, 134,000 words);
3. a number by the words it is read as, in every way it may be read (`speech.numerals`);
4. endings of a known word: 's, s, es, ed, ing by the rules of English voicing;
5. parts of a compound with a hyphen, letters of an abbreviation, letters and digits (MP3);
6. flite's letter-to-sound rules, where the program `flite` is installed (Debian: flite).

Accents are left out where the word with them is not known. A word that nobody knows is told,
never guessed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from semanticface.errors import BadInput
from semanticface.formats.json_lines import PathLike, read_text
from semanticface.speech.numerals import readings
from semanticface.speech.phones import parts, split_stress

_VOICELESS = frozenset(("P", "T", "K", "F", "TH"))
_HISSES = frozenset(("S", "Z", "SH", "ZH", "CH", "JH"))
_LETTERS = re.compile(r"[a-z'\-]{1,40}")
_JOINTS = re.compile(r"[\-.&]|(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])")
_FLITE_SECONDS = 20


class Saying(NamedTuple):
    """Pronunciations of one word."""

    ways: tuple[str, ...]
    """Each as symbols with a space between, with stress where it is known: `HH AH0 L OW1`."""
    by: str
    """lexicon, dictionary, number, ending, parts or letters."""


Lookup = Callable[[str], str | None]
"""The dictionary: a word, or word(2), to its symbols."""


@dataclass
class Lexicon:
    """Looks words up; remembers what it found."""

    dictionary: Lookup
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    letters: bool = True
    """Whether flite may be asked."""
    _found: dict[str, Saying | None] = field(default_factory=dict)

    def saying(self, word: str) -> Saying | None:
        """How a word (lower case) is said, or None."""
        if word not in self._found:
            self._found[word] = self._look(word)
        return self._found[word]

    def prepare(self, words: Iterable[str]) -> None:
        """Ask flite for all unknown words at once: it takes a third of a second to start."""
        unknown = sorted({w for w in words if w not in self._found and not self._known(w)})
        asked = {
            word: plain for word in unknown if _LETTERS.fullmatch(plain := without_accents(word))
        }
        said = by_letters(list(dict.fromkeys(asked.values()))) if self.letters and asked else {}
        for word in unknown:
            way = said.get(asked.get(word, ""))
            self._found[word] = Saying((way,), "letters") if way else None

    def _look(self, word: str) -> Saying | None:
        found, plain = self._known(word), without_accents(word)
        if found is not None or not self.letters or not _LETTERS.fullmatch(plain):
            return found
        way = by_letters([plain]).get(plain)
        return Saying((way,), "letters") if way else None

    def _known(self, word: str) -> Saying | None:
        if word in self.own:
            return Saying(self.own[word], "lexicon")
        ways = self._listed(word)
        if ways:
            return Saying(ways, "dictionary")
        ways = self._number(word)
        if ways:
            return Saying(ways, "number")
        ending = self._with_ending(word)
        if ending:
            return Saying((ending,), "ending")
        whole = self._in_parts(word)
        if whole:
            return Saying((whole,), "parts")
        plain = without_accents(word)
        found = self._known(plain) if plain != word else None
        # Not under its own name in the dictionary: by parts, so that it is entered there.
        return found and Saying(found.ways, "parts" if found.by == "dictionary" else found.by)

    def _number(self, word: str) -> tuple[str, ...]:
        """Each reading by the first way of its words, and by the second where there is one."""
        if not any(each.isdigit() for each in word):
            return ()
        told = [[self._listed(each) for each in reading] for reading in readings(word)]
        return tuple(dict.fromkeys(
            " ".join(ways[min(nth, len(ways) - 1)] for ways in reading)
            for nth in (0, 1) for reading in told if all(reading)
        ))  # fmt: skip

    def _listed(self, word: str) -> tuple[str, ...]:
        if word in self.own:
            return self.own[word]
        ways: list[str] = []
        while (way := self.dictionary(f"{word}({len(ways) + 1})" if ways else word)) is not None:
            ways.append(way)
        return tuple(ways)

    def _with_ending(self, word: str) -> str | None:
        for suffix, add in _ENDINGS:
            stem = word.removesuffix(suffix)
            if stem != word and len(stem) > 1 and (ways := self._listed(stem)):
                return add(ways[0])
            if suffix in ("ed", "ing") and stem != word and (ways := self._listed(stem + "e")):
                return add(ways[0])
        return None

    def _in_parts(self, word: str) -> str | None:
        pieces = [piece for piece in _JOINTS.split(word) if piece]
        if len(pieces) < 2:
            return None
        ways = [self._piece(piece, any(each.isdigit() for each in word)) for piece in pieces]
        return " ".join(ways) if all(ways) else None

    def _piece(self, piece: str, beside_digits: bool) -> str:
        """One part of a compound; beside digits, what is no word is read letter by letter."""
        ways = self._listed(piece) or self._number(piece)
        if ways or not (beside_digits and piece.isalpha()):
            return ways[0] if ways else ""
        letters = [self._listed(each) for each in piece]
        return " ".join(each[0] for each in letters) if all(letters) else ""


def without_accents(word: str) -> str:
    """Letters without the marks above and below them: naïve is naive."""
    return "".join(each for each in unicodedata.normalize("NFKD", word)
                   if not unicodedata.combining(each))  # fmt: skip


def _plural(way: str) -> str:
    last = way.split()[-1]
    return f"{way} AH0 Z" if last in _HISSES else f"{way} {'S' if last in _VOICELESS else 'Z'}"


def _past(way: str) -> str:
    last = way.split()[-1]
    if last in ("T", "D"):
        return f"{way} AH0 D"
    return f"{way} {'T' if last in _VOICELESS | (_HISSES - {'Z', 'ZH', 'JH'}) else 'D'}"


_ENDINGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("'s", _plural), ("s'", _plural), ("es", _plural), ("s", _plural), ("ed", _past),
    ("ing", lambda way: f"{way} IH0 NG"), ("'ll", lambda way: f"{way} AH0 L"),
    ("'d", _past), ("'ve", lambda way: f"{way} AH0 V"),
)  # fmt: skip


def by_letters(words: list[str]) -> dict[str, str]:
    """What flite's rules make of words, by word; empty where flite is not installed."""
    program = shutil.which("flite")
    if program is None or not words:
        return {}
    told = subprocess.run(
        [program, "-ps", "-t", ". ".join(words) + ".", "-o", "none"],
        check=False, capture_output=True, text=True, timeout=_FLITE_SECONDS,
    )  # fmt: skip
    spoken = [part.split() for part in re.split(r"\bpau\b", told.stdout)]
    groups = [group for group in spoken if group]
    if len(groups) != len(words):
        if len(words) == 1:
            return {}
        return {word: way for each in words for word, way in by_letters([each]).items()}
    return {word: way for word, group in zip(words, groups, strict=True) if (way := _plain(group))}


def _plain(group: list[str]) -> str:
    found = [[part.phone for part in parts(each)] and flite_symbol(each) for each in group]
    return " ".join(str(each) for each in found) if all(found) else ""


def flite_symbol(told: str) -> str:
    """A flite phone by the dictionary's name: ax is AH, and diphthongs keep their own."""
    name = split_stress(told)[0].upper()
    found = parts(told)
    return name if len(found) > 1 else found[0].phone


def read_lexicon(path: PathLike) -> dict[str, tuple[str, ...]]:
    """Entries of a file in the CMU dictionary's form; `word(2)` is another way to say it."""
    held: dict[str, tuple[str, ...]] = {}
    for row, line in enumerate(read_text(path).splitlines(), 1):
        told = line.split("#")[0].strip() if not line.startswith(";;;") else ""
        if not told:
            continue
        word, *symbols = told.split()
        unknown = [symbol for symbol in symbols if not parts(symbol)]
        if not symbols or unknown:
            raise BadInput(f"the symbol '{unknown[0]}'" if unknown else f"'{word}' alone",
                           "a word and its ARPAbet symbols: hello HH AH0 L OW1",
                           file=path, row=row)  # fmt: skip
        base = re.sub(r"\(\d+\)$", "", word.lower())
        held[base] = (*held.get(base, ()), " ".join(symbols))
    return held


def without_stress(way: str) -> str:
    """The symbols without their digits."""
    return " ".join(split_stress(symbol)[0].upper() for symbol in way.split())
