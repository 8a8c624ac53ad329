"""Bounds on what a stranger may send, before anything reads it.

`Bounded` is an ASGI layer: a body must be whole within a time and below a size, whatever
its headers say. `Impatient` is the HTTP protocol with one thing more: a connection whose
request line and headers do not come in time is closed (slowloris).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from semanticface.errors import need

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
HEADER_SECONDS = 10.0
STRANGER = "no key, or not one of ours: send it as 'Authorization: Bearer KEY'"


class _Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        self.status, self.why = status, why


class Bounded:
    """Reads a request's whole body first, within bounds, and none of a stranger's."""

    def __init__(
        self, app: App, most_bytes: int, seconds: float, stranger: Callable[[Message], bool],
        refused: Callable[[int], None],
    ) -> None:  # fmt: skip
        self.app, self.most_bytes, self.seconds = app, most_bytes, seconds
        self.stranger, self.refused = stranger, refused

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            body = await self._taken(scope, receive)
        except _Refused as fault:
            self.refused(fault.status)
            await refuse(send, fault.status, fault.why)
        else:
            if body is not None:
                await self.app(scope, _replay(body, receive), send)

    async def _taken(self, scope: Message, receive: Receive) -> bytes | None:
        if self.stranger(scope):
            raise _Refused(401, STRANGER)
        try:
            async with asyncio.timeout(self.seconds):
                return await self._body(scope, receive)
        except TimeoutError:
            raise _Refused(408, f"no whole body in {self.seconds:g} s") from None

    async def _body(self, scope: Message, receive: Receive) -> bytes | None:
        """The body; None if the client went away."""
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if told.isdigit() and int(told) > self.most_bytes:
            raise _Refused(413, f"{int(told):,} bytes where {self.most_bytes:,} are the most")
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.most_bytes:
                raise _Refused(413, f"more than {self.most_bytes:,} bytes")
            more = message.get("more_body", False)
        return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body as one message, then whatever comes."""
    held = [body]

    async def again() -> Message:
        if held:
            return {"type": "http.request", "body": held.pop(), "more_body": False}
        return await receive()

    return again


async def refuse(send: Send, status: int, why: str) -> None:
    """An error and the end of the connection."""
    body = json.dumps({"error": {"code": status, "message": why}}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close"),
               (b"content-length", str(len(body)).encode())]  # fmt: skip
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def impatient(base: type[Any], seconds: float = HEADER_SECONDS) -> type[Any]:
    """uvicorn's HTTP protocol that closes a connection on which a request never comes whole.

    The first one counts from the connection, a later one from its own first byte: between two
    requests uvicorn's keep-alive time holds.
    """
    idle = need("h11", "serve", "The gateway").IDLE

    class Impatient(base):  # type: ignore[misc]
        _limit: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state is idle:  # part of a head, and no more yet
                self._wait()
            else:
                self._came()

        def _wait(self) -> None:
            if self._limit is None:
                self._limit = self.loop.call_later(seconds, self._given_up)

        def _came(self) -> None:
            if self._limit is not None:
                self._limit.cancel()
                self._limit = None

        def _given_up(self) -> None:
            if not self.transport.is_closing():
                self.transport.close()

        def handle_websocket_upgrade(self, event: Any) -> None:
            """A WebSocket may be silent for as long as it likes; it has come to the point."""
            self._came()
            super().handle_websocket_upgrade(event)

        def connection_lost(self, exc: Exception | None) -> None:
            self._came()
            super().connection_lost(exc)

    return Impatient
