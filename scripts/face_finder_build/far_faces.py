"""Rendered people from near and far, anywhere in the picture, and where each face is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semanticface.data.drawing import faces_of, renderer_of
from semanticface.data.plan import Part, Plan
from semanticface.data.splits import Side
from semanticface.render.camera import Camera
from semanticface.train.blazeface import Square
from semanticface.train.nano_view import face_camera

_ASIDE, _DOWN, _UP = 0.7, 0.5, 0.6
"""Of what the picture shows beyond the face, how much the face moves to a side."""


class Far(NamedTuple):
    """A picture, and the part of it that `face_camera` would show."""

    picture: Image.Image
    true: Square


def plan_of(frames: int, size: int, seed: int) -> Plan:
    """A person a picture."""
    return Plan(
        frames=20 * frames, identities=2 * frames, size=size, seed=seed, antialias=True,
        val=0.2, test=0.2, shard_frames=frames, setting_frames=1,
    )  # fmt: skip


def values_of(side: Side, frames: int, size: int, seed: int) -> NDArray[np.float32]:
    """[frames, 61] what the faces do."""
    return faces_of(plan_of(frames, size, seed), Part(side, 0, 0, frames)).values


def far_faces(
    side: Side, frames: int, size: int, seed: int, nearest: float, farthest: float
) -> Iterator[Far]:
    """From `nearest` to `farthest` times the distance of `face_camera`, evenly in its log."""
    plan, part = plan_of(frames, size, seed), Part(side, 0, 0, frames)
    rng = np.random.default_rng((seed, 1))
    for number, face in enumerate(values_of(side, frames, size, seed)):
        away = float(np.exp(rng.uniform(np.log(nearest), np.log(farthest))))
        room = max(away - 1, 0.04)
        aside, up = rng.uniform((-_ASIDE, -_DOWN), (_ASIDE, _UP)) * room
        view = face_camera(size, away, float(aside), float(up))
        renderer = renderer_of(plan, part, plan.setting(side, number), view)
        yield Far(Image.fromarray(renderer.render(face)), square_in(view, size))


def square_in(view: Camera, size: int) -> Square:
    """What `face_camera` shows, in a picture from another camera straight before the face."""
    close = face_camera(size)
    span = close.distance * np.tan(close.lens / 2)
    corners = np.array(close.target) + span * np.array([[-1, 1, 0], [1, -1, 0]])
    (left, top), (right, _) = view.project(np.asarray(corners, np.float32), size, size)[:, :2]
    return Square(float(left), float(top), float(right - left))
