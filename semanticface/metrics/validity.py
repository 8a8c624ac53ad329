"""What can be wrong with numbers and answers without any truth to hold them against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.language.parsed import HIGH, LOW, Outcome, ParseReport
from semanticface.metrics.interval import Interval
from semanticface.metrics.ratio import Floats, ratio
from semanticface.metrics.statistics import wilson
from semanticface.rig import COUNT, INDEX
from semanticface.rig.opposites import CLOSE_BEYOND_OPEN, OPPOSITES, TOGETHER

Array = NDArray[np.floating]

RULES: tuple[str, ...] = (*(f"{a} with {b}" for a, b in OPPOSITES), "mouthClose above jawOpen")
"""What no face does, in the order of `ValiditySums.broken`."""
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

_ONE = [INDEX[one] for one, _ in OPPOSITES]
_OTHER = [INDEX[other] for _, other in OPPOSITES]


class ValiditySums(NamedTuple):
    """Counts of a clip, each [..., 61] or [..., 7]; they add up over clips."""

    cells: Floats
    """Values asked for, by channel."""
    missing: Floats
    """Of these, NaN."""
    not_finite: Floats
    """Of these, infinite."""
    out_of_range: Floats
    """Finite, but outside the channel's range by more than 1e-6."""
    judged: Floats
    """Frames in which both channels of a rule are finite, by rule."""
    broken: Floats
    """Of these, against the rule."""
    frames: Floats
    """[...]: all frames."""
    contradictory: Floats
    """[...]: frames against at least one rule."""


class Validity(NamedTuple):
    """Shares from 0 to 1; NaN where there was nothing to judge."""

    missing: Floats
    """Of the values asked for, per channel."""
    not_finite: Floats
    """Of the values asked for, per channel."""
    out_of_range: Floats
    """Of the finite values, per channel. Real takes leave it too: up to 1.08."""
    contradictions: Floats
    """Of the frames that can be judged, per rule of `RULES`."""
    missing_all: Floats
    """Of all values asked for; so are the next two."""
    not_finite_all: Floats
    out_of_range_all: Floats
    contradictory: Floats
    """Frames against at least one rule, of all frames."""


def validity_sums(values: Array, asked: NDArray[np.bool_] | None = None) -> ValiditySums:
    """Count the faults of values [T, 61].

    `asked` [61] names the channels a source was to give (all by default): what a phone
    or a format does not have is not missing. Opposites contradict each other when both
    are above 0.1, mouthClose when it is more than 0.06 above jawOpen, as real raw takes
    never are.
    """
    face = np.asarray(values, np.float64)
    if face.ndim != 2 or face.shape[1] != COUNT:
        raise BadInput(f"values of shape {face.shape}", f"[frames, {COUNT}]")
    wanted = np.ones(COUNT, np.bool_) if asked is None else np.asarray(asked, np.bool_)
    finite = np.isfinite(face)
    outside = finite & ((face < LOW) | (face > HIGH))
    judged, broken = _rules(face, finite)
    return ValiditySums(
        np.where(wanted, float(len(face)), 0.0),
        _count(np.isnan(face) & wanted), _count(np.isinf(face) & wanted), _count(outside & wanted),
        _count(judged), _count(broken),
        np.asarray(float(len(face))), np.asarray(float(broken.any(axis=1).sum())),
    )  # fmt: skip


def _rules(face: Floats, finite: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    close, jaw = INDEX["mouthClose"], INDEX["jawOpen"]
    left, right = [*_ONE, close], [*_OTHER, jaw]
    judged = finite[:, left] & finite[:, right]
    known = np.where(finite, face, 0.0)
    together = (known[:, _ONE] > TOGETHER) & (known[:, _OTHER] > TOGETHER)
    beyond = known[:, close] - known[:, jaw] > CLOSE_BEYOND_OPEN + 1e-6
    return judged, judged & np.column_stack([together, beyond])


def validity(s: ValiditySums) -> Validity:
    """Shares of the counts, over all leading axes."""
    finite = s.cells - s.missing - s.not_finite
    cells = s.cells.sum(axis=-1)
    return Validity(
        ratio(s.missing, s.cells), ratio(s.not_finite, s.cells), ratio(s.out_of_range, finite),
        ratio(s.broken, s.judged), ratio(s.missing.sum(axis=-1), cells),
        ratio(s.not_finite.sum(axis=-1), cells),
        ratio(s.out_of_range.sum(axis=-1), finite.sum(axis=-1)),
        ratio(s.contradictory, s.frames),
    )  # fmt: skip


class Outcomes(NamedTuple):
    """How answers could be read."""

    shares: dict[Outcome, Interval]
    """strict, tolerant, repaired, failed: shares that sum to 1, with Wilson intervals."""
    whole: Interval
    """Answers that give every channel asked for a finite value in range."""
    answers: int


def outcomes(reports: Sequence[ParseReport], *, level: float = 0.95) -> Outcomes:
    """Shares of parse outcomes, 0 to 1 (`semanticface.language.parsed` tells them apart).

    The intervals take answers for independent of each other. Answers to frames of one
    take are less than that: bootstrap their counts over takes.
    """
    if not reports:
        raise BadInput("no parse reports", "at least one answer")
    count = len(reports)
    told = [report.outcome for report in reports]
    shares = {each: wilson(told.count(each), count, level=level) for each in OUTCOMES}
    whole = wilson(sum(report.ok for report in reports), count, level=level)
    return Outcomes(shares, whole, count)


def _count(mask: NDArray[np.bool_]) -> Floats:
    return np.asarray(np.count_nonzero(mask, axis=0), np.float64)
