"""A real server that loses the adapter's eyes, dies under load, and comes back."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections import Counter

import numpy as np
import pytest
from pictures import png
from real_server import START, free_port

from semanticface.data.tasks import Task
from semanticface.formats import read
from semanticface.serve.arguments import Options, arguments, environment
from semanticface.serve.batch import read_answers
from semanticface.serve.client import FaceClient, Frame, Settings
from semanticface.serve.journal import Journal
from semanticface.serve.server import Server
from semanticface.serve.target import target_of

TASK = Task.of("tokens", "coefficients")
COUNT = int(os.environ.get("SEMANTICFACE_LOAD", "96"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]


def test_a_server_killed_under_load_loses_and_doubles_nothing(vllm, models, tmp_path):
    """Clients ask on, the server is killed and started again, blind; parity sees that it is."""
    target = target_of(str(models / "eyes"), name="eyes")
    options = Options(port=free_port(), device="cpu", dtype="float32", max_num_seqs=8)
    blind = [told for told in arguments(target, options) if "tower-connector" not in told]
    surroundings = environment(target, options, None)
    shown = [Frame(n / 30, png(n)) for n in range(COUNT)]
    servers = []

    async def under_load():
        results, patient = [], Settings(concurrency=16, timeout=60, deadline=START, pause=0.2)
        async with FaceClient(servers[0].url, "eyes", settings=patient) as client:
            with Journal(tmp_path / "answers.jsonl") as journal:
                async for each in client.stream(shown, journal):
                    results.append(each)
                    if len(results) == COUNT // 4:
                        servers[0].stop(kill=True)
                        servers.append(Server(vllm, blind, surroundings, log=tmp_path / "two.log"))
                        servers[1].start()
        return results, client.repeats

    servers.append(Server(vllm, arguments(target, options), surroundings, log=tmp_path / "one.log"))
    try:
        servers[0].start()
        servers[0].wait(START)
        results, repeats = asyncio.run(under_load())
        found = parity(vllm, models / "eyes", servers[1].url)
    finally:
        for each in servers:
            each.stop()
    assert repeats > 0
    assert [each.time for each in results] == [frame.time for frame in shown]
    assert Counter(each.report.outcome for each in results) == {"strict": COUNT}
    lines = (tmp_path / "answers.jsonl").read_text().splitlines()
    assert len(lines) == COUNT == len({line.partition(",")[0] for line in lines})
    assert found.returncode == 1, found.stdout + found.stderr
    assert "ignores what the adapter changes in the vision tower" in " ".join(found.stdout.split())


def parity(vllm, run, url):
    told = [str(vllm), "-W", "ignore", "-m", "semanticface.cli.main", "parity", str(run),
            "--endpoint", url, "--model", "eyes", "--count", "2"]  # fmt: skip
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(told, env=surroundings, capture_output=True, text=True, check=False)


def test_a_folder_is_labelled_without_a_server(vllm, models, tmp_path):
    """The command, with the adapter of a run."""
    stills = tmp_path / "stills"
    stills.mkdir()
    for n in range(4):
        (stills / f"{n}.png").write_bytes(png(n))
    told = [str(vllm), "-W", "ignore", "-m", "semanticface.cli.main", "label", str(stills), "--run",
            str(models / "words"), "-o", str(tmp_path / "take.npz"), "--cpu", "--python",
            str(vllm), "--kept", str(tmp_path / "kept")]  # fmt: skip
    done = subprocess.run(told, env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 pictures: 4 strict" in done.stderr
    clip = read(tmp_path / "take.npz")
    assert np.isfinite(clip.values).all() and len(clip) == 4
    shown = [Frame(n / 30, png(n)) for n in range(4)]
    again, _ = read_answers(tmp_path / "kept" / "answers.jsonl", shown, TASK)
    np.testing.assert_array_equal(again.values, clip.values)
