"""Curves of a clip as SVG: one small drawing a region, drawn without any library."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from semanticface.rig import CHANNELS, REGIONS, FaceClip

WIDTH, HEIGHT = 920, 96
COLOURS = ("#2f6fde", "#d9542b", "#1c9a6c", "#a155c9", "#b58900", "#d33682", "#5f7f8f", "#7a5c3e")
_MOVES = 0.08


class Curve(NamedTuple):
    """One channel's line."""

    name: str
    colour: str
    segments: tuple[str, ...]
    """Points of each unbroken stretch, as SVG writes them."""
    right: bool
    """Drawn dashed: the subject's right side of a pair."""


class Panel(NamedTuple):
    """One region's drawing."""

    region: str
    low: float
    high: float
    curves: tuple[Curve, ...]
    zero: float
    """Height of the zero line in pixels."""


def panels(clip: FaceClip) -> list[Panel]:
    """A panel for every region in which something moves."""
    return [panel for region in REGIONS if (panel := _panel(clip, region)).curves]


def _panel(clip: FaceClip, region: str) -> Panel:
    moving = [
        channel for channel in CHANNELS
        if channel.region == region and not channel.signed and _moves(clip, channel.index)
    ]  # fmt: skip
    if region == "head":
        moving = [c for c in CHANNELS if c.region == "head" and _moves(clip, c.index)]
    low, high = (-1.0, 1.0) if region == "head" else (0.0, 1.0)
    families = list(dict.fromkeys(channel.movement for channel in moving))
    curves = tuple(
        Curve(
            channel.name,
            COLOURS[families.index(channel.movement) % len(COLOURS)],
            _segments(clip, channel.index, low, high),
            channel.side == "right",
        )
        for channel in moving
    )
    return Panel(region, low, high, curves, _y(0.0, low, high))


def _moves(clip: FaceClip, index: int) -> bool:
    column = clip.values[:, index]
    known = column[~np.isnan(column)]
    return bool(len(known) and np.abs(known).max() > _MOVES)


def x_of(clip: FaceClip, time: float) -> float:
    """Where a moment stands on the page, in pixels."""
    return float((time - clip.times[0]) / max(clip.duration, 1e-9) * WIDTH)


def _y(value: float, low: float, high: float) -> float:
    return HEIGHT - (value - low) / (high - low) * HEIGHT


def _segments(clip: FaceClip, index: int, low: float, high: float) -> tuple[str, ...]:
    column = clip.values[:, index]
    lost = np.isnan(column)
    edges = np.flatnonzero(np.diff(lost.astype(np.int8))) + 1
    stretches = np.split(np.arange(len(column)), edges)
    return tuple(
        " ".join(f"{x_of(clip, clip.times[i]):.1f},{_y(column[i], low, high):.1f}" for i in part)
        for part in stretches
        if len(part) and not lost[part[0]]
    )
