"""Animation CSV of NVIDIA Audio2Face-3D: `timeCode,blendShapes.EyeBlinkLeft,...`.

Columns come in any order; a nameless first column (a row number, as pandas
writes it) is skipped, columns that name no channel are kept as extra columns,
and an empty cell is a missing value. Audio2Face has 52 shapes and no rotations;
this writer adds the rotations a clip has as `rotations.HeadYaw` and so on, in
radians, so that a take survives the way there and back.

Times are seconds. NVIDIA's files begin at zero; a take's times are the clock of
the device. By default they are written as they are, so nothing is lost;
`start="zero"` writes what tools for Audio2Face expect. Numbers are written with
the fewest digits that read back to the same value.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from semanticface.atomic import write_text
from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.formats.bounds import check_cell, check_columns, check_texts, first_double
from semanticface.formats.frames import (
    SHAPES,
    check_times,
    left_out,
    missing_note,
    not_carried,
    start_dropped,
)
from semanticface.formats.json_lines import MAX_BYTES, PathLike, shortest
from semanticface.rig import INDEX, ClipMeta, FaceClip, channel, read_header

Start: TypeAlias = Literal["keep", "zero"]
_TIME = "timeCode"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def read(
    path: PathLike,
    *,
    clock: Literal["start", "timecode"] = "start",
    max_bytes: int = MAX_BYTES,
) -> FaceClip:
    """Read an Audio2Face-3D CSV.

    `clock`: `timecode` if the times are known to be seconds of the day, as in a
    file written from a take with `start="keep"`.
    """
    text = json_lines.read_text(path, max_bytes=max_bytes)
    header, rows = _table(text, path)
    at = _time_column(header, path)
    times = [_cell(cells[at], path, row, _TIME) for row, cells in rows]
    if np.isnan(times).any():
        row = rows[int(np.flatnonzero(np.isnan(times))[0])][0]
        raise BadInput("an empty time", "seconds", file=path, row=row, column=_TIME)
    kept = [j for j, label in enumerate(header) if j != at and (label or j)]
    labels = [header[j] for j in kept]
    try:
        columns = read_header(labels)
    except BadInput as fault:
        raise fault.at(file=path, row=1) from None
    extra = _extras(
        {
            header[j]: [cells[j] for _, cells in rows]
            for j, index in zip(kept, columns.channel_of, strict=True)
            if index is None
        },
        [row for row, _ in rows],
        path,
    )
    known = [j for j in kept if header[j] not in extra]
    table = np.array(
        [[_cell(cells[j], path, row, header[j]) for j in known] for row, cells in rows]
    ).reshape(len(rows), len(known))
    meta = ClipMeta(Path(path).name, "audio2face", clock=clock)
    try:
        stamps = check_times(times, first_row=2)
        return FaceClip.from_columns([header[j] for j in known], table, stamps, meta, extra)
    except BadInput as fault:
        raise fault.at(file=path) from None


def write(clip: FaceClip, path: PathLike, *, start: Start = "keep") -> tuple[str, ...]:
    """Write a clip as an Audio2Face-3D CSV.

    `start`: `keep` writes the clip's own times, `zero` subtracts the first.
    """
    if start not in ("keep", "zero"):
        raise BadInput(f"start '{start}'", "'keep' or 'zero'")
    times = clip.from_zero().times if start == "zero" else clip.times
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_TIME, *(_label(name) for name in clip.names), *clip.extra])
    indices = [INDEX[name] for name in clip.names]
    for i, time in enumerate(times):
        cells = [_shown(shortest(clip.values[i, j])) for j in indices]
        writer.writerow(
            [repr(float(time)), *cells, *(_text(col[i]) for col in clip.extra.values())]
        )
    write_text(path, stream.getvalue())
    return (*_notes(clip, start), *missing_note(clip, "empty cells"))


def _notes(clip: FaceClip, start: Start) -> tuple[str, ...]:
    notes = list(start_dropped(clip)) if start == "zero" else []
    if start == "keep" and start_dropped(clip):
        notes.append(
            f"times begin at {clip.times[0]:.6f} as in the clip; Audio2Face files begin at 0 "
            "(start=zero)"
        )
    if turns := [name for name in clip.names if name not in SHAPES]:
        notes.append(f"columns that Audio2Face does not have: {', '.join(turns)}")
    return (*notes, *left_out(clip, clip.names), *not_carried(clip, extra=True))


def _label(name: str) -> str:
    prefix = "blendShapes" if name in SHAPES else "rotations"
    return f"{prefix}.{channel(name).label}"


def _shown(value: float | None) -> str:
    return "" if value is None else repr(value)


def _text(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else repr(float(value))
    return str(value)


def _table(text: str, path: PathLike) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header, and (line, cells) of each row, all of the header's width."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        header = [label.strip() for label in next(reader, [])]
        check_columns(len(header), file=path, row=1)
        for label in header:
            check_cell(label, file=path, row=1, column=label)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise BadInput(
                    f"{len(cells)} cells", f"{len(header)}, one a column of the header",
                    file=path, row=reader.line_num,
                )  # fmt: skip
            rows.append((reader.line_num, cells))
    except csv.Error as fault:
        raise BadInput(f"broken CSV ({fault})", "commas", file=path, row=reader.line_num) from None
    return header, rows


def _time_column(header: list[str], path: PathLike) -> int:
    found = [j for j, label in enumerate(header) if label.lower() == _TIME.lower()]
    if len(found) != 1:
        raise BadInput(
            f"{len(found)} columns called {_TIME} among {header[:4]}", "one", file=path, row=1
        )
    if (double := first_double(header)) is not None:
        raise BadInput(f"the column '{double}' twice", "each once", file=path, row=1)
    return found[0]


def _cell(text: str, path: PathLike, row: int, column: str) -> float:
    value = _number(text.strip())
    if value is None:
        raise BadInput(f"'{text[:40]}'", "a number", file=path, row=row, column=column)
    return value


def _number(text: str) -> float | None:
    """The number a cell holds, NaN if it is empty, None if it is anything else."""
    if not text:
        return float("nan")
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) <= np.finfo(np.float32).max else None


def _extras(
    columns: dict[str, list[str]], rows: list[int], path: PathLike
) -> dict[str, NDArray[Any]]:
    """Columns that are no channels: numbers where all of it is, otherwise their text."""
    numbers = {label: _numbers(cells) for label, cells in columns.items()}
    texts = {label: cells for label, cells in columns.items() if numbers[label] is None}
    check_texts(texts, rows, file=path)
    return {
        label: np.array(texts[label]) if held is None else held for label, held in numbers.items()
    }


def _numbers(cells: list[str]) -> NDArray[np.float64] | None:
    """A column of numbers, None if a cell holds anything else."""
    numbers = [_number(cell.strip()) for cell in cells]
    return None if None in numbers else np.array(numbers, dtype=np.float64)
