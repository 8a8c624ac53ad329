"""The journal of rewrites: what was asked before is not asked again.

A SQLite file with one row a request, by the hash of everything the request depends on.
It is written as answers come and survives a killed process; it holds a million rows
without holding them in memory. Verdicts are kept too: a rewrite that was refused once is
not bought again. A request that failed (no server) is not in it and is asked anew.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from semanticface.errors import BadInput
from semanticface.language.description import Description

_SCHEMA = "CREATE TABLE IF NOT EXISTS rewrites (key TEXT PRIMARY KEY, verdict TEXT, words TEXT)"


class Rewrite(NamedTuple):
    """What became of one request."""

    verdict: str
    """`kept`, or why it was not; see `stage_one.VERDICTS`."""
    words: Description | None


class Journal:
    """Rewrites by content hash, on disk. Use it in a `with`, from one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute(_SCHEMA)
        except sqlite3.Error as fault:
            raise BadInput(f"no journal ({fault})", "a file that this made", file=path) from fault

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None,
                 trace: TracebackType | None) -> None:  # fmt: skip
        self._database.close()

    def find(self, key: str) -> Rewrite | None:
        """The row of a request, if it was made before."""
        row = self._database.execute(
            "SELECT verdict, words FROM rewrites WHERE key = ?", (key,)
        ).fetchone()
        if row is None:
            return None
        try:
            words = None if row[1] is None else Description(**json.loads(row[1]))
        except (ValueError, TypeError) as fault:
            raise BadInput(f"a broken row {key[:12]}", "a description", file=self._path) from fault
        return Rewrite(str(row[0]), words)

    def keep(self, key: str, rewrite: Rewrite) -> None:
        """Write one down."""
        held = None if rewrite.words is None else json.dumps(rewrite.words.as_analysis())
        self._database.execute(
            "INSERT OR REPLACE INTO rewrites VALUES (?, ?, ?)", (key, rewrite.verdict, held)
        )
