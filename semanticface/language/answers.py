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
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from numpy.typing import ArrayLike

from semanticface.errors import BadInput, did_you_mean
from semanticface.language import json_answers
from semanticface.language.answer_format import ANSWER_ORDER, AnswerFormat
from semanticface.language.compact_answers import RegionIntegers, ShortCodes, ValueTokens
from semanticface.language.description import FIELDS, Description
from semanticface.language.numerals import (
    decimal_pattern,
    limit,
    spell,
    to_steps,
)
from semanticface.language.parsed import Parsed, nothing
from semanticface.rig import CHANNELS


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
        return parsed._replace(description=Description.from_markdown(listed))

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


FORMATS: dict[str, type[AnswerFormat]] = {
    each.key: each
    for each in (
        TwoKeyJson, FlatJson, SparseJson, RegionIntegers, ShortCodes, ValueTokens, MarkdownJson,
    )
}  # fmt: skip
DEFAULT = TwoKeyJson()
__all__ = [
    "ANSWER_ORDER", "DEFAULT", "FORMATS", "AnswerFormat", "FlatJson", "MarkdownJson",
    "RegionIntegers", "ShortCodes", "SparseJson", "TwoKeyJson", "ValueTokens", "answer_format",
]  # fmt: skip


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
