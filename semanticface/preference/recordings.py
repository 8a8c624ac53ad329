"""Stretches of recordings in a store: what is heard and said, so that a model can be asked again.

    told = Stretch.of(store, sample, 24, 51, 30.0)     # frames 24 to 74 at 30 a second
    Item(told.name, sample.subject, speech=told.as_json())
    Recordings(media).spoken(told)                     # cues, as `SpeechTask.take` has them

The recording's own bytes and its timeline lie among the store's files, under their hashes: a
request made of them is letter by letter the one that training makes of the sample.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from semanticface.data.speech_samples import SpeechSample
from semanticface.data.speech_tasks import timeline_of
from semanticface.errors import BadInput
from semanticface.preference.store.database import Store
from semanticface.preference.store.files import keep_file
from semanticface.speech.audio import Recording
from semanticface.speech.contours import contours
from semanticface.speech.cues import Spoken
from semanticface.speech.timeline import Sound, Timeline, Word


@dataclass(frozen=True)
class Stretch:
    """Some frames of a recording."""

    sample: str
    """Its name among the samples."""
    recording: str
    """Hash of the sound file."""
    timeline: str
    """Hash of what is said when."""
    first: int
    """The first frame, counted from the recording's start."""
    frames: int
    rate: float
    """Frames a second."""

    @classmethod
    def of(
        cls, store: Store, sample: SpeechSample, first: int, frames: int, rate: float
    ) -> Stretch:
        """Frames of a sample, whose sound and timeline are kept."""
        sound, timeline = _kept(store, sample)
        return cls(sample.id, sound, timeline, first, frames, rate)

    @classmethod
    def read(cls, held: Mapping[str, Any]) -> Stretch:
        """What `as_json` told, from a row of preferences."""
        names = {each.name for each in fields(cls)}
        if set(held) != names:
            odd = sorted(set(held) ^ names)[0]
            raise BadInput(f"speech with or without '{odd[:40]}'", ", ".join(sorted(names)),
                           column="speech")  # fmt: skip
        return cls(str(held["sample"]), str(held["recording"]), str(held["timeline"]),
                   int(held["first"]), int(held["frames"]), float(held["rate"]))  # fmt: skip

    @property
    def name(self) -> str:
        """What the item is called."""
        return f"{self.sample}@{self.first}+{self.frames}"

    def as_json(self) -> str:
        """What stands in the item."""
        return json.dumps(asdict(self), sort_keys=True)


class Heard(NamedTuple):
    """A recording that is asked about."""

    sound: Path
    spoken: Spoken


@dataclass
class Recordings:
    """The recordings of a store's media, the last ones used kept ready."""

    media: Path
    _held: dict[tuple[str, str], Heard] = field(default_factory=dict)

    def heard(self, stretch: Stretch) -> Heard:
        """Sound and cues of the whole recording that a stretch is of."""
        key = (stretch.recording, stretch.timeline)
        if key not in self._held:
            sound = self.file(stretch.recording)
            told = json.loads(self.file(stretch.timeline).read_text(encoding="utf-8"))
            spoken = Spoken(_timeline(told), contours(Recording(sound).blocks()))
            self._held[key] = Heard(sound, spoken)
        return self._held[key]

    def file(self, digest: str) -> Path:
        """The kept file with this hash."""
        if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise BadInput(f"the hash {digest[:80]!r}", "64 hexadecimal digits", column="speech")
        path = self.media / "files" / digest[:2] / digest
        if not path.is_file():
            raise BadInput("no such sound or timeline", "a file of the store", file=path,
                           column="speech", hint="--media STORE/media")  # fmt: skip
        return path


def _kept(store: Store, sample: SpeechSample) -> tuple[str, str]:
    """Hashes of a sample's sound and of its timeline, which the store now has."""
    sound, told = _bytes_of(sample.audio, sample.alignment)
    return keep_file(store, sound), keep_file(store, told)


@lru_cache(maxsize=8)
def _bytes_of(audio: str, alignment: str | None) -> tuple[bytes, bytes]:
    recording = Recording(audio)
    seconds = 0.0
    if alignment is None:
        for _ in recording.blocks():
            seconds = recording.report.seconds
    told = json.dumps(_as_json(timeline_of(alignment, seconds)), sort_keys=True)
    return Path(audio).read_bytes(), told.encode()


def _as_json(timeline: Timeline) -> dict[str, Any]:
    """What cues are made of; a score that is not known is left out, for JSON has no NaN."""
    return {
        "seconds": timeline.seconds, "symbols": timeline.symbols,
        "sounds": [[s.symbol, s.start, s.end, s.stress, s.word] for s in timeline.sounds],
        "words": [[w.text, w.start, w.end] for w in timeline.words],
    }  # fmt: skip


def _timeline(held: Mapping[str, Any]) -> Timeline:
    return Timeline(tuple(Sound(*each) for each in held["sounds"]),
                    tuple(Word(*each) for each in held["words"]), held["seconds"],
                    held["symbols"])  # fmt: skip
