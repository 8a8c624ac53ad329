"""Speed and memory of the data package, in one table.

    python scripts/bench/data.py [--rows 1000000] [--frames 2000] [--workers 2]

* a manifest of a million rows, read from end to end: rows a second, and the memory that
  the process held after a twentieth of the rows and after all of them;
* as many names of a folder, sorted without holding them;
* `semanticface synth` at 112 pixels, with one sample a pixel and with four, by one process
  and by several, start of the processes included;
* decoding a stored picture, changing its pixels, and writing a target.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

from rich.console import Console
from rich.table import Table

from semanticface.data import synth
from semanticface.data.augment import Pixels
from semanticface.data.images import Pictures
from semanticface.data.manifest import manifest_of
from semanticface.data.names import in_order
from semanticface.data.plan import Plan
from semanticface.data.records import for_training
from semanticface.data.sources import records
from semanticface.data.splits import on_side
from semanticface.data.tasks import Task
from semanticface.formats.json_lines import shortest
from semanticface.motion.expressions import sample_frames

Rows = list[tuple[str, str, str]]
_GROWTH = 4.0  # MB that a million rows may add
_NAMES = 16.0  # MB: a piece of names, and the runs' buffers; a list of all would take over 100


def memory() -> float:
    """Megabytes this process holds in memory now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def write_rows(path: Path, count: int) -> None:
    """Records as they stand in a file, a thousand people, the same faces over and over."""
    faces = [json.dumps([shortest(v) for v in face]) for face in sample_frames(1000, 0)]
    with path.open("w") as stream:
        for i in range(count):
            rest = {"image": {"path": f"{i}.jpg"}, "subject": f"s{i % 1000}", "consent": "given"}
            told = json.dumps({"id": f"{i}", **rest})
            stream.write(f'{told[:-1]}, "targets": {faces[i % 1000]}}}\n')


def streaming(folder: Path, count: int) -> tuple[Rows, bool]:
    """All rows through sources, the consent gate and the split."""
    path = folder / "rows.jsonl"
    write_rows(path, count)
    early, kept = 0.0, 0
    begun = time.perf_counter()
    for i, _ in enumerate(on_side(for_training(records(manifest_of(path))), "train"), 1):
        kept = i
        if i == count // 25:
            early = memory()
    seconds = time.perf_counter() - begun
    grown = memory() - early
    return [
        (f"{count:,} rows of JSON lines, {path.stat().st_size / 1e6:,.0f} MB",
         f"{count / seconds:,.0f}", "rows/s"),
        (f"memory after {count // 20:,} rows, then growth to {count:,} ({kept:,} train)",
         f"{early:.0f}, {grown:+.1f}", "MB"),
    ], grown < _GROWTH  # fmt: skip


def naming(count: int) -> tuple[Rows, bool]:
    """A million names of a folder put in order, and what that adds to the memory."""
    shuffled = (f"{i * 7919 % count:07d}/portrait.png" for i in range(count))
    ordered = in_order(shuffled)
    kept, early, most, begun = 0, memory(), 0.0, time.perf_counter()
    for kept, _ in enumerate(ordered, 1):
        if kept % (count // 20) == 0:
            most = max(most, memory())
    seconds = time.perf_counter() - begun
    return [
        (f"{kept:,} names of a folder, in order", f"{count / seconds:,.0f}", "names/s"),
        ("memory before, and its growth meanwhile", f"{early:.0f}, {most - early:+.1f}", "MB"),
    ], most - early < _NAMES  # fmt: skip


def drawing(folder: Path, frames: int, workers: int) -> Rows:
    """Frames a second of whole runs."""
    plan = Plan(frames=frames, identities=frames // 40, shard_frames=max(frames // 8, 1))
    synth.make(replace(plan, frames=8, identities=1), folder / "warm")
    rows = []
    for antialias in (False, True):
        for count in sorted({1, workers}):
            asked = replace(plan, antialias=antialias)
            begun = time.perf_counter()
            made = synth.make(asked, folder / f"{antialias}-{count}", workers=count)
            pace = made.frames / (time.perf_counter() - begun)
            samples = "4 samples" if antialias else "1 sample"
            rows.append((f"synth, 112 px, {samples} a pixel, {count} processes, "
                         f"{made.bytes / made.frames / 1000:.1f} kB a frame",
                         f"{pace:,.0f}", "frames/s"))  # fmt: skip
    return rows


def using(folder: Path) -> Rows:
    """What a trainer pays for each row."""
    some = list(records(manifest_of(folder / "False-1")))[:200]
    pictures, pixels, task = Pictures(), Pixels(), Task.of()
    decoded = [pictures.decode(each.image) for each in some]
    jobs: dict[str, Callable[[int], object]] = {
        "decode a picture out of a shard": lambda i: pictures.decode(some[i].image),
        "change its pixels": lambda i: pixels.apply(decoded[i], i),
        "write a two-key target with its words": lambda i: task.target(some[i]),
    }
    return [(name, f"{timed(job, len(some)):.2f}", "ms") for name, job in jobs.items()]


def timed(job: Callable[[int], object], count: int) -> float:
    """Milliseconds of one, best of three rounds."""
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        for i in range(count):
            job(i)
        best = min(best, time.perf_counter() - begun)
    return 1000 * best / count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="0 leaves it out")
    parser.add_argument("--frames", type=int, default=2000, help="0 leaves it out")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    flat = True
    with tempfile.TemporaryDirectory() as name:
        if options.rows:
            rows, flat = streaming(Path(name), options.rows)
            more, small = naming(options.rows)
            show(rows + more)
            flat = flat and small
        if options.frames:
            show(drawing(Path(name), options.frames, options.workers) + using(Path(name)))
    if not flat:
        raise SystemExit("memory grew with the rows")


def show(rows: Rows) -> None:
    """One table, as soon as it is measured."""
    table = Table("what", "measured", "unit")
    for row in rows:
        table.add_row(*row)
    Console(width=110).print(table, f"load of the machine meanwhile: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
