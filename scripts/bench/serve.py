"""Ways to 61 numbers through a real vLLM on this processor: frames a second, error, honesty.

    python scripts/bench/serve.py --vllm .vllm [--model RUN] [--pictures 60] [--faces FOLDER]

Two servers of the same build and weights are started, one that writes text and one with the
one-pass plugin. Each way is asked by 8 clients at once about the same held-out pictures, spread
over people, and its answers are both timed and scored. No cache helps a later way: a pixel in
the corner of its copies is a little other. Ways that are quick are asked about more pictures,
for a rate wants seconds; errors are compared on those that all have answered.

A format that the run has learnt is asked for as it is in earnest. For one that it has not
learnt, the answer's grammar forces the shape, and the most tokens are those that answers to
held-out faces have in that format with the model's own tokenizer: speed is about tokens, and
nothing can be said about such a way's error.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from serve_beliefs import ASSET, calibration_error, mean_of
from serve_faces import frames_of, held_out, mean_of_training
from serve_usage import usage

from semanticface.data.tasks import Task
from semanticface.language.describe import describe
from semanticface.serve.arguments import Options, arguments, environment
from semanticface.serve.client import FaceClient, Frame, Result, Settings
from semanticface.serve.server import Server
from semanticface.serve.target import target_of
from semanticface.train.manifest import read_manifest

CLIENTS = 8
NEAR = 0.05


class Way(NamedTuple):
    """One way of asking."""

    name: str
    how: str
    """Of the client."""
    answer: str
    stage: str
    quick: bool = False
    """Whether it takes more pictures to time it."""

    @property
    def one_pass(self) -> bool:
        """Whether it needs the server with the plugin."""
        return self.how == "one-pass"


WAYS = (
    Way("JSON, description first", "text", "two-key", "describe+coefficients"),
    Way("JSON only", "text", "flat", "coefficients"),
    Way("value tokens (compact)", "text", "tokens", "coefficients"),
    Way("one pass, prompt_logprobs", "prompt-logprobs", "slots", "coefficients"),
    Way("one pass, plugin", "one-pass", "slots", "coefficients", quick=True),
)


class Row(NamedTuple):
    """How fast a way is."""

    way: str
    learnt: bool
    asked: int
    written: float
    pictures: int
    rate: float
    p50: float
    p95: float
    processor: float
    """Seconds of a core that the server spent on a picture."""


def main() -> None:
    """Measure and print."""
    options = _options()
    ways = [way for way in WAYS if not options.ways or way.name in options.ways]
    shown = held_out(options.faces, max(options.pictures, options.quick) + CLIENTS)
    rows, told = [], {}
    for one_pass in (False, True):
        some = [way for way in ways if way.one_pass == one_pass]
        if not some:
            continue
        with serving(options, one_pass) as server:
            for way in some:
                asking = Asking(server, way, options.model, shown, WAYS.index(way))
                row, results = asking.timed(options.quick if way.quick else options.pictures)
                rows.append(row)
                if asking.learnt:
                    told[way.name] = results
    show_speed(rows)
    if told:
        show_errors(told, shown, options.save)


@contextmanager
def serving(options: argparse.Namespace, one_pass: bool) -> Iterator[Server]:
    """A server that answers and is stopped in the end."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with (
        tempfile.TemporaryDirectory() as folder,
        serving_at(options, one_pass, port, Path(folder) / "log") as server,
    ):
        print(f"started in {server.wait(900):.0f} s", file=sys.stderr, flush=True)
        yield server


def serving_at(options: argparse.Namespace, one_pass: bool, port: int, log: Path) -> Server:
    """A server of the run, not yet started."""
    a_run = (options.model / "manifest.json").is_file()
    task = None if a_run else Task.of("tokens", "coefficients")
    target = target_of(str(options.model), task=task)
    chosen = Options(port=port, device="cpu", dtype="float32", max_num_seqs=CLIENTS,
                     one_pass=one_pass)  # fmt: skip
    python = (options.vllm / "bin" / "python").absolute()
    return Server(python, arguments(target, chosen), environment(target, chosen, None), log=log)


class Asking:
    """One way at one server, with copies of the pictures of its own."""

    def __init__(self, server: Server, way: Way, model: Path, shown: Any, mark: int) -> None:
        self.server, self.way, self.mark = server, way, mark
        learnt = learnt_by(model)
        self.learnt = (way.answer, way.stage) in learnt
        form = "tokens" if way.answer == "slots" else way.answer
        held = learnt.get((way.answer, way.stage), {})
        self.task = Task.of(form, way.stage, prompt=held.get("prompt"),  # type: ignore[arg-type]
                            decimals=held.get("decimals"))  # fmt: skip
        words = model / "model" / "tokenizer.json"
        self.most = 2048 if self.learnt else mean_tokens(words, self.task, shown.values)
        pictures = shown.pictures.copy()
        pictures[:, 0, 0] ^= mark
        self.shown = shown._replace(pictures=pictures)

    def timed(self, count: int) -> tuple[Row, list[Result]]:
        """Answers to the first `count` pictures and how long they took, after some to warm up."""
        self._ask(frames_of(self.shown, slice(len(self.shown.values) - CLIENTS, None)))
        before = usage(self.server.pid or 0).seconds
        results, seconds = self._ask(frames_of(self.shown, slice(0, count)))
        spent = usage(self.server.pid or 0).seconds - before
        late = np.percentile([each.seconds for each in results], [50, 95]).tolist()
        written = float(np.mean([each.written for each in results]))
        row = Row(self.way.name, self.learnt, results[0].asked, written, count,
                  count / seconds, *late, spent / count)  # fmt: skip
        print(row, file=sys.stderr, flush=True)
        return row, results

    def _ask(self, frames: list[Frame]) -> tuple[list[Result], float]:
        async def run() -> tuple[list[Result], float]:
            settings = Settings(CLIENTS, timeout=600, deadline=1200, max_tokens=self.most)
            async with FaceClient(self.server.url, task=self.task, settings=settings,
                                  way=self.way.how, check=False) as client:  # fmt: skip
                begun = time.perf_counter()
                results = [each async for each in client.stream(frames)]
                return results, time.perf_counter() - begun

        results, seconds = asyncio.run(run())
        assert not any(each.error for each in results), results[0].error
        return results, seconds


def learnt_by(model: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """How each (answer, stage) was asked for that a run was trained on."""
    held = read_manifest(model / "manifest.json")
    return {(each["answer"], each["stage"]): each
            for each in [held["task"], *held.get("also", [])]}  # fmt: skip


def mean_tokens(file: Path, task: Task, values: Any, faces: int = 24) -> int:
    """Tokens of answers to held-out faces, on average."""
    from tokenizers import Tokenizer

    words = Tokenizer.from_file(str(file))
    texts = [task.form.write(face, describe(face, seed=n) if task.described else None)
             for n, face in enumerate(values[:faces])]  # fmt: skip
    return round(float(np.mean([len(words.encode(text).ids) for text in texts])))


def show_speed(rows: list[Row]) -> None:
    """As Markdown."""
    print(f"\n{CLIENTS} clients; load of the machine {os.getloadavg()[0]:.1f}\n")
    print("| way | learnt | prompt | written | pictures | frames/s | times | p50 s | p95 s | "
          "server's core, ms | times |\n" + "|---" * 11 + "|")  # fmt: skip
    for row in rows:
        learnt = "yes" if row.learnt else "no: shape and length forced"
        print(f"| {row.way} | {learnt} | {row.asked} | {row.written:.0f} | {row.pictures} | "
              f"{row.rate:.2f} | {row.rate / rows[0].rate:.1f} | {row.p50:.2f} | {row.p95:.2f} | "
              f"{1000 * row.processor:.0f} | {rows[0].processor / row.processor:.1f} |",
              flush=True)  # fmt: skip


def show_errors(told: dict[str, list[Result]], shown: Any, save: Path | None) -> None:
    """As Markdown, of the pictures that all ways have answered: r and MAE beside the guesses',
    each way less the first, and how far stated confidence is true."""
    from nano_build.scoring import Shown, difference, spelt, table

    count = min(len(each) for each in told.values())
    some = Shown(*(each[:count] for each in shown))
    mean = mean_of_training()
    values: dict[str, Any] = {name: np.array([each.values for each in held[:count]])
                              for name, held in told.items()}  # fmt: skip
    if save is not None:
        np.savez(save, **values)
    first, *others = values
    gaps = {name: [spelt(difference(some, values[name], values[first], figure, tracker=False))
                   for figure in ("pearson", "mae")] for name in others}  # fmt: skip
    values |= {"all zero": np.zeros_like(some.values),
               "mean of training faces": np.broadcast_to(mean, some.values.shape)}  # fmt: skip
    print(f"\n{count} pictures of {len(set(some.subjects))} people\n")
    print(f"Gaps are to {first}, paired.\n\n| through vLLM | r | MAE | gap in r | gap in MAE | "
          "strict | stated | hit | ECE |\n" + "|---" * 9 + "|")  # fmt: skip
    for name, row in table(some, values, mean).items():
        held = told.get(name, [])[:count]
        strict = f"{np.mean([e.report.outcome == 'strict' for e in held]):.1%}" if held else "-"
        gap = " | ".join(gaps.get(name, ["-", "-"]))
        print(f"| {name} | {spelt(row.pearson)} | {spelt(row.mae)} | {gap} | {strict} | "
              f"{_honesty(held, some, spelt)} |", flush=True)  # fmt: skip


def _honesty(held: list[Result], shown: Any, spelt: Any) -> str:
    """Stated confidence, share of values within 0.05, and ECE."""
    sure = [each.confidence for each in held]
    if not sure or sure[0] is None:
        return "- | - | -"
    stated = np.array(sure, np.float64)
    hit = np.abs(np.array([each.values for each in held]) - shown.values) <= NEAR + 1e-9
    pair = (spelt(mean_of(each, shown.subjects)) for each in (stated, hit))
    return f"{' | '.join(pair)} | {calibration_error(stated, hit):.3f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vllm", type=Path, default=Path(".vllm"))
    parser.add_argument("--model", type=Path, default=ASSET, help="a run's folder")
    parser.add_argument("--faces", type=Path, default=Path("build/bench-faces"))
    parser.add_argument("--pictures", type=int, default=60, help="that each way is asked about")
    parser.add_argument("--quick", type=int, default=240, help="that the quickest way is")
    parser.add_argument("--ways", nargs="*", help="only these, by name")
    parser.add_argument("--save", type=Path, help="values of every way, as an .npz")
    return parser.parse_args()


if __name__ == "__main__":
    main()
