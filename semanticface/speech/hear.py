"""Phones without a transcript: what the recogniser hears, sound by sound.

A phone loop with pocketsphinx' own phone statistics. No words, no stress; about every third
phone is another one than was said, most of them one that looks alike. Better than nothing
for the mouth, no substitute for a transcript.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from semanticface.errors import need
from semanticface.speech.align import WINDOW, quiet_cut
from semanticface.speech.audio import RATE, SILENT_PEAK, Samples, as_int16
from semanticface.speech.decoder import FRAMES
from semanticface.speech.phones import is_silence
from semanticface.speech.timeline import Sound, Timeline

_LONG, _LONGEST = 6.0, 20.0
"""Seconds of an utterance after which a pause ends it, and after which it ends anyway."""
_PAUSE = 0.25
_NOISES = frozenset(("+NSN+", "+SPN+"))


def hear(blocks: Iterable[Samples], loop: PhoneLoop | None = None) -> Timeline:
    """The phones of a recording's blocks, in constant memory.

    One `loop` may serve many short recordings.
    """
    loop = PhoneLoop() if loop is None else loop
    sounds: list[Sound] = []
    base = 0.0
    for part in windows(blocks, WINDOW):
        if np.abs(part).max(initial=0.0) < SILENT_PEAK:
            base += len(part) / RATE
            continue
        sounds += loop.sounds(part, base)
        base += len(part) / RATE
    return Timeline(tuple(sounds), (), base, "arpabet", "pocketsphinx, phones alone")


class PhoneLoop:
    """Holds the acoustic model and the phones' statistics: 0.3 s to load."""

    def __init__(self) -> None:
        pocketsphinx = need("pocketsphinx", "speech", "Hearing phones")
        self.decoder: Any = pocketsphinx.Decoder(
            allphone=pocketsphinx.get_model_path("en-us/en-us-phone.lm.bin"), lm=None, lw=2.0,
            loglevel="FATAL",
        )  # fmt: skip

    def sounds(self, part: Samples, base: float = 0.0) -> list[Sound]:
        """The phones of a stretch of sound that begins at `base` seconds."""
        self.decoder.start_utt()
        self.decoder.process_raw(as_int16(part), full_utt=True)
        self.decoder.end_utt()
        return list(_sounds(self.decoder.seg() or (), base, len(part) / RATE))


class Listening:
    """Phones of sound as it comes, each moment of it looked at once.

    What was found in the last moments may still change with what comes next. An utterance
    ends in a pause, or after twenty seconds; phones are kept for a few seconds.
    """

    def __init__(self, loop: PhoneLoop | None = None) -> None:
        self._decoder = (loop or PhoneLoop()).decoder
        self._kept: list[Sound] = []
        self._base = self.until = 0.0
        """Seconds of the last sound that was heard."""
        self._open = False

    def sounds(self, samples: Samples, start: float) -> list[Sound]:
        """The phones in sound whose first sample is at `start` seconds; what is new is heard."""
        end = start + len(samples) / RATE
        if not (self._open and start <= self.until <= end + 1 / RATE):
            self._begin(start)
            self._kept = []
        new = samples[round((self.until - start) * RATE) :]
        if len(new):
            self._decoder.process_raw(as_int16(new), full_utt=False)
            self.until = end
        found = list(_sounds(self._decoder.seg() or (), self._base, self.until - self._base))
        told = [each for each in (*self._kept, *found) if each.end > start]
        self._rest(found, told)
        return told

    def _begin(self, at: float) -> None:
        if self._open:
            self._decoder.end_utt()
        self._decoder.start_utt()
        self._base = self.until = at
        self._open = True

    def _rest(self, found: list[Sound], told: list[Sound]) -> None:
        """End the utterance where it is long enough: what it holds grows with it."""
        lasted = self.until - self._base
        quiet = self.until - (found[-1].end if found else self._base)
        if lasted > _LONGEST or (lasted > _LONG and quiet > _PAUSE):
            self._kept = told
            self._begin(self.until)


def windows(blocks: Iterable[Samples], seconds: float) -> Iterator[Samples]:
    """The sound in stretches of at most `seconds`, or half as much again at the end.

    They are cut where it is quiet.
    """
    held = np.zeros(0, np.float32)
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) > 1.5 * seconds * RATE:
            cut = quiet_cut(held, seconds)
            yield held[:cut]
            held = held[cut:]
    if len(held) >= RATE // 10:
        yield held


def _sounds(found: Iterable[Any], base: float, seconds: float) -> Iterator[Sound]:
    for each in found:
        if is_silence(each.word) or each.word in _NOISES:
            continue
        start, end = each.start_frame / FRAMES, min((each.end_frame + 1) / FRAMES, seconds)
        if end > start:
            yield Sound(each.word, base + start, base + end)
