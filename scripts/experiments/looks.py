"""Real-looking to toon: the packaged small model on the same faces in looks it never saw.

    python scripts/experiments/looks.py [--seed 0] [--faces 500] [--looks realistic clay toon]

It learnt on the realistic look (seven chunks of eight) and on clay (one of eight). The faces
are those of held-out people; the seed chooses people, poses, lights and faces. Intervals are
over people, differences are paired.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from nano_build import scoring, views
from PIL import Image
from rich.console import Console

from semanticface.data.drawing import faces_of
from semanticface.data.plan import Part
from semanticface.motion.expressions import sample_frames
from semanticface.train.places import small_run
from semanticface.train.predictor import opened


def drawn(seed: int, look: str, faces: int) -> scoring.Shown:
    """Test people of a plan in a look; the same faces, people and cameras for every look."""
    plan = replace(views.plan_of(seed, look, coverage=0.3), antialias=True)
    part = Part("test", 0, 0, faces)
    values = faces_of(plan, part).values
    pictures, people, known, renderer = [], [], -1, None
    for i, face in enumerate(values):
        setting = plan.setting("test", i)
        if setting.number != known:
            known, renderer = setting.number, views.closer(plan, part, setting.number)
        assert renderer is not None
        pictures.append(renderer.render(face))
        people.append(setting.identity)
    return scoring.Shown(np.stack(pictures), values, np.array(people))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument("--faces", type=int, default=500)
    parser.add_argument("--looks", nargs="+", default=["realistic", "clay", "toon"])
    parser.add_argument("--run", type=Path, default=None)
    options = parser.parse_args()
    predictor = opened(options.run or small_run())
    mean = sample_frames(20_000, seed=1, coverage=0.5).mean(0)
    console = Console(width=110)
    for seed in options.seed:
        first: tuple[scoring.Shown, np.ndarray] | None = None
        for look in options.looks:
            held = drawn(seed, look, options.faces)
            told = np.concatenate([
                np.array([face.values for face in predictor.faces(
                    [Image.fromarray(each) for each in held.pictures[i : i + 50]])])
                for i in range(0, len(held.pictures), 50)
            ])  # fmt: skip
            row = scoring.table(held, {look: told}, mean)[look]
            line = (f"seed {seed} {look:10} n {len(told)} people {len(set(held.subjects))} "
                    f"r {scoring.spelt(row.pearson)} MAE {scoring.spelt(row.mae)} "
                    f"of the mean's {row.ratio:.2f}")  # fmt: skip
            if first is not None:
                gap = scoring.difference(first[0], told, first[1], "pearson", tracker=False)
                line += f" r minus {options.looks[0]}'s {scoring.spelt(gap)}"
            first = first or (held, told)
            console.print(line, soft_wrap=True)


if __name__ == "__main__":
    main()
