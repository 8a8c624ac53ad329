"""CTM files: one word or phone a line, as Kaldi, NIST's tools and Audacity-like ones write.

    recording channel start duration symbol [confidence]

Start and duration are seconds. Lines that begin with `;;` are remarks. Symbols of position
(`AH0_B`, `T_E` of Kaldi) lose their ending where `positions` is set.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from semanticface.atomic import write_text
from semanticface.errors import BadInput
from semanticface.formats.json_lines import PathLike, read_text
from semanticface.formats.textgrid import Interval

_POSITION = re.compile(r"_[BIES]$")


def read_ctm(
    path: PathLike, *, recording: str | None = None, positions: bool = True
) -> list[Interval]:
    """The rows of one recording; of the only one, where none is named."""
    rows = [_row(line, row, path) for row, line in enumerate(read_text(path).splitlines(), 1)
            if line.strip() and not line.startswith(";;")]  # fmt: skip
    names = list(dict.fromkeys(name for name, _ in rows))
    if recording is None and len(names) > 1:
        raise BadInput(f"{len(names)} recordings ({', '.join(names[:3])} ...)", "one",
                       file=path, hint="Name the one that is meant.")  # fmt: skip
    if recording is not None and recording not in names:
        raise BadInput(f"no recording '{recording}'", f"one of {', '.join(names[:8])}", file=path)
    kept = [each for name, each in rows if recording in (None, name)]
    listed = sorted(kept, key=lambda each: each.start)
    if positions:
        listed = [Interval(i.start, i.end, _POSITION.sub("", i.text)) for i in listed]
    return listed


def write_ctm(intervals: Iterable[Interval], path: PathLike, *, recording: str = "audio") -> None:
    """Write intervals, three decimals, channel 1; nothing for unlabelled ones."""
    write_text(path, "".join(
        f"{recording} 1 {each.start:.3f} {each.end - each.start:.3f} {each.text}\n"
        for each in intervals if each.text
    ))  # fmt: skip


def _row(line: str, row: int, path: PathLike) -> tuple[str, Interval]:
    fields = line.split()
    if len(fields) not in (5, 6):
        raise BadInput(f"{len(fields)} fields", "recording channel start duration symbol "
                       "[confidence]", file=path, row=row)  # fmt: skip
    start, length = (_seconds(text, row, path) for text in fields[2:4])
    return fields[0], Interval(start, start + length, fields[4])


def _seconds(text: str, row: int, path: PathLike) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise BadInput(f"'{text[:40]}'", "seconds, 0 or more", file=path, row=row)
    return value
