"""How much a file may ask for, whatever its format.

Text of an extra column is held at the width of its longest cell, and a table is
as wide as all names of all its frames: a small file could ask for more memory
than there is. These bounds are far above what any recording needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from semanticface.errors import BadInput

MAX_CELL = 1_024
"""Characters of one cell or name."""
MAX_COLUMNS = 512
"""Columns of a table, or names of all frames together."""
MAX_TEXT = 2**26
"""Characters that all columns of text hold together at their full width."""


def check_columns(count: int, *, file: object = None, row: int | None = None) -> None:
    """Refuse more columns than any face has."""
    if count > MAX_COLUMNS:
        raise BadInput(f"{count:,} columns", f"at most {MAX_COLUMNS}", file=file, row=row)


def check_cell(
    text: str, *, file: object = None, row: int | None = None, column: str | None = None
) -> None:
    """Refuse a cell or name longer than `MAX_CELL`."""
    if len(text) > MAX_CELL:
        place = None if column is None else column[:60]
        found = f"{len(text):,} characters"
        raise BadInput(found, f"at most {MAX_CELL:,}", file=file, row=row, column=place)


def check_texts(
    columns: Mapping[str, Sequence[object]], rows: Sequence[int], *, file: object = None
) -> None:
    """Refuse long cells, and columns that are too much together; `rows` number the cells."""
    total = 0
    for label, cells in columns.items():
        for row, cell in zip(rows, cells, strict=True):
            if isinstance(cell, str):
                check_cell(cell, file=file, row=row, column=label)
        widths = (len(cell) for cell in cells if isinstance(cell, str))
        total += max(widths, default=0) * len(cells)
        if total > MAX_TEXT:
            found = f"text of {total:,} characters at the width of its longest cells"
            raise BadInput(found, f"at most {MAX_TEXT:,}", file=file, column=label[:60])


def first_double(names: Iterable[str]) -> str | None:
    """The first name that stood before already."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
