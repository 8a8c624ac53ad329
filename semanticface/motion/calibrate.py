"""Range-of-motion calibration: what a face can do, mapped onto what it is expected to do.

After REFA, which post-processes labels so; its formula and its expected ranges (an
artist's) are not published, so those here are this project's. In a take in which
somebody goes through every movement, each channel's low and high percentile are
its observed range. It is mapped onto the expected one:

    y = start + (x - low) * gain,   gain = (end - start) / (high - low)

* The gain is kept within bounds, so that noise is not blown up to an expression.
* Left and right share one gain: a face that smiles more on one side keeps doing so.
* mouthClose takes the gain of jawOpen. It closes the lips of an open jaw at nearly
  one to one, and closed lips must stay closed.
* eyeLook channels and rotations are angles and go together: left alone, unless
  an expected range names them.
* A channel that hardly moved in the take is left alone and listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.motion.regions import by_channel
from semanticface.rig import CHANNELS, COUNT, INDEX, NAMES, FaceClip, into_range

Array = NDArray[np.float64]
Range = tuple[float, float]

EXPECTED: Mapping[str, Range | None] = {
    "all": (0.0, 1.0),
    **{each.name: None for each in CHANNELS if each.name.startswith("eyeLook") or each.signed},
}
"""Expected (start, end) by region or channel; None leaves a channel alone."""
LOW, HIGH = 5.0, 99.5
"""Percentiles: each movement takes only a second or two of such a take."""
GAINS: Range = (0.5, 2.0)
STILL = 0.1
"""A channel whose observed range is narrower never moved."""
_APPLIED = "range of motion calibrated"
_MIRROR = np.array([INDEX[each.mirror] for each in CHANNELS])


@dataclass(frozen=True, eq=False)
class RangeProfile:
    """What was learned of a face: arrays [61]. Where `gain` is 1 and `low` is `start`, nothing."""

    low: Array
    gain: Array
    start: Array
    still: tuple[str, ...]
    """Channels left alone because they hardly moved, or were absent."""
    bounded: tuple[str, ...]
    """Channels whose gain would have gone beyond the bounds."""
    source: str

    def __post_init__(self) -> None:
        for name in ("low", "gain", "start"):
            array = np.array(getattr(self, name), dtype=np.float64)
            if array.shape != (COUNT,) or not np.isfinite(array).all():
                raise BadInput(f"{name} of shape {array.shape}", f"{COUNT} finite numbers")
            array.flags.writeable = False
            object.__setattr__(self, name, array)


def learn_range(
    clip: FaceClip, expected: Mapping[str, Range | None] | None = None, *,
    low: float = LOW, high: float = HIGH, gains: Range = GAINS, share_sides: bool = True,
) -> RangeProfile:  # fmt: skip
    """Learn a face's range from a range-of-motion take.

    `expected` by region or channel goes over `EXPECTED`. `low` and `high` are
    percentiles, `gains` the least and the greatest gain.
    """
    _check(low, high, gains)
    wanted = by_channel({**EXPECTED, **(expected or {})})
    bottom, top = _observed(clip, low, high)
    moved = (top - bottom >= STILL) & np.array([each is not None for each in wanted])
    start = np.array([0.0 if each is None else each[0] for each in wanted])
    end = np.array([1.0 if each is None else each[1] for each in wanted])
    asked = _gains(end - start, top - bottom, moved, share_sides)
    gain = np.clip(asked, *gains)
    still = tuple(NAMES[i] for i in range(COUNT) if wanted[i] is not None and not moved[i])
    return RangeProfile(
        np.where(moved, bottom, 0.0), np.where(moved, gain, 1.0), np.where(moved, start, 0.0),
        still, tuple(NAMES[i] for i in np.flatnonzero(moved & (gain != asked))),
        f"{clip.meta.source or 'a clip'}, {low:g} to {high:g} %",
    )  # fmt: skip


def apply_range(clip: FaceClip, profile: RangeProfile) -> FaceClip:
    """The clip with every channel mapped as `profile` says; what leaves its range is held there.

    Learn and apply on clips of the same kind: both raw, or both with their rest
    subtracted.
    """
    if any(text.startswith(_APPLIED) for text in clip.meta.conventions):
        raise BadInput("a clip calibrated to its range already", "one that is not")
    touched = ~((profile.gain == 1) & (profile.low == profile.start))
    mapped = profile.start + (clip.values - profile.low) * profile.gain
    kept = into_range(np.where(touched, mapped, 0.0))
    values = np.where(touched, kept.values, clip.values)
    told = f"{_APPLIED} ({profile.source}); {int(touched.sum())} channels"
    told += f"; {kept.moved} values held within their range" if kept.moved else ""
    told += f"; not moved and left alone: {', '.join(profile.still)}" if profile.still else ""
    return clip.with_values(values, told)


def _check(low: float, high: float, gains: Range) -> None:
    if not 0 <= low < high <= 100:
        raise BadInput(f"percentiles {low:g} and {high:g}", "two rising ones from 0 to 100")
    if not 0 < gains[0] <= gains[1]:
        raise BadInput(f"gains from {gains[0]:g} to {gains[1]:g}", "two rising ones above 0")


def _observed(clip: FaceClip, low: float, high: float) -> tuple[Array, Array]:
    """Each channel's percentiles over its measured frames; zeros where it has none."""
    known = np.isfinite(clip.values).any(axis=0)
    if not known.any():
        raise BadInput("a clip without a tracked frame", "a range-of-motion take")
    bottom, top = np.zeros(COUNT), np.zeros(COUNT)
    bottom[known], top[known] = np.nanpercentile(clip.values[:, known], [low, high], axis=0)
    return bottom, top


def _gains(wanted: Array, seen: Array, moved: NDArray[np.bool_], share_sides: bool) -> Array:
    """wanted / seen, with what belongs together sharing one gain."""
    if share_sides:
        both = moved & moved[_MIRROR]
        seen = np.where(both, (seen + seen[_MIRROR]) / 2, seen)
    gain = np.where(moved, wanted / np.where(moved, seen, 1.0), 1.0)
    jaw, lips = INDEX["jawOpen"], INDEX["mouthClose"]
    if moved[lips]:
        gain[lips] = gain[jaw]
    return np.asarray(gain, np.float64)
