"""Keys of a gateway's clients: made once, kept as hashes, each with its own rate.

A key is 256 random bits, so a plain SHA-256 of it can stand in a file: nobody finds a key
by trying. Comparison takes the same time whatever the key. The file is one JSON object
a line: `{"name": "studio", "sha256": "...", "per_minute": 600}`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from semanticface.errors import BadInput
from semanticface.formats import json_lines

_PREFIX = "sf-"
_MAKE = "Make a key: semanticface gateway --new-key NAME --keys FILE"


class Client(NamedTuple):
    """Somebody who may ask."""

    name: str
    sha256: str
    per_minute: int


class Made(NamedTuple):
    """A fresh key: the only time that it is seen."""

    key: str
    client: Client


def make_key(name: str, per_minute: int) -> Made:
    """A key and the line to keep of it."""
    if not name or not name.isprintable() or per_minute < 1:
        raise BadInput(f"the name {name!r} at {per_minute} a minute", "a name, and one at least")
    key = _PREFIX + secrets.token_urlsafe(32)
    return Made(key, Client(name, hash_of(key), per_minute))


def hash_of(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def bearer(header: str) -> str:
    """The key of an `Authorization` header; empty where it holds none."""
    kind, _, key = header.partition(" ")
    return key.strip() if kind.lower() == "bearer" else ""


def add_key(file: Path, client: Client) -> None:
    """Append a client's line; readable by the owner alone."""
    there = read_keys(file) if file.is_file() and file.stat().st_size else []
    if client.name in {each.name for each in there}:
        raise BadInput(f"a second key for '{client.name}'", "a name of its own", file=file)
    file.touch(mode=0o600)
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(client._asdict()) + "\n")


def read_keys(file: Path) -> list[Client]:
    """All clients of a file."""
    if not file.is_file():
        raise BadInput("no such file", "the file of keys", file=file, hint=_MAKE)
    found = []
    for row, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        held = json_lines.parse(line, file=file, row=row)
        try:
            client = Client(**held)
            good = len(bytes.fromhex(client.sha256)) == 32 and client.per_minute >= 1
        except (TypeError, ValueError):
            good = False
        if not good:
            raise BadInput(
                "a line that is no key", "name, sha256 and per_minute", file=file, row=row
            )
        found.append(client)
    if not found:  # nobody's keys must not become everybody's door
        raise BadInput("no key in it", "one at least", file=file, hint=_MAKE)
    return found


@dataclass
class Bucket:
    """Tokens that fill up by `per_minute` and hold ten seconds' worth, one at least."""

    per_minute: int
    clock: Callable[[], float] = time.monotonic
    _held: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._held, self._at = self._most, self.clock()

    @property
    def _most(self) -> float:
        return max(1.0, self.per_minute / 6)

    def take(self, count: int = 1) -> float:
        """0 if `count` were there and are taken, else the seconds until they will be."""
        now = self.clock()
        self._held = min(self._most, self._held + (now - self._at) * self.per_minute / 60)
        self._at = now
        if self._held >= min(count, self._most):
            self._held -= count  # a larger batch than the bucket goes into debt
            return 0.0
        return (min(count, self._most) - self._held) * 60 / self.per_minute

    def owe(self, count: int) -> None:
        """Take `count` whether or not they are there."""
        self._held -= count


class Doorkeeper:
    """Knows the clients, and how much each has asked lately."""

    def __init__(self, clients: list[Client]) -> None:
        self._clients = clients
        self._buckets = {each.name: Bucket(each.per_minute) for each in clients}

    @property
    def open(self) -> bool:
        """Whether anybody may ask."""
        return not self._clients

    def known(self, key: str) -> Client | None:
        """Whose key it is; all hashes are compared, so time tells nothing."""
        asked = hash_of(key)
        found = [each for each in self._clients if hmac.compare_digest(each.sha256, asked)]
        return found[0] if found else None

    def wait(self, client: Client, count: int = 1) -> float:
        """Seconds this client must wait before it may ask about `count` pictures."""
        return self._buckets[client.name].take(count)

    def owe(self, client: Client, count: int) -> None:
        """What a client was let in with turns out to be worth `count` pictures more: it waits
        for them afterwards."""
        self._buckets[client.name].owe(count)
