"""Sound without its long silences, and the way back to the recording's own clock.

    squeeze = Squeeze()
    for block in blocks: heard = squeeze.push(block)      # shorter, or as it was
    heard = squeeze.end()
    timeline = squeeze.restored(timeline)

An aligner must place its words somewhere, and in half a minute of silence it finds them: the
likeliest sound of nothing is a long consonant. So of a stretch without voice only half a second
on each side is shown. Voice is WebRTC's detector's word for a fifth of the 0.3 s around a
frame; quiet recordings are made louder for it. Needs no more of the past than a second.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import replace
from typing import TypeVar

import numpy as np

from semanticface.errors import need
from semanticface.speech.audio import RATE, Samples, as_int16
from semanticface.speech.timeline import Fault, Sound, Timeline, Word

KEPT = 0.5
"""Seconds of a silence that stay on each of its sides."""
_STEP = RATE // 100
_KEPT = round(KEPT * 100)
_AROUND = 15
"""Frames on each side of one that say whether somebody speaks there."""
_SHARE = 0.2
_AS_LOUD, _MOST_GAIN = 0.05, 3.0
"""What the loudest so far is brought to for the detector, which hears nothing below 0.01."""

_Span = TypeVar("_Span", Sound, Word, Fault)


class Squeeze:
    """Takes blocks of any length and gives what is left of them."""

    def __init__(self) -> None:
        pocketsphinx = need("pocketsphinx", "speech", "Finding the voice")
        self._vad = pocketsphinx.Vad(pocketsphinx.Vad.MEDIUM_STRICT, RATE, 1 / 100)
        self._rest = np.zeros(0, np.float32)
        self._peak = 0.0
        self._waiting: deque[Samples] = deque()
        """Frames whose neighbours to come are not known yet."""
        self._voiced: deque[bool] = deque([False] * _AROUND, maxlen=2 * _AROUND + 1)
        self._quiet = 0
        """Frames since anybody spoke."""
        self._held: deque[Samples] = deque()
        """The last of a silence, which stay if voice follows."""
        self._given = self._dropped = 0
        self._at: list[float] = []
        """Where something was taken out, in seconds of what was given."""
        self._taken = [0.0]
        """Seconds taken out up to then; the first before any."""

    def push(self, block: Samples) -> Samples:
        """What can be given of the sound up to here."""
        self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
        gain = float(np.clip(_AS_LOUD / max(self._peak, 1e-9), 1.0, _MOST_GAIN))
        sound = np.concatenate([self._rest, block])
        count = len(sound) // _STEP
        data, size = as_int16(np.clip(sound[: count * _STEP] * gain, -1, 1)), 2 * _STEP
        out: list[Samples] = []
        for i in range(count):
            self._voiced.append(self._vad.is_speech(data[i * size : (i + 1) * size]))
            self._waiting.append(sound[i * _STEP : (i + 1) * _STEP])
            if len(self._waiting) > _AROUND:
                self._decide(out)
        self._rest = sound[count * _STEP :]
        return self._out(out)

    def end(self) -> Samples:
        """The rest, silence after it."""
        out: list[Samples] = []
        while self._waiting:
            self._voiced.append(False)
            self._decide(out)
        self._close(out)
        return self._out([*out, self._rest])

    def restored(self, timeline: Timeline) -> Timeline:
        """A timeline of the shortened sound on the recording's clock."""
        if not self._at:
            return timeline
        return replace(
            timeline, sounds=tuple(map(self._own, timeline.sounds)),
            words=tuple(map(self._own, timeline.words)),
            faults=tuple(map(self._own, timeline.faults)),
            seconds=timeline.seconds + self._taken[-1],
        )  # fmt: skip

    def _decide(self, out: list[Samples]) -> None:
        """About the frame in the middle of what is known."""
        frame = self._waiting.popleft()
        if sum(self._voiced) >= _SHARE * (2 * _AROUND + 1):
            self._close(out)
            out.append(frame)
            return
        self._quiet += 1
        if self._quiet <= _KEPT:
            out.append(frame)
            return
        self._held.append(frame)
        if len(self._held) > _KEPT:
            self._held.popleft()
            self._dropped += 1

    def _close(self, out: list[Samples]) -> None:
        """The end of a silence: what was held of it, and where something was left out."""
        taken = self._dropped / 100
        if taken > self._taken[-1]:
            self._at.append((self._given + sum(map(len, out))) / RATE)
            self._taken.append(taken)
        out += self._held
        self._held.clear()
        self._quiet = 0

    def _out(self, parts: list[Samples]) -> Samples:
        self._given += sum(map(len, parts))
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _own(self, span: _Span) -> _Span:
        """A span on the recording's clock, on one side of a silence: the one with more of it."""
        start, end = span.start, span.end
        if math.isnan(start) or math.isnan(end):
            return span
        first, last = bisect_right(self._at, start), bisect_left(self._at, end)
        for i in range(first, last):
            longer_before = self._at[i] - start >= end - self._at[i]
            if longer_before:
                end, last = self._at[i], i
                break
            start, first = self._at[i], i + 1
        return span._replace(start=start + self._taken[first], end=end + self._taken[last])
