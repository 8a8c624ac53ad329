"""Printing what a project's verdicts say."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table

from semanticface.cli.console import out
from semanticface.preference.agreement import (
    Ranking,
    Record,
    agreement,
    kappas,
    ranking,
    records,
)
from semanticface.preference.store import Store
from semanticface.preference.store.verdicts import Heard


def tell_report(store: Store, said: Sequence[Heard], kind: str) -> None:
    """The ranking, the agreement and the raters, of one kind of judges."""
    told = agreement(said)
    out().print(f"{len(said)} verdicts of judges of kind {kind}")
    out().print(f"Krippendorff's alpha {_number(told.alpha)} over {told.pairs} pairs that several "
                "judged")  # fmt: skip
    for each in kappas(said):
        out().print(f"kappa {each.one}, {each.other}: {_number(each.kappa)} ({each.pairs} pairs)",
                    markup=False)  # fmt: skip
    out().print(_sources(ranking(store, said)))
    out().print(_raters(records(said)))


def _sources(found: Ranking) -> Table:
    table = Table("source", "strength", "95 %", "comparisons", box=None, header_style="bold",
                  caption=found.note or None)  # fmt: skip
    for each in found.ranks:
        span = f"{_number(each.low)} to {_number(each.high)}"
        table.add_row(each.source, _number(each.strength), span, str(each.comparisons))
    return table


def _raters(found: Sequence[Record]) -> Table:
    table = Table("rater", "verdicts", "seconds", "left", "checks", "repeats", "look at", box=None,
                  header_style="bold")  # fmt: skip
    for each in found:
        pace = "-" if each.seconds is None else f"{each.seconds:.1f}"
        table.add_row(
            each.name, str(each.verdicts), pace, _number(each.left), _of(each.checks),
            _of(each.repeats), "; ".join(each.suspicious),
        )  # fmt: skip
    return table


def _of(pair: tuple[int, int]) -> str:
    return f"{pair[0]}/{pair[1]}" if pair[1] else "-"


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "-"
