"""What the small reader is taught to write, and how that is read again.

Words are the rules' own about the channels asked for: category, movements, feeling and
symmetry, a line each; then an empty line; then the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.language.answer_format import AnswerFormat
from semanticface.language.answers import answer_format
from semanticface.language.consistency import check
from semanticface.language.describe import describe
from semanticface.language.description import Description
from semanticface.rig import CHANNELS, COUNT
from small_reader.reader import Reader, Told
from small_reader.sight import SUBSET, Faces

GAP = "\n\n"


def form(key: str) -> AnswerFormat:
    """A format of the channels asked for, hundredths as its steps."""
    return answer_format(key, 2, SUBSET)


def numbers(reader: Reader, held: Faces, key: str) -> list[list[int]]:
    """The tokens of each face's numbers."""
    kept = form(key)
    values = np.clip(held.values, 0, 1)
    return _ids(reader, [kept.write(each) for each in values])


def words(reader: Reader, held: Faces, seed: int = 0) -> list[list[int]]:
    """The tokens of each face's description, its wording chosen by its number."""
    told = [describe(each, seed=seed + n) for n, each in enumerate(held.values)]
    return _ids(reader, ["\n".join(each.as_analysis().values()) for each in told])


def gap(reader: Reader) -> list[int]:
    """The tokens between words and numbers."""
    return _ids(reader, [GAP])[0]


def slots(reader: Reader) -> list[int]:
    """The channels' labels, each one token."""
    return [int(n) for n in reader.text.convert_tokens_to_ids([CHANNELS[i].label for i in SUBSET])]


def _ids(reader: Reader, texts: Sequence[str]) -> list[list[int]]:
    return [list(each) for each in reader.text(list(texts), add_special_tokens=False)["input_ids"]]


class Numbers(NamedTuple):
    """Numbers of some answers [N, 61], NaN where an answer gives none."""

    likeliest: NDArray[np.float32]
    expected: NDArray[np.float32]


def read_values(reader: Reader, told: Told) -> Numbers:
    """Of answers that end in value tokens: what was written, and what was expected there."""
    made = np.full((2, len(told.ids), COUNT), np.nan, np.float32)
    values = {int(token): n for n, token in enumerate(reader.values)}
    for row, (ids, means) in enumerate(zip(told.ids, told.expected, strict=True)):
        at = [n for n, token in enumerate(ids) if token in values]
        if len(at) == len(SUBSET) == len(ids[at[0] :] if at else ()):
            made[0, row, SUBSET] = [float(reader.grid[values[ids[n]]]) for n in at]
            made[1, row, SUBSET] = [means[n] for n in at]
    return Numbers(made[0], made[1])


def read_text(reader: Reader, told: Told, key: str) -> NDArray[np.float32]:
    """[N, 61] of answers in a textual format, strictly read."""
    kept = form(key)
    return np.stack([kept.read(text).values for text in texts(reader, told)])


def texts(reader: Reader, told: Told) -> list[str]:
    """Answers as text."""
    return [reader.text.decode(ids, clean_up_tokenization_spaces=False) for ids in told.ids]


class Truthful(NamedTuple):
    """Of written descriptions: share of decided claims borne out, and of active channels said."""

    supported: float
    said: float
    unread: int
    """Answers without four lines."""


def held_against(answers: Sequence[str], values: NDArray[np.float32]) -> Truthful:
    """Descriptions against numbers, face by face."""
    true = false = unread = 0
    said = []
    for answer, face in zip(answers, values, strict=True):
        lines = answer.split(GAP)[0].split("\n")
        if len(lines) != 4 or np.isnan(face[list(SUBSET)]).any():
            unread += 1
            continue
        found = check(Description(*lines), face)
        true, false = true + len(found.supported), false + len(found.contradicted)
        said.append(found.coverage)
    return Truthful(true / max(true + false, 1), float(np.mean(said)) if said else 0.0, unread)
