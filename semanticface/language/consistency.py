"""Does a text say what the numbers say?

The rules. A claim is contradicted when

* it says a movement is active and the number is below the active threshold;
* it says a movement is absent and the number is at or above the threshold;
* its intensity word's range, widened by `tolerance` at both ends, does not hold
  the number (the ranges are those of `intensity`; `strong` is open upwards);
* it names a side and only the other side is active, or says both sides are
  active and one is not;
* it says the sides differ and they differ by less than `asymmetry`, or names
  the stronger side and the other one is stronger;
* it says the sides are equal and a pair differs by `clear` or more.

Comparisons include their limits (with 1e-6 to spare), since released answers
are multiples of 0.1. Where words have several readings one that fits is enough;
a claim without a side is held against the mean of the active sides. Claims about
absent channels, and hedged claims that the numbers do not bear out, are unclear.
An absent number never counts as 0: what it could decide stays unclear, as does
a comparison of sides of which one is absent. Of the whole face, the movements
that were measured are judged.

A channel counts as mentioned when an active, inactive or asymmetric claim about
its movement (and side) was made, true or not, unless it is hedged and not borne
out; such a claim also keeps a text from holding. Eye rotations need no mention
where the eyeLook channels are present.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput
from semanticface.language.claims import FACE, LIMIT, Claim, read_claims
from semanticface.language.description import Description
from semanticface.language.intensity import DEFAULT, EPSILON, Bins, IntensityBins
from semanticface.language.slots import (
    SLOT_INDEX,
    SLOTS,
    Movements,
    as_frames,
    movements,
    read_from,
)
from semanticface.rig.channels import COUNT, NAMES

ASYMMETRY = 0.1
CLEAR = 0.2
"""The least difference that makes a claimed symmetry false."""
TOLERANCE = 0.1
"""How far beyond an intensity word's range a number may lie, in weights and in radians."""

Outcome = Literal["supported", "contradicted", "unclear"]


class Verdict(NamedTuple):
    """A claim, the numbers it was held against, and why it stands or falls."""

    claim: Claim
    outcome: Outcome
    numbers: dict[str, float]
    reason: str
    doubted: bool = False
    """Whether the claim is hedged and the numbers speak against it."""


class Consistency(NamedTuple):
    """A text held against 61 numbers."""

    supported: tuple[Verdict, ...]
    contradicted: tuple[Verdict, ...]
    unclear: tuple[Verdict, ...]
    unmentioned: dict[str, float]
    """Active channels that the text does not speak of."""
    active: int
    """How many channels are active and want a mention."""
    unread: int = 0
    """Characters at the text's end that were not read, for its length; see `claims.LIMIT`."""

    @property
    def contradiction_rate(self) -> float:
        """Contradicted claims among those a rule could decide; NaN without any."""
        decided = len(self.supported) + len(self.contradicted)
        return len(self.contradicted) / decided if decided else math.nan

    @property
    def coverage(self) -> float:
        """Mentioned channels among the active ones; 1 for a face at rest."""
        return 1 - len(self.unmentioned) / self.active if self.active else 1.0

    @property
    def holds(self) -> bool:
        """All was read, nothing is false (hedged or not) and nothing active left out."""
        doubted = any(verdict.doubted for verdict in self.unclear)
        return not (self.contradicted or doubted or self.unmentioned or self.unread)


def check(
    text: str | Description,
    values: ArrayLike,
    *,
    bins: Bins = DEFAULT,
    tolerance: float = TOLERANCE,
    asymmetry: float = ASYMMETRY,
    clear: float = CLEAR,
    language: str = "auto",
) -> Consistency:
    """Hold a text against the 61 values it should describe; see the rules above."""
    face = np.asarray(values, dtype=np.float32)
    if face.shape != (COUNT,):
        raise BadInput(f"values of shape {face.shape}", f"({COUNT},), one frame")
    judge = _Judge(face, bins, tolerance, asymmetry, clear)
    verdicts = [judge.verdict(claim) for claim in read_claims(text, language)]
    wanted = judge.active_channels()
    told = {name for each in verdicts if not each.doubted for name in judge.mentioned(each.claim)}

    def having(outcome: Outcome) -> tuple[Verdict, ...]:
        return tuple(each for each in verdicts if each.outcome == outcome)

    return Consistency(
        having("supported"), having("contradicted"), having("unclear"),
        {name: value for name, value in wanted.items() if name not in told}, len(wanted),
        max(0, len(text.as_text() if isinstance(text, Description) else text) - LIMIT),
    )  # fmt: skip


_SIDES: dict[str | None, tuple[int, ...]] = {
    "left": (0,),
    "right": (1,),
    "both": (0, 1),
    None: (0, 1),
}
_SIDE_NAMES = ("left", "right")
_EYEBALLS = ("gaze", "eyeRoll")
"""Where the eyes look is no symmetry of the face: they converge on what is near."""
_UNKNOWN = "the channels it speaks of were not measured"


class _Judge:
    """One face and the limits it is judged by."""

    def __init__(
        self, face: NDArray[np.float32], bins: Bins, tolerance: float, asymmetry: float,
        clear: float,
    ) -> None:  # fmt: skip
        self.bins, self.tolerance, self.asymmetry, self.clear = bins, tolerance, asymmetry, clear
        frames = as_frames(face[None])
        moved: Movements = movements(frames, bins)
        self.sizes, self.levels = moved.magnitudes[0], moved.levels[0]
        self.channels = read_from(frames)
        self.absent = {name for name, value in zip(NAMES, face, strict=True) if np.isnan(value)}
        self.rotated = {name for pair in self.channels.values() for name in pair if "Eye" in name}

    # -- outcomes

    def verdict(self, claim: Claim) -> Verdict:
        names = self._readings(claim)
        finding = self._fault(claim, names) if names else _UNKNOWN
        numbers = self._numbers(claim, names)
        if finding == _UNKNOWN:
            return Verdict(claim, "unclear", numbers, _UNKNOWN)
        if finding is None:
            return Verdict(claim, "supported", numbers, "the numbers bear it out")
        if claim.hedged:
            return Verdict(claim, "unclear", numbers, f"hedged, and {finding}", doubted=True)
        return Verdict(claim, "contradicted", numbers, finding)

    def _readings(self, claim: Claim) -> list[str]:
        """The claim's movements; of the whole face those measured that it can be about."""
        if claim.movements != (FACE,):
            return list(claim.movements)
        doubled = self._doubled_gazes()
        return [
            slot.name for slot in SLOTS
            if slot.name not in doubled and not self._unknown(slot.name, (0, 1))
            and (slot.paired or claim.kind == "inactive")
            and not (claim.kind == "symmetric" and slot.name.startswith(_EYEBALLS))
        ]  # fmt: skip

    def _doubled_gazes(self) -> tuple[str, ...]:
        """The lateral gazes that tell the same channels in the less fitting way."""
        inward, outward = (self.levels[SLOT_INDEX[name]] for name in ("gazeIn", "gazeOut"))
        together = (min(inward) > 0 and not max(outward)) or (min(outward) > 0 and not max(inward))
        return ("gazeLeft", "gazeRight") if together else ("gazeIn", "gazeOut")

    def _unknown(self, name: str, sides: tuple[int, ...]) -> bool:
        """Whether any of the sides was not measured."""
        return any(self.channels[name][side] in self.absent for side in sides)

    def _fault(self, claim: Claim, names: list[str]) -> str | None:
        """Why the claim is false, `_UNKNOWN`, or None where it is true."""
        findings = [self._finding(claim, name) for name in names]
        faults = [each for each in findings if each not in (None, _UNKNOWN)]
        any_will_do = claim.kind in ("active", "asymmetric")
        if any_will_do and None in findings:
            return None
        if _UNKNOWN in findings and (any_will_do or not faults):
            return _UNKNOWN
        return faults[0] if faults else None

    def _finding(self, claim: Claim, name: str) -> str | None:
        """The same for one reading."""
        compared = claim.kind in ("symmetric", "asymmetric")
        sides = _SIDES[None if compared else claim.side]
        unknown = self._unknown(name, sides)
        if unknown and (compared or self._unmeasured(name, sides)):
            return _UNKNOWN
        fault = self._one_fault(claim, name)
        if unknown and claim.kind == "active" and claim.side is None:
            return _UNKNOWN if fault else None
        return _UNKNOWN if unknown and fault is None else fault

    def _unmeasured(self, name: str, sides: tuple[int, ...]) -> bool:
        return all(self.channels[name][side] in self.absent for side in sides)

    def _one_fault(self, claim: Claim, name: str) -> str | None:
        if claim.kind == "active":
            return self._active_fault(claim, name)
        if claim.kind == "inactive":
            return self._inactive_fault(claim, name)
        if claim.kind == "symmetric":
            return self._symmetric_fault(name)
        return self._asymmetric_fault(claim, name)

    def _active_fault(self, claim: Claim, name: str) -> str | None:
        index = SLOT_INDEX[name]
        sides = [s for s in _SIDES[claim.side] if self.channels[name][s] not in self.absent]
        sizes = {self._where(name, side): float(self.sizes[index, side]) for side in sides}
        if claim.side is None:
            sizes = {name: self._one_size(list(sizes.values()), self._bins(name))}
        bins = self._bins(name)
        faults = [self._level_fault(claim, where, size, bins) for where, size in sizes.items()]
        return next((fault for fault in faults if fault), None)

    def _one_size(self, sizes: list[float], bins: IntensityBins) -> float:
        """What a claim without a side is held against: the mean of the active sides."""
        active = [size for size in sizes if size >= bins.active - EPSILON]
        return sum(active) / len(active) if active else max(sizes)

    def _level_fault(
        self, claim: Claim, where: str, value: float, bins: IntensityBins
    ) -> str | None:
        """Why a number does not bear out the claimed activity and level."""
        low, high = self._range(claim.level, bins)
        if value < bins.active - EPSILON and low > 0:
            return f"{where} is {_told(value)}, below the active threshold {_told(bins.active)}"
        if low - self.tolerance - EPSILON <= value < high + self.tolerance - EPSILON:
            return None
        said = (claim.level[0] or "minimal") if claim.level else ""
        word = bins.word(value) or "inactive"
        return f"{where} is {_told(value)}, which is {word} and not {said}"

    def _range(self, level: tuple[str, str] | None, bins: IntensityBins) -> tuple[float, float]:
        if level is None:
            return bins.active, math.inf
        low, high = level
        return (bins.range_of(low)[0] if low else 0.0, bins.range_of(high)[1])

    def _inactive_fault(self, claim: Claim, name: str) -> str | None:
        for side in _SIDES[claim.side]:
            if self.levels[SLOT_INDEX[name], side]:
                value = self.sizes[SLOT_INDEX[name], side]
                return f"{self._where(name, side)} is active at {_told(value)}"
        return None

    def _asymmetric_fault(self, claim: Claim, name: str) -> str | None:
        left, right = (float(each) for each in self.sizes[SLOT_INDEX[name]])
        ahead = left - right
        if abs(ahead) < self.asymmetry - EPSILON:
            return f"{name} is {_told(left)} on the left and {_told(right)} on the right"
        if claim.stronger and (claim.stronger == "left") != (ahead > 0):
            return f"{name} is stronger on the other side: left {_told(left)}, right {_told(right)}"
        return None

    def _symmetric_fault(self, name: str) -> str | None:
        left, right = (float(each) for each in self.sizes[SLOT_INDEX[name]])
        if abs(left - right) >= self.clear - EPSILON and max(self.levels[SLOT_INDEX[name]]):
            return f"{name} differs: left {_told(left)}, right {_told(right)}"
        return None

    # -- numbers

    def _bins(self, name: str) -> IntensityBins:
        slot = SLOTS[SLOT_INDEX[name]]
        if slot.scale == "head":
            return self.bins.head
        rotated = self.channels[name][0] in self.rotated or self.channels[name][1] in self.rotated
        return self.bins.eyes if slot.scale == "eye" or rotated else self.bins.weights

    def _where(self, name: str, side: int) -> str:
        slot = SLOTS[SLOT_INDEX[name]]
        return f"{name} ({_SIDE_NAMES[side]})" if slot.paired else name

    def _numbers(self, claim: Claim, names: list[str]) -> dict[str, float]:
        if claim.movements == (FACE,):
            names = [name for name in names if max(self.levels[SLOT_INDEX[name]])]
        return {
            self.channels[name][side]: round(float(self.sizes[SLOT_INDEX[name], side]), 4)
            for name in names
            for side in _SIDES[claim.side if claim.kind in ("active", "inactive") else None]
            if not self._unknown(name, (side,))
        }

    def active_channels(self) -> dict[str, float]:
        """Active channels that want a mention, with their values."""
        return {
            self.channels[slot.name][side]: round(float(self.sizes[i, side]), 4)
            for i, slot in enumerate(SLOTS)
            for side in (0, 1)
            if self.levels[i, side]
        }

    def mentioned(self, claim: Claim) -> set[str]:
        """The channels that a claim speaks of."""
        if claim.kind == "symmetric" or claim.movements == (FACE,):
            return set()
        return {
            self.channels[name][side] for name in claim.movements for side in _SIDES[claim.side]
        }


def _told(value: float | np.floating) -> str:
    return f"{float(value):.2f}".rstrip("0").rstrip(".") or "0"
