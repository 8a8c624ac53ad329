"""Films of a face, with sound: MP4 (H.264, AAC) or WebM (VP9, Opus), through PyAV.

    renderer = Renderer(size=512)
    film(clip, "face.mp4", renderer, fps=30, audio="voice.wav")

The sound starts with the first frame and is cut where the pictures end. A film is
whole or absent: it grows under another name and is renamed when it is finished.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.atomic import whole_file
from semanticface.errors import BadInput, need
from semanticface.render.picture import Picture, Renderer, dimmed
from semanticface.render.threads import draw_all
from semanticface.render.timeline import Moment, moments
from semanticface.rig import FaceClip

AnyPath = str | PathLike[str]

_SILENT = 1e-4  # peak of full scale: -80 dB


class _Kind(NamedTuple):
    """What a suffix means."""

    video: str
    audio: str
    rate: int
    options: dict[str, str]


KINDS: dict[str, _Kind] = {
    ".mp4": _Kind("libx264", "aac", 48000, {"crf": "18", "preset": "veryfast"}),
    ".webm": _Kind("libvpx-vp9", "libopus", 48000,
                   {"crf": "30", "b": "0", "deadline": "realtime", "cpu-used": "6"}),
}  # fmt: skip


def film(
    clip: FaceClip,
    path: AnyPath,
    renderer: Renderer,
    *,
    fps: float = 30.0,
    audio: AnyPath | None = None,
) -> int:
    """Film a clip; returns the number of frames. Where the face is lost, the last one dims."""
    return write_video(path, pictures(clip, renderer, fps), fps, audio=audio)


def pictures(
    clip: FaceClip, renderer: Renderer, fps: float, threads: int | None = None
) -> Iterator[Picture]:
    """The film's frames: the clip by time, lost faces dimmed."""
    return draw_all(renderer, moments(clip, fps), _shown, threads)


def _shown(renderer: Renderer, moment: Moment) -> Picture:
    picture = renderer.render(moment.values)
    return dimmed(picture) if moment.lost else picture


def write_video(
    path: AnyPath, frames: Iterable[Picture], fps: float, *, audio: AnyPath | None = None,
    damaged: bool = False,
) -> int:  # fmt: skip
    """Write pictures uint8 [H, W, 3] as a film; returns how many. `damaged`: see `read_sound`."""
    target = Path(path)
    kind = kind_of(target)
    av = need("av", "render", "Writing a film")
    _check_codecs(av, target, kind, audio is not None)
    sound = None if audio is None else read_sound(audio, kind.rate, damaged=damaged)
    with whole_file(target) as temporary, av.open(str(temporary), "w") as container:
        return _fill(av, container, kind, frames, fps, sound)


def kind_of(path: Path) -> _Kind:
    """The codecs of a suffix; an unknown suffix is an error."""
    if path.suffix.lower() not in KINDS:
        raise BadInput(f"the suffix '{path.suffix}'", f"one of {', '.join(KINDS)} for a film",
                       file=path)  # fmt: skip
    return KINDS[path.suffix.lower()]


def read_sound(path: AnyPath, rate: int, *, damaged: bool = False) -> NDArray[np.float32]:
    """A file's first sound track as [channels, samples] at `rate`; one or two channels.

    A track that is known to be `damaged`, and told to be, is used as far as it can be read:
    up to where it breaks off, with 0 for samples that are no numbers.
    """
    av = need("av", "render", "Reading sound")
    if not Path(path).is_file():
        raise BadInput("no such file", "a sound file", file=path, hint="Check --audio.")
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise BadInput("no sound track", "a file with sound", file=path)
            samples = _decoded(av, container, rate, damaged=damaged)
    except av.FFmpegError as error:
        raise BadInput(f"a file that cannot be read as sound ({error})", "a sound file such as "
                       ".wav", file=path) from None  # fmt: skip
    if not samples.size or float(np.abs(samples).max()) < _SILENT:
        raise BadInput("a silent sound track", "something to hear", file=path,
                       hint="Leave --audio out for a film without sound.")  # fmt: skip
    return samples


def _decoded(av: Any, container: Any, rate: int, *, damaged: bool) -> NDArray[np.float32]:
    stream = container.streams.audio[0]
    layout = "mono" if stream.codec_context.channels == 1 else "stereo"
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
    parts = []
    try:
        for frame in container.decode(stream):
            frame.pts = None
            parts += [each.to_ndarray() for each in resampler.resample(frame)]
    except av.FFmpegError:
        if not damaged or not parts:
            raise
    parts += [each.to_ndarray() for each in resampler.resample(None)]
    if not parts:
        return np.zeros((1, 0), np.float32)
    whole = np.concatenate(parts, axis=1)
    return np.where(np.isfinite(whole), whole, np.float32(0)) if damaged else whole


def _check_codecs(av: Any, path: Path, kind: _Kind, with_sound: bool) -> None:
    for name in (kind.video, kind.audio) if with_sound else (kind.video,):
        try:
            av.Codec(name, "w")
        except ValueError:
            other = next(suffix for suffix in KINDS if suffix != path.suffix.lower())
            raise BadInput(
                f"a PyAV without the encoder '{name}'", f"one that can write {path.suffix}",
                file=path, hint=f"Install PyAV from PyPI, or write a {other} instead.",
            ) from None  # fmt: skip


def _fill(
    av: Any, container: Any, kind: _Kind, frames: Iterable[Picture], fps: float,
    sound: NDArray[np.float32] | None,
) -> int:  # fmt: skip
    from fractions import Fraction

    rate = Fraction(fps).limit_denominator(1001)
    pictures_in = container.add_stream(kind.video, rate=rate, options=kind.options)
    voice = None if sound is None else _Voice(av, container, kind, sound)
    written = 0
    for picture in frames:
        if not written:
            _set_size(pictures_in, picture)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        container.mux(pictures_in.encode(frame))
        written += 1
        if voice is not None:
            voice.until(float(written / rate))
    if not written:
        raise BadInput("no frames", "at least one for a film")
    container.mux(pictures_in.encode(None))
    if voice is not None:
        voice.end()
    return written


def _set_size(stream: Any, picture: Picture) -> None:
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        raise BadInput(f"pictures of {width} x {height}", "even width and height",
                       hint=f"Films store colour for 2 x 2 pixels: use {width + width % 2} x "
                       f"{height + height % 2}.")  # fmt: skip
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"


class _Voice:
    """The sound track, written in step with the pictures."""

    def __init__(self, av: Any, container: Any, kind: _Kind, sound: NDArray[np.float32]) -> None:
        self._av, self._container, self._sound, self._rate = av, container, sound, kind.rate
        self._layout = "mono" if len(sound) == 1 else "stereo"
        self._stream = container.add_stream(kind.audio, rate=kind.rate, layout=self._layout)
        self._resampler: Any = None
        self._done = 0

    def until(self, seconds: float) -> None:
        """Write the sound up to a time, or to its end."""
        end = min(round(seconds * self._rate), self._sound.shape[1])
        if end <= self._done:
            return
        part = np.ascontiguousarray(self._sound[:, self._done : end])
        frame = self._av.AudioFrame.from_ndarray(part, format="fltp", layout=self._layout)
        frame.sample_rate, frame.pts = self._rate, self._done
        self._done = end
        self._encode(frame)

    def _encode(self, frame: Any) -> None:
        context = self._stream.codec_context
        if self._resampler is None:
            self._resampler = self._av.AudioResampler(
                format=context.format, layout=self._layout, rate=self._rate,
                frame_size=context.frame_size or 1024,
            )  # fmt: skip
        for each in self._resampler.resample(frame):
            self._container.mux(self._stream.encode(each))

    def end(self) -> None:
        """Write what is left inside the encoder."""
        if self._resampler is not None:
            self._encode(None)
        self._container.mux(self._stream.encode(None))
