"""Where in a clip a named peak expression was asked for: segments and their sidecars.

    segments = read_segments("take.segments.yaml")   # or .json, .csv, .TextGrid

A sidecar lists `name` with `start` and `end`, or with one `time`, in seconds on the
clip's own clock.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from semanticface.errors import BadInput, did_you_mean
from semanticface.formats import json_lines, textgrid
from semanticface.metrics.peaks import PathLike, mapping_of, read_yaml


@dataclass(frozen=True)
class Segment:
    """A stretch of a clip in which a named peak expression was asked for; seconds."""

    name: str
    start: float
    end: float
    """Equal to `start` where only one moment is labelled."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.end) and self.start <= self.end):
            raise BadInput(f"'{self.name}' from {self.start:g} to {self.end:g} s",
                           "an end at or after the start")  # fmt: skip


def read_segments(path: PathLike, *, tier: str | None = None) -> tuple[Segment, ...]:
    """Labelled segments of a YAML, JSON, CSV or TextGrid file.

    `tier`: which tier of a TextGrid; needed where it has several.
    """
    kind = Path(path).suffix.lower()
    if kind == ".textgrid":
        return _tier(path, tier)
    if kind == ".csv":
        text = json_lines.read_text(path).splitlines()
        rows: object = list(csv.DictReader(text, restkey="cells without a name"))
    elif kind == ".json":
        rows = json_lines.load(path)
    elif kind in (".yaml", ".yml"):
        rows = read_yaml(path)
    else:
        raise BadInput(f"a file '{Path(path).name}'", "segments in .yaml, .json, .csv or .TextGrid")
    if not isinstance(rows, list):
        raise BadInput(f"{rows!r}"[:80], "a list of segments", file=path)
    first = 2 if kind == ".csv" else 1
    return tuple(_segment(each, path, row) for row, each in enumerate(rows, first))


def _segment(held: object, path: PathLike, row: int) -> Segment:
    try:
        entry = mapping_of(held, "segment", ("name", "start", "end", "time"))
        place = ("time", "time") if entry.get("time") not in (None, "") else ("start", "end")
        name = entry.get("name")
        if not isinstance(name, str) or not name.strip():
            raise BadInput(f"{name!r}", "the name of a peak expression", column="name")
        return Segment(name, *(_second(entry.get(key), key) for key in place))
    except BadInput as fault:
        raise fault.at(file=path, row=row) from None


def _second(value: object, key: str) -> float:
    try:
        found = float(cast(Any, value)) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise BadInput(f"{value!r}", "seconds", column=key)
    return found


def _tier(path: PathLike, tier: str | None) -> tuple[Segment, ...]:
    tiers = textgrid.read_tiers(path)
    if tier is None and len(tiers) == 1:
        tier = next(iter(tiers))
    if tier not in tiers:
        raise BadInput(f"{'no tier chosen' if tier is None else repr(tier)}",
                       f"one of the tiers {', '.join(tiers)}", file=path,
                       hint=did_you_mean(tier or "", tiers))  # fmt: skip
    return tuple(Segment(each.text, each.start, each.end) for each in tiers[tier])
