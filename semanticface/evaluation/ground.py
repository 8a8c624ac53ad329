"""What all sources of an evaluation are scored against, and one prediction beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.evaluation import baselines, summary
from semanticface.evaluation.conventions import measured
from semanticface.evaluation.items import Item, Prediction
from semanticface.evaluation.pairing import Paired
from semanticface.evaluation.result import Pairing
from semanticface.evaluation.suite import Suite, items
from semanticface.metrics.coefficients import active_channels
from semanticface.metrics.ratio import Floats
from semanticface.rig import NAMES


class Run(NamedTuple):
    """One prediction of one take after pairing."""

    item: Item
    prediction: Prediction
    paired: Paired | None
    pairing: Pairing


class Ground(NamedTuple):
    """What all sources of an evaluation are scored against."""

    suite: Suite
    items: tuple[Item, ...]
    keys: Mapping[str, str]
    """Take -> cluster."""
    active: NDArray[np.bool_]
    means: Mapping[str, Floats]
    """Cluster -> the mean to guess; empty where nobody knows one."""
    mean_name: str
    sure: summary.Sureness


def ground_of(suite: Suite) -> Ground:
    """The takes, their clusters, active channels and the means to guess."""
    found = items(suite)
    sure = summary.Sureness(suite.resamples, suite.level, suite.seed)
    if suite.label_free:
        return Ground(suite, tuple(found), {"all": "all"}, np.ones(len(NAMES), bool), {}, "", sure)
    keys = {item.take: _key(item, suite) for item in found}
    truths = [measured(item.truth) for item in found if item.truth]
    active = active_channels([clip.values for clip in truths])
    if suite.training_mean is not None:
        from semanticface import formats
        from semanticface.evaluation.suite import _paths

        clips = [formats.read(path) for path in _paths(suite.training_mean)]
        mean = baselines.training_mean(clips)
        means, name = dict.fromkeys(keys.values(), mean), "training mean"
    else:
        means, name = baselines.means_of_others(truths, [keys[item.take] for item in found])
    return Ground(suite, tuple(found), keys, active, means, name, sure)


def _key(item: Item, suite: Suite) -> str:
    if suite.by == "take":
        return item.take
    if not item.subject:
        raise BadInput(
            f"no subject for take '{item.take}'", "one, to count by subject",
            hint="Give `subject` in the suite's takes, or count by take.",
        )  # fmt: skip
    return item.subject
