"""61 numbers into words, deterministically and in many wordings.

The rules, which `consistency` holds any text to:

* A channel below the active threshold of the bins, or absent (NaN), is never
  mentioned; every active one is, alone or in a group at the same level. Eye
  rotations count only for an eye whose eyeLook channels are absent, for
  otherwise they say the same thing twice.
* Sides: both active and closer than `asymmetry` is "both"; both active and
  `asymmetry` or more apart tells both levels and names the stronger side; one
  active is that side only. Left and right are the subject's own.
* `symmetry` lists the pairs, gaze apart, that differ by `asymmetry` or more, or is exactly
  "mostly symmetric", or "not clearly observable" where no pair was measured on
  both sides. What is unmeasured is never told as at rest: a frame in which only
  some regions were measured names those. `emotional_implication` is filled by the rules of
  `categories` alone, or is exactly "not clearly observable".
* The words follow from the values, the language and the seed, and from nothing
  else: frame i of `describe_frames` is `describe(values[i], seed=seed + i)`.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput
from semanticface.language.categories import (
    EMOTIONS,
    EXPRESSION_NAMES,
    STATE_NAMES,
    Categories,
    categorise,
)
from semanticface.language.codes import TOLD, TOLD_INDEX, TOLD_REGION, Codes, told_codes
from semanticface.language.description import Description
from semanticface.language.intensity import DEFAULT, EPSILON, Bins
from semanticface.language.lexicon import lexicon
from semanticface.language.phrases import phrases
from semanticface.language.slots import (
    PAIRED,
    SLOTS,
    Measured,
    Movements,
    as_frames,
    measured,
    movements,
)
from semanticface.language.words import Saying
from semanticface.rig.channels import COUNT, REGIONS

ASYMMETRY = 0.1
"""The least difference of the sides that is told (weights, and radians for eyes)."""

Hashes = NDArray[np.uint64]
_GOLDEN = 0x9E3779B97F4A7C15
_CODE_ROOM = 1 << 11
_COMPARED = PAIRED & np.array([not s.name.startswith(("gaze", "eyeRoll")) for s in SLOTS])
"""The pairs of the face: eyes that converge are no asymmetry of it."""
_SLOT_COLUMN = np.array([TOLD_INDEX[slot.name] for slot in SLOTS])


def describe(
    values: ArrayLike,
    *,
    seed: int = 0,
    language: str = "en",
    facs: bool = False,
    bins: Bins = DEFAULT,
    asymmetry: float = ASYMMETRY,
) -> Description:
    """Describe one face of 61 values; see the rules above."""
    face = np.asarray(values, dtype=np.float32)
    if face.shape != (COUNT,):
        raise BadInput(f"values of shape {face.shape}", f"({COUNT},), one frame")
    return describe_frames(
        face[None], seed=seed, language=language, facs=facs, bins=bins, asymmetry=asymmetry
    )[0]


def describe_frames(
    values: ArrayLike,
    *,
    seed: int = 0,
    language: str = "en",
    facs: bool = False,
    bins: Bins = DEFAULT,
    asymmetry: float = ASYMMETRY,
) -> list[Description]:
    """Describe every frame of values [T, 61]; frame i has the seed `seed + i`."""
    table = as_frames(values)
    if not asymmetry > 0:
        raise BadInput(f"an asymmetry of {asymmetry}", "a number above zero")
    say = lexicon(language).saying
    hashes = frame_hashes(seed, len(table))
    moved = movements(table, bins)
    codes = told_codes(moved, bins, asymmetry)
    seen = np.logical_not(np.isnan(table).all(axis=1))
    parts = measured(moved.known)
    shown = _categories_of(categorise(table, bins), codes, parts, bins)
    muscles = _muscles(say, language, codes, bins.words, facs, hashes, _empty_texts(say, parts))
    compared = np.asarray((moved.known.all(axis=2) & _COMPARED).any(axis=1), np.bool_)
    rest = _even_texts(say, seen, compared)
    symmetry = _symmetry(say, _imbalance_kinds(moved, codes, asymmetry), hashes, rest)
    return list(
        map(Description, _category_texts(say, shown, parts, hashes), muscles,
            _implications(say, shown, hashes), symmetry)
    )  # fmt: skip


# -- seeded choice ---------------------------------------------------------------


def splitmix64(counter: Hashes) -> Hashes:
    """The splitmix64 mix of 64-bit counters: the same on every platform."""
    z = counter + np.uint64(_GOLDEN)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)), np.uint64)


def frame_hashes(seed: int, count: int) -> Hashes:
    """One hash per frame from the counters seed, seed + 1, and so on modulo 2^64."""
    start = np.full(1, seed % (1 << 64), np.uint64)
    counters: Hashes = np.asarray(start + np.arange(count, dtype=np.uint64), np.uint64)
    return splitmix64(splitmix64(counters))


def _draw(
    hashes: Hashes, place: NDArray[np.int64] | int, counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """A number below `counts` for each hash, another one at each place of the text."""
    salt = np.asarray(place, dtype=np.uint64) * np.uint64(0xD1B54A32D192ED03)
    mixed = splitmix64(hashes ^ salt)
    return np.asarray((mixed >> np.uint64(33)) % counts.astype(np.uint64), np.int64)


# -- muscle movements ------------------------------------------------------------


def _muscles(
    say: Saying, language: str, codes: Codes, words: tuple[str, ...], facs: bool,
    hashes: Hashes, empty: list[str],
) -> list[str]:  # fmt: skip
    """The movement field: phrases in region order, joined region by region."""
    frames, told = np.nonzero(codes)
    register = (hashes >> np.uint64(7)) & np.uint64(1)
    keys = (told * _CODE_ROOM + codes[frames, told]) * 2 + register[frames].astype(np.int64)
    unique, inverse = np.unique(keys, return_inverse=True)
    options = [_options(language, int(key), words, facs) for key in unique]
    texts = _pick(options, inverse, hashes[frames], told)
    groups = TOLD_REGION[told]
    openings = _titles(say, groups, hashes[frames])
    between = (say.comma, say.conjunction, say.last)
    joined = _join(frames, groups, texts, openings, between, say.region_end, len(codes))
    return [text + say.full_stop if text else empty[i] for i, text in enumerate(joined)]


@cache
def _options(language: str, key: int, words: tuple[str, ...], facs: bool) -> tuple[str, ...]:
    place, register = divmod(key, 2)
    told, code = divmod(place, _CODE_ROOM)
    return phrases(language, TOLD[told], code, words, facs, register)


def _pick(
    options: list[tuple[str, ...]], which: NDArray[np.intp], hashes: Hashes,
    places: NDArray[np.intp],
) -> list[str]:  # fmt: skip
    """One of the options `which` for each hash."""
    counts = np.array([len(each) for each in options], dtype=np.int64)
    starts = np.cumsum(counts) - counts
    flat = [text for each in options for text in each]
    chosen = starts[which] + _draw(hashes, places + 1, counts[which])
    return list(map(flat.__getitem__, chosen.tolist()))


def _titles(say: Saying, groups: NDArray[np.intp], hashes: Hashes) -> list[str]:
    titles = [tuple(title + say.space_after_title for title in each) for each in say.titles]
    return _pick(titles, groups, hashes, groups + 100)


def _join(
    frames: NDArray[np.intp], groups: NDArray[np.intp], texts: list[str],
    openings: list[str], between: tuple[str, str, str], group_end: str, count: int,
) -> list[str]:  # fmt: skip
    """One text per frame: `Opening: a, b, and c; Opening: d`."""
    tokens: list[str] = [""] * (2 * len(texts))
    tokens[1::2] = texts
    tokens[0::2] = _separators(frames, groups, texts, openings, between, group_end)
    bounds = (2 * np.searchsorted(frames, np.arange(count + 1))).tolist()
    return ["".join(tokens[a:b]) for a, b in pairwise(bounds)]


def _separators(
    frames: NDArray[np.intp], groups: NDArray[np.intp], texts: list[str],
    openings: list[str], between: tuple[str, str, str], group_end: str,
) -> list[str]:  # fmt: skip
    """What stands before each phrase: an opening, a comma or a conjunction."""
    if not texts:
        return []
    new_frame = np.diff(frames, prepend=-1) != 0
    starts = new_frame | (np.diff(groups, prepend=-1) != 0)
    ends = np.append(starts[1:], True)
    second = np.append(False, starts[:-1])
    kinds = np.where(ends, np.where(second, 3, 4), 2)
    kinds[starts] = 1
    kinds[new_frame] = 0
    made = []
    before = ""
    for kind, text, opening in zip(kinds.tolist(), texts, openings, strict=True):
        if kind < 2:
            made.append(group_end + opening if kind else opening)
        elif kind == 2:
            made.append(between[0])
        else:
            made.append(_conjunction(between, before, text, kind == 3))
        before = text
    return made


def _conjunction(between: tuple[str, str, str], before: str, text: str, only_two: bool) -> str:
    """`and`, with a comma where a phrase already holds an `and` or a comma."""
    comma, plain, last = between
    simple = only_two and not any(
        mark in each for each in (before, text) for mark in (comma, plain)
    )
    return plain if simple else last


_REGION_BITS = 1 << np.arange(len(REGIONS))
_FACE = np.array([region != "head" for region in REGIONS])
_EXPRESSIVE = np.array([region not in ("tongue", "head") for region in REGIONS])


def _empty_texts(say: Saying, parts: Measured) -> list[str]:
    """What is said of a frame in which nothing moves: of the measured regions only."""
    bits = parts.some @ _REGION_BITS
    bits[parts.full.all(axis=1)] = -1
    texts = {-1: say.fixed["at_rest"], 0: say.fixed["untracked"]}
    for each in np.unique(bits[bits > 0]).tolist():
        texts[each] = say.fixed["part_at_rest"].format(regions=_region_list(say, each))
    return [texts[each] for each in bits.tolist()]


def _region_list(say: Saying, bits: int) -> str:
    titles = [title[0].lower() for i, title in enumerate(say.titles) if bits >> i & 1]
    return say.names_joined[0].join(titles)


# -- symmetry ----------------------------------------------------------------------


def _symmetry(say: Saying, kinds: NDArray[np.int8], hashes: Hashes, rest: list[str]) -> list[str]:
    """Pairs of sides that differ, by kind: stronger left, right, only left, only right."""
    frames, slots = np.nonzero(kinds)
    order = np.lexsort((slots, kinds[frames, slots], frames))
    frames, slots = frames[order], slots[order]
    groups = kinds[frames, slots].astype(np.intp) - 1
    names = [say.names.get(slot.name, "") for slot in SLOTS]
    texts = [names[slot] for slot in slots.tolist()]
    openings = _pick(list(say.imbalances), groups, hashes[frames], groups + 200)
    joined = _join(frames, groups, texts, openings, say.names_joined, say.clause_end, len(kinds))
    return [text or even for text, even in zip(joined, rest, strict=True)]


def _even_texts(say: Saying, seen: NDArray[np.bool_], compared: NDArray[np.bool_]) -> list[str]:
    """What is said where no pair differs: nothing, unless a pair was measured on both sides."""
    texts = [say.fixed[key] for key in ("not_measured", "not_observable", "symmetric")]
    return [texts[each] for each in (seen.astype(np.int8) + compared).tolist()]


def _imbalance_kinds(moved: Movements, codes: Codes, asymmetry: float) -> NDArray[np.int8]:
    """0 even, 1 and 2 stronger left and right, 3 and 4 only left and right; [T, slots]."""
    left, right = moved.levels[:, :, 0] > 0, moved.levels[:, :, 1] > 0
    ahead = moved.magnitudes[:, :, 0] - moved.magnitudes[:, :, 1]
    apart = (
        _COMPARED
        & moved.known.all(axis=2)
        & (np.abs(ahead) >= np.float32(asymmetry - EPSILON))
        & (left | right)
    )
    kinds = np.where(ahead > 0, 1, 2) + np.where(left & right, 0, 2)
    kinds[~apart | (codes[:, _SLOT_COLUMN] == 0)] = 0
    return kinds.astype(np.int8)


# -- category and feeling -------------------------------------------------------------

_CATEGORY_KEYS = (*EXPRESSION_NAMES, *STATE_NAMES, "untracked", "neutral", "faint", "other", "part")
_STATE_START = len(EXPRESSION_NAMES)
_UNTRACKED, _NEUTRAL, _FAINT, _OTHER, _PART = range(len(_CATEGORY_KEYS) - 5, len(_CATEGORY_KEYS))


def _categories_of(
    found: Categories, codes: Codes, parts: Measured, bins: Bins
) -> list[NDArray[np.int64]]:
    """Main category and companion of each frame as indices of `_CATEGORY_KEYS`, -1 for none."""
    first = np.where(found.first >= 0, found.first + _STATE_START, -1)
    second = np.where(found.second >= 0, found.second + _STATE_START, -1)
    shown = found.expression >= 0
    main = np.where(shown, found.expression, first)
    companion = np.where(shown, first, second)
    active = (codes > 0).any(axis=1)
    faint = ((codes == 0) | _slight(codes, len(bins.words))).all(axis=1)
    whole = parts.full[:, _EXPRESSIVE].all(axis=1)
    moving = np.where(faint & whole, _FAINT, _OTHER)
    rest = np.where(active, moving, np.where(whole, _NEUTRAL, _PART))
    seen = parts.some[:, _FACE].any(axis=1)
    main = np.where(seen, np.where(main >= 0, main, rest), _UNTRACKED)
    return [main.astype(np.int64), companion.astype(np.int64)]


def _slight(codes: Codes, count: int) -> NDArray[np.bool_]:
    return np.asarray((codes <= 3 * count) & ((codes - 1) % count == 0), np.bool_)


def _category_texts(
    say: Saying, shown: list[NDArray[np.int64]], parts: Measured, hashes: Hashes
) -> list[str]:
    options = [say.categories[key] for key in _CATEGORY_KEYS]
    none = len(options)
    mains = _pick(options, shown[0], hashes, np.full(len(hashes), 300))
    for i in np.flatnonzero(shown[0] == _PART).tolist():
        bits = int((parts.some[i] & _FACE) @ _REGION_BITS)
        mains[i] = mains[i].format(regions=_region_list(say, bits))
    companions = [tuple(say.companions.get(key, ("",))) for key in _CATEGORY_KEYS] + [("",)]
    which = np.where(shown[1] >= 0, shown[1], none)
    return list(
        map(str.__add__, mains, _pick(companions, which, hashes, np.full(len(hashes), 301)))
    )


def _implications(say: Saying, shown: list[NDArray[np.int64]], hashes: Hashes) -> list[str]:
    nothing = (say.fixed["not_observable"],)
    options = [say.implications[key] if key in EMOTIONS else nothing for key in _CATEGORY_KEYS]
    return _pick(options, shown[0], hashes, np.full(len(hashes), 302))
