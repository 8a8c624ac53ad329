"""Phones flow into each other by dominance functions, after Cohen and Massaro (1993).

Each piece p of a timeline says for each track k how strongly it wants its targets:

    D_pk(t) = a_pk exp(-r_k d_p(t))

with a the phone's dominance, d the seconds from t to the inner part of the piece (its
middle half; 0 inside) and r the track's decay, one before and one after the piece. A
channel c of the track then stands at

    value_c(t) = sum_p D_pk(t) T_pc / sum_p D_pk(t)

Theirs measures d from the centre alone; the inner part keeps long vowels at their target.
A piece reaches 0.4 s beyond its ends, so the sum over a stretch of time needs no more of
the timeline than that: any stretch comes out as it does within the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from semanticface.rig import COUNT
from semanticface.speech.manners import Manner
from semanticface.speech.phones import SILENCE, Phone, tracks
from semanticface.speech.timeline import Piece

Array = NDArray[np.float64]
REACH = 0.4
"""Seconds beyond its ends to which a piece is heard."""
_INNER = 0.25
_REST_SOON = 0.12
_FULL_REST = 0.25
"""Seconds of silence from which it insists fully on rest: a short gap hardly closes a mouth."""


def blend(
    pieces: Iterable[Piece], times: Array, gains: Array | None = None, manner: Manner | None = None
) -> Array:
    """Values [T, 61] of the mouth at rising times; channels of no track stay 0.

    `gains` [T] scales how far the jaw drops, 1 as in the table.
    """
    manner = manner or Manner()
    over, under = np.zeros((len(times), COUNT)), np.full((len(times), len(tracks())), 1e-9)
    before = manner.before * np.array([each.before for each in tracks()])
    after = manner.after * np.array([each.after for each in tracks()])
    columns, owner = _columns()
    for piece in _with_rest_around(pieces):
        low = int(np.searchsorted(times, piece.start - REACH))
        high = int(np.searchsorted(times, piece.end + REACH))
        if low >= high:
            continue
        row = manner.phone(piece.phone)
        start, end = _inner(row, piece)
        clock = times[low:high, None] + manner.lead
        away = np.maximum(start - clock, 0) * before + np.maximum(clock - end, 0) * after
        say = _insistence(row, piece) * np.exp(-away)
        under[low:high] += say
        over[low:high, columns] += say[:, owner] * row.targets[columns]
    over[:, columns] /= under[:, owner]
    if gains is not None:
        jaw = list(tracks()[0].channels)
        over[:, jaw] *= gains[:, None]
    return over


def _inner(row: Phone, piece: Piece) -> tuple[float, float]:
    length = piece.end - piece.start
    margin = min(_REST_SOON, length / 2) if row.silent else _INNER * length
    return piece.start + margin, piece.end - margin


def _insistence(row: Phone, piece: Piece) -> Array:
    share = min(1.0, (piece.end - piece.start) / _FULL_REST) if row.silent else 1.0
    return row.dominance * share


def _with_rest_around(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Nothing is said before the first piece nor after the last: the mouth begins at rest."""
    held: Piece | None = None
    for piece in pieces:
        if held is None:
            held = Piece(SILENCE, piece.start - 1.0, piece.start, -1)
        if held.phone == piece.phone == SILENCE:
            held = held._replace(end=piece.end)
            continue
        yield held
        held = piece
    if held is not None and held.phone == SILENCE:
        yield held._replace(end=held.end + 1.0)
    elif held is not None:
        yield held
        yield Piece(SILENCE, held.end, held.end + 1.0, -1)


@cache
def _columns() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Every channel of every track, and the track it belongs to."""
    pairs = [(channel, k) for k, track in enumerate(tracks()) for channel in track.channels]
    columns, owner = np.array(pairs, np.intp).T
    return columns, owner
