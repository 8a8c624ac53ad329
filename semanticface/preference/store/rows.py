"""Single rows by key."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def keyed(*parts: object) -> str:
    """A key from what a row holds: 32 hexadecimal digits of a SHA-256."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def row_of(connection: Any, table: Any, key: str) -> Any:
    """The row with this key as a dict, or None."""
    found = connection.execute(table.select().where(table.c.id == key)).mappings().first()
    return None if found is None else dict(found)


def insert_once(connection: Any, table: Any, row: dict[str, Any]) -> int:
    """1 if the row is new; 0 if its key is there already, however the race went."""
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    done = connection.execute(dialect.insert(table).values(**row).on_conflict_do_nothing())
    return int(done.rowcount == 1)
