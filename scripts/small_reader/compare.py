"""An experiment: some arms, some seeds, one table; answers are kept, so it goes on where it was."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from small_reader import study
from small_reader.sight import SUBSET, Faces, faces

LEARN, HELD = range(100, 112), range(2)
"""Chunks of 500: 6,000 faces to learn from, 1,000 of 50 people held out."""


class Asked(NamedTuple):
    """What an arm is to do."""

    folder: Path
    held: Faces
    seed: int
    shown: int
    """Faces shown while it learns, all arms the same number."""


class Found(NamedTuple):
    """What an arm said of the faces held out."""

    values: NDArray[np.float32]
    """[N, 61], the likeliest."""
    expected: NDArray[np.float32]
    """[N, 61], or NaN where an arm has no such reading."""
    tokens: float
    """An answer's, on average."""
    seconds: float
    note: str


Arm = Callable[[Asked], Found]


def main(about: str, arms: Mapping[str, Arm], readings: Sequence[str] = ("values",)) -> None:
    """Run what is missing, then print the table; the first row is what others are held against."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where chunks lie or are drawn")
    parser.add_argument("--faces", type=int, default=6400, help="shown while learning, each arm")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    torch.set_num_threads(1)
    console = Console(width=150)
    held = faces(options.folder, "test", HELD)
    found: dict[str, list[Found]] = {name: [] for name in arms}
    for seed in options.seeds:
        for name, arm in arms.items():
            each = _kept(name, arm, Asked(options.folder, held, seed, options.faces))
            found[name].append(each)
            console.print(f"{name}, seed {seed}: {each.seconds:.0f} s {each.note}", markup=False)
    console.print(_table(held, found, readings))


def _kept(name: str, arm: Arm, asked: Asked) -> Found:
    file = asked.folder / "told" / f"{name.replace(' ', '-')}-{asked.shown}-{asked.seed}.npz"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **arm(asked)._asdict())
    with np.load(file) as kept:
        return Found(kept["values"], kept["expected"], float(kept["tokens"]),
                     float(kept["seconds"]), str(kept["note"]))  # fmt: skip


def _table(held: Faces, found: Mapping[str, list[Found]], readings: Sequence[str]) -> Table:
    few = next(iter(found.values()))
    table = Table("arm", "tokens", "r", "r by seed", "MAE", "active MAE", "no answer",
                  "r minus the first's", "MAE minus the first's",
                  title=f"{len(held.values)} faces of {len(set(held.people))} people, "
                        f"{len(SUBSET)} channels, {len(few)} seeds")  # fmt: skip
    plain = [getattr(each, readings[0]) for each in few]
    for name, several in found.items():
        for reading in readings:
            told = [getattr(each, reading) for each in several]
            if np.isnan(told[0]).all():
                continue
            row = study.row(held, told)
            table.add_row(
                name + (", expected" if reading == "expected" and len(readings) > 1 else ""),
                f"{np.mean([each.tokens for each in several]):.0f}", study.spelt(row.pearson),
                " ".join(f"{r:.3f}" for r in row.seeds), study.spelt(row.mae),
                study.spelt(row.active_mae), f"{row.missing:.1%}",
                study.spelt(study.difference(held, told, plain, "pearson")),
                study.spelt(study.difference(held, told, plain, "mae")),
            )  # fmt: skip
    return table
