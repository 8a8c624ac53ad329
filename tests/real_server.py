"""A real vLLM on loopback, for the tests that need one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pictures import png

from semanticface.serve.arguments import Options, arguments, environment
from semanticface.serve.client import FaceClient, Frame, Settings, predict
from semanticface.serve.server import Server
from semanticface.serve.target import Target

START = 900.0
"""Seconds in which a server must have started; it takes 25 s alone, minutes on busy cores."""


SHOWN, LIKELIEST = 3, 300
"""Pictures of the one-pass tests, and tokens a position that `prompt-logprobs` is told of."""


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


def read_out(url: str, **told: Any) -> tuple[Any, Any, Any]:
    """Values and confidences [SHOWN, 61] of the pictures png(0), png(1) ... and the results."""

    async def all_of_them() -> Any:
        settings = Settings(timeout=300, concurrency=4, likeliest=LIKELIEST)
        async with FaceClient(url, settings=settings, **told) as client:
            return (await predict(client, [Frame(n / 30, png(n)) for n in range(SHOWN)])).results

    results = asyncio.run(all_of_them())
    assert [each.error for each in results] == [""] * SHOWN
    return (np.stack([each.values for each in results]),
            np.stack([each.confidence for each in results]), results)  # fmt: skip
