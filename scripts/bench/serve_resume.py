"""A job of 100,000 pictures that goes on: what it costs to find out what is answered already.

    python scripts/bench/serve_resume.py [--pictures 100000] [--missing 200]

No model: a stand-in server on loopback, in a process of its own, answers with a face of each
picture's own, so one that was mixed up, lost or asked about twice shows. Answers are JSON with
words, the longest there are.

journal    `FaceClient.stream` with a journal that holds all but the missing answers
command    `semanticface predict --endpoint` in a folder that does, its files of results included
           (there the pictures are two files by many names, and each is asked about once)

Each part is a process of its own; memory is the most that it ever held, less what it held when
everything was imported.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from pictures import png
from stand_in import StandIn, face_of

from semanticface.data.tasks import Task
from semanticface.language.describe import describe
from semanticface.serve.client import FaceClient, Frame, Result, Settings
from semanticface.serve.journal import Answered, Journal
from semanticface.serve.remote import RemotePredictor
from semanticface.train.predictions import Predictions, predict, write_out
from semanticface.train.shots import key_of, shots

TASK = Task.of("two-key")
_KINDS = 50
"""Different texts of answers that are there already; making one takes a millisecond."""
_LINKS = 60_000
"""Names that one file may have."""


class Found(NamedTuple):
    """What going on took, and how many answers were lost or another's."""

    seconds: float
    mib: float
    wrong: int


def stand_in(line: Any) -> None:
    """The server, which says how much it was asked whenever it is sent anything."""
    import threading

    server = StandIn(TASK)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    line.send(server.url)
    while line.recv():
        line.send(sum(server.asked.values()))


def picture(number: int) -> bytes:
    """Bytes of its own; nobody opens them."""
    return b"\x89PNG" + number.to_bytes(4, "big")


def texts() -> list[str]:
    faces = [face_of(picture(n)) for n in range(_KINDS)]
    return [TASK.form.write(each, describe(each)) for each in faces]


def frames(count: int) -> Iterator[Frame]:
    return (Frame(n / 30, picture(n)) for n in range(count))


def write_journal(url: str, path: Path, count: int, missing: int) -> None:
    """Answers to all but the last pictures."""
    held = texts()

    async def keys() -> None:
        async with FaceClient(url) as client:
            with Journal(path) as journal:
                for n in range(count - missing):
                    key = client.journal_key(picture(n))
                    journal.add(key, Answered(held[n % _KINDS], "stop", 500, 735))

    asyncio.run(keys())


def go_on(url: str, path: Path, count: int) -> int:
    """Answers that are not the right ones."""
    known = [TASK.read(each).values for each in texts()]
    seen = wrong = 0

    def right(n: int, result: Result) -> bool:
        expected = face_of(picture(n)) if result.tries else known[n % _KINDS]
        return result.time == n / 30 and abs(result.values - expected).max() < 1e-6

    async def all_of_them() -> None:
        nonlocal seen, wrong
        async with FaceClient(url, settings=Settings(concurrency=32)) as client:
            with Journal(path) as journal:
                async for result in client.stream(frames(count), journal):
                    wrong += not right(seen, result)
                    seen += 1

    asyncio.run(all_of_them())
    return wrong + abs(count - seen)


def write_folder(url: str, folder: Path, count: int, missing: int) -> None:
    """Pictures, and the answers of a job that was stopped."""
    stills, out, held = folder / "stills", folder / "out", texts()
    stills.mkdir()
    for n in range(count):
        source = folder / f"{n // _LINKS}.png"
        if not source.exists():
            source.write_bytes(png(n // _LINKS, (32, 32)))
        os.link(source, stills / f"{n:06d}.png")
    origin = RemotePredictor(url).origin
    Predictions.begun(out, origin)
    read = [TASK.read(each) for each in held]
    with (out / "answers.jsonl").open("a", encoding="utf-8") as stream:
        for n, shot in enumerate(shots([stills])[: count - missing]):
            answer = read[n % _KINDS]
            line = {"key": key_of(shot, {}), "name": shot.name, "time": None, "outcome": "strict",
                    "text": held[n % _KINDS], "values": [round(float(v), 4) for v in answer.values],
                    "analysis": answer.words.as_analysis() if answer.words else None}  # fmt: skip
            stream.write(json.dumps(line) + "\n")


def command(url: str, folder: Path, count: int) -> int:
    """What `semanticface predict --endpoint` does; pictures without an answer."""
    asked, out = RemotePredictor(url, journal=folder / "out" / "endpoint.jsonl"), folder / "out"
    kept = Predictions.begun(out, asked.origin)
    outcome = predict(asked, shots([folder / "stills"]), kept)
    write_out(outcome, out, "stills")
    return count - len(outcome.answers) + len(outcome.failed)


def measured(work: Callable[..., int], *told: Any) -> Found:
    """A piece of work in a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.Process(target=_measure, args=(theirs, work, told))
    child.start()
    found: Found = ours.recv()
    child.join()
    return found


def _measure(line: Any, work: Callable[..., int], told: tuple[Any, ...]) -> None:
    TASK.read(texts()[0])  # what is made once
    before, begun = _most(), time.perf_counter()
    wrong = work(*told)
    line.send(Found(time.perf_counter() - begun, _most() - before, wrong))


def _most() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--missing", type=int, default=200)
    parser.add_argument("--parts", nargs="*", choices=[*PARTS], default=[*PARTS])
    options = parser.parse_args()
    line, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=stand_in, args=(theirs,), daemon=True)
    server.start()
    url, before = line.recv(), 0
    for part in options.parts:
        size, found = PARTS[part](url, options.pictures, options.missing)
        line.send(True)
        asked = line.recv()
        print(f"{part}: {options.pictures:,} pictures, {options.missing} of them missing; "
              f"file {size / 2**20:.0f} MiB; {found.seconds:.1f} s, {found.mib:.0f} MiB, asked "
              f"{asked - before}, wrong or lost {found.wrong}; load {os.getloadavg()[0]:.1f}",
              flush=True)  # fmt: skip
        before = asked


def journal_part(url: str, count: int, missing: int) -> tuple[int, Found]:
    """Bytes of the file, and what going on took."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "kept.jsonl"
        write_journal(url, path, count, missing)
        return path.stat().st_size, measured(go_on, url, path, count)


def command_part(url: str, count: int, missing: int) -> tuple[int, Found]:
    """The same of the command."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_folder(url, folder, count, missing)
        size = (folder / "out" / "answers.jsonl").stat().st_size
        return size, measured(command, url, folder, count)


PARTS = {"journal": journal_part, "command": command_part}


if __name__ == "__main__":
    main()
