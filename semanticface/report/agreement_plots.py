"""Scatter and Bland-Altman plots: where frames lie, as a density and not as dots."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semanticface.evaluation.items import PairedFrames
from semanticface.evaluation.result import Evaluation
from semanticface.metrics.coefficients import Scores
from semanticface.report.chosen import (
    MOST_SOURCES,
    colours,
    drawn_sources,
    of_source,
    pooled_scores,
)
from semanticface.report.colour import rgb
from semanticface.report.measures import written
from semanticface.rig import CHANNELS, INDEX

Floats = NDArray[np.float64]
SIDE = 140
"""Pixels of a plot's own square."""
_BINS = 50
_LIMIT = 1.96
"""Deviations to either side within which 95 % of normal differences lie (Bland and Altman 1986)."""
_LEAST = 3


class Line(NamedTuple):
    """A level line with its number."""

    at: float
    text: str
    strong: bool


class Plot(NamedTuple):
    """A density over two axes, in a square of SIDE."""

    picture: str
    """A PNG as a data URI."""
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...]
    diagonal: bool


class Agreement(NamedTuple):
    """One source in one channel."""

    source: str
    scatter: Plot
    differences: Plot
    words: str


class ChannelAgreement(NamedTuple):
    """One channel over the sources."""

    channel: str
    unit: str
    meaning: str
    sources: tuple[Agreement, ...]


def agreements(
    evaluation: Evaluation, frames: Sequence[PairedFrames], channels: Sequence[str]
) -> list[ChannelAgreement]:
    """Plots of every channel that some source measured, for the first few sources."""
    names = drawn_sources(evaluation, frames)[:MOST_SOURCES]
    own = {name: of_source(frames, name) for name in names}
    overall = {name: pooled_scores(pairs) for name, pairs in own.items()}
    palette, found = colours(evaluation), []
    for channel in channels:
        kept = tuple(
            plotted
            for name in names
            if (plotted := _agreement(name, own[name], overall[name], channel, palette[name]))
            is not None
        )
        about = CHANNELS[INDEX[channel]]
        if kept:
            found.append(ChannelAgreement(channel, about.unit, about.meaning, kept))
    return found


def _agreement(
    source: str, pairs: Sequence[PairedFrames], found: Scores, channel: str, colour: str
) -> Agreement | None:
    p, y = (_column(pairs, side, channel) for side in ("pred", "truth"))
    known = ~(np.isnan(p) | np.isnan(y))
    p, y = p[known], y[known]
    if len(p) < _LEAST:
        return None
    return Agreement(
        source, _scatter(p, y, colour), _bland_altman(p, y, colour), _words(found, p, y, channel)
    )


def _column(pairs: Sequence[PairedFrames], side: str, channel: str) -> Floats:
    clips = [pair.pred if side == "pred" else pair.truth for pair in pairs]
    return np.concatenate([clip.column(channel) for clip in clips]).astype(np.float64)


def _scatter(p: Floats, y: Floats, colour: str) -> Plot:
    low, high = _rounded(min(p.min(), y.min(), 0.0), max(p.max(), y.max()))
    ticks = _ticks(low, high)
    picture = density(y, p, (low, high), (low, high), colour)
    upright = tuple((SIDE - at, text) for at, text in ticks)
    return Plot(picture, ticks, upright, (), True)


def _bland_altman(p: Floats, y: Floats, colour: str) -> Plot:
    """Difference over mean, with the mean difference and its limits of agreement."""
    middle, apart = (p + y) / 2, p - y
    bias, reach = float(apart.mean()), _LIMIT * float(apart.std(ddof=1))
    low, high = _rounded(min(middle.min(), 0.0), middle.max())
    top = max(float(np.abs(apart).max()), abs(bias) + reach) * 1.05 or 1.0
    picture = density(middle, apart, (low, high), (-top, top), colour)
    lines = tuple(
        Line(_height(at, -top, top), written(at, 3, sign=True), strong)
        for at, strong in ((bias + reach, False), (bias, True), (bias - reach, False))
    )
    upright = tuple((SIDE - at, text) for at, text in _ticks(-top, top))
    return Plot(picture, _ticks(low, high), upright, lines, False)


def _words(found: Scores, p: Floats, y: Floats, channel: str) -> str:
    apart = p - y
    bias, reach = float(apart.mean()), _LIMIT * float(apart.std(ddof=1))
    within = float((np.abs(apart - bias) <= reach).mean())
    ccc, r = (float(each[INDEX[channel]]) for each in (found.ccc, found.pearson))
    return (
        f"CCC {written(ccc, 3)}, r {written(r, 3)}, bias {written(bias, 3, sign=True)}, limits "
        f"{written(bias - reach, 3, sign=True)} to {written(bias + reach, 3, sign=True)} with "
        f"{within:.0%} of {len(p):,} frames between"
    )


def density(
    x: Floats, y: Floats, x_range: tuple[float, float], y_range: tuple[float, float], colour: str
) -> str:
    """Counts on a grid as a picture: the more frames, the more opaque, on a log scale."""
    counts = np.histogram2d(y, x, bins=_BINS, range=(y_range, x_range))[0][::-1]
    strength = np.log1p(counts) / max(float(np.log1p(counts.max())), 1e-9)
    alpha = np.where(counts > 0, 0.22 + 0.78 * strength, 0.0)
    pixels = np.empty((*counts.shape, 4), np.uint8)
    pixels[..., :3] = rgb(colour)
    pixels[..., 3] = np.rint(alpha * 255)
    held = BytesIO()
    Image.fromarray(pixels).save(held, "PNG", optimize=True)
    return "data:image/png;base64," + b64encode(held.getvalue()).decode()


def _rounded(low: float, high: float) -> tuple[float, float]:
    """A range on tenths, or on what else suits it, that holds both ends."""
    size = max(high - low, 1e-6)
    step = 10.0 ** np.floor(np.log10(size)) / 5
    low, high = float(np.floor(low / step) * step), float(np.ceil(high / step) * step)
    return low, high if high > low else low + step


def _height(value: float, low: float, high: float) -> float:
    return round(SIDE - (value - low) / (high - low) * SIDE, 1)


def _ticks(low: float, high: float) -> tuple[tuple[float, str], ...]:
    step = 10.0 ** np.floor(np.log10((high - low) / 2))
    step = next(step * nice for nice in (1, 2, 5, 10) if (high - low) / (step * nice) <= 4.001)
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    decimals = max(0, -int(np.floor(np.log10(step) + 1e-9)))
    return tuple(
        (round((i * step - low) / (high - low) * SIDE, 1), written(i * step, decimals))
        for i in range(first, last + 1)
    )
