"""A clip as evenly spaced moments, each with a face to draw.

Clips come at 59.904 or 29.98 frames a second, with gaps and with frames in which
the tracker had lost the face. A film wants one face for each of its frames: the
clip is read at the film's own times, between two measured frames along a straight
line. While the face is lost the last good one stays, marked as lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.rig import FaceClip

Floats = NDArray[np.float32]

_LONGEST_BRIDGE = 0.25  # seconds between two frames that a straight line may bridge


class Moment(NamedTuple):
    """The face at one time of a film."""

    values: Floats
    """[61], absent channels at rest (0)."""
    lost: bool
    """The tracker had no face here; `values` are the last good ones."""


def moments(clip: FaceClip, fps: float) -> Iterator[Moment]:
    """One moment for each film frame, from the clip's first frame to its last."""
    values, good = faces(clip)
    times = clip.times - clip.times[0]
    kept = _last_good(good)
    for k in range(count(clip, fps)):
        t = k / fps + 1e-9
        i = int(np.searchsorted(times, t, side="right")) - 1
        if good[i]:
            yield Moment(_between(values, good, times, i, t), False)
        else:
            yield Moment(values[kept[i]], True)


def count(clip: FaceClip, fps: float) -> int:
    """How many frames a film of the clip has."""
    return int(np.floor(clip.duration * fps + 1e-6)) + 1


def face_at(clip: FaceClip, seconds: float) -> Floats:
    """The face [61] at a time from the clip's start; an error where the face was lost."""
    values, good = faces(clip)
    times = clip.times - clip.times[0]
    if not -1e-6 <= seconds <= clip.duration + max(0.02, _step(clip)):
        raise BadInput(f"the time {seconds:g} s", f"0 to {clip.duration:.3f} s, the clip's length")
    i = max(int(np.searchsorted(times, seconds + 1e-9, side="right")) - 1, 0)
    if not good[i]:
        near = times[good][np.abs(times[good] - seconds).argmin()]
        raise BadInput(f"no face at {seconds:g} s: the tracker had lost it",
                       f"a tracked frame, the nearest is at {near:.3f} s", row=i)  # fmt: skip
    return _between(values, good, times, i, seconds)


def faces(clip: FaceClip) -> tuple[Floats, NDArray[np.bool_]]:
    """Values [T, 61] with absent channels at rest, and which frames have a whole face [T]."""
    if not len(clip):
        raise BadInput("a clip without frames", "at least one to draw")
    good = np.asarray(~np.isnan(clip.values[:, clip.present]).any(axis=1))
    if not clip.present.any() or not good.any():
        raise BadInput("a clip without a tracked face", "at least one frame with all its channels")
    return np.nan_to_num(clip.values, nan=0.0).astype(np.float32), good


def _last_good(good: NDArray[np.bool_]) -> NDArray[np.int64]:
    """[T] the last good frame up to each; the first good one before there was any."""
    latest = np.maximum.accumulate(np.where(good, np.arange(len(good)), -1))
    return np.where(latest < 0, int(np.flatnonzero(good)[0]), latest)


def _between(
    values: Floats, good: NDArray[np.bool_], times: NDArray[np.float64], i: int, t: float
) -> Floats:
    if i + 1 == len(times) or not good[i + 1] or times[i + 1] - times[i] > _LONGEST_BRIDGE:
        return np.asarray(values[i], np.float32)
    step = times[i + 1] - times[i]
    share = np.float32(min(max((t - times[i]) / step, 0), 1)) if step > 0 else np.float32(0)
    return np.asarray(values[i] + share * (values[i + 1] - values[i]), np.float32)


def _step(clip: FaceClip) -> float:
    return clip.step if len(clip) > 1 else 0.0
