"""From what a face is about to do to the 61 numbers it shows.

A moment holds drives (how strongly each movement is meant), where the eyes look,
how far the lids are shut by a blink and how the head stands. `embody` adds the
resting face and what movements bring along, lets opposites give way to each other,
keeps the lips within the jaw, makes lids follow the gaze, and turns the eyeballs.
Everything works on [N] frames at once and knows no time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from semanticface.motion.repertoire import SHAPES, Array, Repertoire, Yielding
from semanticface.rig import BLENDSHAPES, COUNT, INDEX

Values = NDArray[np.float32]

CLOSE_BEYOND_OPEN = 0.05
"""Real takes keep mouthClose below jawOpen plus a little."""
_KNEE, _TOP = 0.85, 1.0
_SIDES: tuple[Literal["Left", "Right"], ...] = ("Left", "Right")
_EITHER = (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))
_BENT = np.array([each.index for each in BLENDSHAPES if "Look" not in each.name])
"""Shapes with a soft top; gaze has a hard one, because eyeballs turn with it."""
_DECIMALS = 5  # hides the last bits, in which processors may differ


@dataclass(frozen=True)
class Moment:
    """What N frames are about to show, before anatomy has its say."""

    rest: Array
    """[N, 52] or [52]: this person's resting face."""
    drives: Array
    """[N, 52]: how strongly each movement is meant, couplings left out."""
    aside: Array
    """[N]: gaze in eyeLook weights, positive to the subject's right."""
    up: Array
    """[N]: gaze in eyeLook weights, positive upwards."""
    blink: Array
    """[N, 2]: closure of the left and the right lids by blinks and winks, 0 to 1."""
    head: Array
    """[N, 3]: yaw, pitch and roll in radians, with the channel table's signs."""


def embody(moment: Moment, table: Repertoire) -> Values:
    """Values [N, 61] of a moment: in range, no opposites together, eyes consistent."""
    values = np.zeros((len(moment.drives), COUNT))
    values[:, :SHAPES] = moment.rest + moment.drives @ table.coupling
    shapes = values[:, :SHAPES]
    np.maximum(shapes, 0, out=shapes)
    _turn_eyes(values, moment, table)
    for rule in table.yielding:
        _give_way(shapes, rule)
    for one, other in _EITHER:
        _only_one(values, one, other)
    _limit(shapes)
    _close_lips(values)
    values[:, SHAPES : SHAPES + 3] = moment.head
    return np.round(values, _DECIMALS).astype(np.float32) + np.float32(0)


def _turn_eyes(values: Array, moment: Moment, table: Repertoire) -> None:
    """Look channels, lids that follow them and the blink, and the six eye angles."""
    eyes = table.eyes
    shut = np.clip(moment.blink.mean(axis=1) / 0.3, 0, 1)
    up = moment.up + shut * (np.minimum(moment.up, eyes.blink_turns_to) - moment.up)
    up = np.clip(up, -1, 1)
    near = eyes.convergence / 2
    for side, sign in zip(_SIDES, (1.0, -1.0), strict=True):
        inwards = np.clip(sign * moment.aside + near, -1, 1)
        _split(values, f"eyeLookIn{side}", f"eyeLookOut{side}", inwards)
        _split(values, f"eyeLookUp{side}", f"eyeLookDown{side}", up)
        _lids(values, side, up, moment.blink[:, _SIDES.index(side)], table)
        eye = f"{side.lower()}Eye"
        values[:, INDEX[f"{eye}Yaw"]] = sign * (eyes.yaw_per_weight * inwards - eyes.yaw_rest)
        values[:, INDEX[f"{eye}Pitch"]] = -eyes.pitch_per_weight * up
        values[:, INDEX[f"{eye}Roll"]] = -eyes.roll * moment.aside * up


def _split(values: Array, positive: str, negative: str, signed: Array) -> None:
    """A signed movement on its two one-way channels."""
    values[:, INDEX[positive]] = np.maximum(signed, 0)
    values[:, INDEX[negative]] = np.maximum(-signed, 0)


def _lids(values: Array, side: str, up: Array, blink: Array, table: Repertoire) -> None:
    """Lids sink with the gaze, widen as it rises, and shut for a blink."""
    eyes = table.eyes
    shut, wide, squint = (INDEX[f"eye{name}{side}"] for name in ("Blink", "Wide", "Squint"))
    follows = np.maximum(-eyes.lid_follows_down * np.minimum(up, 0) - 0.8 * values[:, wide], 0)
    meant = values[:, shut]
    values[:, shut] = np.maximum(blink, follows + meant * (1 - follows))
    values[:, wide] += np.maximum(eyes.wide_at_rest + eyes.wide_follows_up * up, 0)
    values[:, squint] += np.maximum(eyes.squint_at_rest + eyes.squint_follows_up * up, 0)


def _give_way(shapes: Array, rule: Yielding) -> None:
    for holds, gives in zip(rule.holds, rule.gives, strict=True):
        shapes[:, gives] *= np.clip(1 - rule.amount * shapes[:, holds], 0, 1)


def _only_one(values: Array, one: str, other: str) -> None:
    """Of two directions only the stronger, less the weaker."""
    _split(values, one, other, values[:, INDEX[one]] - values[:, INDEX[other]])


def _limit(shapes: Array) -> None:
    """Bend what exceeds the knee so that nothing passes the top."""
    room, bent = _TOP - _KNEE, shapes[:, _BENT]
    over = np.maximum(bent - _KNEE, 0)
    shapes[:, _BENT] = np.minimum(bent, _KNEE) + room * np.tanh(over / room)


def _close_lips(values: Array) -> None:
    """mouthClose closes what the jaw opens, and no more."""
    close = values[:, INDEX["mouthClose"]]
    np.minimum(close, values[:, INDEX["jawOpen"]] + CLOSE_BEYOND_OPEN, out=close)
