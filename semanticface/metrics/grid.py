"""Whether numbers were measured or said in round steps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Grid(NamedTuple):
    """What the values of a source show of a step; shares are 0 to 1, NaN without values."""

    share: float
    """Values that are multiples of the step."""
    share_nonzero: float
    """The same of the values that are not zero: zero is a multiple of everything."""
    zeros: float
    """Values that are zero."""
    levels: int
    """Distinct values after rounding to the tolerance."""
    values: int


def grid(values: NDArray[np.floating], step: float = 0.1, tolerance: float = 1e-4) -> Grid:
    """Share of the measured values within `tolerance` of a multiple of `step`.

    Values spread evenly would be there by chance with 2 tolerance / step, 0.2 % as
    it stands. Answers on a grid of step s cannot do better than an MAE of s / 4 where
    the truth moves freely.
    """
    flat = np.asarray(values, np.float64)
    flat = flat[~np.isnan(flat)]
    on = np.abs(flat - np.rint(flat / step) * step) <= tolerance
    zero = np.abs(flat) <= tolerance
    levels = len(np.unique(np.rint(flat / tolerance)))
    return Grid(_mean(on), _mean(on[~zero]), _mean(zero), levels, len(flat))


def _mean(mask: NDArray[np.bool_]) -> float:
    return float(mask.mean()) if len(mask) else float("nan")
