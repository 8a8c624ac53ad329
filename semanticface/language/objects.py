"""Finding a face among the JSON objects of a text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from semanticface.rig import find

MAX_OBJECTS = 5000
_MAX_FAILURES = 400
_MAX_DEPTH = 6


class Pairs(list[tuple[str, Any]]):
    """A JSON object with its duplicates kept."""


class NotFinite:
    """What NaN or Infinity in an answer becomes."""


class Span(NamedTuple):
    """An object of the text and where it begins and ends."""

    pairs: Pairs
    begin: int
    end: int


@dataclass(frozen=True)
class Face:
    """An object that gives channels numbers, and the keys that lead to it."""

    path: tuple[str, ...]
    pairs: Pairs
    count: int
    """How many channels it gives something like a number."""

    @property
    def keyframe(self) -> str | None:
        """The answer's own name for the frame, such as `Keyframe_one`."""
        return next((key for key in reversed(self.path) if KEYFRAME.fullmatch(key)), None)


KEYFRAME = re.compile(r"(?i)key_?frame[\w -]{0,24}")
_DECODER = json.JSONDecoder(object_pairs_hook=Pairs, parse_constant=lambda _: NotFinite())


def spans(text: str) -> list[Span]:
    """The outermost JSON objects in a text, in order."""
    found: list[Span] = []
    failures, at = 0, text.find("{")
    while at >= 0 and failures < _MAX_FAILURES and len(found) < MAX_OBJECTS:
        try:
            pairs, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            failures += 1
            at = text.find("{", at + 1)
        else:
            found.append(Span(pairs, at, end))
            at = text.find("{", end)
    return found


def faces(objects: list[Span]) -> list[Face]:
    """Every object, at whatever depth, that gives channels numbers."""
    return [face for span in objects for face in _faces(span.pairs, (), 0)]


def _faces(node: Any, path: tuple[str, ...], depth: int) -> Iterator[Face]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(node, Pairs):
        if count := len({find(key) for key, value in node if _like_a_number(value)} - {None}):
            yield Face(path, node, count)
        for key, value in node:
            yield from _faces(value, (*path, key), depth + 1)
    elif isinstance(node, list):
        for value in node[:MAX_OBJECTS]:
            yield from _faces(value, path, depth + 1)


def _like_a_number(value: Any) -> bool:
    if isinstance(value, str):
        return number_in(value) is not None
    return isinstance(value, float | int | NotFinite) and not isinstance(value, bool)


def number_in(text: str) -> float | None:
    """The number that a piece of text is, or None."""
    return float(text) if re.fullmatch(r"\s{0,4}-?\d{1,6}(?:\.\d{1,20})?\s{0,4}", text) else None


def walk(node: Any, depth: int = 0) -> Iterator[Pairs]:
    """Every object at or below `node`."""
    if depth > _MAX_DEPTH or not isinstance(node, list):
        return
    if isinstance(node, Pairs):
        yield node
    for value in [v for _, v in node] if isinstance(node, Pairs) else node[:MAX_OBJECTS]:
        yield from walk(value, depth + 1)


def plain(value: Any) -> Any:
    """Pairs as ordinary dictionaries."""
    if isinstance(value, Pairs):
        return {key: plain(part) for key, part in value}
    return [plain(part) for part in value] if isinstance(value, list) else value


def without(text: str, objects: list[Span]) -> str:
    """The text with its whole objects cut out."""
    pieces, at = [], 0
    for span in objects:
        pieces.append(text[at : span.begin])
        at = span.end
    return "\n".join([*pieces, text[at:]])
