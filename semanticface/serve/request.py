"""What a server is sent: the messages a model was trained on, and the answer's grammar.

    body = chat_body(task, "face", data_url(picture))

The parts of a message stand as the training rows have them, to the character, so that a
server's tokens are the training's. The grammar is the answer format's own pattern, in
which white space is literal: a JSON schema would let a model fill its answer with blanks.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from semanticface.data.tasks import Task
from semanticface.language.description import FIELDS

LONGEST = 1000
"""Characters of one described field. The rules' longest have 860; a confused model would
otherwise write words until its tokens are spent and never come to the numbers."""
MAX_TOKENS = 2048
_MAGIC = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"RIFF": "webp"}
_STRING = r'(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})'
_PLAIN = r'[^"\\\x00-\x1f]'
"""A described field's characters, without escapes. A repeated choice of characters and escapes
costs xgrammar 50 ms a token, a repeated class 0.1 ms; the rules' words need no escapes."""


def data_url(picture: bytes) -> str:
    """A picture file's bytes as they are; no server is ever sent a path or an address."""
    kind = next((name for magic, name in _MAGIC.items() if picture.startswith(magic)), "png")
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def chat_messages(task: Task, url: str) -> list[dict[str, Any]]:
    """The task's request in OpenAI's words, the picture under `url`."""
    picture = {"type": "image_url", "image_url": {"url": url}}
    return [
        {"role": message["role"],
         "content": [picture if part["type"] == "image" else part for part in message["content"]]}
        for message in task.request()
    ]  # fmt: skip


def chat_body(
    task: Task, model: str, url: str, *, max_tokens: int = MAX_TOKENS, temperature: float = 0.0,
    constrained: bool = True, longest: int = LONGEST,
) -> dict[str, Any]:  # fmt: skip
    """A chat completion's request."""
    body: dict[str, Any] = {
        "model": model, "messages": chat_messages(task, url), "max_tokens": max_tokens,
        "temperature": temperature,
    }  # fmt: skip
    if constrained:
        body["structured_outputs"] = {"regex": answer_pattern(task, longest)}
    return body


def answer_pattern(task: Task, longest: int = LONGEST) -> str:
    """Pattern of every legal answer, its described fields at most `longest` characters."""
    if not task.numbers:
        fields = ", ".join(f'"{name}": "{_PLAIN}{{1,{longest}}}"' for name in FIELDS)
        return rf"\{{{fields}\}}"
    return bounded(task.form.regex(), longest)


def bounded(pattern: str, longest: int) -> str:
    """The same pattern, in which free text (a negated class, once or more) has an end.

    Inside JSON's strings it has no escapes either: no quotation marks in the words."""
    text = pattern.replace(_STRING + "+", f"{_PLAIN}{{1,{longest}}}")
    return re.sub(r"(\[\^(?:\\.|[^\]\\])+\])\+", rf"\1{{1,{longest}}}", text)
