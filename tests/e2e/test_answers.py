"""Real answers of a real vLLM to a picture, in every answer format."""

from __future__ import annotations

import json
import math

import httpx
import numpy as np
import pytest
from pictures import png
from real_server import serving

from semanticface.data.tasks import Task
from semanticface.language.answers import FORMATS
from semanticface.rig import COUNT
from semanticface.serve.adapter import read_adapter
from semanticface.serve.identity import check, from_json, identity_of
from semanticface.serve.request import chat_body, data_url
from semanticface.serve.target import Target

KEY = "a key for loopback"
TASK = Task.of("tokens", "coefficients")


@pytest.fixture(scope="module")
def server(vllm, models, tmp_path_factory):
    adapters = (read_adapter("words", models / "words"), read_adapter("eyes", models / "eyes"))
    told = dict.fromkeys(("face", "words", "eyes"), identity_of(TASK))
    target = Target(str(models / "model"), "face", told, adapters)
    log = tmp_path_factory.mktemp("log") / "vllm.log"
    with serving(vllm, target, log, KEY, hot=True) as started:
        yield started


@pytest.fixture
def ask(server):
    with httpx.Client(base_url=server.url, timeout=120, headers={"Authorization": f"Bearer {KEY}"},
                      trust_env=False) as client:  # fmt: skip

        def post(body, path="/v1/chat/completions", **more):
            return client.post(path, json=body, **more)

        yield post


def body(task=TASK, model="face", seed=0, **more):
    made = chat_body(task, model, data_url(png(seed)), temperature=1.0, longest=12)
    return made | {"seed": 1} | more


def said(reply):
    assert reply.status_code == 200, reply.text
    return reply.json()["choices"][0]


@pytest.mark.parametrize("key", FORMATS)
def test_every_answer_format_comes_back_strict(ask, key):
    stage = "describe+coefficients" if FORMATS[key].described else "coefficients"
    task = Task.of(key, stage)
    choice = said(ask(body(task)))
    assert choice["finish_reason"] == "stop"
    answer = task.read(choice["message"]["content"])
    assert answer.outcome == "strict", choice["message"]["content"]
    assert np.isfinite(answer.values).sum() == COUNT
    assert (answer.words is not None) == FORMATS[key].described
