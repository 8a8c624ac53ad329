"""64 clients at once, 2,000 pictures, and a server killed in the middle: what is lost, how late.

    python scripts/bench/serve_load.py --vllm .vllm [--way one-pass] [--pictures 2000]
    python scripts/bench/serve_load.py --gateway            # through a gateway, no vLLM

A real vLLM serves the small model. Each client has its own connection and its share of the
pictures; all write one journal. When half of the answers are there the server is killed with
SIGKILL and another started at the same port. Latency is from the first try to the answer, the
seconds without a server included, and is also given for the pictures that were never asked
twice. Memory is that of all the server's processes and of the clients' one, each second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import gateway_load
import numpy as np
from serve import ASSET, serving_at
from serve_faces import frames_of, held_out
from serve_usage import usage

from semanticface.rig import COUNT
from semanticface.serve.client import FaceClient, Frame, Result, Settings
from semanticface.serve.journal import Journal
from semanticface.serve.server import Server

_PORTION = 0.5
"""Of the answers, after which the server is killed."""


class Seen(NamedTuple):
    """Memory at a moment, in MiB."""

    answers: int
    server: float
    clients: float


class Load:
    """One run."""

    def __init__(self, options: argparse.Namespace, journal: Path, log: Path) -> None:
        self.options, self.journal = options, journal
        self.make = lambda: serving_at(options, options.way == "one-pass", options.port, log)
        self.server: Server = self.make()
        self.results: list[Result] = []
        self.memory: list[Seen] = []
        self.repeats = 0
        self.down = 0.0

    async def run(self, frames: list[Frame]) -> float:
        """Seconds that it took."""
        half = asyncio.create_task(self._restart(int(len(frames) * _PORTION)))
        watching = asyncio.create_task(self._watch())
        begun = time.perf_counter()
        with Journal(self.journal) as journal:
            shares = [frames[n :: self.options.clients] for n in range(self.options.clients)]
            await asyncio.gather(*(self._client(share, journal) for share in shares))
        seconds = time.perf_counter() - begun
        watching.cancel()
        await half
        return seconds

    async def _client(self, share: list[Frame], journal: Journal) -> None:
        settings = Settings(concurrency=1, timeout=120, deadline=1500, pause=0.2)
        async with FaceClient(self.server.url, way=self.options.way, settings=settings) as client:
            async for each in client.stream(share, journal):
                self.results.append(each)
            self.repeats += client.repeats

    async def _restart(self, after: int) -> None:
        while len(self.results) < after:
            await asyncio.sleep(0.01)
        self.server.stop(kill=True)
        self.server = self.make()
        self.server.start()
        self.down = await asyncio.to_thread(self.server.wait, 900)

    async def _watch(self) -> None:
        while True:
            mine = int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
            held = usage(self.server.pid).mib if self.server.pid else 0.0
            self.memory.append(Seen(len(self.results), held, mine))
            await asyncio.sleep(1.0)


def main() -> None:
    """Run and print."""
    options = _options()
    if options.gateway:
        gateway_load.run(options)
        return
    frames = frames_of(held_out(options.faces, options.pictures), slice(None))
    with tempfile.TemporaryDirectory() as name:
        load = Load(options, Path(name) / "answers.jsonl", Path(name) / "log")
        load.server.start()
        try:
            print(f"started in {load.server.wait(900):.0f} s", file=sys.stderr, flush=True)
            seconds = asyncio.run(load.run(frames))
        finally:
            load.server.stop()
        told(load, frames, seconds)


def told(load: Load, frames: list[Frame], seconds: float) -> None:
    """What happened, as lines of text."""
    times = Counter(each.time for each in load.results)
    lines = [json.loads(line)["key"] for line in load.journal.read_text().splitlines()]
    bad = [each for each in load.results if each.error or each.report.outcome != "strict"
           or np.isfinite(each.values).sum() != COUNT]  # fmt: skip
    doubled = sum(n - 1 for n in times.values()) + len(lines) - len(set(lines))
    lost = len(frames) - len(times) + len(frames) - len(set(lines))
    print(f"{len(frames)} pictures, {load.options.clients} clients, {load.options.way}: "
          f"{seconds:.0f} s, of these {load.down:.0f} s without a server; "
          f"load of the machine {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(f"lost {lost}, doubled {doubled}, invalid {len(bad)}; asked again {load.repeats} times")
    _late("all pictures", load.results)
    _late("asked once", [each for each in load.results if each.tries == 1])
    half = len(frames) * _PORTION
    _held("before the kill", [each for each in load.memory if each.answers < half])
    _held("after it", [each for each in load.memory if each.answers > half])


def _late(name: str, results: list[Result]) -> None:
    late = np.percentile([each.seconds for each in results], [50, 95, 99])
    print(f"{name} ({len(results)}): p50 {late[0]:.2f} s, p95 {late[1]:.2f} s, p99 {late[2]:.2f} s")


def _held(name: str, seen: list[Seen]) -> None:
    """Memory in the second and in the last quarter of a stretch: the first is warming up."""
    held = np.array([(each.server, each.clients) for each in seen])
    quarters = [np.median(part, axis=0) for part in np.array_split(held, 4)]
    (server, clients), (last, mine) = quarters[1], quarters[3]
    print(f"memory {name}: server {server:.0f} -> {last:.0f} MiB, clients {clients:.0f} -> "
          f"{mine:.0f} MiB")  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vllm", type=Path, default=Path(".vllm"))
    parser.add_argument("--model", type=Path, default=ASSET, help="a run's folder")
    parser.add_argument("--faces", type=Path, default=Path("build/bench-faces"))
    parser.add_argument("--way", choices=("one-pass", "text"), default="one-pass")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument(
        "--gateway",
        action="store_true",
        help="clients of a gateway before a stand-in server instead; no vLLM",
    )
    parser.add_argument("--port", type=int, default=8765)
    return parser.parse_args()


if __name__ == "__main__":
    main()
