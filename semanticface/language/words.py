"""The shape of a lexicon: how one language says movements, and how it hears them.

The words themselves are in `words_en` and `words_zh`. A phrase is a template:

* `{adv}`, `{adj}`, `{a_adj}`: the level as adverb, adjective, adjective with
  article. Left out (with its space) where an asymmetric pair tells levels later.
* `{brow}`, `{eye}`...: a noun of `nouns`, in the form for both, left or right.
* `{on}`, `{in_eye}`...: the same, for places.
* `[be ]`, `[there is ]`: words of full sentences, left out in note form; `be`
  agrees with the noun before it.

A heard pattern is a regular expression in which a space stands for any white
space and `~` for up to four words of the same clause.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
Three = tuple[str, str, str]
"""Forms for both sides, the left and the right."""
Forms = Mapping[str, tuple[str, ...]]


class Saying(NamedTuple):
    """How a language says what a face does."""

    adverbs: Forms
    adjectives: Forms
    nouns: Mapping[str, Three]
    phrases: Forms
    """What is told -> templates for any level."""
    level_phrases: Mapping[str, Forms]
    """What is told -> level -> templates that need no intensity word."""
    uneven: tuple[str, ...]
    """Ends of a phrase for different levels: {hi} {S} stronger side, {lo} {W} weaker;
    {HI} and {LO} are always adjectives."""
    uneven_same: tuple[str, ...]
    """Ends of a phrase for one level {hi} on both sides, {S} being stronger."""
    sides: tuple[str, str]
    gaze_pair: tuple[str, ...]
    """Two gaze directions at different levels: {x} {vertical} {y} {lateral}."""
    gaze_pair_same: tuple[str, ...]
    directions: Mapping[str, str]
    titles: tuple[tuple[str, ...], ...]
    """Region titles in the order of REGIONS, each with its variants."""
    names: Mapping[str, str]
    """What is told -> its name in the symmetry field."""
    imbalances: tuple[tuple[str, ...], ...]
    """Openings in the symmetry field: more left, more right, only left, only right."""
    categories: Forms
    companions: Forms
    """How a state is named beside an expression or another state."""
    implications: Forms
    fixed: Mapping[str, str]
    """neutral_movement, not_observable, symmetric, untracked, not_measured."""
    clip: Forms
    """Sentences about a clip: length, blinks, winks, event, hold, lost, rest, still, where."""
    plural: str
    """Pattern of subjects that take the second form of `be`."""
    be: tuple[str, str]
    comma: str
    conjunction: str
    """Between two plain phrases."""
    last: str
    """Before the last of several."""
    names_joined: tuple[str, str, str]
    """The same three for the names in the symmetry field."""
    region_end: str
    clause_end: str
    full_stop: str
    space_after_title: str


class Heard(NamedTuple):
    """One pattern and what it claims."""

    movements: tuple[str, ...]
    """Slot names; each is claimed by itself."""
    pattern: str
    region: str | None = None
    """Only under this region's title."""
    level: tuple[str, str] | None = None
    """A level that the words themselves carry, from and to."""
    alternatives: bool = False
    """Whether any one of `movements` would make the words true."""


class Hearing(NamedTuple):
    """How a language's text is read. Every field is a regular expression or a table of them."""

    movements: tuple[Heard, ...]
    areas: tuple[Heard, ...]
    """Parts of the face without a movement: `the outer brows remain neutral`."""
    gaze: str
    """Words that make directions in the same clause directions of gaze."""
    gaze_directions: tuple[Heard, ...]
    levels: tuple[tuple[str, str, str], ...]
    """Pattern, from level, to level; the first that fits counts. '' is nothing at all."""
    left: str
    right: str
    both: str
    negation: str
    """Before a movement: there is none."""
    at_rest: str
    """After a movement or a part: it does nothing."""
    hedge: str
    asymmetric: str
    symmetric: str
    not_asymmetric: str
    """`no significant asymmetry` and the like; read as symmetric."""
    negligible: str
    stronger: str
    """A comparison of sides, with the stronger in group `l` or `r`."""
    sided_level: str
    """`strongly on the left`: level in group `level`, side in `l`, `r` or `b`."""
    titles: Mapping[str, str]
    """Region -> pattern of its title."""
    direction: str
    """`to the subject's left` and the like, which name no side of the face."""
    neutral_face: str
    boundary: str
    """Where a phrase ends inside a clause."""
    shared: str
    """The whole text between two members of a list that share a level and a side."""
    listed: str
    """The whole text between two members of a list that share a negation."""
    clause: str
    """Where a clause ends inside a sentence for the scope of symmetry and negation."""
    sentence: str
    fields: Mapping[str, str]
    """Description field -> pattern of its title."""


class Lexicon(NamedTuple):
    """One language."""

    language: Language
    saying: Saying
    hearing: Hearing
