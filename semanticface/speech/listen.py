"""A recording from beginning to end: words, phones, contours, and what went wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from semanticface.errors import BadInput
from semanticface.speech.align import Aligner
from semanticface.speech.audio import SILENT_PEAK, PathLike, Recording, Report, Samples
from semanticface.speech.contours import Contours, Reader
from semanticface.speech.hear import hear
from semanticface.speech.stress import filled
from semanticface.speech.timeline import Fault, Timeline
from semanticface.speech.unsaid import heard_instead, on_voice, unsaid

_LEAST_ON_VOICE = 0.6
"""Share of a given alignment's phones, by time, that lie on voice: below, it is doubted."""
_NOTHING = Fault("", math.nan, math.nan, "no phone is heard: the mouth stays still")
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
    """Read a recording: with a transcript, a ready alignment, or neither.

    Without both, phones are heard without words; see `hear`. They are heard too where
    somebody speaks and no word of the transcript has a place; then it is read twice. A silent
    recording has an empty timeline.
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
    elif transcript is not None:
        gaps = list(unsaid(timeline, heard, "transcript"))
        timeline = heard_instead(timeline, gaps, Recording(path).blocks()) if gaps else timeline
    elif not timeline.sounds and report.peak >= SILENT_PEAK:
        timeline = timeline.with_fault(_NOTHING)
    return Heard(timeline, heard, report)


def _given(recording: Recording, reader: Reader, alignment: Timeline) -> Heard:
    for _ in _shared(recording, reader):
        pass
    seconds, heard = recording.report.seconds, reader.end()
    if alignment.seconds > seconds + 0.5:
        raise BadInput(f"an alignment of {alignment.seconds:.2f} s",
                       f"one of the recording's {seconds:.2f} s", file=recording.path,
                       hint="Is it of another recording?")  # fmt: skip
    timeline = replace(filled(alignment), seconds=max(seconds, alignment.seconds))
    return Heard(timeline.with_fault(*_doubts(timeline, heard)), heard, recording.report)


def _doubts(alignment: Timeline, heard: Contours) -> Iterator[Fault]:
    """A given alignment is taken as it is; where it does not go with the sound is told."""
    share = on_voice(alignment, heard)
    if share < _LEAST_ON_VOICE:
        yield Fault("", math.nan, math.nan, f"the alignment is probably of another recording: "
                    f"{100 * share:.0f} % of its phones' time lies on voice")  # fmt: skip
    for gap in unsaid(alignment, heard, "alignment"):
        yield gap.fault("the mouth stays still there")


def _shared(recording: Recording, reader: Reader) -> Iterator[Samples]:
    """The blocks, each shown to the contours on its way."""
    for block in recording.blocks():
        reader.push(block)
        yield block
