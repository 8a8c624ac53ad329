"""Frames of a movie by time.

A frame is shown from its own time stamp until the next one's, so `at(t)` is the last
frame that starts at or before t (half a millisecond to spare: stamps are rounded).
Time counts from the movie's first frame. Asked for in rising order, frames are decoded
once each; going back seeks to the key frame before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from semanticface.errors import BadInput, need

if TYPE_CHECKING:
    from PIL.Image import Image

SPARE = 0.0005
_JUMP = 2.0  # seconds ahead from which seeking is quicker than decoding what lies between


class Movie:
    """One movie, open for reading."""

    def __init__(self, path: str, max_pixels: int) -> None:
        self.path = path
        self._container = _opened(path)
        self._stream = self._container.streams.video[0]
        if self._stream.width * self._stream.height > max_pixels:
            raise BadInput(f"{self._stream.width} x {self._stream.height} pixels",
                           f"at most {max_pixels:,}", file=path)  # fmt: skip
        self._frames: Iterator[Any] = self._container.decode(self._stream)
        first = self._pull()
        if first is None:
            raise BadInput("a movie without frames", "at least one", file=path)
        self._zero = _stamp(first, path)
        self._here, self._next = first, self._pull()

    def at(self, time: float) -> Image:
        """The frame shown at `time` seconds from the first one."""
        wanted = self._zero + time + SPARE
        if wanted < self._zero:
            raise BadInput(f"the time {time} s", "0 or later", file=self.path)
        here = _stamp(self._here, self.path)
        if wanted < here or wanted > here + _JUMP:
            self._seek(wanted)
        while self._next is not None and _stamp(self._next, self.path) <= wanted:
            self._here, self._next = self._next, self._pull()
        if self._next is None and wanted > _stamp(self._here, self.path) + self._lasting():
            raise BadInput(f"the time {time:.3f} s", "a time within the movie", file=self.path)
        return _picture(self._here)

    def _lasting(self) -> float:
        rate = self._stream.average_rate
        return 1 / float(rate) + SPARE if rate else 1.0

    def _pull(self) -> Any:
        av = need("av", "render", "Reading a movie")
        try:
            return next(self._frames, None)
        except av.FFmpegError as error:
            raise BadInput(f"a broken movie ({error})", "a whole one", file=self.path) from error

    def _seek(self, wanted: float) -> None:
        self._container.seek(int(wanted / self._stream.time_base), stream=self._stream)
        self._frames = self._container.decode(self._stream)
        self._here = self._pull()
        if self._here is None:
            raise BadInput(f"no frame at {wanted - self._zero:.3f} s", "a time within the movie",
                           file=self.path)  # fmt: skip
        self._next = self._pull()


def stamps(path: str) -> list[float]:
    """Start of every frame that is shown, in seconds from the first one, without decoding
    pictures. What a trimmed movie keeps from before its cut is not shown."""
    av = need("av", "render", "Reading a movie")
    container = _opened(path)
    with container:
        stream = container.streams.video[0]
        try:
            found = [
                packet.pts * float(stream.time_base) for packet in container.demux(stream)
                if packet.pts is not None and packet.size and not packet.is_discard
            ]  # fmt: skip
        except av.FFmpegError as error:
            raise BadInput(f"a broken movie ({error})", "a whole one", file=path) from error
    if not found:
        raise BadInput("a movie without time stamps", "one a frame", file=path)
    return [at - min(found) for at in sorted(found)]


def _opened(path: str) -> Any:
    av = need("av", "render", "Reading a movie")
    try:
        container = av.open(path)
    except (av.FFmpegError, OSError) as error:
        raise BadInput(f"no movie ({error})", "a .mov or .mp4", file=path) from error
    if not container.streams.video:
        container.close()
        raise BadInput("a file without pictures", "a movie", file=path)
    return container


def _stamp(frame: Any, path: str) -> float:
    if frame.time is None:
        raise BadInput("a frame without a time stamp", "one a frame", file=path)
    return float(frame.time)


def _picture(frame: Any) -> Image:
    """RGB, turned as the movie's display matrix asks."""
    picture: Image = frame.to_image()
    turn = round(getattr(frame, "rotation", 0)) % 360
    return picture.rotate(turn, expand=True) if turn else picture
