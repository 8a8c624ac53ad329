"""A folder of OBJ files: one neutral face and one file for each shape."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput

Doubles = NDArray[np.float64]
Index = NDArray[np.int32]

_NEUTRAL = re.compile(r"(^|[^a-z])(neutral|basis|base|rest|default)([^a-z]|$)", re.IGNORECASE)


@dataclass
class RawRig:
    """A rig as its files say, before names, units and eyes are understood."""

    neutral: Doubles
    """[V,3], the files' own units."""
    triangles: Index
    shapes: dict[str, Doubles]
    """Offsets [V,3] by the files' own names."""
    colour: Doubles | None = None
    """[V,3] linear RGB."""
    warnings: list[str] = field(default_factory=list)


def read_obj_folder(folder: Path) -> RawRig:
    """Read every .obj of a folder; the neutral one is known by its name."""
    files = sorted(folder.glob("*.obj"))
    if not files:
        raise BadInput("no .obj file", "a neutral face and its shapes", file=folder)
    neutral_file = _neutral_of(files, folder)
    neutral, triangles = read_obj(neutral_file)
    if not len(triangles):
        raise BadInput("a neutral face without polygons", "lines that begin with f",
                       file=neutral_file)  # fmt: skip
    shapes = {}
    for file in files:
        if file != neutral_file:
            shapes[file.stem] = _points_like(file, len(neutral), neutral_file) - neutral
    return RawRig(neutral, triangles, shapes)


def _neutral_of(files: list[Path], folder: Path) -> Path:
    found = [file for file in files if _NEUTRAL.search(file.stem)]
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise BadInput(f"{names} as the neutral face", "one file with 'neutral' in its name",
                       file=folder)  # fmt: skip
    return found[0]


def _points_like(file: Path, count: int, neutral_file: Path) -> Doubles:
    points = _points(file.read_text(encoding="utf-8", errors="replace").splitlines(), file)
    if len(points) != count:
        raise BadInput(
            f"{len(points)} vertices",
            f"{count} as in {neutral_file.name}",
            file=file,
            hint="Export all shapes from the same mesh, without reordering.",
        )
    return points


def read_obj(file: Path) -> tuple[Doubles, Index]:
    """Vertices [V,3] and triangles [F,3]; polygons are fanned, normals and uv ignored."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    points = _points(lines, file)
    triangles: list[tuple[int, int, int]] = []
    for row, line in enumerate(lines, 1):
        if line.startswith("f "):
            corners = _corners(line, len(points), file, row)
            triangles += [(corners[0], one, two) for one, two in pairwise(corners[1:])]
    return points, np.array(triangles, np.int32).reshape(-1, 3)


def _points(lines: list[str], file: Path) -> Doubles:
    rows = [line.split()[1:4] for line in lines if line.startswith(("v ", "v\t"))]
    try:
        points = np.array(rows, np.float64).reshape(-1, 3)
    except ValueError:
        row = next(i for i, line in enumerate(lines, 1) if _bad_vertex(line))
        raise BadInput(f"'{lines[row - 1]}'", "v and three numbers", file=file, row=row) from None
    if not len(points) or not np.isfinite(points).all():
        raise BadInput("no vertices that are finite", "lines that begin with v", file=file)
    return points


def _bad_vertex(line: str) -> bool:
    if not line.startswith(("v ", "v\t")):
        return False
    try:
        return len([float(x) for x in line.split()[1:4]]) != 3
    except ValueError:
        return True


def _corners(line: str, count: int, file: Path, row: int) -> list[int]:
    try:
        numbers = [int(corner.split("/")[0]) for corner in line.split()[1:]]
    except ValueError:
        numbers = []
    corners = [number - 1 if number > 0 else count + number for number in numbers]
    if len(corners) < 3 or not all(0 <= each < count for each in corners):
        raise BadInput(f"'{line}'", f"at least three vertices of {count}", file=file, row=row)
    return corners
