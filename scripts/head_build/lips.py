"""Close the lips of the neutral face, and keep them closed on every other person.

MakeHuman's rest leaves a slit of up to a millimetre that grows and shrinks with the
person. The rim of the mouth is one loop of edges; its upper half is paired with its
lower half, and whatever parts a pair is taken back from the lips around it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from head_build.source import Array, Base, Index

START = 520
"""Vertex of the skin's base mesh in the middle of the upper lip's rim."""
OVERLAP = -0.0003
"""How far the upper rim stands below the lower one at rest: no light between the lips."""
_REACH = 0.006
"""How far the correction fades out around the rim, metres."""
_JAW = -0.012
"""Vertices that jawOpen moves down by more than this belong to the lower lip."""


@dataclass(frozen=True)
class Rim:
    """The rim of the mouth from the subject's right corner to the left one, both chains."""

    upper: Index
    lower: Index


def find_rim(base: Base, jaw_open: Array) -> Rim:
    """Walk the edge loop through the middle of the upper lip."""
    loop = _edge_loop(base.faces["body"], START, base)
    corner = int(base.vertices[loop, 0].argmax())
    upper, lower = loop[: corner + 1], loop[corner:][::-1]
    if jaw_open[upper[0], 1] < _JAW or jaw_open[lower[0], 1] > _JAW:
        raise RuntimeError("the rim of the mouth is not where it was: another base mesh?")
    return Rim(*(np.r_[base.mirror[each[1:]][::-1], each] for each in (upper, lower)))


def _edge_loop(quads: Index, start: int, base: Base) -> Index:
    """Vertices of the loop through `start` sideways, over the left half, to the lower lip."""
    neighbours: dict[int, set[int]] = {}
    faces: dict[tuple[int, int], set[int]] = {}
    for number, quad in enumerate(quads):
        for a, b in zip(quad, np.roll(quad, -1), strict=True):
            neighbours.setdefault(int(a), set()).add(int(b))
            neighbours.setdefault(int(b), set()).add(int(a))
            faces.setdefault((min(a, b), max(a, b)), set()).add(number)

    def edge(a: int, b: int) -> set[int]:
        return faces[(min(a, b), max(a, b))]

    aside = max(neighbours[start], key=lambda each: base.vertices[each, 0])
    loop = [start, aside]
    while base.vertices[loop[-1], 0] > 1e-6:
        here, before = loop[-1], loop[-2]
        ahead = [n for n in neighbours[here] if not edge(here, n) & edge(before, here)]
        if len(ahead) != 1:
            raise RuntimeError(f"the rim of the mouth forks at vertex {here}")
        loop.append(ahead[0])
    return np.array(loop)


class Closer:
    """Takes back what parts the lips, as a linear map of any field on the base mesh."""

    def __init__(self, rim: Rim, rest: Array, jaw_open: Array, near: Index) -> None:
        self._rim, self._rest, self._near = rim, rest, near
        edge = rest[rim.upper, 0].max() * 0.998
        self.at = np.linspace(-edge, edge, 81)
        points = rest[near]
        chain = np.concatenate((rest[rim.upper], rest[rim.lower]))
        far = np.linalg.norm(points[:, None] - chain[None], axis=2).min(1)
        fade = np.exp(-((far / _REACH) ** 2))
        low = jaw_open[near, 1] < _JAW
        self._up, self._down = fade * ~low / 2, fade * low / 2

    def gaps(self, field: Array) -> Array:
        """Height of the upper rim less that of the lower at the places `at`, metres."""
        upper, lower = (
            np.interp(self.at, self._rest[chain, 0], field[chain, 1])
            for chain in (self._rim.upper, self._rim.lower)
        )
        return np.asarray(upper - lower)

    def close(self, field: Array, target: float = 0.0) -> Array:
        """The field with its rims at the distance `target`, half moved from either side."""
        closed = field.copy()
        ends = 1 - (np.abs(self.at) / self.at.max()) ** 30
        for _ in range(6):
            excess = (self.gaps(closed) - target) * ends
            parted = np.interp(self._rest[self._near, 0], self.at, excess)
            closed[self._near, 1] += (self._down - self._up) * parted
        return closed
