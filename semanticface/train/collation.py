"""Rows into batches: TRL's vision collator, pictures decoded before it, weights beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from semanticface.data.augment import Pixels
from semanticface.data.collate import DecodeImages
from semanticface.data.images import Pictures
from semanticface.data.tasks import Task
from semanticface.train.one_pass import LabelSlots
from semanticface.train.options import DataOptions, LossOptions
from semanticface.train.sections import over_tokens, weigh

Collate = Callable[[list[dict[str, Any]]], Any]


def collator(
    processor: Any, data: DataOptions, loss: LossOptions, max_length: int | None = None
) -> Collate:
    """What a data loader calls: only the answer is learnt, nothing is decoded before."""
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    inner: Collate = DataCollatorForVisionLanguageModeling(
        processor=processor, max_length=max_length, completion_only_loss=True
    )
    inner = LabelSlots(inner, processor.tokenizer, data.tasks)
    if not loss.even:
        inner = Weighed(inner, processor.tokenizer, data.tasks, loss)
    return DecodeImages(inner, Pictures(), Pixels() if data.augment else None)


@dataclass
class Weighed:
    """Adds `weights` [rows, tokens] to a batch, zero where nothing is learnt."""

    collate: Collate
    tokenizer: Any
    tasks: Sequence[Task]
    loss: LossOptions

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        """One batch."""
        import torch

        targets = [row["completion"][0]["content"][0]["text"] for row in rows]
        tasks = [self.tasks[row["task"]] for row in rows]
        batch = self.collate(rows)
        weights = torch.zeros(batch["labels"].shape)
        for row, target in enumerate(targets):
            learnt = batch["labels"][row] != -100
            told = self.tokenizer(target, return_offsets_mapping=True, add_special_tokens=False)
            made = over_tokens(
                weigh(tasks[row], target, self.loss), told["offset_mapping"], told["input_ids"],
                batch["labels"][row][learnt].tolist(),
            )  # fmt: skip
            weights[row][learnt] = torch.from_numpy(made)
        batch["weights"] = weights
        return batch
