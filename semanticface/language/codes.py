"""What is said of each movement in each frame, as one small number per slot.

The rules of side, published:

* both sides active and closer than `asymmetry`: one state, "both", at the level
  of their mean;
* both active and `asymmetry` or more apart: both sides are told with their own
  levels and the stronger side is named;
* one side active: that side only.

Rules of grouping, which never change what is claimed: neighbours that do the
same thing at the same level are told together (inner and outer brows, upper and
lower lip), and so are a vertical and a lateral gaze of both eyes. Both eyes
turned in, or both out, are told as such and not as two opposite gazes.

With L levels a code is 0 for silent, 1..L both, L+1..2L left only, 2L+1..3L
right only, and above that an asymmetric pair (see `State`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.language.intensity import EPSILON, Bins
from semanticface.language.slots import PAIRED, SLOT_INDEX, SLOTS, Movements
from semanticface.rig.channels import REGIONS

Side = Literal["both", "left", "right"]
Codes = NDArray[np.int16]

MERGES = {
    "browsUp": ("browInnerUp", "browOuterUp"),
    "lipsRoll": ("mouthRollUpper", "mouthRollLower"),
    "lipsShrug": ("mouthShrugUpper", "mouthShrugLower"),
}
"""Slots told in one phrase when both have the same code and no side differs."""
OVER_OPEN_JAW = "mouthCloseOverJaw"
"""mouthClose with the jaw open, which is another thing than lips that touch anyway."""
GAZES = tuple(f"gaze{v}{h}" for v in ("Down", "Up") for h in ("Left", "Right"))
"""A vertical and a lateral gaze of both eyes, told together."""

_REGION_OF = {
    **{slot.name: slot.region for slot in SLOTS},
    **{name: SLOTS[SLOT_INDEX[parts[0]]].region for name, parts in MERGES.items()},
    OVER_OPEN_JAW: "mouth",
    **dict.fromkeys(GAZES, "eye"),
}
_EXTRA_BEFORE = {
    "browInnerUp": ("browsUp",), "gazeDown": GAZES, "mouthRollUpper": ("lipsRoll",),
    "mouthShrugUpper": ("lipsShrug",), "mouthClose": (OVER_OPEN_JAW,),
}  # fmt: skip
TOLD: tuple[str, ...] = tuple(
    name for slot in SLOTS for name in (*_EXTRA_BEFORE.get(slot.name, ()), slot.name)
)
"""Everything a sentence can be about, in the order of telling: region by region."""
TOLD_INDEX = {name: i for i, name in enumerate(TOLD)}
TOLD_REGION = np.array([REGIONS.index(_REGION_OF[name]) for name in TOLD])
_COLUMN = np.array([TOLD_INDEX[slot.name] for slot in SLOTS])


class State(NamedTuple):
    """A code read back. For a pair of gazes `left` is the vertical level, `right` the lateral."""

    side: Side
    left: int
    """Level of the left side, 1 to L; 0 where inactive."""
    right: int
    stronger: Literal["left", "right"] | None = None
    """The stronger side of an asymmetric pair."""


def state_of(code: int, levels: int) -> State:
    """Read one code, `levels` being the number of bins."""
    if code <= 3 * levels:
        which, level = divmod(code - 1, levels)
        level += 1
        sides: tuple[Side, Side, Side] = ("both", "left", "right")
        return State(sides[which], level if which != 2 else 0, level if which != 1 else 0)
    rest, right = divmod(code - 3 * levels - 1, levels)
    stronger, left = divmod(rest, levels)
    return State("both", left + 1, right + 1, "right" if stronger else "left")


def told_codes(moved: Movements, bins: Bins, asymmetry: float) -> Codes:
    """The code of everything that can be told, [T, TOLD]."""
    count = len(bins.words)
    codes = np.zeros((len(moved.levels), len(TOLD)), dtype=np.int16)
    codes[:, _COLUMN] = _slot_codes(moved, bins, asymmetry)
    _choose_gaze(codes, count)
    for name, parts in MERGES.items():
        _merge(codes, name, parts, count)
    _pair_gazes(codes, count)
    jaw, close, over = (TOLD_INDEX[n] for n in ("jawOpen", "mouthClose", OVER_OPEN_JAW))
    codes[:, over] = np.where(codes[:, jaw] > 0, codes[:, close], 0)
    codes[codes[:, over] > 0, close] = 0
    return codes


def _slot_codes(moved: Movements, bins: Bins, asymmetry: float) -> Codes:
    """The rules of side, for every slot at once."""
    count = np.int16(len(bins.words))
    left, right = (moved.levels[:, :, side].astype(np.int16) for side in (0, 1))
    ahead = moved.magnitudes[:, :, 0] - moved.magnitudes[:, :, 1]
    apart = PAIRED & (np.abs(ahead) >= np.float32(asymmetry - EPSILON))
    uneven = 3 * count + 1 + ((ahead < 0) * count + left - 1) * count + right - 1
    even = np.where(left == right, left, _mean_levels(moved, bins))
    one = np.where(left > 0, left + count, np.where(right > 0, right + 2 * count, 0))
    return np.asarray(
        np.where((left > 0) & (right > 0), np.where(apart, uneven, even), one), np.int16
    )


def _mean_levels(moved: Movements, bins: Bins) -> NDArray[np.int16]:
    """Levels of the mean of both sides; of the weaker side's scale where scales are mixed."""
    mean = moved.magnitudes.mean(axis=2)
    levels = bins.weights.levels(mean).astype(np.int16)
    low, high = moved.levels.min(axis=2), moved.levels.max(axis=2)
    return np.asarray(np.clip(levels, low, high), np.int16)


def _choose_gaze(codes: Codes, count: int) -> None:
    """Either lateral gazes or eyes turned in or out, never both."""
    to_left, to_right, inward, outward = (
        TOLD_INDEX[name] for name in ("gazeLeft", "gazeRight", "gazeIn", "gazeOut")
    )
    # gazeIn is told when the inward channels of both eyes are active and no outward one.
    crossed = _two_sided(codes[:, inward], count) & (codes[:, outward] == 0)
    walled = _two_sided(codes[:, outward], count) & (codes[:, inward] == 0)
    codes[crossed | walled, to_left] = 0
    codes[crossed | walled, to_right] = 0
    codes[~crossed, inward] = 0
    codes[~walled, outward] = 0


def _two_sided(column: Codes, count: int) -> NDArray[np.bool_]:
    """Whether both sides are active: any code but silent, left only and right only."""
    return np.asarray(((column > 0) & (column <= count)) | (column > 3 * count))


def _merge(codes: Codes, name: str, parts: tuple[str, str], count: int) -> None:
    one, other = (TOLD_INDEX[part] for part in parts)
    same = (codes[:, one] == codes[:, other]) & (codes[:, one] > 0) & (codes[:, one] <= count)
    codes[:, TOLD_INDEX[name]] = np.where(same, codes[:, one], 0)
    codes[same, one] = 0
    codes[same, other] = 0


def _pair_gazes(codes: Codes, count: int) -> None:
    """A code with the vertical level as left and the lateral level as right."""
    for vertical in ("Down", "Up"):
        for lateral in ("Left", "Right"):
            up, across = TOLD_INDEX[f"gaze{vertical}"], TOLD_INDEX[f"gaze{lateral}"]
            v, h = codes[:, up], codes[:, across]
            both = (v > 0) & (v <= count) & (h > 0) & (h <= count)
            paired = 3 * count + 1 + (v - 1) * count + h - 1
            codes[:, TOLD_INDEX[f"gaze{vertical}{lateral}"]] = np.where(both, paired, 0)
            codes[both, up] = 0
            codes[both, across] = 0
