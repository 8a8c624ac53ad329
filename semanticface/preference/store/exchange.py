"""A project as JSON lines: out of one store, into another, nothing lost on the way.

First a header, then one object a row that names its `table`, then the kept files. The
same project always gives the same bytes. Reading is all or nothing; rows that are there
already are counted, rows that differ from what is there are an error. What a rater undid
later counts as newer.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Iterator
from os import PathLike
from typing import Any, NamedTuple

from sqlalchemy import func, select

from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.preference.store.content import files_of
from semanticface.preference.store.database import Store, newest
from semanticface.preference.store.files import keep_file, kept_file
from semanticface.preference.store.rows import insert_once, row_of
from semanticface.preference.store.tables import (
    ANSWERS,
    ITEMS,
    PAIRS,
    PROJECTS,
    QUESTIONS,
    RATERS,
    VERDICTS,
)

_TABLES = (
    ("project", PROJECTS), ("rater", RATERS), ("item", ITEMS), ("answer", ANSWERS),
    ("pair", PAIRS), ("question", QUESTIONS), ("verdict", VERDICTS),
)  # fmt: skip
_OF = dict(_TABLES)
_FORMAT = "semanticface preference"
_LONGEST_LINE = 128 * 2**20


class Carried(NamedTuple):
    """What went over, by kind of row."""

    new: dict[str, int]
    known: dict[str, int]


def export_project(store: Store, project_id: str, path: str | PathLike[str]) -> int:
    """Write a project with everything in it; returns the number of lines."""
    return json_lines.write_lines(path, _lines(store, project_id))


def _lines(store: Store, project_id: str) -> Iterator[dict[str, Any]]:
    yield {"table": "header", "format": _FORMAT, "schema": newest()}
    files: set[str] = set()
    with store.reading() as connection:
        for kind, table in _TABLES:
            query = _belonging(table, project_id).order_by(table.c.id)
            for row in connection.execute(query).mappings():
                told = {
                    key: value for key, value in row.items() if key != "asked" or kind != "pair"
                }
                files.update(told[key] for key in ("picture", "sound") if told.get(key))
                files.update(files_of(told.get("speech")))
                yield {"table": kind, **told}
    for digest in sorted(files):
        data = kept_file(store, digest).read_bytes()
        yield {"table": "file", "id": digest, "data": base64.b64encode(data).decode()}


def _belonging(table: Any, project_id: str) -> Any:
    """Rows of one project."""
    if table is PROJECTS:
        return table.select().where(PROJECTS.c.id == project_id)
    if "project_id" in table.c:
        return table.select().where(table.c.project_id == project_id)
    if table is ANSWERS:
        mine = select(ITEMS.c.id).where(ITEMS.c.project_id == project_id)
        return table.select().where(ANSWERS.c.item_id.in_(mine))
    asked = (
        select(QUESTIONS.c.id).join(PAIRS, PAIRS.c.id == QUESTIONS.c.pair_id)
        .where(PAIRS.c.project_id == project_id)
    )  # fmt: skip
    column = QUESTIONS.c.id if table is QUESTIONS else VERDICTS.c.question_id
    return table.select().where(column.in_(asked))


def import_project(store: Store, path: str | PathLike[str]) -> Carried:
    """Read what `export_project` wrote, into a store that may hold some of it."""
    new, known = Counter[str](), Counter[str]()
    rows = json_lines.objects(path, max_line=_LONGEST_LINE)
    _check_header(next(rows, (1, {}))[1], path)
    with store.writing() as connection:
        for number, held in rows:
            kind = str(held.pop("table", ""))
            if _take(store, connection, kind, held, path, number):
                new[kind] += 1
            else:
                known[kind] += 1
        _count_asked(connection)
    return Carried(dict(new), dict(known))


def _check_header(header: dict[str, Any], path: object) -> None:
    if header.get("format") != _FORMAT:
        raise BadInput("a file without our header", f"one of '{_FORMAT}'", file=path, row=1)
    if header.get("schema") != newest():
        raise BadInput(f"rows of schema {header.get('schema')}", newest(), file=path, row=1,
                       hint="Export it again with this version.")  # fmt: skip


def _take(
    store: Store, connection: Any, kind: str, held: dict[str, Any], path: object, row: int
) -> bool:
    """Put one row in; whether it was new."""
    if kind == "file":
        return _take_file(store, held, path, row)
    if kind not in _OF:
        raise BadInput(f"a row of the table '{kind[:40]}'", f"one of {', '.join(_OF)}", file=path,
                       row=row)  # fmt: skip
    table = _OF[kind]
    full = held | ({"asked": 0} if kind == "pair" else {})
    if set(full) != set(table.c.keys()):
        odd = sorted(set(full) ^ set(table.c.keys()))[0]
        raise BadInput(f"a {kind} with or without '{odd[:40]}'", f"{', '.join(table.c.keys())}",
                       file=path, row=row)  # fmt: skip
    if kind == "answer":
        _check_answer(full, path, row)
    if _inserted(connection, table, full, path, row):
        return True
    _must_agree(connection, table, kind, full, path, row)
    return False


def _inserted(connection: Any, table: Any, full: dict[str, Any], path: object, row: int) -> bool:
    from sqlalchemy.exc import IntegrityError, StatementError

    try:
        return bool(insert_once(connection, table, full))
    except (IntegrityError, StatementError) as fault:
        raise BadInput(f"a row that does not fit ({str(fault.orig)[:80]})",
                       "a row of an export", file=path, row=row) from fault  # fmt: skip


def _check_answer(held: dict[str, Any], path: object, row: int) -> None:
    from semanticface.preference.store.content import candidate_of

    try:
        candidate_of(held)
    except (BadInput, ValueError, TypeError) as fault:
        raise BadInput(f"an answer that is none ({fault})", "61 numbers a frame", file=path,
                       row=row) from fault  # fmt: skip


def _must_agree(
    connection: Any, table: Any, kind: str, held: dict[str, Any], path: object, row: int
) -> None:
    there = row_of(connection, table, held["id"])
    if there is None:
        raise BadInput(f"a {kind} whose name or question is taken", "one of its own", file=path,
                       row=row)  # fmt: skip
    mark = {"verdict": "withdrawn", "rater": "revoked"}.get(kind)
    if mark and there[mark] is None and held[mark] is not None:
        connection.execute(table.update().where(table.c.id == held["id"])
                           .values(**{mark: held[mark]}))  # fmt: skip
        return
    skipped = {"asked"} if kind == "pair" else {mark} if mark else set()
    for key, value in held.items():
        if key not in skipped and there[key] != value:
            raise BadInput(f"another {key} for {kind} {held['id']}", str(there[key])[:60],
                           file=path, row=row)  # fmt: skip


def _take_file(store: Store, held: dict[str, Any], path: object, row: int) -> bool:
    try:
        data = base64.b64decode(str(held.get("data")), validate=True)
    except binascii.Error:
        data = b""
    fresh = not kept_file(store, str(held.get("id"))).exists()
    if keep_file(store, data) != held["id"]:
        raise BadInput("a file that is not what its hash says", "the bytes as exported",
                       file=path, row=row)  # fmt: skip
    return fresh


def _count_asked(connection: Any) -> None:
    """How many people each pair was put to, counted anew."""
    asked = (
        select(func.count()).select_from(QUESTIONS)
        .join(RATERS, RATERS.c.id == QUESTIONS.c.rater_id)
        .where(QUESTIONS.c.pair_id == PAIRS.c.id, QUESTIONS.c.turn == 0,
               RATERS.c.kind == "human")
        .scalar_subquery()
    )  # fmt: skip
    connection.execute(PAIRS.update().values(asked=asked))
