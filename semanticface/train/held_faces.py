"""Faces of people whom the small model never learnt from, drawn as it wants them.

Sides are dealt by a hash of a person's seed, the same in every plan of this package: who
stands on the test side here was never in a training set that this package drew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.data.drawing import faces_of, renderer_of
from semanticface.data.plan import Part, Plan
from semanticface.errors import BadInput
from semanticface.rig import CHANNELS
from semanticface.train.nano_view import face_camera

AMONG = 12
"""Faces drawn at random of which the fullest is taken, so that there is something to see."""
_PIXELS = 112
_SHAPES = np.array([not each.signed and each.region != "gaze" for each in CHANNELS])


@dataclass(frozen=True)
class HeldFace:
    """A picture with the numbers that it was drawn from."""

    identity: int
    values: NDArray[np.float32]
    """[61]."""
    picture: NDArray[np.uint8]
    """[112, 112, 3]."""


def held_faces(count: int, seed: int = 0) -> list[HeldFace]:
    """`count` people of the test side, a face of each; chosen by the truth, never by answers."""
    if count < 1:
        raise BadInput(f"{count} faces", "one at least")
    plan = Plan(
        frames=2 * AMONG * count, identities=2 * AMONG * count, size=_PIXELS, seed=seed,
        antialias=True, val=0.0, test=0.5, setting_frames=1,
    )  # fmt: skip
    part = Part("test", 0, 0, AMONG * count)
    values = faces_of(plan, part).values
    fullest = values[:, _SHAPES].sum(1).reshape(count, AMONG).argmax(1)
    rows = np.arange(count) * AMONG + fullest
    return [_drawn(plan, part, int(row), values[row]) for row in rows]


def _drawn(plan: Plan, part: Part, row: int, face: NDArray[np.float32]) -> HeldFace:
    setting = plan.setting("test", row)
    renderer = renderer_of(plan, part, setting, face_camera(plan.size))
    return HeldFace(setting.identity, face, renderer.render(face))
