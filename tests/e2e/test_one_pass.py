"""The one-pass read-out through a real vLLM, held against transformers."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pictures import png
from real_server import serving

from semanticface.data.tasks import Task
from semanticface.rig import COUNT
from semanticface.serve.client import FaceClient, Frame, Settings, predict
from semanticface.serve.target import target_of

TASK = Task.of("tokens", "coefficients")
SHOWN, LIKELIEST = 3, 300
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def target(models):
    return target_of(str(models / "model"), task=TASK)


@pytest.fixture(scope="module")
def reference(vllm, models, tmp_path_factory):
    """Values and confidences by transformers."""
    folder = tmp_path_factory.mktemp("pictures")
    files = []
    for n in range(SHOWN):
        files.append(folder / f"{n}.png")
        files[-1].write_bytes(png(n))
    script = Path(__file__).with_name("one_pass_reference.py")
    told = [str(vllm), "-W", "ignore", str(script), str(models / "model"), str(folder / "out.npz"),
            str(LIKELIEST)]  # fmt: skip
    subprocess.run(
        [*told, *map(str, files)], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    return np.load(folder / "out.npz")


def ask(url: str, way: str = "auto"):
    async def all_of_them():
        settings = Settings(timeout=300, concurrency=4, likeliest=LIKELIEST)
        async with FaceClient(url, settings=settings, way=way) as client:
            return (await predict(client, [Frame(n / 30, png(n)) for n in range(SHOWN)])).results

    results = asyncio.run(all_of_them())
    assert [each.error for each in results] == [""] * SHOWN
    return (np.stack([each.values for each in results]),
            np.stack([each.confidence for each in results]), results)  # fmt: skip


def test_the_plugin_returns_what_transformers_says(vllm, target, reference, tmp_path):
    with serving(vllm, target, tmp_path / "vllm.log", one_pass=True) as server:
        values, confidence, results = ask(server.url)
    assert values.shape == confidence.shape == (SHOWN, COUNT)
    apart = np.abs(reference["values"][0] - reference["values"][1]).max()
    assert apart > 1e-5  # the pictures can be told from each other
    assert np.abs(values - reference["values"]).max() < min(1e-5, apart / 10)
    assert np.abs(confidence - reference["confidence"]).max() < 1e-5
    assert {(each.written, each.report.outcome) for each in results} == {(0, "strict")}


def test_prompt_logprobs_of_a_plain_server_say_the_same(vllm, target, reference, tmp_path):
    more = ("--max-logprobs", str(LIKELIEST))
    with serving(vllm, target, tmp_path / "vllm.log", extra=more) as server:
        values, confidence, _ = ask(server.url, "prompt-logprobs")
    np.testing.assert_allclose(values, reference["few_values"], atol=1e-4)
    np.testing.assert_allclose(confidence, reference["few_confidence"], atol=1e-4)
