"""Recordings of people, sound beside coefficients, as samples of speech.

    gathered = gather("recordings", "speech", Origin(consent="given"))
    gathered.samples, gathered.refused, gathered.notes

A Live Link Face take: its movie has the sound, its raw or calibrated CSV the coefficients, on
the movie's clock by the frame log where there is one.

A sound or film `a.wav` with `a.csv`, `a.json` (BEAT, LAM), `a.npz` ... beside it: coefficients
from the sound's beginning, or `offset` seconds later.

Words and phones come from `.TextGrid` or `.ctm` of the sound's name, or from aligning its `.txt`.

Written are `samples.jsonl`, each clip moved to its sound's clock, and alignments made here;
sound stays where it is. What cannot be used is left out and told with its reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface import formats
from semanticface.data.records import Consent
from semanticface.data.speech_corpus import SAMPLES
from semanticface.data.speech_samples import SpeechSample, write_samples
from semanticface.data.takes import chosen_clip, row_times
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.formats.take import read_take
from semanticface.motion.align import best_lag
from semanticface.rig import FaceClip, save_npz
from semanticface.speech.align import Aligner, cut_short
from semanticface.speech.alignments import WordsOnly, read_alignment, write_alignment
from semanticface.speech.audio import RATE, Recording
from semanticface.speech.rules import animate
from semanticface.speech.timeline import Timeline
from semanticface.speech.words import tokens, transcript_of

SOUNDS = (".wav", ".flac", ".mp3", ".m4a", ".ogg", ".mov", ".mp4")
NUMBERS = (".npz", ".csv", ".json", ".jsonl")
ALIGNMENTS = (".TextGrid", ".ctm")
STEP = 0.1
"""Seconds between the rules' jaw and the recorded one from which it is told."""
_SEARCHED = 1.0


@dataclass(frozen=True)
class Origin:
    """What is true of all recordings of a folder."""

    subject: str = ""
    """Who speaks; the name of the folder that a recording lies in, unless given."""
    licence: str | None = None
    consent: Consent = "unknown"
    which: Literal["raw", "cal"] = "raw"
    """Of a take: never one for the other."""
    offset: float = 0.0
    """Seconds by which the coefficients' first frame comes after the sound's beginning."""


@dataclass
class Gathered:
    """What came of a folder."""

    samples: int = 0
    seconds: float = 0.0
    aligned: int = 0
    without_phones: int = 0
    """Of use with the sound alone."""
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Pair(NamedTuple):
    """One recording's sound and coefficients."""

    name: str
    sound: Path
    clip: FaceClip
    """On the sound's clock."""


def gather(source: Path, folder: Path, origin: Origin | None = None) -> Gathered:
    """Write the samples of all recordings below `source` into `folder`."""
    if not source.is_dir():
        raise BadInput("no such folder", "a folder with recordings", file=source)
    told, known = Gathered(), origin or Origin()
    samples = [each for place in _places(source)
               if (each := _sample(place, source, folder, known, told)) is not None]  # fmt: skip
    if not samples:
        why = f": {told.refused[0]}" if told.refused else ""
        raise BadInput(f"no recording that can be used{why}",
                       "takes with movies, or sound with coefficients of the same name",
                       file=source)  # fmt: skip
    told.samples = len(samples)
    write_samples(folder / SAMPLES, samples)
    return told


def _places(source: Path) -> Iterator[Path]:
    """Folders of takes, and sound files outside of them, in order."""
    takes = {path.parent for name in ("take.json", "frame_log.csv") for path in source.rglob(name)}
    yield from sorted(takes)
    for path in sorted(source.rglob("*")):
        if path.suffix.lower() in SOUNDS and path.is_file() and path.parent not in takes:
            yield path


def _sample(
    place: Path, source: Path, folder: Path, origin: Origin, told: Gathered
) -> SpeechSample | None:
    try:
        pair = (
            _of_take(place, source, origin) if place.is_dir() else _of_file(place, source, origin)
        )
        recording = Recording(pair.sound)
        seconds = sum(map(len, recording.blocks())) / RATE
        timeline, text = _spoken(pair, seconds)
    except SemanticFaceError as fault:
        told.refused.append(f"{place.name}: {fault}")
        return None
    told.seconds += seconds
    doubts = (*recording.report.notes(), *_doubts(pair, timeline, seconds))
    told.notes += [f"{pair.name}: {line}" for line in doubts]
    return _written(pair, timeline, text, folder, origin, told)


def _of_take(place: Path, source: Path, origin: Origin) -> Pair:
    take = read_take(place)
    if take.movie is None:
        raise BadInput("a take without a movie", "a .mov or .mp4 with its sound", file=place)
    clip = chosen_clip(take, origin.which, place)
    return Pair(_name(place, source), take.movie, _at(clip, row_times(take, clip) + origin.offset))


def _of_file(sound: Path, source: Path, origin: Origin) -> Pair:
    found = [path for suffix in NUMBERS if (path := sound.with_suffix(suffix)).is_file()]
    if len(found) != 1:
        names = " and ".join(path.name for path in found) or "none"
        raise BadInput(f"{names} beside it", f"one file of coefficients, {sound.stem} with "
                       f"{', '.join(NUMBERS)}", file=sound)  # fmt: skip
    clip = formats.read(found[0])
    return Pair(_name(sound.with_suffix(""), source), sound,
                _at(clip, clip.times - clip.times[0] + origin.offset))  # fmt: skip


def _at(clip: FaceClip, times: NDArray[np.float64]) -> FaceClip:
    """The clip on the sound's clock, from its first sample on."""
    heard = times >= 0
    if not heard.any():
        raise BadInput(f"coefficients that end at {times[-1]:.2f} s", "some after the sound begins")
    meta = replace(clip.meta, clock="start")
    return FaceClip(clip.values[heard], times[heard], clip.present, meta)


def _name(place: Path, source: Path) -> str:
    inside = place.relative_to(source)
    return (inside if inside.parts else Path(place.name)).as_posix()


def _spoken(pair: Pair, seconds: float) -> tuple[Timeline | None, str]:
    """Words and phones from the files beside the sound, and the text."""
    for suffix in ALIGNMENTS:
        if (place := pair.sound.with_suffix(suffix)).is_file():
            found = read_alignment(place)
            if isinstance(found, WordsOnly):
                return _aligned(pair.sound, found.transcript), found.transcript
            return found, " ".join(word.text for word in found.words)
    place = pair.sound.with_suffix(".txt")
    if not place.is_file():
        return None, ""
    text = transcript_of(str(place))
    return _aligned(pair.sound, text), text


@cache
def _aligner() -> Aligner:
    return Aligner()


def _aligned(sound: Path, text: str) -> Timeline:
    found = _aligner().align(Recording(sound).blocks(), text)
    wrong = [fault for fault in found.faults if "another recording" in fault.why]
    if wrong:
        raise BadInput(wrong[0].why, "the transcript of this recording", file=sound)
    return found


def _doubts(pair: Pair, timeline: Timeline | None, seconds: float) -> Iterator[str]:
    """What does not fit together."""
    last = float(pair.clip.times[-1])
    if abs(last - seconds) > 0.5:
        yield f"{seconds:.2f} s of sound, coefficients end at {last:.2f} s"
    if timeline is None:
        return
    if cut_short(timeline):
        yield "the recording ends within its transcript"
    found = best_lag(pair.clip, animate(timeline), within=_SEARCHED, channels=("jawOpen",))
    if found.clear and abs(found.seconds) > STEP:
        yield f"the mouth beside that of the rules: {found}; check the offset"


def _written(
    pair: Pair, timeline: Timeline | None, text: str, folder: Path, origin: Origin, told: Gathered
) -> SpeechSample:
    place = folder / f"{pair.name}.npz"
    place.parent.mkdir(parents=True, exist_ok=True)
    save_npz(pair.clip, place)
    alignment = None
    if timeline is None:
        told.without_phones += 1
    else:
        told.aligned += 1
        alignment = f"{pair.name}.TextGrid"
        write_alignment(timeline, folder / alignment)
    subject = origin.subject or pair.clip.meta.subject or Path(pair.sound).parent.name
    return SpeechSample(
        id=pair.name, audio=os.path.relpath(pair.sound, folder), clip=f"{pair.name}.npz",
        alignment=alignment, text=text, subject=subject, licence=origin.licence,
        sentence=" ".join(token.key for token in tokens(text)) or pair.name,
        consent=origin.consent, source=f"{pair.clip.meta.format} beside {pair.sound.suffix[1:]}",
    )  # fmt: skip
