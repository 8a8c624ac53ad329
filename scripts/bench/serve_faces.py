"""The held-out pictures that the ways are compared on: renders of people nobody trained with.

They are those of `scripts/make_nano.py score`, chunk for chunk. Where a folder holds them
(`test-00000.npz` ...) they are read, else drawn and kept there.
"""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nano_build import views
from nano_build.scoring import Shown, in_turn

from semanticface.data.drawing import faces_of
from semanticface.data.plan import Part
from semanticface.serve.client import Frame

_CHUNKS = 4
"""Of 500 pictures of 25 people each."""
MEAN_OF = 10_000
"""Training faces behind the mean that serves as a guess; they are not drawn."""


def held_out(folder: Path, count: int) -> Shown:
    """`count` pictures of the test side, of 100 people or more, each one's in turn."""
    chunks = [_chunk(folder, n) for n in range(max(_CHUNKS, -(-count // views.CHUNK)))]
    whole = Shown(*(np.concatenate([np.asarray(each[name]) for each in chunks])
                    for name in Shown._fields))  # fmt: skip
    chosen = in_turn(whole.people)[:count]
    return Shown(*(each[chosen] for each in whole))


def _chunk(folder: Path, number: int) -> dict[str, NDArray[np.generic]]:
    file = folder / f"test-{number:05d}.npz"
    if not file.is_file():
        print(f"drawing {file.name}", file=sys.stderr, flush=True)
        plan = replace(views.plan_of(coverage=0.3), antialias=True)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(file, **views.drawn(plan, "test", number)._asdict())
    with np.load(file) as held:
        return {name: held[name] for name in Shown._fields}


def mean_of_training() -> NDArray[np.float32]:
    """[61]: the mean of training faces."""
    plan, chunk = views.plan_of(), views.CHUNK
    drawn = [faces_of(plan, Part("train", n, n * chunk, chunk)).values
             for n in range(MEAN_OF // chunk)]  # fmt: skip
    return np.concatenate(drawn).mean(0)


def frames_of(shown: Shown, some: slice) -> list[Frame]:
    """PNG files of some of the pictures; a frame's time is its number."""
    numbers = range(*some.indices(len(shown.pictures)))
    return [Frame(float(n), _png(shown.pictures[n])) for n in numbers]


def _png(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return stream.getvalue()
