"""One stretch of sound against some words, by pocketsphinx and the model it brings.

Words are a chain in a finite-state grammar. Both ends of the chain may be open: then the
stretch may begin at any word or stop before the last, with silence or other speech in
between. A word without a known pronunciation is any phones one after another: it takes up its
own time, not that of its neighbours, and the phones that were heard in it are given without a
claim that they are the word's. (The model's own garbage sound, the way out of a chain, cannot
stand for a word: it scores so badly that the neighbours take its time.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from semanticface.errors import need
from semanticface.speech.lexicon import Lexicon, Saying, without_stress
from semanticface.speech.stress import stressed

FRAMES = 100
"""Frames a second: times are whole hundredths."""
UNKNOWN = ""
"""In place of the name of a word whose pronunciation nobody knows."""
_GARBAGE = "[SPEECH]"
_EXITS = ("<sil>", _GARBAGE)
_ANY = 0.02
"""Weight of each phone of an unknown word: so low that words, where they fit, win."""
_WHOSE = _EVEN, _ODD = ("EVEN", "ODD")
"""Whose such phones are, by the word's place: one unknown word ends where the next begins. In
capitals, which no key of a word has."""
_LOOPS = (("<sil>", 0.005), ("[NOISE]", 1e-8))
"""What may stand between any two words, with pocketsphinx' own weights."""
_PHONES = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH",
    "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH",
    "UW", "V", "W", "Y", "Z", "ZH",
)  # fmt: skip
_ALONE = re.compile(f"__({'|'.join(_WHOSE)})_[A-Z]+__")
Arc = tuple[int, int, float, str]
"""From, to, weight, and what is said on the way."""
_SILENT = frozenset(("<sil>", "[NOISE]", "<s>", "</s>"))
_FAST = {"topn": 2, "ds": 2}
"""Two Gaussians a frame, scored every other frame: 1.9 times as fast, and of the phones of
flite's speech 97.7 % stay within 50 ms of the truth (98.9 % without)."""


class Heard(NamedTuple):
    """One phone or filler as the recogniser placed it."""

    symbol: str
    start: float
    end: float
    score: float


class Placed(NamedTuple):
    """One word of the chain."""

    at: int
    """In the list of words given."""
    start: float
    end: float
    score: float
    """Mean a frame."""
    way: str
    """The pronunciation that fitted, without stress; empty where none was known."""
    phones: tuple[Heard, ...]
    """Its own, or those that were heard where it has none."""
    quiet_after: float
    """Seconds of silence between this word and the next."""


class Decoder:
    """Holds the acoustic model: 0.3 s to load, 60 MB."""

    def __init__(self, own: Mapping[str, tuple[str, ...]] | None = None, *, letters: bool = True):
        pocketsphinx = need("pocketsphinx", "speech", "Aligning words with sound")
        self._decoder: Any = pocketsphinx.Decoder(
            lm=None, loglevel="FATAL", bestpath=False, fsgusefiller=False, **_FAST
        )
        self.lexicon = Lexicon(stressed(self._decoder.lookup_word), own or {}, letters=letters)
        self._names: dict[str, str] = {}
        self._phones = self._any_phones()

    def place(
        self, sound: bytes, words: Sequence[str], *, open_start: bool = False,
        open_end: bool = False,
    ) -> list[Placed] | None:  # fmt: skip
        """The words that were found in 16-bit 16 kHz sound, in order; None where none fit."""
        if not words or len(sound) < 2 * FRAMES:
            return None
        arcs = self._chain(words, open_start, open_end)
        grammar = self._decoder.create_fsg("chain", 0, len(words), arcs)
        self._decoder.add_fsg("chain", grammar)
        self._decoder.activate_search("chain")
        try:
            self._run(sound)
            if self._decoder.hyp() is None:
                return None
            self._decoder.set_alignment()  # the second pass, for the phones
            self._run(sound)
        except RuntimeError:  # no way through the words was left at the end of the sound
            return None
        found = self._decoder.get_alignment()
        return None if found is None else self._read(found, words, open_start)

    def _run(self, sound: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(sound, full_utt=True)
        self._decoder.end_utt()

    def _chain(self, words: Sequence[str], open_start: bool, open_end: bool) -> list[Arc]:
        """State i to i + 1 says word i, with fillers at each; other speech has states after."""
        last = len(words)
        arcs: list[Arc] = [(i, i, w, name) for i in range(last + 1) for name, w in _LOOPS]
        for i, word in enumerate(words):
            name = self._spoken(word)
            arcs += [(i, i + 1, 1.0, name)] if name else self._unknown(i, _states(arcs))
        for i in range(1, last):
            if open_end:
                arcs += [(i, last, 1.0, name) for name in _EXITS]
            if open_start:
                arcs += [(0, i, 1.0, name) for name in _EXITS]
        return arcs

    def _unknown(self, index: int, inside: int) -> list[Arc]:
        """One phone or more in place of a word, with a state of their own.

        Ways without a word would be fewer, but the second pass cannot follow them.
        """
        ways = ((index, index + 1), (index, inside), (inside, inside), (inside, index + 1))
        names = self._phones[_whose(index)]
        return [(start, end, _ANY, name) for start, end in ways for name in names]

    def _any_phones(self) -> dict[str, tuple[str, ...]]:
        """The names of every phone of the model as a word of its own, once for each of two."""
        names = {whose: tuple(f"__{whose}_{phone}__" for phone in _PHONES) for whose in _WHOSE}
        for each in names.values():
            for name, phone in zip(each, _PHONES, strict=True):
                self._decoder.add_word(name, phone, name == names[_ODD][-1])
        return names

    def _spoken(self, word: str) -> str:
        """The name under which the decoder knows a word; its other ways come with it."""
        if word not in self._names:
            said = self.lexicon.saying(word)
            self._names[word] = UNKNOWN if said is None else self._entered(word, said)
        return self._names[word]

    def _entered(self, word: str, said: Saying) -> str:
        if said.by == "dictionary":
            return word
        name = f"__{word}__"
        for i, way in enumerate(said.ways):
            entry = f"{name}({i + 1})" if i else name
            self._decoder.add_word(entry, without_stress(way), i == len(said.ways) - 1)
        return name

    def _read(self, found: Any, words: Sequence[str], open_start: bool) -> list[Placed] | None:
        listed = [_row(each) for each in found]
        said = list(_joined(row for row in listed if row.name not in _SILENT))
        spoken = [self._spoken(word) or _whose(i) for i, word in enumerate(words)]
        index = 0
        if open_start:
            if said and said[0].name == _GARBAGE:
                said = said[1:]
            index = _first([row.name for row in said], spoken)
        placed = []
        for row in said:
            if index >= len(words) or row.name != spoken[index]:
                break  # the way out through other speech
            placed.append(_placed(row, index, _quiet_after(row, listed)))
            index += 1
        return placed or None


class _Row(NamedTuple):
    """One entry of pocketsphinx' alignment, copied: entries die with their iterator."""

    name: str
    start: float
    end: float
    score: float
    phones: tuple[Heard, ...]


def _row(entry: Any) -> _Row:
    name = re.sub(r"\(\d+\)$", "", entry.name)
    phones = tuple(
        Heard(p.name, p.start / FRAMES, (p.start + p.duration) / FRAMES,
              p.score / max(p.duration, 1)) for p in entry
    )  # fmt: skip
    return _Row(name, entry.start / FRAMES, (entry.start + entry.duration) / FRAMES,
                entry.score / max(entry.duration, 1), phones)  # fmt: skip


def _joined(rows: Iterable[_Row]) -> Iterator[_Row]:
    """Rows, with the phones of one unknown word as one."""
    for whose, group in groupby(rows, lambda row: _any_phone(row.name) or row):
        listed = list(group)
        if isinstance(whose, str):
            yield _Row(whose, listed[0].start, listed[-1].end, _mean_score(listed),
                       tuple(phone for row in listed for phone in row.phones))  # fmt: skip
        else:
            yield from listed


def _any_phone(name: str) -> str:
    """Whose a phone that stands alone is; empty for a word."""
    found = _ALONE.fullmatch(name)
    return found[1] if found else ""


def _states(arcs: Iterable[Arc]) -> int:
    """How many states there are: the number of the next."""
    return 1 + max(arc[1] for arc in arcs)


def _whose(index: int) -> str:
    """The phones of an unknown word, by its place."""
    return _ODD if index % 2 else _EVEN


def _mean_score(rows: Sequence[_Row]) -> float:
    seconds = [row.end - row.start for row in rows]
    return float(np.average([row.score for row in rows], weights=seconds))


def _placed(row: _Row, index: int, quiet: float) -> Placed:
    way = "" if row.name in _WHOSE else " ".join(p.symbol for p in row.phones)
    return Placed(index, row.start, row.end, row.score, way, row.phones, quiet)


def _quiet_after(row: _Row, listed: list[_Row]) -> float:
    """Seconds of the fillers that follow a word."""
    quiet, now = 0.0, row.end
    for each in listed:
        if each.name in _SILENT and abs(each.start - now) < 1e-6:
            quiet, now = quiet + each.end - each.start, each.end
    return quiet


def _first(said: list[str], spoken: list[str]) -> int:
    """At which word an open chain was entered: the first place where its words follow."""
    for first in range(len(spoken)):
        pairs = list(zip(said, spoken[first:], strict=False))
        if pairs and all(one == other for one, other in pairs):
            return first
    return len(spoken)
