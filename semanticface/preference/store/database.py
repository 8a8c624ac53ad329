"""Opening a store: SQLite in a folder, or PostgreSQL by URL.

    store = open_store("faces.store", create=True)            # faces.store/store.sqlite
    store = open_store("postgresql+psycopg://me@host/db", media="faces.media")

SQLite runs in WAL mode with every commit synced to the disk: a verdict that was
answered for is there after a kill, and after a power cut too. Writers wait for each
other up to `WAIT` seconds and are then told to come again (`StoreBusy`); nothing is
half done. Threads of one process take turns at a lock of our own first: SQLite lets
waiting writers sleep and try again, without a queue, and among twenty some would try in
vain for seconds.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semanticface.errors import BadInput, SemanticFaceError, need

PathLike = str | os.PathLike[str]
WAIT = 5.0
"""Seconds that a writer waits for another one."""
_FILE = "store.sqlite"
_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY = ("locked", "busy")


class StoreBusy(SemanticFaceError):
    """Somebody else is writing; nothing was changed and the same call may be made again."""

    def __init__(self) -> None:
        super().__init__(
            f"the store is locked by another program for more than {WAIT:g} s. Nothing was "
            "changed: try again, or find the program that holds it."
        )


@dataclass(frozen=True)
class Store:
    """An open store: its database, and the folder of pictures, sounds and renders."""

    engine: Any
    media: Path
    turns: AbstractContextManager[Any] = field(default_factory=nullcontext)
    """Held by the thread that writes; a database server needs none."""

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """A connection that sees one state of the store."""
        with _told(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A connection whose changes are all kept, or none on any error."""
        engine = self.engine.execution_options(writes=True)
        with _told(), self.turns, engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()


class Turns:
    """One writer at a time, the others waiting in the order they came as far as the system
    keeps it; `StoreBusy` after `wait` seconds."""

    def __init__(self, wait: float) -> None:
        self._lock, self._wait = threading.Lock(), wait

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=self._wait):
            raise StoreBusy

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def open_store(
    where: PathLike, *, media: PathLike | None = None, create: bool = False,
    upgrade: bool = False, wait: float = WAIT,
) -> Store:  # fmt: skip
    """Open a store: a folder, or a database URL with a `media` folder beside it.

    An older schema is brought up with `upgrade`, after a copy of an SQLite file; without
    it, and for a schema from a newer version, it is an error that says what to do.
    """
    url, folder = _places(where, media)
    file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else None
    if file is not None and not file.exists() and not create:
        raise BadInput("no store here", "a folder with a store", file=where,
                       hint="Make one with: semanticface rank new")  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(_engine(url, wait), folder, nullcontext() if file is None else Turns(wait))
    try:
        _bring_up(store, file, create=create, upgrade=upgrade)
    except BaseException:
        store.close()
        raise
    return store


def schema_of(store: Store) -> str | None:
    """The revision that a store is at; None for an empty database."""
    from alembic.runtime.migration import MigrationContext

    with store.reading() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The revision that this version of the package writes."""
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory(str(_MIGRATIONS)).get_current_head())


def _places(where: PathLike, media: PathLike | None) -> tuple[str, Path]:
    text = os.fspath(where)
    if "://" not in text:
        folder = Path(text)
        if folder.is_file():
            raise BadInput("a file", "a folder for the store", file=where)
        return f"sqlite:///{folder.resolve() / _FILE}", Path(media or folder / "media").resolve()
    if media is None:
        raise BadInput("a database without a place for pictures", "a folder",
                       hint="Give --media FOLDER beside a database URL.")  # fmt: skip
    return text, Path(media).resolve()


def _engine(url: str, wait: float) -> Any:
    sqlalchemy: Any = need("sqlalchemy", "arena", "A store of verdicts")
    if not url.startswith("sqlite"):
        return sqlalchemy.create_engine(url, pool_size=20, max_overflow=20, pool_pre_ping=True)
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": wait}, pool_size=20,
                                      max_overflow=20)  # fmt: skip
    sqlalchemy.event.listen(engine, "connect", _on_connect)
    sqlalchemy.event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: Any) -> None:
    """Durable, safe beside other writers, and with BEGIN left to us."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _on_begin(connection: Any) -> None:
    """Writers take the lock at once: one that read first could find it gone when it writes."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _told() -> Iterator[None]:
    """Turn a lock that did not open into StoreBusy, a full disk into words."""
    from sqlalchemy.exc import OperationalError

    try:
        yield
    except OperationalError as error:
        text = str(error.orig)
        if any(word in text for word in _BUSY):
            raise StoreBusy from error
        if "full" in text:
            raise BadInput("a full disk", "room for the store",
                           hint="Nothing was changed.") from error  # fmt: skip
        raise


def _bring_up(store: Store, file: Path | None, *, create: bool, upgrade: bool) -> None:
    found, wanted = schema_of(store), newest()
    if found == wanted:
        return
    if found is None and not create:
        raise BadInput("a database without a store", "one that was made by this package",
                       hint="Make it with: semanticface rank new")  # fmt: skip
    if found is not None and found not in _known():
        raise BadInput(f"the schema {found}", f"{wanted} or older",
                       hint="A newer semanticface wrote this store: update this one.")  # fmt: skip
    if found is not None and not upgrade:
        raise BadInput(f"the older schema {found}", wanted,
                       hint="Bring it up with: semanticface rank upgrade STORE")  # fmt: skip
    if found is not None and file is not None:
        _copied(store, file.with_name(f"{file.stem}.schema-{found}{file.suffix}"))
    _migrate(store)


def _known() -> set[str]:
    from alembic.script import ScriptDirectory

    return {each.revision for each in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}


def _copied(store: Store, target: Path) -> None:
    """A whole copy of the SQLite file as it was; an older copy of the same name stays."""
    if target.exists():
        return
    connection = store.engine.raw_connection()
    try:
        connection.execute("VACUUM INTO ?", (str(target),))
    finally:
        connection.close()


def migrate_to(store: Store, revision: str) -> None:
    """Bring the schema to a revision, whole or not at all."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with store.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _migrate(store: Store) -> None:
    migrate_to(store, "head")
