"""Which server a client speaks to, and whether it still is the one that it was.

A server says at `/semanticface` what it serves and marks each reply with a hash of that
(`identity`). An answer with a mark that was never checked has the server asked anew. Another
rig or request is refused in any case, other weights where all answers are to be one model's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from semanticface.data.tasks import Task
from semanticface.serve.identity import (
    MARK,
    Identity,
    check,
    from_json,
    mark_of,
    refuse_another,
)


@dataclass
class Known:
    """What one client has learnt of its server."""

    url: str
    model: str
    same: bool
    """Whether other weights are refused, too."""
    identity: Identity | None = None
    _marks: set[str] = field(default_factory=set)
    """Of what was checked and found good."""

    def first(self, reply: Any, task: Task | None) -> Task:
        """The task to ask by, from the server's first word; its own unless one is given."""
        held = from_json(reply, self.url)
        if task is None and self.model in held.models:
            task = held.models[self.model].task()
        self.identity = check(held, self.model, task or Task(), self.url)
        self._marks.add(mark_of(reply))
        assert task is not None
        return task

    def again(self, reply: Any, task: Task) -> None:
        """The server's word once more; an error if it may not answer in the place of the first."""
        assert self.identity is not None
        found = check(from_json(reply, self.url), self.model, task, self.url)
        first = self.identity if self.same else self.identity._replace(weights=found.weights)
        refuse_another(found, first, self.url)
        self.identity = found
        self._marks.add(mark_of(reply))  # only now: one that was refused stays a stranger

    def stranger(self, headers: Mapping[str, str], *, opened: bool) -> bool:
        """Whether an answer may be another server's. Where a proxy takes the marks off, only one
        that was started again is noticed: it needs a new connection."""
        mark = headers.get(MARK, "")
        if self.identity is None:
            return False
        return mark not in self._marks if mark else opened and self.same
