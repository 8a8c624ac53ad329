"""The channel table: what each of the 61 numbers of a face is.

Order is Apple's enumeration of the 52 blendshapes (which is also the order of
Unreal's enum and of the UDP packet) followed by nine rotations. Everything else
in the project that names a channel, a side, a region or a range reads it here.

Left and right are the subject's own. Blendshapes run from 0 (rest) to 1 (fully
there); trackers now and then go a little above 1.

Rotations are radians. Signs, as Live Link Face streams them:

* eye pitch is positive **downwards**, eye yaw is positive towards the subject's
  **right** (measured on real takes against the eyeLook channels);
* head pitch is positive **upwards**, head yaw positive towards the subject's
  **left** (inferred from recordings, not measured);
* roll is positive when the top of the head or eye leans to the subject's
  **right** (this project's choice: no recording at hand settles it).

Live Link eye yaw rests about 0.07 rad off zero, outwards on each side.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

Side = Literal["left", "right", "centre"]
Half = Literal["upper", "lower", "head"]
Unit = Literal["weight", "radian"]

RIG_VERSION = "arkit61/1"
"""Changes when a name, an order, a sign or a range of this table changes."""

_FARTHEST = 1.5  # radians, 86 degrees: beyond what a phone can still see


@dataclass(frozen=True)
class Channel:
    """One of the 61 numbers."""

    name: str
    """Apple's camelCase name; the one used everywhere inside this project."""
    index: int
    code: str
    """Two or three letters, for short answers such as `jo30 msl60`."""
    region: str
    half: Half
    side: Side
    mirror: str
    """The channel that plays this part in a mirrored face (itself in the middle)."""
    mirror_sign: int
    """-1 where mirroring turns the value around (yaw and roll), else 1."""
    unit: Unit
    low: float
    high: float
    meaning: str
    """What a value of 1 looks like, or where a positive angle points."""
    facs: tuple[str, ...]
    """Action units of the Facial Action Coding System; empty where none fits."""

    @cached_property
    def label(self) -> str:
        """The PascalCase name of Live Link Face, Unreal and Audio2Face."""
        return self.name[0].upper() + self.name[1:]

    @cached_property
    def movement(self) -> str:
        """The name without its side: eyeBlinkLeft and eyeBlinkRight are eyeBlink.

        mouthLeft, jawRight and their partners move the middle of the face to a
        side, so they keep their whole name.
        """
        if self.side == "centre":
            return self.name
        if self.name.startswith(self.side):
            rest = self.name[len(self.side) :]
            return rest[0].lower() + rest[1:]
        return self.name.removesuffix(self.side.capitalize())

    @property
    def signed(self) -> bool:
        """Whether a negative value is legal."""
        return self.low < 0


_SIDES = (("Left", "l"), ("Right", "r"))

# base name, code, FACS (`left|right` where the sides differ), meaning
_EYE = (
    ("eyeBlink", "eb", "AU45", "the upper and lower lids of the {side} eye are closed"),
    ("eyeLookDown", "ed", "AU64", "the {side} eye and its lids turn down"),
    ("eyeLookIn", "ei", "AU62|AU61", "the {side} eye turns towards the nose"),
    ("eyeLookOut", "eo", "AU61|AU62", "the {side} eye turns towards the {side} temple"),
    ("eyeLookUp", "eu", "AU63", "the {side} eye and its lids turn up"),
    ("eyeSquint", "es", "AU7", "the ring around the {side} eye tightens, lower lid raised"),
    ("eyeWide", "ew", "AU5", "the lids of the {side} eye open beyond rest"),
)
_JAW = (
    ("jawForward", "jf", "AU29", "the jaw thrusts forward"),
    ("jawLeft", "jl", "AU30", "the jaw slides to the subject's left"),
    ("jawRight", "jr", "AU30", "the jaw slides to the subject's right"),
    ("jawOpen", "jo", "AU26 AU27", "the jaw drops as far as it goes"),
)
_MOUTH_CENTRE = (
    ("mouthClose", "mc", "AU8", "the lips stay together although the jaw is open"),
    ("mouthFunnel", "mf", "AU22", "both lips flare into an open ring"),
    ("mouthPucker", "mp", "AU18", "both lips draw together and forward, closed"),
    ("mouthLeft", "ml", "", "both lips slide to the subject's left"),
    ("mouthRight", "mr", "", "both lips slide to the subject's right"),
)
_MOUTH_CORNERS = (
    ("mouthSmile", "ms", "AU12", "the {side} mouth corner goes up and outwards"),
    ("mouthFrown", "mf", "AU15", "the {side} mouth corner goes down"),
    ("mouthDimple", "md", "AU14", "the {side} mouth corner is drawn back"),
    ("mouthStretch", "mt", "AU20", "the {side} mouth corner is stretched outwards"),
)
_LIPS_CENTRE = (
    ("mouthRollLower", "mrl", "AU28", "the lower lip rolls in over the teeth"),
    ("mouthRollUpper", "mru", "AU28", "the upper lip rolls in over the teeth"),
    ("mouthShrugLower", "mhl", "AU17", "the lower lip is pushed up and out"),
    ("mouthShrugUpper", "mhu", "AU17", "the upper lip is pushed up and out"),
)
_LIPS_SIDED = (
    ("mouthPress", "mp", "AU24", "the {side} part of the lips is pressed together"),
    ("mouthLowerDown", "ml", "AU16", "the {side} part of the lower lip is pulled down"),
    ("mouthUpperUp", "mu", "AU10", "the {side} part of the upper lip is pulled up"),
)
_ROTATIONS = (
    ("headYaw", "hy", "head", "the head turns to the subject's left", -1),
    ("headPitch", "hp", "head", "the head tips up", 1),
    ("headRoll", "hr", "head", "the head leans to the subject's right", -1),
    ("leftEyeYaw", "ley", "eye", "the left eyeball turns to the subject's right", -1),
    ("leftEyePitch", "lep", "eye", "the left eyeball turns down", 1),
    ("leftEyeRoll", "ler", "eye", "the left eyeball rolls to the subject's right", -1),
    ("rightEyeYaw", "rey", "eye", "the right eyeball turns to the subject's right", -1),
    ("rightEyePitch", "rep", "eye", "the right eyeball turns down", 1),
    ("rightEyeRoll", "rer", "eye", "the right eyeball rolls to the subject's right", -1),
)


def _partner(name: str) -> str:
    """The name with left and right exchanged; itself where it has no side."""
    for here, there in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(here):
            return name.removesuffix(here) + there
    for here, there in (("left", "right"), ("right", "left")):
        if name.startswith(here):
            return there + name.removeprefix(here)
    return name


def _build() -> tuple[Channel, ...]:
    table: list[Channel] = []

    def add(name: str, code: str, region: str, half: Half, facs: str, meaning: str) -> None:
        # jawLeft and mouthLeft move the middle of the face, so they have no side.
        side: Side = "centre"
        if "{side}" in meaning:
            side = "left" if name.endswith("Left") else "right"
        table.append(
            Channel(
                name, len(table), code, region, half, side, _partner(name), 1,
                "weight", 0.0, 1.0, meaning.format(side=side), tuple(facs.split()),
            )
        )  # fmt: skip

    def add_side(
        base: str, code: str, region: str, half: Half, facs: str, meaning: str, only: int
    ) -> None:
        suffix, letter = _SIDES[only]
        unit = facs.split("|")[-1 if only else 0]
        add(base + suffix, code + letter, region, half, unit, meaning)

    def add_pair(base: str, code: str, region: str, half: Half, facs: str, meaning: str) -> None:
        add_side(base, code, region, half, facs, meaning, 0)
        add_side(base, code, region, half, facs, meaning, 1)

    for which in (0, 1):  # Apple lists the whole left eye, then the whole right eye
        for base, code, facs, meaning in _EYE:
            add_side(base, code, "eye", "upper", facs, meaning, which)
    for name, code, facs, meaning in _JAW:
        add(name, code, "jaw", "lower", facs, meaning)
    for name, code, facs, meaning in _MOUTH_CENTRE:
        add(name, code, "mouth", "lower", facs, meaning)
    for name, code, facs, meaning in _MOUTH_CORNERS:
        add_pair(name, code, "mouth", "lower", facs, meaning)
    for name, code, facs, meaning in _LIPS_CENTRE:
        add(name, code, "mouth", "lower", facs, meaning)
    for name, code, facs, meaning in _LIPS_SIDED:
        add_pair(name, code, "mouth", "lower", facs, meaning)
    add_pair("browDown", "bd", "brow", "upper", "AU4", "the {side} brow goes down")
    add("browInnerUp", "bi", "brow", "upper", "AU1", "the inner part of both brows goes up")
    add_pair(
        "browOuterUp", "bo", "brow", "upper", "AU2", "the outer part of the {side} brow goes up"
    )
    add("cheekPuff", "cp", "cheek", "lower", "AU34", "both cheeks are blown out")
    add_pair("cheekSquint", "cs", "cheek", "upper", "AU6", "the {side} cheek rises below the eye")
    add_pair("noseSneer", "ns", "nose", "lower", "AU9", "the {side} side of the nose wrinkles")
    add("tongueOut", "to", "tongue", "lower", "AU19", "the tongue comes out of the mouth")

    for name, code, region, meaning, sign in _ROTATIONS:
        eye: Side = "left" if name.startswith("left") else "right"
        table.append(
            Channel(
                name, len(table), code, region, "head" if region == "head" else "upper",
                "centre" if region == "head" else eye, _partner(name), sign,
                "radian", -_FARTHEST, _FARTHEST, meaning, (),
            )
        )  # fmt: skip
    return tuple(table)


CHANNELS: tuple[Channel, ...] = _build()
COUNT = len(CHANNELS)
BLENDSHAPES = CHANNELS[:52]
ROTATIONS = CHANNELS[52:]
NAMES: tuple[str, ...] = tuple(channel.name for channel in CHANNELS)
INDEX: MappingProxyType[str, int] = MappingProxyType({name: i for i, name in enumerate(NAMES)})
REGIONS: tuple[str, ...] = ("brow", "eye", "nose", "cheek", "mouth", "jaw", "tongue", "head")
HALVES: tuple[Half, ...] = ("upper", "lower", "head")


def channel(name: str) -> Channel:
    """The channel of Apple's name `name`; a KeyError names the nearest one."""
    try:
        return CHANNELS[INDEX[name]]
    except KeyError:
        from semanticface.errors import did_you_mean

        raise KeyError(f"no channel '{name}'. {did_you_mean(name, NAMES)}".strip()) from None


def region_indices(*regions: str) -> tuple[int, ...]:
    """Indices of the channels in the named regions or halves, in table order."""
    known = (*REGIONS, *HALVES)
    for region in regions:
        if region not in known:
            raise KeyError(f"no region '{region}'; regions are {', '.join(dict.fromkeys(known))}")
    return tuple(each.index for each in CHANNELS if each.region in regions or each.half in regions)
