"""Upper face, lower face: what a crop shows and where it fades out.

The border is a line on the unmoved skin, a little below the middle between eyes
and mouth for the upper part and a little above it for the lower one, so a moving
face keeps it. Lengths are taken from the distance of the eyes, so any head works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from semanticface.render.head import Head

Floats = NDArray[np.float32]

CROPS = ("full", "upper", "lower")

# in distances between the eyes; y is up and zero between the eyes
_UPPER_ENDS, _LOWER_BEGINS, _SOFT = -0.58, -0.34, 0.14
_BOXES = {
    "upper": ((-1.30, -0.66, 0.0), (1.30, 1.25, 0.6)),
    "lower": ((-1.15, -2.20, 0.0), (1.15, -0.28, 0.6)),
}


def eye_distance(head: Head) -> float:
    """Metres between the centres of the eyeballs."""
    left, right = head.eyes
    return float(np.linalg.norm(np.asarray(left.centre) - np.asarray(right.centre)))


def region_weights(head: Head, which: str) -> Floats:
    """[V] 1 in the region, 0 outside, smooth over about 9 mm at the border."""
    if which == "full":
        return np.ones(len(head.neutral), np.float32)
    height = head.neutral[:, 1] / eye_distance(head)
    above = height - (_UPPER_ENDS if which == "upper" else _LOWER_BEGINS)
    t = np.clip((above if which == "upper" else -above) / (2 * _SOFT) + 0.5, 0, 1)
    weights = t * t * (3 - 2 * t)
    for eye in head.eyes:
        weights[eye.vertices] = 1.0 if which == "upper" else 0.0
    return np.asarray(weights, np.float32)


def framing_points(head: Head, offset: Floats | None, crop: str) -> Floats:
    """[N, 3] what the picture must hold, in metres.

    The full picture reaches from the chin of the wide open jaw to the top of the
    head; neck and shoulders run out of it.
    """
    if crop != "full":
        (left, low, back), (right, high, front) = np.array(_BOXES[crop]) * eye_distance(head)
        corners = [(x, y, z) for x in (left, right) for y in (low, high) for z in (back, front)]
        return np.array(corners, np.float32)
    from semanticface.render.head import pose
    from semanticface.rig import COUNT, INDEX

    rest, wide = np.zeros((2, COUNT), np.float32)
    wide[INDEX["jawOpen"]] = 1
    shut, opened = (pose(head, values, offset) for values in (rest, wide))
    moved = np.linalg.norm(opened - shut, axis=1) > 0.002
    chin = opened[moved, 1].min() if moved.any() else opened[:, 1].min()
    return np.concatenate([points[points[:, 1] > chin - 0.004] for points in (shut, opened)])
