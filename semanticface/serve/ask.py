"""The three ways of getting 61 numbers out of a served model.

`text` decodes an answer. `one-pass` reads the pooling model's 61 values and confidences.
`prompt-logprobs` reads the same distributions from an ordinary chat server: the request
ends with the slot tokens, and the server tells the likeliest tokens after each of them.
That needs no plugin, but the server writes out every position of the prompt, and only as
many tokens as were asked for: probability beyond them is unknown and counts as none.
"""

from __future__ import annotations

import base64
import json
import math
import secrets
from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from semanticface.data.tasks import Task
from semanticface.errors import BadInput, did_you_mean
from semanticface.language.description import Description
from semanticface.language.parsed import STRICT, ParseReport, nothing
from semanticface.rig import COUNT, NAMES
from semanticface.serve import one_pass
from semanticface.serve.journal import Answered
from semanticface.serve.request import chat_body, chat_messages, data_url

_SHAPE = (COUNT, 2)


class Read(NamedTuple):
    """What an answer says."""

    values: NDArray[np.float32]
    confidence: NDArray[np.float32] | None
    description: Description | None
    report: ParseReport


class Asking(Protocol):
    """What a way needs of a client's settings."""

    @property
    def temperature(self) -> float:
        """0 for the likeliest answer."""

    @property
    def max_tokens(self) -> int:
        """The longest answer."""

    @property
    def constrained(self) -> bool:
        """Whether the grammar goes with the request."""

    @property
    def likeliest(self) -> int:
        """Tokens a position that `prompt-logprobs` asks for."""


class Way(ABC):
    """A request and the reading of its reply."""

    path: str

    def __init__(self, task: Task, model: str, settings: Asking) -> None:
        self.task, self.model, self.settings = task, model, settings

    @abstractmethod
    def body(self, picture: bytes) -> dict[str, Any]:
        """The request about a picture."""

    @abstractmethod
    def answered(self, reply: Any) -> Answered:
        """What is kept of a reply."""

    @abstractmethod
    def read(self, answer: Answered) -> Read:
        """Numbers and words of what was kept."""

    def past_cache(self, reply: Any, body: dict[str, Any]) -> dict[str, Any] | None:
        """The request again, if this reply lacks what the server's cache kept back."""
        return None


class Text(Way):
    """A decoded answer."""

    path = "/v1/chat/completions"

    def body(self, picture: bytes) -> dict[str, Any]:
        """A chat completion."""
        return chat_body(
            self.task, self.model, data_url(picture), max_tokens=self.settings.max_tokens,
            temperature=self.settings.temperature, constrained=self.settings.constrained,
        )  # fmt: skip

    def answered(self, reply: Any) -> Answered:
        """Text and finish of the first choice."""
        try:
            choice = reply["choices"][0]
            text, finish = choice["message"]["content"] or "", choice.get("finish_reason") or ""
            used = reply.get("usage") or {}
            return Answered(str(text), str(finish), int(used.get("prompt_tokens") or 0),
                            int(used.get("completion_tokens") or 0))  # fmt: skip
        except (LookupError, TypeError, AttributeError):
            raise BadInput("a reply that is no chat completion", "one", file=self.path) from None

    def read(self, answer: Answered) -> Read:
        """By the task's own reader; nothing is filled in."""
        found = self.task.read(answer.text)
        if found.parsed is not None:
            report = found.parsed.report
        else:
            report = STRICT._replace(outcome=found.outcome, missing=NAMES)
        if answer.finish == "length":
            report = report._replace(notes=(*report.notes, "cut off at max_tokens"))
        return Read(found.values, None, found.words, report)


class OnePass(Way):
    """61 values and confidences from the pooling model."""

    path = "/pooling"

    def body(self, picture: bytes) -> dict[str, Any]:
        """A pooling request whose last message is the slots."""
        return _with_slots(self.task, self.model, picture) | {
            "task": "classify", "encoding_format": "base64",
        }  # fmt: skip

    def past_cache(self, reply: Any, body: dict[str, Any]) -> dict[str, Any] | None:
        """A picture seen before is in the prefix cache, slots and all: ask past it."""
        if np.isnan(_table(reply)).all(axis=1).any():
            return body | {"cache_salt": secrets.token_urlsafe(16)}
        return None

    def answered(self, reply: Any) -> Answered:
        """The table as it came, base64 of [61, 2] float32."""
        _table(reply)
        used = reply.get("usage") or {}
        return Answered(reply["data"][0]["data"], "stop", int(used.get("prompt_tokens") or 0), 0)

    def read(self, answer: Answered) -> Read:
        """Values and confidences."""
        table = _decoded(answer.text)
        return _numbers(one_pass.ReadOut(table[:, 0], table[:, 1]))


class PromptLogprobs(Way):
    """The same distributions from a chat server, by its `prompt_logprobs`."""

    path = "/v1/chat/completions"

    def body(self, picture: bytes) -> dict[str, Any]:
        """One token is decoded: its distribution is the last slot's."""
        return _with_slots(self.task, self.model, picture) | {
            "max_tokens": 1, "temperature": 0.0, "logprobs": True,
            "top_logprobs": self.settings.likeliest, "prompt_logprobs": self.settings.likeliest,
        }  # fmt: skip

    def answered(self, reply: Any) -> Answered:
        """The 61 lists of likeliest value tokens, as JSON: `[{"<v0>": -1.2, ...}, ...]`."""
        try:
            rows = [_decoded_names(each) for each in reply["prompt_logprobs"][-(COUNT - 1) :]]
            last = reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
            rows.append({each["token"]: each["logprob"] for each in last})
            used = reply.get("usage") or {}
        except (LookupError, TypeError, AttributeError):
            raise BadInput("a reply without prompt_logprobs", "one", file=self.path) from None
        known = set(one_pass.vocabulary())
        kept = [{name: odds for name, odds in row.items() if name in known} for row in rows]
        return Answered(json.dumps(kept), "stop", int(used.get("prompt_tokens") or 0), 1)

    def read(self, answer: Answered) -> Read:
        """Values and confidences over the tokens that were told."""
        place = {name: n for n, name in enumerate(one_pass.vocabulary())}
        table = np.full((COUNT, len(place)), -math.inf)
        for i, row in enumerate(json.loads(answer.text)):
            for name, odds in row.items():
                table[i, place[name]] = odds
        return _numbers(one_pass.read_out(table))


WAYS: dict[str, type[Way]] = {
    "text": Text, "one-pass": OnePass, "prompt-logprobs": PromptLogprobs,
}  # fmt: skip


def way_of(name: str, task: Task, model: str, settings: Asking) -> Way:
    """The way called `name`."""
    if name not in WAYS:
        raise BadInput(f"the way '{name}'", f"one of {', '.join(WAYS)}",
                       hint=did_you_mean(name, WAYS))  # fmt: skip
    return WAYS[name](task, model, settings)


def answer_of(way: Way, answer: Answered) -> Read:
    """Numbers and words of an answer, fresh or from a journal."""
    return way.read(answer)


def _with_slots(task: Task, model: str, picture: bytes) -> dict[str, Any]:
    messages = chat_messages(task, data_url(picture))
    return {
        "model": model, "messages": [*messages, {"role": "assistant",
                                                 "content": "".join(one_pass.slots())}],
        "add_generation_prompt": False, "continue_final_message": True,
    }  # fmt: skip


def _decoded_names(row: dict[str, dict[str, Any]]) -> dict[str, float]:
    return {str(each["decoded_token"]): float(each["logprob"]) for each in row.values()}


def _table(reply: Any) -> NDArray[np.float32]:
    try:
        return _decoded(reply["data"][0]["data"])
    except (LookupError, TypeError, ValueError):
        raise BadInput("a reply that is no one-pass read-out", f"base64 of {_SHAPE} float32",
                       file=OnePass.path) from None  # fmt: skip


def _decoded(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(_SHAPE)


def _numbers(found: one_pass.ReadOut) -> Read:
    missing = tuple(NAMES[i] for i in np.flatnonzero(np.isnan(found.values)))
    if len(missing) == COUNT:
        return Read(found.values, found.confidence, None, nothing("no value token").report)
    report = STRICT._replace(missing=missing)
    return Read(found.values, found.confidence, None, report)
