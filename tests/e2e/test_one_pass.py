"""The one-pass read-out by the plugin in a real vLLM, held against transformers."""

from __future__ import annotations

import numpy as np
import pytest
from real_server import SHOWN, read_out, serving

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
