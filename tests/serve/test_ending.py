"""Commands that run until somebody ends them: `kill` is an end like Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from pictures import png
from stand_in import standing_in

from semanticface.data.tasks import Task
from semanticface.formats import read

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
