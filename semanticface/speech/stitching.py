"""A clip as overlapping windows, and windows as a clip without seams.

Windows of `frames` frames begin every `hop` frames. Where two overlap, the later takes over
in a straight line across the frames they share, so neither its first nor the other's last
frame can be seen. A window that is missing leaves a gap of NaN, which is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.rig import COUNT
from semanticface.speech.cues import Window

Values = NDArray[np.float32]


class Cut(NamedTuple):
    """How a clip is cut: frames of a window, frames between the starts of two."""

    frames: int = 15
    hop: int = 12

    def windows(self, total: int, rate: float) -> list[Window]:
        """The windows of a clip; the last one ends with it and is shorter if it must be."""
        if not 1 <= self.hop <= self.frames:
            raise BadInput(f"a hop of {self.hop} with windows of {self.frames} frames",
                           "a hop of 1 to the window's own length")  # fmt: skip
        starts = list(range(0, max(total - (self.frames - self.hop), 1), self.hop))
        return [Window(first, min(self.frames, total - first), rate) for first in starts]


class Stitched(NamedTuple):
    """Windows put together."""

    values: Values
    """[T, 61]."""
    missing: int
    """Frames that no window gave."""


def stitch(answers: Mapping[Window, Values], frames: int) -> Stitched:
    """Windows' values [n, 61] as one clip, overlaps blended."""
    values = np.full((frames, COUNT), np.nan, np.float64)
    filled = 0  # frames before this one are there, as far as any window went
    for window in sorted(answers):
        part = np.asarray(answers[window], np.float64)
        if part.shape != (window.frames, COUNT):
            raise BadInput(f"values of shape {part.shape}", f"({window.frames}, {COUNT})")
        first, last = window.first, window.first + window.frames
        shared = max(min(filled, last) - first, 0)
        way = np.arange(1, shared + 1)[:, None] / (shared + 1)
        before = values[first : first + shared]
        blended = np.where(np.isnan(before), part[:shared], before + way * (part[:shared] - before))
        values[first : first + shared] = blended
        values[first + shared : last] = part[shared:]
        filled = max(filled, last)
    missing = int(np.isnan(values).all(axis=1).sum())
    return Stitched(values.astype(np.float32), missing)
