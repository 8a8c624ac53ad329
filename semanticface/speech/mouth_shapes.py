"""A frame of the mouth as one token: the nearest of 256 whole shapes.

    form = ShapeForm()
    form.write(values)                       # "<m17><m17><m203>...", a token a frame

The shapes are centres by k-means (Lloyd 1982) of mouths that the rules made of many
synthetic speakers; `scripts/mouth_shapes.py` made the table. A token alone is off by as much
as its shape is (`window_answers.reconstruction` says how far). A model that gives a belief p
over the tokens says more: sum_k p_k shape_k, which is how such answers are read in one pass.

Where a request shows a draft in shapes, the draft itself stands in the table for the shape that is
nearest to it, frame by frame (`ShapeForm.beside`): an answer that repeats the draft's tokens is the
draft to the last digit, and every other token says what it always says.

That table says mouths like the rules'. People's need one of their own, made of their recordings
(`scripts/mouth_shapes.py RECORDINGS --own FILE`); it goes with a task as text (`read_table`), and
so into a run's manifest.
"""

from __future__ import annotations

import base64
import io
import os
import re
import zipfile
import zlib
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.atomic import write_bytes
from semanticface.errors import BadInput
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.rig import COUNT, NAMES
from semanticface.speech.window_answers import WindowRead

Floats = NDArray[np.float64]
TABLE = "tables/mouth_shapes.npz"
COUNT_OF_SHAPES = 256
SHAPES = "shapes"
_TOKEN = re.compile(r"<m(\d+)>")


@cache
def shapes(own: str = "") -> Floats:
    """[256, 31] weights of the shapes, channels as in `MOUTH_31`; `own`: of a table as text."""
    if own:
        try:
            hundredths = np.frombuffer(zlib.decompress(base64.b64decode(own)), np.uint8)
            table = hundredths.reshape(COUNT_OF_SHAPES, len(MOUTH_31)) / 100
        except (ValueError, zlib.error):
            raise BadInput("text that is no table of shapes", "what read_table gives") from None
    else:
        with resources.files(__package__).joinpath(TABLE).open("rb") as file:
            table = _hundredths(file, TABLE) / 100
    table.flags.writeable = False
    return table


def read_table(path: str | os.PathLike[str]) -> str:
    """A table of one's own as text."""
    return base64.b64encode(zlib.compress(_hundredths(path, path).tobytes(), 9)).decode()


def write_table(hundredths: NDArray[np.uint8], path: str | os.PathLike[str]) -> None:
    """A table of 256 shapes as a file."""
    held = io.BytesIO()
    np.savez_compressed(held, hundredths=hundredths, channels=[NAMES[i] for i in MOUTH_31])
    write_bytes(path, held.getvalue())


def _hundredths(file: Any, name: object) -> NDArray[np.uint8]:
    try:
        held = np.load(file, allow_pickle=False)
        names = [str(each) for each in held["channels"]]
        table = np.asarray(held["hundredths"])
    except (KeyError, ValueError, OSError, zipfile.BadZipFile):
        raise BadInput("no table of shapes", "one of scripts/mouth_shapes.py", file=name) from None
    if names != [NAMES[i] for i in MOUTH_31]:
        raise BadInput("a table of other channels", "those of mouth-31", file=name)
    if (
        table.shape != (COUNT_OF_SHAPES, len(MOUTH_31))
        or table.dtype != np.uint8
        or (table.max() > 100)
    ):
        raise BadInput(f"a table of {table.shape} {table.dtype}",
                       f"{COUNT_OF_SHAPES} shapes in hundredths", file=name)  # fmt: skip
    return table


def vocabulary() -> tuple[str, ...]:
    """The tokens, one a shape, whatever table they are of."""
    return tuple(f"<m{k}>" for k in range(COUNT_OF_SHAPES))


def nearest(values: NDArray[np.floating[Any]], own: str = "") -> NDArray[np.intp]:
    """[N] the shape nearest to each row of values [N, 31]."""
    return np.asarray(_away(np.asarray(values, np.float64), own).argmin(1), np.intp)


def _away(rows: Floats, own: str) -> Floats:
    """[N, 256] squared distances, less |row|^2, which is the same for all."""
    table = shapes(own)
    return np.asarray(np.square(table).sum(1) - 2 * rows @ table.T)


class ShapeForm(NamedTuple):
    """Answers of a token a frame; has what `window_answers.WindowForm` has."""

    form: str = SHAPES
    channels: tuple[int, ...] = MOUTH_31
    own: str = ""
    """A table of one's own, as text; the package's where there is none."""

    def beside(self, draft: NDArray[np.floating[Any]]) -> BesideDraft:
        """The form of an answer to a request that shows a draft [N, 61]."""
        rows = np.asarray(draft, np.float64)[:, list(self.channels)]
        return BesideDraft(self, nearest(rows, self.own), rows)

    def rows_of(self, values: NDArray[np.floating[Any]]) -> Floats:
        """[N, 31] of values [N, 61]; NaN in a channel of the mouth is an error."""
        rows = np.asarray(values, np.float64)[:, list(self.channels)]
        if np.isnan(rows).any():
            raise BadInput("no value of a channel of the mouth", "all of mouth-31",
                           hint="Nothing is filled in.")  # fmt: skip
        return rows

    def write(self, values: NDArray[np.floating[Any]]) -> str:
        """Values [N, 61] as tokens; NaN in a channel of the mouth is an error."""
        return _text(nearest(self.rows_of(values), self.own))

    def read(self, text: str, count: int) -> WindowRead:
        """Values [count, 61] of an answer, or why there are none."""
        numbers = _numbers(text, count)
        if isinstance(numbers, str):
            return WindowRead(None, numbers)
        return WindowRead(self.spread(shapes(self.own)[numbers]), "")

    def believed(self, belief: Floats) -> NDArray[np.float32]:
        """Values [N, 61] of beliefs [N, K] over the shapes: their expectation."""
        return self.spread(belief @ shapes(self.own))

    def spread(self, rows: Floats) -> NDArray[np.float32]:
        """Rows [N, 31] as values [N, 61], NaN elsewhere."""
        values = np.full((len(rows), COUNT), np.nan, np.float32)
        values[:, list(self.channels)] = rows
        return values


class BesideDraft(NamedTuple):
    """Shapes of one window, of which in each frame the draft's nearest is the draft itself."""

    shapes: ShapeForm
    places: NDArray[np.intp]
    """[N] the tokens of the draft."""
    draft: Floats
    """[N, 31]."""

    @property
    def channels(self) -> tuple[int, ...]:
        """What it tells."""
        return self.shapes.channels

    @property
    def left(self) -> Floats:
        """[N, 31] what the draft's tokens leave of it."""
        return self.draft - shapes(self.shapes.own)[self.places]

    def write(self, values: NDArray[np.floating[Any]]) -> str:
        """Values [N, 61] as tokens; NaN in a channel of the mouth is an error."""
        rows = self.shapes.rows_of(values)
        away = _away(rows, self.shapes.own)
        own = np.square(self.draft).sum(1) - 2 * (rows * self.draft).sum(1)
        away[np.arange(len(rows)), self.places] = own
        return _text(away.argmin(1))

    def read(self, text: str, count: int) -> WindowRead:
        """Values [count, 61] of an answer, or why there are none."""
        numbers = _numbers(text, count)
        if isinstance(numbers, str):
            return WindowRead(None, numbers)
        belief = np.zeros((count, COUNT_OF_SHAPES))
        belief[np.arange(count), numbers] = 1
        return WindowRead(self.believed(belief), "")

    def believed(self, belief: Floats) -> NDArray[np.float32]:
        """Values [N, 61] of beliefs [N, K] over the shapes: their expectation."""
        sure = belief[np.arange(len(belief)), self.places]
        return self.shapes.spread(belief @ shapes(self.shapes.own) + sure[:, None] * self.left)


Shaped = ShapeForm | BesideDraft


def _text(places: NDArray[np.intp]) -> str:
    return "".join(f"<m{k}>" for k in places)


def _numbers(text: str, count: int) -> list[int] | str:
    """The shapes of an answer, or why it has none."""
    told = text.strip()
    numbers = [int(each) for each in _TOKEN.findall(told)]
    if _TOKEN.sub("", told).strip():
        return "something other than shapes"
    if len(numbers) != count or max(numbers, default=0) >= COUNT_OF_SHAPES:
        return f"{len(numbers)} shapes for {count} frames, or an unknown one"
    return numbers
