"""Which expression a face shows, by a published table of rules.

Every rule needs all of its `needs` and none of its `without`. A condition is a
group of channels, how they are taken together, and a threshold: `mean`, `least`
and `most` over the group. A threshold below the active threshold of the bins is
raised to it, so that no category speaks of a movement that is not there. An
absent channel never fulfils a need, and what is said of one side alone (a wink,
contempt) needs the other side measured.

The first expression that fits is the face's; the first two states that fit are
named beside it. Emotions follow the prototypes of basic and compound emotion
(EMFACS): happiness 6+12, sadness 1+4+15, surprise 1+2+5 or 26, fear 1+4+5+20,
anger 4+5/7+23/24, disgust 9+10, contempt a one-sided 12 or 14. The thresholds
are this project's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.language.intensity import EPSILON, Bins
from semanticface.rig.channels import INDEX

Take = Literal["mean", "least", "most"]
_TAKES: dict[Take, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "mean": lambda group: np.asarray(group.mean(axis=0), np.float32),
    "least": lambda group: np.asarray(group.min(axis=0), np.float32),
    "most": lambda group: np.asarray(group.max(axis=0), np.float32),
}


class Condition(NamedTuple):
    """`take` over `channels` reaches `threshold`."""

    channels: tuple[str, ...]
    threshold: float
    take: Take = "mean"


class Rule(NamedTuple):
    """A named expression or state and what it takes."""

    name: str
    needs: tuple[Condition, ...]
    without: tuple[Condition, ...] = ()
    implies: tuple[str, ...] = ()
    """States that this name already says."""
    emotion: bool = False


def _both(movement: str, threshold: float, take: Take = "mean") -> Condition:
    return Condition((f"{movement}Left", f"{movement}Right"), threshold, take)


def _one(name: str, threshold: float) -> Condition:
    return Condition((name,), threshold)


_SMILE = _both("mouthSmile", 0.3, "least")
_NO_SMILE = _both("mouthSmile", 0.2, "most")
_RAISED_CHEEKS = _both("cheekSquint", 0.2, "least")
_INNER_BROWS = _one("browInnerUp", 0.3)
_OUTER_BROWS = _both("browOuterUp", 0.2, "least")
_LOW_BROWS = _both("browDown", 0.3, "least")
_WIDE_EYES = _both("eyeWide", 0.3, "least")
_SNEER = _both("noseSneer", 0.3, "least")
_LIFTED_LIP = _both("mouthUpperUp", 0.2, "least")
_FROWN = _both("mouthFrown", 0.2, "least")
_PRESS = _both("mouthPress", 0.3, "least")

EXPRESSIONS: tuple[Rule, ...] = (
    Rule("happySurprise",
         (_SMILE, _RAISED_CHEEKS, _INNER_BROWS, _OUTER_BROWS, _one("jawOpen", 0.25)),
         (_both("mouthFrown", 0.2, "most"),), ("speech", "mouthWide", "browsRaised"), True),
    Rule("happyDisgust", (_SMILE, _RAISED_CHEEKS, _SNEER, _LIFTED_LIP), (), ("squint",), True),
    Rule("angryDisgust", (_SNEER, _LIFTED_LIP, _both("browDown", 0.4, "least"), _PRESS),
         (_NO_SMILE,), ("concentration", "lipPress", "squint"), True),
    Rule("sadAnger", (_FROWN, _both("browDown", 0.4, "least"), _one("browInnerUp", 0.2)),
         (_NO_SMILE,), ("concentration", "frown"), True),
    Rule("happiness", (_SMILE, _RAISED_CHEEKS),
         (_LOW_BROWS, _SNEER, _both("mouthFrown", 0.2, "most")), ("squint",), True),
    Rule("fear", (_INNER_BROWS, _WIDE_EYES, _both("mouthStretch", 0.2, "least"),
                  _both("browDown", 0.1, "least")), (_NO_SMILE,),
         ("eyesWide", "browsRaised"), True),
    Rule("surprise", (_INNER_BROWS, _OUTER_BROWS, _WIDE_EYES), (_NO_SMILE, _LOW_BROWS),
         ("eyesWide", "browsRaised"), True),
    Rule("surprise", (_INNER_BROWS, _OUTER_BROWS, _one("jawOpen", 0.4)),
         (_NO_SMILE, _LOW_BROWS, _both("eyeBlink", 0.5, "most")),
         ("browsRaised",), True),
    Rule("sadness", (_INNER_BROWS, _FROWN),
         (_NO_SMILE, _both("browOuterUp", 0.3, "most"), _both("browDown", 0.4, "most")),
         ("frown", "browsRaised"), True),
    Rule("disgust", (_SNEER, _LIFTED_LIP), (_NO_SMILE,), (), True),
    Rule("anger", (_both("browDown", 0.4, "least"), _PRESS), (_NO_SMILE, _INNER_BROWS),
         ("concentration", "lipPress"), True),
    Rule("anger", (_both("browDown", 0.5, "least"), _WIDE_EYES), (_NO_SMILE, _INNER_BROWS),
         ("concentration", "eyesWide"), True),
    Rule("contempt", (_one("mouthDimpleLeft", 0.3),),
         (_one("mouthDimpleRight", 0.1), _NO_SMILE, _one("jawOpen", 0.1)), (), True),
    Rule("contempt", (_one("mouthDimpleRight", 0.3),),
         (_one("mouthDimpleLeft", 0.1), _NO_SMILE, _one("jawOpen", 0.1)), (), True),
    Rule("smile", (_both("mouthSmile", 0.2, "least"),)),
)  # fmt: skip
"""Expressions, the more particular first."""

STATES: tuple[Rule, ...] = (
    Rule("tongueOut", (_one("tongueOut", 0.3),), (), ("speech",)),
    Rule("winkLeft", (_one("eyeBlinkLeft", 0.6),), (_one("eyeBlinkRight", 0.3),), ("squint",)),
    Rule("winkRight", (_one("eyeBlinkRight", 0.6),), (_one("eyeBlinkLeft", 0.3),), ("squint",)),
    Rule("cheekPuff", (_one("cheekPuff", 0.3),), (), ("lipPress",)),
    Rule("pucker", (_one("mouthPucker", 0.5),), (_one("jawOpen", 0.3),), ("lipPress",)),
    Rule("eyesClosed", (_both("eyeBlink", 0.6, "least"),), (), ("squint",)),
    Rule("mouthWide", (_one("jawOpen", 0.6),), (_one("mouthClose", 0.2),), ("speech", "funnel")),
    Rule("funnel", (_one("mouthFunnel", 0.3),), (), ("speech",)),
    Rule("lipPress", (_both("mouthPress", 0.3, "least"),)),
    Rule("speech", (_one("jawOpen", 0.1),), (_one("mouthClose", 0.1),)),
    Rule("frown", (_both("mouthFrown", 0.3, "least"),)),
    Rule("concentration", (_both("browDown", 0.3, "least"),)),
    Rule("browsRaised", (_one("browInnerUp", 0.2),)),
    Rule("eyesWide", (_both("eyeWide", 0.3, "least"),)),
    Rule("squint", (_both("eyeSquint", 0.3, "least"),)),
)
"""What a face does without showing a feeling."""

EXPRESSION_NAMES = tuple(dict.fromkeys(rule.name for rule in EXPRESSIONS))
STATE_NAMES = tuple(rule.name for rule in STATES)
EMOTIONS = frozenset(rule.name for rule in EXPRESSIONS if rule.emotion)


class Categories(NamedTuple):
    """Per frame: index of the expression and of up to two states, -1 for none. Each [T]."""

    expression: NDArray[np.int16]
    first: NDArray[np.int16]
    second: NDArray[np.int16]


def categorise(values: NDArray[np.float32], bins: Bins) -> Categories:
    """The expression and states of every frame of values [T, 61]."""
    columns = np.ascontiguousarray(values.T)
    cache: dict[Condition, NDArray[np.bool_]] = {}
    expression = np.full(len(values), -1, np.int16)
    implied = np.zeros((len(STATES), len(values)), np.bool_)
    for rule in EXPRESSIONS:
        fits = _fits(rule, columns, bins, cache) & (expression < 0)
        expression[fits] = EXPRESSION_NAMES.index(rule.name)
        _imply(rule, fits, implied)
    first, second = (np.full(len(values), -1, np.int16) for _ in range(2))
    for i, rule in enumerate(STATES):
        fits = _fits(rule, columns, bins, cache) & ~implied[i] & (second < 0)
        second[fits & (first >= 0)] = i
        first[fits & (first < 0)] = i
        _imply(rule, fits, implied)
    return Categories(expression, first, second)


def _imply(rule: Rule, fits: NDArray[np.bool_], implied: NDArray[np.bool_]) -> None:
    for name in rule.implies:
        implied[STATE_NAMES.index(name)] |= fits


def _fits(
    rule: Rule,
    columns: NDArray[np.float32],
    bins: Bins,
    cache: dict[Condition, NDArray[np.bool_]],
) -> NDArray[np.bool_]:
    holds = np.ones(columns.shape[1], np.bool_)
    for condition in rule.needs:
        holds &= _reached(condition, columns, bins, cache)
    for condition in rule.without:
        holds &= ~_reached(condition, columns, bins, cache)
        if len(condition.channels) == 1 and condition.channels[0].endswith(("Left", "Right")):
            holds &= ~np.isnan(columns[INDEX[condition.channels[0]]])
    return holds


def _reached(
    condition: Condition,
    columns: NDArray[np.float32],
    bins: Bins,
    cache: dict[Condition, NDArray[np.bool_]],
) -> NDArray[np.bool_]:
    """Whether a condition holds in each frame; False where a channel is NaN."""
    if condition not in cache:
        group = columns[[INDEX[name] for name in condition.channels]]
        take = _TAKES[condition.take]
        threshold = max(condition.threshold, bins.weights.active) - EPSILON
        cache[condition] = np.asarray(take(group) >= np.float32(threshold), np.bool_)
    return cache[condition]
