"""Comparisons as a forest plot: difference, interval, margin, and what may be said of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, floor, log10
from typing import NamedTuple

from semanticface.evaluation.result import (
    ChannelDifference,
    Comparison,
    Evaluation,
    Figure,
)
from semanticface.report.measures import (
    NONE,
    Measure,
    counted,
    measure,
    over_shapes,
    places,
    written,
)

WIDTH, HEIGHT = 300, 30
_EDGE = 10
_ALPHA = 0.05
_MOST = 40.0
"""An interval wider than so many differences is cut, with an arrow head, or it hides the rest."""


class Bar(NamedTuple):
    """One comparison in pixels of a drawing WIDTH wide."""

    value: float | None
    low: float | None
    high: float | None
    cut_low: bool
    cut_high: bool
    margin: tuple[float, float] | None
    """Left edge and width of the band within which a difference does not matter."""
    tone: str
    """`good`, `bad` or `open`: whether the interval lies on one side of zero, and on which."""


class Told(NamedTuple):
    """One comparison in words and picture."""

    one: str
    other: str
    bar: Bar
    difference: str
    interval: str
    clusters: str
    p: str
    p_least: str
    channels: str
    sure: tuple[tuple[str, str], ...]
    """Channels whose difference survives the correction, with the difference."""
    equivalence: str
    needed: str
    caution: str
    verdict: str


class Forest(NamedTuple):
    """All comparisons by one metric, on one axis."""

    measure: Measure
    zero: float
    ticks: tuple[tuple[float, str], ...]
    rows: tuple[Told, ...]


class Axis(NamedTuple):
    """From differences to pixels."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """Where a difference stands, in pixels."""
        inside = min(max(value, self.low), self.high)
        share = (inside - self.low) / (self.high - self.low)
        return round(_EDGE + share * (WIDTH - 2 * _EDGE), 1)


def forests(evaluation: Evaluation) -> list[Forest]:
    """A plot a metric, in the order in which they turn up."""
    names = dict.fromkeys(each.metric for each in evaluation.comparisons)
    return [
        _forest(name, [each for each in evaluation.comparisons if each.metric == name],
                evaluation.clustered_by)
        for name in names
    ]  # fmt: skip


def _forest(name: str, comparisons: Sequence[Comparison], unit: str) -> Forest:
    axis = _axis(comparisons)
    decimals = max(places(each.difference.value for each in comparisons), 2)
    ticks = _ticks(axis)
    rows = tuple(_told(each, axis, decimals, unit) for each in comparisons)
    return Forest(over_shapes(measure(name)), axis.x(0.0), ticks, rows)


def _axis(comparisons: Sequence[Comparison]) -> Axis:
    known = [abs(c.difference.value) for c in comparisons if c.difference.value]
    margins = [c.margin for c in comparisons if c.margin]
    most = _MOST * max([*known, *margins], default=1.0)
    reach = [0.0]
    for each in comparisons:
        ends = (each.difference.value, each.difference.low, each.difference.high)
        reach += [min(max(end, -most), most) for end in ends if end is not None]
        reach += [-each.margin, each.margin] if each.margin else []
    low, high = min(reach), max(reach)
    return Axis(low, high) if high > low else Axis(-1.0, 1.0)


def _ticks(axis: Axis) -> tuple[tuple[float, str], ...]:
    step = _round_step((axis.high - axis.low) / 4)
    first, last = ceil(axis.low / step - 1e-9), floor(axis.high / step + 1e-9)
    decimals = max(0, -floor(log10(step) + 1e-9))
    return tuple(
        (axis.x(i * step), written(i * step, decimals, sign=True)) for i in range(first, last + 1)
    )


def _round_step(step: float) -> float:
    power = 10.0 ** floor(log10(step))
    return next(power * nice for nice in (1, 2, 5, 10) if power * nice >= step * 0.999)


def _told(one: Comparison, axis: Axis, decimals: int, unit: str) -> Told:
    figure = one.difference
    return Told(
        one=one.one,
        other=one.other,
        bar=_bar(one, axis),
        difference=written(figure.value, decimals, sign=True),
        interval=_interval(figure, decimals),
        clusters=counted(figure.clusters, unit),
        p=_p(one.p),
        p_least="" if one.p_least is None else f"least {_p(one.p_least)}",
        channels=_channels(one.channels),
        sure=_sure(one.channels),
        equivalence=_equivalence(one),
        needed=NONE if one.takes_needed is None else f"{one.takes_needed:,}",
        caution=figure.caution,
        verdict=one.verdict,
    )


def _interval(figure: Figure, decimals: int) -> str:
    if figure.low is None or figure.high is None:
        return "no interval"
    low, high = (written(end, decimals, sign=True) for end in (figure.low, figure.high))
    return f"{low} to {high}"


def _bar(one: Comparison, axis: Axis) -> Bar:
    value, low, high = one.difference.value, one.difference.low, one.difference.high
    left, right = (axis.x(x) for x in (-(one.margin or 0.0), one.margin or 0.0))
    return Bar(
        value=None if value is None else axis.x(value),
        low=None if low is None else axis.x(low),
        high=None if high is None else axis.x(high),
        cut_low=low is not None and low < axis.low - 1e-12,
        cut_high=high is not None and high > axis.high + 1e-12,
        margin=(left, round(right - left, 1)) if one.margin else None,
        tone=_tone(one, low, high),
    )


def _tone(one: Comparison, low: float | None, high: float | None) -> str:
    better = measure(one.metric).better
    if low is None or high is None or low <= 0 <= high or better not in ("lower", "higher"):
        return "open"
    return "good" if (high < 0) == (better == "lower") else "bad"


def _p(p: float | None) -> str:
    if p is None:
        return NONE
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1g}"


def _tested(channels: Iterable[ChannelDifference]) -> list[float]:
    return [each.p_holm for each in channels if each.p_holm is not None]


def _channels(channels: dict[str, ChannelDifference]) -> str:
    tested = _tested(channels.values())
    if not tested:
        return NONE
    return f"{sum(p < _ALPHA for p in tested)} of {len(tested)}"


def _sure(channels: dict[str, ChannelDifference]) -> tuple[tuple[str, str], ...]:
    sure = [
        (name, each.difference) for name, each in channels.items()
        if each.p_holm is not None and each.p_holm < _ALPHA and each.difference is not None
    ]  # fmt: skip
    decimals = places(difference for _, difference in sure)
    sure.sort(key=lambda pair: -abs(pair[1]))
    return tuple((name, written(difference, decimals, sign=True)) for name, difference in sure)


def _equivalence(one: Comparison) -> str:
    if one.margin is None:
        return "no margin set"
    if one.equivalent is None:
        return f"cannot tell within ±{one.margin:g}"
    return f"{'yes' if one.equivalent else 'not shown'}, ±{one.margin:g}"
