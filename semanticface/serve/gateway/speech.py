"""Speech from strangers to a moving mouth: by rules, on the gateway itself, without a model.

Sound is taken by its first bytes, of kinds that can name no other file (a playlist could make
a decoder fetch addresses), and is measured before it is listened to, frame by frame and as it
is: a small file may unfold into hours, or a few samples at one a second into gigabytes. A
script needs a voice to have times at all; the gateway must have been given one.
"""

from __future__ import annotations

import base64
import binascii
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from semanticface.errors import BadInput, need
from semanticface.rig import FaceClip
from semanticface.serve.gateway.wire import Spoken, SpokenMeta, SpokenWord, series
from semanticface.speech.listen import listen
from semanticface.speech.rules import animate
from semanticface.speech.timeline import Timeline
from semanticface.speech.voices import Voice, say

KINDS = {"wav": (b"RIFF", 8, b"WAVE"), "flac": (b"fLaC", 0, b""), "ogg": (b"OggS", 0, b""),
         "mp3": (b"ID3", 0, b"")}  # fmt: skip
_FRAME_SYNC = tuple(bytes([0xFF, each]) for each in (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2))
"""First bytes of an MP3 without a title: MPEG 1, 2 and 2.5, of which the last has 8 to 12 kHz."""
_TITLE = 10
"""Bytes of a title's head; the last four say how long the rest is, seven bits each."""
_LEAST_RATE = 4000
"""Samples a second: below it no speech can be heard."""


class Sound(NamedTuple):
    """A recording that was looked at and may be listened to."""

    data: bytes
    kind: str
    seconds: float


def measured(data: bytes, most_seconds: float) -> Sound:
    """A recording of a kind that is taken, and not too long."""
    kind = kind_of(data)
    with _kept(data, kind) as path:
        return Sound(data, kind, _measured(path, kind, most_seconds))


def heard(sound: Sound, transcript: str | None, fps: float) -> Spoken:
    """A recording's mouth: its words aligned with a transcript, or its phones heard."""
    with _kept(sound.data, sound.kind) as path:
        try:
            told = listen(path, transcript)
        except BadInput as error:
            raise _nameless(error, path) from None
        clip = animate(told.timeline, told.contours, rate=fps)
        return _spoken(clip, told.timeline, fps, told.notes())


@contextmanager
def _kept(data: bytes, kind: str) -> Iterator[Path]:
    """The sound as a file, for as long as it is read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sound.{kind}"
        path.write_bytes(data)
        yield path


def said(script: str, voice: str, fps: float, most_seconds: float) -> Spoken:
    """A text's mouth, as a voice would say it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        timeline = say(script, Voice(voice), path)
        if timeline.seconds > most_seconds:
            raise BadInput(f"a script of {timeline.seconds:.0f} s", f"at most {most_seconds:g} s")
        return _spoken(animate(timeline, rate=fps), timeline, fps, [])


def kind_of(sound: bytes) -> str:
    """The kind of a sound file, by its first bytes."""
    for kind, (magic, at, more) in KINDS.items():
        if kind != "mp3" and sound.startswith(magic) and sound[at : at + len(more)] == more:
            return kind
    if _untitled(sound)[:2] in _FRAME_SYNC:
        return "mp3"
    raise BadInput(f"{len(sound)} bytes that are no sound", f"one of {', '.join(KINDS)}")


def _untitled(sound: bytes) -> bytes:
    """An MP3 from its first frame on: behind a title anything else could stand, also what makes
    a decoder listen at a port."""
    if not sound.startswith(b"ID3") or len(sound) < _TITLE:
        return sound
    size = 0
    for each in sound[_TITLE - 4 : _TITLE]:
        size = size << 7 | each & 0x7F
    return sound[_TITLE + size :].lstrip(b"\0")


def sound_of(text: str) -> bytes:
    """Bytes from base64; never an address or a path."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("text that is no base64", "a sound file's bytes in base64") from None


def _measured(path: Path, kind: str, most_seconds: float) -> float:
    """Its seconds."""
    av = need("av", "speech", "Reading sound")
    seconds, first = 0.0, None
    try:
        with av.open(str(path), format=kind) as container:
            if not container.streams.audio:
                raise BadInput("no sound track", "a file with sound")
            for frame in container.decode(audio=0):
                made = (frame.sample_rate, frame.layout.name, frame.format.name)
                first = first or made
                seconds += frame.samples / max(frame.sample_rate, 1)
                _check(made, first, seconds, most_seconds)
    except av.FFmpegError:
        if not seconds:  # else what comes before the break is used
            raise BadInput("bytes that cannot be read as sound", f"a whole {kind} file") from None
    return seconds


def _check(made: tuple[int, str, str], first: tuple[int, str, str], seconds: float,
           most: float) -> None:  # fmt: skip
    if made[0] < _LEAST_RATE:
        raise BadInput(f"{made[0]} samples a second", f"{_LEAST_RATE} at least")
    if made != first:
        raise BadInput("sound that changes its kind on the way", "one rate and one layout")
    if seconds > most:
        raise BadInput(f"more than {most:g} s of sound", "a shorter recording")


def _nameless(error: BadInput, path: Path) -> BadInput:
    """The same without the name of a file here."""
    return (
        BadInput(error.found, error.expected, hint=error.hint) if error.file == str(path) else error
    )


def _spoken(clip: FaceClip, timeline: Timeline, fps: float, notes: list[str]) -> Spoken:
    words = [SpokenWord(text=each.text, start=round(each.start, 3), end=round(each.end, 3))
             for each in timeline.words]  # fmt: skip
    return Spoken(
        times=[round(float(at), 4) for at in clip.times], arkit=series(clip.values),
        meta=SpokenMeta(fps=fps, seconds=round(timeline.seconds, 3), words=words, notes=notes),
    )  # fmt: skip
