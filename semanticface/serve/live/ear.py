"""Speech as it comes: the last seconds of sound are listened to again and again, by rules.

    frames = windows("microphone")            # or a sound file, at its own pace
    Live(Ear(), sender, depth=1).run(frames)

Nobody tells what is said, so phones are heard (`speech.hear`) in the last two seconds, and the
mouth is read 0.12 s before their end: the sound after a phone decides what it was. Only the
mouth moves. No server is asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, need
from semanticface.language.parsed import STRICT
from semanticface.rig import NAMES
from semanticface.serve.client import Frame, Result
from semanticface.speech import live as speech
from semanticface.speech.audio import RATE
from semanticface.speech.live import Mouth
from semanticface.speech.microphone import opened

MICROPHONE = "microphone"
KINDS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")
WINDOW, HOP, AHEAD = 2.0, 0.1, 0.12
"""Seconds that are listened to, between two times, and of sound after what is shown."""
_RATE = 60.0
_OTHERS = "microphone:NAME chooses another; microphone:PIPE reads what a program writes."


def is_sound(source: str) -> bool:
    """Whether a stream's source is to be listened to."""
    return source.partition(":")[0] == MICROPHONE or Path(source).suffix.lower() in KINDS


def windows(source: str) -> Iterator[Frame]:
    """The last two seconds as 16-bit samples, ten times a second; a frame's time is their end."""
    kind, _, which = source.partition(":")
    live = kind == MICROPHONE
    container = _microphone(which) if live else _file(source)
    held, heard, begun = np.zeros(0, np.int16), 0, None
    hop = round(HOP * RATE)
    with container:
        for block in _blocks(container, hop):
            held = np.concatenate([held, block])[-round(WINDOW * RATE) :]
            heard += len(block)
            begun = time.monotonic() - heard / RATE if begun is None else begun
            if not live:
                time.sleep(max(0.0, begun + heard / RATE - time.monotonic()))
            yield Frame(heard / RATE, held.tobytes())


def _microphone(which: str) -> Any:
    """A device by FFmpeg's interface, or a pipe into which another program writes sound."""
    if which and Path(which).exists():
        return _read(Path(which))
    return opened(which or None, hint=_OTHERS)


def _file(source: str) -> Any:
    path = Path(source).expanduser()
    if not path.is_file():
        raise BadInput("no such file", "a sound file, or microphone", file=source)
    return _read(path)


def _read(path: Path) -> Any:
    av = need("av", "serve", "Reading sound")
    try:
        return av.open(str(path))
    except av.FFmpegError as error:
        raise BadInput(f"a file that cannot be read as sound ({error})", "one such as .wav",
                       file=path) from None  # fmt: skip


def _blocks(container: Any, size: int) -> Iterator[NDArray[np.int16]]:
    av = need("av", "serve", "Reading sound")
    if not container.streams.audio:
        raise BadInput("no sound track", "a source with sound", file=container.name)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    held = np.zeros(0, np.int16)
    for frame in container.decode(audio=0):
        frame.pts = None
        for part in resampler.resample(frame):
            held = np.concatenate([held, part.to_ndarray().ravel()])
        while len(held) >= size:
            yield held[:size]
            held = held[size:]


class Ear:
    """Answers windows of sound as a client answers pictures."""

    @cached_property
    def _hears(self) -> Mouth:
        return speech.Ear()

    async def ask(self, picture: bytes, at: float = 0.0) -> Result:
        """The mouth shortly before the end of a window of samples."""
        begun = time.monotonic()
        values = await asyncio.to_thread(self._mouth, np.frombuffer(picture, np.int16), at)
        missing = tuple(NAMES[i] for i in np.flatnonzero(np.isnan(values)))
        return Result(at - AHEAD, values, None, None, STRICT._replace(missing=missing), "", "stop",
                      time.monotonic() - begun, 0, 0, 1)  # fmt: skip

    def _mouth(self, raw: NDArray[np.int16], at: float) -> NDArray[np.float32]:
        samples = (raw / np.float32(32768)).astype(np.float32)
        values = self._hears(samples, _RATE, at - len(raw) / RATE)
        return np.asarray(values[max(0, len(values) - 1 - round(AHEAD * _RATE))])
