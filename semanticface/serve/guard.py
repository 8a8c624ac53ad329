"""A server's key, asked for at every question.

vLLM asks for its key below /v1 only: /pooling, by which the one-pass read-out is asked, and
/invocations, which answers whatever /v1 does, stand open beside it. This layer asks for the same
key at every POST. Looking (health, metrics, the models' identity) stays free.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class KeyGuard:
    """An ASGI layer that answers 401 to a POST without one of the keys."""

    def __init__(self, app: App, keys: Sequence[str]) -> None:
        self.app = app
        self._hashes = [_hash(each.encode()) for each in keys]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and scope["method"] == "POST" and not self._known(scope):
            await _refuse(send)
        else:
            await self.app(scope, receive, send)

    def _known(self, scope: Message) -> bool:
        told = next((held for name, held in scope["headers"] if name == b"authorization"), b"")
        kind, _, key = told.partition(b" ")
        asked = _hash(key.strip())
        # All are compared, so time tells nothing.
        same = [hmac.compare_digest(each, asked) for each in self._hashes]
        return kind.lower() == b"bearer" and any(same)


def _hash(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


async def _refuse(send: Send) -> None:
    body = json.dumps({"error": "Unauthorized"}).encode()
    headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer"),
               (b"content-length", str(len(body)).encode())]  # fmt: skip
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": body})
