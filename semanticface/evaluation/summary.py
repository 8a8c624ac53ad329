"""From tallies of takes to figures with intervals over takes or subjects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.evaluation.result import Figure
from semanticface.evaluation.tally import (
    HEADLINE,
    OF_CHANNELS,
    Tally,
    headline,
    headlines,
    of_channels,
)
from semanticface.metrics import speech_classes
from semanticface.metrics.clusters import by_key, together
from semanticface.metrics.coefficients import macro, scores
from semanticface.metrics.interval import Interval
from semanticface.metrics.ratio import Floats
from semanticface.metrics.statistics import cluster_bootstrap, jackknife_t
from semanticface.rig import HALVES, NAMES, REGIONS

MANY = 10
"""Clusters from which a bootstrap is to be trusted more than Student's t."""
_BOUNDS = {
    **dict.fromkeys(("mae", "rmse", "active_mae", "symmetry_error", "amplitude_ratio",
                     "jitter", "jitter_ratio", "log_spectral_distance", "longest_freeze",
                     "missing_frames", "lve_max_squared", "lve_root", "lve_mean_max",
                     "lip_gap_error", "aperture_error", "levels", "step_spread"), (0.0, np.inf)),
    **dict.fromkeys(("pearson", "ccc", "jaw_energy"), (-1.0, 1.0)),
    **dict.fromkeys(("skill_zero", "skill_mean"), (-np.inf, 1.0)),
    **dict.fromkeys(("f1_10", "f1_30", "blink_f1", "closure_f1", "lean_agreement", "missing",
                     "out_of_range", "contradictory", "high_share", "frozen", "grid_share",
                     "zero_share", "missing_values", "supported", "contradicted", "open",
                     "mention_precision", "mention_recall", "coverage", "closure_rate",
                     "teeth_rate", "rounding_rate", "viseme_accuracy"), (0.0, 1.0)),
    **dict.fromkeys(("mouth_mae", "mouth_mse", "onset_spread", "silence_motion",
                     *(row[0] for row in speech_classes.ROWS)), (0.0, np.inf)),
}  # fmt: skip
_ONE = "one take: nothing shows how much takes differ, so there is no interval"
TEMPORAL = (
    "lag", "jitter_ratio", "jitter", "high_share", "log_spectral_distance", "frozen",
    "longest_freeze", "missing_frames",
)  # fmt: skip


@dataclass(frozen=True)
class Sureness:
    """How intervals are made."""

    resamples: int = 1000
    level: float = 0.95
    seed: int = 0


DEFAULT = Sureness()


class Scored(NamedTuple):
    """One source's clusters, ready to be summarised."""

    names: tuple[str, ...]
    tallies: Tally
    """With the clusters on the leading axis."""


def clustered(tallies: Sequence[Tally], keys: Sequence[str | None]) -> Scored:
    """Add up the takes of a cluster; a take without a key is refused."""
    return Scored(*by_key(tallies, keys))


def interval(
    tree: Any, statistic: Callable[[Any], Floats], clusters: int, sure: Sureness
) -> Interval:
    """The statistic with the interval that suits so many clusters."""
    if clusters < 2:
        value = statistic(together(tree))[0]
        blank = np.full_like(value, np.nan)
        return Interval(value, blank, blank, sure.level, clusters, "none", 0, _ONE)
    if clusters < MANY:
        return jackknife_t(tree, statistic, level=sure.level)
    return cluster_bootstrap(
        tree, statistic, resamples=sure.resamples, level=sure.level, seed=sure.seed
    )


class Figures(NamedTuple):
    """Everything that follows from tallies."""

    headline: dict[str, Figure]
    regions: dict[str, dict[str, Figure]]
    channels: dict[str, dict[str, Figure]]


_GROUPS: tuple[str | None, ...] = (None, *HALVES, *REGIONS)


def all_figures(scored: Scored, active: NDArray[np.bool_], sure: Sureness) -> Figures:
    """The headline of the face and of its regions, and every channel, drawn again together."""
    rows, columns = len(_GROUPS), len(HEADLINE)

    def statistic(t: Tally) -> Floats:
        parts = headlines(t, active, _GROUPS), of_channels(t)
        return np.concatenate([part.reshape(*part.shape[:-2], -1) for part in parts], axis=-1)

    found = interval(scored.tallies, statistic, len(scored.names), sure)
    groups = {}
    for row, group in enumerate(_GROUPS):
        one = _cut(found, slice(row * columns, (row + 1) * columns))
        groups[group] = figures_of(HEADLINE, one, _counts(scored.tallies))
    rest = _cut(found, slice(rows * columns, None))
    regions = {group: figures for group, figures in groups.items() if group is not None}
    return Figures(groups[None], regions, _by_channel(scored, rest))


def headline_figures(
    scored: Scored, active: NDArray[np.bool_], sure: Sureness
) -> dict[str, Figure]:
    """Figure by metric name over the whole face; without those that are NaN."""
    found = interval(scored.tallies, lambda t: headline(t, active), len(scored.names), sure)
    return figures_of(HEADLINE, found, _counts(scored.tallies))


def _by_channel(scored: Scored, found: Interval) -> dict[str, dict[str, Figure]]:
    """Channel -> metric -> figure, of channels that were scored at all."""
    frames = np.asarray(scored.tallies.coefficients.frames).sum(axis=0)
    wide = len(OF_CHANNELS)
    return {
        name: figures_of(
            OF_CHANNELS, _cut(found, slice(i * wide, (i + 1) * wide)),
            dict.fromkeys(OF_CHANNELS, float(frames[i])), keep=True,
        )
        for i, name in enumerate(NAMES)
        if frames[i] > 0
    }  # fmt: skip


def _cut(found: Interval, part: slice) -> Interval:
    return found._replace(estimate=found.estimate[part], low=found.low[part], high=found.high[part])


def by_cluster(scored: Scored, active: NDArray[np.bool_]) -> dict[str, dict[str, float | None]]:
    """The headline of every take or subject on its own."""
    values = headline(scored.tallies, active)
    return {
        cluster: {
            name: None if np.isnan(value) else float(value)
            for name, value in zip(HEADLINE, row, strict=True)
        }
        for cluster, row in zip(scored.names, values, strict=True)
    }


def temporal_figures(
    figures: Sequence[Mapping[str, float]], keys: Sequence[str], sure: Sureness
) -> dict[str, Figure]:
    """Means over clusters of what does not add up: jitter, spectra, lag."""
    table = {}
    for name in TEMPORAL:
        values = np.array([each.get(name, np.nan) for each in figures], np.float64)
        table[name] = within_bounds(name, mean_over_clusters(values, keys, sure))
    return {name: figure for name, figure in table.items() if figure.value is not None}


def mean_over_clusters(values: Floats, keys: Sequence[str], sure: Sureness) -> Figure:
    """Mean of cluster means, NaN left out; every cluster counts the same."""
    known = np.isfinite(values)
    weights = known.astype(np.float64)
    sums = [np.array([value if ok else 0.0, ok]) for value, ok in zip(values, weights, strict=True)]
    table = np.asarray(by_key(sums, keys).sums)
    table = table[table[:, 1] > 0]
    if not len(table):
        return Figure(value=None)
    means = np.stack([table[:, 0] / table[:, 1], np.ones(len(table))], axis=-1)
    found = interval(means, lambda s: s[..., 0] / s[..., 1], len(means), sure)
    return Figure.of(found, float(known.sum()))


def figures_of(
    names: Sequence[str], found: Interval, counts: Mapping[str, float], *, keep: bool = False
) -> dict[str, Figure]:
    """Figure by name; those without a value are left out unless asked to `keep` them."""
    table = {
        name: within_bounds(
            name,
            Figure.of(
                found._replace(estimate=found.estimate[i], low=found.low[i], high=found.high[i]),
                counts.get(name),
            ),
        )
        for i, name in enumerate(names)
    }
    return {name: each for name, each in table.items() if keep or each.value is not None}


def within_bounds(name: str, figure: Figure) -> Figure:
    """The interval cut at values the metric cannot take; Student's t does not know them."""
    bottom, top = _BOUNDS.get(name, (-np.inf, np.inf))
    if figure.low is None or figure.high is None:
        return figure
    return figure.model_copy(update={"low": max(figure.low, bottom), "high": min(figure.high, top)})


def _counts(t: Tally) -> dict[str, float]:
    """n of every headline figure: frames of a channel, frames, or events."""
    whole = together(t)
    sums = whole.coefficients
    frames = float(np.max(sums.frames[0]))
    events = {
        "blink_f1": whole.blinks.shown, "blink_lag": whole.blinks.hits,
        "closure_f1": whole.closures.shown, "opening_lag": whole.opening.hits,
        "closing_lag": whole.closing.hits, "lean_agreement": whole.leans.leaning,
    }  # fmt: skip
    counts = {name: float(np.sum(part)) for name, part in events.items()}
    return {name: counts.get(name, frames) for name in HEADLINE}


def channels_used(
    scored: Scored, active: NDArray[np.bool_], group: str | None = None
) -> dict[str, int]:
    """Over how many channels each mean was taken."""
    counted = macro(scores(together(scored.tallies).coefficients), active, group).channels
    return {name: int(counted._asdict()[name][0]) for name in OF_CHANNELS}
