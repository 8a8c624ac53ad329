"""Frames worth a look: the worst and best of every source, drawn beside the reference."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semanticface.errors import MissingExtra
from semanticface.evaluation.items import PairedFrames
from semanticface.evaluation.result import Evaluation
from semanticface.formats.timecode import format_times
from semanticface.report.chosen import drawn_sources, frame_errors, of_source
from semanticface.report.measures import written
from semanticface.rig import BLENDSHAPES, NAMES, FaceClip

WORST, BEST = 3, 2
APART = 1.0
"""Seconds between two frames of a take, so that they are not one moment shown twice."""
SHOWS = 0.3
"""A best frame has to show something: a shape of the reference of at least this."""
MOST_SOURCES = 6
SIZE = 208
GAIN = 3.0
_QUALITY = 84


class Moment(NamedTuple):
    """One frame with its pictures side by side: reference, prediction, difference."""

    best: bool
    take: str
    clock: str
    """Its time code, or seconds from the take's start."""
    error: str
    picture: str
    """A JPEG as a data URI."""
    channels: tuple[tuple[str, str, str], ...]
    """The three farthest off: (channel, prediction, reference)."""
    unmeasured: int
    """Values that either side lacks; they are drawn at rest."""


class SourceMoments(NamedTuple):
    """The frames of a source."""

    source: str
    moments: tuple[Moment, ...]


class Faces(NamedTuple):
    """All frames, or why there are none."""

    sources: tuple[SourceMoments, ...]
    size: int
    gain: float
    reason: str
    left_out: int


class Extreme(NamedTuple):
    """A frame of a take that is among the worst or best."""

    pair: PairedFrames
    frame: int
    error: float
    best: bool


def drawn_faces(evaluation: Evaluation, frames: Sequence[PairedFrames], identity: int) -> Faces:
    """The worst and best frames of the first few sources; a reason without the renderer."""
    names = drawn_sources(evaluation, frames)
    try:
        from semanticface.render.picture import Renderer
        from semanticface.render.sheet import difference
    except MissingExtra as missing:
        return Faces((), SIZE, GAIN, str(missing), 0)
    renderer = Renderer(identity=identity, size=SIZE, background="gradient")

    def strip(frame: Extreme) -> str:
        truth, pred = (renderer.render(_at_rest(values)) for values in _both(frame))
        return _jpeg(np.hstack([truth, pred, difference(truth, pred, GAIN)]))

    found = []
    for name in names[:MOST_SOURCES]:
        picked = extreme_frames(of_source(frames, name))
        found.append(SourceMoments(name, tuple(_moment(each, strip(each)) for each in picked)))
    return Faces(tuple(found), SIZE, GAIN, "", max(len(names) - MOST_SOURCES, 0))


def extreme_frames(pairs: Sequence[PairedFrames]) -> list[Extreme]:
    """The worst frames and the best of those that show something, by mean absolute error."""
    worst: list[Extreme] = []
    best: list[Extreme] = []
    for pair in pairs:
        errors = frame_errors(pair)
        known = np.flatnonzero(~np.isnan(errors))
        worst += _spread(pair, errors, known[np.argsort(-errors[known], kind="stable")], WORST)
        shown = known[_most_shown(pair.truth)[known] >= SHOWS]
        shown = shown if len(shown) else known
        best += _spread(pair, errors, shown[np.argsort(errors[shown], kind="stable")], BEST, True)
    worst.sort(key=lambda frame: -frame.error)
    best.sort(key=lambda frame: frame.error)
    return [*worst[:WORST], *best[:BEST]]


def _most_shown(clip: FaceClip) -> NDArray[np.floating]:
    return np.asarray(np.nan_to_num(clip.values[:, : len(BLENDSHAPES)]).max(axis=1))


def _spread(
    pair: PairedFrames, errors: NDArray[np.floating], order: NDArray[np.intp], most: int,
    best: bool = False,
) -> list[Extreme]:  # fmt: skip
    """The first of `order` that lie at least APART from each other."""
    times = pair.truth.times
    kept: list[Extreme] = []
    for index in order:
        if all(abs(times[index] - times[other.frame]) >= APART for other in kept):
            kept.append(Extreme(pair, int(index), float(errors[index]), best))
        if len(kept) == most:
            break
    return kept


def _both(frame: Extreme) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return frame.pair.truth.values[frame.frame], frame.pair.pred.values[frame.frame]


def _at_rest(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.nan_to_num(values), np.float32)


def _moment(frame: Extreme, picture: str) -> Moment:
    truth, pred = (values[: len(BLENDSHAPES)] for values in _both(frame))
    apart = np.nan_to_num(np.abs(pred - truth))
    farthest = [int(i) for i in np.argsort(-apart, kind="stable")[:3] if apart[i] > 0]
    channels = tuple((NAMES[i], written(pred[i], 2), written(truth[i], 2)) for i in farthest)
    lost = int((np.isnan(truth) | np.isnan(pred)).sum())
    return Moment(
        frame.best, frame.pair.take, clock_of(frame.pair.truth, frame.frame),
        written(frame.error, 3), picture, channels, lost,
    )  # fmt: skip


def clock_of(clip: FaceClip, index: int) -> str:
    """The time code of a frame where the clip has one, else seconds from its start."""
    time = clip.times[index]
    if clip.meta.clock == "timecode" and clip.meta.base and time >= 0:
        return format_times([time], clip.meta.base)[0]
    return f"{time - clip.times[0]:.2f} s"


def _jpeg(picture: NDArray[np.uint8]) -> str:
    held = BytesIO()
    Image.fromarray(picture).save(held, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + b64encode(held.getvalue()).decode()
