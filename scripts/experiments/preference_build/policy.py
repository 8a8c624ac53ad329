"""A very small language model that says 61 values, for experiments with preferences.

Qwen3 with two layers of width 96 (0.3 M parameters) after four tokens of the frozen tower. A
value is one token of 41 (steps of 0.05); at a channel's turn the policy gets an embedding of
its own and what the small model reads there, with its confidence.
The loss is the one that `semanticface.preference.align` hands to TRL, written out:

    loss = -log sigmoid(beta * (d(chosen) - d(rejected))) - sft * mean log p(chosen)
    d(y) = sum over the tokens that count of log p(y_t) - log p_start(y_t)
"""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen3Config, Qwen3Model

from semanticface.rig import CHANNELS, COUNT

STEP = 0.05
_HALF = 20
WORDS = 2 * _HALF + 1
_WIDTH = 96


class Seen(NamedTuple):
    """What is known of B faces."""

    tokens: Tensor
    """[B, 4, 2 * width] of the tower."""
    read: Tensor
    """[B, 122] values and confidences."""

    def some(self, which: Tensor) -> Seen:
        """Part of them."""
        return Seen(self.tokens[which], self.read[which])


class Policy(nn.Module):
    """Says values one after the other."""

    def __init__(self, seen: int, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.model = Qwen3Model(Qwen3Config(
            vocab_size=WORDS + 1, hidden_size=_WIDTH, intermediate_size=256, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, head_dim=24,
            max_position_embeddings=128, use_cache=True,
        ))  # fmt: skip
        self.eye = nn.Sequential(nn.LayerNorm(seen), nn.Linear(seen, _WIDTH))
        self.turn, self.glimpse = nn.Embedding(COUNT, _WIDTH), nn.Linear(2, _WIDTH)
        self.head = nn.Linear(_WIDTH, WORDS)
        signed = torch.tensor([each.signed for each in CHANNELS])
        low = torch.arange(WORDS) < _HALF
        self.register_buffer("illegal", signed.logical_not()[:, None] & low, persistent=False)

    def turns(self, read: Tensor) -> Tensor:
        """[B, 61, width] what is known when a channel's turn comes."""
        return self.turn.weight + self.glimpse(torch.stack(read.chunk(2, -1), -1))

    def logits(self, seen: Seen, words: Tensor) -> Tensor:
        """[B, 61, WORDS] of each channel, given the ones before."""
        start = torch.full((len(words), 1), WORDS)
        before = torch.cat([start, words[:, :-1]], 1)
        told = self.model.embed_tokens(before) + self.turns(seen.read)
        both = torch.cat([self.eye(seen.tokens), told], 1)
        hidden = self.model(inputs_embeds=both, use_cache=False)
        return self._out(hidden.last_hidden_state[:, -COUNT:], slice(None))

    def _out(self, hidden: Tensor, channels: Any) -> Tensor:
        return self.head(hidden).masked_fill(self.illegal[channels], -torch.inf)

    def logps(self, seen: Seen, words: Tensor) -> Tensor:
        """[B, 61] log-probability of each word."""
        logs = self.logits(seen, words).log_softmax(-1)
        return logs.gather(-1, words[..., None])[..., 0]

    @torch.no_grad()
    def say(self, seen: Seen, *, temperature: float = 0.0, seed: int = 0) -> NDArray[np.int64]:
        """[B, 61] words: the likeliest, or drawn."""
        chance = torch.Generator().manual_seed(seed)
        turns = self.turns(seen.read)
        held = self.model(inputs_embeds=self.eye(seen.tokens), use_cache=True).past_key_values
        last, told = torch.full((len(turns),), WORDS), []
        for channel in range(COUNT):
            step = (self.model.embed_tokens(last) + turns[:, channel])[:, None]
            out = self.model(inputs_embeds=step, past_key_values=held, use_cache=True)
            logits = self._out(out.last_hidden_state[:, 0], channel)
            if temperature:
                odds = (logits / temperature).softmax(-1)
                last = torch.multinomial(odds, 1, generator=chance)[:, 0]
            else:
                last = logits.argmax(-1)
            told.append(last)
        return torch.stack(told, 1).numpy()


def words_of(values: NDArray[np.float32]) -> Tensor:
    """[B, 61] tokens of values."""
    steps = np.clip(np.rint(values / STEP), -_HALF, _HALF).astype(np.int64)
    return torch.from_numpy(steps + _HALF)


def values_of(words: NDArray[np.int64]) -> NDArray[np.float32]:
    """[B, 61] values of tokens."""
    return ((words - _HALF) * STEP).astype(np.float32)


def imitate(
    policy: Policy, looked: Seen, labels: NDArray[np.float32], *, epochs: int,
    rate: float = 2e-3, batch: int = 32, seed: int = 0,
) -> list[float]:  # fmt: skip
    """Ordinary fine-tuning on labels; mean loss of each epoch."""
    words, rng = words_of(labels), np.random.default_rng(seed)
    steps = epochs * (len(words) // batch)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=0.1)
    told = []
    for _ in range(epochs):
        order, losses = rng.permutation(len(words)), []
        for begin in range(0, len(order) - batch + 1, batch):
            part = torch.from_numpy(order[begin : begin + batch])
            loss = -policy.logps(looked.some(part), words[part]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        told.append(float(np.mean(losses)))
    return told


class Pairs(NamedTuple):
    """Preferences: which face, and the words of both answers."""

    face: NDArray[np.int64]
    chosen: NDArray[np.int64]
    rejected: NDArray[np.int64]
    counts: NDArray[np.bool_]
    """[N, 61] the tokens that count."""


def dpo_loss(gap: Tensor, chosen: Tensor, beta: float, sft: float) -> Tensor:
    """The formula above; `gap` [B] is d(chosen) - d(rejected), `chosen` the mean log p."""
    return -functional.logsigmoid(beta * gap).mean() - sft * chosen


def align(
    start: Policy, looked: Seen, pairs: Pairs, *, beta: float = 0.1,
    sft: float = 0.05, rate: float = 3e-4, epochs: int = 3, batch: int = 32, seed: int = 0,
    steps: int | None = None,
) -> Policy:  # fmt: skip
    """DPO from `start`, which stays as it is and is the reference."""
    policy, rng = copy.deepcopy(start), np.random.default_rng(seed)
    chosen, rejected = torch.from_numpy(pairs.chosen), torch.from_numpy(pairs.rejected)
    counts, face = torch.from_numpy(pairs.counts).float(), torch.from_numpy(pairs.face)
    with torch.no_grad():
        before = torch.cat([_margin(start, looked.some(face[part]), chosen[part], rejected[part],
                                    counts[part])[0]
                            for part in torch.arange(len(face)).split(256)])  # fmt: skip
    optimizer = torch.optim.AdamW(policy.parameters(), lr=rate, weight_decay=0.0)
    many = steps or epochs * -(-len(face) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, many, pct_start=0.1)
    order = np.concatenate(
        [rng.permutation(len(face)) for _ in range(-(-many * batch // len(face)))]
    )
    for step in range(many):
        part = torch.from_numpy(order[step * batch : (step + 1) * batch])
        gap, told = _margin(policy, looked.some(face[part]), chosen[part], rejected[part],
                            counts[part])  # fmt: skip
        loss = dpo_loss(gap - before[part], told, beta, sft)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return policy


def _margin(
    policy: Policy, seen: Seen, chosen: Tensor, rejected: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor]:
    logps = policy.logps(Seen(*(torch.cat([each, each]) for each in seen)),
                         torch.cat([chosen, rejected]))  # fmt: skip
    one, other = (logps * torch.cat([counts, counts])).chunk(2)
    return one.sum(1) - other.sum(1), one.sum() / counts.sum()
