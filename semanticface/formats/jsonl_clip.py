"""This project's own clip as JSON lines: readable, greppable, without loss.

    {"semanticface": "clip/1", "rig": "arkit61/1", "names": [...], "extra": [...], "meta": {...}}
    {"time": 0.0, "values": [...], "extra": [...]}

`names` are the channels that are present, `values` follow them, null is a value
that was not measured. Numbers have the fewest digits that read back to the same
float32; times are float64. Angles are radians with the rig's signs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.formats import json_lines
from semanticface.formats.bounds import check_texts
from semanticface.formats.frames import check_times
from semanticface.formats.json_lines import PathLike, shortest
from semanticface.rig import INDEX, RIG_VERSION, ClipMeta, FaceClip, read_header

SCHEMA = "clip/1"
_INT64 = 2**63


def read(path: PathLike) -> FaceClip:
    """Read what `write` wrote."""
    rows = json_lines.objects(path)
    row, header = next(rows, (1, {}))
    names, extra = _header(header, path, row)
    times: list[float] = []
    values: list[list[float]] = []
    columns: list[list[Any]] = []
    lines: list[int] = []
    for row, frame in rows:
        times.append(json_lines.number(frame.get("time"), file=path, row=row, column="time"))
        values.append(_values(frame, names, path, row))
        columns.append(_extra(frame, extra, path, row))
        lines.append(row)
    held = {name: [each[j] for each in columns] for j, name in enumerate(extra)}
    check_texts(held, lines, file=path)
    try:
        table = np.array(values, dtype=np.float64).reshape(len(values), len(names))
        return FaceClip.from_columns(
            names, table, check_times(times, first_row=2), _meta(header, path),
            {name: _column(cells) for name, cells in held.items()},
        )  # fmt: skip
    except BadInput as fault:
        raise fault.at(file=path) from None


def write(clip: FaceClip, path: PathLike) -> tuple[str, ...]:
    """Write a clip; nothing is lost."""
    json_lines.write_lines(path, _records(clip))
    return ()


def _records(clip: FaceClip) -> Iterator[dict[str, Any]]:
    yield {
        "semanticface": SCHEMA,
        "rig": RIG_VERSION,
        "names": list(clip.names),
        "extra": list(clip.extra),
        "meta": json.loads(clip.meta.to_json()),
    }
    indices = [INDEX[name] for name in clip.names]
    for i, time in enumerate(clip.times):
        frame: dict[str, Any] = {
            "time": float(time),
            "values": [shortest(clip.values[i, j]) for j in indices],
        }
        if clip.extra:
            frame["extra"] = [_plain(column[i]) for column in clip.extra.values()]
        yield frame


def _plain(value: Any) -> Any:
    """A cell of an extra column as JSON; NaN is null."""
    held = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(held, float) and np.isnan(held) else held


def _header(header: dict[str, Any], path: PathLike, row: int) -> tuple[list[str], list[str]]:
    if header.get("semanticface") != SCHEMA:
        raise BadInput(
            f"a first line with {list(header)[:5]}", f'"semanticface": "{SCHEMA}"',
            file=path, row=row,
        )  # fmt: skip
    if header.get("rig") != RIG_VERSION:
        found = f"the rig {json_lines.shown(header.get('rig'))}"
        raise BadInput(found, f"'{RIG_VERSION}'", file=path, row=row)
    names = json_lines.names(header.get("names"), file=path, row=row)
    extra = json_lines.names(header.get("extra", []), file=path, row=row)
    if unknown := read_header(names).unknown:
        raise BadInput(f"the names {list(unknown)}", "names of channels", file=path, row=row)
    return names, extra


def _meta(header: dict[str, Any], path: PathLike) -> ClipMeta:
    try:
        return ClipMeta.from_json(json.dumps(header.get("meta", {})))
    except (TypeError, SemanticFaceError) as fault:
        raise BadInput(f"a broken meta ({fault})", "a clip's meta", file=path, row=1) from None


def _values(frame: dict[str, Any], names: list[str], path: PathLike, row: int) -> list[float]:
    given = json_lines.sequence(frame.get("values"), "a list of values", file=path, row=row)
    if len(given) != len(names):
        raise BadInput(f"{len(given)} values", f"{len(names)}, one a name", file=path, row=row)
    return [
        json_lines.number_or_nan(value, file=path, row=row, column=name)
        for value, name in zip(given, names, strict=True)
    ]


def _extra(frame: dict[str, Any], extra: list[str], path: PathLike, row: int) -> list[Any]:
    given = json_lines.sequence(frame.get("extra", []), file=path, row=row)
    if len(given) != len(extra):
        raise BadInput(f"{len(given)} extra values", f"{len(extra)}", file=path, row=row)
    for value in given:
        if isinstance(value, dict | list):
            raise BadInput("a structure", "a number or text", file=path, row=row, column="extra")
        if isinstance(value, int) and abs(value) >= _INT64:
            raise BadInput("a longer integer", "one of 64 bits", file=path, row=row, column="extra")
    return given


def _column(cells: list[Any]) -> NDArray[Any]:
    """Numbers where all cells are numbers or null, otherwise what they are."""
    numeric = all(cell is None or isinstance(cell, int | float) for cell in cells)
    plain = numeric and not any(cell is None or isinstance(cell, bool) for cell in cells)
    if plain:
        return np.array(cells)
    if numeric and not any(isinstance(cell, bool) for cell in cells):
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    return np.array(["" if cell is None else cell for cell in cells])
