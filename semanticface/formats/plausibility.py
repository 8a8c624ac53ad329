"""Values that can be read but hardly be true, as warnings with counts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from semanticface.formats.fault import Fault
from semanticface.rig import CHANNELS, FaceClip
from semanticface.rig.opposites import CLOSE_BEYOND_OPEN, OPPOSITES, TOGETHER


def implausible(clip: FaceClip) -> list[Fault]:
    """Ranges left, opposites together, lips closed further than the jaw is open."""
    return [*_ranges(clip), *_opposites(clip), *_closure(clip)]


def _ranges(clip: FaceClip) -> Iterator[Fault]:
    for channel in CHANNELS:
        column = clip.values[:, channel.index]
        outside = (column < channel.low) | (column > channel.high)  # false for NaN
        if outside.any():
            worst = column[outside][np.argmax(np.abs(column[outside]))]
            yield _warning(
                clip, outside, channel.name, f"values up to {worst:.3f}",
                f"{channel.low:g} to {channel.high:g}",
            )  # fmt: skip


def _opposites(clip: FaceClip) -> Iterator[Fault]:
    for one, other in OPPOSITES:
        both = (clip.column(one) > TOGETHER) & (clip.column(other) > TOGETHER)
        if both.any():
            yield _warning(clip, both, one, f"{one} and {other} together", "one of them")


def _closure(clip: FaceClip) -> Iterator[Fault]:
    excess = clip.column("mouthClose") - clip.column("jawOpen")
    beyond = excess > CLOSE_BEYOND_OPEN
    if beyond.any():
        yield _warning(
            clip, beyond, "mouthClose", f"{np.nanmax(excess):.3f} more than jawOpen",
            f"at most {CLOSE_BEYOND_OPEN:g} more",
        )  # fmt: skip


def _warning(
    clip: FaceClip, where: NDArray[np.bool_], column: str, found: str, expected: str
) -> Fault:
    count, first = int(where.sum()), int(np.flatnonzero(where)[0])
    share = f"{found} in {count} of {len(clip)} frames, first in frame {first}"
    return Fault(None, column, share, expected, "warning")
