"""Speech at the gateway: a mouth by rules, and nothing that a sound file could do beside."""

from __future__ import annotations

import base64
import io
import shutil
import wave

import numpy as np
import pytest
from fastapi.testclient import TestClient
from stand_in import standing_in

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.serve.client import FaceClient
from semanticface.serve.gateway.app import Limits, create_app
from semanticface.serve.gateway.keys import add_key, make_key
from semanticface.serve.gateway.speech import kind_of

SAID = "Bob put the pumpkin in the van."
pytestmark = pytest.mark.skipif(shutil.which("flite") is None, reason="no flite; see `make test`")


@pytest.fixture(scope="module")
def voiced():
    """A gateway that may speak."""
    with standing_in(Task.of("flat", "coefficients")) as upstream:
        app = create_app(
            FaceClient(upstream.url), limits=Limits(speech_seconds=6), voice="flite:slt"
        )
        with TestClient(app) as client:
            yield client


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> bytes:
    from semanticface.speech.voices import Voice, say

    path = tmp_path_factory.mktemp("voice") / "said.wav"
    say(SAID, Voice("flite:slt"), path)
    return path.read_bytes()


def silence(seconds: float) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * int(8000 * seconds)))
    return stream.getvalue()


def asked(http, **body):
    for name, held in body.items():
        if isinstance(held, bytes):
            body[name] = base64.b64encode(held).decode()
    return http.post("/v1/face", json=body)


def closed(told, start: float, end: float) -> float:
    """The least opening of the jaw less the closing lips between two moments."""
    at = np.array(told["times"])
    inside = (at >= start) & (at <= end)
    gap = np.array(told["arkit"]["JawOpen"]) - np.array(told["arkit"]["MouthClose"])
    return float(gap[inside].min())


def test_audio_and_transcript_become_a_mouth_and_words(voiced, sound):
    reply = asked(voiced, audio=sound, transcript=SAID)
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert [each["text"].lower().strip(".") for each in told["meta"]["words"]] == (
        SAID.lower().strip(".").split()
    )
    jaw = told["arkit"]["JawOpen"]
    assert len(jaw) == len(told["times"]) and max(jaw) > 0.15
    assert told["arkit"]["BrowInnerUp"] is None and len(told["arkit"]) == 61
    bob = told["meta"]["words"][0]
    assert closed(told, bob["start"], bob["end"]) < 0.02  # the lips meet at its b's


def test_audio_alone_is_heard(voiced, sound):
    told = asked(voiced, audio=sound, fps=25).json()
    assert told["meta"]["words"] == [] and max(told["arkit"]["JawOpen"]) > 0.1
    assert np.diff(told["times"][:2]) == pytest.approx(1 / 25, abs=1e-3)


def test_a_script_is_spoken_by_the_gateways_voice(voiced):
    told = asked(voiced, script=SAID).json()
    assert max(told["arkit"]["JawOpen"]) > 0.15 and 1 < told["meta"]["seconds"] < 5


def test_the_schemas_example_of_a_script_works(voiced):
    told = voiced.get("/openapi.json").json()["paths"]["/v1/face"]["post"]["requestBody"]
    example = told["content"]["application/json"]["examples"]["script"]["value"]
    reply = voiced.post("/v1/face", json=example)
    assert reply.status_code == 200 and max(reply.json()["arkit"]["JawOpen"]) > 0.15, reply.text


def test_a_gateway_without_a_voice_says_so():
    with (
        standing_in(Task.of("flat", "coefficients")) as upstream,
        TestClient(create_app(FaceClient(upstream.url))) as http,
    ):
        reply = asked(http, script=SAID)
    assert reply.status_code == 422 and "--voice" in reply.json()["error"]["message"]


@pytest.mark.parametrize(("body", "why"), [
    ({"audio": b"#EXTM3U\nhttp://127.0.0.1:9/x.ts"}, "no sound"),
    ({"audio": b"RIFF\x00\x00\x00\x00WAVE"}, "found"),
    ({"audio": b"ID3" + bytes(400)}, "found"),
    ({"audio": "not base64!"}, "base64"),
    ({"audio": silence(7)}, "more than 6 s"),
    ({"audio": silence(1), "transcript": ""}, "transcript"),
    ({"audio": silence(1), "fps": 0}, "fps"),
    ({"audio": silence(1), "path": "/etc/passwd"}, "path"),
    ({"script": "word " * 700}, "script"),
    ({"script": "a\x00b"}, "script"),
    ({"script": ""}, "script"),
    ({"script": "hello", "image": "aGk="}, "script"),
])  # fmt: skip
def test_what_is_no_speech_is_refused(voiced, body, why):
    reply = asked(voiced, **body)
    assert reply.status_code == 422, reply.text
    message = reply.json()["error"]["message"]
    assert why in message and "/tmp" not in message


def test_silence_is_still(voiced):
    told = asked(voiced, audio=silence(1)).json()
    assert max(told["arkit"]["JawOpen"]) < 0.01 and told["meta"]["notes"]


def test_kinds_are_told_by_their_bytes():
    assert kind_of(silence(0.1)) == "wav" and kind_of(b"\xff\xfb\x90\x00") == "mp3"
    assert kind_of(b"\xff\xe3\x18\xc4") == "mp3"  # of 8 kHz, as telephones record
    with pytest.raises(BadInput):
        kind_of(b"RIFF\x00\x00\x00\x00AVI ")


def test_a_second_of_speech_counts_as_a_picture(tmp_path):
    made, file = make_key("studio", 30), tmp_path / "keys.jsonl"  # five at once, one in two seconds
    add_key(file, made.client)
    with (
        standing_in(Task.of("flat", "coefficients")) as upstream,
        TestClient(create_app(FaceClient(upstream.url), file)) as http,
    ):
        http.headers["Authorization"] = f"Bearer {made.key}"
        first, last = asked(http, audio=silence(7.5)), asked(http, audio=silence(0.5))
    assert (first.status_code, last.status_code) == (200, 429)
    assert int(last.headers["Retry-After"]) > 4
    assert "a second of speech" in last.json()["error"]["message"]
