"""An answer of words first and then numbers, whatever way the numbers are written.

The words are the numbered list of SemanticFace's released model, then comes an empty
line, then the numbers in a format of their own:

    1. **Facial Expression Category**: a smile
    ...
    4. **Symmetry**: mostly symmetric

    = msl60 msr55.

With `flat` numbers this is the `markdown` format, and `two-key` holds both in JSON;
this one serves the formats that have no place for words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from numpy.typing import ArrayLike

from semanticface.errors import BadInput
from semanticface.language.answer_format import AnswerFormat
from semanticface.language.answers import ShortCodes
from semanticface.language.description import Description
from semanticface.language.parse import parse_answer
from semanticface.language.parsed import Parsed, nothing

_TITLES = Description("\0", "\0", "\0", "\0").as_markdown().split("\0")[:-1]

WORDS = r"\n".join(re.escape(title.strip("\n")) + r"[^\x00-\x1f]+" for title in _TITLES)
"""Pattern of the list alone."""


@dataclass(frozen=True)
class WordsThenNumbers(AnswerFormat):
    """The list of words, an empty line, and `numbers`; made by `words_then`."""

    numbers: AnswerFormat = field(default_factory=ShortCodes)
    # Prompts choose their wording by these two, which follow the numbers' own.
    key: str = ""  # type: ignore[misc]
    about: str = ""  # type: ignore[misc]
    described = True

    def write(self, values: ArrayLike, description: Description | None = None) -> str:
        """Words first, so that the numbers can lean on them."""
        if description is None:
            raise BadInput("no description", f"one, before the '{self.key}' numbers")
        listed = description.as_markdown()
        if Description.from_markdown(listed) != description or "\n\n" in listed:
            raise BadInput(f"a description that a numbered list cannot hold: {listed[:60]!r}",
                           "four texts without empty or numbered lines of their own")  # fmt: skip
        return f"{listed}\n\n{self.numbers.write(values)}"

    def read(self, text: str) -> Parsed:
        """The list of four parts, an empty line, and exactly the numbers."""
        listed, _, rest = text.rpartition("\n\n")
        words = Description.from_markdown(listed)
        if words is None or not self._matches(text):
            why = "not a numbered list of four parts, an empty line and the numbers"
            return nothing(why, channels=self.channels)
        return self.numbers.read(rest)._replace(description=words)

    def read_tolerantly(self, text: str) -> Parsed:
        """Numbers wherever they stand, and words if a numbered list of four parts does."""
        strict = self.read(text)
        if strict.report.outcome == "strict":
            return strict
        parsed = parse_answer(text, self.numbers)
        listed, _, _ = text.rpartition("\n\n")
        report = parsed.report
        if report.outcome == "strict":  # numbers alone are not what was asked for
            report = report._replace(outcome="tolerant", notes=("no words before the numbers",))
        words = parsed.description or Description.from_markdown(listed)
        return parsed._replace(description=words, report=report)

    def regex(self) -> str:
        """Titles are literal, the text after each is one line of anything."""
        return WORDS + r"\n\n" + self.numbers.regex()

    def legend(self) -> str:
        """The numbers' own."""
        return self.numbers.legend()


def words_then(numbers: AnswerFormat) -> WordsThenNumbers:
    """Words before this format's numbers."""
    if numbers.described:
        raise BadInput(f"the answer format '{numbers.key}', which holds words", "numbers only")
    about = f"a numbered description, then {numbers.about}"
    return WordsThenNumbers(
        decimals=numbers.decimals, channels=numbers.channels, numbers=numbers, key=numbers.key,
        about=about,
    )  # fmt: skip
