"""Pictures as they come: a film at its own pace, a folder at a rate, a camera."""

from __future__ import annotations

import io
import math
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semanticface.errors import BadInput, need
from semanticface.serve.client import Frame

if TYPE_CHECKING:
    from PIL.Image import Image

KINDS = (".png", ".jpg", ".jpeg", ".webp")
LONGEST = 640
"""Pixels a side of what is sent: more only costs time on the way."""
CAMERAS = {"linux": ("/dev/video{}", "v4l2"), "darwin": ("{}", "avfoundation"),
           "win32": ("video={}", "dshow")}  # fmt: skip
"""A camera's place and FFmpeg's interface to it, by operating system."""
_MOST_PIXELS = 50_000_000
_QUALITY = 95


def pictures(source: str, rate: float = 30.0) -> Iterator[Frame]:
    """Pictures with their times, each when it is due. `webcam`, `webcam:1`, a film, a folder."""
    kind, _, which = source.partition(":")
    if kind == "webcam":
        return _camera(which or "0", rate)
    path = Path(source).expanduser()
    if path.is_dir():
        return _paced(folder_frames(path, rate))
    if not path.is_file():
        raise BadInput(
            "no such file or folder", "webcam, a film or a folder of pictures", file=source
        )
    return _film(path)


def _paced(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Each when its time has come, measured from the first."""
    begun = None
    for frame in frames:
        begun = time.monotonic() - frame.time if begun is None else begun
        time.sleep(max(0.0, begun + frame.time - time.monotonic()))
        yield frame


def _film(path: Path) -> Iterator[Frame]:
    from semanticface.data.movies import Movie, stamps

    film = Movie(str(path), _MOST_PIXELS)
    yield from in_time(stamps(str(path)), lambda at: encoded(film.at(at)))


def in_time(times: Sequence[float], shown: Callable[[float], bytes]) -> Iterator[Frame]:
    """Each when its time has come; one that is past, for the next is due already, is left out.

    Else a film that takes longer to read than to play would lag more and more.
    """
    begun = time.monotonic() - times[0]
    for at, after in zip(times, [*times[1:], math.inf], strict=True):
        if begun + after <= time.monotonic():
            continue
        time.sleep(max(0.0, begun + at - time.monotonic()))
        yield Frame(at, shown(at))


def folder_frames(path: Path, rate: float) -> Iterator[Frame]:
    """Pictures in the order of their names, numbers by their size."""
    if rate <= 0:
        raise BadInput(f"{rate} pictures a second", "more than none")
    files = sorted((each for each in path.iterdir() if each.suffix.lower() in KINDS), key=_order)
    if not files:
        raise BadInput("no picture", f"files that end in {', '.join(KINDS)}", file=path)
    for n, file in enumerate(files):
        yield Frame(n / rate, file.read_bytes())


def _order(file: Path) -> list[tuple[int, int | str]]:
    parts = re.split(r"(\d+)", file.name)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def _camera(which: str, rate: float) -> Iterator[Frame]:
    """A camera through FFmpeg, by the operating system's own interface."""
    av = need("av", "serve", "Reading a camera")
    place, interface = CAMERAS.get(sys.platform, ("{}", ""))
    place = place.format(which)
    try:
        camera = av.open(place, format=interface, options={"framerate": str(round(rate))})
    except (av.FFmpegError, OSError) as error:
        raise BadInput(
            f"no camera ({error})", "one that is plugged in and free", file=place
        ) from None
    with camera:
        begun = time.monotonic()
        try:
            for picture in camera.decode(video=0):
                yield Frame(time.monotonic() - begun, encoded(_rgb(picture)))
        except (av.FFmpegError, OSError) as error:
            raise BadInput(f"a camera that went away ({error})", "one that stays plugged in",
                           file=place) from None  # fmt: skip


def _rgb(picture: Any) -> Image:
    image: Image = picture.to_image()
    return image


def encoded(image: Image) -> bytes:
    """A JPEG of quality 95, its longer side at most 640 pixels."""
    image.thumbnail((LONGEST, LONGEST))
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
