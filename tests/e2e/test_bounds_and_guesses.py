"""A real vLLM: pictures scaled as a run was trained, and n-gram guesses that change no word."""

from __future__ import annotations

import asyncio
import os
import subprocess

import httpx
import pytest
from pictures import png
from real_server import serving

from semanticface.data.tasks import Task
from semanticface.serve.client import FaceClient, Settings
from semanticface.serve.target import target_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
FLAT = Task.of("flat", "coefficients")


@pytest.fixture(scope="module")
def target(models):
    """A run that was trained on pictures a quarter as large as its base model's."""
    return target_of(str(models / "small"), name="small")


@pytest.fixture(scope="module")
def server(vllm, target, tmp_path_factory):
    log = tmp_path_factory.mktemp("log") / "vllm.log"
    with serving(vllm, target, log) as started:
        yield started


@pytest.mark.parametrize("merged", [(), ("--merged",)])
def test_a_bounded_run_is_served_as_it_was_trained(vllm, models, server, merged):
    told = [str(vllm), "-W", "ignore", "-m", "semanticface.cli.main", "parity",
            str(models / "small"), "--endpoint", server.url, "--model", "small", "--count", "1",
            *merged]  # fmt: skip
    done = subprocess.run(told, env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same numbers" in done.stdout


def texts(server, count=1):
    """What is said about pictures, the likeliest word each time."""

    async def asked():
        settings = Settings(timeout=300, concurrency=1)
        async with FaceClient(server.url, "small", FLAT, settings=settings, check=False) as client:
            return [(await client.ask(png(n))).text for n in range(count)]

    return asyncio.run(asked())


def test_guesses_change_no_word(vllm, target, server, tmp_path):
    plain = texts(server)
    server.stop()  # room for the next
    with serving(vllm, target, tmp_path / "log", ngram=4) as guessing:
        assert texts(guessing) == plain
        told = httpx.get(f"{guessing.url}/metrics", trust_env=False).text
    lines = (line for line in told.splitlines() if line.startswith("vllm:spec_decode_num"))
    counts = {line.split("{")[0]: float(line.split()[-1]) for line in lines}
    assert counts["vllm:spec_decode_num_accepted_tokens_total"] > 0, counts
    print("n-gram guesses:", counts)
