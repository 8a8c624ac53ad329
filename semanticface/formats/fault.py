"""One thing wrong with a file, with its place, so that all can be listed at once."""

from __future__ import annotations

from typing import Literal, NamedTuple

from semanticface.errors import BadInput


class Fault(NamedTuple):
    """What stands where something else was expected."""

    row: int | None
    """Line of the file as a text editor counts, header = 1; None for the whole file."""
    column: str | None
    """The column's own label; None for the whole row."""
    found: str
    expected: str
    severity: Literal["error", "warning"]
    """An `error` keeps the file from being read; a `warning` does not."""

    def as_error(self, file: object = None) -> BadInput:
        """The same fault as an exception, with the same words."""
        return BadInput(self.found, self.expected, file=file, row=self.row, column=self.column)

    def __str__(self) -> str:
        return f"{self.severity}: {self.as_error()}"


def first_error(faults: list[Fault]) -> Fault | None:
    """The serious fault that stands highest in the file, or None.

    Faults of the file as a whole come before faults of a row.
    """
    errors = [fault for fault in faults if fault.severity == "error"]
    return min(errors, key=lambda fault: fault.row or 0, default=None)
