"""Commands that run until somebody ends them: `kill` is an end like Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
from pictures import png
from stand_in import standing_in

from semanticface.cli.ending import as_ctrl_c, run_until_ended
from semanticface.data.tasks import Task
from semanticface.formats import read
from semanticface.rig import COUNT
from semanticface.serve.live.senders import sender_of
from semanticface.serve.live.steady import Out

TASK = Task.of("tokens", "coefficients")


@contextmanager
def started(*told: str, deaf: bool = False):
    """A command that is at work; `deaf` to Ctrl-C, as a shell starts it in the background."""
    before = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"] if deaf else []
    running = subprocess.Popen(
        [*before, sys.executable, "-m", "semanticface.cli.main", *told], stderr=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


@pytest.mark.parametrize("deaf", [False, True])
def test_a_stream_that_is_asked_to_end_leaves_its_take(tmp_path, deaf):
    stills = tmp_path / "stills"
    stills.mkdir()
    for n in range(40):
        (stills / f"{n}.png").write_bytes(png(n, (32, 32)))
    take = tmp_path / "take.csv"
    with standing_in(TASK) as server:
        told = ["stream", "--source", str(stills), "--source-rate", "1", "--endpoint", server.url,
                "--to", str(take)]  # fmt: skip
        with started(*told, deaf=deaf) as running:
            assert "sent" in running.stderr.readline()
            running.send_signal(signal.SIGTERM)
            _, said = running.communicate(timeout=60)
    assert (running.returncode, said.splitlines()[-1]) == (0, "stopped")
    assert len(read(take)) > 10


@pytest.mark.parametrize("deaf", [False, True])
@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP"])
def test_a_loop_is_ended_between_its_steps(deaf, number):
    """A step that is busy when the signal comes ends as if nothing had come; then all is told."""
    code = f"""
import asyncio, gc, os, signal, sys
from semanticface.cli.ending import as_ctrl_c, run_until_ended
if {deaf}:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

async def busy():
    os.kill(os.getpid(), signal.{number})
    print("the step goes on")

async def work():
    try:
        await asyncio.gather(asyncio.create_task(busy()), asyncio.sleep(60))
    finally:
        print("put away")

try:
    with as_ctrl_c():
        run_until_ended(work())
except KeyboardInterrupt:
    print("stopped")
gc.collect()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.split("\n"), done.stderr) == (
        ["the step goes on", "put away", "stopped", ""], ""
    )  # fmt: skip


def test_work_that_cancels_itself_was_not_asked_to_end():
    async def work():
        raise asyncio.CancelledError

    with as_ctrl_c(), pytest.raises(asyncio.CancelledError):
        run_until_ended(work())


def test_a_receiver_that_is_asked_to_end_leaves_what_came(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    take = tmp_path / "take.csv"
    told = ["receive", "--host", "127.0.0.1", "--port", str(port), "--seconds", "600",
            "-o", str(take)]  # fmt: skip
    with (
        started(*told) as running,
        sender_of(f"udp://127.0.0.1:{port}", subject="Ann", rate=30) as sender,
    ):
        assert "listening" in running.stderr.readline()
        for n in range(20):
            sender.send(Out(n / 30, np.full(COUNT, n / 40, np.float32), "fresh"))
            time.sleep(0.02)
        time.sleep(0.5)
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=60)
    assert (running.returncode, said.splitlines()[-1]) == (0, "stopped")
    assert len(read(take)) > 10
