"""Rows of a Live Link Face CSV: bytes in, a table and a list of faults out.

Rows of the app's own shape are read all at once (`fixed_point`); a row of any
other shape is read alone, cell by cell, to the same numbers or to faults that
say which cell is wrong. A row `timecode,0` is a frame without a face.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.formats import timecode
from semanticface.formats.bounds import check_texts
from semanticface.formats.fault import Fault
from semanticface.formats.fixed_point import CELL, read_cells
from semanticface.formats.livelink_header import Header, read_header, split_cells
from semanticface.rig.orders import find

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_PLAIN = re.compile(r"[-+.,0-9eE]*", re.ASCII)
_DIGITS = b"0123456789.,:;-"
_LARGEST = float(np.finfo(np.float32).max)
_PIECE = 3 << 18
"""Bytes read at once: what fits in the cache with all arrays made of it."""
_COUNT_WIDTH = len(",61,")


class Table(NamedTuple):
    """All rows that could be read, and everything that could not."""

    labels: tuple[str, ...]
    """Names of the value columns as the file spells them."""
    values: NDArray[np.floating]
    """[rows, columns]; a frame without a face is a row of NaN. float32, which is
    what a clip holds, unless some columns are no channels and keep their float64."""
    whole: NDArray[np.int64]
    frames: NDArray[np.float64]
    lines: NDArray[np.int64]
    """Line of the file each row stands in, header = 1."""
    words: dict[str, NDArray[np.str_]]
    """Unknown columns in which something other than numbers stands."""
    faults: list[Fault]
    time_label: str


class _Block(NamedTuple):
    """Rows read at once; `good` marks those that could be."""

    values: NDArray[np.float64]
    whole: NDArray[np.int64]
    frames: NDArray[np.float64]
    good: NDArray[np.bool_]


class _Row(NamedTuple):
    stamp: timecode.Stamp
    values: list[float] | None
    """None in a frame without a face."""


def parse(data: bytes) -> Table:
    """Read a whole file; a header that cannot be understood is an error."""
    text = _plain_lines(data)
    end = text.find(b"\n") % (len(text) + 1)
    header = read_header(text[:end])
    reader = _RowReader(header)
    pieces, line = [], 2
    for body in _pieces(text, end + 1):
        pieces.append(_read_piece(header, reader, body, line))
        line += pieces[-1].size
    if not pieces:
        raise BadInput("no row below the header", "at least one frame")
    values, whole, frames, lines = map(
        np.concatenate, zip(*(each.rows for each in pieces), strict=True)
    )
    return Table(
        tuple(header.labels[j] for j in header.values), values, whole, frames, lines,
        _words(header, reader.wordy, text, lines), reader.faults, header.labels[header.time_at],
    )  # fmt: skip


def _pieces(text: bytes, start: int) -> Iterator[bytes]:
    """Whole lines with their ends, a cacheful at a time, no empty lines at the end."""
    stop = len(text)
    while stop > start and text[stop - 1 : stop].isspace():
        stop -= 1
    while start < stop:
        end = text.find(b"\n", min(start + _PIECE, stop), stop) + 1
        yield text[start:end] if end else text[start:stop] + b"\n"
        start = end or stop


def _plain_lines(data: bytes) -> bytes:
    """UTF-8 without byte-order mark, lines ended by LF."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadInput("UTF-16 text", "UTF-8; save it again with that encoding", row=1)
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data


# -- all usual rows at once ------------------------------------------------------


def _read_block(header: Header, body: bytes) -> _Block:
    """Read the rows of the app's own shape.

    Minus signs are taken out first, so that all such rows are equally long;
    where they stood says which values to turn around.
    """
    compact = body.replace(b"-", b"")
    columns = len(header.values)
    start = timecode.WIDTH + _COUNT_WIDTH
    width = start + CELL * columns - 1
    ends = _even_ends(compact, width) if header.usual else None
    ends = _line_ends(compact) if ends is None else ends
    lengths = np.diff(ends, prepend=-1) - 1
    total = len(lengths)
    usual = (lengths == width) & header.usual
    signs = _find_signs(body, ends, lengths, start, columns)
    usual[signs.bad_rows] = False
    block = _Block(
        np.full((total, columns), np.nan), np.zeros(total, np.int64), np.zeros(total), usual
    )
    if usual.any():
        block = _read_matrix(block, _matrix(compact, ends, usual, width), start, columns)
        row, cell = signs.rows, signs.cells
        block.values[row, cell] = -block.values[row, cell]
    return block


def _even_ends(text: bytes, width: int) -> NDArray[np.int64] | None:
    """Line ends of a text whose lines are all `width` long; else None."""
    count = text.count(b"\n")
    if len(text) != count * (width + 1):
        return None
    last = np.frombuffer(text, np.uint8)[width :: width + 1]
    return np.arange(width, len(text), width + 1) if (last == ord("\n")).all() else None


def _line_ends(text: bytes) -> NDArray[np.int64]:
    return np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))


def _matrix(
    compact: bytes, ends: NDArray[np.int64], usual: NDArray[np.bool_], width: int
) -> NDArray[np.uint8]:
    """The usual lines under each other, [n, width + 1], line end included."""
    if not usual.all():
        turns = np.flatnonzero(np.diff(usual, prepend=False, append=False))
        places = np.concatenate([[0], ends + 1])[turns].reshape(-1, 2)
        compact = b"".join([compact[start:end] for start, end in places.tolist()])
    return np.frombuffer(compact, np.uint8).reshape(-1, width + 1)


def _read_matrix(block: _Block, rows: NDArray[np.uint8], start: int, columns: int) -> _Block:
    cells = read_cells(rows, start, columns)
    stamps = timecode.parse_rows(rows)
    good = cells.good & stamps.good & _usual_count(rows, columns)
    if good.all() and block.good.all():
        return _Block(cells.values, stamps.whole, stamps.frames, good)
    at = np.flatnonzero(block.good)[good]
    block.values[at] = cells.values[good]
    block.whole[at], block.frames[at] = stamps.whole[good], stamps.frames[good]
    read = np.zeros_like(block.good)
    read[at] = True
    return block._replace(good=read)


def _usual_count(rows: NDArray[np.uint8], columns: int) -> NDArray[np.bool_]:
    """Whether the count is 61, as the app writes it, or the number of columns."""
    cell = rows[:, timecode.WIDTH : timecode.WIDTH + _COUNT_WIDTH]
    good = (cell == np.frombuffer(b",61,", np.uint8)).all(axis=1)
    if 10 <= columns <= 99 and columns != 61:
        good |= (cell == np.frombuffer(b",%d," % columns, np.uint8)).all(axis=1)
    return np.asarray(good)


class _Signs(NamedTuple):
    rows: NDArray[np.int64]
    cells: NDArray[np.int64]
    bad_rows: NDArray[np.int64]
    """Rows with a minus anywhere but right before a usual cell."""


def _find_signs(
    body: bytes, ends: NDArray[np.int64], lengths: NDArray[np.int64], start: int, columns: int
) -> _Signs:
    """Row and cell of each minus; `ends` and `lengths` are of lines without them."""
    places = np.flatnonzero(np.frombuffer(body, np.uint8) == ord("-"))
    places -= np.arange(len(places))  # now places in the text without minus signs
    rows = np.searchsorted(ends, places)
    cells, rest = np.divmod(places - (ends - lengths)[rows] - start, CELL)
    good = (rest == 0) & (cells >= 0) & (cells < columns)
    good[1:] &= np.diff(places) != 0
    return _Signs(rows[good], cells[good], np.unique(rows[~good]))


# -- any other row ---------------------------------------------------------------


class _Piece(NamedTuple):
    rows: tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
    """Values, whole seconds, frames and line numbers of the good rows."""
    size: int
    """Lines read, good or not."""


def _read_piece(header: Header, reader: _RowReader, body: bytes, first: int) -> _Piece:
    """Read some lines, at once where they are as usual, else one by one."""
    block = _read_block(header, body)
    keep = block.good.copy()
    if not keep.all():
        ends = [-1, *_line_ends(body).tolist()]
        for i in np.flatnonzero(~keep).tolist():
            row = reader.read(body[ends[i] + 1 : ends[i + 1]], first + i)
            if row is not None:
                keep[i] = True
                block.whole[i], block.frames[i] = row.stamp
                block.values[i] = np.nan if row.values is None else row.values
    lines_kept = np.flatnonzero(keep) + first
    values = block.values.astype(header.precision)
    if len(lines_kept) < len(keep):
        values = values[keep]
    return _Piece((values, block.whole[keep], block.frames[keep], lines_kept), len(keep))


def _words(
    header: Header, wordy: set[int], text: bytes, lines_kept: NDArray[np.int64]
) -> dict[str, NDArray[np.str_]]:
    """Columns in which words stand, as text from top to bottom."""
    if not wordy:
        return {}
    lines = text.split(b"\n")
    rows = [split_cells(lines[number - 1]) for number in lines_kept.tolist()]
    words = {
        header.labels[j]: [row[j] if j < len(row) else "" for row in rows] for j in sorted(wordy)
    }
    check_texts(words, lines_kept.tolist())
    return {label: np.array(cells) for label, cells in words.items()}


class _RowReader:
    """Reads single rows and collects what is wrong with them."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.faults: list[Fault] = []
        self.wordy: set[int] = set()

    def read(self, line: bytes, number: int) -> _Row | None:
        """The row, or None with at least one fault added."""
        return self._read_plain(line) or self._read_any(line, number)

    def _read_plain(self, line: bytes) -> _Row | None:
        """A row of digits only, or None: faster, and it sees no faults."""
        if not self.header.usual or line.translate(None, _DIGITS):
            return None
        cells = line.split(b",")
        try:
            if len(cells) == len(self.header.labels) and cells[1] == b"61":
                values = list(map(float, cells[2:]))
                if max(map(abs, values)) <= _LARGEST:
                    return _Row(timecode.parse(cells[0].decode()), values)
            elif len(cells) == 2 and cells[1] == b"0":
                return _Row(timecode.parse(cells[0].decode()), None)
        except ValueError:  # what is wrong is for the thorough reader to say
            pass
        return None

    def _read_any(self, line: bytes, number: int) -> _Row | None:
        cells = split_cells(line)
        if cells == [""]:
            self._add(number, None, "an empty line", "a row; it is left out", warning=True)
            return None
        stamp = self._stamp(cells, number)
        if self._without_face(cells):
            return _Row(stamp, None) if stamp else None
        width = len(self.header.labels)
        if len(cells) < width or any(cells[width:]):
            wanted = f"{width} as in the header, or 'timecode,0' for a frame without a face"
            self._add(number, None, f"{len(cells)} cells", wanted)
            return None
        if not self._count_agrees(cells, number):
            return None
        values = self._values(cells, number)
        return _Row(stamp, values) if stamp and values else None

    def _add(
        self, number: int, column: str | None, found: str, expected: str, *, warning: bool = False
    ) -> None:
        severity = "warning" if warning else "error"
        self.faults.append(Fault(number, column, found, expected, severity))  # type: ignore[arg-type]

    def _stamp(self, cells: list[str], number: int) -> timecode.Stamp | None:
        text = cells[self.header.time_at] if self.header.time_at < len(cells) else ""
        try:
            return timecode.parse(text)
        except BadInput as error:
            label = self.header.labels[self.header.time_at]
            self._add(number, label, error.found, error.expected)
            return None

    def _without_face(self, cells: list[str]) -> bool:
        count = self.header.count_at
        if count is None or count >= len(cells) or cells[count] != "0":
            return False
        return not any(
            cell for j, cell in enumerate(cells) if j not in (count, self.header.time_at)
        )

    def _count_agrees(self, cells: list[str], number: int) -> bool:
        """A count of 0 beside values is a contradiction; any other is only odd."""
        if self.header.count_at is None:
            return True
        text, label = cells[self.header.count_at], self.header.labels[self.header.count_at]
        if text == "0":
            self._add(number, label, "0 beside values", "61, or no values after a count of 0")
            return False
        if text not in ("61", str(len(self.header.values))):
            self._add(number, label, repr(text[:20]), "61; columns are read by name", warning=True)
        return True

    def _values(self, cells: list[str], number: int) -> list[float] | None:
        picked = [cells[j] for j in self.header.values]
        if _PLAIN.fullmatch(",".join(picked)):
            try:
                values = [float(cell) for cell in picked]
            except ValueError:
                values = [np.inf]
            if max(map(abs, values)) <= _LARGEST:
                return values
        before = len(self.faults)
        values = [self._value(cells[j], j, number) for j in self.header.values]
        return values if len(self.faults) == before else None

    def _value(self, text: str, column: int, number: int) -> float:
        if _NUMBER.fullmatch(text):
            value = float(text)
            if abs(value) <= _LARGEST:
                return value
        elif find(self.header.labels[column]) is None:
            if text:
                self.wordy.add(column)
            return float("nan")
        label = self.header.labels[column]
        self._add(number, label, repr(text[:40]) if text else "an empty cell", "a number")
        return float("nan")
