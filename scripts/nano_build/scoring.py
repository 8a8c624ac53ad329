"""One table of many sources on the same held-out pictures, intervals over people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from nano_build import views
from numpy.typing import NDArray

from semanticface.data.plan import Part, subject
from semanticface.data.splits import Side
from semanticface.evaluation.tracker import Tracker
from semanticface.metrics.clusters import by_key
from semanticface.metrics.coefficients import active_channels, macro, pooled, scores, sums
from semanticface.metrics.statistics import Interval, cluster_bootstrap, paired_difference
from semanticface.metrics.sums import Sums
from semanticface.rig import CHANNELS, COUNT, ORDERS, FaceClip

Array = NDArray[np.floating[Any]]
Picture = NDArray[np.uint8]
_BESIDE_TRACKER = np.array([not each.signed and each.name != "tongueOut" for each in CHANNELS])
"""The channels that MediaPipe has."""


class Shown(NamedTuple):
    """Held-out pictures."""

    pictures: NDArray[np.uint8]
    values: NDArray[np.float32]
    people: NDArray[np.int64]

    @property
    def subjects(self) -> list[str]:
        """One name a picture."""
        return [subject(int(who)) for who in self.people]


def shown(cache: Path, side: Side) -> Shown:
    """All chunks of a side."""
    held = [np.load(file) for file in sorted(cache.glob(f"{side}-?????.npz"))]
    return Shown(*(np.concatenate([each[name] for each in held])
                   for name in ("pictures", "values", "people")))  # fmt: skip


def in_turn(people: NDArray[np.int64]) -> NDArray[np.intp]:
    """The order in which each person's first picture comes before anyone's second."""
    turn = np.zeros(len(people), np.intp)
    for who in np.unique(people):
        turn[people == who] = np.arange((people == who).sum())
    return np.lexsort((np.arange(len(people)), turn))


def drawn_wider(side: Side, numbers: range, size: int) -> Picture:
    """The same faces with the whole head in the picture, as a tracker likes them."""
    from dataclasses import replace

    from semanticface.data.drawing import faces_of, renderer_of

    plan = replace(views.plan_of(coverage=0.3), antialias=True, size=size)
    made = []
    for number in numbers:
        part = Part(side, number, number * views.CHUNK, views.CHUNK)
        known, renderer = -1, None
        for i, face in enumerate(faces_of(plan, part).values):
            setting = plan.setting(side, part.first + i)
            if setting.number != known:
                known, renderer = setting.number, renderer_of(plan, part, setting)
            assert renderer is not None
            made.append(renderer.render(face))
    return np.stack(made)


def tracked(environment: Path, pictures: Picture, kept: Path | None = None) -> Array:
    """[N, 61] of MediaPipe, NaN where it has no channel or found no face.

    In the folder `kept` the answers to the same pictures are found again.
    """
    if kept is None:
        return _tracked(environment, pictures)
    file = kept / f"tracked-{sha256(np.ascontiguousarray(pictures)).hexdigest()[:16]}.npy"
    if not file.is_file():
        np.save(file, _tracked(environment, pictures))
    return np.asarray(np.load(file))


def _tracked(environment: Path, pictures: Picture) -> Array:
    names: tuple[str, ...] = tuple(ORDERS["mediapipe"].labels)
    with Tracker(environment) as tracker:
        blocks = list(tracker.follow(iter(pictures)))
    names = next((each.names for each in blocks if each.names), names)
    table = np.concatenate([each.table if each.table.shape[1] == len(names)
                            else np.full((len(each.table), len(names)), np.nan)
                            for each in blocks])  # fmt: skip
    return np.asarray(FaceClip.from_columns(names, table, np.arange(len(table)) / 30).values)


def fitted(told: Array, truth: Array) -> Callable[[Array], Array]:
    """A line a channel, by least squares on other people: a tracker's scale is its own."""
    lines = np.full((2, COUNT), np.nan)
    for i in range(COUNT):
        known = ~np.isnan(told[:, i])
        if known.sum() > 10 and told[known, i].std() > 1e-6:
            lines[:, i] = np.polyfit(told[known, i], truth[known, i], 1)
        elif known.any():
            lines[:, i] = 0, truth[known, i].mean()
    return lambda more: np.asarray(more * lines[0] + lines[1])


class Row(NamedTuple):
    """Of one source."""

    pearson: Interval
    mae: Interval
    active_mae: Interval
    ratio: float
    """MAE / MAE of the training mean, over the same pictures and channels."""
    missing: float
    channels: int


def table(
    held: Shown, told: Mapping[str, Array], mean: Array, *, beside_tracker: bool = False
) -> dict[str, Row]:
    """Scores of each source; `mean` [61] is the training faces' own."""
    active = active_channels(held.values)
    if beside_tracker:
        active &= _BESIDE_TRACKER
    truth = np.where(_BESIDE_TRACKER if beside_tracker else True, held.values, np.nan)
    guess = _of_people(held, np.broadcast_to(mean, truth.shape), truth)
    least = _figure("mae", active)(pooled(guess))
    return {name: _row(_of_people(held, each, truth), active, float(least))
            for name, each in told.items()}  # fmt: skip


def difference(
    held: Shown, one: Array, other: Array, figure: str, *, tracker: bool = True
) -> Interval:
    """one - other over the pictures in which both are, and the channels that a tracker has."""
    channels = _BESIDE_TRACKER if tracker else np.ones(COUNT, np.bool_)
    active = active_channels(held.values) & channels
    there = ~np.isnan(one).all(1) & ~np.isnan(other).all(1)
    part = Shown(held.pictures[there], held.values[there], held.people[there])
    truth = np.where(channels, part.values, np.nan)
    pair = [_of_people(part, each[there], truth) for each in (one, other)]
    return paired_difference(*pair, _figure(figure, active))


def spelt(each: Interval) -> str:
    """0.612 [0.590, 0.634]."""
    if np.isnan(each.estimate):
        return "-"
    return f"{each.estimate:.3f} [{each.low:.3f}, {each.high:.3f}]"


def _row(people: Sums, active: NDArray[np.bool_], least: float) -> Row:
    found = {name: cluster_bootstrap(people, _figure(name, active))
             for name in ("pearson", "mae", "active_mae")}  # fmt: skip
    whole = pooled(people)
    missing = float(whole.missing.sum() / (whole.missing.sum() + whole.frames.sum()))
    return Row(**found, ratio=found["mae"].estimate / least, missing=missing,
               channels=int(macro(scores(whole), active).channels.pearson))  # fmt: skip


def _figure(name: str, active: NDArray[np.bool_]) -> Callable[[Sums], Any]:
    return lambda held: getattr(macro(scores(held), active).mean, name)


def _of_people(held: Shown, told: Array, truth: Array) -> Sums:
    by: dict[str, list[int]] = {}
    for row, who in enumerate(held.subjects):
        by.setdefault(who, []).append(row)
    held_sums = [sums(told[rows], truth[rows]) for rows in by.values()]
    return by_key(held_sums, list(by)).sums
