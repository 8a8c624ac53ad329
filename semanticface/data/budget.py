"""How many tokens a row takes, counted by the model's own processor before training.

A trainer that cuts rows at a length cuts the end, and the end is the answer: the model
then learns answers that break off, without a word about it. `measure` counts every row
as the trainer will put it together, and `Budget.refuse_clipped` names the rows that
would lose a part.

The processor is asked once for each size of picture and once for each request; only the
targets are tokenised row by row, so a large set is measured in the time that takes.
"""

from __future__ import annotations

import heapq
import statistics
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from semanticface.data.images import Pictures
from semanticface.data.records import Record
from semanticface.data.tasks import Task
from semanticface.errors import BadInput


class Row(NamedTuple):
    """Tokens of one row."""

    tokens: int
    """Prompt, picture and target together."""
    target: int
    image: int
    row: int
    record: str


class Budget(NamedTuple):
    """Tokens over all rows."""

    rows: int
    median: float
    most: int
    median_target: float
    median_image: float
    longest: tuple[Row, ...]
    """The longest rows, longest first."""
    max_length: int | None
    clipped: int
    """Rows longer than `max_length`: their targets would lose their end."""

    def refuse_clipped(self) -> None:
        """An error that names the longest row, if any would be cut."""
        if not self.clipped:
            return
        worst = self.longest[0]
        lost = min(worst.tokens - int(self.max_length or 0), worst.target)
        raise BadInput(
            f"{worst.tokens} tokens in record {worst.record}: its target of {worst.target} would "
            f"lose its last {lost} ({self.clipped} of {self.rows} rows are too long)",
            f"at most {self.max_length}", row=worst.row,
            hint="Raise max_length or set it to null, take a shorter answer format, or shrink "
            "the pictures.",
        )  # fmt: skip


@dataclass
class Counter:
    """Counts rows as TRL's vision collator builds them, with one processor."""

    processor: Any
    pictures: Pictures = field(default_factory=Pictures)
    _requests: dict[tuple[str, tuple[int, int]], _Request] = field(default_factory=dict)

    def count(self, row: int, record: Record, task: Task) -> Row:
        """Tokens of one record's row."""
        example = task.example(record)
        opening = self._rendered(example["prompt"], answered=False)
        whole = self._rendered(example["prompt"] + example["completion"], answered=True)
        if not whole.startswith(opening):
            raise BadInput("a chat template that changes the prompt once it is answered",
                           "one whose prompt stays as it is", row=row)  # fmt: skip
        size = self.pictures.size(record.image, record.id)
        asked, image = self._request(opening, size)
        target = len(_ids(self._tokenizer()(whole[len(opening) :], add_special_tokens=False)))
        return Row(asked + target, target, image, row, record.id)

    def _request(self, text: str, size: tuple[int, int]) -> tuple[int, int]:
        """Tokens of a prompt with a picture of that size, and the picture's among them."""
        key = (text, size)
        if key not in self._requests:
            from PIL import Image

            blank = Image.new("RGB", size)
            told = self.processor(images=[[blank]], text=[text], add_special_tokens=False)
            bare = self._tokenizer()(text, add_special_tokens=False)
            whole = len(_ids(told))
            # The place holder in the text is one token that the picture's take the place of.
            self._requests[key] = _Request(whole, whole - len(_ids(bare)) + 1)
        whole, image = self._requests[key]
        return whole, image

    def _rendered(self, messages: list[dict[str, Any]], *, answered: bool) -> str:
        text = self.processor.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=not answered
        )
        return str(text)

    def _tokenizer(self) -> Any:
        return getattr(self.processor, "tokenizer", self.processor)


class _Request(NamedTuple):
    whole: int
    image: int


def measure(
    records: Iterable[Record], task: Task, processor: Any, *, max_length: int | None = None,
    longest: int = 5, pictures: Pictures | None = None,
) -> Budget:  # fmt: skip
    """Tokens of every record's row under a task."""
    if max_length is not None and max_length < 1:
        raise BadInput(f"max_length {max_length}", "a number above zero, or none")
    counter = Counter(processor, pictures or Pictures())
    totals, targets, images = array("L"), array("L"), array("L")
    clipped = 0
    worst: list[Row] = []
    for number, record in enumerate(records, 1):
        row = counter.count(number, record, task)
        totals.append(row.tokens)
        targets.append(row.target)
        images.append(row.image)
        clipped += max_length is not None and row.tokens > max_length
        worst = heapq.nlargest(max(longest, 1), [*worst, row], key=lambda each: each.tokens)
    if not totals:
        raise BadInput("no record", "at least one to measure")
    return Budget(
        len(totals), statistics.median(totals), max(totals), statistics.median(targets),
        statistics.median(images), tuple(worst), max_length, clipped,
    )  # fmt: skip


def _ids(encoded: Any) -> list[int]:
    """Token ids of one text, whether the library gives them alone or in a batch."""
    ids = encoded["input_ids"]
    first = ids[0] if len(ids) and hasattr(ids[0], "__len__") else ids
    return list(first)
