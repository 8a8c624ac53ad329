"""A recording, once from beginning to end: words, phones, contours, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from semanticface.errors import BadInput
from semanticface.speech.align import Aligner
from semanticface.speech.audio import PathLike, Recording, Report, Samples
from semanticface.speech.contours import Contours, Reader
from semanticface.speech.hear import hear
from semanticface.speech.timeline import Timeline


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
    return Heard(timeline, reader.end(), recording.report)


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
