"""A real vLLM on loopback, for the tests that need one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from semanticface.serve.arguments import Options, arguments, environment
from semanticface.serve.server import Server
from semanticface.serve.target import Target

START = 900.0
"""Seconds in which a server must have started; it takes 25 s alone, minutes on busy cores."""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def serving(
    python: Path, target: Target, log: Path, key: str = "", **told: object
) -> Iterator[Server]:
    """A started server, stopped at the end whatever happens."""
    small = {"device": "cpu", "dtype": "float32", "max_num_seqs": 8, "port": free_port()}
    options = Options(**{**small, **told})  # type: ignore[arg-type]
    with Server(python, arguments(target, options), environment(target, options, key),
                log=log) as server:  # fmt: skip
        server.wait(START)
        yield server
