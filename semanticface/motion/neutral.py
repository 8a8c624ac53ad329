"""Subtracting a face's rest, as Live Link Face does when it is calibrated.

The phone's calibrated take looks like max(0, raw - neutral) in its 52 shapes
(measured on real takes; its formula is not published). The nine rotations are
left as they are unless asked for: no calibrated take at hand shows what the phone
does with them, and a head's rest depends on where the phone stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.rig import BLENDSHAPES, COUNT, NAMES, FaceClip
from semanticface.rig.clip import Values

Rotations = Literal["keep", "subtract"]
_SHAPES = len(BLENDSHAPES)
_FEWEST = 5  # frames; a median of fewer is noise
_SLOW = 0.3  # share of frames that count as slow
_RELAXED = 0.3  # share of the slow ones that count as rest


@dataclass(frozen=True, eq=False)
class Neutral:
    """A face at rest: values [61], NaN where unknown, and where they come from."""

    values: Values
    source: str

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float32)
        if values.shape != (COUNT,):
            raise BadInput(f"a neutral of shape {values.shape}", f"({COUNT},), one a channel")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)


def neutral_of(clip: FaceClip) -> Neutral:
    """The median of all frames, for a clip that shows nothing but the rest."""
    return _median(clip, np.ones(len(clip), np.bool_), "all frames")


def neutral_at(clip: FaceClip, seconds: float, width: float = 0.2) -> Neutral:
    """The median of the `width` seconds around a moment, counted from the first frame."""
    if not len(clip) or not 0 <= seconds <= clip.duration:
        raise BadInput(f"a rest at {seconds:g} s", f"seconds from 0 to {clip.duration:.3f}")
    near = np.abs(clip.times - clip.times[0] - seconds) <= width / 2
    if not near.any():  # between two frames of a slow clip
        near[np.abs(clip.times - clip.times[0] - seconds).argmin()] = True
    return _median(clip, near, f"{seconds:g} s")


def neutral_quiet(clip: FaceClip) -> Neutral:
    """The median of the frames in which the face rests: slow, and little shown.

    Of the slowest 30 % of the frames, the 30 % with the smallest sum of weights. A
    held smile, or a look aside, is slow as well, so speed alone would not do. This
    project's own choice; look at the result.
    """
    speed, shown = _speed(clip), _shown(clip)
    known = np.isfinite(speed) & np.isfinite(shown)
    if known.sum() < _FEWEST:
        raise BadInput(f"{int(known.sum())} tracked frames", f"at least {_FEWEST} to find the rest")
    slow = known & (speed <= np.quantile(speed[known], _SLOW))
    quiet = slow & (shown <= np.quantile(shown[slow], _RELAXED))
    return _median(clip, quiet, f"{int(quiet.sum())} quiet frames")


def subtract_neutral(clip: FaceClip, neutral: Neutral, rotations: Rotations = "keep") -> FaceClip:
    """max(0, raw - neutral) in the 52 shapes; `calibrated` becomes True.

    `rotations="subtract"` takes the rest off the rotations too, without a floor.
    """
    if clip.meta.calibrated:
        raise BadInput(
            "a clip that is calibrated already", "a raw one",
            hint="Its rest was subtracted before; of a take folder read --which raw.",
        )  # fmt: skip
    concerned = slice(0, COUNT if rotations == "subtract" else _SHAPES)
    _must_cover(clip, neutral, concerned)
    values = clip.values.copy()
    values[:, concerned] -= neutral.values[concerned]
    below = int(np.count_nonzero(values[:, :_SHAPES] < 0))
    values[:, :_SHAPES] = np.maximum(values[:, :_SHAPES], 0)  # maximum keeps NaN
    turned = "subtracted too" if rotations == "subtract" else "kept"
    told = f"neutral subtracted ({neutral.source}); {below} values below rest set to 0"
    return clip.with_values(values, f"{told}; rotations {turned}").with_meta(calibrated=True)


def _must_cover(clip: FaceClip, neutral: Neutral, concerned: slice) -> None:
    lacking = clip.present & np.isnan(neutral.values)
    names = [NAMES[i] for i in np.flatnonzero(lacking[concerned])]
    if names:
        raise BadInput(
            f"a neutral without {', '.join(names)}", "every channel that the clip has",
            hint="Take the neutral from the same source as the clip.",
        )  # fmt: skip


def _median(clip: FaceClip, frames: NDArray[np.bool_], what: str) -> Neutral:
    """The median of some frames; a channel without a value in them is NaN."""
    if clip.meta.calibrated:
        raise BadInput(
            "a neutral from a calibrated clip", "one from a raw clip",
            hint="Its rest is zero by construction; of a take folder read --which raw.",
        )  # fmt: skip
    chosen = clip.values[frames & clip.tracked]
    if not len(chosen):
        raise BadInput(f"no tracked frame in {what}", "a moment in which the face is seen")
    values = np.full(COUNT, np.nan)
    known = np.isfinite(chosen).any(axis=0)
    values[known] = np.nanmedian(chosen[:, known], axis=0)
    source = f"{clip.meta.source or 'a clip'}, {what}"
    return Neutral(np.asarray(values, np.float32), source)


def _speed(clip: FaceClip) -> NDArray[np.float64]:
    """Mean |change| per second of the shapes around each frame, [T]; NaN where unknown."""
    if len(clip) < 3:
        return np.full(len(clip), np.nan)
    face = _face(clip)
    span = (clip.times[2:] - clip.times[:-2])[:, None]
    change = np.abs(face[2:] - face[:-2]) / np.where(span > 0, span, np.nan)
    speed = np.full(len(clip), np.nan)
    speed[1:-1] = change.mean(axis=1)
    return speed


def _shown(clip: FaceClip) -> NDArray[np.float64]:
    return np.asarray(_face(clip).sum(axis=1), np.float64)


def _face(clip: FaceClip) -> NDArray[np.float64]:
    """The present shapes, [T, n]."""
    used = clip.present & (np.arange(COUNT) < _SHAPES)
    return clip.values[:, used].astype(np.float64)
