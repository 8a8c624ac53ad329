"""Speech to text by an endpoint: what is sent, and what is made of what comes back."""

from __future__ import annotations

import email
import io
import json
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from stand_in import running

from semanticface.errors import BadInput
from semanticface.serve.transcription import Transcriber
from semanticface.speech.audio import RATE
from semanticface.speech.transcribe import transcribe

pytest.importorskip("httpx")


class Ears(ThreadingHTTPServer):
    """An endpoint that says how many seconds it was sent."""

    faults: list[int]
    seen: list[dict[str, object]]
    body: bytes | None = None


class Handler(BaseHTTPRequestHandler):
    server: Ears

    def log_message(self, *_: object) -> None: ...

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        leaves = [each for each in email.message_from_bytes(head + raw).walk()
                  if not each.is_multipart()]  # fmt: skip
        parts = {each.get_param("name", header="Content-Disposition"):
                 each.get_payload(decode=True) for each in leaves}  # fmt: skip
        with wave.open(io.BytesIO(parts["file"])) as sound:
            told = (sound.getframerate(), sound.getnchannels(), sound.getnframes())
        key = self.headers.get("Authorization")
        self.server.seen.append({"path": self.path, "model": parts["model"].decode(),
                                 "key": key, "sound": told})  # fmt: skip
        status = self.server.faults.pop(0) if self.server.faults else 200
        words = json.dumps({"text": f" {told[2] / RATE:.0f} seconds "}).encode()
        refused = f"refused {key}".encode()
        self.send_response(status)
        self.end_headers()
        self.wfile.write(refused if status != 200 else self.server.body or words)


@contextmanager
def ears(*faults: int, body: bytes | None = None) -> Iterator[Ears]:
    server = Ears(("127.0.0.1", 0), Handler)
    server.faults, server.seen, server.body = list(faults), [], body
    with running(server):
        yield server


def asked(server: Ears, **more: object) -> Transcriber:
    return Transcriber(f"http://127.0.0.1:{server.server_port}/v1", **{"first_pause": 0.0, **more})


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def test_long_sound_goes_out_in_parts_and_silence_stays_here():
    with ears() as server:
        words = transcribe([noise(50), np.zeros(60 * RATE, np.float32)],
                           asked(server, model="large", key="secret"))  # fmt: skip
    sent = [each["sound"][2] / RATE for each in server.seen]
    assert max(sent) <= 30
    assert 50 <= sum(sent) < 90
    assert words.count("seconds") == len(sent)
    assert {each["path"] for each in server.seen} == {"/v1/audio/transcriptions"}
    assert {each["sound"][:2] for each in server.seen} == {(RATE, 1)}
    assert {(each["model"], each["key"]) for each in server.seen} == {("large", "Bearer secret")}


def test_a_busy_endpoint_is_asked_again_and_a_refusal_is_not():
    with ears(503, 429) as server:
        assert asked(server)(noise(1)).strip() == "1 seconds"
        assert len(server.seen) == 3
    with ears(404) as server:
        with pytest.raises(BadInput, match=r"HTTP 404.*--transcriber"):
            asked(server)(noise(1))
        assert len(server.seen) == 1


def test_the_key_is_never_told():
    with (
        ears(401) as server,
        pytest.raises(BadInput, match=r"Bearer \*\*\*.*--api-key-env") as told,
    ):
        asked(server, key="secret")(noise(1))
    assert "secret" not in str(told.value)
    assert "secret" not in repr(asked(server, key="secret"))


def test_redirects_are_refused():
    with ears(307) as server, pytest.raises(BadInput, match="HTTP 307"):
        asked(server)(noise(1))


@pytest.mark.parametrize("body", [b"<html>", b'{"words": 1}', b'{"text": 3}', b"[]"])
def test_a_reply_without_a_text(body):
    with ears(body=body) as server, pytest.raises(BadInput, match="a reply without a text"):
        asked(server)(noise(1))


def test_nobody_there():
    with ears() as server:
        pass
    with pytest.raises(BadInput, match=r"no answer .* last of 2 tries"):
        asked(server, retries=1)(noise(1))
