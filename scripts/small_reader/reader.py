"""The language model of the experiments: a Qwen3 of 0.7 M parameters before a linear projector.

A row is 16 tokens of the tower, one token that names the task, and the answer. Everything
but the tower starts from random weights that the seed chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import Qwen3Config, Qwen3ForCausalLM

from semanticface.language.answers import ValueTokens
from semanticface.train.nano_tokenizer import END, START, VISION_START, tokenizer, value_ids

SEEN = 512
"""Width of what the tower gives for a place: `Faces.seen`."""
IGNORED = -100


class Told(NamedTuple):
    """Answers to some faces, token by token."""

    ids: list[list[int]]
    """Without the token that ends them."""
    expected: list[list[float]]
    """Beside each token, the expected value over value tokens where it was chosen."""


class Reader(nn.Module):
    """Reads tokens of the tower and writes answers."""

    def __init__(self, seed: int, hidden: int = 128, layers: int = 2) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.text = tokenizer()
        self.project = nn.Sequential(nn.LayerNorm(SEEN), nn.Linear(SEEN, hidden))
        self.model = Qwen3ForCausalLM(Qwen3Config(
            vocab_size=len(self.text), hidden_size=hidden, intermediate_size=3 * hidden,
            num_hidden_layers=layers, num_attention_heads=4, num_key_value_heads=2,
            head_dim=32, max_position_embeddings=1024, tie_word_embeddings=True,
        ))  # fmt: skip
        self.end = self.text.convert_tokens_to_ids(END)
        self.tasks = self.text.convert_tokens_to_ids([START, VISION_START])
        self.values = torch.tensor(value_ids(self.text))
        most = (len(ValueTokens().vocabulary()) - 1) // 2
        self.grid = torch.arange(-most, most + 1) / 100.0

    def forward(self, seen: Tensor, ids: Tensor) -> Tensor:
        """Logits [B, T, words] after the task's token and after each token of `ids` but the
        last; `ids` [B, T + 1] begin with the task's."""
        held = torch.cat([self.project(seen), self.model.model.embed_tokens(ids[:, :-1])], 1)
        hidden = self.model.model(inputs_embeds=held, use_cache=False).last_hidden_state
        return self.model.lm_head(hidden[:, seen.shape[1] :])

    def rows(self, answers: Sequence[list[int]], task: int = 0) -> tuple[Tensor, Tensor]:
        """Answers as `ids` [B, T + 1] and labels [B, T], filled up on the right."""
        width = max(map(len, answers)) + 1
        ids = torch.full((len(answers), width + 1), self.end)
        labels = torch.full((len(answers), width), IGNORED)
        ids[:, 0] = self.tasks[task]
        for row, answer in enumerate(answers):
            ids[row, 1 : len(answer) + 1] = torch.tensor(answer)
            labels[row, : len(answer) + 1] = torch.tensor([*answer, self.end])
        return ids, labels

    def expected(self, logits: Tensor) -> Tensor:
        """sum_v v p(v), p over the values from 0 to 1 alone."""
        legal = self.grid >= 0
        return logits[..., self.values[legal]].softmax(-1) @ self.grid[legal]

    @torch.inference_mode()
    def answers(self, seen: Tensor, most: int, task: int = 0) -> Told:
        """Greedy answers to all faces at once."""
        count = len(seen)
        told = Told([[] for _ in range(count)], [[] for _ in range(count)])
        words = self.model.model.embed_tokens
        first = words(torch.full((count, 1), self.tasks[task]))
        block, cache = torch.cat([self.project(seen), first], 1), None
        going = np.ones(count, np.bool_)
        for _ in range(most):
            out: Any = self.model.model(inputs_embeds=block, past_key_values=cache, use_cache=True)
            logits, cache = self.model.lm_head(out.last_hidden_state[:, -1]), out.past_key_values
            chosen, means = logits.argmax(-1), self.expected(logits)
            going &= (chosen != self.end).numpy()
            for row in np.flatnonzero(going):
                told.ids[row].append(int(chosen[row]))
                told.expected[row].append(float(means[row]))
            if not going.any():
                break
            block = words(chosen[:, None])
        return told

    @torch.inference_mode()
    def at_slots(self, seen: Tensor, slots: list[int]) -> NDArray[np.float32]:
        """[B, slots] expected values, all read in one pass."""
        ids = torch.tensor([[self.tasks[0], *slots, self.end]]).expand(len(seen), -1)
        return np.asarray(self.expected(self(seen, ids)[:, 1 : len(slots) + 1]).numpy())
