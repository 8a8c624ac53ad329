"""Strict and fast reading of the JSON answer formats."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.language.description import FIELDS, Description
from semanticface.language.parsed import HIGH, LOW, STRICT, Parsed, nothing
from semanticface.rig import CHANNELS, COUNT

MAX_CHARS = 1_000_000
"""Longer texts are refused unread: a real answer has a few thousand characters."""


class StrictObject:
    """Turns a JSON object's pairs into values, or says why it is not strict."""

    def __init__(self, listed: tuple[int, ...], *, sparse: bool = False) -> None:
        self.labels = tuple(CHANNELS[i].label for i in listed)
        self.indices = np.array(listed)
        self.sparse = sparse
        self._bounds = (LOW[self.indices], HIGH[self.indices])
        self._position = {label: n for n, label in enumerate(self.labels)}

    def values(self, found: dict[str, Any]) -> NDArray[np.float32] | str:
        """Values [61], or a sentence about the first thing that is not strict."""
        if set(map(type, found.values())) - {float, int}:
            return "a value that is not a number"
        names = tuple(found)
        if names == self.labels:
            chosen = self.indices
        elif self.sparse:
            places = [self._position.get(name, -1) for name in names]
            if -1 in places or any(a >= b for a, b in pairwise(places)):
                return "names that are unknown or out of order"
            chosen = self.indices[places] if places else self.indices[:0]
        else:
            return "names that are not exactly the listed ones in their order"
        return self._placed(list(found.values()), chosen)

    def _placed(self, numbers: list[float], chosen: NDArray[Any]) -> NDArray[np.float32] | str:
        try:
            array = np.array(numbers, dtype=np.float64)
        except OverflowError:
            return "a number too large to be one"
        bounds = self._bounds if chosen is self.indices else (LOW[chosen], HIGH[chosen])
        if not ((array >= bounds[0]) & (array <= bounds[1])).all():  # false for NaN as well
            return "a value out of its channel's range, or not finite"
        if np.signbit(array).any() and np.signbit(array[array == 0]).any():
            return "a minus before zero"
        values = np.full(COUNT, np.nan, dtype=np.float32)
        if self.sparse:
            values[self.indices] = 0.0
        values[chosen] = array
        return values


class _NotStrictError(ValueError):
    pass


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotStrictError("a name given twice")
    return found


def _constant(name: str) -> float:
    raise _NotStrictError(f"the value {name}")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant)


def _decoded(text: str) -> dict[str, Any] | str:
    """The text's JSON object, or why it is not exactly one."""
    if len(text) > MAX_CHARS:
        return f"{len(text)} characters, more than an answer can have"
    if not (text.startswith("{") and text.endswith("}")):
        return "text before or after the object"
    try:
        found: dict[str, Any] = _DECODER.decode(text)
    except _NotStrictError as error:
        return str(error)
    except (ValueError, RecursionError) as error:
        return f"not JSON ({error})"
    return found


def read_flat(text: str, reader: StrictObject, key: str) -> Parsed:
    """A text that is exactly one object of numbers."""
    found = _decoded(text)
    values = found if isinstance(found, str) else reader.values(found)
    if isinstance(values, str):
        return nothing(values, channels=tuple(reader.indices.tolist()))
    return Parsed(values, None, STRICT, key)


def read_two_key(text: str, reader: StrictObject, key: str) -> Parsed:
    """A text that is exactly `{"analysis": {...}, "arkit": {...}}`."""
    channels = tuple(reader.indices.tolist())
    found = _decoded(text)
    if isinstance(found, str):
        return nothing(found, channels=channels)
    if tuple(found) != ("analysis", "arkit"):
        return nothing("keys other than 'analysis' and 'arkit'", channels=channels)
    analysis, arkit = found["analysis"], found["arkit"]
    if not isinstance(analysis, dict) or tuple(analysis) != FIELDS:
        return nothing("an analysis without its four fields in order", channels=channels)
    if set(map(type, analysis.values())) != {str}:
        return nothing("an analysis field that is not text", channels=channels)
    values = reader.values(arkit) if isinstance(arkit, dict) else "an 'arkit' that is no object"
    if isinstance(values, str):
        return nothing(values, channels=channels)
    return Parsed(values, Description(**analysis), STRICT, key)
