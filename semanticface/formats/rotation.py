"""Angles as other tools write them: degrees and quaternions, from the rig's radians.

Three axes, fixed to the head: x through the ears, y up, z through the nose. Two
of the rig's signs differ between the head and the eyes (head pitch is positive
upwards, eye pitch downwards; head yaw is positive to the subject's left, eye yaw
to the right), so both senses are named here once.
"""

from __future__ import annotations

import math
from typing import NamedTuple

PARTS = ("head", "leftEye", "rightEye")


class Turn(NamedTuple):
    """A rotation in radians: positive looks down, to the subject's left, leans to the right."""

    down: float
    left: float
    lean: float

    @property
    def known(self) -> bool:
        """Whether all three angles were measured."""
        return not any(math.isnan(angle) for angle in self)


Quaternion = tuple[float, float, float, float]
"""x, y, z, w."""


def names(part: str) -> tuple[str, str, str]:
    """The rig's channels of a part: yaw, pitch, roll."""
    return f"{part}Yaw", f"{part}Pitch", f"{part}Roll"


def turn(part: str, yaw: float, pitch: float, roll: float) -> Turn:
    """The rig's three angles of a part as a turn."""
    return Turn(-pitch, yaw, roll) if part == "head" else Turn(pitch, -yaw, roll)


def angles(part: str, turned: Turn) -> dict[str, float]:
    """A turn as the rig's three channels."""
    head = part == "head"
    pitch = -turned.down if head else turned.down
    yaw = turned.left if head else -turned.left
    return dict(zip(names(part), (yaw + 0.0, pitch + 0.0, turned.lean), strict=True))


def to_unity(turned: Turn) -> Quaternion:
    """A turn as Unity's quaternion: left-handed, y up, z forward; yaw, then pitch, then roll."""
    x, y, z = turned.down / 2, -turned.left / 2, -turned.lean / 2
    sx, cx, sy, cy = math.sin(x), math.cos(x), math.sin(y), math.cos(y)
    sz, cz = math.sin(z), math.cos(z)
    return (
        cy * sx * cz + sy * cx * sz,
        sy * cx * cz - cy * sx * sz,
        cy * cx * sz - sy * sx * cz,
        cy * cx * cz + sy * sx * sz,
    )


def from_unity(rotation: Quaternion) -> Turn | None:
    """The turn behind Unity's quaternion, None if it is no rotation.

    Beyond a quarter turn up or down yaw and roll are no longer told apart.
    """
    size = math.hypot(*rotation)
    if not 0.5 < size < 2:
        return None
    x, y, z, w = (part / size for part in rotation)
    down = math.asin(max(-1.0, min(1.0, 2 * (w * x - y * z))))
    yaw = math.atan2(2 * (w * y + x * z), 1 - 2 * (x * x + y * y))
    roll = math.atan2(2 * (w * z + x * y), 1 - 2 * (x * x + z * z))
    return Turn(down, -yaw + 0.0, -roll + 0.0)
