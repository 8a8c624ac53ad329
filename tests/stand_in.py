"""A loopback server that speaks as `semanticface serve` does, with faults on demand.

Each picture has a face of its own, made from a hash of its bytes, so that an answer can be
told from every other. A real vLLM stands in for this one in tests/e2e.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Any

import numpy as np

from semanticface.data.tasks import Task
from semanticface.language.describe import describe
from semanticface.rig import CHANNELS, COUNT
from semanticface.serve.identity import MARK, Served, identity_of, mark_of, to_json

Fault = Callable[[int, int], str]
"""(picture's number, times asked before) -> '' or a fault's name."""


def face_of(picture: bytes) -> np.ndarray:
    """Values [61] that this picture shows, on a grid of two decimals."""
    seed = int.from_bytes(hashlib.sha256(picture).digest()[:4], "big")
    values = np.round(np.random.default_rng(seed).random(COUNT), 2)
    values[[c.index for c in CHANNELS if c.signed]] -= 0.5
    return np.round(values, 2).astype(np.float32)


class StandIn(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, task: Task, *, key: str = "", one_pass: bool = False, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.task, self.key = task, key
        self.identity = to_json(Served({"face": identity_of(task, one_pass=one_pass)}))
        self.marking = True
        """Whether replies bear the mark of the identity, as those of a proxy may not."""
        self.asked: Counter[bytes] = Counter()
        self.numbers: dict[bytes, int] = {}
        """Filled by `know`; pictures that nobody named count on in the order they come."""
        self.fault: Fault = lambda number, before: ""
        self.face: Callable[[bytes], np.ndarray] = face_of
        self.delay = 0.0
        self.busy = self.busiest = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def know(self, pictures: Sequence[bytes]) -> None:
        """Number the pictures, for `fault`."""
        self.numbers = {picture: n for n, picture in enumerate(pictures)}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no fault of the server."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/semanticface" and self.server.identity:
            self._send(200, self.server.identity.encode())
        else:
            self._send(200 if self.path == "/health" else 404, b"{}")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        if server.key and self.headers.get("Authorization") != f"Bearer {server.key}":
            self._send(401, json.dumps({"error": f"not {self.headers['Authorization']}"}).encode())
            return
        picture = _picture(body)
        with server.lock:
            number = server.numbers.setdefault(picture, len(server.numbers))
            before = server.asked[picture]
            server.asked[picture] += 1
            server.busy += 1
            server.busiest = max(server.busiest, server.busy)
        try:
            time.sleep(server.delay)
            self._answer(body, picture, server.fault(number, before))
        finally:
            with server.lock:
                server.busy -= 1

    def _answer(self, body: dict[str, Any], picture: bytes, fault: str) -> None:
        if fault == "drop":
            self.connection.shutdown(2)
        elif fault == "nothing":
            self._send(200, b"null")
        elif fault.isdecimal():
            more = {"Retry-After": "0"} if fault == "429" else {}
            self._send(int(fault), b'{"error": "planted"}', **more)
        elif self.path == "/pooling":
            self._send(200, json.dumps(_table(picture, cached=fault == "cached" and
                                              "cache_salt" not in body)).encode())  # fmt: skip
        else:
            values = self.server.face(picture)
            form = self.server.task.form
            text = form.write(values, describe(values) if form.described else None)
            finish = "length" if fault == "cut" else "stop"
            text = {"cut": text[: len(text) // 2], "nonsense": "I see a face."}.get(fault, text)
            self._send(200, json.dumps({
                "choices": [{"message": {"content": text}, "finish_reason": finish}],
                "usage": {"prompt_tokens": 500, "completion_tokens": 61},
            }).encode())  # fmt: skip

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        told = self.server.identity if self.server.marking else ""
        mark = {MARK: mark_of(json.loads(told))} if told else {}
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)),
                            **mark, **headers}.items():  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _picture(body: dict[str, Any]) -> bytes:
    for message in body["messages"]:
        for part in message["content"] if isinstance(message["content"], list) else []:
            if part["type"] == "image_url":
                return base64.b64decode(part["image_url"]["url"].partition(",")[2])
    return b""


def _table(picture: bytes, *, cached: bool) -> dict[str, Any]:
    table = np.stack([face_of(picture), np.full(COUNT, 0.75, np.float32)], axis=1)
    if cached:
        table[:50] = np.nan
    told = base64.b64encode(table.astype("<f4").tobytes()).decode()
    return {"data": [{"data": told}], "usage": {"prompt_tokens": 540}}


@contextmanager
def running(server: BaseServer) -> Iterator[None]:
    """A server at work in a thread of its own."""
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def standing_in(task: Task, **told: Any) -> Iterator[StandIn]:
    server = StandIn(task, **told)
    with running(server):
        yield server
