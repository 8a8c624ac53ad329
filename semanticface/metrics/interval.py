"""An estimate, and how far it may be off."""

from __future__ import annotations

from typing import Any, NamedTuple


class Interval(NamedTuple):
    """An estimate with its confidence interval; floats, or arrays of one shape."""

    estimate: Any
    low: Any
    high: Any
    level: float
    """The coverage aimed at, such as 0.95."""
    clusters: int
    """Independent units the interval rests on: takes, subjects, or trials."""
    method: str
    resamples: int = 0
    caution: str = ""
    """What makes this interval less than it seems; empty where nothing does."""
    doubtful: Any = False
    """Bool, or array of bools: estimates of which this method says too little. Nine of ten
    resamples lie on one side of it, or more than 5 % leave it undefined."""
