"""Answers drawn by chance instead of the likeliest ones, held to the same grammar.

    drawn(decoder, pictures, temperature=1.0, seeds=[3, 4])

    P(token) = softmax(scores / temperature) over the tokens that may come next

Guesses of the decoder cost nothing in exactness: a guess is kept if it is what was drawn. A
row's chance is its own seed's, so an answer does not depend on what is drawn beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from semanticface.errors import BadInput
from semanticface.train.decoding import Completion, Decoder, Pick
from semanticface.train.grammar import Matcher


def drawn(
    decoder: Decoder, pictures: Sequence[Any], *, temperature: float, seeds: Sequence[int]
) -> list[Completion]:
    """One answer to each picture; equal seeds give equal answers."""
    if temperature <= 0:
        raise BadInput(f"a temperature of {temperature:g}", "one above 0",
                       hint="Decoder.answers gives the likeliest answer.")  # fmt: skip
    return decoder.answers(pictures, [by_chance(temperature, seed) for seed in seeds])


def by_chance(temperature: float, seed: int) -> Pick:
    """Draws tokens; one for each answer."""
    rng = np.random.default_rng([seed, 0xD2])

    def pick(scores: Any, matcher: Matcher) -> int:
        allowed = np.flatnonzero(matcher.allowed())
        logs = np.asarray(scores, np.float64)[allowed] / temperature
        odds = np.exp(logs - logs.max())
        return int(rng.choice(allowed, p=odds / odds.sum()))

    return pick
