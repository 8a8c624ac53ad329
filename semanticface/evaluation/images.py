"""The pictures a source is shown of an item, each with its time on the reference's clock.

Pictures are made one at a time, so a take of any length needs the memory of a few.

* Movie: its own presentation times, so frames that were dropped leave a gap. The
  first picture has the time of the reference's first frame, unless a `frame_log.csv`
  beside the movie says when video and blendshapes began. Rotations and flips that
  the file asks players for are carried out.
* Files: one for each reference frame, at that frame's time, or at a rate of their own.
* Renders: the reference itself, drawn on one or several faces.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, need
from semanticface.evaluation.fingerprints import clip_sha256, code_sha256, file_sha256
from semanticface.evaluation.items import Item
from semanticface.evaluation.places import filled
from semanticface.evaluation.specs import PictureSpec
from semanticface.formats import timecode
from semanticface.formats.take_metadata import FrameLog, read_frame_log
from semanticface.render.head import ASSET
from semanticface.render.picture import Picture, Renderer
from semanticface.render.timeline import faces
from semanticface.rig import ClipMeta, FaceClip

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_LARGEST = 64_000_000  # pixels: eight times 8 megapixels, and no bomb


class Shot(NamedTuple):
    """One moment of a show."""

    time: float
    """Seconds on the reference's clock."""
    picture: Picture | None
    """[H, W, 3] sRGB; None where the reference has no face to draw."""


class Show(NamedTuple):
    """All pictures of one item, on one face."""

    shots: Callable[[], Iterator[Shot]]
    total: int
    """How many shots there will be; 0 if nobody knows."""
    notes: dict[str, Any]
    mirrored: bool = False
    """The pictures show the performer as in a mirror."""


def shows(spec: PictureSpec, item: Item) -> list[Show]:
    """What the source is to see: one show, or one for each identity of renders."""
    if spec.on == "movie":
        return [_movie(spec, item)]
    if spec.on == "frames":
        return [_files(spec, item)]
    return [_renders(spec, item, identity) for identity in spec.identities]


def picture_facts(spec: PictureSpec, item: Item) -> dict[str, Any]:
    """What the pictures and their times rest on, for a fingerprint."""
    truth = None if item.truth is None else clip_sha256(item.truth)
    facts: dict[str, Any] = {"truth": truth, "mirrored": item.mirrored_movie}
    if spec.on == "movie":
        movie = _movie_of(item)
        log = movie.parent / "frame_log.csv"
        facts |= {"movie": file_sha256(movie), "log": file_sha256(log) if log.is_file() else None}
    elif spec.on == "frames":
        facts["frames"] = [file_sha256(path) for path in _paths(spec, item)]
    else:
        facts |= {"head": file_sha256(ASSET), "renderer": code_sha256("render")}
    return facts


def meta_of(item: Item, source: str, form: str) -> ClipMeta:
    """Meta of a prediction that stands on the reference's clock."""
    told = ClipMeta() if item.truth is None else item.truth.meta
    return ClipMeta(source, form, subject=item.subject, base=told.base, clock=told.clock)


# -- renders -------------------------------------------------------------------------


def _renders(spec: PictureSpec, item: Item, identity: int) -> Show:
    truth = _truth(item)
    clip = truth[:: spec.every]
    notes: dict[str, Any] = {"pictures": "renders of the reference", "identity": identity}
    if truth.absent:
        notes["drawn at rest"] = list(truth.absent)

    def shots() -> Iterator[Shot]:
        renderer = Renderer(identity=identity, look=spec.look, view=spec.view, size=spec.size)
        values, good = faces(clip)
        for time, row, whole in zip(clip.times, values, good, strict=True):
            yield Shot(float(time), renderer.render(row) if whole else None)

    return Show(shots, len(clip), notes)


def _truth(item: Item) -> FaceClip:
    if item.truth is None or not len(item.truth):
        raise BadInput(f"take '{item.take}' without a reference", "one to draw",
                       hint="Set on: movie or on: frames.")  # fmt: skip
    return item.truth


# -- picture files -------------------------------------------------------------------


def _files(spec: PictureSpec, item: Item) -> Show:
    paths = _paths(spec, item)
    times = _file_times(spec, item, len(paths))
    chosen = list(zip(times[:: spec.every].tolist(), paths[:: spec.every], strict=True))

    def shots() -> Iterator[Shot]:
        for time, path in chosen:
            yield Shot(time, smaller(read_picture(path), spec.longest))

    return Show(shots, len(chosen), {"pictures": f"{len(chosen)} files"}, item.mirrored_movie)


def _paths(spec: PictureSpec, item: Item) -> list[Path]:
    """Picture files of an item, sorted by name, numbers by their size."""
    told = Path(str(spec.frames))
    place = Path(filled(str(told), item))
    last = filled(told.name, item, glob.escape)  # a take may be called a[1]
    folder, pattern = (place, "*") if place.is_dir() else (place.parent, last)
    found = [each for each in folder.glob(pattern) if each.suffix.lower() in SUFFIXES]
    if not found:
        raise BadInput("no pictures", f"files ending in {', '.join(SUFFIXES)}", file=place)
    return sorted(found, key=_by_number)


def _by_number(path: Path) -> list[tuple[int, str]]:
    """`f10` after `f9`."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part)
        for part in re.split(r"([0-9]+)", path.name)
    ]


def _file_times(spec: PictureSpec, item: Item, count: int) -> NDArray[np.float64]:
    start = 0.0 if item.truth is None or not len(item.truth) else float(item.truth.times[0])
    if spec.rate is not None:
        return start + np.arange(count) / spec.rate
    if item.truth is None or len(item.truth) != count:
        frames = "no reference" if item.truth is None else f"{len(item.truth)} reference frames"
        raise BadInput(f"{count} pictures and {frames}", "one picture for each reference frame",
                       file=spec.frames, hint="Give the pictures a second by 'rate'.")  # fmt: skip
    return item.truth.times


def read_picture(path: Path) -> Picture:
    """A picture file as sRGB [H, W, 3], turned as its EXIF says."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > _LARGEST:
                raise BadInput(f"{opened.width} x {opened.height} pixels",
                               f"at most {_LARGEST:,}", file=path)  # fmt: skip
            return np.asarray(ImageOps.exif_transpose(opened).convert("RGB"), np.uint8)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise BadInput(f"a file that is no picture ({error})", "a picture", file=path) from None


def smaller(picture: Picture, longest: int | None) -> Picture:
    """The picture with its longer side at most `longest`, in the same proportions."""
    height, width = picture.shape[:2]
    if longest is None or max(height, width) <= longest:
        return picture
    from PIL import Image

    share = longest / max(height, width)
    size = (max(round(width * share), 1), max(round(height * share), 1))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS), np.uint8)


# -- a movie -------------------------------------------------------------------------


def _movie(spec: PictureSpec, item: Item) -> Show:
    movie = _movie_of(item)
    start, how = movie_start(movie, item.truth)
    av = need("av", "track", "Reading a movie")

    def shots() -> Iterator[Shot]:
        for time, picture in decoded(av, movie, spec.every):
            yield Shot(start + time, smaller(picture, spec.longest))

    notes = {"pictures": f"movie {movie.name}", "clock": how}
    return Show(shots, _count(av, movie, spec.every), notes, item.mirrored_movie)


def _movie_of(item: Item) -> Path:
    if item.movie is None or not item.movie.is_file():
        raise BadInput("no movie" if item.movie is None else "no such file",
                       f"a movie of take '{item.take}'", file=item.movie)  # fmt: skip
    return item.movie


def decoded(av: Any, movie: Path, every: int) -> Iterator[tuple[float, Picture]]:
    """Every k-th picture, upright, with its seconds since the movie's first."""
    try:
        with av.open(str(movie)) as container:
            if not container.streams.video:
                raise BadInput("no pictures", "a movie", file=movie)
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            first: float | None = None
            for number, frame in enumerate(container.decode(stream)):
                if frame.time is None:
                    raise BadInput("a picture without a time", "presentation times",
                                   file=movie, row=number)  # fmt: skip
                first = frame.time if first is None else first
                if number % every == 0:
                    yield frame.time - first, _upright(frame)
    except av.FFmpegError as error:
        raise BadInput(f"a file that cannot be read as a movie ({error})", "a movie such as .mov",
                       file=movie) from None  # fmt: skip


def _upright(frame: Any) -> Picture:
    """The frame as players show it: its display matrix carried out.

    The nine 16.16 numbers are a b u, c d v, x y w with x' = a x + c y, y' = b x + d y and
    y downwards; only quarter turns and flips occur in practice, others are refused.
    """
    picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    told = frame.side_data.get("DISPLAYMATRIX")
    if told is None:
        return picture
    a, b, _, c, d = np.sign(np.frombuffer(bytes(told), "<i4")[:5]).tolist()
    if (a == 0) != (d == 0) or (b == 0) != (c == 0) or (a == 0) == (b == 0):
        raise BadInput(f"a movie turned by {frame.rotation} degrees", "quarter turns")
    if a:
        return np.ascontiguousarray(picture[::d, ::a])
    return np.ascontiguousarray(picture.transpose(1, 0, 2)[::b, ::c])


def _count(av: Any, movie: Path, every: int) -> int:
    """How many pictures will be shown, by what the file says of itself; 0 if it does not."""
    try:
        with av.open(str(movie)) as container:
            said = container.streams.video[0].frames if container.streams.video else 0
    except av.FFmpegError as error:
        raise BadInput(f"a file that cannot be read as a movie ({error})", "a movie such as .mov",
                       file=movie) from None  # fmt: skip
    return -(-int(said) // every)


class Start(NamedTuple):
    """When a movie's first picture was taken, on the reference's clock, and how that is known."""

    seconds: float
    how: str


def movie_start(movie: Path, truth: FaceClip | None) -> Start:
    """The time of the first picture."""
    if truth is None or not len(truth):
        return Start(0.0, "no reference: the first picture is at zero")
    first = float(truth.times[0])
    log = movie.parent / "frame_log.csv"
    logged = _first_picture(read_frame_log(log), truth) if log.is_file() else None
    if logged is None:
        return Start(first, "the first picture is taken with the first reference frame")
    return Start(
        logged, f"by the frame log; {logged - first:+.4f} s from the first reference frame"
    )


def _first_picture(log: FrameLog, truth: FaceClip) -> float | None:
    """Its time by the frame log; None where the log has no video or no blendshapes.

    The device stamps both with one clock. The first blendshape frame's timecode is that
    of the CSV's first row; a clip on another clock is taken to begin with that row.
    """
    kept = log.kind == "V" if log.dropped is None else (log.kind == "V") & ~log.dropped
    shown, faces_logged = np.flatnonzero(kept), np.flatnonzero(log.kind == "B")
    if not len(shown) or not len(faces_logged):
        return None
    anchor = faces_logged[0]
    late = float(log.seconds[shown[0]] - log.seconds[anchor])
    start = float(truth.times[0])
    if truth.meta.clock != "timecode":
        return start + late
    whole, part = timecode.parse(str(log.timecode[anchor]))
    begun = float(timecode.seconds(whole, part, truth.meta.base or 60))
    return begun + late + timecode.DAY * round((start - begun) / timecode.DAY)
