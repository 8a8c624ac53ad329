"""Which words a language has."""

from __future__ import annotations

from functools import cache

from semanticface.errors import BadInput, did_you_mean
from semanticface.language.words import LANGUAGES, Lexicon


@cache
def lexicon(language: str) -> Lexicon:
    """The lexicon of a language; loaded when first asked for."""
    if language == "en":
        from semanticface.language.words_en import ENGLISH

        return ENGLISH
    if language == "zh":
        from semanticface.language.words_zh import CHINESE

        return CHINESE
    raise BadInput(
        f"the language '{language}'", f"one of {LANGUAGES}", hint=did_you_mean(language, LANGUAGES)
    )
