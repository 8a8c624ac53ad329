"""What a server tells of its models while adapters come and go (vLLM's /v1/load_lora_adapter).

An adapter that is loaded by its folder in a run (`RUN/adapter`) is known by the run's manifest, as
one that the server was started with. Of any other it is told that nobody knows how it wants to be
asked, and clients refuse it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from semanticface.errors import BadInput
from semanticface.serve.identity import Identity, Served, mark_of, to_json
from semanticface.serve.target import identity_at, without_place


class Request(Protocol):
    """vLLM's word on an adapter, made anew at every loading."""

    lora_path: str


class Loaded:
    """The models of a server, as they are just now."""

    def __init__(self, started: Served, first: Mapping[str, Request]) -> None:
        self._started, self._first = started, dict(first)
        self._models = {n: each for n, each in started.models.items() if n not in first}
        self._unknown = {n: why for n, why in started.unknown.items() if n not in first}
        self._known: dict[str, tuple[Request, Identity | str]] = {}
        self._marked: tuple[dict[str, Request], str] | None = None

    def marked(self, requests: Mapping[str, Request]) -> str:
        """The mark of these adapters, if they were there the last time too; empty otherwise."""
        if self._marked is None or self._marked[0].keys() != requests.keys():
            return ""
        before, mark = self._marked
        return mark if all(before[name] is each for name, each in requests.items()) else ""

    def mark(self, requests: Mapping[str, Request]) -> str:
        """The mark of what `now` tells; of an adapter that is new, its files are read."""
        mark = mark_of(json.loads(to_json(self.now(requests))))
        self._marked = (dict(requests), mark)
        return mark

    def now(self, requests: Mapping[str, Request]) -> Served:
        """With these adapters loaded; one that was loaded anew is looked at again."""
        models, unknown = dict(self._models), dict(self._unknown)
        for name, request in requests.items():
            found = self._found(name, request)
            if isinstance(found, Identity):
                models[name] = found
            else:
                unknown[name] = found
        return replace(self._started, models=models, unknown=unknown)

    def _found(self, name: str, request: Request) -> Identity | str:
        if self._first.get(name) is request:
            told = self._started
            return told.models[name] if name in told.models else told.unknown.get(name, "")
        if name not in self._known or self._known[name][0] is not request:
            self._known[name] = (request, self._read(name, Path(request.lora_path)))
        return self._known[name][1]

    def _read(self, name: str, folder: Path) -> Identity | str:
        try:
            told = self._started
            return identity_at(name, folder, told.base, one_pass=told.one_pass, areas=told.areas)
        except BadInput as fault:
            return without_place(fault)
        except OSError as fault:
            return f"its files cannot be read: {fault.strerror}"
