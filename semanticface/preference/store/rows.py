"""Single rows by key."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite


def keyed(*parts: object) -> str:
    """A key from what a row holds: 32 hexadecimal digits of a SHA-256."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def row_of(connection: Any, table: Any, key: str) -> Any:
    """The row with this key as a dict, or None."""
    found = connection.execute(_by_key(table), {"key": key}).mappings().first()
    return None if found is None else dict(found)


@cache
def _by_key(table: Any) -> Any:
    """Statements are made once: making one costs more than the database's answer."""
    return table.select().where(table.c.id == bindparam("key"))


def insert_once(connection: Any, table: Any, row: dict[str, Any]) -> int:
    """1 if the row is new; 0 if its key is there already, however the race went."""
    done = connection.execute(_insert_once(table, connection.dialect.name), row)
    return int(done.first() is not None)


@cache
def _insert_once(table: Any, name: str) -> Any:
    dialect = sqlite if name == "sqlite" else postgresql
    key = next(iter(table.primary_key.columns))  # drivers do not all count rows
    return dialect.insert(table).on_conflict_do_nothing().returning(key)
