"""A real vLLM: answers in every format, adapters, faults, the client, the gateway, parity."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess

import httpx
import numpy as np
import pytest
from pictures import png
from real_server import serving

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.language.answers import FORMATS
from semanticface.rig import COUNT
from semanticface.serve.client import FaceClient, Frame, Settings, predict
from semanticface.serve.gateway.app import create_app
from semanticface.serve.request import chat_body, data_url
from semanticface.serve.target import target_of

KEY = "a key for loopback"
TASK = Task.of("tokens", "coefficients")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def server(vllm, models, tmp_path_factory):
    target = target_of(str(models / "words"), name="words", adapters=[f"eyes={models / 'eyes'}"])
    log = tmp_path_factory.mktemp("log") / "vllm.log"
    with serving(vllm, target, log, KEY, hot=True) as started:
        yield started


@pytest.fixture
def ask(server):
    with httpx.Client(base_url=server.url, timeout=300, headers={"Authorization": f"Bearer {KEY}"},
                      trust_env=False) as client:  # fmt: skip

        def post(body, path="/v1/chat/completions", **more):
            return client.post(path, json=body, **more)

        yield post


def body(task=TASK, model="base", picture=None, **more):
    url = data_url(png(0) if picture is None else picture)
    return chat_body(task, model, url, temperature=1.0, longest=12) | {"seed": 1} | more


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


@pytest.mark.parametrize("task", [Task.of("codes"), Task.of(stage="describe")])
def test_words_come_back_strict_too(ask, task):
    answer = task.read(said(ask(body(task)))["message"]["content"])
    assert answer.outcome == "strict" and answer.words is not None


def test_each_adapter_answers_for_itself(ask):
    told = [said(ask(body(model=name, temperature=0.0)))["message"]["content"]
            for name in ("base", "words", "eyes")]  # fmt: skip
    assert len(set(told)) == 3


def logprobs(choice):
    return np.array([each["logprob"] for each in choice["logprobs"]["content"]])


def test_the_picture_matters_and_its_encoding_does_not(ask):
    def of(picture):
        return logprobs(
            said(ask(body(picture=picture, temperature=0.0, logprobs=True, max_tokens=8)))
        )

    one, again, other = of(png(0)), of(png(0, kind="WEBP")), of(png(1))
    assert np.isfinite(one).all() and (one < 0).all()
    assert np.abs(one - other).max() > 1e-6
    assert len(again) == len(one)


def test_several_candidates_differ(ask):
    choices = ask(body(n=4, seed=7)).json()["choices"]
    assert len({each["message"]["content"] for each in choices}) == 4
    assert all(TASK.read(each["message"]["content"]).outcome == "strict" for each in choices)


def test_an_answer_can_be_heard_as_it_is_said(ask, server):
    whole = said(ask(body()))["message"]["content"]
    parts = []
    with httpx.stream(
        "POST",
        f"{server.url}/v1/chat/completions",
        json=body(stream=True),
        timeout=300,
        headers={"Authorization": f"Bearer {KEY}"},
        trust_env=False,
    ) as reply:
        for line in reply.iter_lines():
            if line.startswith("data: {"):
                parts += [c["delta"].get("content") or "" for c in json.loads(line[6:])["choices"]]
    assert "".join(parts) == whole and len([part for part in parts if part]) > 30


def test_a_cut_answer_says_so_and_is_not_taken_for_whole(ask):
    task = Task.of("flat", "coefficients")
    choice = said(ask(body(task, max_tokens=40)))
    assert choice["finish_reason"] == "length"
    assert task.read(choice["message"]["content"]).parsed.report.missing


@pytest.mark.parametrize("broken", [b"\x89PNG\r\n\x1a\nnothing", png(0)[:300], b"GIF89a"])
def test_a_broken_picture_is_the_askers_fault(ask, broken):
    assert ask(body(picture=broken)).status_code == 400
    assert said(ask(body(max_tokens=4)))


def test_a_huge_picture_costs_no_more_tokens(ask):
    """The model's processor scales it to an area."""
    counts = [ask(body(picture=png(0, size, "JPEG"), max_tokens=2)).json()["usage"]["prompt_tokens"]
              for size in ((112, 112), (3000, 2000))]  # fmt: skip
    assert 0.9 * counts[0] < counts[1] <= counts[0]


def test_text_alone_is_answered(ask):
    asked = body()
    for message in asked["messages"]:
        message["content"] = [part for part in message["content"] if part["type"] == "text"]
    assert TASK.read(said(ask(asked))["message"]["content"]).outcome == "strict"


def test_two_pictures_are_too_many(ask):
    asked = body()
    asked["messages"][1]["content"] *= 2
    assert ask(asked).status_code == 400


def test_strangers_and_unknown_models_are_refused(ask):
    assert ask(body(), headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert ask(body(model="nobody")).status_code == 404


def test_an_adapter_comes_and_goes_at_run_time(ask, server, models):
    place = str(models / "eyes" / "adapter")
    assert ask(body(model="late", max_tokens=2)).status_code == 404
    assert (
        ask({"lora_name": "late", "lora_path": place}, "/v1/load_lora_adapter").status_code == 200
    )
    late, eyes = (said(ask(body(model=name, temperature=0.0))) for name in ("late", "eyes"))
    assert late["message"]["content"] == eyes["message"]["content"]
    assert [each.outcome for each in known(server, "late")] == ["strict"]
    assert ask({"lora_name": "late"}, "/v1/unload_lora_adapter").status_code == 200
    assert ask(body(model="late", max_tokens=2)).status_code == 404
    with pytest.raises(BadInput, match="no model 'late'"):
        known(server, "late")


def test_an_adapter_in_anothers_place_is_seen_on_a_standing_connection(ask, server, models):
    def put(run):
        told = {"lora_name": "swapped", "lora_path": str(models / run / "adapter")}
        assert ask(told, "/v1/load_lora_adapter").status_code == 200

    async def across():
        job = Settings(timeout=300, same=True)
        async with FaceClient(server.url, "swapped", key=KEY, settings=job) as client:
            first, again = await client.ask(png(0)), await client.ask(png(1))
            assert (first.error, again.error, client.repeats) == ("", "", 0)
            assert ask({"lora_name": "swapped"}, "/v1/unload_lora_adapter").status_code == 200
            put("words")
            with pytest.raises(BadInput, match="weights changed"):
                await client.ask(png(2))

    put("eyes")
    try:
        asyncio.run(across())
    finally:
        ask({"lora_name": "swapped"}, "/v1/unload_lora_adapter")


def test_the_long_request_before_the_picture_comes_from_the_cache(ask, server):
    def hits():
        told = httpx.get(f"{server.url}/metrics", trust_env=False).text
        lines = [each for each in told.splitlines()
                 if each.startswith("vllm:prefix_cache_hits_total")]  # fmt: skip
        return sum(float(each.split()[-1]) for each in lines)

    flat, found = Task.of("flat", "coefficients"), []
    for n in (50, 51):  # pictures that nobody has asked about
        before = hits()
        asked = ask(body(flat, picture=png(n), max_tokens=1)).json()["usage"]["prompt_tokens"]
        found.append((hits() - before) / asked)
    print("prompt tokens", asked, "of which cached", found)
    assert found[1] > 0.5


def known(server, model):
    """What the client reads that asks a model as the server says it wants to be asked."""

    async def asked():
        quick = Settings(timeout=300)
        async with FaceClient(server.url, model, key=KEY, settings=quick) as client:
            return [(await client.ask(png(0))).report]

    return asyncio.run(asked())


def test_the_client_asks_as_the_run_was_trained(server, tmp_path):
    shown = [Frame(n / 30, png(n)) for n in range(6)]

    async def all_of_them():
        async with FaceClient(
            server.url, "words", key=KEY, settings=Settings(timeout=300)
        ) as client:
            assert client.task == TASK
            return [await predict(client, shown, tmp_path / "answers.jsonl") for _ in range(2)]

    first, again = asyncio.run(all_of_them())
    assert [each.report.outcome for each in first.results] == ["strict"] * 6
    assert np.isfinite(first.clip.values).all()
    assert {each.tries for each in again.results} == {0}
    np.testing.assert_array_equal(first.clip.values, again.clip.values)


def test_the_gateway_answers_through_the_real_model(server):
    from fastapi.testclient import TestClient

    client = FaceClient(server.url, "words", key=KEY, settings=Settings(timeout=300))
    with TestClient(create_app(client)) as http:
        for sent in ({"content": png(2), "headers": {"Content-Type": "image/png"}},):
            told = http.post("/v1/face", **sent).json()
        assert told["meta"]["outcome"] == "strict" and len(told["arkit"]) == COUNT
        assert http.get("/healthz").status_code == 200


@pytest.mark.parametrize("name", ["words", "eyes"])
def test_the_server_says_what_training_said(vllm, models, server, name):
    done = parity(vllm, models / name, server.url, name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same numbers" in done.stdout


def test_parity_catches_another_adapter(vllm, models, server):
    done = parity(vllm, models / "eyes", server.url, "words")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "log-probabilities differ" in done.stdout


def parity(vllm, run, url, name):
    """The command, where torch and transformers are: in vLLM's environment."""
    told = [str(vllm), "-W", "ignore", "-m", "semanticface.cli.main", "parity", str(run),
            "--endpoint", url, "--model", name, "--count", "2",
            "--api-key-env", "LOOPBACK_KEY"]  # fmt: skip
    environment = {**os.environ, "LOOPBACK_KEY": KEY, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(told, env=environment, capture_output=True, text=True, check=False)
