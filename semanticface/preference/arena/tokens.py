"""Signed tokens: invitation links, sessions, and the proof that a request came from our page.

A token is `kind.id.expiry.mac`, the mac an HMAC-SHA256 over the rest with the store's secret.
There is nothing to look up and nothing to guess: 128 bits of the mac are kept.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["invite", "session", "admin", "manage"]
DAY = 86_400
_MAC = 32


@dataclass(frozen=True)
class Keys:
    """The secret of a store, and what is made of it."""

    secret: bytes

    @classmethod
    def of(cls, folder: Path) -> Keys:
        """The secret kept in a folder, readable by its owner only; made on first use."""
        path = folder / "secret"
        if not path.exists():
            _make(path)
        return cls(path.read_bytes())

    def token(self, kind: Kind, who: str, seconds: float) -> str:
        """A token for `who`, good for so long."""
        told = f"{kind}.{who}.{int(time.time() + seconds)}"
        return f"{told}.{self._mac(told)}"

    def read(self, kind: Kind, token: str) -> str | None:
        """Who a token is for; None if it is not ours, of another kind, or too old."""
        told, _, mac = token.rpartition(".")
        if not told.isascii() or not hmac.compare_digest(mac.encode(), self._mac(told).encode()):
            return None
        found, who, expiry = told.split(".", 2)
        if found != kind or int(expiry) < time.time():
            return None
        return who

    def csrf(self, session: str) -> str:
        """What a page of this session sends along with every change."""
        return self._mac(f"csrf.{session}")

    def _mac(self, told: str) -> str:
        return hmac.new(self.secret, told.encode(), hashlib.sha256).hexdigest()[:_MAC]


def _make(path: Path) -> None:
    """Write a secret beside its place and link it there: whole, and never over another."""
    fresh = path.with_name(f"secret.{secrets.token_hex(8)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(32))
        os.fsync(handle)
        path.hardlink_to(fresh)
    except FileExistsError:
        pass  # another process was faster, and its secret counts
    finally:
        os.close(handle)
        fresh.unlink()
