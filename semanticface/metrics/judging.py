"""One segment held against the expectations of its peak expression.

A segment is judged on the straight lines through the frames at fixed steps of time, so
the frame rate does not matter. Of the time in which all needed channels were measured,
all expectations must hold together during at least `hold`. A segment of which less than
`measured` was measured, or that needs an absent channel, is not judged. The rules are
this project's own; REFA publishes none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.peaks import Closing, Level, Peak, PeakTable, Settings
from semanticface.metrics.segments import Segment
from semanticface.rig import BLENDSHAPES, INDEX, FaceClip

Flags = NDArray[np.bool_]
Sampled = NDArray[np.float32]

_SHAPES = len(BLENDSHAPES)
_STEP = 1 / 60
_FEWEST, _MOST = 9, 3600
"""Samples of a segment: one a sixtieth of a second, within these bounds."""
_PAUSE = 0.25
"""Seconds between two frames beyond which nothing is known of the time between."""
_SPARE = 1e-6  # 0.7 is 0.69999999 in float32
_LIPS = 1.01
"""Jaw opening that a mouthClose of 1 closes, measured on the ARKit-topology mesh."""
_APART = "not all at the same time"


@dataclass(frozen=True)
class SegmentScore:
    """One segment, what held in it and what did not. None: could not be judged."""

    segment: Segment
    peak: Peak
    passed: bool | None = None
    share: float = math.nan
    """Of the measured time, during which all expectations held together."""
    failed: tuple[str, ...] = ()
    """Expectations that alone did not hold for long enough."""
    unmeasured: tuple[str, ...] = ()
    """Channels that were needed and not measured for long enough."""
    shut: Mapping[Closing, bool | None] = field(default_factory=dict)
    rest: float = math.nan
    """Share of blendshapes at rest, of a neutral segment."""


class _Check(NamedTuple):
    """An expectation at every sample of a segment."""

    text: str
    holds: Flags
    known: Flags
    channels: tuple[str, ...]


def judge(clip: FaceClip, segment: Segment, table: PeakTable) -> SegmentScore:
    """Hold one segment against the expectations of its peak; the rules stand above."""
    peak = table.peak(segment.name)
    sampled = _sampled(clip, segment)
    shut, settings = {}, table.settings
    gone: list[str] = []
    for part in peak.shuts:
        check = _closure(part, sampled, settings)
        shut[part] = _passed([check], settings)
        gone += check.channels if shut[part] is None else ()
    if peak.neutral:
        rest, unknown = _rest(sampled, table)
        return SegmentScore(segment, peak, unmeasured=(*unknown, *gone), shut=shut, rest=rest)
    checks = _checks(peak, sampled)
    passed = _passed(checks, settings)
    failed = tuple(each.text for each in checks if _passed([each], settings) is False)
    if passed is False and not failed:
        failed = (_APART,)
    if passed is None:
        gone += _unknown(checks, settings)
    return SegmentScore(segment, peak, passed, _share(checks), failed,
                        tuple(dict.fromkeys(gone)), shut)  # fmt: skip


def _checks(peak: Peak, sampled: Sampled) -> list[_Check]:
    checks = [_reaches(each, sampled) for each in peak.every]
    if peak.some:
        checks.append(_any_of([_reaches(each, sampled) for each in peak.some]))
    return checks + [_stays_below(each, sampled) for each in peak.below]


def _reaches(level: Level, sampled: Sampled) -> _Check:
    column = sampled[:, level.column]
    text = f"{level.channel} >= {level.level:g}"
    return _Check(text, column >= level.level - _SPARE, ~np.isnan(column), (level.channel,))


def _stays_below(level: Level, sampled: Sampled) -> _Check:
    column = sampled[:, level.column]
    text = f"{level.channel} <= {level.level:g}"
    return _Check(text, column <= level.level + _SPARE, ~np.isnan(column), (level.channel,))


def _any_of(checks: Sequence[_Check]) -> _Check:
    """One that holds is enough; without one, all must be known."""
    holds = np.any([each.holds for each in checks], axis=0)
    known = holds | np.all([each.known for each in checks], axis=0)
    names = tuple(name for each in checks for name in each.channels)
    return _Check(" or ".join(each.text for each in checks), holds, known, names)


def _closure(part: Closing, sampled: Sampled, settings: Settings) -> _Check:
    if part == "mouth":
        gap = sampled[:, INDEX["jawOpen"]] - _LIPS * sampled[:, INDEX["mouthClose"]]
        holds = gap <= settings.lip_gap + _SPARE
        return _Check("lips closed", holds, ~np.isnan(gap), ("jawOpen", "mouthClose"))
    side = part.removesuffix("Eye").capitalize()
    return _reaches(Level(f"eyeBlink{side}", settings.eye_shut), sampled)


def _share(checks: Sequence[_Check]) -> float:
    """Of the time in which all is known, that in which all holds; NaN where none is known."""
    known = np.all([each.known for each in checks], axis=0)
    holds = np.all([each.holds for each in checks], axis=0) & known
    return float(holds.sum() / known.sum()) if known.any() else math.nan


def _passed(checks: Sequence[_Check], settings: Settings) -> bool | None:
    known = np.all([each.known for each in checks], axis=0)
    if known.mean() < settings.measured:
        return None
    return _share(checks) >= settings.hold - _SPARE


def _unknown(checks: Sequence[_Check], settings: Settings) -> list[str]:
    """Channels not measured for long enough; all that are needed if it takes them together."""
    short = [each for each in checks if each.known.mean() < settings.measured]
    return [name for each in short or checks for name in each.channels]


def _rest(sampled: Sampled, table: PeakTable) -> tuple[float, tuple[str, ...]]:
    """Share of blendshapes at rest, and the names of those not measured for long enough."""
    known = ~np.isnan(sampled[:, :_SHAPES])
    enough = known.mean(axis=0) >= table.settings.measured
    names = [each.name for each in BLENDSHAPES]
    unknown = tuple(name for name, here in zip(names, enough, strict=True) if not here)
    if not enough.any():
        return math.nan, unknown
    ceilings = np.array([table.ceilings[name] for name in names])
    medians = np.nanmedian(sampled[:, :_SHAPES][:, enough], axis=0)
    return float((medians <= ceilings[enough] + _SPARE).mean()), unknown


def _sampled(clip: FaceClip, segment: Segment) -> Sampled:
    """The clip [N, 61] at fixed steps of time, NaN where it says nothing."""
    length = segment.end - segment.start
    inside = len(clip) and segment.end >= clip.times[0] and segment.start <= clip.times[-1]
    if not inside:
        span = f"{clip.times[0]:.3f} to {clip.times[-1]:.3f} s" if len(clip) else "an empty clip"
        raise BadInput(f"'{segment.name}' at {segment.start:.3f} to {segment.end:.3f} s",
                       f"a time within {span}",
                       hint="Labels that count from the start need clip.from_zero().")  # fmt: skip
    count = min(max(round(length / _STEP) + 1, _FEWEST), _MOST) if length else 1
    return _line_through(clip, np.linspace(segment.start, segment.end, count))


def _line_through(clip: FaceClip, at: NDArray[np.float64]) -> Sampled:
    """Values [N, 61] on the straight lines between frames; NaN in pauses and outside."""
    left = np.clip(np.searchsorted(clip.times, at, side="right") - 1, 0, len(clip) - 1)
    right = np.minimum(left + 1, len(clip) - 1)
    step = clip.times[right] - clip.times[left]
    way = np.divide(at - clip.times[left], step, out=np.zeros_like(at), where=step > 0)
    rise = np.where((way == 0)[:, None], 0, clip.values[right] - clip.values[left])
    found = clip.values[left] + way[:, None] * rise
    lost = ((step > _PAUSE) & (way > 0)) | (at < clip.times[0]) | (at > clip.times[-1])
    return np.where(lost[:, None], np.nan, found).astype(np.float32)
