"""Where a mouth is wrong: its error by class of sound, as sums that add up over clips.

A class comes as spans of seconds under a name (lips together, rounded, silence ...), in any
language; `speech.spans.class_spans` gives those of the articulation table. Intervals by
sentence come from `statistics.cluster_bootstrap(sums, class_errors)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.metrics.ratio import Floats, ratio

Array = NDArray[np.floating[Any]]

CLASSES = ("lips together", "lip on teeth", "rounded", "open vowel", "other vowel",
           "other consonant", "silence")  # fmt: skip
"""What sounds look like on a mouth, by the table of sounds that is English's and Mandarin's."""
ROWS: tuple[tuple[str, str, str, str, str], ...] = tuple(
    (f"mae_{name.replace(' ', '_')}", "weight", "lower", f"mouth MAE, {name}", "this project")
    for name in CLASSES
)
"""The catalogue's, in the order of `CLASSES`."""


class ClassSums(NamedTuple):
    """Over the frames of each class, [C]."""

    values: Floats
    """Values compared."""
    absolute: Floats
    """Sum of |prediction - truth|."""
    squared: Floats


class ClassErrors(NamedTuple):
    """[..., C]; NaN where a class has no frame."""

    mae: Floats
    mse: Floats


def class_sums(
    pred: Array, truth: Array, times: Array, spans: Sequence[tuple[str, float, float]],
    names: Sequence[str], *, channels: Sequence[int] = MOUTH_31,
) -> ClassSums:  # fmt: skip
    """Sums of one clip by class: a frame belongs to the span (name, start, end) it lies in."""
    if np.shape(pred) != np.shape(truth) or len(pred) != len(times):
        raise BadInput(f"{len(pred)}, {len(truth)} frames and {len(times)} times", "one time grid")
    error = (np.asarray(pred, np.float64) - np.asarray(truth, np.float64))[:, list(channels)]
    known = ~np.isnan(error)
    rows = np.where(known, error, 0.0)
    own = np.stack([known.sum(1), np.abs(rows).sum(1), np.square(rows).sum(1)])
    sums = np.zeros((3, len(names)))
    for name, start, end in spans:
        if name not in names:
            raise BadInput(f"the class '{name}'", f"one of {', '.join(names)}")
        first, last = np.searchsorted(times, (start, end))
        sums[:, list(names).index(name)] += own[:, first:last].sum(axis=1)
    return ClassSums(*sums)


def class_errors(sums: ClassSums) -> ClassErrors:
    """Errors of sums, over all leading axes."""
    return ClassErrors(ratio(sums.absolute, sums.values), ratio(sums.squared, sums.values))
