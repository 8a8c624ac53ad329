"""The first line of a Live Link Face CSV: which column is what, by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from semanticface.errors import BadInput, did_you_mean
from semanticface.rig.orders import find

_LOG_LINE = re.compile(rb"[VDAB],\d+,-?\d+,\d+,")
_MOST_COLUMNS = 512


@dataclass(frozen=True)
class Header:
    """What the first line says."""

    labels: tuple[str, ...]
    time_at: int
    """Which column holds the timecode."""
    count_at: int | None
    """Which column holds the number of values; some writers leave it out."""
    values: tuple[int, ...]
    """All other columns."""

    @property
    def usual(self) -> bool:
        """Timecode, count, values: the app's own arrangement."""
        return self.time_at == 0 and self.count_at == 1

    @cached_property
    def precision(self) -> type[np.floating]:
        """float32 if every column is a channel."""
        known = (find(self.labels[j]) is not None for j in self.values)
        return np.float32 if all(known) else np.float64


def read_header(line: bytes) -> Header:
    """Find the columns by name, whatever their case and order."""
    _refuse_other_files(line)
    labels = tuple(split_cells(line))
    while labels and not labels[-1]:
        labels = labels[:-1]
    lower = [label.lower() for label in labels]
    if "timecode" not in lower:
        raise BadInput(
            f"the columns {', '.join(labels[:4])[:80]!r}",
            "a header with Timecode, BlendShapeCount and channel names "
            + did_you_mean(labels[0] if labels else "", ["Timecode"]),
            row=1,
        )
    time = lower.index("timecode")
    count = lower.index("blendshapecount") if "blendshapecount" in lower else None
    values = tuple(j for j in range(len(labels)) if j not in (time, count))
    _refuse_no_channel(tuple(labels[j] for j in values))
    return Header(labels, time, count, values)


def _refuse_other_files(line: bytes) -> None:
    if not line.strip():
        raise BadInput("an empty first line", "a Live Link Face header", row=1)
    if _LOG_LINE.match(line):
        raise BadInput(
            "the frame log of a take (frame_log.csv: times of video, depth and audio frames)",
            "the coefficients, which stand in {Slate}_{Take}_{Subject}.csv of the same folder",
            row=1,
        )
    if b"," not in line and b";" in line:
        raise BadInput("cells separated by ';'", "commas; export the table again", row=1)


def _refuse_no_channel(labels: tuple[str, ...]) -> None:
    if not all(labels):
        raise BadInput("a column without a name", "a name for each column", row=1)
    if len(labels) > _MOST_COLUMNS:
        raise BadInput(f"{len(labels)} columns", f"at most {_MOST_COLUMNS}", row=1)
    if len(set(labels)) < len(labels):
        twice = sorted(label for label in labels if labels.count(label) > 1)
        raise BadInput(f"two columns {twice[0]!r}", "each column once", row=1, column=twice[0])
    if all(find(label) is None for label in labels):
        raise BadInput(
            f"no face channel among {', '.join(labels[:4])[:80]!r}",
            "names such as EyeBlinkLeft or jawOpen",
            row=1,
        )


def split_cells(line: bytes) -> list[str]:
    """Cells of one line without spaces and quotes around them."""
    text = line.decode("utf-8", "replace")
    return [cell.strip().strip('"').strip() for cell in text.split(",")]
