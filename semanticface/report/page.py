"""One self-contained HTML page: no script, no font, nothing to fetch."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from semanticface.formats.survey import Fact
from semanticface.language.description import Description
from semanticface.report.curves import HEIGHT, WIDTH, panels, x_of
from semanticface.rig import CHANNELS, FaceClip


class Moment(NamedTuple):
    """A frame worth showing: its words and its numbers."""

    frame: int
    seconds: float
    title: str
    told: Description
    chinese: Description
    short: str
    """The frame as short codes."""
    tokens: str
    bars: tuple[tuple[str, float], ...]
    """The strongest channels with their values."""


class Conversion(NamedTuple):
    """A file the clip was written to, and what came back from it."""

    file: str
    about: str
    kilobytes: float
    verdict: str
    exact: bool
    notes: tuple[str, ...]


def bars(values: Sequence[float] | np.ndarray, most: int = 8) -> tuple[tuple[str, float], ...]:
    """The strongest shapes of a frame, strongest first."""
    shapes = [(c.name, float(values[c.index])) for c in CHANNELS if not c.signed]
    known = [pair for pair in shapes if pair[1] >= 0.05]
    return tuple(sorted(known, key=lambda pair: -pair[1])[:most])


def clip_page(
    title: str, clip: FaceClip, *, facts: Sequence[Fact], words: Sequence[str],
    moments: Sequence[Moment], conversions: Sequence[Conversion], costs: Sequence[Any],
    first: str = "",
) -> str:  # fmt: skip
    """The page of the demo: a clip's curves, words, moments, conversions and token costs.

    `first` is a part of our own making that comes before them, already HTML.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    source = (files("semanticface.report") / "clip_page.html.jinja").read_text(encoding="utf-8")
    marks = [(moment, x_of(clip, clip.times[moment.frame])) for moment in moments]
    ticks = [(s, x_of(clip, clip.times[0] + s)) for s in range(int(clip.duration) + 1)]
    return environment.from_string(source).render(
        title=title, facts=facts, words=words, marks=marks, conversions=conversions, costs=costs,
        panels=panels(clip), width=WIDTH, height=HEIGHT, ticks=ticks, first=Markup(first),
    )  # fmt: skip
