"""Ways to 61 numbers through a real vLLM on this processor: frames a second, error, honesty.

    python scripts/bench/serve.py --vllm .vllm [--model RUN] [--accuracy 1000] [--faces FOLDER]

Two servers of the same build and weights are started, one that writes text and one with the
one-pass plugin. Each way is asked by 8 clients at once about held-out pictures that the server
has not seen. A format that the run has learnt is asked for as it is in earnest. For one that it
has not learnt, the answer's grammar forces the shape, and the most tokens are those that answers
to held-out faces have in that format with the model's own tokenizer: speed is about tokens, and
nothing can be said about such a way's error.

With `--accuracy N` the learnt ways answer the same N pictures, and errors with intervals over
people stand beside the guesses'. `--speed-only` and `--accuracy-only` do one of the two.
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
    pictures: int
    """To time it by."""

    @property
    def one_pass(self) -> bool:
        """Whether it needs the server with the plugin."""
        return self.how == "one-pass"


WAYS = (
    Way("JSON, description first", "text", "two-key", "describe+coefficients", 16),
    Way("JSON only", "text", "flat", "coefficients", 16),
    Way("value tokens (compact)", "text", "tokens", "coefficients", 120),
    Way("one pass, prompt_logprobs", "prompt-logprobs", "slots", "coefficients", 120),
    Way("one pass, plugin", "one-pass", "slots", "coefficients", 240),
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
    ways = [way._replace(pictures=max(CLIENTS, round(way.pictures * options.share)))
            for way in WAYS if not options.ways or way.name in options.ways]  # fmt: skip
    shown = held_out(options.faces, max(options.accuracy, 40 + sum(w.pictures for w in ways)))
    rows, told = [], {}
    for one_pass in (False, True):
        some = [way for way in ways if way.one_pass == one_pass]
        if not some:
            continue
        with serving(options, one_pass) as server:
            for way in some:
                asking = Asking(server, way, options.model, shown)
                if not options.accuracy_only:
                    rows.append(asking.timed(_first(ways, way)))
                if asking.learnt and not options.speed_only:
                    told[way.name] = asking.all_of(options.accuracy)
    if rows:
        show_speed(rows)
    if told:
        show_errors(told, shown, options.accuracy, options.save)


def _first(ways: list[Way], way: Way) -> int:
    """Each way has pictures of its own: a server remembers those it has seen."""
    return sum(each.pictures for each in ways[: ways.index(way)])


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
    """One way at one server."""

    def __init__(self, server: Server, way: Way, model: Path, shown: Any) -> None:
        self.server, self.way, self.shown = server, way, shown
        learnt = learnt_by(model)
        self.learnt = (way.answer, way.stage) in learnt
        prompt = learnt.get((way.answer, way.stage))
        form = "tokens" if way.answer == "slots" else way.answer
        self.task = Task.of(form, way.stage, prompt=prompt)  # type: ignore[arg-type]
        words = model / "model" / "tokenizer.json"
        self.most = 2048 if self.learnt else mean_tokens(words, self.task, shown.values)

    def timed(self, first: int) -> Row:
        """Pictures a second, after some to warm up."""
        count = self.way.pictures
        warm = frames_of(self.shown, slice(len(self.shown.values) - CLIENTS, None))
        self._ask(warm)
        before = usage(self.server.pid or 0).seconds
        results, seconds = self._ask(frames_of(self.shown, slice(first, first + count)))
        spent = usage(self.server.pid or 0).seconds - before
        late = np.percentile([each.seconds for each in results], [50, 95]).tolist()
        written = float(np.mean([each.written for each in results]))
        row = Row(self.way.name, self.learnt, results[0].asked, written, count,
                  count / seconds, *late, spent / count)  # fmt: skip
        print(row, file=sys.stderr, flush=True)
        return row

    def all_of(self, count: int) -> list[Result]:
        """Answers to the first `count` pictures."""
        return self._ask(frames_of(self.shown, slice(0, count)))[0]

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


def learnt_by(model: Path) -> dict[tuple[str, str], str]:
    """Prompt of each (answer, stage) that a run was trained on."""
    held = read_manifest(model / "manifest.json")
    return {(each["answer"], each["stage"]): each["prompt"]
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


def show_errors(told: dict[str, list[Result]], shown: Any, count: int, save: Path | None) -> None:
    """As Markdown: r and MAE beside the guesses', and how far stated confidence is true."""
    from nano_build.scoring import Shown, difference, spelt, table

    some = Shown(*(each[:count] for each in shown))
    mean = mean_of_training()
    values: dict[str, Any] = {name: np.array([each.values for each in held])
                              for name, held in told.items()}  # fmt: skip
    if save is not None:
        np.savez(save, **values)
    values |= {"all zero": np.zeros_like(some.values),
               "mean of training faces": np.broadcast_to(mean, some.values.shape)}  # fmt: skip
    scores = table(some, values, mean)
    print(f"\n{count} pictures of {len(set(some.subjects))} people\n")
    print("| through vLLM | r | MAE | stated | hit | ECE |\n" + "|---" * 6 + "|")
    for name, row in scores.items():
        honest = _honesty(told.get(name, []), some, spelt)
        print(f"| {name} | {spelt(row.pearson)} | {spelt(row.mae)} | {honest} |")
    for name in told:
        for figure in ("pearson", "mae"):
            gap = difference(some, values[name], values[WAYS[-1].name], figure, tracker=False)
            print(f"{name} minus {WAYS[-1].name}, {figure}: {spelt(gap)}", flush=True)


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
    parser.add_argument("--accuracy", type=int, default=1000, help="pictures to compare errors on")
    parser.add_argument("--share", type=float, default=1.0, help="of the pictures to time by")
    parser.add_argument("--ways", nargs="*", help="only these, by name")
    parser.add_argument("--save", type=Path, help="values of every way, as an .npz")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--speed-only", action="store_true")
    only.add_argument("--accuracy-only", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
