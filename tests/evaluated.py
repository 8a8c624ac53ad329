"""An evaluation with figures computed by the metrics, for tests of what is made of one.

Nothing in it is invented: takes and damaged copies of them go through the metrics, and
findings say what was really done to the copies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import numpy as np

from semanticface.evaluation.items import PairedFrames
from semanticface.evaluation.result import (
    ChannelDifference,
    Comparison,
    Evaluation,
    Figure,
    Finding,
    Hashed,
    Pairing,
    SourceResult,
)
from semanticface.metrics.coefficients import (
    active_channels,
    constant,
    left_out_means,
    macro,
    pooled,
    previous_frame,
    scores,
    stacked,
    sums,
)
from semanticface.metrics.events import blink_sums, event_scores
from semanticface.metrics.interval import Interval
from semanticface.metrics.significance import equivalence, sign_flip, takes_needed, upper_spread
from semanticface.metrics.statistics import holm, jackknife_t, t_interval
from semanticface.metrics.temporal import figure, frozen, jitter, jitter_ratio, smoothness
from semanticface.motion.align import aligned, best_lag
from semanticface.motion.resample import common_grid
from semanticface.rig import INDEX, NAMES, REGIONS, FaceClip

METRICS = ("mae", "rmse", "active_mae", "bias", "pearson", "ccc", "f1_10", "f1_30", "recall_30",
           "precision_30", "amplitude_ratio", "symmetry_error", "missing")  # fmt: skip
PER_CHANNEL = ("mae", "pearson", "ccc", "bias", "amplitude_ratio")
TIME = ("jitter", "jitter_ratio", "smoothness", "frozen")
DEAD = "browInnerUp"
LATE = 0.08
MARGIN = 0.01

Takes = Mapping[str, FaceClip]


def degraded(clip: FaceClip, seed: int = 0) -> FaceClip:
    """Noise, 80 ms late, the mouth pair exchanged, one channel dead."""
    noise = np.random.default_rng(seed).normal(0, 0.02, clip.values.shape)
    values = np.where(clip.values != 0, clip.values + noise, 0.0)
    values[:, INDEX[DEAD]] = np.where(np.isnan(values[:, INDEX[DEAD]]), np.nan, 0.0)
    return clip.with_values(values).exchanged("mouthLeft", "mouthRight").shifted(LATE)


def muted(clip: FaceClip) -> FaceClip:
    """Six tenths of the movement, smoothed over nine frames."""
    kernel = np.hanning(11)[1:-1] / np.hanning(11)[1:-1].sum()
    padded = np.pad(clip.values, ((4, 4), (0, 0)), mode="edge")
    smooth = np.apply_along_axis(np.convolve, 0, padded, kernel, "valid")
    return clip.with_values(0.6 * smooth)


def slightly_off(clip: FaceClip, seed: int = 1) -> FaceClip:
    """A few hundredths too high where anything moves, with a hole of half a second."""
    noise = np.random.default_rng(seed).normal(0.008, 0.004, clip.values.shape)
    values = np.where(clip.values > 0.01, clip.values + noise, clip.values)
    middle = len(values) // 2
    values[middle : middle + 15] = np.nan
    return clip.with_values(values)


def sources_of(takes: Takes) -> dict[str, Takes]:
    """Damaged copies, then the baselines."""
    found: dict[str, Takes] = {
        "degraded copy": {name: degraded(clip) for name, clip in takes.items()},
        "muted tracker": {name: muted(clip) for name, clip in takes.items()},
        "near copy": {name: slightly_off(clip) for name, clip in takes.items()},
        "all zero": {
            n: c.with_values(np.where(np.isnan(c.values), np.nan, 0)) for n, c in takes.items()
        },
        "previous frame": {n: c.with_values(previous_frame(c.values)) for n, c in takes.items()},
    }
    if len(takes) > 1:
        means = left_out_means(stacked([sums(c.values, c.values) for c in takes.values()]))
        pairs = zip(takes.items(), means, strict=True)
        found["mean of other takes"] = {
            name: clip.with_values(constant(np.nan_to_num(mean), clip.values))
            for (name, clip), mean in pairs
        }
    return found


BASELINES = ("all zero", "previous frame", "mean of other takes")


def findings(source: str, lag: float | None) -> tuple[Finding, ...]:
    """What is true of the copies made above."""
    if source == "degraded copy":
        return (
            Finding(kind="mouth pair", action="converted", flag="--keep-mouth-pair",
                    text="mouthLeft and mouthRight stood in each other's place and were exchanged",
                    channels=("mouthLeft", "mouthRight")),
            Finding(kind="lag", action="noted", flag="--lag remove",
                    text=f"{(lag or 0) * 1000:.0f} ms late"),
            Finding(kind="dead channel", action="noted", channels=(DEAD,),
                    text=f"{DEAD} does not move, although the reference does"),
            Finding(kind="jitter", action="noted",
                    text="trembles: many times the reference's jitter"),
        )  # fmt: skip
    if source == "muted tracker":
        return (
            Finding(kind="muted", action="noted", text="0.6 of the reference's amplitude"),
            Finding(kind="too smooth", action="noted", text="less jitter than the reference"),
        )
    return ()


def paired(takes: Takes, sources: Mapping[str, Takes]) -> list[PairedFrames]:
    """Every source on every take's grid, with the mouth pair put right."""
    found = []
    for source, clips in sources.items():
        for take, truth in takes.items():
            pred = clips[take]
            if source == "degraded copy":
                pred = pred.exchanged("mouthLeft", "mouthRight")
            grid = common_grid(pred, truth)
            found.append(PairedFrames(source, take, grid.first, grid.second))
    return found


def evaluation_of(takes: Takes, *, truth: str = "Live Link Face takes") -> tuple[
    Evaluation, list[PairedFrames]
]:  # fmt: skip
    """The evaluation of some takes, and its frames."""
    sources = sources_of(takes)
    frames = paired(takes, sources)
    active = active_channels([clip.values for clip in takes.values()])
    names = tuple(name for name, on in zip(NAMES, active, strict=True) if on)
    own = {s: [pair for pair in frames if pair.source == s] for s in sources}
    results = tuple(_source(s, own[s], sources[s], active) for s in sources)
    return Evaluation(
        name="Three takes against damaged copies", created="2026-11-21T12:00:00Z",
        command="semanticface compare copies/*.csv --against takes/*.csv --margin 0.01",
        about="Copies of real takes with known damage: every fault has to be found by name.",
        truth=truth, clustered_by="take",
        settings={"level": 0.95, "resamples": 1000, "seed": 0, "margin": {"mae": MARGIN}},
        versions={"semanticface": "0.1.0", "numpy": np.__version__}, active=names,
        takes=tuple(_hashed(name, clip) for name, clip in takes.items()), sources=results,
        comparisons=tuple(_comparisons(own, active)),
    ), frames  # fmt: skip


def _hashed(take: str, clip: FaceClip) -> Hashed:
    return Hashed(
        path=f"takes/{take}.csv", sha256=sha256(clip.values.tobytes()).hexdigest(),
        frames=len(clip), rate=clip.rate, subject=clip.meta.subject, take=take,
        calibrated=clip.meta.calibrated, conventions=clip.meta.conventions,
    )  # fmt: skip


def _source(
    name: str, pairs: Sequence[PairedFrames], clips: Takes, active: np.ndarray
) -> SourceResult:
    lags = [best_lag(pair.pred, pair.truth) for pair in pairs]
    moved = [
        common_grid(aligned(pair.pred, lag), pair.truth)
        for pair, lag in zip(pairs, lags, strict=True)
    ]
    pairings = tuple(
        _pairing(name, pair, lag, clips[pair.take]) for pair, lag in zip(pairs, lags, strict=True)
    )
    tables = [sums(pair.pred.values, pair.truth.values) for pair in pairs]
    blinks = [blink_sums(pair.pred.values, pair.truth.values, pair.truth.times) for pair in pairs]
    in_time = [movement(pair) for pair in pairs]
    frames = sum(len(pair.truth) for pair in pairs)
    headline = _macro(tables, active, METRICS)
    headline["blink_f1"] = Figure.of(
        _interval(
            type(blinks[0])(*(np.array(parts, np.float64) for parts in zip(*blinks, strict=True))),
            lambda s: event_scores(s).f1,
        ), n=frames,
    )  # fmt: skip
    for each in TIME:
        values = np.array([row[each] for row in in_time])
        found = t_interval(values) if len(values) > 1 else _alone(float(values[0]))
        headline[each] = Figure.of(found, n=frames)
    late = [sums(grid.first.values, grid.second.values) for grid in moved]
    return SourceResult(
        name=name, kind="baseline" if name in BASELINES else "files", baseline=name in BASELINES,
        pairings=pairings, headline=headline,
        at_best_lag=_macro(late, active, METRICS),
        regions={region: _macro(tables, active, PER_CHANNEL, region)
                 for region in ("upper", "lower", *REGIONS)},
        channels=_channels(tables),
        by_cluster={
            pair.take: {
                **{metric: _finite(getattr(macro(scores(table), active).mean, metric))
                   for metric in METRICS},
                "jitter_ratio": _finite(row["jitter_ratio"]),
            }
            for pair, table, row in zip(pairs, tables, in_time, strict=True)
        },
    )  # fmt: skip


def movement(pair: PairedFrames) -> dict[str, float]:
    """The figures of `TIME` for one take."""
    return {
        "jitter": figure(jitter(pair.pred).per_frame),
        "jitter_ratio": figure(jitter_ratio(pair.pred, pair.truth)),
        "smoothness": figure(smoothness(pair.pred)),
        "frozen": frozen(pair.pred).share,
    }


def _pairing(name: str, pair: PairedFrames, lag, clip: FaceClip) -> Pairing:
    seconds = _finite(lag.seconds)
    return Pairing(
        take=pair.take, cluster=pair.take, scored=True, frames=len(pair.truth), lag=seconds,
        lag_correlation=_finite(lag.at_best), findings=findings(name, seconds),
        input=_hashed(pair.take, clip),
    )  # fmt: skip


def _interval(table, statistic) -> Interval:
    first = table[0] if isinstance(table, tuple) else table
    if len(first) > 1:
        return jackknife_t(table, statistic)
    return _alone(statistic(type(table)(*(part.sum(axis=0) for part in table))))


def _alone(value) -> Interval:
    nothing = np.full(np.shape(value), np.nan)
    return Interval(
        value, nothing, nothing, 0.95, 1, "none", caution="one take: no interval can be had"
    )


def _macro(tables, active, metrics, region: str | None = None) -> dict[str, Figure]:
    frames = max(float(table.frames.max()) for table in tables) * len(tables)

    def statistic(s):
        mean = macro(scores(s), active, region).mean
        return np.stack([getattr(mean, metric) for metric in metrics], axis=-1)

    found = _interval(stacked(tables), statistic)
    return {metric: _figure(found, i, frames) for i, metric in enumerate(metrics)}


def _figure(found: Interval, place, n: float) -> Figure:
    ends = (_finite(part[place]) for part in found[:3])
    return Figure(
        **dict(zip(("value", "low", "high"), ends, strict=True)), clusters=found.clusters, n=n,
        method=found.method, caution=found.caution,
    )  # fmt: skip


def _channels(tables) -> dict[str, dict[str, Figure]]:
    def statistic(s):
        own = scores(s)
        return np.stack([getattr(own, metric) for metric in PER_CHANNEL], axis=-1)

    found, counts = _interval(stacked(tables), statistic), pooled(tables).frames
    return {
        name: {metric: _figure(found, (i, j), float(counts[i]))
               for j, metric in enumerate(PER_CHANNEL)}
        for i, name in enumerate(NAMES)
    }  # fmt: skip


def _finite(value) -> float | None:
    return float(value) if np.isfinite(value) else None


def _comparisons(own: Mapping[str, Sequence[PairedFrames]], active: np.ndarray):
    for one, other in (
        ("degraded copy", "near copy"), ("muted tracker", "near copy"),
        ("degraded copy", "all zero"), ("muted tracker", "all zero"), ("near copy", "all zero"),
        ("degraded copy", "muted tracker"), ("near copy", "previous frame"),
    ):  # fmt: skip
        for metric in ("mae", "pearson"):
            yield _comparison(one, other, metric, own, active)


def _comparison(one, other, metric, own, active) -> Comparison:
    both = [
        stacked([sums(p.pred.values, p.truth.values) for p in own[name]]) for name in (one, other)
    ]
    takes = len(own[one])

    def statistic(pair):
        left, right = (getattr(macro(scores(s), active).mean, metric) for s in pair)
        return left - right

    better = {"mae": "lower", "pearson": "higher"}[metric]
    per_take = np.array(
        [statistic([type(s)(*(x[k] for x in s)) for s in both]) for k in range(takes)]
    )
    if takes < 2:
        return Comparison(
            one=one, other=other, metric=metric, better=better,
            difference=Figure(value=float(per_take[0]), clusters=1),
            verdict=f"{one} against {other}: one take cannot tell.",
        )  # fmt: skip
    found = jackknife_t(tuple(both), statistic)
    per_take = np.array(
        [statistic(tuple(type(s)(*(x[k] for x in s)) for s in both)) for k in range(takes)]
    )
    test = sign_flip(per_take)
    margin = MARGIN if metric == "mae" else None
    return Comparison(
        one=one, other=other, metric=metric, better=better,
        difference=Figure.of(found), p=float(test.p), p_least=test.least, margin=margin,
        equivalent=equivalence(per_take, margin).equivalent if margin else None,
        takes_needed=takes_needed(float(per_take.mean()), upper_spread(per_take)),
        channels=_channel_differences(both, metric), verdict=_verdict(one, other, metric, found),
    )  # fmt: skip


def _verdict(one: str, other: str, metric: str, found: Interval) -> str:
    sure = found.low > 0 or found.high < 0
    ahead = (found.estimate < 0) == (metric == "mae")
    place = "ahead of" if ahead else "behind"
    surely = "surely " if sure else "perhaps "
    return (
        f"By {metric} {one} is {surely}{place} {other}: {found.estimate:+.4f} "
        f"[{found.low:+.4f}, {found.high:+.4f}] over {found.clusters} takes."
    )


def _channel_differences(both, metric: str) -> dict[str, ChannelDifference]:
    left, right = (getattr(scores(s), metric) for s in both)
    test = sign_flip(left - right)
    corrected = holm(test.p)
    return {
        name: ChannelDifference(
            difference=_finite(test.difference[i]), p=_finite(test.p[i]),
            p_holm=_finite(corrected[i]),
        )
        for i, name in enumerate(NAMES)
    }  # fmt: skip
