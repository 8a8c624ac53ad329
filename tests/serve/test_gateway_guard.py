"""The gateway against strangers, and with a model behind it that is not well."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import socket
import threading
import time
from dataclasses import replace

import pytest
from gateways import LIMITS, opened
from pictures import png
from PIL import Image
from real_server import free_port
from stand_in import standing_in
from typer.testing import CliRunner

from semanticface.cli.main import app
from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.serve.gateway.keys import add_key, make_key, read_keys
from semanticface.serve.gateway.pictures import checked, scans
from semanticface.serve.identity import Served, identity_of, to_json

TASK = Task.of("flat", "coefficients")
pytestmark = pytest.mark.filterwarnings(
    "default::DeprecationWarning:websockets.*", "default::DeprecationWarning:uvicorn.*"
)


@pytest.fixture(scope="module")
def upstream():
    with standing_in(TASK) as server:
        yield server


@pytest.fixture
def keys(tmp_path):
    made = make_key("studio", 600)
    add_key(tmp_path / "keys.jsonl", made.client)
    return tmp_path / "keys.jsonl", made.key


def asked(http, picture: bytes = png(0, (32, 32))):
    return http.post("/v1/face", content=picture, headers={"Content-Type": "image/png"})


def connected(http, **more):
    import websockets

    url = f"ws://{http.base_url.host}:{http.base_url.port}/v1/stream"
    return websockets.connect(url, proxy=None, **more)


def test_a_file_without_a_key_does_not_open_the_door(tmp_path):
    (tmp_path / "keys.jsonl").touch()
    with pytest.raises(BadInput, match="no key"):
        read_keys(tmp_path / "keys.jsonl")


@pytest.mark.parametrize("fault", ["404", "401", "400", "nothing"])
def test_a_model_that_is_gone_is_no_crash(upstream, fault):
    with opened(upstream.url) as http:
        upstream.fault = lambda number, before: fault
        try:
            reply = asked(http)

            async def streamed():
                async with connected(http) as ws:
                    await ws.send(png(0, (32, 32)))
                    return json.loads(await asyncio.wait_for(ws.recv(), 20))

            told = asyncio.run(streamed())
        finally:
            upstream.fault = lambda number, before: ""
        code = 502 if fault == "400" else 503
        assert (reply.status_code, reply.json()["error"]["code"]) == (code, code)
        assert told["error"]["code"] == code
        assert asked(http).status_code == 200


def test_a_server_that_becomes_another_model_is_refused_until_it_is_the_first_again(upstream):
    """Also the second picture: what was refused once is not known for that."""
    first, told = upstream.identity, identity_of(TASK)
    with opened(upstream.url) as http:
        upstream.identity = to_json(Served({"face": told._replace(request_sha256="0" * 64)}))
        try:
            codes = [asked(http).status_code for _ in range(3)]
        finally:
            upstream.identity = first
        assert codes == [503] * 3
        assert asked(http).status_code == 200


def test_a_busy_model_is_a_healthy_one(upstream):
    with opened(upstream.url, concurrency=1) as http:
        upstream.delay = 2.9
        try:
            busy = threading.Thread(target=asked, args=(http,))
            busy.start()
            while not upstream.busy:
                time.sleep(0.01)
            assert http.get("/healthz").status_code == 200
            busy.join()
        finally:
            upstream.delay = 0.0


def test_strangers_who_say_nothing_take_no_stream_from_others(upstream, keys):
    import websockets

    limits = replace(LIMITS, streams=2, body_seconds=0.6)
    with opened(upstream.url, keys[0], limits) as http:

        async def crowd():
            async with contextlib.AsyncExitStack() as open_ones:
                silent = [await open_ones.enter_async_context(connected(http)) for _ in range(3)]
                ours = {"Authorization": f"bearer {keys[1]}"}
                async with connected(http, additional_headers=ours) as ws:
                    await ws.send(png(0, (32, 32)))
                    told = json.loads(await asyncio.wait_for(ws.recv(), 20))
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    await asyncio.wait_for(silent[0].recv(), 20)
                return told, closed.value.rcvd.code

        told, code = asyncio.run(crowd())
    assert told["face"]["meta"]["outcome"] == "strict"
    assert code == 4401


def test_a_key_that_is_no_text_is_a_strangers(upstream, keys):
    import websockets

    with opened(upstream.url, keys[0]) as http:

        async def ask():
            async with connected(http) as ws:
                await ws.send('{"key": "\\ud800"}')
                await ws.recv()

        with pytest.raises(websockets.ConnectionClosed) as closed:
            asyncio.run(ask())
        assert closed.value.rcvd.code == 4401


def test_a_second_request_must_come_to_the_point_too(upstream):
    with opened(upstream.url) as http:
        place = (http.base_url.host, http.base_url.port)
        with socket.create_connection(place, 6) as sock:
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            heard = b""
            while not heard.endswith(b"}"):
                heard += sock.recv(1 << 16)
            assert heard.startswith(b"HTTP/1.1 200")
            sock.sendall(b"POST /v1/face HTTP/1.1\r\nX: ")
            assert _ends(sock)
        assert asked(http).status_code == 200


def _ends(sock: socket.socket) -> bool:
    with contextlib.suppress(TimeoutError):
        return sock.recv(1 << 16) == b""
    return False


def test_a_body_is_not_taken_from_a_stranger(upstream, keys):
    body = json.dumps({"images": [base64.b64encode(b"x" * 1000).decode()] * 500}).encode()
    with opened(upstream.url, keys[0]) as http:
        for path in ("/v1/face", "/v1/faces"):
            half = (f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n").encode() + body[:100]  # fmt: skip
            with socket.create_connection((http.base_url.host, http.base_url.port), 6) as sock:
                sock.sendall(half)
                assert sock.recv(1 << 16).startswith(b"HTTP/1.1 401")


def test_who_cannot_be_answered_soon_is_told_so(upstream):
    limits = replace(LIMITS, waiting=2)
    upstream.delay = 0.5
    try:
        with opened(upstream.url, None, limits, concurrency=1) as http:
            images = [base64.b64encode(png(n, (32, 32))).decode() for n in range(6)]
            faces = http.post("/v1/faces", json={"images": images}).json()["faces"]
            assert [each["error"]["code"] for each in faces if each["error"]] == [503] * 4
            assert asked(http).status_code == 200
    finally:
        upstream.delay = 0.0


def test_a_jpeg_of_very_many_passes_is_refused_by_its_markers():
    def progressive():
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), (90, 120, 30)).save(buffer, "JPEG", progressive=True)
        return buffer.getvalue()

    whole = progressive()
    again = whole[whole.rfind(b"\xff\xc4", 0, whole.rfind(b"\xff\xda")) : -2]
    with pytest.raises(BadInput, match="passes"):
        checked(whole[:-2] + 100 * again + whole[-2:], 10_000)
    assert checked(whole, 10_000)
    assert checked(whole + 100 * b"\xff\xda", 10_000)  # a film behind the picture, as phones add
    assert scans(whole) == 10


def test_a_phones_picture_with_a_depth_map_is_one_picture():
    buffer = io.BytesIO()
    behind = [Image.new("RGB", (16, 16))]
    Image.new("RGB", (64, 64)).save(buffer, "MPO", save_all=True, append_images=behind)
    assert checked(buffer.getvalue(), 10_000)


def test_a_gateway_before_nobody_is_one_plain_error():
    done = CliRunner().invoke(
        app, ["gateway", "http://127.0.0.1:9", "--deadline", "0.3", "--port", str(free_port())]
    )
    assert isinstance(done.exception, BadInput) and "semanticface serve" in str(done.exception)


def test_a_gateway_at_a_taken_port_is_one_plain_error(upstream):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        told = ["gateway", upstream.url, "--port", str(other.getsockname()[1])]
        done = CliRunner().invoke(app, told)
    assert isinstance(done.exception, BadInput) and "--port takes another" in str(done.exception)


# -- other sites' pages ----------------------------------------------------------------

PAGE = "https://studio.example"


def heard(http, origin: str | None, host: str = "", **headers: str) -> int:
    """What a page of this origin gets at the stream: 200, or an error's code."""
    import websockets

    told = headers | ({"Origin": origin} if origin is not None else {})
    place = {"host": http.base_url.host, "port": http.base_url.port}
    url = f"ws://{host or http.base_url.netloc.decode()}/v1/stream"

    async def ask() -> int:
        try:
            async with websockets.connect(url, proxy=None, additional_headers=told, **place) as ws:
                await ws.send(png(0, (32, 32)))
                face = json.loads(await asyncio.wait_for(ws.recv(), 20))
                return 200 if face["face"] else 0
        except websockets.InvalidStatus as refused:
            return refused.response.status_code

    return asyncio.run(ask())


def test_a_stream_is_for_no_other_sites_pages(upstream):
    with opened(upstream.url) as http:
        own = f"http://{http.base_url.host}:{http.base_url.port}"
        assert [heard(http, each) for each in (None, own)] == [200, 200]
        foreign = [PAGE, "null", "", own.replace("127.0.0.1", "127.0.0.1.evil.example"), own + "0"]
        assert [heard(http, each) for each in foreign] == [403] * len(foreign)


def test_a_name_that_was_pointed_here_is_not_ours_unless_there_are_keys(upstream, keys):
    """A page's own host may be made to mean this computer; it knows no key."""
    name = "rebound.example:8080"
    with opened(upstream.url) as http:
        assert heard(http, f"http://{name}", name) == 403
    with opened(upstream.url, keys[0]) as http:
        ours = {"Authorization": f"Bearer {keys[1]}"}
        assert heard(http, "https://face.example", "face.example", **ours) == 200


@pytest.mark.parametrize("allowed", [PAGE, "*"])
def test_whose_pages_may_ask_can_be_said(upstream, allowed):
    with opened(upstream.url, origins=[allowed]) as http:
        asks = {"Origin": PAGE, "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip
        told = http.options("/v1/face", headers=asks)
        assert told.status_code == 200
        assert told.headers["access-control-allow-origin"] == allowed
        assert heard(http, PAGE) == 200
        assert heard(http, "https://other.example") == (200 if allowed == "*" else 403)


@pytest.mark.parametrize("wrong", ["studio.example", PAGE + "/", PAGE.upper(), ""])
def test_an_origin_that_no_browser_would_say_is_refused(wrong):
    told = ["gateway", "http://127.0.0.1:9", "--allow-origin", wrong]
    done = CliRunner().invoke(app, told)
    assert isinstance(done.exception, BadInput) and "https://HOST" in str(done.exception)
