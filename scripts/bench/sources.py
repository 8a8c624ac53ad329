"""How fast are sources that look at pictures: a tracker, and an endpoint?

    python scripts/bench/sources.py TAKE.csv [--tracker .tracker] [--frames 480] [--answers 600]

The tracker is MediaPipe's Face Landmarker on renders of 256 px, the renderer compiled by
a first short run. The endpoint is a loopback server in a process of its own that sends a
ready answer at once, or after a delay: what is measured is our side (drawing apart),
not a model.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from PIL import Image
from rich.console import Console

from semanticface.evaluation.images import shows
from semanticface.evaluation.items import Item
from semanticface.evaluation.sources import source_of
from semanticface.evaluation.specs import EndpointSpec, PictureSpec, TrackerSpec
from semanticface.formats import read
from semanticface.language.answers import DEFAULT
from semanticface.language.describe import describe
from semanticface.rig import COUNT


class Ready(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer, delay = b"", 0.0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.delay)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: Any) -> None:
        pass


def serve(ports: Any, delay: float) -> None:
    face = np.zeros(COUNT)
    choice = {"message": {"content": DEFAULT.write(face, describe(face))}, "finish_reason": "stop"}
    Ready.answer, Ready.delay = json.dumps({"choices": [choice]}).encode(), delay
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ready)
    server.daemon_threads = True
    ports.put(server.server_port)
    server.serve_forever()


def tracked(item: Item, environment: Path) -> tuple[float, float]:
    """Seconds to draw and track all frames, and to draw them only."""
    spec = TrackerSpec(name="mp", environment=environment)
    source_of(spec).predict(item._replace(truth=item.truth[:8]))  # compiles the renderer
    begun = time.perf_counter()
    source_of(spec).predict(item)
    both = time.perf_counter() - begun
    begun = time.perf_counter()
    for shot in shows(PictureSpec(name="x"), item)[0].shots():
        assert shot.picture is not None
    return both, time.perf_counter() - begun


def children() -> float:
    """Seconds of processor time of the processes that have ended, the tracker's among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def asked(count: int, concurrency: int, delay: float, folder: Path) -> float:
    """Seconds for `count` different pictures of 256 px, journal and all."""
    stills, rng = folder / "stills", np.random.default_rng(0)
    if not stills.exists():
        stills.mkdir()
        base = np.kron(rng.integers(0, 255, (16, 16, 3), np.uint8), np.ones((16, 16, 1), np.uint8))
        for number in range(count):
            Image.fromarray(np.roll(base, number, axis=0) ^ (number // 256)).save(
                stills / f"{number}.png", compress_level=1
            )
    ports = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(ports, delay), daemon=True)
    server.start()
    try:
        spec = EndpointSpec(
            name="x", url=f"http://127.0.0.1:{ports.get()}/v1", model="m", on="frames",
            frames=str(stills), rate=30, concurrency=concurrency,
        )  # fmt: skip
        begun = time.perf_counter()
        (found,) = source_of(spec).predict(
            Item("t", None, None), work=folder / f"work-{concurrency}-{delay}"
        )
        seconds = time.perf_counter() - begun
    finally:
        server.terminate()
        server.join()
    assert found.notes["unanswered"] == 0 and found.notes["asked"] == count
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("take", type=Path)
    parser.add_argument("--tracker", type=Path, default=Path(".tracker"))
    parser.add_argument("--frames", type=int, default=480)
    parser.add_argument("--answers", type=int, default=600)
    options = parser.parse_args()
    console = Console(width=100)
    clip = read(options.take)
    clip = clip[clip.tracked][: options.frames]
    before = children()
    both, drawing = tracked(Item("t", None, clip), options.tracker)
    console.print(
        f"tracker: {len(clip)} renders of 256 px in {both:.1f} s, {len(clip) / both:.0f} a second "
        f"with its start and drawing; drawing alone {len(clip) / drawing:.0f} a second; "
        f"{(children() - before) / (len(clip) + 8) * 1e3:.0f} ms of processor time each, starts in"
    )
    with tempfile.TemporaryDirectory() as folder:
        for concurrency, delay in ((1, 0.0), (8, 0.0), (8, 0.1), (32, 0.1)):
            seconds = asked(options.answers, concurrency, delay, Path(folder))
            rate, most = options.answers / seconds, concurrency / delay if delay else float("inf")
            console.print(
                f"endpoint: {options.answers} pictures, {concurrency} at a time, answers after "
                f"{delay:g} s: {rate:.0f} a second (at most {most:.0f} possible)"
            )


if __name__ == "__main__":
    main()
