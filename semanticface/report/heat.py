"""The map of channels: a row a channel, a column a source, a tab a metric."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import log2
from typing import NamedTuple

import numpy as np

from semanticface.evaluation.result import Evaluation, Figure, SourceResult
from semanticface.report.colour import ABOVE, BELOW, SEVERE, ink_on, shade
from semanticface.report.measures import Measure, measure, places, written
from semanticface.report.score_tables import sources_first
from semanticface.rig import CHANNELS, HALVES, REGIONS

SHOWN = ("mae", "pearson", "bias", "amplitude_ratio")
_STEPS = 5
_REACH = 90
"""Percentile of the sources' errors at which the scale is full."""


class Square(NamedTuple):
    """One number on its colour."""

    text: str
    low: str
    high: str
    colour: str
    ink: str
    dead: bool
    title: str


class Strip(NamedTuple):
    """One channel, region or half over all sources."""

    name: str
    region: str
    meaning: str
    inactive: bool
    squares: tuple[Square, ...]


class Group(NamedTuple):
    """A region: its own figures, then its channels."""

    whole: Strip | None
    channels: tuple[Strip, ...]


class Key(NamedTuple):
    """One step of the legend."""

    colour: str
    ink: str
    text: str


class HeatMap(NamedTuple):
    """One metric over all channels and sources."""

    measure: Measure
    sources: tuple[tuple[str, bool], ...]
    """(name, is a baseline)."""
    halves: tuple[Strip, ...]
    groups: tuple[Group, ...]
    legend: tuple[Key, ...]
    legend_words: str


class Scale(NamedTuple):
    """Colour by value, and the values worth naming in the legend."""

    colour: Callable[[float], str]
    marks: tuple[float, ...]
    words: str


def heat_maps(evaluation: Evaluation, shown: Sequence[str] = SHOWN) -> list[HeatMap]:
    """A map for every metric of `shown` that some channel of some source has."""
    sources = sources_first(evaluation)
    there = {name for source in sources for row in source.channels.values() for name in row}
    return [_map(evaluation, sources, name) for name in shown if name in there]


def _map(evaluation: Evaluation, sources: list[SourceResult], name: str) -> HeatMap:
    judged = [source for source in sources if not source.baseline] or sources
    values = [_value(source.channels, c.name, name) for source in judged for c in CHANNELS]
    scale = scale_of(measure(name), [value for value in values if value is not None])
    decimals = min(places(values), 3)
    draw = partial(_strip, evaluation, sources, name, scale, decimals)
    halves = tuple(
        draw(half) for half in HALVES
        if half not in REGIONS and any(half in source.regions for source in sources)
    )  # fmt: skip
    legend = tuple(
        Key(scale.colour(x), ink_on(scale.colour(x)), written(x, decimals)) for x in scale.marks
    )
    return HeatMap(
        measure(name), tuple((source.name, source.baseline) for source in sources), halves,
        tuple(_group(region, draw, sources) for region in REGIONS), legend, scale.words,
    )  # fmt: skip


def _group(region: str, draw: Callable[[str], Strip], sources: list[SourceResult]) -> Group:
    own = any(region in source.regions for source in sources)
    return Group(draw(region) if own else None, tuple(map(draw, channels_of(region))))


def channels_of(region: str) -> list[str]:
    """Its channels with left and right of a pair side by side, left first."""
    members = [channel for channel in CHANNELS if channel.region == region]
    first = {channel.movement: channel.index for channel in reversed(members)}
    order = sorted(members, key=lambda channel: (first[channel.movement], channel.index))
    return [channel.name for channel in order]


def _strip(
    evaluation: Evaluation, sources: list[SourceResult], name: str, scale: Scale, decimals: int,
    row: str,
) -> Strip:  # fmt: skip
    channel = next((channel for channel in CHANNELS if channel.name == row), None)
    squares = tuple(
        _square(_figure(source, row, name), scale, decimals, row in dead_channels(source))
        for source in sources
    )
    if channel is None:
        return Strip(row, row, "mean over the channels", False, squares)
    return Strip(row, channel.region, channel.meaning, row not in evaluation.active, squares)


def _figure(source: SourceResult, row: str, name: str) -> Figure:
    table = source.channels if row in source.channels else source.regions
    return table.get(row, {}).get(name, Figure(value=None))


def _square(figure: Figure, scale: Scale, decimals: int, dead: bool) -> Square:
    colour = "" if figure.value is None else scale.colour(figure.value)
    low, high = (written(x, decimals) if x is not None else "" for x in (figure.low, figure.high))
    count = f"n = {figure.n:,.0f}" if figure.n is not None else ""
    spread = f"{low} to {high}" if low and high else ""
    title = "; ".join(filter(None, (spread, count, figure.caution)))
    ink = ink_on(colour) if colour else ""
    return Square(written(figure.value, decimals), low, high, colour, ink, dead, title)


def dead_channels(source: SourceResult) -> frozenset[str]:
    """Channels that a finding calls dead."""
    return frozenset(
        name
        for pairing in source.pairings
        for finding in pairing.findings
        if finding.kind == "dead channel"
        for name in finding.channels
    )


def scale_of(one: Measure, values: Iterable[float]) -> Scale:
    """Pale is good: from the best value outwards, full at the sources' 90th percentile."""
    known = np.array(list(values), np.float64)
    if one.better == "higher":
        marks = tuple(float(x) for x in np.linspace(1, 0, _STEPS))
        return Scale(lambda x: shade(1 - x, SEVERE), marks, "pale is good; 0 and below is darkest")
    if one.better == "zero":
        top = _full(np.abs(known))
        marks = tuple(float(x) for x in np.linspace(-top, top, _STEPS))
        return Scale(partial(_both_ways, top=top), marks, "blue is too low, orange too high")
    if one.better == "one":
        words = "blue is too small, orange too large; full at a fourth and at four times"
        return Scale(lambda x: _both_ways(_doublings(x), 2.0), (0.25, 0.5, 1.0, 2.0, 4.0), words)
    top = _full(np.abs(known))
    marks = tuple(float(x) for x in np.linspace(0, top, _STEPS))
    return Scale(
        lambda x: shade(abs(x) / top, SEVERE), marks, "pale is good; darkest from there on"
    )


def _both_ways(value: float, top: float) -> str:
    return shade(abs(value) / top, BELOW if value < 0 else ABOVE)


def _doublings(ratio: float) -> float:
    return log2(max(ratio, 1 / 64))


def _full(sizes: np.ndarray) -> float:
    top = float(np.percentile(sizes, _REACH)) if len(sizes) else 0.0
    return top if top > 0 else 1.0


def _value(table: Mapping[str, Mapping[str, Figure]], row: str, name: str) -> float | None:
    figure = table.get(row, {}).get(name)
    return None if figure is None else figure.value
