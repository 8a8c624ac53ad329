"""Takes with movies: which row of numbers belongs to which frame of the film.

Where the take has a frame log, it gives video frame i (V) and coefficient row j (B)
their times on one clock, and each frame gets the row nearest in time. Without one the
film is taken to begin with the first row, `offset` seconds later; so it is where the log
counts other frames than there are, and that is told.

A frame without a row within half a row's step, or whose row lost the face, gives no
record; both are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.movies import stamps
from semanticface.errors import BadInput
from semanticface.formats.take import Take
from semanticface.rig import FaceClip

_LOG_SLACK = 2
"""Frames that log and film may differ by: recording stops in the middle of one."""


class Match(NamedTuple):
    """A movie frame and its row of numbers."""

    frame: int
    seconds: float
    """From the movie's first frame."""
    row: int


@dataclass
class Matching:
    """What came of pairing."""

    frames: int = 0
    matched: int = 0
    without_row: int = 0
    """Frames with no row near enough in time."""
    untracked: int = 0
    """Frames whose row has no face."""
    unfit_logs: int = 0
    """Frame logs that count other frames or rows than there are."""


def matches(
    take: Take, clip: FaceClip, *, every: float = 0.0, offset: float = 0.0,
    count: Matching | None = None,
) -> Iterator[Match]:  # fmt: skip
    """Frames of the take's movie with their rows, at least `every` seconds apart."""
    if take.movie is None:
        raise BadInput("a take without a movie", "a .mov or .mp4 in it", file=take.folder)
    tally = count if count is not None else Matching()
    shown = np.array(stamps(str(take.movie)))
    wanted, rows = _clocks(take, clip, shown, offset, tally)
    steps = np.diff(rows)
    reach = 0.5 * float(np.median(steps)) + 1e-4 if len(steps) else 0.05
    last = -np.inf
    for frame, (seconds, moment) in enumerate(zip(shown, wanted, strict=True)):
        tally.frames += 1
        row = _nearest(rows, float(moment))
        if abs(rows[row] - moment) > reach:
            tally.without_row += 1
        elif np.isnan(clip.values[row]).all():
            tally.untracked += 1
        elif seconds - last >= every - 1e-6:
            last = seconds
            tally.matched += 1
            yield Match(frame, float(seconds), row)


def row_times(
    take: Take, clip: FaceClip, count: Matching | None = None
) -> NDArray[np.float64]:  # fmt: skip
    """Seconds of each row of numbers from the movie's first frame, where its sound begins."""
    if take.movie is None:
        raise BadInput("a take without a movie", "a .mov or .mp4 in it", file=take.folder)
    shown = np.array(stamps(str(take.movie)))
    frames, rows = _clocks(take, clip, shown, 0.0, count if count is not None else Matching())
    return np.asarray(rows - frames[0], np.float64)


def _clocks(
    take: Take, clip: FaceClip, shown: NDArray[np.float64], offset: float, count: Matching
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Times of the movie's frames and of the clip's rows on one clock."""
    log = take.frame_log
    if log is not None:
        video, faces = (np.sort(log.seconds[log.kind == kind]) for kind in "VB")
        if len(faces) == len(clip) and abs(len(video) - len(shown)) <= _LOG_SLACK and len(video):
            known = min(len(video), len(shown))
            late = video[known - 1] + shown[known:] - shown[known - 1]
            return np.concatenate((video[:known], late)) + offset, faces
        count.unfit_logs += 1
    return shown + offset, clip.times - clip.times[0]


def _nearest(rising: NDArray[np.float64], moment: float) -> int:
    after = int(np.searchsorted(rising, moment))
    if after == 0:
        return 0
    if after == len(rising):
        return after - 1
    return after if rising[after] - moment < moment - rising[after - 1] else after - 1


def chosen_clip(take: Take, which: str, folder: Path) -> FaceClip:
    """The raw or the calibrated clip: never one for the other."""
    clip = take.raw if which == "raw" else take.cal
    if clip is None:
        there = "cal" if which == "raw" else "raw"
        raise BadInput(f"a take without a {which} table", which, file=folder,
                       hint=f"Say which: {there} if that is meant.")  # fmt: skip
    return clip
