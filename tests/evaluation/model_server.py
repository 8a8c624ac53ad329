"""A loopback server that answers chats about pictures as vLLM's OpenAI API does.

It knows every picture it may be asked about by its pixels, and can fail in the ways
real servers do. It counts how often each picture was asked.
"""

from __future__ import annotations

import base64
import io
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image

Fault = Callable[[int, int], str]
"""(picture, how often it was asked before) -> '' or a fault's name."""


class ModelServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, pictures: Sequence[np.ndarray], texts: Sequence[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.known = {picture.tobytes(): n for n, picture in enumerate(pictures)}
        self.texts = list(texts)
        self.asked: Counter[int] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.fault: Fault = lambda picture, before: ""
        self.key = ""
        self.delay = 0.0
        self.busy = self.busiest = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, as killed ones do, is no fault of the server."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ModelServer

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        picture = server.known[_pixels(body)]
        with server.lock:
            before = server.asked[picture]
            server.asked[picture] += 1
            server.bodies.append(body)
            server.busy += 1
            server.busiest = max(server.busiest, server.busy)
        try:
            self._serve(picture, before)
        finally:
            with server.lock:
                server.busy -= 1

    def _serve(self, picture: int, before: int) -> None:
        server = self.server
        server.closing.wait(server.delay)
        if server.key and self.headers.get("Authorization") != f"Bearer {server.key}":
            said = self.headers.get("Authorization", "nothing")
            return self._send(401, json.dumps({"error": f"wrong key: {said}"}))
        if self.path != "/v1/chat/completions":
            return self._send(404, "no such page")
        fault = server.fault(picture, before)
        if fault == "redirect":
            return self._send(302, "", Location="http://127.0.0.1:1/v1")
        if fault.isdecimal():
            return self._send(int(fault), "not now")
        if fault == "429 later":
            return self._send(429, "not now", **{"Retry-After": "0"})
        return self._fail(fault, server.texts[picture])

    def _fail(self, fault: str, text: str) -> None:
        whole = completion(text)
        if fault == "hang":
            self.server.closing.wait(20)
        elif fault == "broken":
            self._send(200, whole[:40])
        elif fault == "page":
            self._send(200, "<html>gateway</html>")
        elif fault == "half":
            self._send(200, whole[: len(whole) // 2], **{"Content-Length": str(len(whole))})
            self.close_connection = True
        elif fault.startswith("chunks"):
            self._chunks(whole.encode(), whole=fault == "chunks")
        elif fault == "drip":
            self._drip(whole)
        elif fault == "cut":
            self._send(200, completion(text[: len(text) * 2 // 3], "length"))
        elif fault == "silent":
            self.close_connection = True
        else:
            self._send(200, whole)

    def _drip(self, whole: str) -> None:
        """One byte now and then: each pause is short, the whole takes for ever."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        for byte in whole.encode():
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.server.closing.wait(0.05):
                return

    def _chunks(self, data: bytes, *, whole: bool) -> None:
        """In pieces of unannounced length, as proxies send; or only the first of them."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, len(data) if whole else 1, 100):
            piece = data[start : start + 100]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if whole:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True

    def _send(self, status: int, text: str, **headers: str) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def completion(text: str, finish: str = "stop") -> str:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    usage = {"prompt_tokens": 100, "completion_tokens": len(text) // 3, "total_tokens": 0}
    return json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "model": "face",
                       "choices": [choice], "usage": usage})  # fmt: skip


def _pixels(body: dict[str, Any]) -> bytes:
    parts = [part for message in body["messages"] if isinstance(message["content"], list)
             for part in message["content"]]  # fmt: skip
    (url,) = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    data = base64.b64decode(url.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).tobytes()


@contextmanager
def serving(pictures: Sequence[np.ndarray], texts: Sequence[str]) -> Iterator[ModelServer]:
    server = ModelServer(pictures, texts)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
