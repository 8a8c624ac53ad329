"""Faces in which everything moves by itself: no habit ties one movement to another.

Life seldom moves a jaw to a side (three faces in a hundred) and almost never shuts one eye
alone (four in a thousand differ by 0.2), so a tower that is shown only life learns the
habits instead of looking. Here each movement comes and goes on its own, on one side, on
both alike, or on both apart, and the gaze goes anywhere. Anatomy still has its say.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semanticface.motion.anatomy import Moment, embody
from semanticface.motion.expressions import resting
from semanticface.motion.repertoire import SHAPES, Array, repertoire
from semanticface.rig import BLENDSHAPES, INDEX

_BUSY = (0.04, 0.30)
"""Share of a face's movements that are under way, least and most."""
_LONE = (0.01, 0.06)
"""The same where a movement is to be seen alone, or nearly so."""
_LEVEL = (0.05, 1.1)
_ALIKE, _APART = 0.4, 0.7
"""Below the first both sides move alike, from there to the second apart, beyond one alone."""
_ASIDE, _UP = 0.55, 0.4
_BLINKING = 0.35
_EYES = ("eyeBlink", "eyeLook")
_EITHER = (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))
"""Pairs of a movement's two directions, not of a face's two sides."""
_PAIRS = [
    (each.index, INDEX[each.mirror])
    for each in BLENDSHAPES
    if each.side == "left" and not each.name.startswith(_EYES)
]
_ALONE = [each.index for each in BLENDSHAPES
          if each.index not in {i for pair in _PAIRS for i in pair}
          and not each.name.startswith(_EYES)]  # fmt: skip


def wild_faces(count: int, seed: int, lone: bool = False) -> NDArray[np.float32]:
    """Values [count, 61] with the head straight; `lone` faces move in one or two ways at most."""
    rng = np.random.default_rng(seed)
    table = replace(repertoire(), coupling=np.eye(SHAPES))
    share = rng.uniform(*(_LONE if lone else _BUSY), (count, 1))
    drives = np.zeros((count, SHAPES))
    drives[:, _ALONE] = _levels(rng, count, len(_ALONE), share)
    left, right = (list(side) for side in zip(*_PAIRS, strict=True))
    drives[:, left], drives[:, right] = _sided(rng, _levels(rng, count, len(_PAIRS), share))
    for pair in _EITHER:
        drives[np.arange(count), np.where(rng.random(count) < 0.5, *map(INDEX.get, pair))] = 0
    aside = _ASIDE * rng.standard_normal(count)
    up = _UP * rng.standard_normal(count)
    head = np.zeros((count, 3))
    return embody(
        Moment(resting(rng, count, table), drives, aside, up, _lids(rng, count), head), table
    )


def _levels(rng: np.random.Generator, count: int, movements: int, share: Array) -> Array:
    shows = rng.random((count, movements)) < share
    return np.asarray(shows * rng.uniform(*_LEVEL, (count, movements)))


def _sided(rng: np.random.Generator, level: Array) -> tuple[Array, Array]:
    """The levels of the left and of the right side."""
    kind, first = rng.random(level.shape), rng.random(level.shape) < 0.5
    weaker = np.where(kind < _APART, level * rng.random(level.shape), 0)
    other = np.where(kind < _ALIKE, level, weaker)
    return np.where(first, level, other), np.where(first, other, level)


def _lids(rng: np.random.Generator, count: int) -> Array:
    level = rng.random((count, 1)) * (rng.random((count, 1)) < _BLINKING)
    return np.concatenate(_sided(rng, level), 1)
