"""Pictures and sounds of a store, each under the hash of what it holds."""

from __future__ import annotations

import hashlib
from pathlib import Path

from semanticface.atomic import write_bytes
from semanticface.errors import BadInput
from semanticface.preference.store.database import Store


def kept_file(store: Store, digest: str) -> Path:
    """Where the file with this hash lies; the name is nothing but the hash."""
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise BadInput(f"the hash {digest[:80]!r}", "64 hexadecimal digits")
    return store.media / "files" / digest[:2] / digest


def keep_file(store: Store, data: bytes) -> str:
    """Keep a picture or sound; returns its hash, under which it is found again."""
    digest = hashlib.sha256(data).hexdigest()
    place = kept_file(store, digest)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(place, data)
    return digest
