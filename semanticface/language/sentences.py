"""One sentence of a description, read into claims by the rules of `claims`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from semanticface.language.mentions import Ears, Mention, pieces
from semanticface.language.slots import SLOT_INDEX, SLOTS

Kind = Literal["active", "inactive", "asymmetric", "symmetric"]
Side = Literal["left", "right", "both"]
FACE = "face"
"""The movement of a claim about the whole face."""


class Claim(NamedTuple):
    """One thing that a text says about a face."""

    movement: str
    """A slot of `slots.SLOTS`, `face`, or the first of several readings."""
    kind: Kind
    quote: str
    start: int
    end: int
    """Where the quoted words stand in the text."""
    side: Side | None = None
    level: tuple[str, str] | None = None
    """The weakest and the strongest level name the words allow; '' is no movement."""
    stronger: Literal["left", "right"] | None = None
    movements: tuple[str, ...] = ()
    """All readings, of which any one makes the claim true (inactive: all must be)."""
    hedged: bool = False


class _Scope(NamedTuple):
    """The words around one mention, and what they say."""

    left: str
    span: str
    right: str
    between: str
    """From the mention before (or the sentence's start) to this one."""
    after: str
    """From this mention to the next (or the sentence's end)."""


class Sentence:
    """One sentence with its mentions in order."""

    def __init__(
        self, text: str, start: int, end: int, mentions: list[Mention], listen: Ears,
        areas_count: bool = False,
    ) -> None:  # fmt: skip
        self.areas_count = areas_count
        self.text, self.start, self.end = text, start, end
        self.mentions, self.listen, self.words = mentions, listen, listen.words
        hedge = self.words["hedge"].search(text, start, end)
        self.hedge = hedge.start() if hedge else end

    # -- movements

    def about_movements(self) -> list[Claim]:
        """What the sentence says of movements: active, at rest, uneven where it says so."""
        claims: list[Claim] = []
        before: Claim | None = None
        listed = 0  # where the claims of the current list begin
        for i, mention in enumerate(self.mentions):
            scope = self._scope(i)
            if mention.area:
                claims += self._about_area(mention, scope)
                continue
            claim = self._claim(mention, scope)
            if before is not None:
                claim = self._handed_on(claim, before, scope.between)
            if before is not None and self._renames(scope.between):
                before = self._rename(claims, before, claim)
                continue
            listed = listed if self.words["listed"].fullmatch(scope.between) else len(claims)
            if claim.kind == "inactive" and self.words["shared"].fullmatch(scope.between):
                # `blinking, squinting and smiling are absent`
                claims[listed:] = [_at_rest(each) for each in claims[listed:]]
            claims += self._spread(claim, mention, scope)
            before = claim
        return claims + list(self._side_at_rest(before)) + list(self._whole_face())

    def _claim(self, mention: Mention, scope: _Scope) -> Claim:
        """Level, side and negation of one mention."""
        negated = self.words["negation"].search(f"{scope.left} {scope.span}")
        resting = negated or self.words["at_rest"].search(scope.right)
        level = None if resting else mention.heard.level or self._level(scope)
        return Claim(
            mention.heard.movements[0],
            "inactive" if resting else "active",
            "",
            *self._quote(mention, scope),
            side=self._side(scope),
            level=level,
            movements=mention.heard.movements,
            hedged=mention.start > self.hedge,
        )

    def _spread(self, claim: Claim, mention: Mention, scope: _Scope) -> Iterator[Claim]:
        """One claim per movement and side, and what is said of the sides besides."""
        stronger = self._stronger(scope.after) or self._stronger(scope.left)
        shapes = [claim] if mention.heard.alternatives else [
            claim._replace(movement=name, movements=(name,)) for name in mention.heard.movements
        ]  # fmt: skip
        for shape in shapes:
            sided = [] if claim.kind == "inactive" else self._sided(shape, scope.after)
            yield from sided or [shape]
            nearby = scope.left + scope.span + self._predicate(scope)
            if stronger:
                yield shape._replace(kind="asymmetric", stronger=stronger, level=None, side=None)
            elif self.words["asymmetric"].search(nearby):
                yield shape._replace(kind="asymmetric", level=None, side=None)
            elif self.words["symmetric"].search(nearby):
                yield shape._replace(kind="symmetric", level=None, side=None)

    def _predicate(self, scope: _Scope) -> str:
        """`is perfectly even`: what a sentence goes on to say of its only movement."""
        alone = sum(not mention.area for mention in self.mentions) == 1
        return scope.right if alone else ""

    def _sided(self, claim: Claim, after: str) -> list[Claim]:
        """`strongly on the left and slightly on the right`: one claim per side."""
        told = []
        for match in self.words["sided_level"].finditer(self.words["stronger"].sub(" ", after)):
            side: Side = "left" if match["left"] else "right" if match["right"] else "both"
            if (level := self._level_in(match["level"])) is not None:
                told.append(claim._replace(side=side, level=level))
        return told

    def _about_area(self, mention: Mention, scope: _Scope) -> Iterator[Claim]:
        """`the brows remain neutral`, `the left mouth corner is stronger`."""
        at_rest = self.words["at_rest"].search(scope.right)
        no = self.words["negation"].search(scope.left)
        claim = Claim(
            mention.heard.movements[0], "inactive", "", *self._quote(mention, scope),
            side=self._side(scope), movements=mention.heard.movements,
            hedged=mention.start > self.hedge,
        )  # fmt: skip
        if at_rest or no:
            yield claim
        elif stronger := self._stronger(scope.span + scope.right) or self._stronger(
            scope.left + scope.span + scope.right
        ):
            yield claim._replace(kind="asymmetric", stronger=stronger, side=None)

    def _side_at_rest(self, before: Claim | None) -> Iterator[Claim]:
        """`..., while the left side remains neutral`: the other side of what was told."""
        if before is None or before.kind == "inactive":
            return
        last = max(self.mentions, key=lambda m: m.end).end
        for start, end in list(pieces(self.text, last, self.end, self.words["boundary"]))[1:]:
            words = self.text[start:end]
            side = self._side_in(words)
            if side in ("left", "right") and self.words["at_rest"].search(words):
                yield before._replace(kind="inactive", side=side, level=None, start=start, end=end
                )  # fmt: skip

    def _whole_face(self) -> Iterator[Claim]:
        """A claim about the face at large, where no movement is named."""
        if self.mentions:
            return
        words = self.text[self.start : self.end]
        if match := self.words["not_asymmetric"].search(words):
            yield self._face_claim("symmetric", match)
        elif match := self.words["asymmetric"].search(words):
            yield self._face_claim("asymmetric", match)
        elif match := re.search(self.listen.hearing.neutral_face, words, re.IGNORECASE):
            yield self._face_claim("inactive", match)

    def _face_claim(self, kind: Kind, match: re.Match[str]) -> Claim:
        start, end = self.start + match.start(), self.start + match.end()
        return Claim(FACE, kind, "", start, end, movements=(FACE,), hedged=start > self.hedge)

    # -- symmetry

    def about_symmetry(self) -> Iterator[Claim]:
        """What the sentence says of equal and unequal sides, clause by clause."""
        for start, end in pieces(self.text, self.start, self.end, self.words["clause"]):
            inside = [m for m in self.mentions if start <= m.start < end]
            clause = Sentence(self.text, start, end, inside, self.listen, areas_count=True)
            yield from clause._one_symmetry_clause()

    def _one_symmetry_clause(self) -> Iterator[Claim]:
        marks = self._symmetry_marks()
        governed = set()
        for i, mention in enumerate(self.mentions):
            mark = self._governing(mention, marks)
            if mark is None:
                continue
            governed.add(mark)
            yield from self._symmetry_claim(mention, self._scope(i), mark)
        for mark in marks:
            if mark not in governed and mark.kind is not None and not self._repeats(mark, marks):
                yield Claim(
                    FACE, mark.kind, "", mark.start, mark.end, stronger=mark.stronger,
                    movements=(FACE,), hedged=mark.start > self.hedge,
                )  # fmt: skip

    def _symmetry_claim(self, mention: Mention, scope: _Scope, mark: _Mark) -> Iterator[Claim]:
        if mark.kind is None:
            return
        if mark.kind == "asymmetric" and not _has_pair(mention.heard.movements):
            yield self._claim(mention, scope)
            return
        stronger = mark.stronger or self._stronger(scope.after)
        start, end = min(mention.start, mark.start), max(mention.end, mark.end)
        claim = Claim(
            mention.heard.movements[0], mark.kind, "", start, end,
            movements=mention.heard.movements, hedged=mention.start > self.hedge,
            stronger=stronger if mark.kind == "asymmetric" else None,
        )  # fmt: skip
        if mention.heard.alternatives or mention.area:
            yield claim
            return
        for name in mention.heard.movements:
            yield claim._replace(movement=name, movements=(name,))

    def _symmetry_marks(self) -> list[_Mark]:
        """Words that say equal or different, in order; None is a difference called negligible."""
        text = self.text
        marks: list[_Mark] = []
        negligible = bool(self.words["negligible"].search(text, self.start, self.end))
        for name, kind in _MARK_KINDS:
            for match in self.words[name].finditer(text, self.start, self.end):
                if any(match.start() < m.end and m.start < match.end() for m in marks):
                    continue
                said: Kind | None = None if kind == "asymmetric" and negligible else kind
                marks.append(_Mark(match.start(), match.end(), said, _side_of(match)))
        return sorted(marks, key=lambda mark: mark.start)

    def _governing(self, mention: Mention, marks: list[_Mark]) -> _Mark | None:
        before = [
            mark for mark in marks
            if mark.end <= mention.start and not self._in_closed_bracket(mark, mention)
        ]  # fmt: skip
        if before:
            return before[-1]
        # A mark inside the mention, or the first after it.
        return marks[0] if marks else None

    def _in_closed_bracket(self, mark: _Mark, mention: Mention) -> bool:
        """Whether the mark stands in a bracket that closes before the mention."""
        return mark.stronger is not None and bool(
            re.search(r"[)\uff09]", self.text[mark.end : mention.start])
        )

    def _repeats(self, mark: _Mark, marks: list[_Mark]) -> bool:
        """Whether a comparison only specifies the mark before it."""
        return mark.kind == "asymmetric" and any(
            other is not mark and other.kind == "asymmetric" for other in marks
        )

    # -- words around a mention

    def _scope(self, i: int) -> _Scope:
        mention = self.mentions[i]
        others = [m for m in self.mentions if self.areas_count or not m.area or m is mention]
        place = others.index(mention)
        low = others[place - 1].end if place else self.start
        high = others[place + 1].start if place + 1 < len(others) else self.end
        between, after = self.text[low : mention.start], self.text[mention.end : high]
        cuts = [match.end() for match in self.words["boundary"].finditer(between)]
        left = between[cuts[-1] :] if cuts else between
        return _Scope(
            left, self.text[mention.start : mention.end], self._right(after), between, after
        )

    def _right(self, after: str) -> str:
        """The phrase's own words after the mention, with a bracket right behind them."""
        cut = self.words["boundary"].search(after)
        if cut is None:
            return after
        bracket = re.match(r"[^,(\uff08]{0,24}[(\uff08]([^)\uff09]*)", after)
        if bracket and bracket.start(1) >= cut.start() and not self._opens_mention(after):
            return after[: cut.start()] + " " + bracket[1]
        return after[: cut.start()]

    def _opens_mention(self, after: str) -> bool:
        """Whether the bracket is left open here, because another mention stands in it."""
        return ")" not in after and "\uff09" not in after

    def _level(self, scope: _Scope) -> tuple[str, str] | None:
        for words in (scope.span, scope.left[::1], scope.right):
            level = self._level_in(self.words["stronger"].sub(" ", words))
            if level is not None:
                return level
        return None

    def _level_in(self, words: str) -> tuple[str, str] | None:
        """The last level word of some words: the one nearest to what follows."""
        found = [
            (match.end(), -i, low, high)
            for i, (compiled, low, high) in enumerate(self.listen.levels)
            for match in compiled.finditer(words)
        ]
        return max(found)[2:] if found else None

    def _side(self, scope: _Scope) -> Side | None:
        return self._side_in(f"{scope.left}|{scope.span}|{scope.right}")

    def _side_in(self, words: str) -> Side | None:
        plain = self.words["stronger"].sub(" ", words)
        plain = re.sub(self.listen.hearing.direction, " ", plain, flags=re.IGNORECASE)
        left, right, both = (bool(self.words[w].search(plain)) for w in ("left", "right", "both"))
        if both or (left and right):
            return "both"
        if left or right:
            return "left" if left else "right"
        return None

    def _stronger(self, words: str) -> Literal["left", "right"] | None:
        match = self.words["stronger"].search(words)
        return _side_of(match) if match else None

    def _handed_on(self, claim: Claim, before: Claim, between: str) -> Claim:
        """What a list's member takes from the one before, where it has none itself."""
        if before.kind == "inactive" and self.words["listed"].fullmatch(between):
            return claim._replace(kind="inactive", level=None, side=claim.side or before.side)
        if claim.kind == "inactive" or not self.words["shared"].fullmatch(between):
            return claim
        return claim._replace(level=claim.level or before.level, side=claim.side or before.side
        )  # fmt: skip

    def _renames(self, between: str) -> bool:
        """Whether only an opened bracket (and perhaps a level) stands before the mention."""
        opened = re.fullmatch(r"[^,(\uff08]{0,24}[(\uff08]([^,(\uff08)\uff09]{0,24})", between)
        return opened is not None and not self.words["boundary"].search(opened[1])

    def _rename(self, claims: list[Claim], before: Claim, claim: Claim) -> Claim:
        """Let the bracket's name stand beside the one before; None where they are one."""
        level = before.level or claim.level
        names = before.movements if set(before.movements) & set(claim.movements) else (
            *before.movements, *claim.movements
        )  # fmt: skip
        at = max(i for i, each in enumerate(claims) if each.kind == before.kind)
        merged = claims[at]._replace(
            movements=names, level=level, side=before.side or claim.side, end=claim.end
        )
        claims[at] = merged
        return merged

    def _quote(self, mention: Mention, scope: _Scope) -> tuple[int, int]:
        left = len(scope.left) - len(scope.left.lstrip(" -:\t\n"))
        tail = len(scope.right.rstrip()) if self.text.startswith(scope.right, mention.end) else 0
        return mention.start - len(scope.left) + left, mention.end + tail


class _Mark(NamedTuple):
    start: int
    end: int
    kind: Kind | None
    stronger: Literal["left", "right"] | None


_MARK_KINDS: tuple[tuple[str, Kind], ...] = (
    ("not_asymmetric", "symmetric"),
    ("stronger", "asymmetric"),
    ("asymmetric", "asymmetric"),
    ("symmetric", "symmetric"),
)


def _side_of(match: re.Match[str]) -> Literal["left", "right"] | None:
    """The side a comparison names: its groups begin with l or r."""
    named = [name for name, text in match.groupdict().items() if text]
    if not named:
        return None
    return "left" if named[0].startswith("l") else "right"


def _at_rest(claim: Claim) -> Claim:
    return claim._replace(kind="inactive", level=None) if claim.kind == "active" else claim


def _has_pair(names: tuple[str, ...]) -> bool:
    return any(SLOTS[SLOT_INDEX[name]].paired for name in names)
