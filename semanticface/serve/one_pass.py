"""The one-pass read-out: 61 distributions from one prefill, nothing decoded.

The prompt ends with 61 slot tokens, the channels' labels in table order; a model that was
trained for it (`train.one_pass`) has, at slot i, the distribution of channel i's value token.
With p(v) the probability of value v, over the values that the channel may have:

    value       sum of v p(v) / sum of p(v)
    confidence  sum of p(v) where |v - value| <= 0.05 / sum of p(v)

as in training. The read-out is made here from log-probabilities and, beside the weights, by
`one_pass_model` in vLLM.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.language.answers import ValueTokens
from semanticface.language.numerals import limit
from semanticface.rig import CHANNELS, COUNT
from semanticface.train.one_pass import NEAR

Floats = NDArray[np.float64]


class ReadOut(NamedTuple):
    """Of one picture."""

    values: NDArray[np.float32]
    """[61]; NaN where no legal value had any probability."""
    confidence: NDArray[np.float32]
    """[61], 0 to 1."""


def slots() -> tuple[str, ...]:
    """The slot tokens by channel: each channel's label, which the tokenizer knows as one."""
    return tuple(channel.label for channel in CHANNELS)


def vocabulary() -> tuple[str, ...]:
    """The value tokens by rising value."""
    return ValueTokens().vocabulary()


def grid() -> Floats:
    """Values of the tokens of `vocabulary`, [V]."""
    most = (len(vocabulary()) - 1) // 2
    steps = np.arange(-most, most + 1, dtype=np.float64)
    return np.asarray(steps / 10 ** ValueTokens().decimals, np.float64)


def legal() -> NDArray[np.bool_]:
    """[61, V]: which values a channel may have."""
    decimals, steps = ValueTokens().decimals, np.rint(grid() * 100).astype(int)
    allowed = np.zeros((COUNT, len(steps)), np.bool_)
    for channel in CHANNELS:
        high = limit(channel, decimals)
        allowed[channel.index] = (steps <= high) & (steps >= (-high if channel.signed else 0))
    return allowed


def read_out(logprobs: Floats) -> ReadOut:
    """From log-probabilities of the value tokens at the slots, [61, V]; -inf where unknown."""
    odds = np.where(legal(), np.exp(logprobs), 0.0)
    mass = odds.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        values = (odds * grid()).sum(axis=1, keepdims=True) / mass
    near = np.abs(grid() - values) <= NEAR + 1e-9
    with np.errstate(invalid="ignore"):
        confidence = np.where(near, odds, 0.0).sum(axis=1) / mass[:, 0]
    return ReadOut(values[:, 0].astype(np.float32), confidence.astype(np.float32))
