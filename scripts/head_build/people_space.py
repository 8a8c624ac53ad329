"""Turn many sampled people into a mean and a few components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from head_build.people import PEOPLE, SEED, People
from head_build.source import Array, Base, Index, Material

EVENED = 0.7
"""Share of the difference in size, in logarithms, that is taken out: heads fit one frame."""


@dataclass(frozen=True)
class Space:
    """Mean person [B,3] (eye midpoint at the origin) and components [K,B,3], one deviation each."""

    mean: Array
    components: Array
    explained: float
    """Share of the variance of all kept vertices that the components carry."""
    count: int


def identity_space(material: Material, base: Base, components: int) -> Space:
    """PCA of people with the eye midpoint at the origin and the size mostly kept."""
    keep = np.flatnonzero(base.vertices[:, 1] > 0.50)
    people = People(material, base, keep)
    rng = np.random.default_rng(SEED)
    eyes = [np.searchsorted(keep, base.members(f"helper-{side}-eye")) for side in "lr"]
    drawn = np.stack(
        [
            _centred(base.vertices[keep] + people.sample(rng).reshape(-1, 3), eyes)
            for _ in range(PEOPLE)
        ]
    )
    drawn *= _evened(drawn)[:, None, None]
    mean = drawn.mean(0)
    mean = _symmetric(mean, keep, base)
    spread = (drawn - mean).reshape(PEOPLE, -1)
    parts, explained = _principal(spread, _importance(mean), components)
    whole = np.zeros((components, *base.vertices.shape))
    whole[:, keep] = parts
    rest = np.full_like(base.vertices, -2.0)  # legs and arms: out of the way of every cut
    rest[keep] = mean
    return Space(rest, whole, explained, PEOPLE)


def _centred(points: Array, eyes: list[Index]) -> Array:
    boxes = [(points[eye].min(0) + points[eye].max(0)) / 2 for eye in eyes]
    return np.asarray(points - (boxes[0] + boxes[1]) / 2)


def _evened(drawn: Array) -> Array:
    """A factor [n] for each head that takes back most of its difference in size."""
    face = np.linalg.norm(drawn.mean(0) - [0, -0.02, -0.02], axis=1) < 0.11
    size = np.sqrt(((drawn[:, face] - drawn[:, face].mean(1, keepdims=True)) ** 2).sum((1, 2)))
    return np.asarray((size.mean() / size) ** EVENED)


def _symmetric(points: Array, keep: Index, base: Base) -> Array:
    partner = np.searchsorted(keep, base.mirror[keep])
    return np.asarray((points + points[partner] * [-1, 1, 1]) / 2)


def _importance(mean: Array) -> Array:
    """Weight per vertex: the face and skull count, clothes and shoulders do not."""
    distance = np.linalg.norm(mean - [0, -0.02, -0.05], axis=1)
    return np.asarray(np.exp(-((distance / 0.14) ** 4)) + 1e-3)


def _principal(spread: Array, weight: Array, count: int) -> tuple[Array, float]:
    """Components [count,n,3] scaled to one standard deviation, by weighted PCA."""
    scale = np.sqrt(np.repeat(weight, 3))
    weighted = spread * scale
    gram = weighted @ weighted.T
    values, vectors = np.linalg.eigh(gram)
    order = np.argsort(values)[::-1][:count]
    scores = vectors[:, order] * np.sqrt(len(spread))
    scores *= np.sign(np.take_along_axis(scores, np.abs(scores).argmax(0)[None], 0))
    parts = np.linalg.lstsq(scores, spread, rcond=None)[0]
    return parts.reshape(count, -1, 3), float(values[order].sum() / values.sum())
