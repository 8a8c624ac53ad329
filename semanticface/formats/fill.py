"""Formats that cannot say "not measured": refuse such clips, or fill and report."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.rig.channels import COUNT, NAMES
from semanticface.rig.clip import FaceClip, Values

_LISTED = 6


class Filled(NamedTuple):
    """A clip's numbers for a format that needs all of them."""

    values: Values
    """[T, 61]; only frames without a face are still NaN, and wholly so."""
    tracked: NDArray[np.bool_]
    """[T]: frames with a face."""
    report: tuple[str, ...]
    """What was filled in; empty if nothing."""


def complete(clip: FaceClip, fill: float | None, *, what: str) -> Filled:
    """All 61 numbers of every tracked frame of `clip`.

    A missing channel or a single missing value is an error that names the
    channels, unless `fill` says what to put there. Frames in which nothing at
    all was measured stay NaN: how to tell of them is the format's business.
    """
    tracked = clip.tracked
    gaps = np.isnan(clip.values) & tracked[:, None]
    if not gaps.any():
        return Filled(clip.values, tracked, ())
    if fill is None:
        raise BadInput(
            f"a clip without {_missing(clip, gaps)}",
            f"all {COUNT} channels, because {what} cannot leave any out",
            hint="Fill them with a value of your choice: fill=0, or --fill 0.",
        )
    if not np.isfinite(np.float32(fill)):
        raise BadInput(f"fill={fill}", "a finite number")
    values = np.where(gaps, np.float32(fill), clip.values)
    return Filled(values, tracked, (f"filled with {fill:g}: {_missing(clip, gaps)}",))


def _missing(clip: FaceClip, gaps: NDArray[np.bool_]) -> str:
    parts = []
    if clip.absent:
        parts.append(f"the channels {listed(clip.absent)}")
    holes = gaps & clip.present
    if holes.any():
        names = tuple(NAMES[i] for i in np.flatnonzero(holes.any(axis=0)))
        first = int(np.flatnonzero(holes.any(axis=1))[0])
        parts.append(f"{int(holes.sum())} single values of {listed(names)} (first: frame {first})")
    return " and ".join(parts)


def listed(names: tuple[str, ...]) -> str:
    """`a, b, c and 9 more`."""
    shown = ", ".join(names[:_LISTED])
    rest = len(names) - _LISTED
    return f"{shown} and {rest} more" if rest > 0 else shown
