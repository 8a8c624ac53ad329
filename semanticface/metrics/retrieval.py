"""Whether motions and words find each other in a shared space of embeddings.

Row i of both matrices [N, D] is one motion and its own text, by an encoder that the
caller trained; scores from different encoders cannot be compared.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.ratio import Floats

POOL = 32
"""Candidates per question, as in text-to-motion papers and Express4D."""


class RPrecision(NamedTuple):
    """Share of motions whose own text is among the k nearest of the pool."""

    top: Floats
    """For k = 1, 2, 3; 0 to 1. Chance is k / pool."""
    ranks: NDArray[np.intp]
    """[repeats, N], 1 is best: per motion, to bootstrap over takes."""
    pool: int
    seed: int


def r_precision(
    motions: NDArray[np.floating], texts: NDArray[np.floating], *, pool: int = POOL,
    repeats: int = 20, seed: int = 0,
) -> RPrecision:  # fmt: skip
    """R-Precision by Euclidean distance (Guo et al. 2022).

    Each motion is asked for its own text among pool - 1 others, drawn anew for each motion
    and repeat; the original shuffles into batches of 32 and drops the rest. A tie counts
    against the motion, or embeddings that are all alike would score 1.
    """
    m, t = _matched(motions, texts)
    if len(m) < pool or pool < 2:
        raise BadInput(f"{len(m)} pairs for a pool of {pool}", "at least as many pairs, pool 2+")
    rng = np.random.default_rng(seed)
    distances = _distances(m, t)
    ranks = np.array([_ranks(distances, pool, rng) for _ in range(repeats)])
    return RPrecision(np.array([(ranks <= k).mean() for k in (1, 2, 3)]), ranks, pool, seed)


def _ranks(distances: Floats, pool: int, rng: np.random.Generator) -> NDArray[np.intp]:
    count = len(distances)
    keys = rng.random((count, count))
    np.fill_diagonal(keys, 2.0)  # the own text is no rival
    rivals = np.argpartition(keys, pool - 2, axis=1)[:, : pool - 1]
    nearer = np.take_along_axis(distances, rivals, axis=1) <= np.diag(distances)[:, np.newaxis]
    return np.asarray(1 + np.count_nonzero(nearer, axis=1), np.intp)


def _distances(m: Floats, t: Floats) -> Floats:
    # by differences row by row: the expanded square loses what tells near texts apart
    return np.array([np.sqrt(((t - row) ** 2).sum(axis=1)) for row in m])


def multimodal_distance(motions: NDArray[np.floating], texts: NDArray[np.floating]) -> float:
    """Mean Euclidean distance of a motion to its own text, in units of the embedding; lower
    is better (Guo et al. 2022)."""
    m, t = _matched(motions, texts)
    return float(np.sqrt(((m - t) ** 2).sum(axis=1)).mean())


def frechet_distance(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2) of two sets [N, D], [M, D] (FID; Heusel 2017).

    Squared units of the embedding, lower is better. Biased upwards for few samples: compare
    only sets of the same size, and take many more samples than dimensions.
    """
    a, b = (np.asarray(each, np.float64) for each in (one, other))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise BadInput(f"sets of shapes {a.shape} and {b.shape}", "[N, D] and [M, D], N, M > 1")
    ca, cb = (np.atleast_2d(np.cov(each, rowvar=False)) for each in (a, b))
    values, vectors = np.linalg.eigh(ca)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    # tr (C1 C2)^1/2 from the symmetric C1^1/2 C2 C1^1/2, which has the same eigenvalues
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ cb @ root), 0)).sum()
    apart = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    return float(max(apart + np.trace(ca) + np.trace(cb) - 2 * shared, 0.0))


def _matched(motions: NDArray[np.floating], texts: NDArray[np.floating]) -> tuple[Floats, Floats]:
    m, t = np.asarray(motions, np.float64), np.asarray(texts, np.float64)
    if m.shape != t.shape or m.ndim != 2 or not len(m):
        raise BadInput(f"embeddings of shapes {m.shape} and {t.shape}", "[N, D] twice")
    if not (np.isfinite(m).all() and np.isfinite(t).all()):
        raise BadInput("embeddings that are not finite", "numbers")
    return m, t
