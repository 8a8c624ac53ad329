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
from semanticface.motion.resample import on_measured_frames
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
_COVERED, _ANSWERED = 0.9, 0.8
"""Shares of the reference's frames, and of its values in them, below which it is said."""
_NOTHING = 0.01
_UNLIKE = 0.1
_DAY = 86400.0
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
    coverage: float = float("nan")
    """Share of the reference's values for which the source has one: of its time, and in it."""


class Refused(NamedTuple):
    """Why a source is not scored on a take."""

    findings: tuple[Finding, ...]


def pair(
    pred: FaceClip, truth: FaceClip, switches: Switches = Switches(),
    elsewhere: frozenset[str] = frozenset(),
) -> Paired | Refused:  # fmt: skip
    """Both clips at the same frames with conventions put right, or the reasons against it.

    `elsewhere`: kinds of conversion that the source's other takes needed.
    """
    found = [*_subjects(pred, truth, switches), *_calibration(pred, truth, switches)]
    if any(each.action == "refused" for each in found):
        return Refused(tuple(found))
    pred, told = conventions.in_own_units(pred, keep=switches.keep_units)
    pred, truth, added = conventions.without_additions(pred, truth)
    pred, truth, silent = conventions.without_silent_heads(pred, truth)
    found += [*told, *added, *silent]
    if switches.same_start:
        pred, truth = pred.from_zero(), truth.from_zero()
        found.append(_noted("clock", "both clips are taken to begin at the same moment",
                            action="overridden", flag="--same-start"))  # fmt: skip
    else:
        pred, same_day = _same_day(pred, truth)
        found += same_day
    try:
        lag = (
            _unknown_lag() if sparse(pred, truth) else best_lag(pred, truth, within=switches.within)
        )
        grid = on_measured_frames(pred, truth)
    except BadInput as error:
        return Refused((*found, Finding(kind="clock", action="refused", flag="--same-start",
                                        text=f"no common time: {error}")))  # fmt: skip
    if len(grid.first) < 2:
        text = f"the clips share {len(grid.first)} frame"
        return Refused((*found, Finding(kind="clock", action="refused", text=text)))
    share = coverage(grid.first, grid.second, truth)
    if share.values < _NOTHING:
        text = f"of the reference's values the source has {share.values:.1%}"
        return Refused((*found, Finding(kind="coverage", action="refused", text=text)))
    done = _finished(pred, truth, grid, lag, switches, found, elsewhere)
    return done._replace(findings=(*done.findings, *_uncovered(share)),
                         coverage=share.time * share.values)  # fmt: skip


def _finished(pred: FaceClip, truth: FaceClip, grid: tuple[FaceClip, FaceClip], lag: Lag,
              switches: Switches, found: list[Finding],
              elsewhere: frozenset[str]) -> Paired:  # fmt: skip
    best = on_measured_frames(pred.shifted(-lag.seconds), truth) if _late(lag, truth) else grid
    at_best, turned = conventions.on_own_side(
        *best, keep_mirrored=switches.keep_mirrored, keep_mouth=switches.keep_mouth,
        elsewhere=elsewhere,
    )  # fmt: skip
    found += turned
    own = grid[0]
    for each in turned:  # the same turns at lag 0
        own = conventions.turned(own, each.kind) if each.action == "converted" else own
    single = sparse(pred, truth)
    found += _far_apart(pred) if single else _lateness(lag, truth)
    found += diagnose(at_best, best[1], moving=not single)
    return Paired(own, grid[1], at_best, best[1], lag, tuple(found), single)


class Coverage(NamedTuple):
    """How much of a reference a source answers."""

    time: float
    """Share of the reference's frames between the source's first and last."""
    values: float
    """Share of the reference's values in the frames that are scored."""


def coverage(pred: FaceClip, truth: FaceClip, whole: FaceClip) -> Coverage:
    """Of two clips at the same frames, and the whole reference."""
    inside = whole.between(truth.times[0], truth.times[-1] + 1e-9) if len(truth) else whole[:0]
    known = ~np.isnan(truth.values)
    answered = known & ~np.isnan(pred.values)
    return Coverage(len(inside) / max(len(whole), 1), answered.sum() / max(known.sum(), 1))


def _uncovered(share: Coverage) -> list[Finding]:
    said = []
    if share.time < _COVERED:
        said.append(f"the source covers {share.time:.0%} of the reference's frames")
    if share.values < _ANSWERED:
        said.append(f"it has {share.values:.0%} of the reference's values in the frames scored")
    if not said:
        return []
    text = " and ".join(said) + ": figures are of that part, which may be the easy one"
    return [_noted("coverage", text)]


def _same_day(pred: FaceClip, truth: FaceClip) -> tuple[FaceClip, list[Finding]]:
    """A clock of the time of day starts again at midnight: the source is put on the same day."""
    if pred.meta.clock != "timecode" or truth.meta.clock != "timecode":
        return pred, []
    if not len(pred) or not len(truth) or _overlap(pred, truth) > 0:
        return pred, []
    for days in (-1, 1):
        other = pred.shifted(days * _DAY)
        if _overlap(other, truth) > 0:
            away = "ahead" if days < 0 else "behind"
            text = f"the source's clock is a day {away}: midnight lies between the clips"
            return other, [_noted("clock", text, action="converted")]
    return pred, []


def _overlap(a: FaceClip, b: FaceClip) -> float:
    return float(min(a.times[-1], b.times[-1]) - max(a.times[0], b.times[0]))


def sparse(*clips: FaceClip) -> bool:
    """Whether any clip's frames are so far apart that they are single pictures."""
    return any(clip.step > _SPARSE for clip in clips)  # NaN compares as false


def _unknown_lag() -> Lag:
    nothing = np.empty(0)
    return Lag(np.nan, np.nan, np.nan, nothing, nothing, {})


def _far_apart(pred: FaceClip) -> list[Finding]:
    text = f"frames {pred.step:.2g} s apart are single pictures: lag, events and motion not judged"
    return [_noted("sparse", text)]


def _late(lag: Lag, truth: FaceClip) -> bool:
    """Whether the lag is clear, and large enough to be worth a word."""
    least = _LATE if np.isnan(truth.step) else max(_LATE, 0.75 * truth.step)
    return lag.clear and abs(lag.seconds) >= least


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
    if one == other:
        return []
    if one is None or other is None:
        return _half_known(pred, truth)
    action = "overridden" if switches.mix_calibration else "refused"
    text = f"the source is {_CALIBRATED[one]}, the reference is {_CALIBRATED[other]}"
    return [_noted("calibration", text, action=action, flag="--mix-calibration")]


_CALIBRATED = {True: "calibrated", False: "raw"}


def _half_known(pred: FaceClip, truth: FaceClip) -> list[Finding]:
    """One clip says whether it is calibrated, the other does not."""
    named = {"source": pred, "reference": truth}
    text = ", ".join(
        f"the {who} is {_CALIBRATED[clip.meta.calibrated]}"
        if clip.meta.calibrated is not None
        else f"of the {who} nobody says"
        + "".join(
            f" (it {clip.meta.notes['calibration']})"
            for _ in "x"
            if "calibration" in clip.meta.notes
        )
        for who, clip in named.items()
    )
    return [_noted("calibration", text)]


def _lateness(lag: Lag, truth: FaceClip) -> list[Finding]:
    if not lag.clear:
        far = not np.isnan(lag.elsewhere) and lag.elsewhere > lag.at_best
        return [_noted("lag", str(lag), flag="--within" if far else "")]
    if not _late(lag, truth) and not lag.at_edge:
        return []
    return [_noted("lag", f"the source is {lag}", flag="--within" if lag.at_edge else "")]


def diagnose(pred: FaceClip, truth: FaceClip, *, moving: bool = True) -> list[Finding]:
    """Faults of a source that stay in its numbers, by comparison with the reference."""
    active = active_channels(truth.values)
    alike, unlike = conventions.resemblance(pred, truth), list[Finding]()
    if alike < _UNLIKE:  # NaN compares as false
        text = f"the source hardly moves as the reference does (correlation {alike:.2f}): "
        unlike = [_noted("unlike", text + "do both show the same performance?")]
    found = [
        *unlike,
        *_lacking(pred, active),
        *_dead(pred, active),
        *_amplitude(pred, truth, active),
    ]
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
