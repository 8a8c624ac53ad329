"""Bring a source's clip and the reference to the same frames, or say why not.

In order: same subject, same calibration, units, one clock, a lag search, one grid,
sides. What cannot be put right is refused with the switch that overrides it. Faults
that remain in the numbers (dead channels, muted movement, tremor) are named, not mended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from semanticface.errors import BadInput
from semanticface.evaluation import conventions
from semanticface.evaluation.result import Finding
from semanticface.metrics.coefficients import active_channels, scores, sums
from semanticface.metrics.temporal import frozen, jitter_ratio
from semanticface.metrics.validity import validity, validity_sums
from semanticface.motion.align import Lag, best_lag
from semanticface.motion.resample import common_grid
from semanticface.rig import BLENDSHAPES, NAMES, FaceClip

_SPARSE = 0.1
"""Seconds between frames from which a blink falls between two of them."""
_LATE = 0.02
"""Seconds of lag worth a word."""
_MUTED, _LOUD = 0.75, 1.33
_SHAKY, _SMOOTH = 2.0, 0.5
_STILL = 1e-6
_STUCK = 0.2
_INVALID = 0.02
_SHAPES = np.array([each.index for each in BLENDSHAPES])


@dataclass(frozen=True)
class Switches:
    """What may be compared although it looks wrong, and how far a lag is searched."""

    mix_calibration: bool = False
    """Compare a calibrated clip with a raw one."""
    any_subject: bool = False
    """Compare clips of different people."""
    same_start: bool = False
    """Take it that both clips begin at the same moment, whatever their clocks say."""
    keep_mouth: bool = False
    keep_mirrored: bool = False
    keep_units: bool = False
    within: float = 0.5
    """Seconds of the lag search to either side."""


class Paired(NamedTuple):
    """Two clips at the same times, as they stand and with the source's lag taken out."""

    pred: FaceClip
    truth: FaceClip
    pred_at_best: FaceClip
    truth_at_best: FaceClip
    lag: Lag
    findings: tuple[Finding, ...]
    sparse: bool = False
    """Frames so far apart that they are single pictures, not motion."""


class Refused(NamedTuple):
    """Why a source is not scored on a take."""

    findings: tuple[Finding, ...]


def pair(pred: FaceClip, truth: FaceClip, switches: Switches = Switches()) -> Paired | Refused:
    """Both clips on one grid with conventions put right, or the reasons against it."""
    found = [*_subjects(pred, truth, switches), *_calibration(pred, truth, switches)]
    if any(each.action == "refused" for each in found):
        return Refused(tuple(found))
    pred, told = conventions.in_own_units(pred, keep=switches.keep_units)
    pred, truth, silent = conventions.without_silent_heads(pred, truth)
    found += [*told, *silent]
    if switches.same_start:
        pred, truth = pred.from_zero(), truth.from_zero()
        found.append(_noted("clock", "both clips are taken to begin at the same moment",
                            action="overridden", flag="--same-start"))  # fmt: skip
    try:
        lag = (
            _unknown_lag()
            if _sparse(pred, truth)
            else best_lag(pred, truth, within=switches.within)
        )
        grid = common_grid(pred, truth)
    except BadInput as error:
        return Refused((*found, Finding(kind="clock", action="refused", flag="--same-start",
                                        text=f"no common time: {error}")))  # fmt: skip
    if len(grid.first) < 2:
        text = f"the clips share {len(grid.first)} frame"
        return Refused((*found, Finding(kind="clock", action="refused", text=text)))
    return _finished(pred, truth, grid, lag, switches, found)


def _finished(pred: FaceClip, truth: FaceClip, grid: tuple[FaceClip, FaceClip], lag: Lag,
              switches: Switches, found: list[Finding]) -> Paired:  # fmt: skip
    moved = _moved(pred, lag)
    best = common_grid(moved, truth)
    sides = {"keep_mirrored": switches.keep_mirrored, "keep_mouth": switches.keep_mouth}
    at_best, turned = conventions.on_own_side(best.first, best.second, **sides)
    found += turned
    if turned:  # the same turns at lag 0
        mirrored = {each.kind for each in turned if each.action == "converted"}
        first = grid[0].mirrored() if "mirrored" in mirrored else grid[0]
        first = first.exchanged("mouthLeft", "mouthRight") if "mouth pair" in mirrored else first
        grid = (first, grid[1])
    sparse = _sparse(pred, truth)
    found += _far_apart(pred) if sparse else _lateness(lag, grid[1])
    found += diagnose(at_best, best.second, moving=not sparse)
    return Paired(*grid, at_best, best.second, lag, tuple(found), sparse)


def _sparse(pred: FaceClip, truth: FaceClip) -> bool:
    return max(pred.step, truth.step) > _SPARSE  # NaN compares as false


def _unknown_lag() -> Lag:
    nothing = np.empty(0)
    return Lag(np.nan, np.nan, np.nan, nothing, nothing, {})


def _far_apart(pred: FaceClip) -> list[Finding]:
    text = f"frames {pred.step:.2g} s apart are single pictures: lag, events and motion not judged"
    return [_noted("sparse", text)]


def _moved(pred: FaceClip, lag: Lag) -> FaceClip:
    return pred if np.isnan(lag.seconds) else pred.shifted(-lag.seconds)


def _noted(kind: str, text: str, **more: object) -> Finding:
    return Finding(**{"kind": kind, "action": "noted", "text": text, **more})  # type: ignore[arg-type]


def _subjects(pred: FaceClip, truth: FaceClip, switches: Switches) -> list[Finding]:
    one, other = pred.meta.subject, truth.meta.subject
    if one is None or other is None or one == other:
        return []
    action = "overridden" if switches.any_subject else "refused"
    text = f"the source is of {one}, the reference of {other}"
    return [_noted("subject", text, action=action, flag="--any-subject")]


def _calibration(pred: FaceClip, truth: FaceClip, switches: Switches) -> list[Finding]:
    """Calibrated numbers have the neutral face taken off; raw ones do not."""
    one, other = pred.meta.calibrated, truth.meta.calibrated
    if one is None or other is None or one == other:
        return []
    action = "overridden" if switches.mix_calibration else "refused"
    words = {True: "calibrated", False: "raw"}
    text = f"the source is {words[one]}, the reference is {words[other]}"
    return [_noted("calibration", text, action=action, flag="--mix-calibration")]


def _lateness(lag: Lag, truth: FaceClip) -> list[Finding]:
    if np.isnan(lag.seconds):
        return [_noted("lag", str(lag))]
    least = _LATE if np.isnan(truth.step) else max(_LATE, 0.75 * truth.step)
    if abs(lag.seconds) < least and not lag.at_edge:
        return []
    return [_noted("lag", f"the source is {lag}", flag="--within" if lag.at_edge else "")]


def diagnose(pred: FaceClip, truth: FaceClip, *, moving: bool = True) -> list[Finding]:
    """Faults of a source that stay in its numbers, by comparison with the reference."""
    active = active_channels(truth.values)
    found = [*_lacking(pred, active), *_dead(pred, active), *_amplitude(pred, truth, active)]
    return [*found, *(_motion(pred, truth) if moving else []), *_validity(pred, truth)]


def _lacking(pred: FaceClip, active: np.ndarray) -> list[Finding]:
    missing = [name for name, here, moves in zip(NAMES, pred.present, active, strict=True)
               if moves and not here]  # fmt: skip
    if not missing:
        return []
    text = f"the source does not give {_listed(missing)}, which the reference moves"
    return [_noted("lacking channels", text, channels=tuple(missing))]


def _dead(pred: FaceClip, active: np.ndarray) -> list[Finding]:
    still = []
    for i in np.flatnonzero(active & pred.present):
        known = pred.values[:, i][~np.isnan(pred.values[:, i])]
        if len(known) > 1 and known.astype(np.float64).std() < _STILL:
            still.append(NAMES[i])
    if not still:
        return []
    text = f"{_listed(still)} never moves in the source, but does in the reference"
    return [_noted("dead channel", text, channels=tuple(still))]


def _amplitude(pred: FaceClip, truth: FaceClip, active: np.ndarray) -> list[Finding]:
    ratios = scores(sums(pred.values, truth.values)).amplitude_ratio[_SHAPES]
    ratios = ratios[active[_SHAPES] & np.isfinite(ratios)]
    if len(ratios) < 3:
        return []
    middle = float(np.median(ratios))
    if _MUTED <= middle <= _LOUD:
        return []
    word = "muted" if middle < 1 else "exaggerated"
    text = (
        f"movements are {word}: where the reference is active the source shows {middle:.0%} of it"
    )
    return [_noted("muted" if middle < 1 else "exaggerated", text)]


def _motion(pred: FaceClip, truth: FaceClip) -> list[Finding]:
    found = []
    ratios = jitter_ratio(pred, truth)[_SHAPES]
    known = ratios[np.isfinite(ratios)]
    if len(known):
        middle = float(np.median(known))
        if middle > _SHAKY:
            text = f"the source trembles: its jitter is {middle:.1f} times the reference's"
            found.append(_noted("jitter", text))
        elif middle < _SMOOTH:
            text = f"the source is too smooth: its jitter is {middle:.2f} of the reference's"
            found.append(_noted("too smooth", text))
    stuck, usual = frozen(pred), frozen(truth)
    if stuck.share > usual.share + _STUCK:
        text = f"{stuck.share:.0%} of the source's frames repeat the one before"
        found.append(_noted("frozen", text))
    return found


def _validity(pred: FaceClip, truth: FaceClip) -> list[Finding]:
    own, usual = (validity(validity_sums(clip.values, clip.present)) for clip in (pred, truth))
    found = []
    for share, known, what in (
        (own.out_of_range_all, usual.out_of_range_all, "of the source's values leave their range"),
        (own.contradictory, usual.contradictory,
         "of the source's frames show movements that exclude each other"),
    ):  # fmt: skip
        if share > known + _INVALID:
            text = f"{float(share):.0%} {what} (reference {float(known):.1%})"
            found.append(_noted("validity", text))
    return found


def _listed(names: list[str], most: int = 6) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
