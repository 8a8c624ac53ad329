"""Whole heads, far away and anywhere in the picture: the small model with and without a crop.

    python scripts/experiments/whole_heads.py [--faces 100] [--size 384] [--near 1.3] [--far 4]

A person a picture, of the test side; the camera stands straight before the face at 1.3 to 4 times
the distance of the training's, evenly in the log of it, and the face lies anywhere. Shown are the
whole picture, the part that `face_crop` finds, and the true square. Intervals are over people.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from face_finder_build.far_faces import Far, far_faces, values_of
from nano_build import scoring
from rich.console import Console

from semanticface.errors import BadInput
from semanticface.motion.expressions import sample_frames
from semanticface.train.face_crop import Sought, part
from semanticface.train.places import small_run
from semanticface.train.predictor import Predictor, opened

WHOLE, FOUND, TRUE = "whole picture", "cut to the face found", "cut to the true square"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=100)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--near", type=float, default=1.3)
    parser.add_argument("--far", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", type=Path, default=None)
    options = parser.parse_args()
    values = values_of("test", options.faces, options.size, options.seed)
    shown = list(far_faces("test", options.faces, options.size, options.seed,
                           options.near, options.far))  # fmt: skip
    held = scoring.Shown(np.zeros(0, np.uint8), values, np.arange(len(values)))
    told = _told(opened(options.run or small_run()), shown)
    mean = sample_frames(20_000, seed=1, coverage=0.5).mean(0)
    console = Console(width=110)
    for name, row in scoring.table(held, told, mean).items():
        lost = int(np.isnan(told[name][:, 0]).sum())
        console.print(f"{name:22} n {len(values)}, {lost} not found; "
                      f"r {scoring.spelt(row.pearson)} MAE {scoring.spelt(row.mae)} "
                      f"of the mean's {row.ratio:.2f}",
                      soft_wrap=True)  # fmt: skip


def _told(predictor: Predictor, shown: list[Far]) -> dict[str, np.ndarray]:
    """[N, 61] in each way; NaN where no face was found."""
    whole = [each.picture for each in shown]
    true = [part(each.picture, each.true) for each in shown]
    found = [_found(each) for each in shown]
    seen = iter(_read(predictor, [each for each in found if each is not None]))
    lost = np.full(61, np.nan, np.float32)
    return {WHOLE: _read(predictor, whole),
            FOUND: np.array([lost if each is None else next(seen) for each in found]),
            TRUE: _read(predictor, true)}  # fmt: skip


def _found(far: Far) -> object | None:
    try:
        return Sought().cut(far.picture).picture
    except BadInput:
        return None


def _read(predictor: Predictor, pictures: list) -> np.ndarray:
    return np.array([face.values for i in range(0, len(pictures), 20)
                     for face in predictor.faces(pictures[i : i + 20])])  # fmt: skip


if __name__ == "__main__":
    main()
