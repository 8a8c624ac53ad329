"""How a channel's value is spelt in an answer, and the patterns of legal spellings.

Values are fixed-point with one to three decimals. A value lies on the grid of
whole steps of 10^-decimals; `to_steps` refuses what lies outside its channel's
range instead of clamping it. Zero has no sign.
"""

from __future__ import annotations

import math
import re
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput
from semanticface.rig import CHANNELS, NAMES, Channel

DECIMALS = (1, 2, 3)


def check_decimals(decimals: int) -> int:
    """One, two or three."""
    if decimals not in DECIMALS:
        raise BadInput(f"{decimals} decimals", "1, 2 or 3")
    return decimals


def limit(channel: Channel, decimals: int) -> int:
    """The largest number of steps a channel may be written with."""
    return math.floor(channel.high * float(10**decimals) + 1e-9)


def to_steps(values: ArrayLike, decimals: int, channels: tuple[int, ...]) -> NDArray[np.int64]:
    """Values [61] to whole steps, one per entry of `channels`."""
    chosen = np.asarray(values, dtype=np.float64)[list(channels)]
    if np.isnan(chosen).any():
        names = [NAMES[channels[i]] for i in np.flatnonzero(np.isnan(chosen))]
        raise BadInput(
            f"no value for {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}",
            "a value for every channel of the answer",
            hint="Choose a format with only the channels that are there.",
        )
    steps = np.rint(chosen * 10**decimals).astype(np.int64)
    high = np.array([limit(CHANNELS[i], decimals) for i in channels])
    low = np.where([CHANNELS[i].signed for i in channels], -high, 0)
    wrong = np.flatnonzero((steps < low) | (steps > high))
    if len(wrong):
        channel = CHANNELS[channels[wrong[0]]]
        raise BadInput(
            f"{chosen[wrong[0]]:g} for {channel.name}",
            f"{channel.low:.3g} to {channel.high:.3g}",
            hint="Bring values into range first with rig.into_range, which counts what it moves.",
        )
    return np.asarray(steps, dtype=np.int64)


def spell(steps: int, decimals: int) -> str:
    """-71 steps of two decimals as `-0.71`."""
    sign = "-" if steps < 0 else ""
    whole, part = divmod(abs(int(steps)), 10**decimals)
    return f"{sign}{whole}.{part:0{decimals}d}"


@cache
def decimal_pattern(channel: Channel, decimals: int) -> str:
    """Regular expression of every legal `0.712` of a channel, and nothing else."""
    digits = f"{limit(channel, decimals):0{decimals + 1}d}"
    plain = "|".join(_dotted(each) for each in _at_most(digits))
    if not channel.signed:
        return f"(?:{plain})"
    nonzero = "|".join(_dotted(each) for each in _nonzero_at_most(digits))
    return f"(?:{plain}|-(?:{nonzero}))"


def integer_pattern(channel: Channel, decimals: int, *, zero: bool = True) -> str:
    """Regular expression of every legal whole number of steps."""
    most = str(limit(channel, decimals))
    parts = ["[1-9]" + _digits(length - 1) for length in range(1, len(most))]
    parts += ["".join(each) for each in _at_most(most) if each[0] != "0"]
    parts = [re.sub(r"^\[0-(\d)\]", r"[1-\1]", part) for part in parts]
    positive = "|".join(part.replace("[1-1]", "1") for part in parts)
    if channel.signed:
        positive = f"-?(?:{positive})"
    return f"(?:0|{positive})" if zero else f"(?:{positive})"


def _digits(count: int) -> str:
    return {0: "", 1: "[0-9]"}.get(count, f"[0-9]{{{count}}}")


def _at_most(most: str) -> list[list[str]]:
    """Patterns, digit by digit, of the numbers of this width from zero to `most`."""
    found = []
    for i, digit in enumerate(most):
        if digit != "0":
            below = "0" if digit == "1" else f"[0-{int(digit) - 1}]"
            found.append([*most[:i], below, *["[0-9]"] * (len(most) - i - 1)])
    return [*found, list(most)]


def _nonzero_at_most(most: str) -> list[list[str]]:
    """The same without zero itself; `most` starts with a 1."""
    width = len(most) - 1
    small = [["0", *"0" * i, "[1-9]", *["[0-9]"] * (width - i - 1)] for i in range(width)]
    return [*small, *(["1", *rest] for rest in _at_most(most[1:]))]


def _dotted(digits: list[str]) -> str:
    return digits[0] + r"\." + "".join(digits[1:])
