"""One request to an OpenAI-compatible chat endpoint, with its repeats.

By the standard library: one connection a request, and a bound on the whole request
from connecting to the last byte, which clients that count only the pause between two
bytes do not give. Redirects are refused, so a key goes nowhere but to the address it
was meant for; no proxy is used.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import threading
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from semanticface.errors import BadInput
from semanticface.evaluation.specs import EndpointSpec
from semanticface.serve.journal import Answered
from semanticface.serve.retry import AGAIN, NEVER, pause, retry_after

_LARGEST = 8 << 20


class Unanswered(Exception):
    """No answer to one picture, after all repeats; the others may have better luck."""


class _Again(Exception):
    """Worth another try, after `after` seconds if the endpoint says so."""

    def __init__(self, why: str, after: float | None = None) -> None:
        self.why, self.after = why, after
        super().__init__(why)


class _Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Chat:
    """Asks one endpoint; used by several threads at once."""

    def __init__(self, spec: EndpointSpec) -> None:
        self.spec = spec
        parts = urlsplit(spec.url)
        self._host, self._port = str(parts.hostname), parts.port
        self._path = f"{parts.path}/chat/completions"
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if spec.api_key_env is not None:
            self._headers["Authorization"] = f"Bearer {_key(spec.api_key_env)}"
        self._stop, self._counting = threading.Event(), threading.Lock()
        self.repeats = 0
        """Requests that had to be sent again."""

    def stop(self) -> None:
        """Let no thread wait for, or begin, another try."""
        self._stop.set()

    def ask(self, body: dict[str, Any]) -> Answered:
        """The answer; `Unanswered` if there is none, `BadInput` if there never will be."""
        sent = json.dumps(body).encode()
        end = time.monotonic() + self.spec.deadline
        for attempt in range(self.spec.retries + 1):
            try:
                return self._once(sent, end)
            except _Again as fault:
                why, after = fault.why, fault.after
            wait = pause(attempt, self.spec.pause) if after is None else after
            if attempt == self.spec.retries or time.monotonic() + wait >= end:
                break
            if self._stop.wait(wait):
                raise Unanswered(f"{why}; then the evaluation stopped")
            with self._counting:
                self.repeats += 1
        raise Unanswered(f"{why}, at the last of {attempt + 1} tries")

    def _once(self, sent: bytes, end: float) -> Answered:
        try:
            reply = self._send(sent, min(time.monotonic() + self.spec.timeout, end))
        except TimeoutError:
            raise _Again(f"no whole answer in {self.spec.timeout:g} s") from None
        except http.client.IncompleteRead as fault:
            raise _Again(f"an answer that broke off after {len(fault.partial)} bytes") from None
        except (OSError, http.client.HTTPException) as fault:
            raise _Again(f"a broken connection ({type(fault).__name__}: {fault})") from None
        return self._judged(reply)

    def _send(self, sent: bytes, end: float) -> _Reply:
        """One request, whole before `end` or `TimeoutError`."""
        connection = self._connection(_left(end))
        try:
            connection.connect()
            sock: socket.socket = connection.sock
            sock.settimeout(_left(end))
            connection.request("POST", self._path, sent, self._headers)
            sock.settimeout(_left(end))
            response = connection.getresponse()
            parts, size = [], 0
            while not response.isclosed() and (part := _part(response, sock, end)):
                parts.append(part)
                size += len(part)
                if size > _LARGEST:
                    raise Unanswered(f"an answer of more than {_LARGEST:,} bytes")
            if response.length:  # bytes that were announced and did not come
                raise http.client.IncompleteRead(b"".join(parts), response.length)
            return _Reply(response.status, response.headers, b"".join(parts))
        finally:
            connection.close()

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=seconds)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=seconds, context=self._tls
        )

    def _judged(self, reply: _Reply) -> Answered:
        if reply.status == 200:
            return _answer(reply.body)
        told = reply.body[:300].decode("utf-8", "replace").strip()
        if reply.status in AGAIN:
            raise _Again(f"HTTP {reply.status}", retry_after(reply.headers.get("Retry-After")))
        if reply.status in NEVER or 300 <= reply.status < 400:
            raise self._refused(reply.status, told)
        raise Unanswered(f"HTTP {reply.status}: {told}")

    def _refused(self, status: int, told: str) -> BadInput:
        """What no repeat mends, with the key of the spec to look at; never the API key itself."""
        variable = self.spec.api_key_env
        if status in (401, 403):
            hint = (
                f"Check the key in the environment variable {variable}."
                if variable
                else "Name the environment variable that holds the key by 'api_key_env'."
            )
        else:
            hint = f"Check 'url' and 'model' ({self.spec.model})."
        return BadInput(f"HTTP {status}: {_without(told, self._headers)}", "an answer",
                        file=self.spec.url, hint=hint)  # fmt: skip


def _key(variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not key:
        raise BadInput("no key", "one for the endpoint",
                       hint=f"Put it into the environment variable {variable}.")  # fmt: skip
    if not key.isascii() or not key.isprintable():
        raise BadInput("a key with characters that no header can hold", "a key",
                       hint=f"Check the environment variable {variable}.")  # fmt: skip
    return key


def _without(text: str, headers: dict[str, str]) -> str:
    """The text without the key, should the endpoint repeat it."""
    key = headers.get("Authorization", "").removeprefix("Bearer ")
    return text.replace(key, "***") if key else text


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _part(response: http.client.HTTPResponse, sock: socket.socket, end: float) -> bytes:
    sock.settimeout(_left(end))
    return response.read1(1 << 16)


def _answer(body: bytes) -> Answered:
    """Text and finish of the first choice."""
    try:
        held = json.loads(body)
        choice = held["choices"][0]
        text, finish = choice["message"]["content"], choice.get("finish_reason")
        used = held.get("usage") or {}
        counts = [used.get(name) or 0 for name in ("prompt_tokens", "completion_tokens")]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise _Again(f"a reply that is no chat completion ({len(body)} bytes)") from None
    if not all(isinstance(count, int) for count in counts):
        raise _Again("a reply whose token counts are no numbers")
    if text is None:
        text = ""  # a refusal, or nothing but thoughts: an answer without content
    if not isinstance(text, str):
        raise _Again("a reply whose content is no text")
    return Answered(text, str(finish or ""), *counts)
