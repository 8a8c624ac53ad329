"""What every answer format can do, and the order in which JSON answers list channels."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput
from semanticface.language import json_answers
from semanticface.language.description import Description
from semanticface.language.numerals import check_decimals
from semanticface.language.parsed import Parsed
from semanticface.rig import CHANNELS, COUNT, ORDERS

ANSWER_ORDER: tuple[int, ...] = tuple(
    index for index in ORDERS["livelink-csv"].channels if index is not None
)
"""Channel indices in the order in which JSON answers list them."""


@dataclass(frozen=True)
class AnswerFormat(ABC):
    """How one frame stands in text: how finely, and which channels, in table order."""

    key: ClassVar[str]
    about: ClassVar[str]
    described: ClassVar[bool] = False
    """Whether an answer holds the description beside the numbers."""

    decimals: int = 3
    channels: tuple[int, ...] = tuple(range(COUNT))

    @abstractmethod
    def write(self, values: ArrayLike, description: Description | None = None) -> str:
        """One frame, values [61], as text. Refuses NaN and values out of range."""

    @abstractmethod
    def read(self, text: str) -> Parsed:
        """Read a text that is exactly this format; anything else is `failed`."""

    @abstractmethod
    def regex(self) -> str:
        """Pattern of every legal answer, for constrained decoding."""

    def json_schema(self) -> dict[str, Any] | None:
        """Schema of the answer; None where it is not JSON."""
        return None

    def legend(self) -> str:
        """How the coefficients are named and ordered, for a prompt."""
        return json.dumps([CHANNELS[i].label for i in self._listed])

    def __post_init__(self) -> None:
        check_decimals(self.decimals)
        if not self.channels or list(self.channels) != sorted(set(self.channels)):
            raise BadInput(f"channels {self.channels}", "rising channel indices")

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.regex())

    def _matches(self, text: str) -> bool:
        """Whether the text is spelt as the format spells it, to the last character."""
        return len(text) <= json_answers.MAX_CHARS and bool(self._compiled.fullmatch(text))

    @cached_property
    def _listed(self) -> tuple[int, ...]:
        wanted = set(self.channels)
        return tuple(index for index in ANSWER_ORDER if index in wanted)

    def _values(self, indices: list[int], steps: list[int], *, rest: bool) -> NDArray[np.float32]:
        """Values [61] from whole steps; the format's other channels are 0 if `rest`."""
        values = np.full(COUNT, np.nan, dtype=np.float32)
        if rest:
            values[list(self.channels)] = 0.0
        values[indices] = np.array(steps, dtype=np.float64) / 10**self.decimals
        return values
