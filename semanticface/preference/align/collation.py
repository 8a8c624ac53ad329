"""Preference rows into batches: TRL's vision collator, and which tokens count.

With a region mask the completion mask of a row holds the tokens of the judged region's
coefficients alone. The log-ratio of DPO is then

    sum over t in region of log p(y_t | y_<t, x) - log p_start(y_t | y_<t, x)

for the chosen and the rejected answer. Outside its region a pair is the same to the bit, so
tokens before the first difference cancel anyway; those after it see another past, and
without the mask they are pushed though nobody judged them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from semanticface.data.collate import DecodeImages
from semanticface.data.images import Pictures
from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.rig import COUNT
from semanticface.train.sections import numbers_start, places


@dataclass
class PairCollator:
    """One batch: chosen answers first, then rejected ones, as TRL has them."""

    processor: Any
    task: Task
    region_mask: bool = True
    pictures: Pictures = field(default_factory=Pictures)

    def __post_init__(self) -> None:
        from trl.trainer.dpo_trainer import DataCollatorForVisionPreference

        self._inner = DecodeImages(DataCollatorForVisionPreference(processor=self.processor),
                                   self.pictures)  # fmt: skip

    def __call__(self, rows: Sequence[dict[str, Any]]) -> Any:
        """Tensors of 2 N answers."""
        kept = [{key: value for key, value in row.items() if key != "channels"} for row in rows]
        pictured = {bool(row["images"]) for row in kept}
        if len(pictured) > 1:
            raise BadInput("rows with and without a picture in one batch", "one kind",
                           hint="Align on pictures and on texts in runs of their own.")  # fmt: skip
        batch = self._inner(kept)
        if self.region_mask:
            texts = [row[key][0]["content"][0]["text"]
                     for key in ("chosen", "rejected") for row in rows]  # fmt: skip
            judged = [frozenset(row["channels"]) for row in rows] * 2
            for row, (text, channels) in enumerate(zip(texts, judged, strict=True)):
                self._mask(batch, row, text, channels)
        return batch

    def _mask(self, batch: Any, row: int, text: str, channels: frozenset[int]) -> None:
        """Leave the tokens of these channels in the row's mask; all of them judged: whole."""
        if not channels or len(channels) == COUNT:
            return
        import torch

        told = self.processor.tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
        inside = batch["completion_mask"][row].nonzero().flatten()
        ids = told["input_ids"]
        if batch["input_ids"][row][inside[: len(ids)]].tolist() != ids:
            raise BadInput("an answer whose tokens change inside the chat template",
                           "the same tokens", hint="--region_mask false")  # fmt: skip
        counts = _counting(self.task, text, channels, told["offset_mapping"])
        mask = torch.zeros_like(batch["completion_mask"][row])
        mask[inside[: len(ids)]] = torch.tensor(counts, dtype=mask.dtype)
        if not int(mask.sum()):
            raise BadInput("an answer that says nothing of the judged region", "a token of it",
                           hint="--region_mask false, or a format that names all.")  # fmt: skip
        batch["completion_mask"][row] = mask


def _counting(
    task: Task, text: str, channels: frozenset[int], spans: list[tuple[int, int]]
) -> list[bool]:
    """Of each token, whether it lies in a coefficient of these channels."""
    inside = [False] * len(text)
    for place in places(task.form, text, numbers_start(task, text)):
        if place.channel in channels:
            inside[place.start : place.end] = [True] * (place.end - place.start)
    return [any(inside[start:end]) for start, end in spans]
