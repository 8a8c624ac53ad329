"""Speed of training and predicting, against the plain way, in one table.

    python scripts/bench/train.py [--model FOLDER] [--steps 8] [--rounds 4] [--answers 3]

Each row's two sides take turns in this run, on one thread, with the same model and the same
faces: the recipe's trainer and a bare TRL SFTTrainer, in blocks of a few steps; a batch made
and a step done; the decoder, generation under the same grammar a token a pass, whose answers
must be equal, and generation of as many tokens without a grammar, whose answers are none.
Run it on an idle machine. Processor time is shown too: it says the same on a busy one.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

import numpy as np
from numpy.typing import NDArray
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


Times = NDArray[np.float64]
"""[steps, 2]: seconds of the clock, seconds of the processor."""


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


class Clock(TrainerCallback):
    """Times from one step's end to the next one's, the first two steps left out."""

    def __init__(self) -> None:
        self.ends: list[tuple[float, float]] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.ends.append(now())

    def times(self) -> Times:
        return np.diff(np.array(self.ends), axis=0)[1:]


def settings_of(folder: Path, model: Path, data: Path, steps: int) -> Any:
    told = PLAIN | {"output_dir": folder, "model": model, "data": data, "max_steps": steps,
                    "save_steps": 10_000, "answer": "codes",
            "per_device_train_batch_size": 2}  # fmt: skip
    return parse([word for key, value in told.items() for word in (f"--{key}", str(value))])


def timed(trainer: Any) -> Times:
    clock = Clock()
    trainer.add_callback(clock)
    trainer.train()
    return clock.times()


def ours(settings: Any, held: Sides, folder: Path) -> Times:
    from semanticface.train.probe import Probe

    trainer = trainer_of(settings, load(Source(settings.model.model)), held, Run(folder))
    trainer.remove_callback(Probe)  # a step is measured, not what happens every so many steps
    return timed(trainer)


def bare(settings: Any, held: Sides) -> Times:
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


def steps(settings: Any, held: Sides, folder: Path, rounds: int) -> tuple[Times, Times]:
    """Times of our steps and of bare ones, whose blocks take turns."""
    mine: list[Times] = []
    theirs: list[Times] = []
    for number in range(rounds):
        sides_of = [(mine, lambda: ours(settings, held, folder)),
                    (theirs, lambda: bare(settings, held))]  # fmt: skip
        for kept, run in sides_of[:: 1 if number % 2 == 0 else -1]:
            kept.append(run())
    return np.concatenate(mine), np.concatenate(theirs)


def loading(settings: Any, held: Sides, folder: Path, batches: int = 5) -> float:
    """Seconds in which a batch is made, the median of a few."""
    trainer = trainer_of(settings, load(Source(settings.model.model)), held, Run(folder))
    made = iter(trainer.get_train_dataloader())
    next(made)
    ends = [time.perf_counter()]
    for _ in range(batches):
        next(made)
        ends.append(time.perf_counter())
    return float(np.median(np.diff(ends)))


class Decoded(NamedTuple):
    """[answers, 2] times of each way, and how often ours ran the model a token."""

    ours: Times
    plain: Times
    free: Times
    passes: float


def decoding(model: Path, held: Sides, count: int) -> Decoded:
    loaded = load(Source(str(model)))
    pictures = Pictures()
    shown = [pictures.decode(each.image) for each in list(held.train)[: count + 1]]
    decoder = Decoder.of(loaded.model.eval(), loaded.processor, Task.of("flat", "coefficients"))
    decoder.answers(shown[:1])  # the grammar is compiled once
    ends, passes = [], []
    for each in shown[1:]:
        ends.append([now()])
        answer = decoder.answers([each])[0]
        ends[-1].append(now())
        text = plain(decoder, [each])[0]
        ends[-1].append(now())
        free(decoder, each, answer.tokens)
        ends[-1].append(now())
        passes.append(answer.passes / answer.tokens)
        if text != answer.text:
            sys.exit("the answers differ: nothing to compare")
    took = np.diff(np.array(ends), axis=1)
    return Decoded(took[:, 0], took[:, 1], took[:, 2], float(np.mean(passes)))


def free(decoder: Decoder, picture: Any, tokens: int) -> None:
    """As many tokens as the library makes them where nothing holds it to a format."""
    decoder.model.generate(**decoder.inputs([picture]), do_sample=False, max_new_tokens=tokens,
                           min_new_tokens=tokens)  # fmt: skip


def row(table: Table, what: str, one: Times, other: Times, asked: str, *, gain: bool) -> None:
    """Medians of both and their ratio, by the clock and by the processor."""
    for place, clock in enumerate(("", ", processor")):
        a, b = float(np.median(one[:, place])), float(np.median(other[:, place]))
        table.add_row(what + clock, f"{a:.3f} s", f"{b:.3f} s", f"{b / a if gain else a / b:.3f}",
                      asked)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="default: the small model, random weights")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--answers", type=int, default=3)
    parser.add_argument("--part", choices=("all", "steps", "answers"), default="all")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    table = Table("what", "ours", "plain", "ratio", "asked")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        model = options.model or nano.build(folder / "model")
        data = face_data(folder / "faces", train=48)
        settings = settings_of(folder / "run", model, data, options.steps)
        held = sides(settings.data, data, folder / "records", 2)
        if options.part != "answers":
            mine, theirs = steps(settings, held, folder / "run", options.rounds)
            row(table, "a step", mine, theirs, f"at most {STEP}", gain=False)
            batch, step = loading(settings, held, folder / "run"), float(np.median(mine[:, 0]))
            table.add_row("a batch made, a step done", f"{batch:.4f} s", f"{step:.3f} s",
                          f"{batch / step:.4f}", "below 1: hides in a worker")  # fmt: skip
        if options.part != "steps":
            found = decoding(model, held, options.answers)
            what = f"an answer as JSON ({found.passes:.2f} passes a token)"
            row(table, what, found.ours, found.plain, f"at least {FAST}", gain=True)
            row(table, "as many tokens without a grammar", found.ours, found.free, "-", gain=True)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
