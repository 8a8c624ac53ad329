"""Templates made into finished strings, once for each movement, side and level.

A million frames say the same few thousand phrases, so each is built the first
time a frame needs it and then only picked.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import product

from semanticface.language.codes import GAZES, MERGES, OVER_OPEN_JAW, State, state_of
from semanticface.language.lexicon import lexicon
from semanticface.language.slots import SLOT_INDEX, SLOTS
from semanticface.language.words import Lexicon, Saying
from semanticface.rig.channels import CHANNELS, INDEX

HEAD_UNITS = {
    "headLeft": "AU51", "headRight": "AU52", "headUp": "AU53", "headDown": "AU54",
    "headLeanLeft": "AU55", "headLeanRight": "AU56", "gazeIn": "AU66", "gazeOut": "AU65",
}  # fmt: skip
"""Action units of movements that are no single channel."""

_FORM = {"both": 0, "left": 1, "right": 2}
_TOKEN = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_LEVEL_TOKEN = re.compile(r"\{(?:adv|adj)\} ?| \{(?:adv|adj)\}|\{(?P<a>a_adj)\}")


@cache
def action_units(told: str) -> str:
    """`AU1+2` for what is told, empty where FACS has no unit."""
    if told in HEAD_UNITS:
        return HEAD_UNITS[told]
    parts = gaze_parts(told) if told in GAZES else MERGES.get(told, (_slot_name(told),))
    channels = [CHANNELS[INDEX[SLOTS[SLOT_INDEX[part]].left]] for part in parts]
    numbers = [unit.removeprefix("AU") for each in channels for unit in each.facs]
    return "AU" + "+".join(dict.fromkeys(numbers)) if numbers else ""


def gaze_parts(told: str) -> tuple[str, str]:
    """The vertical and the lateral slot of a pair of gazes."""
    vertical = "gazeDown" if told.startswith("gazeDown") else "gazeUp"
    return vertical, "gazeLeft" if told.endswith("Left") else "gazeRight"


def _slot_name(told: str) -> str:
    return "mouthClose" if told == OVER_OPEN_JAW else told


@cache
def phrases(
    language: str, told: str, code: int, words: tuple[str, ...], facs: bool, register: int
) -> tuple[str, ...]:
    """All finished phrases for one code. `register` 0 is note form, 1 full clauses."""
    lex, state = lexicon(language), state_of(code, len(words))
    if told in GAZES:
        made = _gaze_pair(lex.saying, told, state, words)
    elif state.stronger is not None:
        made = _uneven(lex.saying, told, state, words)
    else:
        made = _even(lex.saying, told, state, words)
    unit = f" ({action_units(told)})" if facs and action_units(told) else ""
    unit = unit if language == "en" else unit.replace(" (", "\uff08").replace(")", "\uff09")
    if register == 1:  # full clauses prefer verbs: nobody writes `there is` five times over
        made = [phrase for phrase in made if "[be ]" in phrase] or made
    finished = (_in_register(phrase, register, lex) + unit for phrase in made)
    return tuple(dict.fromkeys(finished))


def _even(say: Saying, told: str, state: State, words: tuple[str, ...]) -> list[str]:
    """One level: every template with every word for the level."""
    level = words[max(state.left, state.right) - 1]
    ready = say.level_phrases.get(told, {}).get(level, ())
    made = [_with_nouns(template, state.side, say) for template in ready]
    for template in say.phrases[told]:
        spoken = _with_nouns(template, state.side, say)
        for adverb, adjective in _level_words(say, level):
            made.append(_with_level(spoken, adverb, adjective))
    return made


def _uneven(say: Saying, told: str, state: State, words: tuple[str, ...]) -> list[str]:
    """Two levels, or one with a stronger side: the movement first, then the sides."""
    strong, weak = say.sides if state.stronger == "left" else say.sides[::-1]
    levels = (state.left, state.right) if state.stronger == "left" else (state.right, state.left)
    ends = say.uneven if levels[0] != levels[1] else say.uneven_same
    high, low = (_level_words(say, words[level - 1]) for level in levels)
    made = []
    for template, end, (h, w) in product(say.phrases[told], ends, zip(high, low, strict=False)):
        verbal = "{adv}" in template
        bare = _LEVEL_TOKEN.sub(lambda m: "a" if m["a"] else "", template)
        hi, lo = h[not verbal], w[not verbal]
        tail = end.format(hi=hi, lo=lo, HI=h[1], LO=w[1], S=strong, W=weak)
        made.append(_with_nouns(bare, "both", say) + tail)
    return made


def _gaze_pair(say: Saying, told: str, state: State, words: tuple[str, ...]) -> list[str]:
    v, h = (say.directions[slot.removeprefix("gaze")] for slot in gaze_parts(told))
    same = state.left == state.right
    down, across = (_level_words(say, words[level - 1]) for level in (state.left, state.right))
    return [
        template.format(x=x[0], y=y[0], v=v, h=h)
        for template in (say.gaze_pair_same if same else say.gaze_pair)
        for x, y in zip(down, across, strict=False)
    ]


def _level_words(say: Saying, level: str) -> tuple[tuple[str, str], ...]:
    """Adverb and adjective of a level, in as many pairs as the shorter list has."""
    return tuple(zip(say.adverbs[level], say.adjectives[level], strict=False))


def _with_nouns(template: str, side: str, say: Saying) -> str:
    def noun(match: re.Match[str]) -> str:
        forms = say.nouns.get(match[1])
        return match[0] if forms is None else forms[_FORM[side]]

    return _TOKEN.sub(noun, template)


def _with_level(phrase: str, adverb: str, adjective: str) -> str:
    article = "an" if adjective[0] in "aeiou" else "a"
    return (
        phrase.replace("{adv}", adverb)
        .replace("{a_adj}", f"{article} {adjective}")
        .replace("{adj}", adjective)
    )


def _in_register(phrase: str, register: int, lex: Lexicon) -> str:
    """Keep or leave out the words in brackets; `be` agrees with what stands before."""
    if register == 0:
        return _OPTIONAL.sub("", phrase)
    plural = bool(re.match(lex.saying.plural, phrase)) if lex.saying.plural else False
    be = lex.saying.be[plural]
    return _OPTIONAL.sub(lambda m: f"{be} " if m[1] == "be " else m[1], phrase)
