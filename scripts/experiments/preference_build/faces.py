"""Faces of the preference experiments: what a frozen tower sees, the truth, faulty labels.

Pictures are `nano_build.views` chunks (drawn here, or taken from a folder of them). They are
looked at once, by the packaged small model: the tokens of its tower, in four groups, and what
it reads in one pass. It was trained on this renderer's true values, so policies and
discriminators that build on it see better than a tracker would. Labels are
the truth with faults as Live Link takes have them, the same for all frames of a person:

    muted       the mouth and the brows at 0.3 to 0.7 of their amplitude
    dead        each of some channels at 0 with probability 0.5
    exchanged   left and right of the mouth, with probability 0.25
    noise       0.08 on channels of 0.1 or more, anew for each frame
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nano_build import views
from nano_build.tower import Seer, patches_of

from semanticface.preference.judged import by_model
from semanticface.preference.regions import region_of
from semanticface.rig import INDEX, into_range, mirror

DEAD = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "noseSneerLeft",
        "noseSneerRight", "mouthFunnel", "mouthShrugUpper", "mouthFrownLeft", "mouthFrownRight",
        "cheekSquintLeft", "cheekSquintRight")  # fmt: skip
_MUTED, _DEAD, _EXCHANGED, _NOISE = (0.3, 0.7), 0.5, 0.25, 0.08


class Faces(NamedTuple):
    """N faces."""

    seen: NDArray[np.float32]
    """[N, 4, 2 * width] means of four by four tokens of the tower, its last and its deep ones."""
    read: NDArray[np.float32]
    """[N, 122] values and confidences of the small model's one pass."""
    truth: NDArray[np.float32]
    """[N, 61]."""
    labels: NDArray[np.float32]
    """[N, 61] with faults."""
    people: NDArray[np.int64]
    pictures: NDArray[np.uint8]

    def some(self, which: NDArray[np.intp] | slice) -> Faces:
        """Part of them."""
        return Faces(*(each[which] for each in self))


def faces(cache: Path, side: str, first: int, count: int, seed: int = 0) -> Faces:
    """`count` faces of a side from its chunk `first` on."""
    chunks = [_chunk(cache, side, number) for number in range(first, first - (-count // 500))]
    pictures, truth, people = (
        np.concatenate([each[i] for each in chunks])[:count] for i in range(3)
    )
    read = by_model()([Image.fromarray(each) for each in pictures])
    return Faces(_seen(pictures), read, truth, faulty(truth, people, seed), people, pictures)


def _chunk(cache: Path, side: str, number: int) -> tuple[NDArray[np.generic], ...]:
    file = cache / f"{side}-{number:05d}.npz"
    if not file.is_file():
        plan = views.plan_of()
        made = views.chunk(number) if side == "train" else views.drawn(plan, side, number)  # type: ignore[arg-type]
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(file, **made._asdict())
    with np.load(file) as held:
        return held["pictures"], held["values"], held["people"]


def _seen(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    import torch

    from semanticface.train.places import small_run
    from semanticface.train.predictor import opened

    seer = Seer(opened(small_run()).model.model.visual).eval()
    rows = []
    with torch.no_grad():
        for begin in range(0, len(pictures), 100):
            sight = seer(patches_of(torch.from_numpy(pictures[begin : begin + 100])))
            both = torch.cat([sight.tokens, sight.deep], 2)
            grid = both.reshape(len(both), 2, 2, 2, 2, -1).mean((2, 4))
            rows.append(grid.flatten(1, 2).numpy())
    return np.concatenate(rows)


def faulty(
    truth: NDArray[np.float32], people: NDArray[np.int64], seed: int = 0
) -> NDArray[np.float32]:
    """The labels of these faces."""
    labels = truth.copy()
    for who in np.unique(people):
        rng = np.random.default_rng([seed, int(who), 0xFA])
        mine = people == who
        for name in ("mouth", "brows"):
            labels[np.ix_(mine, region_of(name).mask)] *= rng.uniform(*_MUTED)
        for name in DEAD:
            if rng.random() < _DEAD:
                labels[mine, INDEX[name]] = 0
        if rng.random() < _EXCHANGED:
            mouth = np.ix_(mine, region_of("mouth").mask)
            labels[mouth] = mirror(labels)[mouth]
    noise = np.random.default_rng([seed, 0xF0]).normal(0, _NOISE, labels.shape)
    labels += np.where(np.abs(labels) >= 0.1, noise, 0).astype(np.float32)
    return into_range(labels).values
