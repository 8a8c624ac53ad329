"""Sound from a device, a pipe or a file, block by block, as it comes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semanticface.errors import BadInput, need
from semanticface.speech.audio import RATE, Recording, Samples
from semanticface.speech.live import as_blocks

MICROPHONE, PIPE = "mic", "-"
_SYSTEMS = {
    "linux": (("pulse", "default"), ("alsa", "default")),
    "darwin": (("avfoundation", ":0"),),
    "win32": (("dshow", "audio=default"),),
}
"""Input formats of FFmpeg that name microphones, and what is asked for first."""
_BLOCK = 0.05
_PIPED = (
    "Name one: mic:DEVICE. Or pipe sound in: arecord -f S16_LE -r 16000 -c 1 -t raw | "
    "semanticface speak-live - -o udp://HOST"
)


def source(told: str) -> Iterator[Samples]:
    """Blocks of `mic`, `mic:DEVICE`, `-` (raw 16-bit mono at 16 kHz from a pipe) or a file."""
    name, colon, device = told.partition(":")
    if name == MICROPHONE:
        return microphone(device if colon else None)
    if told == PIPE:
        return as_blocks(sys.stdin.buffer, _BLOCK)
    if Path(told).is_fifo():
        return _of_pipe(Path(told))
    return Recording(told).blocks(_BLOCK)


def in_time(blocks: Iterator[Samples], began: float) -> Iterator[Samples]:
    """Blocks not before their last sample's moment: a file comes as a microphone would."""
    heard = 0
    for block in blocks:
        heard += len(block)
        time.sleep(max(0.0, began + heard / RATE - time.monotonic()))
        yield block


def microphone(device: str | None = None) -> Iterator[Samples]:
    """Blocks of a microphone; none at all is an error before the first."""
    av = need("av", "speech", "Listening to a microphone")
    return _blocks(av, opened(device))


def opened(device: str | None = None, hint: str = _PIPED) -> Any:
    """The container of a device, or of the first usual one that there is."""
    av = need("av", "speech", "Listening to a microphone")
    tried = []
    for kind, usual in _SYSTEMS.get(sys.platform, ()):
        try:
            return av.open(device or usual, format=kind)
        except (av.FFmpegError, ValueError) as fault:
            tried.append(f"{kind} {device or usual}: {str(fault)[:80]}")
    raise BadInput(
        f"no microphone ({'; '.join(tried) or 'none known on ' + sys.platform})",
        "a device that can be recorded from",
        hint=hint,
    )


def _blocks(av: Any, container: Any) -> Iterator[Samples]:
    with container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        for frame in container.decode(audio=0):
            frame.pts = None
            for each in resampler.resample(frame):
                yield each.to_ndarray().ravel().astype("float32") / 32768


def _of_pipe(path: Path) -> Iterator[Samples]:
    with path.open("rb") as raw:
        yield from as_blocks(raw, _BLOCK)
