"""Numbers that belong to clusters: takes or subjects, whose frames resemble each other.

A *tree* here is an array, or a (named) tuple of arrays or of such tuples, every array
with the same leading axis; `Sums` of several clips is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from semanticface.errors import BadInput
from semanticface.metrics.ratio import Floats

Tree = TypeVar("Tree")


class Clustered(NamedTuple):
    """Sums of every cluster, in the order of `names`."""

    names: tuple[str, ...]
    sums: Any
    """The tree that was given, with K clusters on the leading axis."""


def by_key(several: Sequence[Tree], keys: Sequence[str | None]) -> Clustered:
    """Add up the sums of clips that share a key (take, subject), in order of appearance.

    A clip without a key is an error: as a cluster of its own it would pass for
    independent evidence.
    """
    if len(several) != len(keys):
        raise BadInput(f"{len(keys)} cluster keys for {len(several)} clips", "one each")
    for row, key in enumerate(keys):
        if key is None or not str(key).strip():
            raise BadInput(
                "no cluster key", "the take or subject of every clip", row=row,
                hint="Frames and clips of one subject are not independent of each other.",
            )  # fmt: skip
    names = tuple(dict.fromkeys(map(str, keys)))
    own = [[each for each, key in zip(several, keys, strict=True) if str(key) == n] for n in names]
    added = [joined(lambda parts: np.sum(parts, axis=0), group) for group in own]
    return Clustered(names, joined(np.stack, added) if added else ())


def mapped(change: Callable[[Floats], Floats], tree: Tree) -> Tree:
    """The same tree with every array changed."""
    return joined(lambda parts: change(parts[0]), [tree])


def joined(join: Callable[[list[Floats]], Floats], trees: Sequence[Tree]) -> Tree:
    """One tree out of several of the same shape, array by array."""
    first: Any = trees[0]
    if not isinstance(first, tuple):
        return cast(Tree, join([np.asarray(tree, np.float64) for tree in trees]))
    parts = [joined(join, each) for each in zip(*cast(Any, trees), strict=True)]
    return cast(Tree, type(first)(*parts) if hasattr(first, "_fields") else tuple(parts))


def arrays(tree: Any) -> list[Floats]:
    """All arrays of a tree."""
    if isinstance(tree, tuple):
        return [array for part in tree for array in arrays(part)]
    return [np.asarray(tree, np.float64)]


def count(tree: Any) -> int:
    """K, the clusters of a tree; raises unless there are two and they can be added up."""
    parts = arrays(tree)
    sizes = {part.shape[0] if part.ndim else 0 for part in parts}
    if len(sizes) != 1:
        raise BadInput(f"leading axes of {sorted(sizes)}", "the same clusters in every array")
    clusters = sizes.pop()
    if clusters < 2:
        raise BadInput(
            f"{clusters} cluster", "at least 2 takes or subjects",
            hint="One recording cannot show how much recordings differ.",
        )  # fmt: skip
    if not all(np.isfinite(part).all() for part in parts):
        raise BadInput("sums that are not finite", "0 where nothing was measured")
    return clusters


def weighted(tree: Tree, weights: Floats) -> Tree:
    """Cluster k taken weights[b, k] times: a tree that leads with B instead of K."""

    def add(array: Floats) -> Floats:
        flat = weights @ array.reshape(len(array), -1)
        return np.asarray(flat.reshape(len(weights), *array.shape[1:]))

    return mapped(add, tree)


def left_out(tree: Tree) -> Tree:
    """All clusters but one, for each one."""
    return mapped(lambda array: np.asarray(array.sum(axis=0) - array), tree)


def together(tree: Tree) -> Tree:
    """All clusters added up, with a leading axis of 1."""
    return mapped(lambda array: np.asarray(array.sum(axis=0, keepdims=True)), tree)
