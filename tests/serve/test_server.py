"""A server as a child process: its port, its end, and who ends with whom."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from real_server import free_port

from semanticface.cli.serve import _run
from semanticface.errors import BadInput
from semanticface.serve.server import Server, healthy

HANGS = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
"""
WORKS = """
import os, pathlib, subprocess, sys
worker = subprocess.Popen([sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"])
place = pathlib.Path(__file__).with_name("pids")
place.with_suffix(".new").write_text(f"{os.getpid()} {worker.pid}")
place.with_suffix(".new").rename(place)
"""
PROGRAM = """
import http.server, sys

class Well(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Well).serve_forever()
"""


def in_place_of_vllm(folder: Path, program: str) -> Path:
    """A program that is started as vLLM is; where its file lies."""
    place = folder / "vllm" / "entrypoints" / "openai"
    place.mkdir(parents=True)
    for each in (place, place.parent, place.parent.parent):
        (each / "__init__.py").touch()
    (place / "api_server.py").write_text(program)
    return place


@pytest.fixture
def server(tmp_path):
    """A program in vLLM's place, which does not end when it is asked to."""
    in_place_of_vllm(tmp_path, HANGS + PROGRAM)
    port = str(free_port())
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_whoever_is_ended_or_killed_takes_the_server_and_its_workers_along(tmp_path, number):
    place = in_place_of_vllm(tmp_path, WORKS + PROGRAM)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    port = free_port()
    told = ["serve", str(tmp_path / "model"), "--port", str(port), "--python", sys.executable]
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    running = subprocess.Popen([sys.executable, "-m", "semanticface.cli.main", *told],
                               env={**os.environ, "PYTHONPATH": paths})  # fmt: skip
    pids = []
    try:
        assert soon(lambda: healthy(f"http://127.0.0.1:{port}"))
        pids = [int(each) for each in (place / "pids").read_text().split()]
        running.send_signal(number)
        assert running.wait(60) == (0 if number is signal.SIGTERM else -number)
        assert soon(lambda: all(map(gone, pids)))
    finally:
        running.kill()
        running.wait()
        for each in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)


def soon(true) -> bool:
    """Whether it comes true within a minute."""
    end = time.monotonic() + 60
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
