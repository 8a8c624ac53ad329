"""The vision tower of the small model while it learns to see, and what it is asked for.

`Seer` runs a Qwen3-VL vision tower on equal squares in one batch, some times faster than
the library, which takes pictures one by one; the weights are the library's and the
outputs too (a test compares them). Three heads, thrown away afterwards, ask it for each
cell's numbers, and twice for the face's: once from all tokens laid side by side, once the
way a language model reads, by queries that attend to tokens.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from nano_build.views import CELL, GRID, POINTS
from torch import Tensor, nn
from torch.nn import functional

from semanticface.rig import COUNT
from semanticface.train.nano import MERGE, PATCH, PIXELS

SIDE = PIXELS // PATCH
TOKENS = (SIDE // MERGE) ** 2
_INSIDE = PATCH // CELL


class Sight(NamedTuple):
    """What the tower gives."""

    tokens: Tensor
    """[B, TOKENS, width]: into the language model's first layer."""
    deep: Tensor
    """[B, TOKENS, width]: added after its first layer."""
    patches: Tensor
    """[B, SIDE * SIDE, own width] where `deep` was taken."""


class Answers(NamedTuple):
    """What the heads say."""

    flat: Tensor
    """[B, 61] in deviations from the mean."""
    read: Tensor
    """[B, 61] likewise."""
    cells: Tensor
    """[B, GRID, GRID, POINTS]."""


def in_blocks(grid: Tensor) -> Tensor:
    """[B, SIDE, SIDE, F] to [B, SIDE * SIDE, F] in the tower's order, block by block."""
    batch, *_, width = grid.shape
    blocks = grid.reshape(batch, SIDE // MERGE, MERGE, SIDE // MERGE, MERGE, width)
    return blocks.transpose(2, 3).reshape(batch, SIDE * SIDE, width)


def from_blocks(tokens: Tensor) -> Tensor:
    """The way back."""
    batch, _, width = tokens.shape
    side = SIDE // MERGE
    blocks = tokens.reshape(batch, side, side, MERGE, MERGE, width)
    return blocks.transpose(2, 3).reshape(batch, SIDE, SIDE, width)


def patches_of(pictures: Tensor) -> Tensor:
    """uint8 [B, PIXELS, PIXELS, 3] to [B, SIDE * SIDE, 3 * PATCH * PATCH], -1 to 1."""
    cut = pictures.reshape(-1, SIDE, PATCH, SIDE, PATCH, 3).permute(0, 1, 3, 5, 2, 4)
    return in_blocks(cut.reshape(len(pictures), SIDE, SIDE, -1).float() / 127.5 - 1)


class Seer(nn.Module):
    """The tower `tower` (a `Qwen3VLVisionModel`) on equal squares."""

    def __init__(self, tower: Any) -> None:
        super().__init__()
        self.tower = tower
        heads = tower.config.num_heads
        self.head = tower.config.hidden_size // heads
        place = torch.cartesian_prod(torch.arange(SIDE), torch.arange(SIDE))
        place = in_blocks(place.reshape(1, SIDE, SIDE, 2))[0]
        steps = torch.arange(0, self.head // 2, 2).float() / (self.head // 2)
        turns = (place[:, :, None] * 10_000.0**-steps).flatten(1)
        turns = torch.cat([turns, turns], 1)
        order = in_blocks(torch.arange(SIDE * SIDE).reshape(1, SIDE, SIDE, 1)).flatten()
        self.cos, self.sin, self.order = (
            nn.Buffer(each, persistent=False) for each in (turns.cos(), turns.sin(), order)
        )

    def forward(self, patches: Tensor) -> Sight:
        """From `patches_of` pictures."""
        tower = self.tower
        stem = tower.patch_embed.proj
        x = functional.linear(patches, stem.weight.sum(2).flatten(1), stem.bias)
        x = x + tower.pos_embed.weight[self.order]
        deep = x
        for number, block in enumerate(tower.blocks):
            x = x + self._attend(block.attn, block.norm1(x))
            x = x + block.mlp(block.norm2(x))
            if number in tower.deepstack_visual_indexes:
                deep = x
        merged = [
            merger(each.reshape(-1, each.shape[-1])).reshape(len(x), TOKENS, -1)
            for merger, each in ((tower.merger, x), (tower.deepstack_merger_list[-1], deep))
        ]
        return Sight(merged[0], merged[1], deep)

    def _attend(self, layer: Any, x: Tensor) -> Tensor:
        batch, count, width = x.shape
        q, k, v = layer.qkv(x).reshape(batch, count, 3, -1, self.head).permute(2, 0, 3, 1, 4)
        q, k = self._turned(q), self._turned(k)
        seen = functional.scaled_dot_product_attention(q, k, v)
        return layer.proj(seen.transpose(1, 2).reshape(batch, count, width))

    def _turned(self, x: Tensor) -> Tensor:
        first, second = x.chunk(2, -1)
        return x * self.cos + torch.cat([-second, first], -1) * self.sin


class Heads(nn.Module):
    """What the tower is asked while it warms up."""

    def __init__(self, own: int, width: int, heads: int = 8) -> None:
        super().__init__()
        self.cells = nn.Sequential(nn.LayerNorm(own), nn.Linear(own, _INSIDE**2 * POINTS))
        self.norm = nn.LayerNorm(width)
        self.flat = nn.Linear(TOKENS * width, COUNT)
        self.read_norm = nn.LayerNorm(width)
        self.query = nn.Parameter(torch.randn(heads, COUNT, width // heads) * 0.5)
        self.keys, self.mixed = nn.Linear(width, 2 * width), nn.Linear(width, width)
        self.place = nn.Parameter(torch.randn(TOKENS, width) * 0.1)
        self.told = nn.Parameter(torch.randn(COUNT, width) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(COUNT))
        nn.init.normal_(self.flat.weight, std=0.002)

    def forward(self, sight: Sight) -> Answers:
        """Both readings and the cells."""
        flat = self.flat(self.norm(sight.tokens).flatten(1))
        cells = from_blocks(self.cells(sight.patches))
        cells = cells.reshape(-1, SIDE, SIDE, _INSIDE, _INSIDE, POINTS).transpose(2, 3)
        return Answers(flat, self._read(sight), cells.reshape(-1, GRID, GRID, POINTS))

    def _read(self, sight: Sight) -> Tensor:
        tokens = self.read_norm(sight.tokens + sight.deep) + self.place
        batch = len(tokens)
        heads, _, size = self.query.shape
        keys, values = (
            self.keys(tokens).reshape(batch, TOKENS, 2, heads, size).permute(2, 0, 3, 1, 4)
        )
        query = self.query.expand(batch, -1, -1, -1)
        seen = functional.scaled_dot_product_attention(query, keys, values)
        mixed = self.mixed(seen.transpose(1, 2).reshape(batch, COUNT, heads * size))
        return (mixed * self.told).sum(-1) + self.bias


def set_stem(tower: Any, pictures: np.ndarray[Any, Any], gain: float = 0.3) -> None:
    """First layer: whitened principal parts of real patches instead of random numbers."""
    seen = patches_of(torch.from_numpy(pictures)).flatten(0, 1)
    middle = seen.mean(0)
    spread, parts = torch.linalg.eigh(torch.cov((seen - middle).T))
    width = tower.config.hidden_size
    spread, parts = spread[-width:], parts[:, -width:]
    weight = gain * (parts / (spread + 0.02 * spread.mean()).sqrt()).T
    stem = tower.patch_embed.proj
    with torch.no_grad():
        stem.weight.copy_(weight.reshape(width, 3, 1, PATCH, PATCH).expand_as(stem.weight) / 2)
        stem.bias.copy_(-weight @ middle)
        tower.pos_embed.weight.normal_(0, gain)
