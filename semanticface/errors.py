"""What goes wrong, said so that the reader can mend it.

Every error of this package tells what was found, what was expected and, where
there is one, the switch or the row to change. The command line turns any
`SemanticFaceError` into one message and exit code 2.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import partial
from types import ModuleType
from typing import Any


class SemanticFaceError(Exception):
    """Base of everything this package raises on purpose."""


class BadInput(SemanticFaceError, ValueError):
    """A file, packet, answer or argument that is not what it should be.

    The message reads `take.csv, row 12, column JawOpen: found 'abc', expected a
    number. Hint.` with the parts that are known.
    """

    def __init__(
        self,
        found: str,
        expected: str = "",
        *,
        file: object = None,
        row: int | None = None,
        column: str | None = None,
        hint: str = "",
    ) -> None:
        self.found = found
        self.expected = expected
        self.file = None if file is None else str(file)
        self.row = row
        self.column = column
        self.hint = hint
        super().__init__(self._message())

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the way back from a worker process."""
        place = {"file": self.file, "row": self.row, "column": self.column, "hint": self.hint}
        return partial(BadInput, **place), (self.found, self.expected)  # type: ignore[arg-type]

    def _message(self) -> str:
        where = [
            part
            for part in (
                self.file,
                None if self.row is None else f"row {self.row}",
                None if self.column is None else f"column {self.column}",
            )
            if part
        ]
        text = f"found {self.found}"
        if self.expected:
            text += f", expected {self.expected}"
        if where:
            text = f"{', '.join(where)}: {text}"
        return f"{text}. {self.hint}" if self.hint else text

    def at(self, *, file: object = None, row: int | None = None) -> BadInput:
        """The same fault with a place added by a caller that knows it."""
        return BadInput(
            self.found,
            self.expected,
            file=self.file if file is None else file,
            row=self.row if row is None else row,
            column=self.column,
            hint=self.hint,
        )


class MissingExtra(SemanticFaceError, ImportError):
    """A package that an optional part needs is not installed."""

    def __init__(self, package: str, extra: str, what_for: str) -> None:
        self.package = package
        self.extra = extra
        self.what_for = what_for
        super().__init__(
            f"{what_for} needs the package '{package}'. "
            f"Install it with: pip install 'semanticface[{extra}]'"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the way back from a worker process."""
        return MissingExtra, (self.package, self.extra, self.what_for)


def need(module: str, extra: str, what_for: str) -> ModuleType:
    """Import an optional module, or say which extra brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and module.split(".")[0] == error.name.split(".")[0]:
            raise MissingExtra(module.split(".")[0], extra, what_for) from error
        raise


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`Did you mean 'jawOpen'?`, or nothing when no known name is near."""
    from difflib import get_close_matches  # only an error needs it

    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.6)
    return f"Did you mean '{by_lower[near[0]]}'?" if near else ""
