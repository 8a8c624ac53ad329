"""Strict and fast reading of the JSON answer formats."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.language.description import FIELDS, Description
from semanticface.language.parsed import HIGH, LOW, STRICT, Parsed
from semanticface.rig import CHANNELS, COUNT

MAX_CHARS = 1_000_000
"""Longer texts are refused unread: a real answer has a few thousand characters."""


class StrictObject:
    """Turns a JSON object's pairs into values, or says what keeps it from being strict."""

    def __init__(self, listed: tuple[int, ...], *, sparse: bool = False) -> None:
        self.labels = tuple(CHANNELS[i].label for i in listed)
        self.indices = np.array(listed, dtype=np.intp)
        self.sparse = sparse
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
        if not ((array >= LOW[chosen]) & (array <= HIGH[chosen])).all():  # false for NaN as well
            return "a value out of its channel's range, or not finite"
        if np.signbit(array[array == 0]).any():
            return "a minus before zero"
        return self._spread(array, chosen)

    def exact(self, found: dict[str, float]) -> NDArray[np.float32]:
        """Values [61] of an object that the format's own pattern has matched."""
        array = np.fromiter(found.values(), np.float64, len(found))
        if not self.sparse:
            return self._spread(array, self.indices)
        return self._spread(array, self.indices[[self._position[name] for name in found]])

    def _spread(self, array: NDArray[np.float64], chosen: NDArray[Any]) -> NDArray[np.float32]:
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


def exact_flat(text: str, reader: StrictObject, key: str) -> Parsed:
    """Read an object of numbers whose every character has been matched."""
    return Parsed(reader.exact(json.loads(text)), None, STRICT, key)


def exact_two_key(text: str, reader: StrictObject, key: str) -> Parsed:
    """Read a two-key answer whose every character has been matched."""
    found = json.loads(text)
    return Parsed(reader.exact(found["arkit"]), Description(**found["analysis"]), STRICT, key)


_SPELLING = "other spacing or decimals than the format's, or an empty text"


def why_not_flat(text: str, reader: StrictObject) -> str:
    """What keeps a text from being exactly one object of numbers."""
    found = _decoded(text)
    values = found if isinstance(found, str) else reader.values(found)
    return values if isinstance(values, str) else _SPELLING


def why_not_two_key(text: str, reader: StrictObject) -> str:
    """What keeps a text from being exactly `{"analysis": {...}, "arkit": {...}}`."""
    found = _decoded(text)
    if isinstance(found, str):
        return found
    if tuple(found) != ("analysis", "arkit"):
        return "keys other than 'analysis' and 'arkit'"
    analysis, arkit = found["analysis"], found["arkit"]
    if not isinstance(analysis, dict) or tuple(analysis) != FIELDS:
        return "an analysis without its four fields in order"
    if set(map(type, analysis.values())) != {str}:
        return "an analysis field that is not text"
    values = reader.values(arkit) if isinstance(arkit, dict) else "an 'arkit' that is no object"
    return values if isinstance(values, str) else _SPELLING
