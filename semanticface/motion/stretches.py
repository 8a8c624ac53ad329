"""Unbroken stretches of a clip: frames that follow on each other with every value measured.

A filter or an interpolation runs inside a stretch and never across its ends. A
stretch ends where a value is NaN, and where the clock pauses for longer than a
few frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.rig import FaceClip

GAP_STEPS = 3.0
"""A pause of more usual steps than this is a gap: what happened in it is unknown."""
_JITTER = 1.02  # a phone's clock is off by up to a thousandth of a frame
EVEN_WITHIN = 0.02
"""Steps that differ from the usual one by less than this share are even."""


class Stretch(NamedTuple):
    """Frames `start` to `stop` (exclusive), in which all of `channels` were measured."""

    channels: NDArray[np.intp]
    start: int
    stop: int

    @property
    def frames(self) -> slice:
        """The frames as a slice."""
        return slice(self.start, self.stop)

    def __len__(self) -> int:
        return self.stop - self.start


def gap_limit(clip: FaceClip) -> float:
    """Seconds beyond which a pause between two frames is a gap; infinite for one frame."""
    return float("inf") if np.isnan(clip.step) else GAP_STEPS * _JITTER * clip.step


def stretches(clip: FaceClip, longest_gap: float | None = None) -> Iterator[Stretch]:
    """Every unbroken stretch, channels with the same missing frames together.

    `longest_gap` in seconds; by default three usual steps.
    """
    limit = gap_limit(clip) if longest_gap is None else longest_gap
    breaks = np.diff(clip.times) > limit
    measured = np.isfinite(clip.values)
    for channels in _alike(measured):
        yield from (
            Stretch(channels, start, stop)
            for start, stop in _runs(measured[:, channels[0]], breaks)
        )


def is_even(times: NDArray[np.float64]) -> bool:
    """Whether frames come at even steps, within two hundredths of a step."""
    steps = np.diff(times)
    if not len(steps):
        return True
    usual = float(np.median(steps))
    return bool(usual > 0 and np.abs(steps - usual).max() <= EVEN_WITHIN * usual)


def even_grid(times: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """As many even times as fit `step` best, from the first of `times` to the last."""
    count = max(round(float(times[-1] - times[0]) / step), 1) + 1
    return np.linspace(times[0], times[-1], count)


def _alike(measured: NDArray[np.bool_]) -> Iterator[NDArray[np.intp]]:
    """Groups of channels with the same frames measured; channels without any are left out."""
    groups: dict[bytes, list[int]] = {}
    for channel in np.flatnonzero(measured.any(axis=0)):
        groups.setdefault(measured[:, channel].tobytes(), []).append(int(channel))
    for members in groups.values():
        yield np.array(members, dtype=np.intp)


def _runs(measured: NDArray[np.bool_], breaks: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """(start, stop) of each run of measured frames without a break inside."""
    frames = np.flatnonzero(measured)
    ends = (np.diff(frames) > 1) | breaks[frames[:-1]]
    for run in np.split(frames, np.flatnonzero(ends) + 1):
        yield int(run[0]), int(run[-1]) + 1
