"""Frames a second of each way to 61 numbers, through a real vLLM on this processor.

    python scripts/bench/serve.py --vllm .vllm [--model FOLDER] [--pictures 48]

Two servers are started one after the other, one that writes text and one with the one-pass
plugin; each way is asked by 8 clients at once about pictures it has not seen. Without
`--model` the small model is built with random weights: speed does not depend on weights, but
what a random model says has any length, so each answer is held to the number of tokens that
faces of the project's own repertoire have in that format with the model's own tokenizer
(`ignore_eos`, no grammar). Nothing is said here about accuracy.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semanticface.data.tasks import Task
from semanticface.language.describe import describe
from semanticface.motion.expressions import sample_frames
from semanticface.serve.arguments import Options, arguments, environment
from semanticface.serve.ask import Text, Way
from semanticface.serve.client import FaceClient, Frame, Settings
from semanticface.serve.live.sources import encoded
from semanticface.serve.server import Server
from semanticface.serve.target import target_of

CLIENTS = 8
WRITTEN = {
    "JSON with description (SemanticFace)": Task.of("two-key"),
    "JSON only": Task.of("flat", "coefficients"),
    "short codes": Task.of("codes", "coefficients"),
    "value tokens": Task.of("tokens", "coefficients"),
}
_TOKENS = Task.of("tokens", "coefficients")
_BUILD = "import sys; from semanticface.train.nano import build; build(sys.argv[1], 'nano')"


class Row(NamedTuple):
    """One way."""

    way: str
    asked: int
    written: float
    pictures: int
    rate: float
    p50: float
    p95: float


class Counted(Text):
    """A text answer of exactly so many tokens."""

    tokens: int = 0

    def body(self, picture: bytes) -> dict[str, Any]:
        """Without a grammar and without an end."""
        held = super().body(picture)
        held.pop("structured_outputs", None)
        return held | {"max_tokens": self.tokens, "min_tokens": self.tokens, "ignore_eos": True}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vllm", type=Path, default=Path(".vllm"))
    parser.add_argument("--model", type=Path)
    parser.add_argument("--pictures", type=int, default=48)
    parser.add_argument("--patience", type=float, default=900.0)
    options = parser.parse_args()
    python = (options.vllm / "bin" / "python").absolute()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = options.model or _built(python, folder / "nano")
        with serving(python, model, options.patience, folder / "text.log") as url:
            rows = [written(url, model, way, task, options.pictures)
                    for way, task in WRITTEN.items()]  # fmt: skip
            rows.append(
                asked(url, "one pass, prompt_logprobs", "prompt-logprobs", options.pictures)
            )
        with serving(python, model, options.patience, folder / "one.log", one_pass=True) as url:
            rows.append(asked(url, "one pass, plugin", "one-pass", options.pictures))
    show(rows)


def _built(python: Path, folder: Path) -> Path:
    subprocess.run([str(python), "-W", "ignore", "-c", _BUILD, str(folder)], check=True,
                   stderr=subprocess.DEVNULL)  # fmt: skip
    return folder


@contextmanager
def serving(python: Path, model: Path, patience: float, log: Path, **more: Any) -> Iterator[str]:
    """The address of a server that is stopped in the end."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    options = Options(port=port, device="cpu", dtype="float32", max_num_seqs=CLIENTS, **more)
    target = target_of(str(model), task=_TOKENS)
    started = Server(
        python, arguments(target, options), environment(target, options, None), log=log
    )
    with started as server:
        print(f"started in {server.wait(patience):.0f} s", file=sys.stderr, flush=True)
        yield server.url


def written(url: str, model: Path, way: str, task: Task, count: int) -> Row:
    """A way that decodes text, held to the length of real answers."""
    length = mean_tokens(model, task)
    few = max(CLIENTS, count * 61 // length)  # the long ones need fewer to be timed as well

    def held(settings: Settings) -> Way:
        made = Counted(task, "face", settings)
        made.tokens = length
        return made

    return measured(url, way, task, few, held)


def asked(url: str, name: str, way: str, count: int) -> Row:
    """A way that decodes nothing."""
    return measured(url, name, _TOKENS, count, None, way)


def mean_tokens(model: Path, task: Task, faces: int = 24) -> int:
    """Tokens of answers to faces of the repertoire, on average."""
    from tokenizers import Tokenizer

    words = Tokenizer.from_file(str(model / "tokenizer.json"))
    texts = [task.form.write(face, describe(face, seed=n) if task.described else None)
             for n, face in enumerate(sample_frames(faces, seed=1))]  # fmt: skip
    return round(float(np.mean([len(words.encode(text).ids) for text in texts])))


def measured(url: str, name: str, task: Task, count: int, held: Any, way: str = "text") -> Row:
    """Pictures a second of 8 clients, after some to warm up."""

    async def run() -> tuple[list[Any], float]:
        settings = Settings(concurrency=CLIENTS, timeout=600, deadline=1200)
        async with FaceClient(url, task=task, settings=settings, way=way, check=False) as client:
            if held is not None:
                client._way = held(settings)
            async for _ in client.stream(noise(CLIENTS, 1)):
                pass
            begun = time.perf_counter()
            results = [each async for each in client.stream(noise(count, 2))]
            return results, time.perf_counter() - begun

    results, seconds = asyncio.run(run())
    assert not any(each.error for each in results), results[0].error
    late = np.array([each.seconds for each in results])
    row = Row(name, results[0].asked, float(np.mean([each.written for each in results])), count,
              count / seconds, *np.percentile(late, [50, 95]).tolist())  # fmt: skip
    print(row, file=sys.stderr, flush=True)
    return row


def noise(count: int, seed: int) -> list[Frame]:
    """Pictures of 224 pixels that nobody has seen."""
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 256, (count, 224, 224, 3), np.uint8)
    return [Frame(n / 30, encoded(Image.fromarray(each))) for n, each in enumerate(pixels)]


def show(rows: list[Row]) -> None:
    """One table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("way", "prompt", "written", "pictures", "frames/s", "times", "p50 s", "p95 s")
    for row in rows:
        table.add_row(row.way, str(row.asked), f"{row.written:.0f}", str(row.pictures),
                      f"{row.rate:.2f}", f"{row.rate / rows[0].rate:.1f}", f"{row.p50:.2f}",
                      f"{row.p95:.2f}")  # fmt: skip
    Console(width=110).print(
        table, f"{CLIENTS} clients; load of the machine {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
