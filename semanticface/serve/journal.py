"""Answers as they come in, on disk at once, so that nothing is asked twice.

One JSON object a line: `key` (of the picture and everything else the answer depends
on), `text`, `finish` and the tokens used. A line is written as soon as its answer is
there, so a killed process loses none; the file is forced to the disk every few lines,
so a power cut loses at most those.
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
        """Read what is there; without a path nothing is kept."""
        self.unreadable = 0
        """Lines that were no answer: a write that broke off."""
        self._path = path
        self._held: dict[str, Answered] = {}
        self._lock = threading.Lock()
        self._pending = 0
        self._read = 0
        """Bytes of the file that are known."""
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
        """The answer under a key, if there is one."""
        return self._held.get(key)

    def add(self, key: str, answer: Answered) -> None:
        """Keep an answer."""
        line = json.dumps({"key": key, **answer._asdict()}, ensure_ascii=True) + "\n"
        with self._lock:
            self._held[key] = answer
            if self._file is None:
                return
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
        file.seek(0, os.SEEK_END)
        file.seek(self._read if self._read <= file.tell() else 0)
        line = b"\n"
        for line in file:
            self._take(line)
        if not line.endswith(b"\n"):
            file.write(b"\n")  # the next answer starts a line of its own
        self._read = file.tell()

    def _take(self, line: bytes) -> None:
        found = _entry(line)
        if found is None:
            self.unreadable += 1
        else:
            self._held[found[0]] = found[1]


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
