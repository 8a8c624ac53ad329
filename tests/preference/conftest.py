"""An empty store on SQLite, and one on a real PostgreSQL server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from semanticface.preference.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "faces.store", create=True)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own on a socket in a folder; it ends with the module."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert programs, "PostgreSQL's server is missing: run scripts/test_packages.sh as root"
    folder = Path("/tmp") / f"sf-pg-{os.getpid()}"  # short: a socket's path has a limit
    folder.mkdir()
    owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if owner:
        shutil.chown(folder, "postgres")
    run = [*owner, str(programs[-1].with_name("pg_ctl"))]
    data = folder / "data"
    setup = ["--auth=trust", "--no-sync", "--locale=C.UTF-8", "--username=postgres"]
    _run([*owner, str(programs[-1]), "-D", str(data), *setup])
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    _run([*run, "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start"])
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        _run([*run, "-D", str(data), "-m", "immediate", "stop"])
        shutil.rmtree(folder)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")
