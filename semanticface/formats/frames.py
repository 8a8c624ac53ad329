"""From frames of named values to a clip, and what a format cannot carry.

Readers hand over one mapping a frame. A name that a frame lacks is NaN there, a
frame without any name is one without a face, and a name that is no channel
becomes an extra column: nothing is filled in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.formats.bounds import check_cell, check_columns
from semanticface.rig import BLENDSHAPES, NAMES, ROTATIONS, ClipMeta, FaceClip

Frame = Mapping[str, float]

SHAPES: tuple[str, ...] = tuple(channel.name for channel in BLENDSHAPES)
TURNS: tuple[str, ...] = tuple(channel.name for channel in ROTATIONS)


def clip_of(
    frames: Sequence[Frame],
    times: Sequence[float],
    meta: ClipMeta,
    *,
    labels: Sequence[str] = (),
    file: object = None,
) -> FaceClip:
    """A clip of frames under any tool's names; `labels` are present even if never given."""
    columns = _columns(frames, labels, file)
    table = np.full((len(frames), len(columns)), np.nan)
    for i, frame in enumerate(frames):
        for label, value in frame.items():
            table[i, columns[label]] = value
    return clip_of_table(list(columns), table, times, meta, file=file)


def _columns(frames: Sequence[Frame], labels: Sequence[str], file: object) -> dict[str, int]:
    """Where the value of each name stands; no more names than a face can have."""
    columns = {label: j for j, label in enumerate(labels)}
    for row, frame in enumerate(frames, start=1):
        for label in frame:
            if label not in columns:
                check_cell(label, file=file, row=row, column=label)
                columns[label] = len(columns)
        check_columns(len(columns), file=file, row=row)
    return columns


def clip_of_table(
    labels: Sequence[str],
    table: NDArray[np.float64],
    times: Sequence[float],
    meta: ClipMeta,
    *,
    file: object = None,
) -> FaceClip:
    """A clip of columns [T, len(labels)]; faults name the file."""
    try:
        return FaceClip.from_columns(labels, table, check_times(times), meta)
    except BadInput as fault:
        raise fault.at(file=file) from None


def check_times(times: Sequence[float], *, first_row: int = 1) -> NDArray[np.float64]:
    """Times as an array; one that runs backwards is an error with its row."""
    stamps = np.asarray(times, dtype=np.float64)
    back = np.flatnonzero(np.diff(stamps) < 0)
    if len(back):
        i = int(back[0]) + 1
        found = f"the time {stamps[i]:g} after {stamps[i - 1]:g}"
        raise BadInput(found, "times that rise", row=first_row + i)
    return stamps


def check_rate(rate: float | None) -> None:
    """Refuse a frame rate by which no time can be told; None is no rate."""
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise BadInput(f"the rate {rate}", "frames a second, more than none")


def left_out(clip: FaceClip, carried: Iterable[str]) -> tuple[str, ...]:
    """A sentence on the channels a clip has and a format cannot carry."""
    kept = set(carried)
    gone = [name for name in clip.names if name not in kept]
    return (f"left out: {', '.join(gone)}",) if gone else ()


def not_carried(
    clip: FaceClip, *, extra: bool = False, meta: Iterable[str] = ()
) -> tuple[str, ...]:
    """Sentences on the extra columns and the meta a format cannot carry.

    `extra`: whether extra columns are carried; `meta`: fields of the meta that are.
    """
    notes = []
    if clip.extra and not extra:
        notes.append(f"extra columns left out: {', '.join(clip.extra)}")
    if lost := _told(clip.meta) - set(meta):
        notes.append(f"what the clip says of itself is left out: {', '.join(sorted(lost))}")
    return tuple(notes)


def start_dropped(clip: FaceClip) -> tuple[str, ...]:
    """A sentence on a start time that a format counting from zero drops."""
    if not len(clip) or clip.times[0] == 0:
        return ()
    clock = "of the day" if clip.meta.clock == "timecode" else "since the clip's own start"
    return (f"the start at {clip.times[0]:.6f} seconds {clock} is dropped: times begin at zero",)


def missing_note(clip: FaceClip, how: str) -> tuple[str, ...]:
    """A sentence on values missing from channels that are otherwise there."""
    count = int(np.isnan(clip.values[:, clip.present]).sum())
    return (f"{count} missing values are {how}",) if count else ()


def missing_of(clip: FaceClip, wanted: Iterable[str]) -> list[str]:
    """Those of the wanted channels that the clip lacks altogether, in table order."""
    lacking = set(wanted) - set(clip.names)
    return [name for name in NAMES if name in lacking]


def _told(meta: ClipMeta) -> set[str]:
    """Fields that say something; where a clip was read from is no loss."""
    blank = ClipMeta()
    told = {
        each.name for each in fields(meta) if getattr(meta, each.name) != getattr(blank, each.name)
    }
    return told - {"source", "format", "clock"}
