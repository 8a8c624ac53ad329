"""Azure speech visemes with blend shapes: 55 numbers a frame, 60 frames a second.

    {"FrameIndex": 0, "BlendShapes": [[55 numbers], ...]}

Each event of the speech service is one such object; a file holds one a line, or
a list of them. The 55 are the 52 shapes in Apple's order, then headRoll,
leftEyeRoll and rightEyeRoll, whose unit and sign are not documented: they are
taken as the rig's radians, and a convention says so. Time is the frame's number
over 60; frames between two events that nobody sent are a pause, not zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.formats.frames import SHAPES, clip_of_table, left_out, missing_note, not_carried
from semanticface.formats.json_lines import MAX_BYTES, PathLike, shortest
from semanticface.rig import INDEX, ClipMeta, FaceClip

RATE = 60
NAMES_55: tuple[str, ...] = (*SHAPES, "headRoll", "leftEyeRoll", "rightEyeRoll")
_MOST_FRAMES = 10**8
_TOLD = "rolls taken as radians (their unit and sign are not documented)"


def read(path: PathLike, *, max_bytes: int = MAX_BYTES) -> FaceClip:
    """Read viseme events; a number that is null everywhere is an absent channel."""
    rows: list[list[float]] = []
    at: list[int] = []
    for row, event in _events(path, max_bytes):
        begin = _frame_index(event, path, row)
        if at and begin <= at[-1]:
            raise BadInput(
                f"FrameIndex {begin} after frame {at[-1]}", "events that follow on",
                file=path, row=row,
            )  # fmt: skip
        frames = json_lines.sequence(event.get("BlendShapes"), "BlendShapes", file=path, row=row)
        for i, frame in enumerate(frames):
            rows.append(_numbers(frame, path, row))
            at.append(begin + i)
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(NAMES_55))
    kept = [j for j in range(len(NAMES_55)) if not len(rows) or not np.isnan(table[:, j]).all()]
    meta = ClipMeta(Path(path).name, "azure", base=RATE, conventions=(_TOLD,))
    times = [index / RATE for index in at]
    return clip_of_table([NAMES_55[j] for j in kept], table[:, kept], times, meta, file=path)


def write(clip: FaceClip, path: PathLike, *, frames_per_event: int = 30) -> tuple[str, ...]:
    """Write events as JSON lines, one list of at most `frames_per_event` frames each.

    Frames must lie on distinct sixtieths of a second counted from the first;
    a clip of another rate has to be resampled to 60 first.
    """
    if frames_per_event < 1:
        raise BadInput(f"{frames_per_event} frames an event", "at least 1")
    exact = (clip.times - clip.times[0]) * RATE if len(clip) else np.zeros(0)
    slots = np.round(exact).astype(np.int64)
    double = np.flatnonzero(np.diff(slots) == 0)
    if len(double):
        raise BadInput(
            "two frames in one sixtieth of a second", "at most 60 a second",
            row=int(double[0]) + 1, hint="Resample the clip to 60 frames a second first.",
        )  # fmt: skip
    json_lines.write_lines(path, _chunks(clip, slots.tolist(), frames_per_event))
    notes = []
    worst = float(np.abs(exact - slots).max(initial=0.0)) / RATE
    if worst > 1e-6:
        notes.append(f"times moved to sixtieths of a second, by at most {worst:.4f} seconds")
    if len(clip) and clip.times[0] != 0:
        notes.append(f"the start at {clip.times[0]:.6f} seconds is dropped: frames count from 0")
    if open_slots := int(slots[-1] + 1 - len(slots)) if len(slots) else 0:
        notes.append(f"{open_slots} sixtieths of a second have no frame and are left open")
    if absent := [name for name in NAMES_55 if name not in clip.names]:
        notes.append(f"null, since the clip does not have them: {', '.join(absent)}")
    return (
        *notes,
        *left_out(clip, NAMES_55),
        *missing_note(clip.select(*(n for n in clip.names if n in NAMES_55)), "null"),
        *not_carried(clip),
    )


def _chunks(clip: FaceClip, slots: list[int], most: int) -> Iterator[dict[str, Any]]:
    """Events of frames that follow on without a pause."""
    columns = [INDEX[name] for name in NAMES_55]
    frames = [[shortest(value) for value in row] for row in clip.values[:, columns]]
    begin = 0
    for i in range(1, len(slots) + 1):
        if i == len(slots) or slots[i] != slots[i - 1] + 1 or i - begin >= most:
            yield {"FrameIndex": slots[begin], "BlendShapes": frames[begin:i]}
            begin = i


def _events(path: PathLike, max_bytes: int) -> Iterator[tuple[int, dict[str, Any]]]:
    text = json_lines.read_text(path, max_bytes=max_bytes).lstrip()
    if text.startswith("["):
        held = json_lines.sequence(json_lines.parse(text, file=path), file=path)
        rows: Any = enumerate(held, start=1)
    else:
        rows = json_lines.lines(path)
    for row, event in rows:
        yield row, json_lines.mapping(event, "a viseme event", file=path, row=row)


def _frame_index(event: dict[str, Any], path: PathLike, row: int) -> int:
    index = event.get("FrameIndex")
    plain = isinstance(index, int) and not isinstance(index, bool)
    if not plain or not 0 <= index < _MOST_FRAMES:  # type: ignore[operator]
        raise BadInput(json_lines.shown(index), "a frame's number", file=path, row=row,
                       column="FrameIndex")  # fmt: skip
    return int(index)  # type: ignore[arg-type]


def _numbers(frame: object, path: PathLike, row: int) -> list[float]:
    numbers = json_lines.sequence(frame, "a list of 55 numbers", file=path, row=row)
    if len(numbers) != len(NAMES_55):
        raise BadInput(f"{len(numbers)} numbers", "55", file=path, row=row)
    return [
        json_lines.number_or_nan(value, file=path, row=row, column=name)
        for value, name in zip(numbers, NAMES_55, strict=True)
    ]
