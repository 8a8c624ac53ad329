"""Sums over frames from which every coefficient metric follows.

They add up over frames, clips and clusters, so a bootstrap over clusters is one
matrix product and no frame is touched twice.

What a frame of a channel must be to count:

* measured in both sources; NaN in either excludes it from every sum, and a truth
  without a prediction is counted in `missing`;
* *shown at t*: a weight of at least t. Answers written in steps of 0.1 mean it
  when they say 0.1, so the threshold is included, with 1e-6 to spare for float32;
* *active at tau*: a weight above tau, by more than that 1e-6.

Rotations are signed radians that rest near zero, so both go by magnitude: 0.1 is
5.7 degrees. A rotation shown the other way round is no hit, but a false alarm and
a miss at once. Live Link eye yaw rests 0.07 rad off zero and so counts as active.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.ratio import Floats
from semanticface.rig import CHANNELS, COUNT, INDEX

ACTIVE_TAU = 0.05
"""Active MAE and amplitude look at frames whose truth lies above this."""
_ROUNDING = 1e-6

IS_ROTATION = np.array([channel.unit == "radian" for channel in CHANNELS])
MIRROR = np.array([INDEX[channel.mirror] for channel in CHANNELS])
PAIRED = np.arange(COUNT) != MIRROR
_MIRROR_SIGN = np.array([channel.mirror_sign for channel in CHANNELS], np.float64)


class Sums(NamedTuple):
    """Each float64 [..., 61]; p is the prediction, y the truth."""

    frames: Floats
    """Frames measured in both."""
    missing: Floats
    """Frames with a truth but no prediction."""
    truth: Floats
    pred: Floats
    truth2: Floats
    pred2: Floats
    product: Floats
    absolute: Floats
    """Sum of |p - y|."""
    squared: Floats
    """Sum of (p - y)^2."""
    active_frames: Floats
    """Frames with |y| above tau."""
    active_absolute: Floats
    """Sum of |p - y| over them."""
    active_truth: Floats
    """Sum of |y| over them."""
    active_pred: Floats
    """Sum over them of p in the direction of y, p sign(y)."""
    hits_10: Floats
    """Shown at 0.1 by both, the same way round."""
    claimed_10: Floats
    """Shown at 0.1 by the prediction."""
    shown_10: Floats
    """Shown at 0.1 by the truth."""
    hits_30: Floats
    claimed_30: Floats
    shown_30: Floats
    pair_frames: Floats
    """Frames in which channel and mirror partner are measured in both; 0 without partner."""
    pair_absolute: Floats
    """Sum over them of the difference of both asymmetries, |(pL - pR) - (yL - yR)|."""


def sums(
    pred: NDArray[np.floating], truth: NDArray[np.floating], *, tau: float = ACTIVE_TAU
) -> Sums:
    """Sums over the frames of values [T, 61]; NaN means not measured."""
    p, y = _table(pred, "prediction"), _table(truth, "truth")
    if p.shape != y.shape:
        raise BadInput(
            f"{len(p)} predicted frames against {len(y)}", "the same frames",
            hint="Bring both to one time grid first.",
        )  # fmt: skip
    known = ~(np.isnan(p) | np.isnan(y))
    missing = _count(np.isnan(p) & ~np.isnan(y))
    pair = _asymmetries(p, y, known)
    p, y = np.where(known, p, 0.0), np.where(known, y, 0.0)
    error = np.abs(p - y)
    return Sums(
        frames=_count(known),
        missing=missing,
        truth=y.sum(axis=0),
        pred=p.sum(axis=0),
        truth2=_dot(y, y),
        pred2=_dot(p, p),
        product=_dot(p, y),
        absolute=error.sum(axis=0),
        squared=_dot(error, error),
        **_over_active(p, y, error, tau),
        **_activations(p, y, 0.1, "10"),
        **_activations(p, y, 0.3, "30"),
        **pair,
    )


def _over_active(p: Floats, y: Floats, error: Floats, tau: float) -> dict[str, Floats]:
    active = _size(y) > tau + _ROUNDING
    return {
        "active_frames": _count(active),
        "active_absolute": _dot(active, error),
        "active_truth": _dot(active, np.abs(y)),
        "active_pred": _dot(active, p * np.sign(y)),
    }


def _activations(p: Floats, y: Floats, level: float, name: str) -> dict[str, Floats]:
    claimed, shown = _size(p) >= level - _ROUNDING, _size(y) >= level - _ROUNDING
    return {
        f"hits_{name}": _count(claimed & shown & (p * y > 0)),
        f"claimed_{name}": _count(claimed),
        f"shown_{name}": _count(shown),
    }


def _asymmetries(p: Floats, y: Floats, known: NDArray[np.bool_]) -> dict[str, Floats]:
    """A mirrored yaw changes its sign, so eyes that look straight ahead have yaws that
    cancel: the asymmetry of a pair is the channel less its mirrored partner."""
    error = p - y
    both = known & known[:, MIRROR] & PAIRED
    difference = np.abs(error - error[:, MIRROR] * _MIRROR_SIGN)
    return {
        "pair_frames": _count(both),
        "pair_absolute": np.asarray(np.where(both, difference, 0.0).sum(axis=0)),
    }


def _dot(one: NDArray[Any], other: Floats) -> Floats:
    """Per channel, the sum over frames of a product."""
    return np.asarray(np.einsum("tc,tc->c", one, other), np.float64)


def _size(values: Floats) -> Floats:
    """Magnitude of rotations, the plain value of weights: a negative weight shows nothing."""
    return np.where(IS_ROTATION, np.abs(values), values)


def _count(mask: NDArray[np.bool_]) -> Floats:
    return np.asarray(np.count_nonzero(mask, axis=0), np.float64)


def _table(values: NDArray[np.floating], what: str) -> Floats:
    table = np.asarray(values, np.float64)
    if table.ndim != 2 or table.shape[1] != COUNT:
        raise BadInput(f"a {what} of shape {table.shape}", f"[frames, {COUNT}]")
    if np.isinf(table).any():
        row, column = np.argwhere(np.isinf(table))[0]
        raise BadInput(
            f"an infinite {what}", "a number, or NaN where nothing was measured",
            row=int(row), column=CHANNELS[int(column)].name,
        )  # fmt: skip
    return table


def stacked(several: Sequence[Sums]) -> Sums:
    """Sums with a leading axis, one entry for each of `several`."""
    if not several:
        raise BadInput("no sums", "at least one clip or cluster")
    return Sums(*(np.stack(parts) for parts in zip(*several, strict=True)))


def pooled(several: Sequence[Sums] | Sums, weights: NDArray[np.floating] | None = None) -> Sums:
    """All clusters together, as if their frames stood in one recording.

    `several` is a list, or Sums with a leading cluster axis [K, 61]. With `weights`
    [B, K], cluster k counts weights[b, k] times and the result leads with B.
    """
    table = several if isinstance(several, Sums) else stacked(several)
    if table.frames.ndim < 2:
        raise BadInput("sums of a single clip", "a leading cluster axis")
    if weights is None:
        return Sums(*(part.sum(axis=0) for part in table))
    return Sums(*(np.asarray(weights, np.float64) @ part for part in table))
