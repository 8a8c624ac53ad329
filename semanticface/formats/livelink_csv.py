"""Live Link Face takes as CSV.

    clip = livelink_csv.read("MySlate_1_iPhone.csv")
    lost = livelink_csv.write(clip, "again.csv")
    for fault in livelink_csv.check("again.csv"):
        ...

Columns are found by name, never by place. Times are seconds of the device's day.
A frame without a face (`timecode,0`) is a row of NaN, never of zeros. The mouth
pair is exchanged on the way in and out, because the app labels it the other way
round (see `mouth_pair`); the jaw pair is left alone, because nothing settles it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.formats import timecode
from semanticface.formats.fault import Fault, first_error
from semanticface.formats.livelink_rows import Table, parse
from semanticface.formats.livelink_write import write
from semanticface.formats.mouth_pair import (
    JAW,
    JAW_EXCHANGED,
    MOUTH,
    MOUTH_EXCHANGED,
    MOUTH_KEPT,
    MouthVerdict,
    detect_mouth_pair,
    exchange,
)
from semanticface.formats.unreal_importer import importer_faults
from semanticface.rig.channels import BLENDSHAPES, COUNT, INDEX, NAMES
from semanticface.rig.clip import ClipMeta, FaceClip, Times, Values
from semanticface.rig.orders import find, read_header

__all__ = [
    "Fault",
    "MouthVerdict",
    "check",
    "detect_mouth_pair",
    "importer_faults",
    "read",
    "write",
]

PathLike = str | os.PathLike[str]

FORMAT = "livelink-csv"
HEAD = slice(INDEX["headYaw"], INDEX["headRoll"] + 1)
ZERO_HEAD = "all zero: head rotation was not streamed"
_SHAPES = len(BLENDSHAPES)
_CALIBRATED_ZEROS = 4
"""Calibrated takes show 4 to 10 columns that never leave zero; raw ones hardly any."""
_WARNINGS_KEPT = 8
_NAME = re.compile(r"(?P<slate>.+)_(?P<take>\d{1,9})_(?P<subject>.+?)(?P<kind>_cal|_raw|_neutral)?")

_KIND = re.compile(r"_(cal|raw|neutral)$")


class _Clock(NamedTuple):
    times: Times
    base: timecode.BaseGuess
    faults: list[Fault]


class _Faces(NamedTuple):
    values: Values
    present: NDArray[np.bool_]
    unknown: tuple[int, ...]
    """Value columns that name no channel."""
    shared: tuple[str, ...]


def read(
    path: PathLike,
    *,
    exchange_mouth: bool = True,
    exchange_jaw: bool = False,
    base: int | None = None,
    calibrated: bool | None = None,
) -> FaceClip:
    """Read a take; the first serious fault is an error, `check` lists them all.

    `base` is what FF of the timecode counts at, where the file does not show it.
    `calibrated` says what neither the name (`_cal`, `_raw`) nor the numbers tell.
    """
    try:
        table = parse(_load(path))
        faces = _faces(table, exchange_mouth, exchange_jaw)
    except BadInput as error:
        raise error.at(file=error.file or Path(path).name) from None
    clock = _clock(table, base)
    fault = first_error([*table.faults, *clock.faults])
    if fault is not None:
        raise fault.as_error(Path(path).name)
    meta = _meta(Path(path), table, clock, faces, calibrated)
    meta = _conventions(meta, faces, exchange_mouth, exchange_jaw)
    return FaceClip(faces.values, clock.times, faces.present, meta, _extra(table, faces))


def check(path: PathLike, *, base: int | None = None) -> list[Fault]:
    """Every fault and oddity of a take, from top to bottom; empty for a clean one."""
    try:
        table = parse(_load(path))
        faces = _faces(table, False, False)
    except BadInput as error:
        return [Fault(error.row, error.column, error.found, error.expected, "error")]
    clock = _clock(table, base)
    faults = [*table.faults, *clock.faults]
    faults += _header_faults(table, faces, clock)
    faults += _pauses(table, clock)
    faults += _negative(table, faces)
    return sorted(faults, key=lambda fault: fault.row or 0)


def _load(path: PathLike) -> bytes:
    place = Path(path)
    if place.is_dir():
        raise BadInput("a folder", "a CSV file; take.read opens a take's folder", file=path)
    data = place.read_bytes()
    if not data or data.isspace():
        raise BadInput("an empty file", "a Live Link Face CSV", file=place.name)
    return data


def _clock(table: Table, base: int | None) -> _Clock:
    """Times of all rows, with the faults that only show between rows."""
    faults: list[Fault] = []
    limit = base or 60
    for i in np.flatnonzero(table.frames >= limit).tolist():
        wanted = f"below {limit}; if the take counts at another base, say it: base=, --base"
        found = f"frame number {table.frames[i]:g}"
        faults.append(_at(table, i, found, wanted))
    known = table.frames < 60
    guess = (
        timecode.guess_base(table.whole[known], table.frames[known])
        if base is None
        else timecode.BaseGuess(base, "given", sure=True)
    )
    seconds = timecode.seconds(table.whole, table.frames, guess.base)
    times = timecode.past_midnight(seconds)
    faults += [
        _at(table, i, f"{times[i - 1] - times[i]:.3f} s backwards", "rising times")
        for i in (np.flatnonzero(np.diff(times) < 0) + 1).tolist()
    ]
    return _Clock(times, guess, faults)


def _at(table: Table, index: int, found: str, expected: str) -> Fault:
    return Fault(int(table.lines[index]), table.time_label, found, expected, "error")


def _faces(table: Table, exchange_mouth: bool, exchange_jaw: bool) -> _Faces:
    """Columns of the table brought into the channel table's order."""
    columns = read_header(table.labels)
    unknown = tuple(j for j, i in enumerate(columns.channel_of) if i is None)
    source = np.arange(COUNT)
    for wanted, pair in ((exchange_mouth, MOUTH), (exchange_jaw, JAW)):
        source = exchange(source, pair) if wanted else source
    if columns.shared:
        gathered = columns.gather(table.values)
        return _Faces(gathered[:, source], columns.present[source], unknown, columns.shared)
    at = {i: j for j, i in enumerate(columns.channel_of) if i is not None}
    if len(at) == COUNT:
        picked = table.values.astype(np.float32, copy=False)[:, [at[i] for i in source.tolist()]]
        return _Faces(picked, np.ones(COUNT, np.bool_), unknown, ())
    gathered = columns.gather(table.values)
    return _Faces(gathered[:, source], columns.present[source], unknown, ())


def _extra(table: Table, faces: _Faces) -> dict[str, NDArray[Any]]:
    return {
        table.labels[j]: table.words.get(table.labels[j], table.values[:, j]) for j in faces.unknown
    }


# -- what is known about the take --------------------------------------------------


def _meta(
    path: Path, table: Table, clock: _Clock, faces: _Faces, calibrated: bool | None
) -> ClipMeta:
    match = _NAME.fullmatch(path.stem)
    kind = _KIND.search(path.stem)
    named = {"_cal": True, "_raw": False, "_neutral": False}.get(kind[0] if kind else "")
    told = named if calibrated is None else calibrated
    return ClipMeta(
        source=path.name,
        format=FORMAT,
        subject=match["subject"] if match else None,
        slate=match["slate"] if match else None,
        take=int(match["take"]) if match else None,
        base=clock.base.base,
        clock="timecode",
        calibrated=told,
        notes=_notes(table, clock, faces, told),
    )


def _notes(
    table: Table, clock: _Clock, faces: _Faces, calibrated: bool | None
) -> dict[str, Any]:  # fmt: skip
    notes: dict[str, Any] = {}
    moving = ((faces.values != 0) & ~np.isnan(faces.values)).any(axis=0)
    still = faces.present & ~moving
    if still[HEAD].all():
        notes["head"] = ZERO_HEAD
    zeros = int(still[:_SHAPES].sum())
    if calibrated is None and _CALIBRATED_ZEROS <= zeros < faces.present[:_SHAPES].sum():
        notes["calibration"] = f"looks calibrated: {zeros} blendshape columns are all zero"
    if faces.unknown:
        notes["extra columns"] = [table.labels[j] for j in faces.unknown]
    if not clock.base.sure:
        notes["timecode base"] = f"{clock.base.base} assumed: {clock.base.reason}"
    if table.faults:
        notes["warnings"] = [str(fault) for fault in table.faults[:_WARNINGS_KEPT]]
        notes["warning count"] = len(table.faults)
    return notes


def _conventions(
    meta: ClipMeta, faces: _Faces, exchange_mouth: bool, exchange_jaw: bool
) -> ClipMeta:
    for name in faces.shared:
        meta = meta.applied(f"{name} averaged from two columns")
    meta = meta.applied(MOUTH_EXCHANGED if exchange_mouth else MOUTH_KEPT)
    return meta.applied(JAW_EXCHANGED) if exchange_jaw else meta


# -- oddities that only `check` tells ------------------------------------------------


def _header_faults(table: Table, faces: _Faces, clock: _Clock) -> list[Fault]:
    faults = []
    absent = [name for name, here in zip(NAMES, faces.present, strict=True) if not here]
    faults += [Fault(1, name, "no such column", "all 61 channels", "warning") for name in absent]
    faults += [
        Fault(1, table.labels[j], "a column that is no channel", "a channel; it is kept", "warning")
        for j in faces.unknown
    ]
    if not clock.base.sure:
        wanted = f"base= or --base, unless {clock.base.base} is right"
        faults.append(Fault(None, table.time_label, clock.base.reason, wanted, "warning"))
    return faults


def _pauses(table: Table, clock: _Clock) -> list[Fault]:
    steps = np.diff(clock.times)
    if len(steps) < 2:
        return []
    usual = float(np.median(steps))
    label = table.time_label
    faults = [
        Fault(int(table.lines[i + 1]), label, "the time of the row above", "a later one", "warning")
        for i in np.flatnonzero(steps == 0).tolist()
    ]
    for i in np.flatnonzero(steps > 1.5 * usual).tolist() if usual > 0 else []:
        missing = round(steps[i] / usual) - 1
        found = f"a pause of {steps[i]:.3f} s ({missing} missing)"
        wanted = f"a step of {usual:.4f} s"
        faults.append(Fault(int(table.lines[i + 1]), label, found, wanted, "warning"))
    return faults


def _negative(table: Table, faces: _Faces) -> list[Fault]:
    """Blendshapes below zero: one fault a column, at its first such row."""
    faults = []
    for j, label in enumerate(table.labels):
        index = find(label)
        if index is None or index >= _SHAPES:
            continue
        rows = np.flatnonzero(table.values[:, j] < 0)
        if len(rows):
            found = f"{table.values[rows[0], j]:g} ({len(rows)} negative values in this column)"
            faults.append(
                Fault(int(table.lines[rows[0]]), label, found, "0 or more; kept", "warning")
            )
    return faults
