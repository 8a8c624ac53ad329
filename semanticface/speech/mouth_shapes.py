"""A frame of the mouth as one token: the nearest of 256 whole shapes.

    form = ShapeForm()
    form.write(values)                       # "<m17><m17><m203>...", a token a frame

The shapes are centres by k-means (Lloyd 1982) of mouths that the rules made of many
synthetic speakers; `scripts/mouth_shapes.py` made the table. A token alone is off by as much
as its shape is (`window_answers.reconstruction` says how far). A model that gives a belief p
over the tokens says more: sum_k p_k shape_k, which is how such answers are read in one pass.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.rig import COUNT, INDEX
from semanticface.speech.window_answers import WindowRead

Floats = NDArray[np.float64]
TABLE = "tables/mouth_shapes.npz"
SHAPES = "shapes"
_TOKEN = re.compile(r"<m(\d+)>")


@cache
def shapes() -> Floats:
    """[K, 31] weights of the shapes, channels as in `MOUTH_31`."""
    with resources.files(__package__).joinpath(TABLE).open("rb") as file:
        held = np.load(file)
        names = [str(each) for each in held["channels"]]
        table: Floats = np.asarray(held["hundredths"], np.float64) / 100
    if [INDEX[name] for name in names] != list(MOUTH_31):
        raise BadInput("a table of other channels", "those of mouth-31", file=TABLE)
    table.flags.writeable = False
    return table


def vocabulary() -> tuple[str, ...]:
    """The tokens, one a shape."""
    return tuple(f"<m{k}>" for k in range(len(shapes())))


def nearest(values: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """[N] the shape nearest to each row of values [N, 31]."""
    table, rows = shapes(), np.asarray(values, np.float64)
    away = np.square(table).sum(1) - 2 * rows @ table.T  # less |row|^2, the same for all
    return np.asarray(away.argmin(1), np.intp)


class ShapeForm(NamedTuple):
    """Answers of a token a frame; has what `window_answers.WindowForm` has."""

    form: str = SHAPES
    channels: tuple[int, ...] = MOUTH_31

    def write(self, values: NDArray[np.floating[Any]]) -> str:
        """Values [N, 61] as tokens; NaN in a channel of the mouth is an error."""
        rows = np.asarray(values, np.float64)[:, list(self.channels)]
        if np.isnan(rows).any():
            raise BadInput("no value of a channel of the mouth", "all of mouth-31",
                           hint="Nothing is filled in.")  # fmt: skip
        return "".join(f"<m{k}>" for k in nearest(rows))

    def read(self, text: str, count: int) -> WindowRead:
        """Values [count, 61] of an answer, or why there are none."""
        told = text.strip()
        numbers = [int(each) for each in _TOKEN.findall(told)]
        if _TOKEN.sub("", told).strip():
            return WindowRead(None, "something other than shapes")
        if len(numbers) != count or max(numbers, default=0) >= len(shapes()):
            return WindowRead(None, f"{len(numbers)} shapes for {count} frames, or an unknown one")
        return WindowRead(self.spread(shapes()[numbers]), "")

    def believed(self, belief: Floats) -> NDArray[np.float32]:
        """Values [N, 61] of beliefs [N, K] over the shapes: their expectation."""
        return self.spread(belief @ shapes())

    def spread(self, rows: Floats) -> NDArray[np.float32]:
        """Rows [N, 31] as values [N, 61], NaN elsewhere."""
        values = np.full((len(rows), COUNT), np.nan, np.float32)
        values[:, list(self.channels)] = rows
        return values
