"""What is looked at: picture files, folders of them, movies, a camera.

A shot is a picture by place and a name for it. Movies and cameras have times; files of a
folder come in the order of their names, numbers by their size.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from semanticface.data.images import OTHERS, ImageRef, Limits, Pictures, encoded
from semanticface.data.movies import stamps
from semanticface.data.shards import digest_of
from semanticface.errors import BadInput, need

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
MOVIES = (".mov", ".mp4", ".m4v", ".webm", ".mkv", ".avi")


class Shot(NamedTuple):
    """One picture to be answered."""

    name: str
    """Its path, with `@seconds` for a movie's."""
    time: float | None
    """Seconds from the movie's first frame; None for files."""
    image: ImageRef
    group: str
    """The movie it is from, or the empty text for files."""
    fault: BadInput | None = None
    """Why there is nothing to see, where that was found while looking for pictures."""


def shots(places: Sequence[Path], every: float = 0.0) -> list[Shot]:
    """Every picture of some files, folders and movies; `every` is seconds between a movie's."""
    found = [shot for place in places for shot in _of(place, every)]
    if not found:
        raise BadInput("no picture", f"files ending in {', '.join(PICTURES + MOVIES)}",
                       file=places[0] if places else None)  # fmt: skip
    twice = {each.name for each in found}
    if len(twice) < len(found):
        raise BadInput("the same picture twice", "each once")
    return found


def _of(place: Path, every: float) -> Iterator[Shot]:
    if place.is_dir():
        looked_at = PICTURES + MOVIES + OTHERS
        inside = [each for each in place.rglob("*") if each.suffix.lower() in looked_at]
        for each in sorted(inside, key=_by_number):
            yield from _of(each, every)
    elif not place.is_file():
        raise BadInput("no such file or folder", "pictures, folders of them, or movies", file=place)
    elif not _writable(str(place)):
        name = os.fsencode(place).decode("utf-8", "backslashreplace")
        yield _unseen(name, BadInput("a name that is not UTF-8", "another name", file=name))
    elif place.suffix.lower() in MOVIES:
        yield from _of_movie(place, every)
    else:  # whatever it is called: one that is no picture is listed as failed
        yield Shot(str(place), None, ImageRef(path=str(place)), "")


def _of_movie(place: Path, every: float) -> Iterator[Shot]:
    try:
        times = stamps(str(place))
    except BadInput as fault:
        yield _unseen(str(place), fault)
        return
    after = -1e9
    for time in times:
        if time >= after + every - 1e-6:
            yield Shot(
                f"{place}@{time:.3f}", time, ImageRef(movie=str(place), time=time), str(place)
            )
            after = time


def _unseen(name: str, fault: BadInput) -> Shot:
    """A file that stops no other one."""
    return Shot(name, None, ImageRef(path=name), "", fault)


def _writable(name: str) -> bool:
    """Whether a file's name is text; half a character cannot be written anywhere."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _by_number(path: Path) -> list[tuple[int, str]]:
    """`f10` after `f9`."""
    parts = re.split(r"([0-9]+)", str(path))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def key_of(shot: Shot, known: dict[str, str]) -> str:
    """A hash of what the shot shows; movies are hashed once, in `known`."""
    if shot.image.kind == "movie":
        if shot.group not in known:
            known[shot.group] = digest_of(Path(shot.group))
        told = f"{known[shot.group]} {shot.time!r}".encode()
    else:
        told = encoded(shot.image, Limits())
    return sha256(shot.name.encode() + b"\0" + told).hexdigest()


def record(index: int, seconds: float, folder: Path) -> list[Shot]:
    """Record a webcam by its number into picture files, so that nothing depends on its being
    there again; a shot's time counts from the first picture."""
    av = need("av", "render", "Reading a camera")
    kind, place = _camera(index)
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Shot] = []
    try:
        with av.open(place, format=kind) as camera:
            for time, picture in _timed(camera.decode(video=0), seconds):
                path = folder / f"{len(found):06d}.jpg"
                picture.save(path, quality=95)
                found.append(Shot(str(path), time, ImageRef(path=str(path)), ""))
    except (OSError, ValueError, av.FFmpegError) as fault:
        raise BadInput(f"no camera {index} ({fault})", "the number of a camera, 0 and up",
                       file=place) from fault  # fmt: skip
    return found


def _timed(frames: Any, seconds: float) -> Iterator[tuple[float, Any]]:
    first: float | None = None
    for frame in frames:
        first = float(frame.time) if first is None else first
        if float(frame.time) - first > seconds:
            return
        yield float(frame.time) - first, frame.to_image()


def _camera(index: int) -> tuple[str, str]:
    if index < 0:
        raise BadInput(f"camera {index}", "the number of a camera, 0 and up")
    if sys.platform == "darwin":
        return "avfoundation", str(index)
    if sys.platform == "win32":
        raise BadInput("a camera by number on Windows", "a movie or a folder of pictures")
    return "v4l2", f"/dev/video{index}"


def decode(shot: Shot, pictures: Pictures) -> Any:
    """The shot's picture."""
    return pictures.decode(shot.image, shot.name)
