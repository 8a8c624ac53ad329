"""A language model's server on this machine, for what asks one to reword descriptions."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Reply = Callable[["Handler", dict], None]


class Handler(BaseHTTPRequestHandler):
    """Answers as its server was told to."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append(body)
            self.server.keys.append(self.headers.get("Authorization"))
            self.server.open += 1
            self.server.most = max(self.server.most, self.server.open)
        try:
            self.server.reply(self, body)
        finally:
            with self.server.lock:
                self.server.open -= 1

    def send(self, body: object, status: int = 200) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def say(self, text: object) -> None:
        self.send({"choices": [{"message": {"role": "assistant", "content": text}}]})

    def log_message(self, *told: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, reply: Reply) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reply, self.requests, self.keys = reply, [], []
        self.lock, self.open, self.most = threading.Lock(), 0, 0

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up waiting is what some tests are about."""


def asked_words(body: dict) -> dict[str, str]:
    """The description that a request holds."""
    text = body["messages"][-1]["content"]
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


def truthfully(handler: Handler, body: dict) -> None:
    """A good model: the same facts, begun otherwise."""
    words = asked_words(body)
    words["expression_category"] = f"One sees {words['expression_category']}"
    handler.say(f"Here it is:\n```json\n{json.dumps(words)}\n```")


@contextmanager
def served(reply: Reply) -> Iterator[tuple[Server, str]]:
    """A server that answers so, and its address."""
    server = Server(reply)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
