"""Sound of any format as 16 kHz mono, a block at a time, however long it is.

    recording = Recording("interview.mp4")
    for block in recording.blocks():     # float32, at most ten seconds each
        ...
    recording.report                     # what was found on the way

Where a file breaks off or is damaged, the blocks before that point are given and the
report says at which second it stopped.
"""

from __future__ import annotations

import io
import os
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, need

PathLike = str | os.PathLike[str]
Samples = NDArray[np.float32]

RATE = 16_000
BLOCK = 10.0
"""Seconds of a block."""
FULL = 0.999
"""Share of full scale from which a sample counts as clipped."""
CLIPPED = 0.001
"""Share of clipped samples from which it is said."""
SILENT_PEAK = 1e-3
"""Highest sample (-60 dB of full scale) of a recording in which nothing can be heard."""


@dataclass
class Report:
    """What a recording turned out to be; complete once its blocks have been read."""

    rate: int = 0
    """Samples a second of the file."""
    channels: int = 0
    codec: str = ""
    seconds: float = 0.0
    """Read so far."""
    peak: float = 0.0
    clipped: int = 0
    samples: int = 0
    not_finite: int = 0
    """Samples that are NaN or infinite; 0 is put in their place."""
    broke: str = ""
    """Why reading stopped early; empty where it did not."""
    lost: int = 0
    """Bytes that a WAV's header tells of and that are not there."""

    def notes(self) -> list[str]:
        """What a person should know about the sound, best of all before using it."""
        found = []
        if self.broke:
            found.append(f"the file breaks off after {self.seconds:.2f} s ({self.broke}); what "
                         "comes before is used")  # fmt: skip
        if self.lost:
            found.append(f"the file ends {self.lost} bytes before its header says: the recording "
                         f"is cut off after {self.seconds:.2f} s")  # fmt: skip
        if self.rate and self.rate < RATE:
            found.append(f"recorded at {self.rate / 1000:g} kHz: sounds above "
                         f"{self.rate / 2000:g} kHz are missing, so s, f and th are hard to tell "
                         "apart and the alignment is less exact")  # fmt: skip
        if self.not_finite:
            found.append(f"{self.not_finite} of {self.samples} samples are NaN or infinite: they "
                         "are taken as silence")  # fmt: skip
        if self.samples and self.clipped / self.samples > CLIPPED:
            found.append(f"clipped: {100 * self.clipped / self.samples:.1f} % of the samples stand "
                         "at full scale; record at a lower level")  # fmt: skip
        if self.samples and self.peak < SILENT_PEAK:
            found.append("silent: nothing reaches -60 dB of full scale")
        return found


@dataclass
class Recording:
    """One sound file; its first track, all channels averaged."""

    path: PathLike
    report: Report = field(default_factory=Report)

    def blocks(self, seconds: float = BLOCK) -> Iterator[Samples]:
        """Samples at 16 kHz, -1 to 1, `seconds` at a time, from the start."""
        self.report = Report()
        held: list[Samples] = []
        count, size = 0, round(seconds * RATE)
        for part in self._pieces():
            held.append(part)
            count += len(part)
            while count >= size:
                whole = np.concatenate(held)
                yield self._told(whole[:size])
                held, count = [whole[size:]], count - size
        if count:
            yield self._told(np.concatenate(held))
        if not self.report.seconds:
            raise BadInput(self.report.broke or "a file without a sample of sound",
                           "a sound file such as .wav", file=self.path)  # fmt: skip

    def samples(self, most: float = 600.0) -> Samples:
        """All of a short recording at once; more than `most` seconds are an error."""
        held = []
        for block in self.blocks():
            held.append(block)
            if self.report.seconds > most:
                raise BadInput(f"more than {most:g} s of sound", "a short recording",
                               file=self.path, hint="Read it by blocks.")  # fmt: skip
        return np.concatenate(held)

    def _told(self, block: Samples) -> Samples:
        self.report.seconds += len(block) / RATE
        return block

    def _pieces(self) -> Iterator[Samples]:
        av = need("av", "speech", "Reading sound")
        path = Path(self.path)
        if not path.is_file():
            raise BadInput("no such file", "a sound file", file=path)
        try:
            container = av.open(str(path))
        except av.FFmpegError as error:
            raise BadInput(
                f"a file that cannot be read as sound ({_why(error)})",
                "a sound file such as .wav, .flac, .mp3 or .mp4", file=path,
            ) from None  # fmt: skip
        with container:
            if not container.streams.audio:
                raise BadInput("no sound track", "a file with sound", file=path)
            self.report.lost = _lost(path)
            yield from self._decoded(av, container)

    def _decoded(self, av: Any, container: Any) -> Iterator[Samples]:
        stream = container.streams.audio[0]
        told = stream.codec_context
        self.report.rate, self.report.channels = told.sample_rate, told.channels
        self.report.codec = told.name
        # Channels are averaged here: the resampler's own mix is 3 dB louder.
        resampler = av.AudioResampler(format="fltp", layout=told.layout, rate=RATE)
        try:
            for frame in container.decode(stream):
                whole = self._mended(av, frame)
                whole.pts = None
                self._measure(whole.to_ndarray())
                yield from _mono(resampler.resample(whole))
        except av.FFmpegError as error:
            self.report.broke = _why(error)
        if self.report.samples:
            yield from _mono(resampler.resample(None))

    def _mended(self, av: Any, frame: Any) -> Any:
        """The frame, with 0 for what is no number: the resampler would spread it."""
        raw = frame.to_ndarray()
        finite = np.isfinite(raw)
        if finite.all():
            return frame
        self.report.not_finite += int((~finite).sum())
        clean = np.where(finite, raw, 0).astype(raw.dtype)
        whole = av.AudioFrame.from_ndarray(clean, frame.format.name, frame.layout.name)
        whole.sample_rate = frame.sample_rate
        return whole

    def _measure(self, raw: NDArray[Any]) -> None:
        level = np.abs(raw.astype(np.float32))
        if raw.dtype == np.uint8:
            level = np.abs(raw.astype(np.float32) - 128) / 127
        elif raw.dtype.kind == "i":
            level /= float(np.iinfo(raw.dtype).max)
        self.report.peak = max(self.report.peak, float(level.max(initial=0.0)))
        self.report.clipped += int((level >= FULL).sum())
        self.report.samples += level.size


def _lost(path: Path) -> int:
    """Bytes missing of a WAV by its RIFF size; 0 where the header leaves it open."""
    with path.open("rb") as file:
        head = file.read(12)
    told = int.from_bytes(head[4:8], "little")
    if head[:4] != b"RIFF" or head[8:] != b"WAVE" or told in (0, 2**32 - 1):
        return 0
    return max(0, told + 8 - path.stat().st_size)


def _mono(frames: list[Any]) -> Iterator[Samples]:
    for each in frames:
        yield np.asarray(each.to_ndarray(), np.float32).mean(axis=0)


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def as_int16(block: Samples) -> bytes:
    """Samples as 16-bit little-endian bytes, as recognisers take them."""
    return np.clip(np.rint(block * 32767), -32768, 32767).astype("<i2").tobytes()


def as_wav(samples: Samples) -> bytes:
    """The bytes of a WAV file, 16 bits a sample."""
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(as_int16(samples))
    return held.getvalue()
