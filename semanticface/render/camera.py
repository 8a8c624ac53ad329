"""Where the viewer stands, and how metres become pixels.

A camera looks at the head from `yaw` and `pitch` (radians) around it: yaw is
positive when the camera stands on the subject's left and so shows the left side
of the face; pitch is positive when it looks down from above. In the camera's own
axes x points right in the picture, y up and z towards the viewer, so the front
camera's axes are the head's: the subject's left is on the right of the picture.

The lens is long (a portrait lens, 20 degrees from top to bottom), which keeps the
nose in proportion. Framing follows the neutral head, never the expression, so a
clip does not jitter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, radians, sin, tan

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, did_you_mean
from semanticface.render.compiled import compiled

Points = NDArray[np.float32]

VIEWS: dict[str, tuple[float, float]] = {
    "front": (0.0, 0.0),
    "left": (90.0, 0.0),
    "right": (-90.0, 0.0),
    "three-quarter": (35.0, 4.0),
    "three-quarter-right": (-35.0, 4.0),
    "low": (0.0, -20.0),
    "high": (0.0, 20.0),
}
"""Named views: yaw and pitch of the camera in degrees."""

_LENS = radians(20.0)


@dataclass(frozen=True)
class Camera:
    """A point of view. Lengths in metres, angles in radians."""

    yaw: float = 0.0
    pitch: float = 0.0
    target: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """The point in the middle of the picture."""
    distance: float = 1.0
    """From the target to the lens."""
    lens: float = _LENS
    """Angle of view over the shorter side of the picture."""

    @property
    def axes(self) -> NDArray[np.float32]:
        """[3, 3] rows: the camera's right, up and towards-the-viewer directions."""
        sy, cy, sp, cp = sin(self.yaw), cos(self.yaw), sin(self.pitch), cos(self.pitch)
        return np.array(
            [[cy, 0.0, -sy], [-sy * sp, cp, -cy * sp], [sy * cp, sp, cy * cp]], dtype=np.float32
        )

    def focal(self, width: int, height: int) -> float:
        """Pixels for one metre at one metre's distance."""
        return 0.5 * min(width, height) / tan(0.5 * self.lens)

    def project(self, points: Points, width: int, height: int) -> Points:
        """[N, 3] screen x, y (pixels, y down) and nearness (1 / metres to the lens)."""
        out = np.empty((len(points), 3), dtype=np.float32)
        project(
            np.ascontiguousarray(points, np.float32), self.axes, np.array(self.target, np.float32),
            np.float32(self.distance), np.float32(self.focal(width, height)),
            np.float32(0.5 * width), np.float32(0.5 * height), out,
        )  # fmt: skip
        return out


def camera_of(view: str | Camera | tuple[float, float]) -> Camera:
    """A camera from a view's name, `(yaw, pitch)` in degrees, or `"30,-5"` in text."""
    if isinstance(view, Camera):
        return view
    if isinstance(view, str):
        view = VIEWS[view] if view in VIEWS else _angles(view)
    return Camera(yaw=radians(view[0]), pitch=radians(view[1]))


def _angles(text: str) -> tuple[float, float]:
    try:
        numbers = [float(part) for part in text.split(",")]
        yaw, pitch = numbers if len(numbers) > 1 else (numbers[0], 0.0)
    except ValueError:
        raise BadInput(
            f"the view '{text}'", f"one of {', '.join(VIEWS)}, or yaw and pitch in degrees: 30,-5",
            hint=did_you_mean(text, VIEWS),
        ) from None  # fmt: skip
    if not (abs(yaw) <= 360 and abs(pitch) <= 89):
        raise BadInput(f"the view '{text}'", "yaw within 360 and pitch within 89 degrees")
    return yaw, pitch


def frame(camera: Camera, points: Points, width: int, height: int) -> Camera:
    """The same direction, placed so that all points [N, 3] fill the picture.

    Every point stays inside with a margin of 4 percent of the half width.
    """
    axes = camera.axes.astype(np.float64)
    seen = points @ axes.T
    middle = (seen.min(axis=0) + seen.max(axis=0)) / 2
    x, y, z = (seen - middle).T
    short, slope = min(width, height), tan(0.5 * camera.lens)
    reach = np.maximum(np.abs(x) * short / width, np.abs(y) * short / height) * 1.04 / slope
    distance = float((reach + z).max())
    target = middle @ axes
    return replace(camera, target=(target[0], target[1], target[2]), distance=distance)


@compiled
def project(
    points: Points, axes: Points, target: Points, distance: np.float32, focal: np.float32,
    middle_x: np.float32, middle_y: np.float32, out: Points,
) -> None:  # fmt: skip
    """Fill `out` [N, 3] with screen x, y and 1 / depth."""
    for i in range(points.shape[0]):
        x = points[i, 0] - target[0]
        y = points[i, 1] - target[1]
        z = points[i, 2] - target[2]
        depth = distance - (axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z)
        near = np.float32(1.0) / max(depth, np.float32(1e-3))
        out[i, 0] = middle_x + focal * near * (axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z)
        out[i, 1] = middle_y - focal * near * (axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z)
        out[i, 2] = near
