"""What a server's processes use: read from Linux' own table, by their session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Usage(NamedTuple):
    """Of all processes of a session."""

    seconds: float
    """Of a processor, so far."""
    mib: float
    """Memory held at present, shared pages counted in each process."""


def usage(session: int) -> Usage:
    """Of the session that a server's process leads."""
    seconds = pages = 0
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(told[3]) == session:
            seconds += int(told[11]) + int(told[12])
            pages += int(told[21])
    return Usage(seconds / _TICKS, pages * _PAGE / 2**20)
