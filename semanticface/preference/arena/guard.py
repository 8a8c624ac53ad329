"""What every request passes before anything is done with it.

* its Host must be one the arena is served under (a page elsewhere cannot reach a loopback
  server by a name that it points here);
* its body is at most 16 KiB;
* it comes no faster than its limits allow: those of the session whose signature holds, or
  else those of its address (a cookie that we did not sign changes nothing);
* every answer carries headers that keep scripts, frames and guesses of others out.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_BYTES = 16 * 1024
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}  # fmt: skip


class Bucket:
    """Token buckets by key: `burst` requests at once, `rate` a second in the long run."""

    def __init__(self, rate: float, burst: float, most: int = 10_000) -> None:
        self.rate, self.burst, self._most = rate, burst, most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: float | None = None) -> float:
        """0 if the request may pass, else the seconds to wait."""
        now = time.monotonic() if now is None else now
        left, then = self._left.pop(key, (self.burst, now))
        left = min(self.burst, left + (now - then) * self.rate)
        passes = left >= 1
        self._left[key] = (left - 1 if passes else left, now)
        while len(self._left) > self._most:
            self._left.popitem(last=False)
        return 0.0 if passes else (1 - left) / self.rate


Known = Callable[[str], str | None]
"""Whose session a Cookie header proves; None without a valid signature."""


class Guard:
    """ASGI middleware around the arena."""

    def __init__(
        self, app: Any, hosts: Iterable[str], rate: float, burst: float, known: Known
    ) -> None:
        self._app, self._known = app, known
        self._hosts = {each.lower() for each in hosts}
        self._bucket = Bucket(rate, burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in
                   scope["headers"]}  # fmt: skip
        refused = self._refused(scope, headers)
        if refused is not None:
            await _refuse(send, *refused)
            return
        await self._app(scope, _bounded(receive), _with_headers(send))

    def _refused(
        self, scope: Scope, headers: dict[str, str]
    ) -> tuple[int, str, dict[str, str]] | None:
        if _name(headers.get("host", "")) not in self._hosts:
            return 421, "not served under this name", {}
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return 413, f"more than {MOST_BYTES} bytes", {}
        who = self._known(headers.get("cookie", ""))
        address = (scope.get("client") or ("nobody", 0))[0]
        wait = self._bucket.take(f"address {address}" if who is None else f"session {who}")
        if wait:
            return 429, "too many requests", {"retry-after": str(int(wait) + 1)}
        return None


class TooLong(Exception):
    """A body went on past the limit."""


def _bounded(receive: Receive) -> Receive:
    """The body, cut off with an error where it grows too long without having said so."""
    seen = 0

    async def bounded() -> MutableMapping[str, Any]:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BYTES:
            raise TooLong
        return message

    return bounded


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = [(k.encode(), v.encode()) for k, v in _HEADERS.items()]
            message["headers"] = [*message.get("headers", []), *headers]
        await send(message)

    return sending


async def _refuse(send: Send, status: int, text: str, more: dict[str, str]) -> None:
    headers = {"content-type": "text/plain; charset=utf-8", "connection": "close", **more}
    start = {"type": "http.response.start", "status": status,
             "headers": [(k.encode(), v.encode()) for k, v in headers.items()]}  # fmt: skip
    await _with_headers(send)(start)
    await send({"type": "http.response.body", "body": text.encode()})


def _name(host: str) -> str:
    """A Host header without its port."""
    name = host.lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]
