"""Speech to text by an OpenAI-compatible endpoint: `/v1/audio/transcriptions`.

vLLM serves Whisper and others so, as do OpenAI and most programs around faster-whisper. Sound
goes out as 16 kHz WAV, at most 30 seconds a request. Redirects are refused and no proxy is used,
so a key goes nowhere but to the address it was meant for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from semanticface.errors import BadInput, need
from semanticface.serve.retry import AGAIN, pause, retry_after
from semanticface.speech.audio import Samples, as_wav


@dataclass(frozen=True)
class Transcriber:
    """One endpoint; call it with samples."""

    url: str
    """With or without `/v1`."""
    model: str = "whisper-1"
    key: str = field(default="", repr=False)
    timeout: float = 120.0
    retries: int = 3
    first_pause: float = 1.0

    def __call__(self, part: Samples) -> str:
        """The words; an error after all tries, never a guess."""
        library = need("httpx", "serve", "Transcribing by an endpoint")
        with library.Client(timeout=self.timeout, trust_env=False) as client:
            for attempt in range(self.retries + 1):
                reply, why = self._once(library, client, part)
                if reply is not None and reply.status_code == 200:
                    return self._text(reply)
                if reply is not None and reply.status_code not in AGAIN:
                    raise self._refused(reply)
                after = None if reply is None else retry_after(reply.headers.get("Retry-After"))
                if attempt < self.retries:
                    time.sleep(pause(attempt, self.first_pause) if after is None else after)
        raise BadInput(f"{why}, at the last of {self.retries + 1} tries",
                       "an endpoint that transcribes", file=self.url)  # fmt: skip

    def _once(self, library: Any, client: Any, part: Samples) -> tuple[Any, str]:
        """(reply, why it is of no use), the reply None where there was none."""
        try:
            reply = client.post(
                f"{self.url.rstrip('/').removesuffix('/v1')}/v1/audio/transcriptions",
                headers={"Authorization": f"Bearer {self.key}"} if self.key else {},
                data={"model": self.model, "language": "en", "response_format": "json"},
                files={"file": ("speech.wav", as_wav(part), "audio/wav")},
            )  # fmt: skip
        except library.HTTPError as fault:
            return None, f"no answer ({type(fault).__name__}: {fault})"
        return reply, f"HTTP {reply.status_code}"

    def _text(self, reply: Any) -> str:
        try:
            text = reply.json()["text"]
        except (ValueError, LookupError, TypeError):
            text = None
        if not isinstance(text, str):
            raise BadInput(f"a reply without a text ({len(reply.content)} bytes)",
                           '{"text": ...}', file=self.url)  # fmt: skip
        return text

    def _refused(self, reply: Any) -> BadInput:
        told = reply.text[:300].strip()
        told = told.replace(self.key, "***") if self.key else told
        hint = "Check --transcribe and --transcriber."
        if reply.status_code in (401, 403):
            hint = "Name the environment variable with the key: --api-key-env."
        return BadInput(f"HTTP {reply.status_code}: {told}", "a transcript",
                        file=self.url, hint=hint)  # fmt: skip
