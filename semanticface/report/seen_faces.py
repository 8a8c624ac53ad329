"""Faces that a model read, side by side: the picture, the truth drawn, the answer drawn.

The words are the model's own where it has learnt to write some, each claim held against the true
numbers; and the rules' about the predicted numbers, into which none of the truth goes.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.language.consistency import check
from semanticface.language.describe import describe
from semanticface.language.description import Description
from semanticface.rig import CHANNELS

if TYPE_CHECKING:
    from semanticface.train.held_faces import HeldFace

SIZE = 240
MOST_BARS = 7
_QUALITY = 86


class Bar(NamedTuple):
    """A channel's two values, 0 to 1."""

    name: str
    truth: float
    told: float


class Piece(NamedTuple):
    """Some of a text, and what the numbers say of it."""

    text: str
    verdict: str
    """`supported`, `contradicted`, or nothing where it claims nothing that they decide."""


class Seen(NamedTuple):
    """One face on the page; pictures are data URIs."""

    shown: str
    truth: str
    told: str
    error: float
    """mean |p - y| over all channels."""
    guess: float
    """The same of the mean of many faces, said of every picture."""
    bars: tuple[Bar, ...]
    words: Description
    own: tuple[Piece, ...] = ()
    """The model's own words against the true numbers."""


class Learnt(NamedTuple):
    """What a few steps of the recipe came to."""

    steps: int
    first: float
    last: float
    """Losses."""
    probe: float | None
    """MAE of the last probe on faces held out."""
    curves: str
    """A picture as a data URI, or nothing."""
    config: str


def seen(
    face: HeldFace, told: NDArray[np.float32], mean: NDArray[np.float32],
    own: Description | None = None,
) -> Seen:  # fmt: skip
    """A face with what a model says of it, both drawn on the same person."""
    from semanticface.render.picture import Renderer
    from semanticface.train.nano_view import face_camera

    renderer = Renderer(identity=face.identity, view=face_camera(SIZE), size=SIZE)
    return Seen(
        _uri(face.picture), _uri(renderer.render(face.values)), _uri(renderer.render(told)),
        _error(told, face.values), _error(mean, face.values), _bars(face.values, told),
        describe(told, seed=face.identity), () if own is None else held_against(own, face.values),
    )  # fmt: skip


def held_against(words: Description, truth: NDArray[np.float32]) -> tuple[Piece, ...]:
    """A text in pieces, its claims with what the numbers say of them; wrong in part is wrong."""
    found, text = check(words, truth), words.as_text()
    marks = [""] * len(text)
    for verdict, claims in (("supported", found.supported), ("contradicted", found.contradicted)):
        for each in claims:
            span = slice(each.claim.start, each.claim.end)
            marks[span] = [verdict] * len(marks[span])
    runs = groupby(zip(text, marks, strict=True), key=lambda pair: pair[1])
    return tuple(Piece("".join(letter for letter, _ in run), mark) for mark, run in runs)


def learnt(folder: Path) -> Learnt:
    """A run's folder in a few numbers."""
    from semanticface.train.runs import Run, read_journal

    run = Run(folder)
    losses, probes = read_journal(run.log), read_journal(run.probes)
    if not losses:
        raise BadInput("no step in the run's log", "a run that was trained", file=run.log)
    picture = folder / "curves.png"
    return Learnt(
        losses[-1]["step"], losses[0]["loss"], losses[-1]["loss"],
        probes[-1]["mae"] if probes else None,
        _data(picture.read_bytes(), "png") if picture.is_file() else "",
        (folder / "config.yaml").read_text(encoding="utf-8"),
    )  # fmt: skip


def section(faces: Sequence[Seen], run: Learnt | None, model: str) -> str:
    """The part of a page that shows them."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True)
    text = (files("semanticface.report") / "seen_faces.html.jinja").read_text(encoding="utf-8")
    errors = np.array([[each.error, each.guess] for each in faces])
    better = int((errors[:, 0] < errors[:, 1]).sum())
    verdicts = Counter(piece.verdict for face in faces for piece in face.own)
    return environment.from_string(text).render(
        faces=faces,
        run=run,
        model=model,
        size=SIZE,
        better=better,
        mean=errors.mean(0),
        verdicts={key: verdicts[key] for key in ("supported", "contradicted")},
    )


def _bars(truth: NDArray[np.float32], told: NDArray[np.float32]) -> tuple[Bar, ...]:
    """The channels that either side moves most."""
    pairs = [Bar(c.name, float(truth[c.index]), float(told[c.index])) for c in CHANNELS
             if not c.signed and np.isfinite(told[c.index])]  # fmt: skip
    return tuple(sorted(pairs, key=lambda each: -max(each.truth, each.told))[:MOST_BARS])


def _error(told: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    return float(np.nanmean(np.abs(told - truth)))


def _uri(picture: NDArray[np.uint8]) -> str:
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(picture).save(stream, "jpeg", quality=_QUALITY, subsampling=0)
    return _data(stream.getvalue(), "jpeg")


def _data(held: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{b64encode(held).decode()}"
