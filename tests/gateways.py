"""A gateway on a port of its own, for tests."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import httpx

from semanticface.serve.client import FaceClient, Settings
from semanticface.serve.gateway.app import Limits, create_app
from semanticface.serve.gateway.run import http_server

LIMITS = Limits(most_bytes=1 << 20, most_pixels=1_000_000, body_seconds=1.5)


@contextlib.contextmanager
def opened(upstream: str, keys=None, limits=LIMITS, *, concurrency=8, origins=(), crop=None):
    """A gateway on a port of its own, on a thread."""
    quick = Settings(concurrency=concurrency, timeout=20.0, deadline=3.0, pause=0.05)
    app = create_app(FaceClient(upstream, settings=quick), keys, limits, origins=origins, crop=crop)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    server = http_server(app, "127.0.0.1", port, limits, quiet=True, header_seconds=1.0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
            yield http
    finally:
        server.should_exit = True
        thread.join()
