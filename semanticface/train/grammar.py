"""An answer format as a grammar over a model's tokens, by llguidance.

A matcher follows one answer. It tells which tokens may come next, and which must: names,
braces and separators of a format are forced, and only digits and words are decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.data.worded import WORDS, WordsThenNumbers
from semanticface.errors import BadInput, SemanticFaceError, need
from semanticface.language.answer_format import AnswerFormat
from semanticface.language.answers import ValueTokens
from semanticface.language.numerals import limit
from semanticface.rig import CHANNELS


@dataclass
class Grammar:
    """Makes matchers of one pattern for one tokenizer."""

    lark: str
    """The grammar in llguidance's dialect of Lark."""
    tokenizer: Any
    words: int
    """Width of the model's logits."""
    ends: tuple[int, ...]
    """Tokens that end a turn."""

    @classmethod
    def of(cls, form: AnswerFormat | None, tokenizer: Any, words: int) -> Grammar:
        """The grammar of a format; without one, any JSON string values of a description."""
        numbers = form.numbers if isinstance(form, WordsThenNumbers) else form
        if isinstance(numbers, ValueTokens):
            before = WORDS + r"\n\n" if form is not numbers else ""
            lark = value_lark(numbers, tokenizer, before)
        else:
            lark = _terminal("start", form.regex() if form is not None else DESCRIPTION)
        return cls(lark, tokenizer, words, (tokenizer.eos_token_id,))

    @cached_property
    def _source(self) -> tuple[Any, str]:
        library = need("llguidance", "train", "Decoding by a grammar")
        from llguidance.hf import from_tokenizer

        told = from_tokenizer(self.tokenizer, n_vocab=self.words, eos_token=list(self.ends))
        grammar = library.LLMatcher.grammar_from_lark(self.lark)
        if fault := library.LLMatcher.validate_grammar(grammar, told):
            raise SemanticFaceError(f"llguidance refuses the pattern of the answers: {fault[:300]}")
        return told, grammar

    def matcher(self) -> Matcher:
        """One that stands at the beginning of an answer."""
        told, grammar = self._source
        return Matcher(need("llguidance", "train", "Decoding").LLMatcher(told, grammar), self.words)


_STRING = r'(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})+'
DESCRIPTION = r"\{" + ", ".join(
    f'"{name}": "{_STRING}"'
    for name in ("expression_category", "muscle_movements", "emotional_implication", "symmetry")
) + r"\}"  # fmt: skip
"""What a task of words alone asks for: a JSON object of the four fields."""


def value_lark(form: ValueTokens, tokenizer: Any, before: str = "") -> str:
    """One value token a channel, by the tokens' numbers, after a pattern of words.

    As text, `<v` would be forced and written with the tokens of its two letters.
    """
    ids = dict(zip(form.vocabulary(), tokenizer.convert_tokens_to_ids(list(form.vocabulary())),
                   strict=True))  # fmt: skip
    if lacking := [token for token, number in ids.items() if unknown(number, tokenizer)]:
        raise BadInput(
            f"a tokenizer without {lacking[0]}",
            "the value tokens as single tokens",
            hint="Take another answer format, or add ValueTokens.vocabulary().",
        )

    def choice(channel: int) -> str:
        most = limit(CHANNELS[channel], form.decimals)
        least = -most if CHANNELS[channel].signed else 0
        return "<[" + ",".join(str(ids[f"<v{n}>"]) for n in range(least, most + 1)) + "]>"

    kinds = {choice(channel): "" for channel in form.channels}
    names = {told: f"value{number}" for number, told in enumerate(kinds)}
    row = " ".join(names[choice(channel)] for channel in form.channels)
    rules = [f"{name}: {told}" for told, name in names.items()]
    first = ["words: WORDS", _terminal("WORDS", before)] if before else []
    return "\n".join([f"start: {'words ' if before else ''}{row}", *first, *rules])


def unknown(number: int | None, tokenizer: Any) -> bool:
    """Whether a token's id is none; many tokenizers have one for whatever they do not know."""
    return number is None or number == tokenizer.unk_token_id


def _terminal(name: str, pattern: str) -> str:
    return f"{name}: /" + pattern.replace("/", r"\/") + "/"


@dataclass
class Matcher:
    """Follows one answer."""

    held: Any
    words: int

    def forced(self) -> list[int]:
        """Tokens that must come next; taken at once."""
        tokens: list[int] = self.held.compute_ff_tokens()
        if tokens and not self.held.consume_tokens(tokens):
            raise SemanticFaceError(f"llguidance: {self.held.get_error()[:300]}")
        return tokens

    def allowed(self) -> NDArray[np.bool_]:
        """[words] which tokens may come next."""
        bits = np.frombuffer(self.held.compute_bitmask(), np.uint8)
        return np.unpackbits(bits, bitorder="little")[: self.words].astype(np.bool_)

    def valid(self, tokens: list[int]) -> int:
        """How many of these tokens may follow one another from here."""
        return int(self.held.validate_tokens(tokens)) if tokens else 0

    def take(self, token: int) -> None:
        """Go on with a token."""
        if not self.held.consume_token(token):
            raise SemanticFaceError(f"llguidance: {self.held.get_error()[:300]}")

    @property
    def done(self) -> bool:
        """Whether the answer is whole and nothing can follow."""
        return bool(self.held.is_stopped())
