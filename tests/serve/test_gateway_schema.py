"""The gateway against its own schema: schemathesis invents requests, right and wrong ones."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from stand_in import standing_in

from semanticface.data.tasks import Task
from semanticface.serve.client import FaceClient
from semanticface.serve.gateway.app import create_app
from semanticface.serve.gateway.keys import add_key, make_key

schemathesis = pytest.importorskip("schemathesis", reason="comes with the dev extra")


MADE = make_key("studio", 10**9)
# A text that is no picture keeps to the schema, which cannot say what a picture is.
UNKNOWABLE = [schemathesis.checks.positive_data_acceptance]
WITH_KEY = {"Authorization": f"Bearer {MADE.key}"}


class Asked(NamedTuple):
    """A gateway, what is sent with every request, and whether it lets us in."""

    app: Any
    headers: dict[str, str]
    welcome: bool


@pytest.fixture(scope="module", params=["open", "with a key", "without one"])
def asked(request, tmp_path_factory):
    keys = None
    if request.param != "open":
        keys = tmp_path_factory.mktemp("keys") / "keys.jsonl"
        add_key(keys, MADE.client)
    headers = WITH_KEY if request.param == "with a key" else {}
    with standing_in(Task.of("flat", "coefficients")) as upstream:
        app = create_app(FaceClient(upstream.url), keys)
        yield Asked(app, headers, request.param != "without one")


@pytest.mark.slow
@pytest.mark.parametrize(("place", "mode"), [
    ("/v1/face", "POSITIVE"), ("/v1/face", "NEGATIVE"), ("/v1/faces", "POSITIVE"),
    ("/v1/faces", "NEGATIVE"), ("/metrics", "POSITIVE"), ("/healthz", "POSITIVE"),
])  # fmt: skip
def test_every_reply_is_one_that_the_schema_tells_of(asked, place, mode):
    described = schemathesis.openapi.from_asgi("/openapi.json", asked.app)
    (found,) = (each.ok() for each in described.get_all_operations() if each.ok().path == place)
    told = Counter()

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=found.as_strategy(generation_mode=schemathesis.GenerationMode[mode]))
    def call(case):
        reply = case.call_and_validate(headers=asked.headers, excluded_checks=UNKNOWABLE)
        told[reply.status_code] += 1

    call()
    assert told
    if place.startswith("/v1/") and not asked.welcome:
        assert 200 not in told
        assert mode == "NEGATIVE" or set(told) == {401}
    else:  # a request that is to be wrong may have a wrong key
        assert set(told) - {401}


def test_the_schema_has_examples_that_work(asked):
    from fastapi.testclient import TestClient

    with TestClient(asked.app) as client:
        held = client.get("/openapi.json").json()
        parts = held["components"]["schemas"]
        one = held["paths"]["/v1/face"]["post"]["requestBody"]["content"]["application/json"]
        assert set(one["examples"]) == {"image", "audio"}
        for place, body in (*(("/v1/face", each["value"]) for each in one["examples"].values()),
                            ("/v1/faces", parts["FacesRequest"]["examples"][0])):  # fmt: skip
            reply = client.post(place, json=body, headers=WITH_KEY)
            assert reply.status_code == 200, reply.text
            assert "error" not in reply.text or reply.json()["faces"][0]["error"] is None
            if "audio" in body:
                assert [each["text"] for each in reply.json()["meta"]["words"]] == ["Bob"]
