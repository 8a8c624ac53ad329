"""Animation JSON of LAM-Audio2Expression and of the BEAT data set.

    {"names": [...], "metadata": {"fps": 30},
     "frames": [{"weights": [...], "time": 0.0, "rotation": []}]}

Weights are mapped by the names in the file: BEAT files have 51, LAM's 52, in
orders of their own. Times are seconds and are kept as they stand. A `rotation`
of three numbers a frame has no documented axes or unit, so it stays an extra
column `rotation.0` to `rotation.2` instead of becoming a head pose.

This writer adds the rotations a clip has to the names, in radians, and writes
null for a missing value; LAM's own readers expect neither, and the notes say so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semanticface.atomic import write_text
from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.formats.frames import (
    SHAPES,
    check_rate,
    clip_of_table,
    left_out,
    missing_note,
    not_carried,
)
from semanticface.formats.json_lines import MAX_BYTES, PathLike, shortest
from semanticface.rig import INDEX, ClipMeta, FaceClip

_ROTATION = "rotation."


def read(path: PathLike, *, rate: float | None = None, max_bytes: int = MAX_BYTES) -> FaceClip:
    """Read a LAM or BEAT animation.

    `rate` (frames a second) replaces `metadata.fps` where frames bear no time.
    """
    check_rate(rate)
    held = json_lines.mapping(json_lines.load(path, max_bytes=max_bytes), file=path)
    for key in ("names", "frames"):
        if key not in held:
            raise BadInput(f"keys {list(held)[:6]}", f"one called '{key}'", file=path)
    labels = json_lines.names(held["names"], file=path)
    frames = json_lines.sequence(held["frames"], file=path)
    fps = rate if rate is not None else _fps(held, path)
    rows = [_frame(frame, i, len(labels), fps, path) for i, frame in enumerate(frames)]
    turned = _rotation_width([row[2] for row in rows], path)
    table = np.array([row[1] + (row[2] or [np.nan] * turned) for row in rows], dtype=np.float64)
    columns = [*labels, *(f"{_ROTATION}{i}" for i in range(turned))]
    meta = ClipMeta(source=Path(path).name, format="lam", notes=_notes(held))
    times = [row[0] for row in rows]
    return clip_of_table(columns, table.reshape(len(rows), len(columns)), times, meta, file=path)


def write(
    clip: FaceClip, path: PathLike, *, rotations: bool = True, fps: float | None = None
) -> tuple[str, ...]:
    """Write a clip; `fps` is what the metadata says, otherwise the clip's own rate.

    `rotations=False` leaves the nine rotations out, for tools that take the 52
    shapes only.
    """
    kept = [name for name in clip.names if rotations or name in SHAPES]
    turned = [name for name in clip.extra if name.startswith(_ROTATION)]
    rest = {name: column for name, column in clip.extra.items() if name not in turned}
    frames = [
        {
            "weights": [shortest(value) for value in row],
            "time": float(time),
            "rotation": [_plain(clip.extra[name][i]) for name in turned],
        }
        for i, (time, row) in enumerate(
            zip(clip.times, clip.values[:, _indices(kept)], strict=True)
        )
    ]
    held = {"names": kept, "metadata": _metadata(clip, fps), "frames": frames}
    write_text(path, json_lines.dump(held) + "\n")
    lost_extra = (f"extra columns left out: {', '.join(rest)}",) if rest else ()
    return (
        *left_out(clip, kept),
        *lost_extra,
        *missing_note(clip, "null, which LAM's own readers do not expect"),
        *not_carried(clip, extra=True),
    )


def _indices(kept: list[str]) -> list[int]:
    return [INDEX[name] for name in kept]


def _metadata(clip: FaceClip, fps: float | None) -> dict[str, Any]:
    rate = fps if fps is not None else clip.rate
    meta: dict[str, Any] = {"frame_count": len(clip)}
    return meta if np.isnan(rate) else {"fps": rate, **meta}


def _plain(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def _fps(held: dict[str, Any], path: PathLike) -> float | None:
    metadata = json_lines.mapping(held.get("metadata", {}), file=path)
    if metadata.get("fps") is None:
        return None
    fps = json_lines.number(metadata["fps"], file=path, column="metadata.fps")
    if fps <= 0:
        raise BadInput(f"{fps:g} frames a second", "more than none", file=path)
    return fps


def _frame(
    frame: object, i: int, width: int, fps: float | None, path: PathLike
) -> tuple[float, list[float], list[float]]:
    """(time, weights, rotation) of frame i, counted from 1 in messages."""
    held = json_lines.mapping(frame, file=path, row=i + 1)
    weights = json_lines.sequence(held.get("weights"), "a list of weights", file=path, row=i + 1)
    if len(weights) != width:
        raise BadInput(
            f"{len(weights)} weights", f"{width}, one a name", file=path, row=i + 1,
            hint="Rows count frames from 1.",
        )  # fmt: skip
    values = [json_lines.number_or_nan(value, file=path, row=i + 1) for value in weights]
    turned = json_lines.sequence(held.get("rotation") or [], file=path, row=i + 1)
    return (
        _time(held, i, fps, path),
        values,
        [json_lines.number_or_nan(value, file=path, row=i + 1) for value in turned],
    )


def _time(held: dict[str, Any], i: int, fps: float | None, path: PathLike) -> float:
    if "time" in held:
        return json_lines.number(held["time"], file=path, row=i + 1, column="time")
    if fps is None:
        raise BadInput(
            "neither a time nor metadata.fps", "one of them", file=path, row=i + 1,
            hint="Give the frame rate by rate.",
        )  # fmt: skip
    return i / fps


def _rotation_width(rotations: list[list[float]], path: PathLike) -> int:
    """How many numbers a rotation has: the same in every frame that has one."""
    width = max((len(each) for each in rotations), default=0)
    for i, each in enumerate(rotations):
        if each and len(each) != width:
            raise BadInput(f"a rotation of {len(each)} numbers", f"{width}", file=path, row=i + 1)
    return width


def _notes(held: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": held["metadata"]} if held.get("metadata") else {}
