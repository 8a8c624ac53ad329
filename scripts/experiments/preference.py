"""Do preferences repair what faulty labels taught? Five experiments with a simulated rater.

    python scripts/experiments/preference.py start --folder WORK [--cache CHUNKS]
    python scripts/experiments/preference.py run --folder WORK --seeds 0 1 2
    python scripts/experiments/preference.py tell --folder WORK
    python scripts/experiments/preference.py learning --folder WORK [--kinds coefficients renders]

(1) regions against the whole face; (2) a discriminator as oracle against direct DPO at 100, 300
and 1,000 verdicts; (3) rounds 1 to 4; (4) the region mask; (5) against the labels themselves.
The policy is very small (`preference_build.policy`); every verdict is an oracle's, and every
number says how these models behave, not how people do. `run` writes a line per trained policy,
`learning` one per discriminator, and both go on where they were stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from preference_build import verdicts
from preference_build.faces import Faces, faces
from preference_build.policy import Policy, align, imitate

from semanticface.metrics.statistics import t_interval
from semanticface.preference.discriminator import Discriminator, Lesson, as_json, marks, teach
from semanticface.preference.discriminator import curve as discriminators
from semanticface.preference.judged import Judged
from semanticface.preference.oracle import Oracle, Traits

SIDES = {"train": ("train", 100, 1500), "pool": ("train", 120, 400), "test": ("test", 0, 200)}
TAUGHT = Traits(noise=0.4)
"""The oracle whose verdicts are learnt from: power law, noise and lapses."""
CURVE = (50, 100, 300, 1000, 3000, 5000)
EPOCHS = {"coefficients": (25, 25), "renders": (30, 10)}
"""Of a discriminator, up to 1,000 verdicts and from more: a CNN is dear."""
SIZES = (300, 100, 1000)
LEARNT = 1000
"""Pairs that a discriminator judges."""
STEPS, BATCH = 30, 32
MORE = ("marks", "aligned_beats_labels", "start_beats_labels")


def start(options: argparse.Namespace) -> None:
    """Look at the faces, and learn from the faulty labels."""
    options.folder.mkdir(parents=True, exist_ok=True)
    held = {name: faces(options.cache or options.folder / "cache", *which)
            for name, which in SIDES.items()}  # fmt: skip
    np.savez(options.folder / "faces.npz", **{f"{side}_{key}": getattr(each, key)
             for side, each in held.items() for key in Faces._fields})  # fmt: skip
    _begin(options.folder, held)


def _begin(folder: Path, held: dict[str, Faces]) -> None:
    train, policy = held["train"], Policy(held["train"].seen.shape[2])
    losses = imitate(policy, verdicts.seen_of(train), train.labels, epochs=10)
    torch.save(policy.state_dict(), folder / "start.pt")
    test = held["test"]
    told = {"losses": losses, "start": verdicts.errors(verdicts.answers(policy, test), test),
            "labels": verdicts.errors(test.labels, test),
            "read by the small model": verdicts.errors(test.read[:, :61], test)}  # fmt: skip
    (folder / "start.json").write_text(json.dumps(told, indent=1))
    print(json.dumps(told, indent=1))


def opened(folder: Path) -> tuple[dict[str, Faces], Policy]:
    """Faces and the start."""
    with np.load(folder / "faces.npz") as kept:
        held = {side: Faces(*(kept[f"{side}_{key}"] for key in Faces._fields)) for side in SIDES}
    policy = Policy(held["train"].seen.shape[2])
    policy.load_state_dict(torch.load(folder / "start.pt", weights_only=True))
    return held, policy.eval()


class Study:
    """All runs of one seed."""

    def __init__(self, folder: Path, seed: int, how: dict[str, float]) -> None:
        self.held, self.start = opened(folder)
        self.pool, self.test = self.held["pool"], self.held["test"]
        self.seed, self.journal = seed, folder / "runs.jsonl"
        self.how = how
        self.before = verdicts.answers(self.start, self.test)
        self.done = {(row["run"], row["seed"]) for row in lines(self.journal)}

    def told(self, run: str, policy: Policy, **more: Any) -> None:
        """One line: errors, and duels against the start and against the labels."""
        mine, plain = verdicts.answers(policy, self.test), verdicts.plain(self.test)
        row = {"run": run, "seed": self.seed, **self.how, **verdicts.errors(mine, self.test),
               "wins": verdicts.win_rates(mine, self.before, self.test, plain), **more,
               "cpu": round(time.process_time())}  # fmt: skip
        with self.journal.open("a") as stream:
            stream.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)

    def align(self, policy: Policy, told: verdicts.Asked, won: Any, masked: bool = True) -> Policy:
        """DPO for a fixed number of steps."""
        pairs = verdicts.preferences(told, won, masked=masked)
        return align(policy, verdicts.seen_of(self.pool), pairs, steps=STEPS, batch=BATCH,
                     seed=self.seed, **self.how)  # fmt: skip

    def run(self) -> None:
        """Every experiment that is not in the journal."""
        oracle = Oracle(TAUGHT, seed=self.seed)
        halves = verdicts.asked(self.start, self.pool, max(SIZES), verdicts.HALVES, self.seed)
        said = verdicts.by_oracle(halves, self.pool, oracle)
        self.masks(halves, said)
        if ("full", self.seed) not in self.done:
            whole = verdicts.asked(self.start, self.pool, 300, ("full",), self.seed)
            won = verdicts.by_oracle(whole, self.pool, oracle)
            self.told("full", self.align(self.start, whole, won), verdicts=300)
        self.rounds(self.sizes(halves, said)[300])

    def masks(self, halves: verdicts.Asked, said: Any) -> None:
        """The same 300 regional verdicts with and without the mask."""
        some = np.arange(300)
        for name, masked in (("unmasked", False), ("direct 300", True)):
            if (name, self.seed) not in self.done:
                made = self.align(self.start, halves.some(some), said[some], masked)
                self.told(name, made, verdicts=300)

    def sizes(self, halves: verdicts.Asked, said: Any) -> dict[int, Discriminator]:
        """Direct, and by way of a discriminator that judges pairs of its own."""
        fresh, judges = None, {}
        for size in SIZES:
            some = np.arange(size)
            judge = teach(verdicts.judged(halves.some(some), self.pool, said[some]),
                          Lesson(members=3, epochs=25, seed=self.seed))  # fmt: skip
            judges[size] = judge
            if (f"direct {size}", self.seed) not in self.done and size != 300:
                made = self.align(self.start, halves.some(some), said[some])
                self.told(f"direct {size}", made, verdicts=size)
            if (f"learnt {size}", self.seed) not in self.done:
                fresh = fresh or verdicts.asked(self.start, self.pool, LEARNT, verdicts.HALVES,
                                                self.seed + 50)  # fmt: skip
                believed = verdicts.by_discriminator(fresh, self.pool, judge)
                made = self.align(self.start, fresh, believed)
                self.told(f"learnt {size}", made, verdicts=size, marks=self.marks(judge),
                          **self.against_labels(made) if size == 300 else {})  # fmt: skip
        return judges

    def marks(self, judge: Discriminator) -> dict[str, float]:
        """Of a discriminator, on pairs of test people."""
        told = verdicts.asked(self.start, self.test, 200, verdicts.HALVES, self.seed + 90)
        said = verdicts.by_oracle(told, self.test, Oracle(TAUGHT, seed=self.seed + 90))
        return as_json(marks(judge, verdicts.judged(told, self.test, said), resamples=200))

    def against_labels(self, policy: Policy) -> dict[str, Any]:
        """Duels against the labels of 60 test faces, by truth and by an oracle of pixels."""
        few = self.test.some(slice(0, 200, 4))
        seeing = Oracle(Traits(geometry_weight=0, pixels_weight=1, noise=0))
        told: dict[str, Any] = {}
        for name, mine in (("aligned", verdicts.answers(policy, few)),
                           ("start", verdicts.answers(self.start, few))):  # fmt: skip
            told[f"{name}_beats_labels"] = {
                "plain": verdicts.win_rates(mine, few.labels, few, verdicts.plain(few)),
                "pixels": verdicts.win_rates(mine, few.labels, few, verdicts.pixels(few, seeing)),
            }
        return told

    def rounds(self, judge: Discriminator) -> None:
        """Four rounds judged by one discriminator; each samples from the one before."""
        policy = self.start
        for number in range(1, 5):
            if (f"round {number}", self.seed) in self.done:
                return
            told = verdicts.asked(policy, self.pool, 500, verdicts.HALVES,
                                  self.seed + 100 * number)  # fmt: skip
            policy = self.align(policy, told, verdicts.by_discriminator(told, self.pool, judge))
            mine = verdicts.answers(policy, self.test)
            self.told(f"round {number}", policy, verdicts=300, discriminator=verdicts.discriminated(
                mine, self.before, self.test, judge))  # fmt: skip


def learning(options: argparse.Namespace) -> None:
    """Accuracy of discriminators by their number of verdicts, on pairs of test people."""
    journal = options.folder / "learning.jsonl"
    done = {(row["kind"], row["seed"], row["learnt_from"]) for row in lines(journal)}
    held, policy = opened(options.folder)
    for seed in options.seeds:
        missing = [(kind, size) for kind in options.kinds for size in CURVE
                   if (kind, seed, size) not in done]  # fmt: skip
        told = {each: _lessons(held, policy, each, seed) for each in {kind for kind, _ in missing}}
        for kind, size in missing:
            lesson = Lesson(members=3, epochs=EPOCHS[kind][size > 1000], seed=seed)
            begun = time.process_time()
            for point in discriminators(*told[kind], (size,), lesson):
                row = {"kind": kind, "seed": seed, "learnt_from": point.verdicts,
                       **as_json(point.marks),
                       "cpu": round(time.process_time() - begun)}  # fmt: skip
                with journal.open("a") as stream:
                    stream.write(json.dumps(row) + "\n")
                print(json.dumps(row), flush=True)


def _lessons(
    held: dict[str, Faces], policy: Policy, kind: str, seed: int
) -> tuple[Judged, Judged]:  # fmt: skip
    """Verdicts about the pool's people to learn from, and about other people for the test."""
    made = verdicts.judged if kind == "coefficients" else verdicts.drawn
    told = []
    for side, count in (("pool", max(CURVE)), ("test", 400)):
        pairs = verdicts.asked(policy, held[side], count, verdicts.HALVES, seed)
        said = verdicts.by_oracle(pairs, held[side], Oracle(TAUGHT, seed=seed))
        told.append(made(pairs, held[side], said))
    return told[0], told[1]


def lines(path: Path) -> list[dict[str, Any]]:
    """A journal."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def run(options: argparse.Namespace) -> None:
    how = {"beta": options.beta, "rate": options.rate, "sft": options.sft}
    for seed in options.seeds:
        Study(options.folder, seed, how).run()


def tell(options: argparse.Namespace) -> None:
    """A table with 95 % t intervals over seeds."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in lines(options.folder / "runs.jsonl"):
        found.setdefault(row["run"], []).append(row)
    print(
        "| run | seeds | active MAE | MAE | amplitude | wins, upper | wins, lower | wins "
        "| discriminator |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, each in found.items():
        cells = [_cell([r[k] for r in each]) for k in ("active_mae", "mae", "amplitude")]
        cells += [_cell([r["wins"][k] for r in each]) for k in (*verdicts.HALVES, "both")]
        cells.append(_cell([r["discriminator"] for r in each if "discriminator" in r]))
        print(f"| {name} | {len(each)} | " + " | ".join(cells) + " |")
    for name, each in found.items():
        for row in each:
            more = {
                k: row[k]
                for k in ("marks", "aligned_beats_labels", "start_beats_labels")
                if k in row
            }
            if more:
                print(name, row["seed"], json.dumps(more))


def _cell(values: list[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.3f}" if values else ""
    found = t_interval(np.array(values))
    return f"{found.estimate:.3f} [{found.low:.3f}, {found.high:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    steps = {"start": start, "run": run, "tell": tell, "learning": learning}
    parser.add_argument("step", choices=steps)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=None, help="Drawn chunks, if there are.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--kinds", nargs="+", choices=list(EPOCHS), default=list(EPOCHS))
    parser.add_argument("--beta", type=float, default=0.1)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--sft", type=float, default=0.1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    steps[options.step](options)


if __name__ == "__main__":
    main()
