"""One stretch of sound against some words, by pocketsphinx and the model it brings.

Words are a chain in a finite-state grammar. Both ends of the chain may be open: then the
stretch may begin at any word or stop before the last, with silence or other speech in
between. A word without a known pronunciation is matched by the model's own garbage sound,
so that it takes up its time and nobody has to guess its phones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from semanticface.errors import need
from semanticface.speech.lexicon import Lexicon, Saying, without_stress

FRAMES = 100
"""Frames a second: times are whole hundredths."""
UNKNOWN = "[SPEECH]"
"""The model's garbage sound, in place of a word whose pronunciation nobody knows."""
_EXITS = ("<sil>", UNKNOWN)
_LOOPS = (("<sil>", 0.005), ("[NOISE]", 1e-8))
"""What may stand between any two words, with pocketsphinx' own weights."""
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
    quiet_after: float
    """Seconds of silence between this word and the next."""


class Decoder:
    """Holds the acoustic model: 0.3 s to load, 60 MB."""

    def __init__(self, own: Mapping[str, tuple[str, ...]] | None = None, *, letters: bool = True):
        pocketsphinx = need("pocketsphinx", "speech", "Aligning words with sound")
        self._decoder: Any = pocketsphinx.Decoder(
            lm=None, loglevel="FATAL", bestpath=False, fsgusefiller=False, **_FAST
        )
        self.lexicon = Lexicon(self._decoder.lookup_word, own or {}, letters=letters)
        self._names: dict[str, str] = {}

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
        self._run(sound)
        if self._decoder.hyp() is None:
            return None
        try:
            self._decoder.set_alignment()  # the second pass, for the phones
        except RuntimeError:
            return None
        self._run(sound)
        found = self._decoder.get_alignment()
        return None if found is None else self._read(found, words, open_start)

    def _run(self, sound: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(sound, full_utt=True)
        self._decoder.end_utt()

    def _chain(
        self, words: Sequence[str], open_start: bool, open_end: bool
    ) -> list[tuple[int, int, float, str]]:
        """State i to i + 1 says word i; with fillers at every state, and open ends by fillers."""
        last = len(words)
        arcs = [(i, i + 1, 1.0, self._spoken(word)) for i, word in enumerate(words)]
        arcs += [(i, i, weight, name) for i in range(last + 1) for name, weight in _LOOPS]
        for i in range(1, last):
            if open_end:
                arcs += [(i, last, 1.0, name) for name in _EXITS]
            if open_start:
                arcs += [(0, i, 1.0, name) for name in _EXITS]
        return arcs

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
        spoken = [self._spoken(word) for word in words]
        said = [row for row in listed if row.name not in _SILENT]
        index = 0
        if open_start:
            if said and said[0].name == UNKNOWN:
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


def _placed(row: _Row, index: int, quiet: float) -> Placed:
    way = "" if row.name == UNKNOWN else " ".join(p.symbol for p in row.phones)
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
