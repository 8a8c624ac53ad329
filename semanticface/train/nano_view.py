"""How the small model wants a face: from ear to ear and from brows to chin.

At 112 pixels a whole head would leave eight of them for an eye. Whoever has a face's box
from a detector cuts a picture to the same frame; renders are drawn in it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semanticface.render import camera as cameras
from semanticface.render.camera import Camera
from semanticface.render.crop import eye_distance
from semanticface.render.head import load_head

BOX = ((-1.25, -2.3, 0.0), (1.25, 0.9, 0.6))
"""Corners in distances between the eyes, from between the eyes; y is up, z to the front."""


def face_camera(size: int, away: float = 1.0, aside: float = 0.0, up: float = 0.0) -> Camera:
    """A camera straight before the face.

    `away` is a share of the distance at which the box fills the picture; `aside` and `up`
    move the middle by shares of half its width.
    """
    (left, low, back), (right, high, front) = np.array(BOX) * eye_distance(load_head())
    corners = [(x, y, z) for x in (left, right) for y in (low, high) for z in (back, front)]
    framed = cameras.frame(Camera(), np.array(corners, np.float32), size, size)
    span = framed.distance * np.tan(framed.lens / 2)
    right_of, up_of, _ = framed.axes
    middle = np.array(framed.target) + span * (aside * right_of + up * up_of)
    x, y, z = (float(each) for each in middle)
    return replace(framed, distance=framed.distance * away, target=(x, y, z))
