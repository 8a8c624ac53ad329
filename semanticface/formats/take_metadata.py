"""The small files beside the coefficients in a take's folder: JSON and the frame log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.formats.bounds import check_texts

ORIENTATIONS = {1: "portrait", 2: "upside down", 3: "landscape left", 4: "landscape right"}
KINDS = {"V": "video", "D": "depth", "A": "audio", "B": "blendshapes"}
_INT64 = 2**63
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no", "")


class Timestamp(NamedTuple):
    """A moment of the device's own clock: value / timescale seconds."""

    value: int
    timescale: int


@dataclass(frozen=True)
class TakeInfo:
    """take.json; None where the app did not say."""

    version: int | None = None
    slate: str | None = None
    take: int | None = None
    subject: str | None = None
    date: str | None = None
    frames: int | None = None
    """One less than the CSV has rows."""
    calibrated: bool | None = None
    app_version: str | None = None
    device_model: str | None = None
    start_timecode: str | None = None
    end_timecode: str | None = None
    start_timestamp: Timestamp | None = None
    end_timestamp: Timestamp | None = None
    video_target_frame_rate: float | None = None
    other: Mapping[str, Any] = field(default_factory=dict)
    """Keys this package does not know, as they were."""


_KINDS: dict[str, type | tuple[type, ...]] = {
    "version": int, "slate": str, "take": int, "subject": str, "date": str, "frames": int,
    "calibrated": bool, "app_version": str, "device_model": str, "start_timecode": str,
    "end_timecode": str, "start_timestamp": Timestamp, "end_timestamp": Timestamp,
    "video_target_frame_rate": (int, float),
}  # fmt: skip


class VideoInfo(NamedTuple):
    """video_metadata.json."""

    frame_rate: float | None
    orientation: str | None
    """How the device was held, in words."""
    raw: Mapping[str, Any]


class FrameLog(NamedTuple):
    """frame_log.csv: when each frame of video, depth, audio and blendshapes came."""

    kind: NDArray[np.str_]
    """V video, D depth, A audio, B blendshapes."""
    number: NDArray[np.int64]
    """Frame number within its kind."""
    numerator: NDArray[np.int64]
    denominator: NDArray[np.int64]
    timecode: NDArray[np.str_]
    dropped: NDArray[np.bool_] | None
    """None in older logs, which do not say."""

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Time on the device's own clock."""
        return np.asarray(self.numerator / self.denominator, np.float64)


def _key(name: str) -> str:
    """start_timecode as JSON writes it: startTimecode."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


_NAMES = {_key(each.name): each.name for each in fields(TakeInfo) if each.name != "other"}


def read_json(path: Path) -> dict[str, Any]:
    """An object from a JSON file."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig" if data.startswith(b"\xef") else json.detect_encoding(data))
    except UnicodeDecodeError as error:
        raise BadInput(f"broken JSON ({error})", "a JSON object", file=path.name) from None
    raw = json_lines.parse(text, file=path.name)
    if not isinstance(raw, dict):
        raise BadInput(f"JSON {type(raw).__name__}", "an object", file=path.name)
    return raw


def read_info(path: Path) -> TakeInfo:
    """Read take.json; a value of another type is an error that names the key."""
    raw = read_json(path)
    known: dict[str, Any] = {}
    for key, name in _NAMES.items():
        if raw.get(key) is not None:
            known[name] = _typed(raw[key], key, _KINDS[name], path.name)
    return TakeInfo(**known, other={key: raw[key] for key in raw if key not in _NAMES})


def _typed(value: Any, key: str, kind: type | tuple[type, ...], file: str) -> Any:
    if kind is Timestamp:
        return _timestamp(value, key, file)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        name = kind.__name__ if isinstance(kind, type) else "number"
        raise BadInput(repr(value)[:60], name, file=file, column=key)
    if isinstance(value, int | float) and abs(value) >= _INT64:
        raise BadInput("an endless number", "one of 64 bits", file=file, column=key)
    return value


def _timestamp(value: Any, key: str, file: str) -> Timestamp:
    found = value if isinstance(value, dict) else {}
    start, scale = found.get("value"), found.get("timescale")
    if not isinstance(start, int) or not isinstance(scale, int) or scale < 1:
        raise BadInput(repr(value)[:60], "{value, timescale}", file=file, column=key)
    if max(abs(start), scale) >= _INT64:
        raise BadInput(repr(value)[:60], "{value, timescale}", file=file, column=key)
    return Timestamp(start, scale)


def info_json(info: TakeInfo) -> str:
    """take.json's text."""
    known = {key: getattr(info, name) for key, name in _NAMES.items()}
    raw = {
        key: value._asdict() if isinstance(value, Timestamp) else value
        for key, value in known.items()
        if value is not None
    }
    return json.dumps({**raw, **info.other}, ensure_ascii=False, indent=2) + "\n"


def read_video(path: Path) -> VideoInfo:
    """Read video_metadata.json."""
    raw = read_json(path)
    rate, held = raw.get("FrameRate"), raw.get("Orientation")
    return VideoInfo(
        _frame_rate(rate, path.name) if isinstance(rate, int | float) else None,
        ORIENTATIONS.get(held, f"unknown ({held})") if isinstance(held, int) else None,
        raw,
    )


def _frame_rate(rate: float, file: str) -> float:
    return json_lines.number(rate, file=file, column="FrameRate")


def read_frame_log(path: Path) -> FrameLog:
    """Read frame_log.csv: no header, five fields a line, or six with Dropped."""
    lines = path.read_bytes().decode("utf-8-sig", "replace").splitlines()
    numbers = [number for number, line in enumerate(lines, start=1) if line.strip()]
    rows = [_log_row(lines[number - 1], number, path.name) for number in numbers]
    check_texts({"Timecode": [row[4] for row in rows]}, numbers, file=path.name)
    said = [row[5] for row in rows if row[5] is not None]
    if said and len(said) != len(rows):
        raise BadInput("lines of five and of six fields", "one of the two", file=path.name)
    return FrameLog(
        np.array([row[0] for row in rows], dtype="U1"),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        np.array([row[3] for row in rows], dtype=np.int64),
        np.array([row[4] for row in rows], dtype=np.str_),
        np.array(said, dtype=np.bool_) if said else None,
    )


_LogRow = tuple[str, int, int, int, str, bool | None]


def _log_row(line: str, number: int, file: str) -> _LogRow:
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) not in (5, 6) or cells[0] not in KINDS:
        wanted = "Type,Index,TimestampNumerator,TimestampDenominator,Timecode[,Dropped]"
        raise BadInput(
            line[:60], f"{wanted} with a type of {', '.join(KINDS)}", file=file, row=number
        )
    index, numerator, denominator = (_whole(cell, number, file) for cell in cells[1:4])
    if denominator <= 0:
        raise BadInput(f"a denominator of {denominator}", "1 or more", file=file, row=number)
    return cells[0], index, numerator, denominator, cells[4], _dropped(cells, number, file)


def _whole(text: str, number: int, file: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise BadInput(repr(text[:40]), "a whole number", file=file, row=number)
    return int(text)


def _dropped(cells: list[str], number: int, file: str) -> bool | None:
    if len(cells) == 5:
        return None
    if cells[5].lower() in _TRUE:
        return True
    if cells[5].lower() in _FALSE:
        return False
    raise BadInput(repr(cells[5][:20]), "true or false", file=file, row=number, column="Dropped")


def frame_log_text(log: FrameLog) -> str:
    """frame_log.csv's text."""
    dropped = [None] * len(log.kind) if log.dropped is None else log.dropped.tolist()
    columns = (log.kind, log.number, log.numerator, log.denominator, log.timecode)
    lines = []
    for *row, gone in zip(*(column.tolist() for column in columns), dropped, strict=True):
        cells = [str(cell) for cell in row]
        lines.append(",".join(cells if gone is None else [*cells, str(gone).lower()]))
    return "".join(f"{line}\n" for line in lines)
