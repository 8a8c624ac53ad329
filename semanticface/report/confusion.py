"""What sounds look like: of each viseme that was said, what the mouth came out nearest to."""

from __future__ import annotations

from typing import NamedTuple

from semanticface.evaluation.result import Evaluation, SourceResult, Visemes
from semanticface.report.colour import SEVERE, ink_on, shade
from semanticface.report.heat import Square
from semanticface.report.measures import counted
from semanticface.report.score_tables import sources_first

_WORTH_WRITING = 0.005


class Said(NamedTuple):
    """All sounds of a viseme."""

    name: str
    total: int
    squares: tuple[Square, ...]


class Confused(NamedTuple):
    """One source's sounds."""

    source: str
    names: tuple[str, ...]
    rows: tuple[Said, ...]
    words: str


def confusions(evaluation: Evaluation) -> list[Confused]:
    """A map for every source that speaks, baselines last."""
    return [_map(source, source.visemes) for source in sources_first(evaluation)
            if source.visemes is not None]  # fmt: skip


def _map(source: SourceResult, told: Visemes) -> Confused:
    rows = tuple(
        Said(name, sum(row), tuple(_square(told.names, i, j, row) for j in range(len(row))))
        for i, (name, row) in enumerate(zip(told.names, told.counts, strict=True))
    )
    own = sum(row[i] for i, row in enumerate(told.counts))
    total = sum(row.total for row in rows)
    words = f"{counted(total, 'sound')}, {100 * own / total:.0f} % nearest to their own"
    return Confused(source.name, told.names, rows, words)


def _square(names: tuple[str, ...], said: int, seen: int, row: tuple[int, ...]) -> Square:
    total = sum(row)
    if not total:
        return Square("", "", "", "", "", False, f"{names[said]} was not said")
    share = row[seen] / total
    colour = shade(1 - share if said == seen else share, SEVERE)
    text = f"{100 * share:.0f}" if share >= _WORTH_WRITING or said == seen else ""
    title = f"{row[seen]:,} of {total:,} {names[said]} came out nearest to {names[seen]}"
    return Square(text, "", "", colour, ink_on(colour), False, title)
