"""How a task is answered: token by token, or in one pass."""

from __future__ import annotations

from typing import Any

from semanticface.data.tasks import Task
from semanticface.train.decoding import MOST_TOKENS, Decoder
from semanticface.train.one_pass import Reader, Slots


def answerer(model: Any, processor: Any, task: Task, most: int = MOST_TOKENS) -> Decoder | Reader:
    """What answers pictures; both have `answers`."""
    if isinstance(task.form, Slots):
        return Reader.of(model, processor, task)
    return Decoder.of(model, processor, task, most)
