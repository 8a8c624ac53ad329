"""Several frames in one answer: how a window of a clip stands in text.

Three forms, all of whole hundredths and all of the channels that move in the window; a
channel that is not named is 0 throughout.

`frames`   JSON, a list for each channel:          {"jawOpen":[3,9,21,30],"mouthFunnel":[0,0,4,9]}
`keys`     JSON, changes only, frame and value:    {"jawOpen":{"0":3,"3":30}}
`codes`    the same by channel codes, both sides at once:  jo 0:3 3:30;mlb 0:9 3:2

Between keys a channel goes in straight lines; before the first and after the last it
stays. Keys are chosen so that no frame is off by more than `tolerance` (Ramer 1972, Douglas
and Peucker 1973); `reconstruction` says how far off a form really is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.rig import CHANNELS, COUNT, INDEX, NAMES, into_range

Values = NDArray[np.float32]
Form = Literal["frames", "keys", "codes"]
FORMS: tuple[Form, ...] = ("frames", "keys", "codes")
TOLERANCE = 0.03
_SCALE = 100
_CODE = re.compile(r"([a-z]+)((?: \d+:-?\d+)+)")
_NAMED = re.compile(r'"(\w+)":[\[{][^\]}]*[\]}]')
"""A channel of a JSON answer with its list or its keys."""
_KEY = re.compile(r" (\d+):(-?\d+)")
_MAX_TEXT = 200_000


class WindowRead(NamedTuple):
    """What an answer says."""

    values: Values | None
    """[N, 61], NaN for channels that were not asked for; None where it cannot be read."""
    why: str
    """Why not; empty where it can."""
    clamped: int = 0
    """Values brought to the edge of their range."""


class WindowForm(NamedTuple):
    """A form, its channels and how exact its keys are."""

    form: Form = "codes"
    channels: tuple[int, ...] = MOUTH_31
    tolerance: float = TOLERANCE

    def write(self, values: NDArray[np.floating[Any]]) -> str:
        """Values [N, 61] as text; NaN in a channel that is written is an error."""
        table = np.asarray(values, np.float64)
        gaps = np.isnan(table[:, list(self.channels)]).any(axis=0)
        if gaps.any():
            raise BadInput(f"no value of {NAMES[self.channels[int(np.flatnonzero(gaps)[0])]]}",
                           "all channels of the answer in every frame",
                           hint="Nothing is filled in: name channels that there are.")  # fmt: skip
        table = np.rint(table * _SCALE) / _SCALE
        moving = [i for i in self.channels if table[:, i].any()]
        if self.form == "codes":
            return ";".join(_coded(name, table[:, i], self.tolerance)
                            for name, i in _named(table, moving))  # fmt: skip
        if self.form == "keys":
            held = {NAMES[i]: {str(k): round(v * _SCALE) for k, v in
                               _keys(table[:, i], self.tolerance)} for i in moving}  # fmt: skip
            return json.dumps(held, separators=(",", ":"))
        return json.dumps({NAMES[i]: np.rint(table[:, i] * _SCALE).astype(int).tolist()
                           for i in moving}, separators=(",", ":"))  # fmt: skip

    def read(self, text: str, count: int) -> WindowRead:
        """Values [count, 61] of an answer, or why there are none."""
        if len(text) > _MAX_TEXT:
            return WindowRead(None, f"{len(text)} characters")
        reader: Callable[[str, int], dict[int, NDArray[np.float64]]]
        reader = {"frames": _of_frames, "keys": _of_keys, "codes": _of_codes}[self.form]
        try:
            found = reader(text.strip(), count)
        except (ValueError, KeyError, TypeError, RecursionError) as fault:
            return WindowRead(None, str(fault)[:200] or "not readable")
        stray = [NAMES[i] for i in found if i not in self.channels]
        if stray:
            return WindowRead(None, f"the channel {stray[0]}, which was not asked for")
        values = np.full((count, COUNT), np.nan, np.float32)
        values[:, list(self.channels)] = 0
        for i, column in found.items():
            values[:, i] = column / _SCALE
        ranged = into_range(values)
        return WindowRead(ranged.values, "", ranged.moved)


class Written(Protocol):
    """A form of answers, here or in `mouth_shapes`."""

    @property
    def channels(self) -> tuple[int, ...]:
        """What it tells."""
        ...

    def write(self, values: NDArray[np.floating[Any]]) -> str:
        """Values [N, 61] as text."""
        ...

    def read(self, text: str, count: int) -> WindowRead:
        """The same back."""
        ...


class Reconstruction(NamedTuple):
    """How far a form's text is from what it was written of."""

    mae: float
    worst: float


class Span(NamedTuple):
    """A part of an answer's text and the channels that it is about."""

    channels: frozenset[int]
    start: int
    end: int


def spans_of(form: str, text: str) -> list[Span]:
    """Where in an answer its channels stand, names, keys and values."""
    if form == "codes":
        return [Span(frozenset(_BY_CODE[found[1]]), *found.span())
                for found in _CODE.finditer(text)]  # fmt: skip
    return [Span(frozenset({INDEX[found[1]]}), *found.span()) for found in _NAMED.finditer(text)]


def reconstruction(form: Written, windows: Sequence[Values]) -> Reconstruction:
    """Mean and largest absolute error after writing and reading, over the form's channels."""
    errors = []
    for window in windows:
        read = form.read(form.write(window), len(window))
        if read.values is None:
            raise BadInput(f"an answer that cannot be read back: {read.why}", "the window again")
        columns = list(form.channels)
        errors.append(np.abs(read.values[:, columns] - window[:, columns]).ravel())
    told = np.concatenate(errors)
    return Reconstruction(float(told.mean()), float(told.max()))


def _keys(line: NDArray[np.float64], tolerance: float) -> list[tuple[int, float]]:
    """Frames and values between which straight lines stay within `tolerance`."""
    kept = {0, len(line) - 1}
    open_spans = [(0, len(line) - 1)]
    while open_spans:
        low, high = open_spans.pop()
        if high - low < 2:
            continue
        way = np.interp(np.arange(low, high + 1), (low, high), (line[low], line[high]))
        off = np.abs(line[low : high + 1] - way)
        worst = int(off.argmax())
        if off[worst] > tolerance + 1e-9:
            kept.add(low + worst)
            open_spans += [(low, low + worst), (low + worst, high)]
    found = [(k, float(line[k])) for k in sorted(kept)]
    if all(abs(value - found[0][1]) <= 1e-9 for _, value in found):
        return found[:1]
    return found


def _coded(name: str, line: NDArray[np.float64], tolerance: float) -> str:
    keys = " ".join(f"{k}:{round(v * _SCALE)}" for k, v in _keys(line, tolerance))
    return f"{name} {keys}"


def _named(table: NDArray[np.float64], moving: list[int]) -> list[tuple[str, int]]:
    """Codes with a channel that has their numbers; `b` for both sides where they are equal."""
    named, done = [], set[int]()
    for i in moving:
        if i in done:
            continue
        partner = INDEX[CHANNELS[i].mirror]
        both = i in _SIDED and partner in moving
        if both and np.array_equal(table[:, i], table[:, partner]):
            named.append((CHANNELS[i].code[:-1] + "b", i))
            done.add(partner)
        else:
            named.append((CHANNELS[i].code, i))
    return named


_SIDED = frozenset(c.index for c in CHANNELS if c.side != "centre" and c.unit == "weight")
_BY_CODE: dict[str, tuple[int, ...]] = {
    **{CHANNELS[i].code[:-1] + "b": (i, INDEX[CHANNELS[i].mirror]) for i in _SIDED},
    **{each.code: (each.index,) for each in CHANNELS},
}  # fmt: skip


def _of_codes(text: str, count: int) -> dict[int, NDArray[np.float64]]:
    found: dict[int, NDArray[np.float64]] = {}
    for part in text.split(";") if text else ():
        match = _CODE.fullmatch(part.strip())
        if match is None or match[1] not in _BY_CODE:
            raise ValueError(f"'{part.strip()[:40]}' is no code with its keys")
        keys = {int(k): float(v) for k, v in _KEY.findall(match[2])}
        for i in _BY_CODE[match[1]]:
            _add(found, i, _line(keys, count))
    return found


def _of_keys(text: str, count: int) -> dict[int, NDArray[np.float64]]:
    found: dict[int, NDArray[np.float64]] = {}
    for name, keys in _object(text).items():
        if not isinstance(keys, dict):
            raise ValueError(f"{name} without keys")  # noqa: TRY004 (a fault of the answer)
        _add(found, INDEX[name], _line({int(k): _number(v) for k, v in keys.items()}, count))
    return found


def _of_frames(text: str, count: int) -> dict[int, NDArray[np.float64]]:
    found: dict[int, NDArray[np.float64]] = {}
    for name, listed in _object(text).items():
        if not isinstance(listed, list) or len(listed) != count:
            raise ValueError(f"{name} without its {count} frames")
        _add(found, INDEX[name], np.array([_number(each) for each in listed]))
    return found


def _object(text: str) -> dict[str, Any]:
    held = json.loads(text)
    if not isinstance(held, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 (a fault of the answer)
    return held


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e6:
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _add(found: dict[int, NDArray[np.float64]], i: int, line: NDArray[np.float64]) -> None:
    if i in found:
        raise ValueError(f"{NAMES[i]} twice")
    found[i] = line


def _line(keys: dict[int, float], count: int) -> NDArray[np.float64]:
    if not keys or min(keys) < 0 or max(keys) >= count:
        raise ValueError(f"keys outside the {count} frames")
    at = sorted(keys)
    return np.interp(np.arange(count), at, [keys[k] for k in at])
