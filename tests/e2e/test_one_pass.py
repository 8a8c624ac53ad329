"""The one-pass read-out by the plugin in a real vLLM, held against transformers."""

from __future__ import annotations

import numpy as np
import pytest
from real_server import LIKELIEST, SHOWN, read_out, serving

from semanticface.data.tasks import Task
from semanticface.rig import COUNT
from semanticface.serve.target import target_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_the_plugin_returns_what_transformers_says(vllm, models, reference, tmp_path):
    target = target_of(str(models / "model"), task=Task.of("tokens", "coefficients"))
    with serving(vllm, target, tmp_path / "vllm.log", one_pass=True) as server:
        values, confidence, results = read_out(server.url)
    assert values.shape == confidence.shape == (SHOWN, COUNT)
    apart = np.abs(reference["values"][0] - reference["values"][1]).max()
    assert apart > 1e-5  # the pictures can be told from each other
    assert np.abs(values - reference["values"]).max() < min(1e-5, apart / 10)
    assert np.abs(confidence - reference["confidence"]).max() < 1e-5
    assert {(each.written, each.report.outcome) for each in results} == {(0, "strict")}


def test_prompt_logprobs_of_a_plain_server_say_the_same(vllm, models, reference, tmp_path):
    """Plain and without adapters: vLLM 0.32 ends when prompt_logprobs meet LoRA on a CPU."""
    target = target_of(str(models / "model"), task=Task.of("tokens", "coefficients"))
    more = ("--max-logprobs", str(LIKELIEST))
    with serving(vllm, target, tmp_path / "vllm.log", extra=more) as server:
        values, confidence, _ = read_out(server.url, way="prompt-logprobs")
    np.testing.assert_allclose(values, reference["few_values"], atol=1e-4)
    np.testing.assert_allclose(confidence, reference["few_confidence"], atol=1e-4)
