"""Voice without a word: where it is, and what can be heard there instead.

A transcript may be of a part of the recording, or fit it nowhere. Where nobody knows what is
said, the phones that the recogniser hears move the mouth, and it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from semanticface.speech.audio import RATE, Samples
from semanticface.speech.contours import STEP, Contours
from semanticface.speech.hear import PhoneLoop, hear
from semanticface.speech.timeline import Fault, Sound, Timeline

LEAST = 1.0
"""Seconds of voice without a word from which it matters; all of them where no word is placed."""
_LEAST_OF_ALL = 0.2
_HEARD = "the phones heard there move the mouth, which is less exact"
_STILL = "no phone is heard there, the mouth stays still"
_MARGIN = 0.2
"""Seconds beside the words in which voice may be theirs."""


class Unsaid(NamedTuple):
    """A stretch with voice and without a phone."""

    start: float
    end: float
    voice: float
    """Seconds of it."""
    where: str

    def fault(self, what_then: str) -> Fault:
        """For a person to read."""
        return Fault("", self.start, self.end, f"{self.voice:.1f} s of voice {self.where}: "
                     f"{what_then}")  # fmt: skip


def unsaid(timeline: Timeline, contours: Contours, told: str) -> Iterator[Unsaid]:
    """Where somebody speaks before, between and after the phones of the `told` transcript."""
    ends = [0.0, *(each.end for each in timeline.sounds)]
    starts = [*(each.start for each in timeline.sounds), timeline.seconds]
    least, margin = (LEAST, _MARGIN) if timeline.sounds else (_LEAST_OF_ALL, 0.0)
    for index, (low, high) in enumerate(zip(ends, starts, strict=True)):
        if high - low <= least:
            continue
        voice = _voice(contours, low + (margin if index else 0), high - margin)
        if voice > least:
            yield Unsaid(low, high, voice, _where(index, len(timeline.sounds), told))


def on_voice(timeline: Timeline, contours: Contours) -> float:
    """Share of the phones' time in which somebody speaks; 1 without phones."""
    lengths = [each.end - each.start for each in timeline.sounds]
    voice = [_voice(contours, each.start, each.end) for each in timeline.sounds]
    return sum(voice) / sum(lengths) if sum(lengths) else 1.0


def heard_instead(
    timeline: Timeline, gaps: Sequence[Unsaid], blocks: Iterable[Samples]
) -> Timeline:
    """The timeline with the phones that are heard in the gaps, in constant memory."""
    loop = PhoneLoop()
    more: list[Sound] = []
    filled: set[Unsaid] = set()
    for gap, parts in groupby(_within(blocks, gaps), key=lambda each: each[0]):
        for each in hear((part for _, part in parts), loop).sounds:
            start, end = gap.start + each.start, min(gap.start + each.end, gap.end)
            if end > start:
                more.append(each._replace(start=start, end=end))
                filled.add(gap)
    sounds = tuple(sorted((*timeline.sounds, *more), key=lambda each: each.start))
    return replace(timeline, sounds=sounds).with_fault(
        *(gap.fault(_HEARD if gap in filled else _STILL) for gap in gaps)
    )


def _within(blocks: Iterable[Samples], gaps: Sequence[Unsaid]) -> Iterator[tuple[Unsaid, Samples]]:
    start = 0.0
    for block in blocks:
        end = start + len(block) / RATE
        for gap in gaps:
            low, high = max(gap.start, start), min(gap.end, end)
            if high > low:
                yield gap, block[round((low - start) * RATE) : round((high - start) * RATE)]
        start = end


def _voice(contours: Contours, start: float, end: float) -> float:
    """Seconds in which somebody speaks, of a span."""
    steps = slice(max(round(start / STEP), 0), max(round(end / STEP), 0))
    return float(contours.speech[steps].sum()) * STEP


def _where(index: int, count: int, told: str) -> str:
    if not count:
        return f"without a word of the {told}"
    if index in (0, count):
        return f"{'after the last' if index else 'before the first'} word of the {told}"
    return f"between words of the {told}"
