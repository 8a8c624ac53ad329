"""Write a clip as a Live Link Face CSV that Unreal and this package read back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from semanticface.atomic import whole_file
from semanticface.errors import BadInput
from semanticface.formats import timecode
from semanticface.formats.fill import Filled, complete, listed
from semanticface.formats.mouth_pair import (
    JAW,
    JAW_EXCHANGED,
    MOUTH,
    MOUTH_KEPT,
    exchange,
)
from semanticface.rig.clip import FaceClip, Times
from semanticface.rig.orders import LIVE_LINK_CSV, find

_DECIMALS = 10
_UNIT = 10.0**_DECIMALS
_PLAIN_LIMIT = 1000.0
"""Below this, `%.10f` prints every ten-decimal number exactly."""
_AT_ONCE = 4096
"""Rows whose text is held."""
_EXACT_FRAMES = 1e-6
"""Times that move less than this many frames are the same clock reading."""


def write(
    clip: FaceClip,
    path: str | os.PathLike[str],
    *,
    exchange_mouth: bool | None = None,
    exchange_jaw: bool | None = None,
    fill: float | None = None,
    untracked: Literal["gap", "row"] = "gap",
    base: int | None = None,
    extras: bool = False,
) -> tuple[str, ...]:
    """Write 61 columns; return what was lost, rounded or filled, empty if nothing.

    `exchange_mouth` None puts the mouth pair under the app's exchanged labels,
    unless the clip says it was kept as labelled; `exchange_jaw` None follows the
    clip too. `untracked` frames are left out, which Unreal accepts, or written
    as `timecode,0`, as the app does. `base` 30 or 60 is the timecode's; by
    default the clip's own, or whichever readers will recognise. `extras` adds
    the clip's extra numeric columns.
    """
    if untracked not in ("gap", "row"):
        raise BadInput(f"untracked={untracked!r}", "'gap' or 'row'")
    filled = complete(clip, fill, what="a Live Link Face CSV")
    report = [*filled.report]
    kept = filled.tracked if untracked == "gap" else np.ones(len(clip), np.bool_)
    if not kept.any():
        raise BadInput(f"a clip of {len(clip)} frames, none to write", "at least one with a face")
    report += _left_out(kept)
    times = clip.times[kept]
    used, told = _choose_base(clip, times, base)
    report += told + _moved(times, used)
    columns, lost = _extra_columns(clip, filled, fill, extras)
    report += lost + _unsaid(clip, path)
    table = filled.values[:, _channels(clip, exchange_mouth, exchange_jaw)][kept]
    extra, tracked = [column[kept] for column in columns.values()], filled.tracked[kept]
    head = ",".join(["Timecode", "BlendShapeCount", *LIVE_LINK_CSV.labels, *columns])
    stamps = timecode.format_times(times, used)
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as out:
        out.write(f"{head}\n")
        for first in range(0, len(table), _AT_ONCE):  # the text of hours is ten times their numbers
            some = slice(first, first + _AT_ONCE)
            rows = _rows(table[some], [column[some] for column in extra], tracked[some])
            out.writelines(f"{stamp},{row}\n"
                           for stamp, row in zip(stamps[some], rows, strict=True))  # fmt: skip
    return tuple(report)


def _channels(clip: FaceClip, mouth: bool | None, jaw: bool | None) -> NDArray[np.intp]:
    """Channel indices in column order, pairs exchanged as asked."""
    order = np.array([index for index in LIVE_LINK_CSV.channels if index is not None])
    if mouth is None:
        mouth = MOUTH_KEPT not in clip.meta.conventions
    if jaw is None:
        jaw = JAW_EXCHANGED in clip.meta.conventions
    if mouth:
        order = exchange(order, MOUTH)
    return exchange(order, JAW) if jaw else order


# -- time ------------------------------------------------------------------------


def _choose_base(clip: FaceClip, times: Times, base: int | None) -> tuple[int, list[str]]:
    """The base to write in, and a word where readers will take another one."""
    if base is not None and not 1 <= base <= 999:
        raise BadInput(f"base={base}", "frames a second of the timecode, 30 or 60")
    wanted = base or (clip.meta.base if clip.meta.base in (30, 60) else 60)
    assert wanted is not None
    taken = _taken(times, wanted)
    if taken == wanted:
        return wanted, []
    if base is None:
        return 30, [f"timecode in base 30: so few frames would be misread in base {wanted}"]
    return base, [f"base {base} will be taken for {taken}: read with base={base}; Unreal cannot"]


def _taken(times: Times, base: int) -> int:
    """The base that readers take who see only the file; 0 if they disagree."""
    whole, thousandths = timecode.split(times, base)
    frames = thousandths / 1000
    if frames.max() >= 60:
        return 0
    ours, unreals = timecode.guess_base(whole, frames).base, timecode.unreal_base(frames)
    return ours if ours == unreals else 0


def _moved(times: Times, base: int) -> list[str]:
    if times[0] < 0:
        return []  # format_times refuses, with its reason
    moved = timecode.moved(times, base)
    if moved <= _EXACT_FRAMES:
        return []
    return [f"times rounded to 1/1000 frame: moved by up to {moved / base * 1e6:.2g} microseconds"]


def _left_out(kept: NDArray[np.bool_]) -> list[str]:
    missing = int((~kept).sum())
    if not missing:
        return []
    return [f"{missing} frames without a face left out (untracked='row' keeps them)"]


# -- what a CSV has no place for -----------------------------------------------------


def _extra_columns(
    clip: FaceClip, filled: Filled, fill: float | None, wanted: bool
) -> tuple[dict[str, NDArray[np.float64]], list[str]]:
    numeric = {
        name: column
        for name, column in clip.extra.items()
        if column.dtype.kind in "fiub" and _can_be_header(name)
    }
    lost = tuple(name for name in clip.extra if not wanted or name not in numeric)
    report = [f"extra columns not written: {listed(lost)}"] if lost else []
    if not wanted:
        return {}, report
    columns = {}
    for name, column in numeric.items():
        holes = ~np.isfinite(column.astype(np.float64)) & filled.tracked
        if holes.any() and fill is None:
            row = int(np.flatnonzero(holes)[0])
            raise BadInput("no number", "one a frame, or fill=0", row=row, column=name)
        if holes.any():
            report.append(f"filled with {fill:g}: {int(holes.sum())} values of {name}")
        columns[name] = np.where(holes, fill or 0.0, column.astype(np.float64))
    return columns, report


def _can_be_header(name: str) -> bool:
    reserved = name.strip().lower() in ("timecode", "blendshapecount") or find(name) is not None
    plain = name == name.strip() and name.isprintable() and not set(name) & set(',"')
    return bool(name) and plain and not reserved


def _unsaid(clip: FaceClip, path: str | os.PathLike[str]) -> list[str]:
    if clip.meta.calibrated and not os.fspath(path).endswith("_cal.csv"):
        return ["that the take is calibrated: only a name ending in _cal.csv says so"]
    return []


# -- numbers -----------------------------------------------------------------------


def _rows(
    table: NDArray[np.float32], extras: Sequence[NDArray[np.float64]], tracked: NDArray[np.bool_]
) -> list[str]:
    """Everything after the timecode; `0` where there is no face."""
    numbers = np.column_stack([table.astype(np.float64), *extras])
    with np.errstate(over="ignore"):
        rounded = np.rint(numbers * _UNIT) / _UNIT + 0.0  # -0.0 to 0.0
    short = rounded == numbers
    short[:, : table.shape[1]] = rounded[:, : table.shape[1]].astype(np.float32) == table
    short &= np.abs(numbers) < _PLAIN_LIMIT
    pattern = "61," + ",".join([f"%.{_DECIMALS}f"] * numbers.shape[1])
    plain = short.all(axis=1)
    rows = ["0"] * len(table)
    for i in np.flatnonzero(tracked).tolist():
        if plain[i]:
            rows[i] = pattern % tuple(rounded[i].tolist())
        else:
            rows[i] = "61," + ",".join(map(_cell, numbers[i], rounded[i], short[i]))
    return rows


def _cell(number: np.float64, rounded: np.float64, short: np.bool_) -> str:
    """Ten decimals, or as many as it takes to read the same number back."""
    if short:
        return f"{rounded:.{_DECIMALS}f}"
    return np.format_float_positional(number, min_digits=_DECIMALS)
