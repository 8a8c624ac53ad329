"""The one-pass read-out by the plugin in a real vLLM, held against transformers."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from real_server import LIKELIEST, SHOWN, read_out, serving

from semanticface.data.tasks import Task
from semanticface.rig import COUNT
from semanticface.serve.target import target_of

TASK = Task.of("tokens", "coefficients")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def server(vllm, models, tmp_path_factory):
    """The base model, and an adapter of the language model and the vision tower."""
    target = replace(target_of(str(models / "eyes"), name="eyes"), slots=True)
    log = tmp_path_factory.mktemp("log") / "vllm.log"
    with serving(vllm, target, log, one_pass=True) as started:
        yield started


def asked(server, model):
    return read_out(server.url, model=model, task=TASK, way="one-pass", check=False)


def test_the_plugin_returns_what_transformers_says(server, reference):
    values, confidence, results = asked(server, "base")
    known = reference("model")
    assert values.shape == confidence.shape == (SHOWN, COUNT)
    apart = np.abs(known["values"][0] - known["values"][1]).max()
    assert apart > 1e-5  # the pictures can be told from each other
    assert np.abs(values - known["values"]).max() < min(1e-5, apart / 10)
    assert np.abs(confidence - known["confidence"]).max() < 1e-5
    assert {(each.written, each.report.outcome) for each in results} == {(0, "strict")}


def test_an_adapter_is_read_in_one_pass_too(server, reference):
    """Its vision tower included: the base model's values are far off."""
    values, confidence, _ = asked(server, "eyes")
    known, base = reference("eyes"), reference("model")
    apart = np.abs(known["values"] - base["values"]).max()
    assert apart > 1e-3
    assert np.abs(values - known["values"]).max() < min(1e-4, apart / 10)
    assert np.abs(confidence - known["confidence"]).max() < 1e-4


@pytest.mark.parametrize(("model", "code", "said"), [
    ("eyes", 0, "the same numbers"), ("base", 1, "values differ"),
])  # fmt: skip
def test_parity_of_the_read_out(vllm, models, server, model, code, said):
    told = [str(vllm), "-W", "ignore", "-m", "semanticface.cli.main", "parity",
            str(models / "eyes"), "--endpoint", server.url, "--model", model, "--count", "2",
            "--one-pass", "--tolerance", "1e-4"]  # fmt: skip
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(told, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout


def test_prompt_logprobs_of_a_plain_server_say_the_same(vllm, models, reference, tmp_path):
    """Plain and without adapters: vLLM 0.32 ends when prompt_logprobs meet LoRA on a CPU."""
    target = target_of(str(models / "model"), task=TASK)
    more = ("--max-logprobs", str(LIKELIEST))
    with serving(vllm, target, tmp_path / "vllm.log", extra=more) as server:
        values, confidence, _ = read_out(server.url, way="prompt-logprobs")
    known = reference("model")
    np.testing.assert_allclose(values, known["few_values"], atol=1e-4)
    np.testing.assert_allclose(confidence, known["few_confidence"], atol=1e-4)
