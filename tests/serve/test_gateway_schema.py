"""The gateway against its own schema: schemathesis invents requests, right and wrong ones."""

from __future__ import annotations

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


@pytest.fixture(scope="module", params=["open", "keyed"])
def app(request, tmp_path_factory):
    keys = None
    if request.param == "keyed":
        keys = tmp_path_factory.mktemp("keys") / "keys.jsonl"
        add_key(keys, MADE.client)
    with standing_in(Task.of("flat", "coefficients")) as upstream:
        yield create_app(FaceClient(upstream.url), keys)


@pytest.mark.slow
@pytest.mark.parametrize(("place", "mode"), [
    ("/v1/face", "POSITIVE"), ("/v1/face", "NEGATIVE"), ("/v1/faces", "POSITIVE"),
    ("/v1/faces", "NEGATIVE"), ("/metrics", "POSITIVE"), ("/healthz", "POSITIVE"),
])  # fmt: skip
def test_every_reply_is_one_that_the_schema_tells_of(app, place, mode):
    described = schemathesis.openapi.from_asgi("/openapi.json", app)
    (found,) = (each.ok() for each in described.get_all_operations() if each.ok().path == place)
    asked = 0

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=found.as_strategy(generation_mode=schemathesis.GenerationMode[mode]))
    def call(case):
        nonlocal asked
        asked += 1
        case.call_and_validate(excluded_checks=UNKNOWABLE)

    call()
    assert asked


def test_the_schema_has_examples_that_work(app):
    from fastapi.testclient import TestClient

    with TestClient(app) as client:
        held = client.get("/openapi.json").json()
        parts = held["components"]["schemas"]
        one = held["paths"]["/v1/face"]["post"]["requestBody"]["content"]["application/json"]
        ours = {"Authorization": f"Bearer {MADE.key}"}
        for place, body in (("/v1/face", one["schema"]["examples"][0]),
                            ("/v1/faces", parts["FacesRequest"]["examples"][0])):  # fmt: skip
            reply = client.post(place, json=body, headers=ours)
            assert reply.status_code == 200, reply.text
            assert "error" not in reply.text or reply.json()["faces"][0]["error"] is None
