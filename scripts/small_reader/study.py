"""Training a small reader and holding it against people it never saw."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from semanticface.data.plan import subject
from semanticface.metrics.clusters import by_key
from semanticface.metrics.coefficients import macro, pooled, scores, sums
from semanticface.metrics.statistics import Interval, cluster_bootstrap, paired_difference
from semanticface.metrics.sums import Sums
from semanticface.rig import COUNT
from small_reader.reader import IGNORED, Reader
from small_reader.sight import SUBSET, Faces

Loss = Callable[[Tensor, Tensor], Tensor]
Batch = Callable[[NDArray[np.int64]], list[tuple[Tensor, Tensor]]]
"""From rows of the training faces to (ids, labels) of one task or of several."""
BATCH, RATE, WARM = 32, 2e-3, 30
_MASK = np.isin(np.arange(COUNT), SUBSET)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the answer's tokens, as the recipe has it."""
    return functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)


def train(
    reader: Reader, held: Faces, batch: Batch, *, faces: int, seed: int,
    loss: Loss = cross_entropy,
) -> float:  # fmt: skip
    """Shows `faces` faces, cosine rate, AdamW; the seconds it took."""
    rng, steps = np.random.default_rng(seed), faces // BATCH
    rate = torch.optim.AdamW(reader.parameters(), RATE, weight_decay=0.01)
    plan = torch.optim.lr_scheduler.LambdaLR(rate, lambda n: min(1, (n + 1) / WARM)
                                             * (0.5 + 0.5 * np.cos(np.pi * n / steps)))  # fmt: skip
    order: list[int] = []
    begun = time.perf_counter()
    for _ in range(steps):
        if len(order) < BATCH:
            order += rng.permutation(len(held.seen)).tolist()
        rows, order = np.array(order[:BATCH]), order[BATCH:]
        seen = torch.from_numpy(held.seen[rows]).float()
        lost = torch.stack([loss(reader(seen, ids), labels) for ids, labels in batch(rows)]).sum()
        rate.zero_grad(set_to_none=True)
        lost.backward()
        torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        rate.step()
        plan.step()
    return time.perf_counter() - begun


class Row(NamedTuple):
    """One arm over all its seeds."""

    pearson: Interval
    mae: Interval
    active_mae: Interval
    missing: float
    seeds: list[float]
    """Pearson of each seed."""


def row(held: Faces, told: Sequence[NDArray[Any]]) -> Row:
    """Scores of predictions [N, 61], one a seed; intervals over people, seeds pooled."""
    people = of_people(held, told)
    found = [cluster_bootstrap(people, figure(name)) for name in ("pearson", "mae", "active_mae")]
    whole = pooled(people)
    share = float(np.nansum(whole.missing) / (np.nansum(whole.missing) + np.nansum(whole.frames)))
    each = [float(figure("pearson")(pooled(of_people(held, [one])))) for one in told]
    return Row(*found, missing=share, seeds=each)


def difference(
    held: Faces, one: Sequence[NDArray[Any]], other: Sequence[NDArray[Any]], name: str
) -> Interval:
    """one - other on the same faces, over people."""
    return paired_difference(of_people(held, one), of_people(held, other), figure(name))


def figure(name: str) -> Callable[[Sums], Any]:
    """A mean over the channels asked for."""
    return lambda held: getattr(macro(scores(held), _MASK).mean, name)


def of_people(held: Faces, told: Sequence[NDArray[Any]]) -> Sums:
    """Sums of each person over all their faces and all seeds."""
    by: dict[str, list[int]] = {}
    for number, who in enumerate(held.people):
        by.setdefault(subject(int(who)), []).append(number)
    truth = np.concatenate([held.values] * len(told)).reshape(len(told), *held.values.shape)
    answered = np.stack(told)
    made = [sums(answered[:, rows].reshape(-1, COUNT), truth[:, rows].reshape(-1, COUNT))
            for rows in by.values()]  # fmt: skip
    return by_key(made, list(by)).sums


def spelt(each: Interval) -> str:
    """0.612 [0.590, 0.634]."""
    return f"{each.estimate:.3f} [{each.low:.3f}, {each.high:.3f}]"
