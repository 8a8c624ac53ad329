"""Answer formats: how one frame of a face stands in a model's text.

Each format writes a frame, reads exactly what it writes, and gives the grammar of
it: a regular expression without free white space, and a JSON schema where it is
JSON. Tolerant reading of anything else is `parse.parse_answer`.

Names in JSON answers are Live Link Face's labels in its CSV order, as SemanticFace
asks for them; left and right are the subject's own.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput, did_you_mean
from semanticface.language import json_answers
from semanticface.language.description import FIELDS, Description
from semanticface.language.numerals import (
    check_decimals,
    decimal_pattern,
    integer_pattern,
    limit,
    spell,
    to_steps,
)
from semanticface.language.parsed import STRICT, Parsed, nothing
from semanticface.rig import CHANNELS, COUNT, INDEX, NAMES, ORDERS, REGIONS

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


@dataclass(frozen=True)
class FlatJson(AnswerFormat):
    """`{"EyeBlinkLeft": 0.000, ...}`: every channel, nothing else."""

    key: ClassVar[str] = "flat"
    about: ClassVar[str] = "all coefficients as one JSON object"
    _gap: ClassVar[str] = ""

    def write(self, values: ArrayLike, description: Description | None = None) -> str:
        """One JSON object in Live Link order, fixed decimals."""
        return self._object(values)

    def _object(self, values: ArrayLike) -> str:
        steps = to_steps(values, self.decimals, self._listed)
        pairs = (
            f'"{CHANNELS[i].label}":{self._gap}{spell(n, self.decimals)}'
            for i, n in zip(self._listed, steps, strict=True)
        )
        return "{" + f",{self._gap}".join(pairs) + "}"

    @cached_property
    def _reader(self) -> json_answers.StrictObject:
        return json_answers.StrictObject(self._listed)

    def read(self, text: str) -> Parsed:
        """Exactly the listed names in their order, finite values in range."""
        if self._matches(text):
            return json_answers.exact_flat(text, self._reader, self.key)
        return nothing(json_answers.why_not_flat(text, self._reader), channels=self.channels)

    def regex(self) -> str:
        """The object with its literal separators."""
        return self._pattern()

    def _pattern(self) -> str:
        pairs = (
            f'"{CHANNELS[i].label}":{self._gap}{decimal_pattern(CHANNELS[i], self.decimals)}'
            for i in self._listed
        )
        return r"\{" + f",{self._gap}".join(pairs) + r"\}"

    def json_schema(self) -> dict[str, Any] | None:
        """An object with every channel required and no other key."""
        return _object_schema(self._listed, self.decimals, required=True)


@dataclass(frozen=True)
class TwoKeyJson(FlatJson):
    """`{"analysis": {...}, "arkit": {...}}` on one line: SemanticFace's request."""

    key: ClassVar[str] = "two-key"
    about: ClassVar[str] = "description, then all coefficients, as one JSON object"
    described: ClassVar[bool] = True
    _gap: ClassVar[str] = " "

    def write(self, values: ArrayLike, description: Description | None = None) -> str:
        """The description first, so that the numbers can lean on it."""
        if description is None:
            raise _needs_description(self.key)
        analysis = json.dumps(description.as_analysis(), ensure_ascii=False)
        return f'{{"analysis": {analysis}, "arkit": {self._object(values)}}}'

    def read(self, text: str) -> Parsed:
        """Both keys in order, the four fields as strings, all channels in order."""
        if self._matches(text):
            return json_answers.exact_two_key(text, self._reader, self.key)
        return nothing(json_answers.why_not_two_key(text, self._reader), channels=self.channels)

    def regex(self) -> str:
        """Free text only inside the four strings."""
        fields = ", ".join(f'"{name}": "{_STRING}"' for name in FIELDS)
        return rf'\{{"analysis": \{{{fields}\}}, "arkit": {self._pattern()}\}}'

    def json_schema(self) -> dict[str, Any] | None:
        """The two objects, both required."""
        analysis = {
            "type": "object",
            "properties": {name: {"type": "string", "minLength": 1} for name in FIELDS},
            "required": list(FIELDS),
            "additionalProperties": False,
        }
        return {
            "type": "object",
            "properties": {"analysis": analysis, "arkit": super().json_schema()},
            "required": ["analysis", "arkit"],
            "additionalProperties": False,
        }


@dataclass(frozen=True)
class MarkdownJson(FlatJson):
    """A numbered Markdown list, an empty line, flat JSON: SemanticFace's release."""

    key: ClassVar[str] = "markdown"
    about: ClassVar[str] = "a numbered description, then all coefficients as one JSON object"
    described: ClassVar[bool] = True
    _gap: ClassVar[str] = " "

    def write(self, values: ArrayLike, description: Description | None = None) -> str:
        """The four fields as a list, then the object."""
        if description is None:
            raise _needs_description(self.key)
        listed = description.as_markdown()
        readable = Description.from_markdown(listed) == description
        if not readable or "{" in listed or "}" in listed or "\t" in listed:
            raise BadInput(
                f"a description that a numbered list cannot hold: {listed[:60]!r}",
                "four texts without braces, tabs or numbered lines of their own",
            )
        return f"{listed}\n\n{self._object(values)}"

    def read(self, text: str) -> Parsed:
        """A four-part list that opens the text, then nothing but the object."""
        listed, _, rest = text.rpartition("\n\n")
        if not self._matches(text):
            why = "not a numbered list of four parts, an empty line and the object"
            return nothing(why, channels=self.channels)
        parsed = json_answers.exact_flat(rest, self._reader, self.key)
        return replace(parsed, description=Description.from_markdown(listed))

    def regex(self) -> str:
        """Titles are literal; the text after each is free but for `{`."""
        titles = Description("\0", "\0", "\0", "\0").as_markdown().split("\0")[:-1]
        listed = "".join(re.escape(title) + r"[^\{\}\x00-\x09\x0b-\x1f]+" for title in titles)
        return listed + r"\n\n" + self._pattern()

    def json_schema(self) -> dict[str, Any] | None:
        """None: only the end of the answer is JSON."""
        return None


@dataclass(frozen=True)
class SparseJson(AnswerFormat):
    """`{"JawOpen":0.30}`: only channels that are not zero; absence means zero."""

    key: ClassVar[str] = "sparse"
    about: ClassVar[str] = "one JSON object of the coefficients that are not zero"

    def write(self, values: ArrayLike, description: Description | None = None) -> str:
        """Zero after rounding is left out; a neutral face is `{}`."""
        steps = to_steps(values, self.decimals, self._listed)
        pairs = (
            f'"{CHANNELS[i].label}":{spell(n, self.decimals)}'
            for i, n in zip(self._listed, steps, strict=True)
            if n
        )
        return "{" + ",".join(pairs) + "}"

    @cached_property
    def _reader(self) -> json_answers.StrictObject:
        return json_answers.StrictObject(self._listed, sparse=True)

    def read(self, text: str) -> Parsed:
        """Known names in their order; what is left out is zero by definition."""
        if self._matches(text):
            return json_answers.exact_flat(text, self._reader, self.key)
        return nothing(json_answers.why_not_flat(text, self._reader), channels=self.channels)

    def regex(self) -> str:
        """Some of the pairs, in order, with commas between them."""
        pairs = [
            f'"{CHANNELS[i].label}":{decimal_pattern(CHANNELS[i], self.decimals)}'
            for i in self._listed
        ]
        return r"\{" + f"(?:{_ordered_subset(pairs)})?" + r"\}"

    def json_schema(self) -> dict[str, Any] | None:
        """An object in which every channel may be left out."""
        return _object_schema(self._listed, self.decimals, required=False)


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


FORMATS: dict[str, type[AnswerFormat]] = {
    each.key: each
    for each in (
        TwoKeyJson, FlatJson, SparseJson, RegionIntegers, ShortCodes, ValueTokens, MarkdownJson,
    )
}  # fmt: skip
DEFAULT = TwoKeyJson()


def answer_format(
    key: str = "two-key", decimals: int | None = None, channels: tuple[int, ...] | None = None
) -> AnswerFormat:
    """The format called `key`, with its own number of decimals unless given."""
    if key not in FORMATS:
        raise BadInput(
            f"answer format '{key}'",
            f"one of {', '.join(FORMATS)}",
            hint=did_you_mean(key, FORMATS),
        )
    options: dict[str, Any] = {}
    if decimals is not None:
        options["decimals"] = decimals
    if channels is not None:
        options["channels"] = channels
    return FORMATS[key](**options)


_STRING = r'(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})+'
_CODE = re.compile(r"([a-z]+)(-?\d+)")
_BY_CODE = {channel.code: channel.index for channel in CHANNELS}


def _needs_description(key: str) -> BadInput:
    return BadInput(
        "no description", f"one, for the '{key}' answer format", hint="Make it with describe()."
    )


def _ordered_subset(items: list[str]) -> str:
    """At least one of the items, in order, with commas between.

    Halving keeps the pattern at n^1.6 items; the plain way would take n^2 / 2.
    """
    if len(items) == 1:
        return items[0]
    middle = len(items) // 2
    first, second = _ordered_subset(items[:middle]), _ordered_subset(items[middle:])
    return f"(?:{first}(?:,{second})?|{second})"


def _object_schema(indices: tuple[int, ...], decimals: int, *, required: bool) -> dict[str, Any]:
    def number(index: int) -> dict[str, Any]:
        most = limit(CHANNELS[index], decimals) / 10**decimals
        least = -most if CHANNELS[index].signed else 0
        return {"type": "number", "minimum": least, "maximum": most}

    labels = {CHANNELS[index].label: number(index) for index in indices}
    return {
        "type": "object",
        "properties": labels,
        "required": list(labels) if required else [],
        "additionalProperties": False,
    }


assert len(_BY_CODE) == COUNT == len(INDEX) == len(NAMES)
