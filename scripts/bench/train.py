"""Speed of training and predicting, against the plain way, in one table.

    python scripts/bench/train.py [--model FOLDER] [--steps 12] [--rounds 3] [--answers 4]

Each row's two sides take turns in this run, on one thread, with the same model and the same
faces: the recipe's trainer and a bare TRL SFTTrainer; a batch made and a step done; the
decoder and plain generation, whose answers must be equal. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from plain_generation import plain
from rich.console import Console
from rich.table import Table
from training import PLAIN, face_data
from transformers import TrainerCallback

from semanticface.data.images import Pictures
from semanticface.data.tasks import Task
from semanticface.train import nano
from semanticface.train.decoding import Decoder
from semanticface.train.loading import Source, load
from semanticface.train.parsing import parse
from semanticface.train.rows import Sides, sides
from semanticface.train.runs import Run
from semanticface.train.trainer import trainer_of

STEP, FAST = 1.03, 3.0
"""Most that a step of ours may take of a bare one's; least that decoding gains."""


class Clock(TrainerCallback):
    """Seconds from one step's end to the next one's."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.ends.append(time.perf_counter())

    def seconds(self) -> list[float]:
        steps = [b - a for a, b in zip(self.ends, self.ends[1:], strict=False)]
        return steps[1:]


def settings_of(folder: Path, model: Path, data: Path, steps: int) -> Any:
    told = PLAIN | {"output_dir": folder, "model": model, "data": data, "max_steps": steps,
                    "save_steps": 10_000, "answer": "codes"}  # fmt: skip
    return parse([word for key, value in told.items() for word in (f"--{key}", str(value))])


def timed(trainer: Any) -> list[float]:
    clock = Clock()
    trainer.add_callback(clock)
    trainer.train()
    return clock.seconds()


def ours(settings: Any, held: Sides, folder: Path) -> list[float]:
    from semanticface.train.probe import Probe

    trainer = trainer_of(settings, load(Source(settings.model.model)), held, Run(folder))
    trainer.remove_callback(Probe)  # a step is measured, not what happens every so many steps
    return timed(trainer)


def bare(settings: Any, held: Sides) -> list[float]:
    """What a user would write: rows with pictures in memory, TRL's own collator."""
    from datasets import Dataset
    from trl import SFTTrainer

    loaded = load(Source(settings.model.model))
    pictures, task = Pictures(), settings.data.task
    made = []
    for record in held.train:
        row = task.example(record)
        made.append({"prompt": row["prompt"], "completion": row["completion"],
                     "images": [pictures.decode(record.image)]})  # fmt: skip
    rows = Dataset.from_dict({"row": range(len(made))}).with_transform(
        lambda batch: {key: [made[i][key] for i in batch["row"]] for key in made[0]}
    )
    return timed(SFTTrainer(model=loaded.model, args=settings.training, train_dataset=rows,
                            processing_class=loaded.processor))  # fmt: skip


def loading(settings: Any, held: Sides, folder: Path) -> float:
    """Seconds in which a batch is made."""
    trainer = trainer_of(settings, load(Source(settings.model.model)), held, Run(folder))
    batches = iter(trainer.get_train_dataloader())
    next(batches)
    begun = time.perf_counter()
    next(batches)
    return time.perf_counter() - begun


def decoding(model: Path, held: Sides, count: int) -> tuple[float, float, float]:
    """Seconds an answer of ours and of plain generation, and passes a token."""
    loaded = load(Source(str(model)))
    pictures = Pictures()
    shown = [pictures.decode(each.image) for each in list(held.train)[:count]]
    decoder = Decoder.of(loaded.model.eval(), loaded.processor, Task.of("flat", "coefficients"))
    fast, slow, passes = [], [], []
    for each in shown:
        begun = time.perf_counter()
        answer = decoder.answers([each])[0]
        between = time.perf_counter()
        text = plain(decoder, [each])[0]
        fast.append(between - begun)
        slow.append(time.perf_counter() - between)
        passes.append(answer.passes / answer.tokens)
        if text != answer.text:
            sys.exit("the answers differ: nothing to compare")
    return statistics.median(fast), statistics.median(slow), statistics.mean(passes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="default: the small model, random weights")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--answers", type=int, default=4)
    options = parser.parse_args()
    table = Table("what", "ours", "plain", "ratio", "asked")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        model = options.model or nano.build(folder / "model")
        data = face_data(folder / "faces", train=48)
        settings = settings_of(folder / "run", model, data, options.steps)
        held = sides(settings.data, data, folder / "records", 2)
        mine, theirs = [], []
        for _ in range(options.rounds):
            mine += ours(settings, held, folder / "run")
            theirs += bare(settings, held)
        one, other = statistics.median(mine), statistics.median(theirs)
        table.add_row("a step", f"{one:.3f} s", f"{other:.3f} s", f"{one / other:.3f}",
                      f"at most {STEP}")  # fmt: skip
        batch = loading(settings, held, folder / "run")
        table.add_row("a batch made, a step done", f"{batch:.4f} s", f"{one:.3f} s",
                      f"{batch / one:.3f}", "below 1: hides in a worker")  # fmt: skip
        fast, slow, passes = decoding(model, held, options.answers)
        table.add_row(f"an answer as JSON ({passes:.2f} passes a token)", f"{fast:.2f} s",
                      f"{slow:.2f} s", f"{slow / fast:.2f}", f"at least {FAST}")  # fmt: skip
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
