"""What an answer costs: tokens are decode steps, and decode steps are time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, need
from semanticface.language.answers import FORMATS, AnswerFormat, ValueTokens, answer_format
from semanticface.language.describe import describe_frames

Counter = Callable[[str], int]


class Cost(NamedTuple):
    """Cost of one frame in one format, over some frames."""

    key: str
    decimals: int
    mean: float
    least: int
    most: int
    characters: float
    about: str


def byte_counter() -> Counter:
    """Counts UTF-8 bytes: the cost with a byte-level tokenizer, and an upper bound."""
    return lambda text: len(text.encode())


def tokenizer_counter(path: Path) -> Counter:
    """Counts tokens of a `tokenizer.json`; value tokens are added to it first."""
    file = path / "tokenizer.json" if path.is_dir() else path
    library = need("tokenizers", "formats", "Counting tokens")
    if not file.is_file():
        raise BadInput("no such file", "a tokenizer.json", file=file)
    try:
        tokenizer = library.Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise BadInput(
            f"a file that is no tokenizer ({error})", "a tokenizer.json", file=file
        ) from None
    tokenizer.add_tokens(list(ValueTokens(3).vocabulary()))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def cost(form: AnswerFormat, values: NDArray[np.float32], count: Counter) -> Cost:
    """Cost of frames [T, 61] in one format, words included where it has them."""
    words = describe_frames(values) if form.described else [None] * len(values)
    texts = [form.write(frame, told) for frame, told in zip(values, words, strict=True)]
    counts = [count(text) for text in texts]
    return Cost(
        form.key, form.decimals, float(np.mean(counts)), min(counts), max(counts),
        float(np.mean([len(text) for text in texts])), form.about,
    )  # fmt: skip


def cost_table(
    values: NDArray[np.float32], count: Counter, decimals: int | None = None
) -> list[Cost]:
    """Cost in every format, dearest first."""
    rows = [cost(answer_format(key, decimals), values, count) for key in FORMATS]
    return sorted(rows, key=lambda row: -row.mean)
