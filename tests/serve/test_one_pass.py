"""The one-pass read-out's arithmetic, on distributions whose answer is known."""

from __future__ import annotations

import base64
import json
import math

import numpy as np
import pytest

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.rig import CHANNELS, COUNT, INDEX
from semanticface.serve import one_pass
from semanticface.serve.ask import OnePass, PromptLogprobs, way_of
from semanticface.serve.client import Settings
from semanticface.serve.journal import Answered

TASK = Task.of("tokens", "coefficients")
GRID = one_pass.grid()


def point(value: float) -> int:
    return int(np.abs(GRID - value).argmin())


def table(**chances: dict[float, float]) -> np.ndarray:
    """Certain zero everywhere but in the named channels."""
    odds = np.zeros((COUNT, len(GRID)))
    odds[:, point(0.0)] = 1.0
    for name, told in chances.items():
        odds[INDEX[name]] = 0.0
        for value, chance in told.items():
            odds[INDEX[name], point(value)] = chance
    with np.errstate(divide="ignore"):
        return np.log(odds)


def test_a_certain_value_is_read_as_it_is():
    found = one_pass.read_out(table(jawOpen={0.37: 1.0}, headYaw={-0.5: 1.0}))
    assert found.values[INDEX["jawOpen"]] == pytest.approx(0.37)
    assert found.values[INDEX["headYaw"]] == pytest.approx(-0.5)
    np.testing.assert_allclose(found.confidence, 1.0)


def test_value_is_the_mean_and_confidence_what_lies_near_it():
    found = one_pass.read_out(table(jawOpen={0.1: 0.1, 0.4: 0.5, 0.42: 0.2}))
    value = (0.01 + 0.2 + 0.084) / 0.8  # 0.2 went to text
    assert found.values[INDEX["jawOpen"]] == pytest.approx(value)
    assert found.confidence[INDEX["jawOpen"]] == pytest.approx(0.5 / 0.8)


def test_values_that_a_channel_cannot_have_do_not_count():
    found = one_pass.read_out(table(jawOpen={-0.5: 0.5, 0.4: 0.5}))
    assert found.values[INDEX["jawOpen"]] == pytest.approx(0.4)
    assert found.confidence[INDEX["jawOpen"]] == pytest.approx(1.0)


def test_no_probability_at_all_is_missing_and_not_zero():
    found = one_pass.read_out(np.full((COUNT, len(GRID)), -math.inf))
    assert np.isnan(found.values).all() and np.isnan(found.confidence).all()


def test_slots_and_values_are_those_of_the_rig():
    assert len(one_pass.slots()) == COUNT == len(set(one_pass.slots()))
    assert len(one_pass.vocabulary()) == len(GRID)
    for channel in CHANNELS:
        assert one_pass.legal()[channel.index][point(0.0)]
        assert one_pass.legal()[channel.index][point(-0.1)] == channel.signed


def test_the_request_ends_with_the_slots():
    for name in ("one-pass", "prompt-logprobs"):
        body = way_of(name, TASK, "face", Settings()).body(b"\x89PNG")
        assert body["messages"][-1] == {"role": "assistant", "content": "".join(one_pass.slots())}
        assert body["continue_final_message"] and not body["add_generation_prompt"]
    with pytest.raises(BadInput, match="Did you mean 'one-pass'"):
        way_of("onepass", TASK, "face", Settings())


def test_replies_of_another_shape_are_refused():
    way = OnePass(TASK, "face", Settings())
    short = base64.b64encode(bytes(8)).decode()
    for reply in ({}, [], {"data": [{"data": short}]}, {"data": [{"data": 5}]}, {"data": []}):
        with pytest.raises(BadInput):
            way.answered(reply)
    with pytest.raises(BadInput):
        PromptLogprobs(TASK, "face", Settings()).answered({"choices": []})


def test_prompt_logprobs_are_read_at_the_right_places():
    """Entry p of `prompt_logprobs` is what was expected at p, after p - 1."""
    words = one_pass.vocabulary()
    told = [{"0": {"decoded_token": words[point(i / 100)], "logprob": 0.0}} for i in range(COUNT)]
    other = {"1": {"decoded_token": "text", "logprob": -1.0}}
    reply = {
        "prompt_logprobs": [None, other, other, *told[:-1]],
        "choices": [{"logprobs": {"content": [{"top_logprobs": [
            {"token": words[point(0.6)], "logprob": 0.0}]}]}}],
    }  # fmt: skip
    way = PromptLogprobs(TASK, "face", Settings())
    answer = way.answered(json.loads(json.dumps(reply)))
    values = way.read(Answered(**answer._asdict())).values
    np.testing.assert_allclose(values[:60], np.arange(60) / 100, atol=1e-6)
    assert values[60] == pytest.approx(0.6)
