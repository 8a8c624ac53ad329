"""Forced alignment of recordings of any length, in constant memory.

The sound is taken in windows of about ten seconds that end where it is quiet. Each window
is matched with the words to come, of which it may use as many as it needs; the next window
begins after the last word that was placed. Where a window fits nothing, the words to come
are searched for a place where it does (some were left out); where there is none either,
its first half is tried alone; in the end the stretch is given up and told, and the next one
is tried with the same words. The last window may break off within a word: then it is tried
with silence behind it. Of long silences the windows see a second (`speech.squeeze`).

**Scores.** A frame's score is the log-likelihood of the phone there below that of the best
sound in the model, in the recogniser's own unit; 0 is best. Right transcripts of clean
speech score -8 to -25 a frame, transcripts of another recording -45 and below, or fit
nowhere (measured on LibriVox and flite). `DOUBT` lies between.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.speech.audio import RATE, Samples, as_int16
from semanticface.speech.decoder import Decoder, Placed
from semanticface.speech.squeeze import Squeeze
from semanticface.speech.stress import agreed
from semanticface.speech.timeline import Fault, Sound, Timeline, Word
from semanticface.speech.words import Token, latin_share, tokens

WINDOW = 10.0
"""Seconds matched at once, at most."""
DOUBT = -38.0
"""Mean score a frame of a window below which its words are not believed."""
WORD_DOUBT = -60.0
"""Mean score of one word below which it is told."""
_DRAWN_OUT = 0.3
"""Seconds a phone, and as much for the word, above which it is told: of 5,938 words of flite, at
paces of 0.7 to 1.5, none lasted more than 0.25 a phone."""
MOST_WORDS_A_SECOND = 5.0
_AHEAD = 150
"""Words searched for a place to go on."""
_QUIET_AFTER = 0.08
_BEHIND = 0.3
"""Seconds of silence put behind sound that may break off: the way out of the words leads
through silence."""
_TO_THE_END = 0.7
"""Seconds of sound after the last word, at most, of a recording that ends within its text."""
_LEAST_PREFIX, _PREFIX_SCORE = 2, -30.0
"""Words, and their mean score a frame, from which such a recording is told from one of something
else: five LibriVox readings cut off at several places score -15 to -26, beginnings of each
other's transcripts that fill a cut recording by chance -32 and less."""
_LEAST_SPARED, _MOST_SPARED = 3, 25
"""Words of a last window that fits nothing, between which each is tried without: a transcript of
a short recording may have one word that was not said."""
_LEAST_WINDOW = 3.5
"""Seconds down to which a window that fits nothing is cut in two, to save what does fit."""
NOT_ENGLISH = 0.5
_ALL_PLACED, _COVERED = 0.85, 0.6
"""Words that are placed, of all, and of the time in which something sounds the words' share:
below both the words were found by chance. Measured on five LibriVox readings with each
other's transcripts and on flite's: right ones place all and cover 0.83 and more of the whole
recording, wrong ones that anything fitted 0.5 and less."""
_AUDIBLE = 0.05
"""Of the loud parts' level, what still counts as sounding (-26 dB)."""
_AUDIBLE_AT_ALL = 0.002
_STEPS = 100
"""A second, in which the level is looked at."""
_ENDS_EARLY = "the recording ends after word"
_SILENCE = bytes(2 * round(_BEHIND * RATE))


class Aligner:
    """Aligns any number of recordings with one acoustic model (US English)."""

    def __init__(self, own: Mapping[str, tuple[str, ...]] | None = None, *, letters: bool = True):
        self._decoder = Decoder(own, letters=letters)

    def align(self, blocks: Iterable[Samples], transcript: str) -> Timeline:
        """Words and phones of a recording's blocks, and what could not be placed."""
        words = tokens(transcript)
        if not words:
            raise BadInput("a transcript without a word", "what is said in the recording")
        if latin_share(words) < NOT_ENGLISH:
            raise BadInput(
                f"a transcript of which {100 * latin_share(words):.0f} % of the words are spelt "
                "in a to z", "English, for the English model and dictionary",
                hint="Give an alignment of another language as a TextGrid, with --alignment.",
            )  # fmt: skip
        self._decoder.lexicon.prepare(dict.fromkeys(word.key for word in words))
        walk, squeeze = _Walk(self._decoder, words), Squeeze()
        for block in blocks:
            walk.push(squeeze.push(block))
        walk.push(squeeze.end())
        walk.end()
        return squeeze.restored(self._timeline(words, walk))

    def _timeline(self, words: list[Token], walk: _Walk) -> Timeline:
        sounds: list[Sound] = []
        spoken: list[Word] = []
        faults = list(walk.faults)
        for base, placed in walk.placed:
            word = words[placed.at]
            spoken.append(Word(word.shown, base + placed.start, base + placed.end, placed.score))
            sounds += self._sounds(base, placed, word, len(spoken) - 1)
            faults += self._about(base, placed, word)
        score = _mean_score(walk.placed)
        covered = sum(each.end - each.start for each in spoken) / max(walk.audible, 1e-9)
        there = [placed.at for _, placed in walk.placed]
        asked = len(words)
        if walk.ends_early and score >= _PREFIX_SCORE and covered >= _COVERED:
            faults.append(_ends_early(spoken[-1], len(there), asked, walk.seconds))
            asked = len(there)
        faults += [Fault(words[i].shown, math.nan, math.nan, "not found in the sound")
                   for i in sorted(set(range(asked)) - set(there))]  # fmt: skip
        if _of_another(len(there), asked, score, covered):
            faults.insert(0, _another(len(there), asked, score, covered))
        return Timeline(tuple(sounds), tuple(spoken), walk.seconds, "arpabet", "pocketsphinx",
                        score, tuple(faults))  # fmt: skip

    def _sounds(self, base: float, placed: Placed, word: Token, index: int) -> list[Sound]:
        return [
            Sound(each.symbol, base + each.start, base + each.end, mark, index, each.score)
            for each, mark in zip(placed.phones, self._marks(placed, word.key), strict=True)
        ]

    def _marks(self, placed: Placed, key: str) -> list[int | None]:
        """Stress as your own entry or the dictionary marks it, of the way that was heard."""
        said = self._decoder.lexicon.saying(key)
        phones = [each.symbol for each in placed.phones]
        return agreed(said.ways, phones) if placed.way and said else [None] * len(phones)

    def _about(self, base: float, placed: Placed, word: Token) -> list[Fault]:
        start, end = base + placed.start, base + placed.end
        if not placed.way:
            also = "" if shutil.which("flite") else ", or install flite"
            return [Fault(word.shown, start, end, "no pronunciation known: its phones are what "
                          f"is heard there. Add it to a lexicon{also}")]  # fmt: skip
        if placed.score < WORD_DOUBT:
            return [Fault(word.shown, start, end, f"sounds unlike the word (score "
                          f"{placed.score:.0f} a frame)")]  # fmt: skip
        if end - start > _DRAWN_OUT * (len(placed.phones) + 1):
            return [Fault(word.shown, start, end, f"lasts {end - start:.1f} s: something else may "
                          "sound there, or words be missing from the transcript")]  # fmt: skip
        return []


class _Walk:
    """Where the alignment stands: sound not yet used, words not yet placed."""

    def __init__(self, decoder: Decoder, words: list[Token]) -> None:
        self._decoder, self._words = decoder, words
        self._held = np.zeros(0, np.float32)
        self._base = 0.0
        self._next = 0
        self.audible = self._sounding = 0.0
        """Seconds in which something sounds, and the time at which it last did."""
        self.placed: list[tuple[float, Placed]] = []
        self.faults: list[Fault] = []

    @property
    def seconds(self) -> float:
        """Of sound so far."""
        return self._base + len(self._held) / RATE

    @property
    def ends_early(self) -> bool:
        """Whether the words from the first on fill the sound to its end, and more were to come."""
        there = [placed.at for _, placed in self.placed]
        if not _LEAST_PREFIX <= len(there) < len(self._words) or there != list(range(len(there))):
            return False
        base, last = self.placed[-1]
        return self._sounding - (base + last.end) < _TO_THE_END

    def push(self, block: Samples) -> None:
        sounding = np.flatnonzero(_sounding(block)) / _STEPS
        self.audible += len(sounding) / _STEPS
        if len(sounding):
            self._sounding = self.seconds + float(sounding[-1])
        self._held = np.concatenate([self._held, block])
        while len(self._held) > 1.5 * WINDOW * RATE:
            self._advance(quiet_cut(self._held, WINDOW), last=False)

    def end(self) -> None:
        while len(self._held):
            if len(self._held) > 1.2 * WINDOW * RATE:
                self._advance(quiet_cut(self._held, WINDOW), last=False)
            else:
                self._advance(len(self._held), last=True)

    def _advance(self, cut: int, *, last: bool) -> None:
        seconds = cut / RATE
        if self._next >= len(self._words):
            self._drop(cut)
            return
        sound = as_int16(self._held[:cut])
        placed = next((found for found in self._tries(sound, seconds, last=last)), None)
        if placed is None and seconds > _LEAST_WINDOW:
            self._advance(quiet_cut(self._held[:cut], seconds / 2), last=False)
            return
        if placed is None:
            if np.abs(self._held[:cut]).max(initial=0.0) > 0.01:
                self.faults.append(Fault("", self._base, self._base + seconds,
                                         "nothing of the transcript fits here"))  # fmt: skip
            self._drop(cut)
            return
        kept = placed if last else _sure(placed)
        self.placed += [(self._base, each) for each in kept]
        self._next = kept[-1].at + 1
        self._drop(cut if last else min(cut, round((kept[-1].end + 0.02) * RATE)))

    def _tries(self, sound: bytes, seconds: float, *, last: bool) -> Iterator[list[Placed]]:
        left = len(self._words) - self._next
        most = math.ceil(MOST_WORDS_A_SECOND * seconds) + 5
        ways = [(min(left, most), False, True), (min(left, max(most, _AHEAD)), True, True)]
        if last and left <= 2 * most:
            ways.insert(0, (left, False, False))
        for count, open_start, open_end in ways:
            words = [each.key for each in self._words[self._next : self._next + count]]
            found = self._decoder.place(sound, words, open_start=open_start, open_end=open_end)
            if last and open_end and not open_start and not (found and _believed(found, need=1)):
                found = _within(
                    self._decoder.place(sound + _SILENCE, words, open_end=True), seconds
                )
            few = last and _LEAST_SPARED < left <= _MOST_SPARED
            if few and open_end and not open_start and len(found or ()) < left - 1:
                found = max(self._without_one(sound), found, key=_mean_said)
            if found and _believed(found, need=3 if open_start else 1):
                yield [each._replace(at=each.at + self._next) for each in found]

    def _without_one(self, sound: bytes) -> list[Placed] | None:
        """The words left less the one without which the others fit best, if they ever do."""
        left = self._words[self._next :]
        best: list[Placed] | None = None
        for k in range(len(left)):
            found = self._decoder.place(sound, [w.key for i, w in enumerate(left) if i != k])
            if found and _mean_said(found) >= max(_mean_said(best), DOUBT):
                best = [each._replace(at=each.at + (each.at >= k)) for each in found]
        return best

    def _drop(self, samples: int) -> None:
        self._base += samples / RATE
        self._held = self._held[samples:]


def _within(found: list[Placed] | None, seconds: float) -> list[Placed]:
    """Words within a stretch that was matched with silence behind it, without a cut-off last."""
    kept = [each._replace(end=min(each.end, seconds), phones=tuple(
                phone._replace(end=min(phone.end, seconds)) for phone in each.phones
                if phone.start < seconds))
            for each in found or () if each.start < seconds]  # fmt: skip
    return kept[:-1] if kept and kept[-1].score < WORD_DOUBT else kept


def _believed(found: list[Placed], need: int) -> bool:
    return len(found) >= need and _mean_said(found) >= DOUBT


def _mean_said(found: list[Placed] | None) -> float:
    return _mean_score([(0.0, each) for each in found]) if found else -math.inf


def _sure(found: list[Placed]) -> list[Placed]:
    """The words of an open window up to the last that ends in silence, or all but two."""
    for count in range(len(found), max(len(found) - 3, 0), -1):
        if found[count - 1].quiet_after >= _QUIET_AFTER:
            return found[:count]
    return found[:-2] or found


def _mean_score(placed: list[tuple[float, Placed]]) -> float:
    """A frame, over the words whose phones are known."""
    known = [each for _, each in placed if each.way]
    frames = sum(each.end - each.start for each in known)
    total = sum(each.score * (each.end - each.start) for each in known)
    return total / frames if frames else math.nan


def _of_another(placed: int, asked: int, score: float, covered: float) -> bool:
    by_chance = placed < _ALL_PLACED * asked and covered < _COVERED
    return placed < asked / 2 or not score >= DOUBT or by_chance


def audible(block: Samples) -> float:
    """Seconds of a block that are not silent beside its loud parts."""
    return float(_sounding(block).sum() / _STEPS)


def _sounding(block: Samples) -> NDArray[np.bool_]:
    """Each hundredth of a second of a block: whether it is not silent beside the loud parts."""
    step = RATE // _STEPS
    count = len(block) // step
    if not count:
        return np.zeros(0, np.bool_)
    level = np.sqrt(np.square(block[: count * step].reshape(count, step)).mean(axis=1))
    least = max(_AUDIBLE * float(np.percentile(level, 95)), _AUDIBLE_AT_ALL)
    return np.asarray(level > least, np.bool_)


def cut_short(timeline: Timeline) -> bool:
    """Whether the recording ends within its transcript."""
    return any(_ENDS_EARLY in fault.why for fault in timeline.faults)


def _ends_early(last: Word, placed: int, asked: int, seconds: float) -> Fault:
    return Fault("", last.end, seconds, f"{_ENDS_EARLY} {placed} of {asked} of "
                 f"the transcript, '{last.text}'")  # fmt: skip


def _another(placed: int, asked: int, score: float, covered: float) -> Fault:
    if math.isnan(score):
        told = "nothing fits"
    elif score < DOUBT:
        told = f"score {score:.0f} a frame (right ones reach {DOUBT:.0f})"
    else:
        told = f"on {100 * covered:.0f} % of what sounds"
    return Fault(
        "", math.nan, math.nan,
        "the transcript is probably of another recording, not English, or lost in noise: "
        f"{placed} of {asked} words were placed, {told}",
    )  # fmt: skip


def quiet_cut(samples: Samples, seconds: float) -> int:
    """Where to end a window: the middle of the quietest 150 ms of its last 40 %."""
    size = round(0.15 * RATE)
    low, high = round(0.6 * seconds * RATE), min(round(seconds * RATE), len(samples))
    power = np.concatenate([[0.0], np.cumsum(np.square(samples[low:high], dtype=np.float64))])
    sums = power[size:] - power[:-size]
    return high if not len(sums) else low + int(sums.argmin()) + size // 2
