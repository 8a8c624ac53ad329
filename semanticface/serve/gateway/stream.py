"""A stream of pictures over a WebSocket: the answers keep pace by leaving pictures out.

The client sends pictures as binary messages, or as `{"time": seconds, "image": base64}`.
The first message may be `{"key": "..."}`, for browsers cannot set headers. Each answer is
`{"time", "sequence", "face"}` or `{"sequence", "error"}`; `sequence` counts the pictures
received, so what was left out can be seen. While one picture is with the model, only the
newest of those that arrive is kept. Pages of other sites are refused (`gateway.origins`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from semanticface.errors import BadInput
from semanticface.serve.gateway.keys import bearer
from semanticface.serve.gateway.pictures import from_base64

if TYPE_CHECKING:
    from semanticface.serve.gateway.app import Desk

_STRANGER, _WRONG, _FULL, _TOO_BIG = 4401, 4400, 4429, 1009


class _Shown(NamedTuple):
    sequence: int
    time: float | None
    picture: bytes


class _Closed(Exception):
    def __init__(self, code: int, why: str) -> None:
        self.code, self.why = code, why


class _Newest:
    """Room for one picture; a newer one takes the place of one that nobody fetched."""

    def __init__(self) -> None:
        self._held: _Shown | None = None
        self._there = asyncio.Event()

    def put(self, shown: _Shown) -> None:
        self._held = shown
        self._there.set()

    async def take(self) -> _Shown:
        await self._there.wait()
        self._there.clear()
        assert self._held is not None
        return self._held


def add_stream(app: FastAPI, desk: Desk) -> None:
    """The route."""

    @app.websocket("/v1/stream")
    async def stream(socket: WebSocket) -> None:
        if desk.foreign(socket.headers):
            await socket.close()  # before it is open: 403
            return
        await socket.accept()
        try:
            visitor = _Stream(desk, socket)
            await visitor.introduced()
            with _place(desk):
                await visitor.run()
        except _Closed as error:
            await socket.close(error.code, error.why)
        except WebSocketDisconnect:
            pass  # the client has seen enough


@contextmanager
def _place(desk: Desk) -> Iterator[None]:
    """One of the places for streams, for clients that are known."""
    if desk.metrics.streams >= desk.limits.streams:
        raise _Closed(_FULL, "too many streams")
    desk.metrics.streams += 1
    try:
        yield
    finally:
        desk.metrics.streams -= 1


class _Stream:
    def __init__(self, desk: Desk, socket: WebSocket) -> None:
        self.desk, self.socket = desk, socket
        self.key = bearer(socket.headers.get("authorization", ""))
        self.newest, self.count, self._begun = _Newest(), 0, False

    async def introduced(self) -> None:
        """Who it is, by the header or by a first message, which must come soon."""
        if self._known():
            return
        try:
            async with asyncio.timeout(self.desk.limits.body_seconds):
                await self._first()
        except TimeoutError:
            raise _Closed(_STRANGER, "no key in time") from None
        if not self._known():
            raise _Closed(_STRANGER, "no key, or not one of ours")

    def _known(self) -> bool:
        return self.desk.door.open or self.desk.door.known(self.key) is not None

    async def run(self) -> None:
        """Until the client goes away or says something wrong."""
        if not self._begun:
            await self._first()
        answering = asyncio.create_task(self._answer())
        try:
            while True:
                self.newest.put(self._shown(await self.socket.receive()))
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    async def _first(self) -> None:
        """The first message, which may be a key."""
        message = await self.socket.receive()
        self._begun = True
        text = message.get("text")
        held = _object(text) if text else None
        if held is not None and set(held) == {"key"} and isinstance(held["key"], str):
            self.key = held["key"]
        else:
            self.newest.put(self._shown(message))

    def _shown(self, message: Any) -> _Shown:
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        self.count += 1
        if message.get("bytes") is not None:
            return self._bounded(_Shown(self.count, None, message["bytes"]))
        held = _object(message.get("text") or "")
        time, image = held.get("time"), held.get("image")
        if (
            not isinstance(image, str)
            or isinstance(time, bool)
            or not isinstance(time, float | int | None)
        ):
            raise _Closed(_WRONG, "expected a picture, or {time, image}")
        try:
            return self._bounded(_Shown(self.count, time, from_base64(image)))
        except BadInput:
            raise _Closed(_WRONG, "an image that is no base64") from None

    def _bounded(self, shown: _Shown) -> _Shown:
        if len(shown.picture) > self.desk.limits.most_bytes:
            raise _Closed(_TOO_BIG, "a picture of too many bytes")
        return shown

    async def _answer(self) -> None:
        from semanticface.serve.gateway.app import Refused

        while True:
            shown = await self.newest.take()
            told: dict[str, Any] = {"sequence": shown.sequence}
            if shown.time is not None:
                told["time"] = shown.time
            try:
                self.desk.admit(self.key)
                told["face"] = (await self.desk.face(shown.picture)).model_dump()
            except Refused as error:
                told["error"] = {"code": error.status, "message": str(error)}
            await self.socket.send_text(json.dumps(told))


def _object(text: str) -> dict[str, Any]:
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        held = None
    if not isinstance(held, dict):
        raise _Closed(_WRONG, "expected a picture or a JSON object")
    return held
