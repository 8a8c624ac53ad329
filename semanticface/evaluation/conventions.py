"""Conventions in which two clips may differ, found by looking at the numbers.

A mouth pair with exchanged labels, a mirrored picture, degrees for radians or
percent for weights make a good source look bad. Each is detected and put right, or
left as it is by a switch; either way the result says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.evaluation.result import Finding
from semanticface.formats.mouth_pair import detect_mouth_pair
from semanticface.rig import BLENDSHAPES, CHANNELS, COUNT, INDEX, NAMES, ROTATIONS, FaceClip
from semanticface.speech.rules import added, spoken_only

_PERCENT = 2.0
"""Weights reach 1.08 in real takes; more than this in one value of a thousand is no weight."""
_TURN = 1.6
"""No eye or head turns by more radians than this in a take."""
_SPREAD = 0.01
"""Standard deviation of left minus right that is needed to tell a side."""
_LEAST_PAIRS, _LEAST_FRAMES = 3, 30
_SURE = 0.3
_ALIKE = 0.3
"""What both sides together must correlate by before anything is said about single sides."""
_SHAPES = [each.index for each in BLENDSHAPES]
_TURNS = [each.index for each in ROTATIONS]
_HEAD = [each.index for each in ROTATIONS if each.name.startswith("head")]
_MOUTH = "mouthLeft"


class Put(NamedTuple):
    """A clip after a convention was looked at, and what was found."""

    clip: FaceClip
    findings: tuple[Finding, ...] = ()


def in_own_units(clip: FaceClip, *, keep: bool = False) -> Put:
    """Percent to weights and degrees to radians, where the numbers can be nothing else."""
    values, findings = clip.values.copy(), []
    for columns, limit, factor, found, wanted in (
        (_SHAPES, _PERCENT, 0.01, "weights in percent", "0 to 1"),
        (_TURNS, _TURN, np.pi / 180, "rotations in degrees", "radians"),
    ):
        high = _high(values[:, columns])
        if high > limit:
            findings.append(_unit_finding(f"{found} (up to {high:.0f}), expected {wanted}", keep))
            if not keep:
                values[:, columns] *= np.float32(factor)
    if keep or not findings:
        return Put(clip, tuple(findings))
    return Put(clip.with_values(values, "units converted for comparison"), tuple(findings))


def _unit_finding(text: str, keep: bool) -> Finding:
    return Finding(
        kind="units", action="overridden" if keep else "converted", text=text, flag="--keep-units"
    )


def _high(columns: NDArray[np.float32]) -> float:
    known = np.abs(columns[~np.isnan(columns)])
    return float(np.percentile(known, 99.9)) if len(known) else 0.0


class Measured(NamedTuple):
    """Two clips without what was not measured."""

    pred: FaceClip
    truth: FaceClip
    findings: tuple[Finding, ...]


def without_additions(pred: FaceClip, truth: FaceClip) -> Measured:
    """Blinks and gestures that were added to speech come from no source: they are not scored."""
    both = {"source": added(pred), "reference": added(truth)}
    names = sorted({name for some in both.values() for name in some}, key=NAMES.index)
    if not names:
        return Measured(pred, truth, ())
    whose = " and the ".join(who for who, some in both.items() if some)
    told = Finding(
        kind="added", action="converted", channels=tuple(names),
        text=f"{len(names)} channels of the {whose} were added to the speech, as the clip's notes "
        "say: they are not scored",
    )  # fmt: skip
    return Measured(spoken_only(pred), spoken_only(truth), (told,))


def without_silent_heads(pred: FaceClip, truth: FaceClip) -> Measured:
    """A head that is exactly zero throughout was not streamed: not measured, not at rest."""
    silent = [who for who, clip in (("source", pred), ("reference", truth)) if head_is_silent(clip)]
    if not silent:
        return Measured(pred, truth, ())
    whose = " and the ".join(silent)
    told = Finding(
        kind="head", action="converted", channels=tuple(CHANNELS[i].name for i in _HEAD),
        text=f"the head of the {whose} is exactly zero in every frame: head rotation was not "
        "streamed, so it is not scored",
    )  # fmt: skip
    return Measured(without_silent_head(pred), without_silent_head(truth), (told,))


def head_is_silent(clip: FaceClip) -> bool:
    """Whether the clip has head channels that are zero in every frame."""
    head = clip.values[:, _HEAD]
    known = head[~np.isnan(head)]
    return bool(len(known) and clip.present[_HEAD].any() and not known.any())


def measured(clip: FaceClip) -> FaceClip:
    """The clip without what was not measured: a silent head, additions to speech."""
    return without_silent_head(spoken_only(clip))


def without_silent_head(clip: FaceClip) -> FaceClip:
    """The clip with a silent head marked as not measured."""
    if not head_is_silent(clip):
        return clip
    values, present = clip.values.copy(), clip.present.copy()
    values[:, _HEAD] = np.nan
    present[_HEAD] = False
    return FaceClip(values, clip.times, present, clip.meta, clip.extra)


def on_own_side(
    pred: FaceClip, truth: FaceClip, *, keep_mirrored: bool = False, keep_mouth: bool = False,
    elsewhere: frozenset[str] = frozenset(),
) -> Put:  # fmt: skip
    """Undo a mirrored face and an exchanged mouth pair; both clips at the same times.

    `elsewhere`: kinds that the same source's other takes show. They are undone here too
    where this take cannot tell; a source has one convention.
    """
    if resemblance(pred, truth) < _ALIKE:  # NaN compares as false
        return Put(pred)
    mirrored, first = _mirrored(pred, truth, keep_mirrored, "mirrored" in elsewhere)
    mouth, second = _mouth(mirrored, truth, keep_mouth, "mouth pair" in elsewhere)
    return Put(mouth, (*first, *second))


def resemblance(pred: FaceClip, truth: FaceClip) -> float:
    """How the movement of both sides together goes with the reference's, -1 to 1.

    Mean correlation over the shapes that move in both clips, left and right added,
    weighted by how much they move: the same for a mirrored face. NaN if nothing moves.
    """
    found = []
    for channel in BLENDSHAPES:
        columns = sorted({channel.index, INDEX[channel.mirror]})
        if channel.index != columns[0]:
            continue
        one, other = (clip.values[:, columns].astype(np.float64).sum(1) for clip in (pred, truth))
        if (side := _together(channel.movement, one, other)) is not None:
            found.append(side)
    if not found:
        return float("nan")
    return float(np.average([e.correlation for e in found], weights=[e.weight for e in found]))


def _mirrored(pred: FaceClip, truth: FaceClip, keep: bool, elsewhere: bool) -> Put:
    sides = [each for each in _sides(pred, truth) if each.movement != _MOUTH]
    if len(sides) < _LEAST_PAIRS:
        return _as_elsewhere(pred, "mirrored", "--keep-mirrored", keep) if elsewhere else Put(pred)
    weights = np.array([each.weight for each in sides])
    mean = float(np.average([each.correlation for each in sides], weights=weights))
    against = sum(each.correlation < 0 for each in sides)
    if mean > -_SURE or against < 0.7 * len(sides):
        return Put(pred)
    told = Finding(
        kind="mirrored", action="overridden" if keep else "converted", flag="--keep-mirrored",
        text=f"left and right are exchanged in {against} of {len(sides)} pairs that tell a side "
        f"(mean correlation {mean:+.2f}): the source shows a mirrored face",
    )  # fmt: skip
    return Put(pred if keep else turned(pred, "mirrored"), (told,))


def _as_elsewhere(pred: FaceClip, kind: str, flag: str, keep: bool) -> Put:
    """The clip turned as the source's other takes were."""
    told = Finding(
        kind=kind, action="overridden" if keep else "converted", flag=flag,
        text="exchanged as in this source's other takes; this one moves too little to tell",
    )  # fmt: skip
    return Put(pred if keep else turned(pred, kind), (told,))


def turned(clip: FaceClip, kind: str) -> FaceClip:
    """The clip with its sides, or its mouth pair, exchanged."""
    if kind == "mirrored":
        return clip.mirrored()
    other = clip.exchanged("mouthLeft", "mouthRight")
    meta = clip.meta.applied("mouth pair exchanged for comparison")
    return FaceClip(other.values, other.times, other.present, meta, other.extra)


def _mouth(pred: FaceClip, truth: FaceClip, keep: bool, elsewhere: bool) -> Put:
    pair = next((each for each in _sides(pred, truth) if each.movement == _MOUTH), None)
    if pair is None or pair.correlation > -_SURE:
        open_ = pair is None or pair.correlation < _SURE
        follow = elsewhere and open_
        return _as_elsewhere(pred, "mouth pair", "--keep-mouth", keep) if follow else Put(pred)
    blame = detect_mouth_pair(truth)
    doubt = (
        " The reference's own smile says that its pair is the exchanged one."
        if blame.verdict == "exchanged" else ""
    )  # fmt: skip
    told = Finding(
        kind="mouth pair", action="overridden" if keep else "converted", flag="--keep-mouth",
        text="mouthLeft and mouthRight are exchanged against the reference "
        f"(correlation of left minus right {pair.correlation:+.2f}).{doubt}",
        channels=("mouthLeft", "mouthRight"),
    )  # fmt: skip
    return Put(pred if keep else turned(pred, "mouth pair"), (told,))


class _Side(NamedTuple):
    movement: str
    correlation: float
    weight: float


def _sides(pred: FaceClip, truth: FaceClip) -> Iterator[_Side]:
    """How left minus right of either clip go together, for every pair that moves sideways."""
    for channel in BLENDSHAPES:
        pair = (channel.index, INDEX[channel.mirror])
        if pair[0] >= pair[1]:  # no partner, or seen from the partner's side already
            continue
        one, other = (clip.values[:, pair[0]] - clip.values[:, pair[1]] for clip in (pred, truth))
        if (side := _together(channel.movement, one, other)) is not None:
            yield side


def _together(movement: str, one: NDArray[Any], other: NDArray[Any]) -> _Side | None:
    """How two curves go together; None where too little is known or moves."""
    known = ~(np.isnan(one) | np.isnan(other))
    if known.sum() < _LEAST_FRAMES:
        return None
    a, b = one[known].astype(np.float64), other[known].astype(np.float64)
    if not min(a.std(), b.std()) > _SPREAD:
        return None
    return _Side(movement, float(np.corrcoef(a, b)[0, 1]), float(a.std() * b.std()))


assert len(_HEAD) == 3 and len(_SHAPES) + len(_TURNS) == COUNT
