"""Curves over time: sources over the reference, whole takes with every peak, and a close look."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.evaluation.items import PairedFrames
from semanticface.evaluation.result import Evaluation
from semanticface.report.chosen import (
    MOST_SOURCES,
    chosen_takes,
    colours,
    drawn_sources,
)
from semanticface.report.measures import written
from semanticface.rig import CHANNELS, INDEX, FaceClip

Floats = NDArray[np.float64]
WIDE, NARROW, HEIGHT = 600, 300, 90
CLOSE = 4.0
"""Seconds of the close look: a lag of a few frames can be seen in it."""
_COLUMNS = 300
_PAUSE = 2.5
"""Usual steps: a longer one is a gap, and no line is drawn across."""


class Trace(NamedTuple):
    """One source, or the reference, as unbroken lines."""

    name: str
    colour: str
    truth: bool
    segments: tuple[str, ...]


class Drawing(NamedTuple):
    """Lines over a stretch of time."""

    width: int
    traces: tuple[Trace, ...]
    ticks: tuple[tuple[float, str], ...]


class ChannelTraces(NamedTuple):
    """One channel of a take: the whole and a part of it."""

    channel: str
    low: str
    high: str
    zero: float | None
    whole: Drawing
    close: Drawing


class TakeTraces(NamedTuple):
    """One take."""

    take: str
    seconds: str
    sources: tuple[tuple[str, str, str], ...]
    """(name, colour, its lag in words)."""
    window: tuple[float, float]
    """Where the close look stands in the whole, in pixels: left edge and width."""
    close: str
    """Where it stands, in words."""
    lag: tuple[float, str] | None
    """Pixels of the first source's lag in the close look, and its words."""
    channels: tuple[ChannelTraces, ...]


class _Span(NamedTuple):
    start: float
    end: float
    width: int

    def x(self, times: Floats) -> Floats:
        return np.asarray((times - self.start) / max(self.end - self.start, 1e-9) * self.width)


def traces(
    evaluation: Evaluation, frames: Sequence[PairedFrames], channels: Sequence[str]
) -> list[TakeTraces]:
    """The chosen takes of the first source, with every source that has them."""
    names = drawn_sources(evaluation, frames)[:MOST_SOURCES]
    if not names or not channels:
        return []
    by = {(pair.source, pair.take): pair for pair in frames}
    return [
        _take(evaluation, take, [by[name, take] for name in names if (name, take) in by], channels)
        for take in chosen_takes(frames, names[0])
    ]


def _take(
    evaluation: Evaluation, take: str, pairs: list[PairedFrames], channels: Sequence[str]
) -> TakeTraces:
    start = min(float(pair.truth.times[0]) for pair in pairs)
    end = max(float(pair.truth.times[-1]) for pair in pairs)
    whole = _Span(start, end, WIDE)
    close = _closer(pairs[0], whole, channels)
    edges = whole.x(np.array([close.start, close.end]))
    palette = colours(evaluation)
    order = [(pair.source, palette[pair.source]) for pair in pairs]
    told = tuple((name, colour, _lag_words(evaluation, name, take)) for name, colour in order)
    return TakeTraces(
        take, f"{end - start:.1f} s", told, (float(edges[0]), float(edges[1] - edges[0])),
        f"{close.start - start:.1f} to {close.end - start:.1f} s",
        _lag_bar(evaluation, pairs[0].source, take, close),
        tuple(_channel(pairs, order, name, whole, close) for name in channels),
    )  # fmt: skip


def _closer(pair: PairedFrames, whole: _Span, channels: Sequence[str]) -> _Span:
    """The seconds in which the chosen channels of the first source are farthest off."""
    columns = [INDEX[name] for name in channels]
    apart = np.abs(pair.pred.values - pair.truth.values)[:, columns].astype(np.float64)
    error = np.nan_to_num(apart).sum(axis=1)
    times = pair.truth.times
    if not len(times) or whole.end - whole.start <= CLOSE:
        return _Span(whole.start, whole.end, NARROW)
    summed = np.concatenate([[0.0], np.cumsum(error)])
    ends = np.searchsorted(times, times + CLOSE)
    sums = np.where(times + CLOSE <= times[-1] + 1e-9, summed[ends] - summed[:-1], -1.0)
    begin = float(times[int(np.argmax(sums))])
    return _Span(begin, begin + CLOSE, NARROW)


def _channel(
    pairs: list[PairedFrames], order: list[tuple[str, str]], name: str, whole: _Span, close: _Span
) -> ChannelTraces:
    by = {pair.source: pair for pair in pairs}
    lines = [("reference", "", pairs[0].truth)]
    lines += [(source, colour, by[source].pred) for source, colour in order]
    low, high = _range([clip for _, _, clip in lines], name)
    zero = round(HEIGHT * high / (high - low), 1) if low < 0 < high else None
    drawings = (
        Drawing(span.width, tuple(
            Trace(label, colour, not colour, segments(clip, name, span, low, high))
            for label, colour, clip in lines
        ), _ticks(span, whole.start))
        for span in (whole, close)
    )  # fmt: skip
    return ChannelTraces(name, written(low, 1), written(high, 1), zero, *drawings)


def _range(clips: list[FaceClip], name: str) -> tuple[float, float]:
    values = np.concatenate([clip.column(name) for clip in clips]).astype(np.float64)
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    signed = CHANNELS[INDEX[name]].signed
    low, high = (low, high) if signed else (min(low, 0.0), max(high, 0.2))
    low, high = float(np.floor(low * 10 + 1e-6) / 10), float(np.ceil(high * 10 - 1e-6) / 10)
    return low, high if high > low else low + 0.1


def segments(clip: FaceClip, name: str, span: _Span, low: float, high: float) -> tuple[str, ...]:
    """The points of each unbroken stretch, thinned so that every peak survives."""
    inside = (clip.times >= span.start - 1e-9) & (clip.times <= span.end + 1e-9)
    times, values = clip.times[inside], clip.column(name)[inside].astype(np.float64)
    there = np.flatnonzero(~np.isnan(values))
    if not len(there):
        return ()
    usual = clip.step if not isnan(clip.step) else np.inf
    broken = (np.diff(there) > 1) | (np.diff(times[there]) > _PAUSE * usual)
    x, y = span.x(times), HEIGHT - (values - low) / (high - low) * HEIGHT
    return tuple(
        " ".join(
            f"{x[i]:.1f},{y[i]:.1f}" for i in part[peaks_kept(values[part], _columns(part, clip))]
        )
        for part in np.split(there, np.flatnonzero(broken) + 1)
    )


def _columns(part: NDArray[np.intp], clip: FaceClip) -> int:
    return max(ceil(_COLUMNS * len(part) / max(len(clip), 1)), 1) if len(clip) > _COLUMNS else 10**9


def peaks_kept(values: Floats, columns: int) -> NDArray[np.intp]:
    """Indices of the least and greatest of each of `columns` runs, and of both ends."""
    count = len(values)
    size = ceil(count / columns)
    if size <= 2:
        return np.arange(count)
    starts = np.arange(0, count, size)
    table = np.pad(values, (0, len(starts) * size - count), mode="edge").reshape(-1, size)
    picked = [[0, count - 1], starts + table.argmin(axis=1), starts + table.argmax(axis=1)]
    return np.unique(np.minimum(np.concatenate(picked), count - 1))


def _ticks(span: _Span, zero: float) -> tuple[tuple[float, str], ...]:
    length = span.end - span.start
    step = next((s for s in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600) if length / s <= 8), 1800)
    first, last = ceil((span.start - zero) / step - 1e-9), int((span.end - zero) / step + 1e-9)
    marks = np.array([zero + i * step for i in range(first, last + 1)])
    return tuple(
        (round(float(x), 1), f"{i * step} s")
        for i, x in zip(range(first, last + 1), span.x(marks), strict=True)
    )


def _lag(evaluation: Evaluation, source: str, take: str) -> tuple[float | None, float | None]:
    for pairing in evaluation.source(source).pairings:
        if pairing.take == take:
            return pairing.lag, pairing.lag_correlation
    return None, None


def _lag_words(evaluation: Evaluation, source: str, take: str) -> str:
    lag, correlation = _lag(evaluation, source, take)
    if lag is None:
        return "no lag could be told"
    size = f"{abs(lag) * 1000:.0f} ms {'late' if lag > 0 else 'early'}"
    size = size if abs(lag) >= 0.0005 else "in time"
    return size if correlation is None else f"{size}, cue correlation {correlation:.3f} there"


def _lag_bar(
    evaluation: Evaluation, source: str, take: str, close: _Span
) -> tuple[float, str] | None:
    """The lag drawn to scale, where it is wide enough to be seen."""
    lag, _ = _lag(evaluation, source, take)
    width = abs(lag or 0.0) / max(close.end - close.start, 1e-9) * close.width
    if lag is None or width < 1.5:
        return None
    return round(width, 1), f"{abs(lag) * 1000:.0f} ms {'late' if lag > 0 else 'early'}"
