"""The one-pass read-out inside vLLM: a pooling model that returns [61, 2] and nothing else.

Loaded by vLLM in its own environment through `vllm_plugin`; nothing else imports this.
It is Qwen3-VL as vLLM has it, with a pooler that keeps the hidden states of the last 61
prompt tokens, turns those alone into logits, and gives each channel's expected value and
confidence (formulas in `one_pass`). A prompt found whole in the prefix cache has no hidden
states for its slots: such rows are NaN, and the client asks again past the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any, ClassVar, Literal

import torch
from vllm.config import VllmConfig
from vllm.model_executor.layers.pooler.abstract import Pooler
from vllm.model_executor.models.qwen3_vl import (
    Qwen3VLDummyInputsBuilder,
    Qwen3VLForConditionalGeneration,
    Qwen3VLMultiModalProcessor,
    Qwen3VLProcessingInfo,
)
from vllm.multimodal import MULTIMODAL_REGISTRY

from semanticface.errors import BadInput
from semanticface.rig import COUNT
from semanticface.serve import one_pass
from semanticface.train.one_pass import NEAR

TASK: Literal["classify"] = "classify"
"""A task of the whole prompt: unlike per-token tasks it may use the prefix cache."""
Logits = Callable[[torch.Tensor], torch.Tensor | None]


class SlotPooler(Pooler):  # type: ignore[misc]
    """Hidden states of the slots to values and confidences."""

    def __init__(self, logits: Logits, ids: list[int]) -> None:
        super().__init__()
        self._logits = logits
        self._ids = torch.tensor(ids)
        self._grid = torch.from_numpy(one_pass.grid())
        self._legal = torch.from_numpy(one_pass.legal())

    def get_supported_tasks(self) -> Set[Any]:
        """The one."""
        return {TASK}

    def forward(self, hidden_states: torch.Tensor, pooling_metadata: Any) -> list[Any]:
        """[61, 2] for each prompt that is finished, None for the others."""
        cursor = pooling_metadata.get_pooling_cursor()
        ends = cursor.num_scheduled_tokens_cpu.cumsum(0).tolist()
        found: list[torch.Tensor | None] = []
        for i, end in enumerate(ends):
            state = pooling_metadata.pooling_states[i]
            done, whole = int(cursor.seq_lens_cpu[i]), int(cursor.prompt_lens_cpu[i])
            fresh = int(cursor.num_scheduled_tokens_cpu[i])
            wanted = min(fresh, max(0, done - (whole - COUNT)))
            if wanted:
                state.hidden_states_cache.append(hidden_states[end - wanted : end].clone())
            if not cursor.finished_mask[i]:
                found.append(None)
                continue
            found.append(torch.cat(state.hidden_states_cache))
            state.clean()
        return self._read(found)

    def _read(self, held: list[torch.Tensor | None]) -> list[torch.Tensor | None]:
        """All finished prompts through the output head at once."""
        rows = [each for each in held if each is not None]
        if not rows:
            return held
        read = self._distributions(torch.cat(rows))
        parts = iter(read.split([len(each) for each in rows]))
        return [None if each is None else self._table(next(parts)) for each in held]

    def _distributions(self, hidden: torch.Tensor) -> torch.Tensor:
        """Log-probabilities of the value tokens, [N, V]."""
        logits = self._logits(hidden)
        assert logits is not None
        whole = torch.log_softmax(logits.float(), dim=-1).double()
        return whole[:, self._ids.to(whole.device)]

    def _table(self, rows: torch.Tensor) -> torch.Tensor:
        """[61, 2] of one prompt; rows that the cache kept back are NaN."""
        table = torch.full((COUNT, 2), float("nan"), device=rows.device)
        legal = self._legal.to(rows.device)[COUNT - len(rows) :]
        grid = self._grid.to(rows.device)
        odds = torch.where(legal, rows.exp(), 0.0)
        values = (odds * grid).sum(1, keepdim=True) / odds.sum(1, keepdim=True)
        near = (grid - values).abs() <= NEAR + 1e-9
        confidence = torch.where(near, odds, 0.0).sum(1, keepdim=True) / odds.sum(1, keepdim=True)
        table[COUNT - len(rows) :] = torch.cat([values, confidence], dim=1).float()
        return table


@MULTIMODAL_REGISTRY.register_processor(
    Qwen3VLMultiModalProcessor, info=Qwen3VLProcessingInfo, dummy_inputs=Qwen3VLDummyInputsBuilder
)
class OnePassQwen3VL(Qwen3VLForConditionalGeneration):  # type: ignore[misc]
    """Qwen3-VL that answers with numbers instead of text."""

    is_pooling_model: ClassVar[Literal[True]] = True

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__(vllm_config=vllm_config, prefix=prefix)
        # Held before vLLM wraps them for LoRA: the wrapper wants one row a request, not 61.
        processor, head = self.language_model.logits_processor, self.language_model.lm_head
        ids = _value_ids(self._tokenizer)
        self.pooler = SlotPooler(lambda hidden: processor(head, hidden), ids)


def _value_ids(tokenizer: Any) -> list[int]:
    words = one_pass.vocabulary()
    ids = tokenizer.convert_tokens_to_ids(list(words))
    known = tokenizer.get_vocab()
    missing = [word for word in (*words, *one_pass.slots()) if word not in known]
    if missing:
        raise BadInput(
            f"a tokenizer that does not know {missing[0]} as one token",
            "one with every value token and every label",
            hint="Give them to it before training; the small model has them.",
        )
    return [int(each) for each in ids]
