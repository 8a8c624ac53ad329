"""The movements that words speak of, and how the 61 numbers fill them.

A slot is one thing a describer can say and a reader can hear: `mouthSmile`,
`gazeLeft`, `headUp`. Each has a left and a right magnitude (the same number
twice for a movement of the middle) on one of three scales.

* Gaze is told by direction, from both eyes: `gazeLeft` is eyeLookOutLeft with
  eyeLookInRight. Both eyes turned in (or both out) are `gazeIn` (`gazeOut`).
* An eye whose four eyeLook channels are all absent is read from its rotations
  instead; otherwise eye rotations repeat the eyeLook channels and are not told.
* Head rotations make two slots each, one per direction.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput
from semanticface.language.intensity import Bins
from semanticface.rig.channels import CHANNELS, COUNT, INDEX, REGIONS

Scale = Literal["weight", "head", "eye"]
Magnitudes = NDArray[np.float32]


class Slot(NamedTuple):
    """One movement in words."""

    name: str
    region: str
    left: str
    """The channel that moves the left side; the same as `right` in the middle."""
    right: str
    sign: int = 1
    """-1 where the movement is the negative end of a signed channel."""
    scale: Scale = "weight"

    @property
    def paired(self) -> bool:
        """Whether the two sides can differ."""
        return self.left != self.right


def _pair(name: str, region: str) -> Slot:
    return Slot(name, region, f"{name}Left", f"{name}Right")


def _centre(name: str, region: str) -> Slot:
    return Slot(name, region, name, name)


SLOTS: tuple[Slot, ...] = (
    _centre("browInnerUp", "brow"),
    _pair("browOuterUp", "brow"),
    _pair("browDown", "brow"),
    _pair("eyeBlink", "eye"),
    _pair("eyeWide", "eye"),
    _pair("eyeSquint", "eye"),
    Slot("gazeDown", "eye", "eyeLookDownLeft", "eyeLookDownRight"),
    Slot("gazeUp", "eye", "eyeLookUpLeft", "eyeLookUpRight"),
    Slot("gazeLeft", "eye", "eyeLookOutLeft", "eyeLookInRight"),
    Slot("gazeRight", "eye", "eyeLookInLeft", "eyeLookOutRight"),
    Slot("gazeIn", "eye", "eyeLookInLeft", "eyeLookInRight"),
    Slot("gazeOut", "eye", "eyeLookOutLeft", "eyeLookOutRight"),
    Slot("eyeRollLeft", "eye", "leftEyeRoll", "rightEyeRoll", -1, "eye"),
    Slot("eyeRollRight", "eye", "leftEyeRoll", "rightEyeRoll", 1, "eye"),
    _pair("noseSneer", "nose"),
    _pair("cheekSquint", "cheek"),
    _centre("cheekPuff", "cheek"),
    _pair("mouthSmile", "mouth"),
    _pair("mouthFrown", "mouth"),
    _pair("mouthDimple", "mouth"),
    _pair("mouthStretch", "mouth"),
    _centre("mouthRollUpper", "mouth"),
    _centre("mouthRollLower", "mouth"),
    _centre("mouthShrugUpper", "mouth"),
    _centre("mouthShrugLower", "mouth"),
    _pair("mouthPress", "mouth"),
    _centre("mouthPucker", "mouth"),
    _centre("mouthFunnel", "mouth"),
    _pair("mouthUpperUp", "mouth"),
    _pair("mouthLowerDown", "mouth"),
    _centre("mouthClose", "mouth"),
    _centre("mouthLeft", "mouth"),
    _centre("mouthRight", "mouth"),
    _centre("jawOpen", "jaw"),
    _centre("jawForward", "jaw"),
    _centre("jawLeft", "jaw"),
    _centre("jawRight", "jaw"),
    _centre("tongueOut", "tongue"),
    Slot("headLeft", "head", "headYaw", "headYaw", 1, "head"),
    Slot("headRight", "head", "headYaw", "headYaw", -1, "head"),
    Slot("headUp", "head", "headPitch", "headPitch", 1, "head"),
    Slot("headDown", "head", "headPitch", "headPitch", -1, "head"),
    Slot("headLeanLeft", "head", "headRoll", "headRoll", -1, "head"),
    Slot("headLeanRight", "head", "headRoll", "headRoll", 1, "head"),
)
SLOT_INDEX = {slot.name: i for i, slot in enumerate(SLOTS)}
_REGION_STARTS = [next(i for i, s in enumerate(SLOTS) if s.region == each) for each in REGIONS]
PAIRED = np.array([slot.paired for slot in SLOTS])
_LEFT = np.array([INDEX[slot.left] for slot in SLOTS])
_RIGHT = np.array([INDEX[slot.right] for slot in SLOTS])
_SIGN = np.array([slot.sign for slot in SLOTS], dtype=np.float32)
_SCALES = {
    scale: np.array([s.scale == scale for s in SLOTS]) for scale in ("weight", "head", "eye")
}
_ROLLS = (SLOT_INDEX["eyeRollLeft"], SLOT_INDEX["eyeRollRight"])
_LOOKS = tuple(
    np.array([INDEX[f"eyeLook{way}{side}"] for way in ("Down", "Up", "In", "Out")])
    for side in ("Left", "Right")
)
_YAW_PITCH = tuple((INDEX[f"{side}EyeYaw"], INDEX[f"{side}EyePitch"]) for side in ("left", "right"))
# gaze slot -> (rotation: 0 yaw, 1 pitch; sign for the left eye; sign for the right eye)
_FROM_ROTATION = {
    "gazeDown": (1, 1, 1), "gazeUp": (1, -1, -1), "gazeLeft": (0, -1, -1),
    "gazeRight": (0, 1, 1), "gazeIn": (0, 1, -1), "gazeOut": (0, -1, 1),
}  # fmt: skip


class Movements(NamedTuple):
    """What every slot does: magnitudes and levels of both sides, each [T, slots, 2].

    The last axis is left, right. Absent and negative numbers are zero; `known`
    tells a measured zero from an absent one.
    """

    magnitudes: Magnitudes
    levels: NDArray[np.int8]
    known: NDArray[np.bool_]


def as_frames(values: ArrayLike) -> NDArray[np.float32]:
    """Values as float32 [T, 61]; a wrong shape or an infinite number is an error."""
    table = np.asarray(values, dtype=np.float32)
    if table.ndim != 2 or table.shape[1] != COUNT:
        raise BadInput(f"values of shape {table.shape}", f"[frames, {COUNT}]")
    if np.isinf(table).any():
        row, column = (int(each[0]) for each in np.nonzero(np.isinf(table)))
        raise BadInput("an infinite value", "a number", row=row, column=CHANNELS[column].name)
    return table


def movements(values: NDArray[np.float32], bins: Bins) -> Movements:
    """Fill all slots from values [T, 61]."""
    known = np.where(np.isnan(values), np.float32(0), values)
    sides = np.stack([known[:, _LEFT] * _SIGN, known[:, _RIGHT] * _SIGN], axis=2)
    magnitudes = np.maximum(sides, np.float32(0))
    levels = np.zeros(magnitudes.shape, np.int8)
    for scale, edges in (("weight", bins.weights), ("head", bins.head), ("eye", bins.eyes)):
        chosen = _SCALES[scale]
        levels[:, chosen] = edges.levels(magnitudes[:, chosen])
    for side in (0, 1):
        blind = np.asarray(np.isnan(values[:, _LOOKS[side]]).all(axis=1), np.bool_)
        _use_rotations(known, blind, side, magnitudes, levels, bins)
    return Movements(magnitudes, levels, _known(values))


def _known(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which sides of which slots were measured, [T, slots, 2]."""
    here = np.logical_not(np.isnan(values))
    if here.all():
        return np.ones((len(values), len(SLOTS), 2), np.bool_)
    sides = np.stack([here[:, _LEFT], here[:, _RIGHT]], axis=2)
    for side in (0, 1):
        blind = ~here[:, _LOOKS[side]].any(axis=1)
        if blind.any():
            for name, (rotation, *_) in _FROM_ROTATION.items():
                turned = here[blind, _YAW_PITCH[side][rotation]]
                sides[blind, SLOT_INDEX[name], side] = turned
    return np.asarray(sides, np.bool_)


class Measured(NamedTuple):
    """Which regions of `REGIONS` were measured at all, and which in full; each [T, regions].

    The torsion of the eyes is not asked for: it is rarely measured and told only
    for eyes without eyeLook.
    """

    some: NDArray[np.bool_]
    full: NDArray[np.bool_]


def measured(known: NDArray[np.bool_]) -> Measured:
    """What the mask of `Movements.known` says of each region."""
    shape = (len(known), len(REGIONS))
    if known.all():
        return Measured(np.ones(shape, np.bool_), np.ones(shape, np.bool_))
    either = known[:, :, 0] | known[:, :, 1]
    both = known[:, :, 0] & known[:, :, 1]
    either[:, _ROLLS], both[:, _ROLLS] = False, True
    some = np.logical_or.reduceat(either, _REGION_STARTS, axis=1)
    full = np.logical_and.reduceat(both, _REGION_STARTS, axis=1)
    return Measured(some, full)


def _use_rotations(
    known: NDArray[np.float32], blind: NDArray[np.bool_], side: int,
    magnitudes: Magnitudes, levels: NDArray[np.int8], bins: Bins,
) -> None:  # fmt: skip
    """Read gaze from the eye's rotations where it has no eyeLook; silence roll elsewhere."""
    for roll in _ROLLS:
        magnitudes[~blind, roll, side] = 0
        levels[~blind, roll, side] = 0
    if not blind.any():
        return
    for name, (rotation, *signs) in _FROM_ROTATION.items():
        turned = np.maximum(known[blind, _YAW_PITCH[side][rotation]] * signs[side], np.float32(0))
        magnitudes[blind, SLOT_INDEX[name], side] = turned
        levels[blind, SLOT_INDEX[name], side] = bins.eyes.levels(turned)


def read_from(values: NDArray[np.float32]) -> dict[str, tuple[str, str]]:
    """The channels that the left and right of each slot are read from in the frame values[0]."""
    blind = [bool(np.isnan(values[0, looks]).all()) for looks in _LOOKS]
    return {slot.name: (_channel(slot, 0, blind[0]), _channel(slot, 1, blind[1])) for slot in SLOTS}


def _channel(slot: Slot, side: int, blind: bool) -> str:
    if blind and slot.name in _FROM_ROTATION:
        return CHANNELS[_YAW_PITCH[side][_FROM_ROTATION[slot.name][0]]].name
    return (slot.left, slot.right)[side]
