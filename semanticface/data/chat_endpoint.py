"""Asking a language model behind any OpenAI-compatible endpoint, one question at a time.

Only what every such server has: `POST {url}/chat/completions` with messages, and the
text of the first choice. Faults that pass (no connection, a time-out, 408, 429, 5xx, a
body that is no JSON) are tried again after a growing pause; others are final.
"""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.language.prompts import Message

_PASSING = (408, 409, 425, 429, 500, 502, 503, 504)
_MAX_BODY = 4 * 2**20
_PIECE = 2**14


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows nobody: the key is for the address it was given for."""

    def redirect_request(self, *told: Any) -> None:
        """No request to where the server points."""


_OPENER = urllib.request.build_opener(_StayHere)


class EndpointError(SemanticFaceError):
    """The endpoint gave no answer, for good or after all tries."""


class _PassingError(EndpointError):
    """A fault that another try may not meet."""


@dataclass(frozen=True)
class Endpoint:
    """Where a model answers and how it is asked."""

    url: str
    """Up to and with `/v1`."""
    model: str
    temperature: float = 0.7
    max_tokens: int = 600
    timeout: float = 60.0
    """Seconds for one answer, from asking to its last byte."""
    tries: int = 4
    pause: float = 1.0
    """Seconds before the second try; each later pause is twice as long."""
    key_variable: str = "OPENAI_API_KEY"
    """The environment variable that holds the key, if the server wants one."""

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise BadInput(f"the address '{self.url}'", "one such as http://127.0.0.1:8000/v1")
        if self.tries < 1 or self.timeout <= 0 or self.pause < 0:
            raise BadInput(
                f"tries {self.tries}, timeout {self.timeout}, pause {self.pause}",
                "at least one try, a time-out above zero, a pause of zero or more",
            )

    def identity(self) -> dict[str, Any]:
        """What decides its answers."""
        return {"model": self.model, "temperature": self.temperature, "max": self.max_tokens}

    def ask(
        self, messages: Sequence[Message], seed: int, sleep: Callable[[float], None] = time.sleep
    ) -> str:
        """The answer's text."""
        body = {"model": self.model, "messages": list(messages), "seed": seed,
                "temperature": self.temperature, "max_tokens": self.max_tokens}  # fmt: skip
        for attempt in range(1, self.tries + 1):
            try:
                return self._once(json.dumps(body).encode())
            except _PassingError as fault:
                if attempt == self.tries:
                    raise EndpointError(f"{self.url}: {fault}, {self.tries} times") from fault
                sleep(self.pause * 2 ** (attempt - 1))
        raise AssertionError("a try either returns or raises")

    def _once(self, body: bytes) -> str:
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(self.key_variable):
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(  # the scheme is checked above
            f"{self.url.rstrip('/')}/chat/completions", body, headers, method="POST"
        )
        until = time.monotonic() + self.timeout
        try:
            with _OPENER.open(request, timeout=self.timeout) as answer:
                data = _body(answer, until)
        except urllib.error.HTTPError as fault:
            with fault:
                kind = _PassingError if fault.code in _PASSING else EndpointError
                raise kind(f"HTTP {fault.code} {fault.reason}") from fault
        except (OSError, http.client.HTTPException) as fault:
            raise _PassingError(f"no answer ({fault or type(fault).__name__})") from fault
        return _text(data)


def _body(answer: Any, until: float) -> bytes:
    """The whole body; a server that trickles must finish in time too."""
    pieces, size = [], 0
    while piece := answer.read1(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > _MAX_BODY:
            raise EndpointError(f"more than {_MAX_BODY:,} bytes")
        if time.monotonic() > until:
            raise _PassingError("no end of the answer in time")
    return b"".join(pieces)


def _text(data: bytes) -> str:
    try:
        content = json.loads(data)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as fault:
        raise _PassingError("an answer that is no chat completion") from fault
    if not isinstance(content, str):
        raise _PassingError("an answer without text")
    return content
