"""Which vowels of a word are stressed: the CMU dictionary's marks, without its phones.

    with_stress("maple", "M EY P AH L")      # "M EY1 P AH0 L"

The dictionary inside pocketsphinx has no stress. `tables/stress.txt.xz` has the vowels of each
way to say a word, `record AH0AO1 EH1ER0 IH0AO1` (made by scripts/stress_table.py from
cmudict.dict, © Carnegie Mellon University; its licence stands beside it). Vowels as they were
found in the sound are held against it:

* where a way has the same vowels, its digits are taken;
* where none has (flite, MFA: another vowel here and there), those of the ways with as many;
* where ways that fit disagree about a vowel (permit, noun or verb), it has no mark, and where
  the table does not have the word none has one. Nothing is guessed.
"""

from __future__ import annotations

import lzma
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache
from importlib import resources

from semanticface.speech.lexicon import Lookup
from semanticface.speech.phones import parts, phone, split_stress
from semanticface.speech.timeline import Sound, Timeline
from semanticface.speech.words import tokens

TABLE = "tables/stress.txt.xz"
Marks = list[int | None]
_VOWEL = re.compile(r"([A-Z]{2})([012])")
_NUMBERED = re.compile(r"\(\d+\)$")


def with_stress(word: str, way: str) -> str:
    """Symbols with the digits that are known."""
    symbols = way.split()
    known = zip(symbols, marks(word, symbols), strict=True)
    return " ".join(each if mark is None else f"{each}{mark}" for each, mark in known)


def stressed(dictionary: Lookup) -> Lookup:
    """A dictionary without stress, with it."""

    def lookup(word: str) -> str | None:
        way = dictionary(word)
        return None if way is None else with_stress(_NUMBERED.sub("", word), way)

    return lookup


def marks(word: str, symbols: Sequence[str]) -> Marks:
    """Of each symbol (ARPAbet without digits): 0, 1 or 2; None where it is not known."""
    places = [i for i, symbol in enumerate(symbols) if _is_vowel(symbol)]
    spoken = tuple(symbols[i] for i in places)
    told: Marks = [None] * len(symbols)
    known = [way for way in _ways(word) if len(way) == len(spoken)]
    same = [way for way in known if tuple(vowel for vowel, _ in way) == spoken]
    for nth, place in enumerate(places):
        found = {way[nth][1] for way in same or known}
        told[place] = found.pop() if len(found) == 1 else None
    return told


def filled(timeline: Timeline) -> Timeline:
    """Marks for the words that have none, of English; what an alignment marks itself stays."""
    if timeline.symbols != "arpabet":
        return timeline
    sounds = list(timeline.sounds)
    for index, places in _by_word(sounds).items():
        if all(sounds[i].stress is None for i in places):
            told = marks(_key(timeline.words[index].text), [sounds[i].symbol for i in places])
            for i, mark in zip(places, told, strict=True):
                sounds[i] = sounds[i]._replace(stress=mark)
    return replace(timeline, sounds=tuple(sounds))


def agreed(ways: Sequence[str], phones: Sequence[str]) -> Marks:
    """The digits of those ways that are these phones, where they agree."""
    told = [[split_stress(symbol) for symbol in way.split()] for way in ways]
    same = [each for each in told if [name.upper() for name, _ in each] == list(phones)]
    columns = [{mark for _, mark in column} for column in zip(*same, strict=True)]
    return [column.pop() if len(column) == 1 else None for column in columns] or [None] * len(
        phones
    )


@lru_cache(maxsize=4096)
def _ways(word: str) -> tuple[tuple[tuple[str, int], ...], ...]:
    """The vowels of each way to say a word, with their digits."""
    rows, key = _table(), f"{word} "
    at = bisect_left(rows, key)  # a space comes before whatever else a word may have there
    if at == len(rows) or not rows[at].startswith(key):
        return ()
    return tuple(tuple((vowel, int(mark)) for vowel, mark in _VOWEL.findall(way))
                 for way in rows[at].split()[1:])  # fmt: skip


@cache
def _table() -> list[str]:
    """Rows in the order of their words."""
    packed = resources.files(__package__).joinpath(TABLE).read_bytes()
    return lzma.decompress(packed).decode().split("\n")


def _by_word(sounds: Sequence[Sound]) -> dict[int, list[int]]:
    """Which sounds each word has."""
    held: dict[int, list[int]] = {}
    for i, each in enumerate(sounds):
        if each.word is not None:
            held.setdefault(each.word, []).append(i)
    return held


def _key(word: str) -> str:
    """A word of an alignment as the dictionary spells it."""
    found = tokens(word)
    return found[0].key if len(found) == 1 else word.lower()


def _is_vowel(symbol: str) -> bool:
    return any(phone(part.phone).vowel for part in parts(symbol))
