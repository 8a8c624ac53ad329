"""Results of MediaPipe's Face Landmarker, one a frame, as JSON or JSON lines.

Both namings are read: Python's (`face_blendshapes`, a list of faces, each a list
of `{index, score, category_name, display_name}`) and JavaScript's
(`faceBlendshapes[].categories[].{categoryName, score}`). A JSON file holds a
list of results, one result, or an object with such a list under `frames` or
`results`.

Time: `time` is seconds; `timestamp_ms` and `timestampMs` are milliseconds; a
bare `timestamp` has no unit of its own, so it is an option. Without any of them
give `rate`.

The model has 51 of the 52 shapes (no tongueOut) and a score called `_neutral`,
which stays an extra column. Its head matrix is not read. A frame without a face
is a row of NaN.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np

from semanticface.atomic import write_text
from semanticface.errors import BadInput, did_you_mean
from semanticface.formats import json_lines
from semanticface.formats.frames import check_rate, clip_of, left_out, not_carried
from semanticface.formats.json_lines import MAX_BYTES, PathLike, shortest
from semanticface.rig import NAMES, ORDERS, ClipMeta, FaceClip

Unit = Literal["us", "ms", "s"]
Layout = Literal["python", "javascript"]

_UNITS: dict[str, float] = {"us": 1e6, "ms": 1e3, "s": 1.0}
_FACES = ("face_blendshapes", "faceBlendshapes")
_MILLISECONDS = ("timestamp_ms", "timestampMs")
_STAMPS = ("timestamp", "timeStamp")
_MATRICES = (
    "facial_transformation_matrixes",
    "facialTransformationMatrixes",
    "facial_transformation_matrices",
)
_NEUTRAL = "_neutral"
_ORDER = ORDERS["mediapipe"]


def read(
    path: PathLike,
    *,
    rate: float | None = None,
    face: int = 0,
    timestamp_unit: Unit = "ms",
    max_bytes: int = MAX_BYTES,
) -> FaceClip:
    """Read Face Landmarker results.

    `rate`: frames a second, for results without a time. `face`: which face,
    counted from 0, where several were found. `timestamp_unit`: of a bare
    `timestamp`.
    """
    check_rate(rate)
    if face < 0:
        raise BadInput(f"face {face}", "0 for the first face, 1 for the second, and so on")
    frames: list[dict[str, float]] = []
    times: list[float] = []
    most, matrix = 0, False
    for row, result in _results(path, max_bytes):
        faces = _faces(result, path, row)
        most, matrix = max(most, len(faces)), matrix or any(result.get(key) for key in _MATRICES)
        frames.append(_scores(faces[face], path, row) if face < len(faces) else {})
        times.append(_time(result, len(times), rate, timestamp_unit, path, row))
    meta = ClipMeta(
        Path(path).name, "mediapipe", conventions=tuple(_conventions(most, face, matrix))
    )
    return clip_of(frames, times, meta, file=path)


def write(
    clip: FaceClip, path: PathLike, *, layout: Layout = "python", lines: bool | None = None
) -> tuple[str, ...]:
    """Write a clip as Face Landmarker results.

    `layout`: whose naming. `lines`: one result a line instead of one list; by
    the suffix `.jsonl` unless given. Beside MediaPipe's whole milliseconds each
    result gets a `time` in seconds, which loses nothing.
    """
    results = (_result(clip, i, layout) for i in range(len(clip)))
    if lines if lines is not None else Path(path).suffix.lower() == ".jsonl":
        json_lines.write_lines(path, results)
    else:
        write_text(path, "[" + ",\n ".join(json_lines.dump(each) for each in results) + "]\n")
    extra = [name for name in clip.extra if name != _NEUTRAL]
    lost = (f"extra columns left out: {', '.join(extra)}",) if extra else ()
    carried = [NAMES[i] for i in _ORDER.channels if i is not None]
    return (*left_out(clip, carried), *lost, *not_carried(clip, extra=True))


def _conventions(most: int, face: int, matrix: bool) -> Iterable[str]:
    if most > 1:
        yield f"face {face} of up to {most} taken"
    if matrix:
        yield "facial transformation matrix not read"


def _results(path: PathLike, max_bytes: int) -> Iterable[tuple[int, dict[str, Any]]]:
    """(row, result); rows are lines of JSON lines, or count results from 1."""
    if Path(path).suffix.lower() == ".jsonl":
        yield from json_lines.objects(path)
        return
    held = json_lines.load(path, max_bytes=max_bytes)
    if isinstance(held, dict):
        several = next((held[key] for key in ("frames", "results") if key in held), None)
        held = [held] if several is None else several
    for row, result in enumerate(json_lines.sequence(held, file=path), start=1):
        yield row, json_lines.mapping(result, "a result", file=path, row=row)


def _faces(result: dict[str, Any], path: PathLike, row: int) -> list[Any]:
    for key in _FACES:
        if key in result:
            return (
                [] if result[key] is None else json_lines.sequence(result[key], file=path, row=row)
            )
    raise BadInput(
        f"keys {list(result)[:6]}", f"'{_FACES[0]}' or '{_FACES[1]}'", file=path, row=row,
        hint="Turn on output_face_blendshapes in the Face Landmarker's options.",
    )  # fmt: skip


def _scores(face: Any, path: PathLike, row: int) -> dict[str, float]:
    if isinstance(face, dict):
        face = face.get("categories")
    scores: dict[str, float] = {}
    for category in json_lines.sequence(face, "a list of categories", file=path, row=row):
        held = json_lines.mapping(category, "a category", file=path, row=row)
        name = held.get("category_name", held.get("categoryName"))
        if not isinstance(name, str):
            raise BadInput(f"a category with {list(held)}", "its name", file=path, row=row)
        if name in scores:
            raise BadInput(f"{name} twice", "each category once", file=path, row=row)
        scores[name] = json_lines.number(held.get("score"), file=path, row=row, column=name)
    return scores


def _time(
    result: dict[str, Any], i: int, rate: float | None, unit: Unit, path: PathLike, row: int
) -> float:
    if rate is not None:
        return i / rate
    for keys, scale in (
        (("time",), 1.0),
        (_MILLISECONDS, _UNITS["ms"]),
        (_STAMPS, _unit(unit)),
    ):
        for key in keys:
            if key in result:
                return json_lines.number(result[key], file=path, row=row, column=key) / scale
    raise BadInput(
        "a result without a time", "time, timestamp_ms or timestamp", file=path, row=row,
        hint="Give the frame rate by rate.",
    )  # fmt: skip


def _unit(unit: str) -> float:
    if unit not in _UNITS:
        raise BadInput(f"timestamp_unit '{unit}'", f"one of {list(_UNITS)}",
                       hint=did_you_mean(unit, _UNITS))  # fmt: skip
    return _UNITS[unit]


def _result(clip: FaceClip, i: int, layout: Layout) -> dict[str, Any]:
    time = float(clip.times[i])
    scores = list(_named_scores(clip, i))
    name, display = (
        ("category_name", "display_name") if layout == "python" else ("categoryName", "displayName")
    )
    categories = [
        {"index": index, "score": score, name: label, display: ""} for index, label, score in scores
    ]
    if layout == "python":
        stamp, key, faces = "timestamp_ms", _FACES[0], [categories]
    else:
        stamp, key = "timestampMs", _FACES[1]
        faces = [{"categories": categories, "headIndex": -1, "headName": ""}]  # type: ignore[list-item]
    return {"time": time, stamp: round(time * 1000), key: faces if scores else []}


def _named_scores(clip: FaceClip, i: int) -> Iterable[tuple[int, str, float]]:
    """(index, label, score) of each score the frame has, in MediaPipe's order."""
    shapes = (
        (j, label, shortest(clip.values[i, channel]))
        for j, (label, channel) in enumerate(zip(_ORDER.labels, _ORDER.channels, strict=True))
        if channel is not None
    )
    neutral = [(0, _NEUTRAL, float(clip.extra[_NEUTRAL][i]))] if _NEUTRAL in clip.extra else []
    for j, label, score in chain(neutral, shapes):
        if score is not None and not np.isnan(score):
            yield j, label, score
