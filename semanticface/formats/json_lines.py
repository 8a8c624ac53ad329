"""JSON files and JSON lines, read strictly and with row numbers.

What Python's `json` lets through and a number of a face must not be is refused:
NaN and Infinity, the same name twice in one object, true and false as numbers,
numbers too large for float32. Files are bounded, and text nested so deep that
the parser gives up is an error like any other.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np

from semanticface.atomic import whole_file
from semanticface.errors import BadInput
from semanticface.formats.bounds import MAX_COLUMNS, check_cell, first_double

PathLike: TypeAlias = str | os.PathLike[str]
MAX_BYTES = 512 * 2**20
"""The largest file read whole, unless the caller allows more."""
MAX_LINE = 64 * 2**20
"""The longest single line of a JSON lines file."""
_F32_MAX = float(np.finfo(np.float32).max)

_HUGE = re.compile(r"[eE]\+?\d{3}|\d{200}")
"""Stands in every text with a number past float64, and in hardly any other."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


def parse(text: str, *, file: object = None, row: int | None = None) -> Any:
    """One JSON value; `file` and `row` are named if it is broken."""
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_no_constant,
            parse_float=_finite if _HUGE.search(text) else None,
        )  # fmt: skip
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except BadInput as fault:
        raise fault.at(file=file, row=row) from None
    except RecursionError:
        raise BadInput("JSON nested too deep", "a flat record", file=file, row=row) from None
    except UnicodeEncodeError:
        raise BadInput("half a character (a lone surrogate)", "text", file=file, row=row) from None
    except json.JSONDecodeError as fault:
        found = f"no JSON at character {fault.pos} ({fault.msg})"
        raise BadInput(found, "a JSON value", file=file, row=row) from None
    except ValueError:  # Python refuses integers of more than 4,300 digits
        raise BadInput("an endless integer", "a number", file=file, row=row) from None


def load(path: PathLike, *, max_bytes: int = MAX_BYTES) -> Any:
    """The one JSON value of a file."""
    return parse(read_text(path, max_bytes=max_bytes), file=path)


def read_text(path: PathLike, *, max_bytes: int = MAX_BYTES) -> str:
    """A file's text, which must be UTF-8 (with or without a mark) and not larger."""
    data = read_bytes(path, max_bytes=max_bytes)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise BadInput(f"a byte at {fault.start} that is not UTF-8", "text", file=path) from None


def read_bytes(path: PathLike, *, max_bytes: int = MAX_BYTES) -> bytes:
    """A file's bytes, refused if there are more than `max_bytes`."""
    with Path(path).open("rb") as stream:
        data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise BadInput(
            "a larger file",
            f"at most {max_bytes:,} bytes",
            file=path,
            hint="Allow more by max_bytes.",
        )
    return data


def lines(path: PathLike, *, max_line: int = MAX_LINE) -> Iterator[tuple[int, Any]]:
    """(row, value) of each line that is not blank, one line in memory at a time."""
    with Path(path).open("rb") as stream:
        for row, data in _bounded_lines(stream, path, max_line):
            try:
                text = data.decode("utf-8-sig" if row == 1 else "utf-8").strip()
            except UnicodeDecodeError:
                raise BadInput("bytes that are not UTF-8", "JSON", file=path, row=row) from None
            if text:
                yield row, parse(text, file=path, row=row)


def objects(path: PathLike, *, max_line: int = MAX_LINE) -> Iterator[tuple[int, dict[str, Any]]]:
    """Like `lines`, where every line must be an object."""
    for row, value in lines(path, max_line=max_line):
        yield row, mapping(value, file=path, row=row)


def mapping(
    value: object, what: str = "an object", *, file: object = None, row: int | None = None
) -> dict[str, Any]:
    """`value` if it is a JSON object, else an error that names the place."""
    if not isinstance(value, dict):
        raise BadInput(shown(value), what, file=file, row=row)
    return value


def sequence(
    value: object, what: str = "a list", *, file: object = None, row: int | None = None
) -> list[Any]:
    """`value` if it is a JSON list, else an error that names the place."""
    if not isinstance(value, list):
        raise BadInput(shown(value), what, file=file, row=row)
    return value


def number(
    value: object, *, file: object = None, row: int | None = None, column: str | None = None
) -> float:
    """`value` as a number a float32 can hold; true, "0.5" and null are none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not _fits(value):
        raise BadInput(shown(value), "a number", file=file, row=row, column=column)
    return float(value)


def number_or_nan(
    value: object, *, file: object = None, row: int | None = None, column: str | None = None
) -> float:
    """Like `number`, where null means that nothing was measured."""
    return float("nan") if value is None else number(value, file=file, row=row, column=column)


def names(
    value: object, *, file: object = None, row: int | None = None, most: int = MAX_COLUMNS
) -> list[str]:
    """`value` if it is a list of at most `most` strings, no two alike."""
    listed = sequence(value, "a list of names", file=file, row=row)
    for name in listed:
        if not isinstance(name, str):
            raise BadInput(shown(name), "a name", file=file, row=row)
        check_cell(name, file=file, row=row, column=name)
    if len(listed) > most:
        raise BadInput(f"{len(listed):,} names", f"at most {most:,}", file=file, row=row)
    if (double := first_double(listed)) is not None:
        raise BadInput(f"the name '{double}' twice", "each name once", file=file, row=row)
    return listed


def shortest(value: np.float32) -> float | None:
    """The number with the fewest digits that reads back as this float32; None for NaN."""
    if np.isnan(value):
        return None
    short = float(str(value))
    return short if np.float32(short) == value else float(value)


def dump(value: object) -> str:
    """One line of JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))


def write_lines(path: PathLike, records: Iterable[Mapping[str, Any]]) -> int:
    """Write one object a line, whole or not at all; return how many."""
    count = 0
    with (
        whole_file(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        for record in records:
            stream.write(dump(record) + "\n")
            count += 1
    return count


def shown(value: object) -> str:
    """A value as an error message shows it: short."""
    text = json.dumps(value, ensure_ascii=False, default=str) if _shallow(value) else "a structure"
    return text if len(text) <= 60 else text[:57] + "..."


def _fits(value: float) -> bool:
    return abs(value) <= _F32_MAX  # False for NaN too


def _shallow(value: object) -> bool:
    return not isinstance(value, dict | list) or len(value) == 0


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) != len(pairs):
        seen: set[str] = set()
        double = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise BadInput(f"the name '{double[:60]}' twice in one object", "each name once")
    return held


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise BadInput(f"the number {text[:40]}", "one that a float64 can hold")
    return value


def _no_constant(text: str) -> Any:
    raise BadInput(text, "a number", hint="A value that was not measured is null.")


def _bounded_lines(stream: IO[bytes], path: PathLike, max_line: int) -> Iterator[tuple[int, bytes]]:
    row = 0
    while data := stream.readline(max_line + 1):
        row += 1
        if len(data) > max_line:
            raise BadInput("a longer line", f"at most {max_line:,} bytes", file=path, row=row)
        yield row, data
