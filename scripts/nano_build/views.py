"""Rendered faces without end, in numbered chunks, with what the tower is to learn from each.

Chunk n is the same bytes whenever and wherever it is made. People of the held-out sides
never stand in a training chunk (`data.plan` puts each person on one side for good).

Beside the 61 numbers, each cell of a picture gets ten of its own, straight from the mesh:
the share of it that the head covers, the mean place of what is seen on the mean head, how
far the expression has moved it, and how far it lies from the mean head's. That says where
things are and what they do there, which sixty-one numbers a picture say only in the end.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
from nano_build.wild import wild_faces
from numpy.typing import NDArray

from semanticface.data.drawing import faces_of, renderer_of
from semanticface.data.plan import Part, Plan
from semanticface.data.splits import Side
from semanticface.render.blend import Poser
from semanticface.render.head import load_head
from semanticface.render.picture import Renderer
from semanticface.rig import INDEX
from semanticface.train.nano import PIXELS
from semanticface.train.nano_view import face_camera

CHUNK = 500
WILD = 10_000
"""Training chunks from this number on show faces that follow no habits (`nano_build.wild`)."""
LONE = 20_000
"""And from this one on, faces that move in one or two ways only."""
CELL = 7
"""Pixels a side of what has numbers of its own: a quarter of a patch."""
GRID = PIXELS // CELL
POINTS = 10
"""Numbers of a cell: cover, place (3), movement (3), what is the person's own (3)."""
_PLACE, _MOVE, _OWN = 0.1, 0.004, 0.008
"""Metres that count as 1 in a place, in a movement and in a person's shape."""
_SAMPLES = (1, 3, 5)
"""Rows and columns of a cell that are looked at."""
_HEAD = slice(INDEX["headYaw"], INDEX["headRoll"] + 1)
_IDENTITIES = 12_000
_NEAREST, _FARTHEST, _ASIDE = 0.92, 1.1, 0.04


class Views(NamedTuple):
    """Pictures and what they show."""

    pictures: NDArray[np.uint8]
    """[N, PIXELS, PIXELS, 3]."""
    values: NDArray[np.float32]
    """[N, 61]."""
    points: NDArray[np.float16]
    """[N, GRID, GRID, 10]."""
    people: NDArray[np.int64]
    """[N] seeds."""


@cache
def plan_of(seed: int = 0, look: str = "realistic", coverage: float = 0.5) -> Plan:
    """A plan whose end nobody reaches; antialiasing is chosen chunk by chunk."""
    return Plan(
        frames=200_000_000, identities=_IDENTITIES, looks=(look,), size=PIXELS, seed=seed,
        coverage=coverage, val=0.02, test=0.02, shard_frames=CHUNK, setting_frames=20,
    )  # fmt: skip


def chunk(number: int, seed: int = 0) -> Views:
    """Training chunk `number`: every eighth is clay, every other one is antialiased."""
    plan = plan_of(seed, "clay" if number % 8 == 7 else "realistic")
    return drawn(replace(plan, antialias=number % 2 == 1), "train", number, number >= WILD)


def drawn(plan: Plan, side: Side, number: int, wild: bool = False) -> Views:
    """One chunk of a plan; `wild` faces are held and lit as the plan's are."""
    part = Part(side, number, number * CHUNK, CHUNK)
    faces = faces_of(plan, part).values
    if wild:
        turned = faces[:, _HEAD].copy()
        faces = wild_faces(CHUNK, plan.stream("wild", side, number), lone=number >= LONE)
        faces[:, _HEAD] = turned
    pictures = np.zeros((CHUNK, PIXELS, PIXELS, 3), np.uint8)
    points = np.zeros((CHUNK, GRID, GRID, POINTS), np.float16)
    people = np.zeros(CHUNK, np.int64)
    known = -1
    for i, face in enumerate(faces):
        setting = plan.setting(side, part.first + i)
        if setting.number != known:
            known, renderer = setting.number, closer(plan, part, setting.number)
            poser = Poser(load_head(), renderer.offset)
        pictures[i] = renderer.render(face)
        points[i] = points_of(renderer, poser, face)
        people[i] = setting.identity
    return Views(pictures, faces, points, people)


def closer(plan: Plan, part: Part, number: int) -> Renderer:
    """The renderer of a setting, as the plan lights and paints it, cut to the face."""
    setting = plan.setting(part.side, number * plan.setting_frames)
    rng = np.random.default_rng(plan.stream("nearer", part.side, number))
    away, aside, up = rng.uniform((_NEAREST, -_ASIDE, -_ASIDE), (_FARTHEST, _ASIDE, _ASIDE))
    return renderer_of(plan, part, setting, face_camera(plan.size, away, aside, up))


def points_of(renderer: Renderer, poser: Poser, face: NDArray[np.float32]) -> NDArray[np.float32]:
    """[GRID, GRID, 10] of the picture drawn last."""
    head = renderer.head
    cells = renderer.surface().reshape(GRID, CELL, GRID, CELL)
    seen = cells[:, _SAMPLES][:, :, :, _SAMPLES]
    straight = face.copy()
    straight[_HEAD] = 0
    own = np.zeros_like(head.neutral) if renderer.offset is None else renderer.offset
    moved = poser(straight) - head.neutral - own
    held = np.concatenate([head.neutral / _PLACE, moved / _MOVE, own / _OWN], 1)
    shown, where = np.unique(np.maximum(seen - 1, 0), return_inverse=True)
    of_triangle = held[head.triangles[shown]].mean(1)
    cover = (seen > 0).astype(np.float32)[..., None]
    summed = np.concatenate([cover, of_triangle[where.reshape(seen.shape)] * cover], 4)
    means = summed.mean((1, 3))
    means[..., 1:] /= np.maximum(means[..., :1], 1e-6)
    return np.asarray(np.clip(means, -8, 8), np.float32)
