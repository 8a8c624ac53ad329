"""Speed of the core, in one table: describing, parsing, reading takes, starting up.

    python scripts/bench/core.py [--takes TAKE.csv ...]

Every row is measured in this run and set against a limit or a peer measured in
this run too. Single-threaded; best of several rounds, because other processes
can only slow a round down. The first take serves for describing and parsing too;
without one a rehearsed take of about 4,000 frames is written to a temporary file.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from semanticface.formats import livelink_csv
from semanticface.language.answers import answer_format
from semanticface.language.describe import describe_frames
from semanticface.language.parse import parse_answer
from semanticface.motion.rehearsal import perform
from semanticface.rig import FaceClip, concatenate, into_range


class Row(NamedTuple):
    """One figure against its limit or peer; `ratio` above 1 is better than asked."""

    what: str
    measured: str
    against: str
    ratio: float


def best(action: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest of some rounds, after one to warm up."""
    action()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        action()
        times.append(time.perf_counter() - begun)
    return min(times)


def rehearsed_take(folder: Path) -> Path:
    """A take of about 4,030 frames, written by the project's own writer."""
    whole = concatenate([perform(seed=i) for i in range(15)], pause=1 / 30)
    path = folder / "rehearsal_1_nobody.csv"
    # A phone's numbers have ten decimals; finer ones would need a longer way of writing.
    livelink_csv.write(whole.with_values(np.round(whole.values, 4)), path)
    return path


def describing(clip: FaceClip) -> Row:
    """Frames described in a second."""
    frames = clip.values[clip.tracked]
    seconds = best(lambda: describe_frames(frames), 5)
    rate = len(frames) / seconds
    return Row("describe, English", f"{rate:,.0f} frames/s", "20,000 frames/s", rate / 20_000)


def parsing(clip: FaceClip) -> Row:
    """Two-key answers with real descriptions, parsed strictly in a second."""
    frames = into_range(clip.values[~np.isnan(clip.values).any(axis=1)][:1000]).values
    form = answer_format("two-key")
    words = describe_frames(frames)
    texts = [form.write(frame, told) for frame, told in zip(frames, words, strict=True)]
    if any(parse_answer(text).report.outcome != "strict" for text in texts):
        raise SystemExit("an answer of our own is not strict")
    seconds = best(lambda: [parse_answer(text) for text in texts], 7)
    rate = len(texts) / seconds
    return Row("strict parse, two-key", f"{rate:,.0f} answers/s", "10,000 answers/s", rate / 10_000)


def reading(path: Path) -> Row:
    """The take against pandas, alternating so that noise falls on both."""
    ours = theirs = float("inf")
    for _ in range(6):
        ours = min(ours, best(lambda: livelink_csv.read(path), 3))
        theirs = min(theirs, best(lambda: pd.read_csv(path, skip_blank_lines=True), 3))
    return Row(
        f"read {path.stem}", f"{ours * 1000:.1f} ms", f"pandas.read_csv {theirs * 1000:.1f} ms",
        theirs / ours,
    )  # fmt: skip


def starting(what: str, arguments: list[str], limit: float, cache: Path) -> Row:
    """A whole process from start to end, its bytecode cached as after an installation."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(cache)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run() -> None:
        subprocess.run(
            [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment
        )

    run()
    seconds = best(run, 10)
    return Row(what, f"{seconds * 1000:.0f} ms", f"{limit * 1000:.0f} ms", limit / seconds)


IMPORT_CORE = (
    "import sys, semanticface.rig, semanticface.formats.livelink_csv, semanticface.formats, "
    "semanticface.language.describe, semanticface.language.parse, "
    "semanticface.language.consistency; "
    "sys.exit(any(m in sys.modules for m in ('torch', 'transformers', 'pandas')))"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--takes", type=Path, nargs="+", help="Live Link Face CSVs")
    takes = parser.parse_args().takes
    with tempfile.TemporaryDirectory() as folder:
        paths = takes or [rehearsed_take(Path(folder))]
        clip = livelink_csv.read(paths[0])
        cache = Path(folder) / "bytecode"
        rows = [
            describing(clip),
            parsing(clip),
            *(reading(path) for path in paths),
            starting("semanticface --help", ["-m", "semanticface.cli.main", "--help"], 0.30, cache),
            starting("import of the core", ["-c", IMPORT_CORE], 0.25, cache),
            starting("  of which numpy", ["-c", "import numpy"], 0.25, cache),
        ]
    table = Table(
        "what", "measured", "against", "ratio", title=f"{paths[0].name}, {len(clip)} frames"
    )
    for row in rows:
        table.add_row(row.what, row.measured, row.against, f"{row.ratio:.2f}")
    Console(width=100).print(table)
    if any(row.ratio < 1 for row in rows):
        raise SystemExit("slower than asked")


if __name__ == "__main__":
    main()
