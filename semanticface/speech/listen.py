"""A recording, once from beginning to end: words, phones, contours, and what went wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from semanticface.errors import BadInput
from semanticface.speech.align import Aligner
from semanticface.speech.audio import SILENT_PEAK, PathLike, Recording, Report, Samples
from semanticface.speech.contours import STEP, Contours, Reader
from semanticface.speech.hear import hear
from semanticface.speech.timeline import Fault, Timeline

LEAST_UNSAID = 2.0
"""Seconds of voice outside the transcript from which it is told."""
_MARGIN = 0.2
_NOWHERE = Fault("", math.nan, math.nan, "no word of the transcript has a place in silence")


class Heard(NamedTuple):
    """All that is known about a recording."""

    timeline: Timeline
    contours: Contours
    report: Report

    def notes(self) -> list[str]:
        """What a person should know, the sound first."""
        return [*self.report.notes(), *(fault.line() for fault in self.timeline.faults)]


def listen(
    path: PathLike, transcript: str | None = None, *, alignment: Timeline | None = None,
    lexicon: Mapping[str, tuple[str, ...]] | None = None, letters: bool = True,
) -> Heard:  # fmt: skip
    """Read a recording once: with a transcript, a ready alignment, or neither.

    Without both, phones are heard without words; see `hear`. A silent recording has an
    empty timeline.
    """
    if transcript is not None and alignment is not None:
        raise BadInput("a transcript and an alignment", "one of them: an alignment has its words")
    recording, reader = Recording(path), Reader()
    if alignment is not None:
        return _given(recording, reader, alignment)
    find: Callable[[Iterator[Samples]], Timeline] = hear
    if transcript is not None:
        aligner, words = Aligner(lexicon, letters=letters), transcript

        def find(blocks: Iterator[Samples]) -> Timeline:
            return aligner.align(blocks, words)

    timeline = find(_shared(recording, reader))
    heard, report = reader.end(), recording.report
    if transcript is not None and report.peak < SILENT_PEAK:
        timeline = replace(timeline, faults=(_NOWHERE,))
    return Heard(timeline.with_fault(*_unsaid(timeline, heard)), heard, report)


def _unsaid(timeline: Timeline, heard: Contours) -> Iterator[Fault]:
    """Voice before the first word and after the last: the transcript is of a part."""
    if not timeline.words:
        return
    first, last = timeline.words[0].start, timeline.words[-1].end
    for start, end, where in ((0.0, first, "before the first"),
                              (last, timeline.seconds, "after the last")):  # fmt: skip
        steps = slice(round((start + _MARGIN) / STEP), max(round((end - _MARGIN) / STEP), 0))
        voice = float(heard.speech[steps].sum()) * STEP
        if voice > LEAST_UNSAID:
            yield Fault("", start, end, f"{voice:.1f} s of voice {where} word of the transcript: "
                        "the mouth stays still there")  # fmt: skip


def _given(recording: Recording, reader: Reader, alignment: Timeline) -> Heard:
    for _ in _shared(recording, reader):
        pass
    seconds = recording.report.seconds
    if alignment.seconds > seconds + 0.5:
        raise BadInput(f"an alignment of {alignment.seconds:.2f} s",
                       f"one of the recording's {seconds:.2f} s", file=recording.path,
                       hint="Is it of another recording?")  # fmt: skip
    return Heard(replace(alignment, seconds=max(seconds, alignment.seconds)), reader.end(),
                 recording.report)  # fmt: skip


def _shared(recording: Recording, reader: Reader) -> Iterator[Samples]:
    """The blocks, each shown to the contours on its way."""
    for block in recording.blocks():
        reader.push(block)
        yield block
