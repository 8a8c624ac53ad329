"""Momentum made orthogonal (Jordan and others 2024), in float32.

The library's own works in bfloat16, which processors without that arithmetic do slowly.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

_ROUNDS = 5
_A, _B, _C = 3.4445, -4.7750, 2.0315


class Muon(torch.optim.Optimizer):
    """For weight matrices; a step has the root mean square that AdamW's would have."""

    def __init__(self, params: Iterable[Any], lr: float, momentum: float = 0.95,
                 decay: float = 0.01) -> None:  # fmt: skip
        super().__init__(params, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """One step; `closure` is there for the base class's sake and not called."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group)

    def _move(self, weight: torch.Tensor, group: dict[str, Any]) -> None:
        held = self.state[weight]
        if not held:
            held["momentum"] = torch.zeros_like(weight)
        momentum = held["momentum"]
        momentum.lerp_(weight.grad, 1 - group["momentum"])
        step = orthogonal(weight.grad.lerp(momentum, group["momentum"]))
        weight.mul_(1 - group["lr"] * group["decay"])
        weight.add_(step, alpha=-group["lr"] * 0.2 * max(weight.shape) ** 0.5)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """The matrix with all its singular values near 1, by Newton and Schulz's iteration."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(_ROUNDS):
        square = x @ x.T
        x = _A * x + (_B * square + _C * square @ square) @ x
    return x.T if tall else x
