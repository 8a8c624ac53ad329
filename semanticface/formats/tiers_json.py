"""Tiers as JSON, as MFA (`--output_format json`) and praatio write them.

    {"start": 0, "end": 2.2, "tiers": {"words": {"type": "interval",
                                                 "entries": [[0.1, 0.5, "Bob"], ...]}, ...}}

Labels may be empty: that is silence, as in a TextGrid.
"""

from __future__ import annotations

from typing import Any

from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.formats.json_lines import PathLike
from semanticface.formats.textgrid import Interval


def is_tiers(held: object) -> bool:
    """Whether a JSON value is of this kind."""
    return isinstance(held, dict) and isinstance(held.get("tiers"), dict)


def tiers_of(held: dict[str, Any], path: PathLike) -> dict[str, list[Interval]]:
    """The tiers by name, empty places too; tiers of points are left out."""
    found: dict[str, list[Interval]] = {}
    for name, tier in held["tiers"].items():
        told = json_lines.mapping(tier, f"a tier '{name}' with entries", file=path)
        if told.get("type", "interval") == "interval":
            rows = json_lines.sequence(told.get("entries"), f"entries of '{name}'", file=path)
            found[name] = [_interval(each, i, path) for i, each in enumerate(rows, 1)]
    return found


def _interval(entry: Any, row: int, path: PathLike) -> Interval:
    told = json_lines.sequence(entry, "a start, an end and a label", file=path)
    if len(told) != 3:
        raise BadInput(f"an entry of {len(told)}", "a start, an end and a label", file=path,
                       row=row)  # fmt: skip
    start, end = (json_lines.number(each, file=path, row=row) for each in told[:2])
    if end < start:
        raise BadInput(f"'{told[2]}' from {start} to {end}", "an end after the start", file=path,
                       row=row)  # fmt: skip
    return Interval(start, end, str(told[2]).strip())
