"""Answers as they come in, on disk at once, so that nothing is asked twice.

One JSON object a line: `key` (of the picture and everything else the answer depends
on), `text`, `finish` and the tokens used. A line is written as soon as its answer is
there, so a killed process loses none; the file is forced to the disk every few lines,
so a power cut loses at most those. In memory stand the keys and where their lines are,
a quarter of a kilobyte each, and not the answers.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

_BATCH = 16


class Answered(NamedTuple):
    """What an endpoint said to one picture."""

    text: str
    finish: str = ""
    """`stop`, or `length` for an answer that was cut off."""
    asked: int = 0
    """Tokens of the request, by the endpoint's count."""
    written: int = 0
    """Tokens of the answer."""


class Journal:
    """Answers by key; safe to use from several threads.

    Left and entered again, it reads only the lines that are new since.
    """

    def __init__(self, path: Path | None) -> None:
        """Read what is there; without a path answers are kept in memory alone."""
        self.unreadable = 0
        """Lines that were no answer: a write that broke off."""
        self._path = path
        self._held: dict[str, int] = {}
        """Where a key's line begins."""
        self._memory: dict[str, Answered] = {}
        """Where there is no file."""
        self._lock = threading.Lock()
        self._pending = 0
        self._read = 0
        """Bytes of the file that are known: the next line begins there."""
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+b")
            self._load(self._file)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._sync(self._file)
            self._file.close()
            self._file = None

    def get(self, key: str) -> Answered | None:
        """The answer under a key, if there is one; only while the journal is open."""
        with self._lock:
            place = self._held.get(key)
            if place is None or self._file is None:
                return self._memory.get(key)
            self._file.seek(place)
            found = _entry(self._file.readline())
        # Another process may write beside us; its line is not taken for ours.
        return found[1] if found is not None and found[0] == key else None

    def add(self, key: str, answer: Answered) -> None:
        """Keep an answer."""
        line = json.dumps({"key": key, **answer._asdict()}, ensure_ascii=True) + "\n"
        with self._lock:
            if self._file is None:
                self._memory[key] = answer
                return
            self._file.seek(0, os.SEEK_END)
            self._held[key] = self._file.tell()
            self._file.write(line.encode())
            self._file.flush()
            self._pending += 1
            if self._pending >= _BATCH:
                self._sync(self._file)

    def _sync(self, file: IO[bytes]) -> None:
        file.flush()
        os.fsync(file.fileno())
        self._pending = 0

    def _load(self, file: IO[bytes]) -> None:
        end = file.seek(0, os.SEEK_END)
        place = self._read if self._read <= end else 0
        file.seek(place)
        line = b"\n"
        for line in file:
            self._take(line, place)
            place += len(line)
        if not line.endswith(b"\n"):
            file.write(b"\n")  # the next answer starts a line of its own
            place += 1
        self._read = place

    def _take(self, line: bytes, place: int) -> None:
        found = _entry(line)
        if found is None:
            self.unreadable += 1
        else:
            self._held[found[0]] = place


def _entry(line: bytes) -> tuple[str, Answered] | None:
    """A line's key and answer; None for anything else."""
    try:
        held: Any = json.loads(line)
        key = held.pop("key")
        answer = Answered(**held)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    texts = all(isinstance(each, str) for each in (key, answer.text, answer.finish))
    good = texts and isinstance(answer.asked, int) and isinstance(answer.written, int)
    return (key, answer) if good and line.endswith(b"\n") else None
