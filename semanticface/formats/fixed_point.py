"""Many cells of the one shape `d.dddddddddd`, turned into numbers at once.

Live Link Face writes every value with one digit before the point and ten after.
Such a cell is eleven digits at known places: numpy reads eight of them as one
64-bit word, and three multiplications turn the word into a number. The integer
is below 2**53 and 1e10 is exact, so the one division rounds correctly and gives
the very double that `float()` gives for the same text.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

CELL = 13
"""Bytes of a cell with the separator after it."""

_U = np.uint64
_ZEROS = _U(0x3030303030303030)
_HIGH = _U(0xF0F0F0F0F0F0F0F0)
_SIX = _U(0x0606060606060606)
_PAIRS = _U(0x000000FF000000FF)
_HUNDREDS = _U(100 + (1_000_000 << 32))
_ONES = _U(1 + (10_000 << 32))
_TEN, _8, _16, _32 = _U(10), _U(8), _U(16), _U(32)

# The first four bytes, `d.dd`: which bits are fixed, and what they must be.
_HEAD_ZERO = np.uint32(0x30302E30)
_HEAD_HIGH = np.uint32(0xF0F0FFF0)
_HEAD_SIX = np.uint32(0x06060006)


class Cells(NamedTuple):
    """Numbers of a block of equal rows."""

    values: NDArray[np.float64]
    """[rows, columns]; meaningless in rows that are not `good`."""
    good: NDArray[np.bool_]
    """[rows]: every cell of the row has the expected shape."""


def read_cells(rows: NDArray[np.uint8], start: int, columns: int) -> Cells:
    """Unsigned cells of `rows` [n, width], the first at byte `start` of each row.

    The cells are `CELL` bytes apart, separated by commas; each row ends in one
    more byte of any kind. The work is quickest on a few hundred rows at a time,
    because then every array made on the way stays in the cache.
    """
    head = _view(rows, start, columns, "<u4").copy()
    tail = _view(rows, start + 4, columns, "<u8").copy()
    commas = _view(rows, start + 12, columns - 1, "u1")
    strays = _strays(tail, _ZEROS, _HIGH, _SIX)
    strays |= _strays(head, _HEAD_ZERO, _HEAD_HIGH, _HEAD_SIX)
    bad = strays.any(axis=1) | (commas != ord(",")).any(axis=1)
    values: NDArray[np.float64] = _three_digits(head) * np.float64(1e8)
    values += _eight_digits(tail)
    values /= 1e10
    return Cells(values, ~bad)


def _view(rows: NDArray[np.uint8], offset: int, columns: int, kind: str) -> NDArray[Any]:
    """The word at `offset` of each cell, [rows, columns], without copying."""
    strides = (rows.shape[1], CELL)
    return np.ndarray((len(rows), columns), np.dtype(kind), rows, offset, strides)


def _strays(words: NDArray[Any], zeros: Any, high: Any, six: Any) -> NDArray[Any]:
    """Non-zero where a byte of the word is not what `zeros` and `high` ask for.

    A digit's high half-byte is 3, and stays 3 when 6 is added.
    """
    wrong: NDArray[Any] = words & high
    wrong ^= zeros & high
    more = words + six
    more &= high
    more ^= zeros & high
    wrong |= more
    return wrong


def _eight_digits(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Eight ASCII digits, the first in the lowest byte, as a number. Eats `words`."""
    words -= _ZEROS
    shifted = words >> _8
    words *= _TEN
    words += shifted  # two digits in every second byte
    np.right_shift(words, _16, out=shifted)
    words &= _PAIRS
    words *= _HUNDREDS
    shifted &= _PAIRS
    shifted *= _ONES
    words += shifted
    words >>= _32
    return words


def _three_digits(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """`d.dd` as the number `ddd`. Eats `words`."""
    words -= _HEAD_ZERO
    number = (words & np.uint32(15)) * np.uint32(100)
    number += ((words >> np.uint32(16)) & np.uint32(15)) * np.uint32(10)
    number += words >> np.uint32(24)
    return number
