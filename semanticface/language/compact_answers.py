"""Answer formats that spend few tokens: whole steps instead of decimals, and no JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from numpy.typing import ArrayLike

from semanticface.language.answer_format import AnswerFormat
from semanticface.language.description import Description
from semanticface.language.numerals import integer_pattern, limit, to_steps
from semanticface.language.parsed import STRICT, Parsed, nothing
from semanticface.rig import CHANNELS, REGIONS

_CODE = re.compile(r"([a-z]+)(-?\d+)")
_BY_CODE = {channel.code: channel.index for channel in CHANNELS}


@dataclass(frozen=True)
class RegionIntegers(AnswerFormat):
    """`brow 0 0 12 0 0;eye 0 ... 3.`: whole steps, fixed order, grouped by region.

    The stop at the end tells a whole answer from one cut inside its last number.
    """

    decimals: int = 2
    key: ClassVar[str] = "regions"
    about: ClassVar[str] = "whole numbers in fixed order, region by region"

    @cached_property
    def _groups(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        groups = (
            (region, tuple(i for i in self.channels if CHANNELS[i].region == region))
            for region in REGIONS
        )
        return tuple((region, indices) for region, indices in groups if indices)

    def legend(self) -> str:
        """Each region with its coefficients in order."""
        return "; ".join(
            f"{region}: {' '.join(CHANNELS[i].label for i in indices)}"
            for region, indices in self._groups
        )

    def write(self, values: ArrayLike, description: Description | None = None) -> str:
        """Steps of 10^-decimals: with two decimals, hundredths."""
        groups = (
            " ".join([region, *map(str, to_steps(values, self.decimals, indices))])
            for region, indices in self._groups
        )
        return ";".join(groups) + "."

    def read(self, text: str) -> Parsed:
        """Every region in order, every number in range."""
        if len(text) > 2000 or not self._compiled.fullmatch(text):
            return nothing("not the integers-by-region format", channels=self.channels)
        steps = [int(n) for part in text[:-1].split(";") for n in part.split(" ")[1:]]
        indices = [i for _, group in self._groups for i in group]
        return Parsed(self._values(indices, steps, rest=False), None, STRICT, self.key)

    def regex(self) -> str:
        """Region names and separators are literal."""
        groups = (
            " ".join([region, *(integer_pattern(CHANNELS[i], self.decimals) for i in indices)])
            for region, indices in self._groups
        )
        return ";".join(groups) + r"\."


@dataclass(frozen=True)
class ShortCodes(AnswerFormat):
    """`= jo30 msl60 msr60.`: two or three letters and whole steps, zero left out.

    The stop at the end tells a whole answer from one that was cut off.
    """

    decimals: int = 2
    key: ClassVar[str] = "codes"
    about: ClassVar[str] = "short codes of the coefficients that are not zero"

    def legend(self) -> str:
        """Each code with what it stands for."""
        return ", ".join(f"{CHANNELS[i].code} {CHANNELS[i].label}" for i in self.channels)

    def write(self, values: ArrayLike, description: Description | None = None) -> str:
        """An equals sign, one code a channel, a stop; a neutral face is `=.`."""
        steps = to_steps(values, self.decimals, self.channels)
        items = (f" {CHANNELS[i].code}{n}" for i, n in zip(self.channels, steps, strict=True) if n)
        return "=" + "".join(items) + "."

    def read(self, text: str) -> Parsed:
        """Codes in table order; what is left out is zero by definition."""
        if len(text) > 2000 or not self._compiled.fullmatch(text):
            return nothing("not the short-code format", channels=self.channels)
        items = [_CODE.fullmatch(item) for item in text[1:-1].split()]
        found = [(_BY_CODE[item[1]], int(item[2])) for item in items if item]
        values = self._values([i for i, _ in found], [n for _, n in found], rest=True)
        return Parsed(values, None, STRICT, self.key)

    def regex(self) -> str:
        """Each code at most once, in table order."""
        codes = (
            f"(?: {CHANNELS[i].code}{integer_pattern(CHANNELS[i], self.decimals, zero=False)})?"
            for i in self.channels
        )
        return "=" + "".join(codes) + r"\."


@dataclass(frozen=True)
class ValueTokens(AnswerFormat):
    """`<v0><v0><v12>...`: one added token per channel, fixed order.

    A tokenizer must know the tokens of `vocabulary` as single ones.
    """

    decimals: int = 2
    key: ClassVar[str] = "tokens"
    about: ClassVar[str] = "one value token a coefficient, in fixed order"
    described: ClassVar[bool] = False

    def vocabulary(self) -> tuple[str, ...]:
        """The tokens to add, by rising value."""
        most = max(limit(CHANNELS[i], self.decimals) for i in self.channels)
        least = most if any(CHANNELS[i].signed for i in self.channels) else 0
        return tuple(f"<v{n}>" for n in range(-least, most + 1))

    def legend(self) -> str:
        """The coefficients in the order of their tokens."""
        return json.dumps([CHANNELS[i].label for i in self.channels])

    def write(self, values: ArrayLike, description: Description | None = None) -> str:
        """One token a channel, in table order."""
        return "".join(f"<v{n}>" for n in to_steps(values, self.decimals, self.channels))

    def read(self, text: str) -> Parsed:
        """Exactly one token a channel, each in its channel's range."""
        if len(text) > 2000 or not self._compiled.fullmatch(text):
            return nothing("not the value-token format", channels=self.channels)
        steps = [int(n) for n in text[2:-1].split("><v")]
        return Parsed(self._values(list(self.channels), steps, rest=False), None, STRICT, self.key)

    def regex(self) -> str:
        """One literal token a channel."""
        return "".join(f"<v{integer_pattern(CHANNELS[i], self.decimals)}>" for i in self.channels)
