"""Reads values from what the language model holds at the names, before its last layer.

At the request's names the values lie along one direction, whatever the coefficient (a line
along it explains 95 % of them after the last layer but one). It is found there, before a lesson in
writing, by least squares, and stays. At the names of an answer, where the model holds hardly any
value before the lesson, they are to lie along it too, so that the digits after a name have
something to copy: digits alone would have to teach both steps at once, and teach neither.
Each name has an offset of its own. All of this is thrown away after the lesson.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from semanticface.rig import CHANNELS, COUNT
from semanticface.train.nano_tokenizer import tokenizer

_LEAST_SPREAD = 0.02
_RIDGE = 1e-3


class Names(nn.Module):
    """A direction, and an offset a name; `read` [N, 61] says how far values spread."""

    def __init__(self, model: Any, read: NDArray[Any]) -> None:
        super().__init__()
        self.seen = Tensor()
        layers = model.model.language_model.layers
        layers[max(0, len(layers) - 2)].register_forward_hook(self._keep)
        channel = torch.full((model.get_input_embeddings().num_embeddings,), -1)
        labels = tokenizer().convert_tokens_to_ids([each.label for each in CHANNELS])
        channel[labels] = torch.arange(COUNT)
        self.register_buffer("channel", channel, persistent=False)
        spread = torch.from_numpy(read).std(0).clamp_min(_LEAST_SPREAD)
        self.register_buffer("spread", spread, persistent=False)
        self.register_buffer("along", torch.zeros(model.config.text_config.hidden_size))
        self.offset = nn.Parameter(torch.zeros(COUNT))

    def at_names(self, ids: Tensor) -> Tensor:
        """[B, 61, width] at the first of each name in rows that hold them at the same places."""
        return _normed(self.seen[:, (self.channel[ids[0]] >= 0).nonzero()[:COUNT, 0]])

    @torch.no_grad()
    def fit(self, there: Tensor, values: Tensor) -> None:
        """Direction and offsets by least squares, from [N, 61, width] and [N, 61]."""
        middle, usual = there.mean(0), values.mean(0)
        a, b = (there - middle).flatten(0, 1), (values - usual).flatten()
        square = a.T @ a
        ridge = _RIDGE * square.trace() / len(square) * torch.eye(len(square))
        self.along.copy_(torch.linalg.solve(square + ridge, a.T @ b))
        self.offset.copy_(usual - middle @ self.along)

    def loss(self, ids: Tensor, values: Tensor) -> Tensor:
        """Bent error in deviations, mean over the names of request and answer."""
        row, place = (self.channel[ids] >= 0).nonzero().unbind(1)
        which = self.channel[ids[row, place]]
        told = _normed(self.seen[row, place]) @ self.along + self.offset[which]
        off = (told - values[row, which]) / self.spread[which]
        return functional.smooth_l1_loss(off, torch.zeros_like(off))

    def _keep(self, module: Any, inputs: Any, output: Any) -> None:
        self.seen = output[0] if isinstance(output, tuple) else output


def _normed(hidden: Tensor) -> Tensor:
    return hidden * torch.rsqrt(hidden.pow(2).mean(-1, keepdim=True) + 1e-6)
