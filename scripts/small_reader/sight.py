"""What the packaged model's tower sees of rendered faces, computed once and kept.

The tower is frozen in every experiment that uses this. It learnt on renders of the training
side's people, so what is compared is how a language model reads the same tokens.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from nano_build import views
from nano_build.tower import Seer, patches_of
from numpy.typing import NDArray

from semanticface.data.plan import Plan
from semanticface.data.splits import Side
from semanticface.rig import COUNT, INDEX
from semanticface.train.places import small_run
from semanticface.train.predictor import load_run

NAMES = (
    "eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthPucker", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "browDownLeft", "browDownRight",
    "browInnerUp", "cheekPuff",
)  # fmt: skip
"""The channels that the experiments ask for, of 61: all would make a JSON of 550 tokens."""
SUBSET = tuple(sorted(INDEX[name] for name in NAMES))
_BATCH = 100


class Faces(NamedTuple):
    """Faces as the tower's tokens."""

    seen: NDArray[np.float16]
    """[N, 16, 512]: tokens for the first layer, beside those for the second."""
    values: NDArray[np.float32]
    """[N, 61], NaN but for the channels asked for."""
    people: NDArray[np.int64]


def faces(folder: Path, side: Side, numbers: range, plan: Plan | None = None) -> Faces:
    """Chunks of 500 faces as tokens; what `folder` does not hold is drawn first."""
    held = [_chunk(folder, side, number, plan) for number in numbers]
    return Faces(*(np.concatenate(part) for part in zip(*held, strict=True)))


def pictures(folder: Path, side: Side, number: int, plan: Plan | None = None) -> views.Views:
    """One chunk as it is drawn, kept in `folder` by the small model's own names."""
    name = side if plan is None else f"{side}-of-{plan.identities}"
    file = folder / f"{name}-{number:05d}.npz"
    if not file.is_file():
        chosen = plan or replace(views.plan_of(coverage=0.3), antialias=True)
        drawn = views.chunk(number) if plan is None and side == "train" else \
            views.drawn(chosen, side, number)  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(file, **drawn._asdict())
    with np.load(file) as held:
        return views.Views(*(held[key] for key in views.Views._fields))


def _chunk(folder: Path, side: Side, number: int, plan: Plan | None) -> Faces:
    name = side if plan is None else f"{side}-of-{plan.identities}"
    file = folder / "seen" / f"{name}-{number:05d}.npz"
    if not file.is_file():
        shown = pictures(folder, side, number, plan)
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, seen=_seen(shown.pictures), values=shown.values, people=shown.people)
    with np.load(file) as held:
        values = np.full((len(held["values"]), COUNT), np.nan, np.float32)
        values[:, SUBSET] = held["values"][:, SUBSET]
        return Faces(held["seen"], values, held["people"])


def _seen(shown: NDArray[np.uint8]) -> NDArray[np.float16]:
    """[N, 16, 512] of uint8 [N, 112, 112, 3]."""
    seer = Seer(load_run(small_run()).model.model.visual).eval()
    made = []
    with torch.inference_mode():
        for first in range(0, len(shown), _BATCH):
            sight = seer(patches_of(torch.from_numpy(shown[first : first + _BATCH])))
            made.append(torch.cat([sight.tokens, sight.deep], 2).half().numpy())
    return np.concatenate(made)
