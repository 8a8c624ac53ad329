"""Many useful clients at a gateway: how late are answers, is one lost or another's?

The part of `serve_load.py` with `--gateway`. A stand-in server answers after a fixed time, so what
is measured is the gateway: reading, checking, expanding, its own queue. Server, gateway and clients
are three processes. Each picture has a face of its own by its bytes, so a mixed-up answer shows.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from pictures import png
from stand_in import StandIn, face_of

from semanticface.data.tasks import Task
from semanticface.rig import CHANNELS, COUNT

_DELAY = 0.05
"""Seconds that the stand-in takes for a picture."""
_AT_ONCE = 64
_ROUNDED = 0.0051


class Told(NamedTuple):
    picture: int
    seconds: float
    good: bool


def stand_in(line: Any) -> None:
    server = StandIn(Task.of("tokens", "coefficients"))
    server.delay = _DELAY
    line.send(server.url)
    server.serve_forever()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def run(options: argparse.Namespace) -> None:
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=stand_in, args=(theirs,), daemon=True)
    server.start()
    upstream, port = ours.recv(), free_port()
    told = [sys.executable, "-m", "semanticface.cli.main", "gateway", upstream, "--port", str(port),
            "--concurrency", str(_AT_ONCE)]  # fmt: skip
    gateway = subprocess.Popen(told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url)
        seconds, found = asyncio.run(_all(url, options.pictures, options.clients))
    finally:
        gateway.terminate()
        gateway.wait()
        server.terminate()
    _say(options, seconds, found)


def _wait(url: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise SystemExit("the gateway does not answer")


async def _all(url: str, count: int, clients: int) -> tuple[float, list[Told]]:
    begun = time.perf_counter()
    shares = [range(n, count, clients) for n in range(clients)]
    found = await asyncio.gather(*(_client(url, each) for each in shares))
    return time.perf_counter() - begun, [each for some in found for each in some]


async def _client(url: str, share: range) -> list[Told]:
    found = []
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
        for number in share:
            picture = png(number, (64, 64))
            begun = time.perf_counter()
            reply = await http.post("/v1/face", content=picture,
                                    headers={"Content-Type": "image/png"})  # fmt: skip
            found.append(Told(number, time.perf_counter() - begun, _good(reply, picture)))
    return found


def _good(reply: httpx.Response, picture: bytes) -> bool:
    if reply.status_code != 200:
        return False
    arkit, face = reply.json()["arkit"], face_of(picture)
    off = [abs(arkit[channel.label] - face[channel.index]) for channel in CHANNELS]
    return len(arkit) == COUNT and max(off) < _ROUNDED


def _say(options: argparse.Namespace, seconds: float, found: list[Told]) -> None:
    late = np.percentile([each.seconds for each in found], [50, 95, 99])
    lost = options.pictures - len({each.picture for each in found})
    wrong = sum(not each.good for each in found)
    print(f"{options.pictures} pictures, {options.clients} clients, gateway before a stand-in of "
          f"{_DELAY:g} s: {seconds:.1f} s, {len(found) / seconds:.0f} a second; "
          f"load of the machine {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(f"lost {lost}, refused or another's {wrong}; "
          f"p50 {late[0]:.2f} s, p95 {late[1]:.2f} s, p99 {late[2]:.2f} s")  # fmt: skip
