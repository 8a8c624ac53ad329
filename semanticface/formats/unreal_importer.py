"""What Unreal's Live Link Face importer would refuse or misread in a CSV."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from semanticface.errors import BadInput
from semanticface.formats import timecode
from semanticface.formats.fault import Fault

_COLUMNS = ("timecode", "blendshapecount")


def importer_faults(path: str | os.PathLike[str], *, base: int | None = None) -> list[Fault]:
    """Faults by the importer's own rules; empty for a file that it reads rightly.

    The importer wants Timecode and BlendShapeCount first, in every row as many
    non-empty cells as the header has, and timecode in four parts. It guesses
    the base: 60 if any FF is above 30, otherwise 30. `base` is the file's true
    base where only the writer knows it.
    """
    lines = Path(path).read_bytes().decode("utf-8-sig", "replace").splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        return [Fault(None, None, "an empty file", "a header and rows", "error")]
    header = [cell for cell in lines[0].split(",") if cell]
    faults = _header(header)
    stamps = []
    for number, line in enumerate(lines[1:], start=2):
        cells = [cell for cell in line.split(",") if cell]
        if len(cells) != len(header):
            found, wanted = f"{len(cells)} filled cells", f"{len(header)}, as in the header"
            faults.append(Fault(number, None, found, wanted, "error"))
        try:
            stamps.append(timecode.parse(cells[0] if cells else ""))
        except BadInput as error:
            faults.append(Fault(number, "Timecode", error.found, error.expected, "error"))
    return faults + _misread_base(stamps, base)


def _header(header: list[str]) -> list[Fault]:
    return [
        Fault(1, label, f"{label!r} as column {place + 1}", wanted, "error")
        for place, (label, wanted) in enumerate(zip(header, _COLUMNS, strict=False))
        if label.strip().lower() != wanted
    ]


def _misread_base(stamps: list[timecode.Stamp], base: int | None) -> list[Fault]:
    if not stamps:
        return []
    frames = np.array([stamp.frames for stamp in stamps])
    whole = np.array([stamp.whole for stamp in stamps])
    if base is None and frames.max() < 60:
        base = timecode.guess_base(whole, frames).base
    taken = timecode.unreal_base(frames)
    if base == taken:
        return []
    found = f"base {base or 'above 60'}, which Unreal takes for {taken}"
    wanted = "base 30, or base 60 with some FF above 30"
    return [Fault(None, "Timecode", found, wanted, "error")]
