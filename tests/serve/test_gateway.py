"""The gateway: what it answers, and what it survives."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import logging
import socket
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from gateways import LIMITS, opened
from pictures import png
from PIL import Image
from stand_in import face_of, standing_in

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.language.answer_format import ANSWER_ORDER
from semanticface.rig import CHANNELS
from semanticface.serve.gateway.keys import Bucket, add_key, hash_of, make_key, read_keys
from semanticface.serve.gateway.pictures import checked
from semanticface.train.face_crop import crop_of, cut_file

LABELS = [CHANNELS[i].label for i in ANSWER_ORDER]
pytestmark = pytest.mark.filterwarnings(
    "default::DeprecationWarning:websockets.*", "default::DeprecationWarning:uvicorn.*"
)


@pytest.fixture(scope="module")
def upstream():
    with standing_in(Task.of("two-key")) as server:
        yield server


@pytest.fixture(scope="module")
def http(upstream):
    with opened(upstream.url) as client:
        yield client


def as_json(picture: bytes) -> dict[str, str]:
    return {"image": base64.b64encode(picture).decode()}


def numbers(face) -> np.ndarray:
    return np.array([face["arkit"][label] for label in LABELS], np.float32)


def good(http) -> None:
    """It is alive and well."""
    reply = http.post("/v1/face", json=as_json(png(0, (32, 32))))
    assert reply.status_code == 200, reply.text


def test_a_gateway_that_cuts_tells_what_it_showed(upstream):
    picture, crop = png(5, (64, 80)), crop_of("8,4,28")
    shown = cut_file(picture, crop).picture
    with opened(upstream.url, crop=crop) as http:
        told = http.post("/v1/face", json=as_json(picture)).json()
        assert told["meta"]["crop"] == {"box": [8, 4, 28], "by": "given"}
        np.testing.assert_allclose(numbers(told), face_of(shown)[list(ANSWER_ORDER)], atol=1e-4)
    with opened(upstream.url, crop=crop_of("face")) as http:
        reply = http.post("/v1/face", json=as_json(picture))
        assert reply.status_code == 422 and "no face" in reply.json()["error"]["message"]


def test_a_picture_comes_back_as_named_numbers_and_words(http):
    picture = png(5, (32, 32))
    told = http.post("/v1/face", json=as_json(picture)).json()
    assert list(told["arkit"]) == LABELS
    np.testing.assert_allclose(numbers(told), face_of(picture)[list(ANSWER_ORDER)], atol=1e-4)
    assert set(told["analysis"]) == {"expression_category", "muscle_movements",
                                     "emotional_implication", "symmetry"}  # fmt: skip
    assert told["meta"]["outcome"] == "strict" and told["meta"]["rig"] == "arkit61/1"
    for kind in ("PNG", "JPEG", "WEBP"):
        body = png(5, (32, 32), kind)
        raw = http.post("/v1/face", content=body, headers={"Content-Type": f"image/{kind.lower()}"})
        assert raw.status_code == 200, raw.text
    url = {"image": "data:image/png;base64," + as_json(picture)["image"]}
    assert http.post("/v1/face", json=url).json()["arkit"] == told["arkit"]


def test_a_batch_keeps_its_order_and_its_faults_apart(http):
    shown = [png(n, (32, 32)) for n in range(4)]
    images = [base64.b64encode(each).decode() for each in shown]
    images[2] = "bm8gcGljdHVyZQ=="
    faces = http.post("/v1/faces", json={"images": images}).json()["faces"]
    assert faces[2]["face"] is None and faces[2]["error"]["code"] == 422
    for n in (0, 1, 3):
        expected = face_of(shown[n])[list(ANSWER_ORDER)]
        np.testing.assert_allclose(numbers(faces[n]["face"]), expected, atol=1e-4)
    for wrong in ([], [images[0]] * 65):
        assert http.post("/v1/faces", json={"images": wrong}).status_code == 422


def test_compact_answers_and_json_ones_look_alike():
    picture, told = png(3, (32, 32)), []
    for key in ("flat", "codes", "tokens"):
        with standing_in(Task.of(key, "coefficients")) as server, opened(server.url) as http:
            told.append(http.post("/v1/face", json=as_json(picture)).json())
    assert told[0]["arkit"] == told[1]["arkit"] == told[2]["arkit"]


def test_one_pass_brings_confidence():
    task = Task.of("tokens", "coefficients")
    with standing_in(task, one_pass=True) as server, opened(server.url) as http:
        told = http.post("/v1/face", json=as_json(png(3, (32, 32)))).json()
    assert set(told["meta"]["confidence"].values()) == {0.75}
    assert told["meta"]["certainty"] == 0.75


def test_a_picture_of_which_the_model_is_not_sure_can_be_refused():
    task, picture = Task.of("tokens", "coefficients"), as_json(png(3, (32, 32)))
    for one_pass, least, code in ((True, 0.8, 422), (True, 0.7, 200), (False, 0.8, 200)):
        limits = replace(LIMITS, least_confidence=least)
        with standing_in(task, one_pass=one_pass) as up, opened(up.url, limits=limits) as http:
            reply = http.post("/v1/face", json=picture)
            assert reply.status_code == code, reply.text
            both = http.post("/v1/faces", json={"images": [picture["image"]]}).json()["faces"]
            assert ("confidence 0.75, 0.8 at least" in json.dumps(both)) == (code == 422)
            counted = http.get("/metrics").text
        assert ('semanticface_faces_total{outcome="unsure"} 2' in counted) == (code == 422)
        if code == 200:
            assert reply.json()["meta"]["certainty"] == (0.75 if one_pass else None)


def test_contradictions_of_a_face_are_told(upstream, http):
    upstream.face = lambda picture: np.full(61, 0.5, np.float32)
    try:
        told = http.post("/v1/face", json=as_json(png(3, (32, 32)))).json()
    finally:
        upstream.face = face_of
    assert told["meta"]["contradictions"] > 1 and told["meta"]["certainty"] is None


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises so many pixels; its data are a few bytes."""

    def part(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + part(b"IHDR", head)
        + part(b"IDAT", zlib.compress(bytes(999)))
        + part(b"IEND", b"")
    )


def film() -> bytes:
    frames = [Image.new("RGB", (32, 32), (n, n, n)) for n in (0, 100)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.mark.parametrize("picture", [
    b"", b"x", b"GIF89a", b"\x89PNG\r\n\x1a\n", png(0)[:2000], bomb(20_000, 20_000),
    bomb(1, 1), png(0, (1, 1)), png(0, (20_000, 1)), bomb(2**31 - 1, 2**31 - 1), film(),
    b"/etc/passwd", b"http://127.0.0.1/x.png", b"file:///etc/passwd", b"<svg/>",
])  # fmt: skip
def test_what_is_no_picture_is_refused_and_never_fetched(http, upstream, picture):
    before = sum(upstream.asked.values())
    assert (
        http.post("/v1/face", content=picture, headers={"Content-Type": "image/png"}).status_code
        == 422
    )
    assert http.post("/v1/face", json=as_json(picture)).status_code == 422
    assert http.post("/v1/face", json={"image": picture.decode("latin-1")}).status_code == 422
    assert sum(upstream.asked.values()) == before
    good(http)


@pytest.mark.parametrize(("body", "status"), [
    (b"\xff\xfe{", 422), (b'{"image": "\xc3\x28"}', 422), (b"{" * 100_000, 422),
    (b"[" * 9_000, 422), (b"null", 422), (b'{"image": 5}', 422), (b'{"image": null}', 422),
    (b"{}", 422), (b"", 422),
    (b'{"image": "eA==", "url": "http://127.0.0.1"}', 422), (b'{"image": "\\ud800"}', 422),
    (b'{"a": 1e999}', 422), (b'{"image": "' + b"A" * (10 << 20) + b'"}', 413),
])  # fmt: skip
def test_broken_json_is_refused(http, body, status):
    for path in ("/v1/face", "/v1/faces"):
        reply = http.post(path, content=body, headers={"Content-Type": "application/json"})
        # What is not even text is 400 where FastAPI reads the body, and 422 where the gateway does.
        assert reply.status_code in (status, 400 if status == 422 else status), reply.text
        assert reply.json()["error"]["code"] == reply.status_code
    good(http)


def test_other_kinds_paths_and_methods(http):
    assert (
        http.post("/v1/face", content=b"x", headers={"Content-Type": "text/plain"}).status_code
        == 415
    )
    assert http.post("/v1/face", content=b"x").status_code == 415
    assert http.get("/v1/face").status_code == 405
    assert http.get("/../etc/passwd").status_code == 404
    assert (
        "access-control-allow-origin"
        not in http.options(
            "/v1/face", headers={"Origin": "http://x", "Access-Control-Request-Method": "POST"}
        ).headers
    )


def chunks(size: int):
    for _ in range(size):
        yield b"A" * (1 << 16)


def test_a_body_without_a_length_is_counted(http):
    reply = http.post("/v1/face", content=chunks(40), headers={"Content-Type": "image/png"})
    assert reply.status_code == 413
    good(http)


def talk(http, sent: bytes, seconds: float = 4.0) -> bytes:
    """What the gateway says to these bytes before it hangs up."""
    with socket.create_connection((http.base_url.host, http.base_url.port), seconds) as sock:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            sock.sendall(sent)
        parts = []
        with contextlib.suppress(ConnectionResetError):  # it hung up while we still spoke
            while part := sock.recv(1 << 16):
                parts.append(part)
    return b"".join(parts)


HEAD = b"POST /v1/face HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"


def test_connections_that_never_come_to_the_point_are_closed(http):
    assert talk(http, b"") == b""
    assert talk(http, b"POST /v1/face HTTP/1.1\r\nX-Slow: ") == b""
    assert talk(http, HEAD + b"Content-Length: 5000\r\n\r\nhalf").startswith(b"HTTP/1.1 408")
    assert talk(http, b"\x16\x03\x01nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert talk(http, HEAD + b"X: " + b"a" * (1 << 18) + b"\r\n\r\n").startswith(b"HTTP/1.1 400")
    good(http)


def test_many_slow_connections_leave_room_for_a_quick_one(http):
    place = (http.base_url.host, http.base_url.port)
    held = [socket.create_connection(place, 5) for _ in range(100)]
    try:
        for each in held:
            each.sendall(b"POST /v1/face HTTP/1.1\r\nX: ")
        good(http)
    finally:
        for each in held:
            each.close()


def test_a_model_that_fails_is_told_apart_from_a_bad_request(upstream, http):
    shown = [png(n, (32, 32)) for n in range(200, 204)]
    upstream.know(shown)
    upstream.fault = lambda number, before: {0: "503", 1: "nonsense", 2: "drop"}.get(number, "")
    try:
        codes = [http.post("/v1/face", json=as_json(each)).status_code for each in shown]
    finally:
        upstream.fault = lambda number, before: ""
    assert codes == [503, 502, 503, 200]
    assert http.get("/healthz").json()["status"] == "ok"
    text = http.get("/metrics").text
    assert 'semanticface_faces_total{outcome="unanswered"} 2' in text
    assert 'path="/v1/face",status="502"' in text
    assert "semanticface_face_seconds_count" in text


@pytest.fixture
def keyed(upstream, tmp_path):
    made = make_key("studio", 60)
    add_key(tmp_path / "keys.jsonl", made.client)
    with opened(upstream.url, tmp_path / "keys.jsonl") as client:
        yield client, made.key


def test_strangers_are_refused_and_haste_is_braked(keyed, caplog):
    http, key = keyed
    caplog.set_level(logging.DEBUG)
    body = as_json(png(0, (32, 32)))
    for told in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {key}"},
                 {"Authorization": f"Bearer {key}x"}):  # fmt: skip
        assert http.post("/v1/face", json=body, headers=told).status_code == 401
    ours = {"Authorization": f"Bearer {key}"}
    codes = [http.post("/v1/face", json=body, headers=ours) for _ in range(14)]
    assert codes[0].status_code == 200
    assert codes[-1].status_code == 429 and int(codes[-1].headers["Retry-After"]) >= 1
    assert http.post("/v1/faces", json={"images": [body["image"]]}, headers=ours).status_code == 429
    assert key not in caplog.text and key not in http.get("/metrics").text


def test_keys_are_kept_as_hashes(tmp_path):
    made, file = make_key("studio", 60), tmp_path / "keys.jsonl"
    add_key(file, made.client)
    assert made.key not in file.read_text() and file.stat().st_mode & 0o077 == 0
    assert read_keys(file)[0].sha256 == hash_of(made.key)
    with pytest.raises(BadInput, match="second key"):
        add_key(file, made.client)
    for line in ("{}", '{"name": "x", "sha256": "zz", "per_minute": 1}', "[]", "x"):
        file.write_text(line + "\n")
        with pytest.raises(BadInput, match="row 1"):
            read_keys(file)
    with pytest.raises(BadInput, match="--new-key"):
        read_keys(tmp_path / "none")


def test_a_bucket_fills_up_again():
    now = [0.0]
    bucket = Bucket(60, clock=lambda: now[0])
    assert [bucket.take() for _ in range(10)] == [0.0] * 10
    assert bucket.take() == pytest.approx(1.0)
    now[0] = 1.0
    assert bucket.take() == 0.0
    now[0] = 1000.0
    assert bucket.take(64) == 0.0  # a batch goes into debt, once
    assert bucket.take() > 50


def test_pictures_at_the_edge_of_what_is_allowed():
    assert checked(png(0, (16, 16)), 256)
    with pytest.raises(BadInput, match="at most 255"):
        checked(png(0, (16, 16)), 255)


# -- the stream ----------------------------------------------------------------------


def spoken(http, messages, replies: int, **more):
    """Messages sent over a WebSocket and so many replies to them."""
    import websockets

    async def talk():
        url = f"ws://{http.base_url.host}:{http.base_url.port}/v1/stream"
        async with websockets.connect(url, proxy=None, **more) as ws:
            for message in messages:
                await ws.send(message)
            return [json.loads(await ws.recv()) for _ in range(replies)]

    return asyncio.run(talk())


def test_a_stream_leaves_out_what_is_late(upstream, http):
    shown = [png(n, (32, 32)) for n in range(30)]
    upstream.delay = 0.05
    try:
        told = spoken(http, [json.dumps({"time": n / 30, **as_json(each)})
                             for n, each in enumerate(shown)], 2)  # fmt: skip
    finally:
        upstream.delay = 0.0
    assert told[0]["sequence"] < told[1]["sequence"]
    for each in told:
        assert each["time"] == pytest.approx((each["sequence"] - 1) / 30)
        expected = face_of(shown[each["sequence"] - 1])[list(ANSWER_ORDER)]
        np.testing.assert_allclose(numbers(each["face"]), expected, atol=1e-4)


def test_a_stream_may_be_silent_for_longer_than_a_header(http):
    import websockets

    async def wait_and_ask():
        url = f"ws://{http.base_url.host}:{http.base_url.port}/v1/stream"
        async with websockets.connect(url, proxy=None) as ws:
            await asyncio.sleep(1.5)  # a header must be there after one second
            await ws.send(png(0, (32, 32)))
            return json.loads(await ws.recv())

    assert asyncio.run(wait_and_ask())["sequence"] == 1


def test_a_stream_says_what_is_wrong_with_a_picture(http):
    (told,) = spoken(http, [b"no picture"], 1)
    assert told["error"]["code"] == 422


@pytest.mark.parametrize("message", ["no JSON", "[]", '{"image": 5}',
                                     '{"time": "x", "image": "eA=="}',
                                     '{"time": NaN, "image": "eA=="}',
                                     '{"time": 1e999, "image": "eA=="}',
                                     '{"image": "http://127.0.0.1/x.png"}'])  # fmt: skip
def test_a_stream_of_nonsense_is_closed(http, message):
    import websockets

    with pytest.raises(websockets.ConnectionClosed) as closed:
        spoken(http, [message], 1)
    assert closed.value.rcvd.code == 4400


def test_a_stream_wants_a_key_too(keyed):
    import websockets

    http, key = keyed
    picture = png(0, (32, 32))
    for first in (picture, json.dumps({"key": "wrong"})):
        with pytest.raises(websockets.ConnectionClosed) as closed:
            spoken(http, [first], 1)
        assert closed.value.rcvd.code == 4401
    (told,) = spoken(http, [json.dumps({"key": key}), picture], 1)
    assert told["face"]["meta"]["outcome"] == "strict"
    (told,) = spoken(http, [picture], 1, additional_headers={"Authorization": f"Bearer {key}"})
    assert told["sequence"] == 1
