"""Subtitles (SubRip): numbered cues of text with a start and an end to the millisecond.

    1
    00:00:01,200 --> 00:00:02,950
    Hello there.

Commas or points before the milliseconds; tags such as <i> stay in the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from semanticface.atomic import write_text
from semanticface.errors import BadInput
from semanticface.formats.json_lines import PathLike, read_text
from semanticface.formats.textgrid import Interval

_CLOCK = r"(\d{1,3}):([0-5]\d):([0-5]\d)[,.](\d{3})"
_SPAN = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s.*)?")


def read_srt(path: PathLike) -> list[Interval]:
    """The cues in order of time; lines of one cue are joined by a space."""
    cues: list[Interval] = []
    lines = read_text(path).replace("\r\n", "\n").split("\n")
    row = 0
    while row < len(lines):
        if not lines[row].strip():
            row += 1
            continue
        if lines[row].strip().isdigit() and row + 1 < len(lines) and "-->" in lines[row + 1]:
            row += 1
        start, end = _span(lines[row], row + 1, path)
        text: list[str] = []
        row += 1
        while row < len(lines) and lines[row].strip():
            text.append(lines[row].strip())
            row += 1
        cues.append(Interval(start, end, " ".join(text)))
    return sorted(cues, key=lambda each: each.start)


def write_srt(cues: Sequence[Interval], path: PathLike) -> None:
    """Write cues, numbered from 1."""
    write_text(path, "".join(
        f"{i}\n{_clock(each.start)} --> {_clock(each.end)}\n{each.text}\n\n"
        for i, each in enumerate(cues, 1)
    ))  # fmt: skip


def _span(line: str, row: int, path: PathLike) -> tuple[float, float]:
    found = _SPAN.fullmatch(line)
    if found is None:
        raise BadInput(f"'{line.strip()[:40]}'", "00:00:01,200 --> 00:00:02,950",
                       file=path, row=row)  # fmt: skip
    numbers = [int(text) for text in found.groups()]
    start, end = (
        (((h * 60 + m) * 60 + s) * 1000 + ms) / 1000 for h, m, s, ms in (numbers[:4], numbers[4:])
    )
    if end < start:
        raise BadInput(f"an end {end:g} s before the start {start:g} s", "times that rise",
                       file=path, row=row)  # fmt: skip
    return start, end


def _clock(seconds: float) -> str:
    whole = round(seconds * 1000)
    return (f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d},"
            f"{whole % 1000:03d}")  # fmt: skip
