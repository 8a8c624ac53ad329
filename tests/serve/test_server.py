"""A server as a child process: its port, its end, and who ends with whom."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from semanticface.cli.serve import _run
from semanticface.errors import BadInput
from semanticface.serve.server import Server, healthy

PROGRAM = """
import http.server, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as one that hangs

class Well(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Well).serve_forever()
"""


@pytest.fixture
def server(tmp_path):
    """A program in vLLM's place, which does not end when it is asked to."""
    place = tmp_path / "vllm" / "entrypoints" / "openai"
    place.mkdir(parents=True)
    for each in (place, place.parent, place.parent.parent):
        (each / "__init__.py").touch()
    (place / "api_server.py").write_text(PROGRAM)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = str(sock.getsockname()[1])
    told = ["--host", "127.0.0.1", "--port", port]
    made = Server(Path(sys.executable), told, {"PYTHONPATH": str(tmp_path)})
    yield made
    made.stop(kill=True)


@pytest.fixture
def signals():
    """Handlers as they were."""
    names = (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGINT)
    before = [signal.getsignal(each) for each in names]
    yield
    for name, handler in zip(names, before, strict=True):
        signal.signal(name, handler)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_port_that_somebody_has_is_said_before_anything_starts(server):
    port = int(server.url.rpartition(":")[2])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(BadInput, match=f"{port}"):
            server.start()
        assert server.pid is None


def test_who_is_in_a_hurry_still_leaves_nobody_behind(server, signals):
    """Ctrl-C a second time, while the server is asked to end and does not."""

    def second(*_):
        raise KeyboardInterrupt

    server.start()
    server.wait(60)
    pid = server.pid
    signal.signal(signal.SIGALRM, second)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    with pytest.raises(KeyboardInterrupt):
        server.stop()
    assert gone(pid)


def test_a_terminal_that_is_closed_ends_the_server_too(server, signals, monkeypatch):
    monkeypatch.setattr("semanticface.serve.server._STOP_SECONDS", 0.1)
    told = []

    def close():
        while not healthy(server.url):
            time.sleep(0.05)
        told.append(server.pid)
        os.kill(os.getpid(), signal.SIGHUP)

    hand = threading.Thread(target=close)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    hand.start()
    _run(server, "face", 60)
    hand.join()
    assert gone(told[0])


def test_nohup_is_respected(server, signals, monkeypatch):
    monkeypatch.setattr(server, "start", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _run(server, "face", 60)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
