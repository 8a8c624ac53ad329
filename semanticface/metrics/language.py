"""Do texts say what their numbers say? Answers by the dozen, counted answer by answer.

    report = score_answers("results.jsonl")                  # SemanticFace's result files
    scores = score_texts(texts, values, clusters=subjects)   # any texts with their numbers
    print("\\n".join(scores.lines()))

A claim is judged by the published rules of `language.consistency`. Shares are ratios of
sums over answers (an answer with more claims weighs more). Every answer keeps its own
counts and its cluster, so that intervals can be drawn over subjects: `columns()` gives
numerators and denominators, never ratios.

* contradicted [share, less]: contradicted claims among those decided; `supported` is
  the rest of them. open [share]: claims no rule could decide, among all.
* mention precision [share, more]: of the channels a text calls active, those that are
  at or above the active threshold. Hedged claims the numbers speak against do not count.
* mention recall [share, more]: of the active channels, those a text calls active.
  Stricter than `Consistency.coverage`, for which a denial is a mention too.
* distinct_1, distinct_2 [share, more]: different words (pairs of words) among all of all
  texts (Li et al. 2016, arXiv 1510.03055); in Chinese a character is a word.
  distinct_texts: different texts among all. They fall with the number of texts: compare
  equal numbers only.
* grid_share [share]: values that are multiples of 0.1 to within 1e-6; zero_share: zeros
  (both of the values read). levels: how many different values there are.

Active channels are those of `language.slots` at the bins' active thresholds; which reading
of an ambiguous word counts, and everything but the distinct shares, is this project's own.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput
from semanticface.formats.json_lines import PathLike
from semanticface.formats.semanticface_jsonl import Answer, read_answers
from semanticface.language.consistency import Consistency, Verdict, check
from semanticface.language.description import Description
from semanticface.language.intensity import DEFAULT, Bins
from semanticface.language.slots import SLOTS, as_frames, movements, read_from
from semanticface.rig import COUNT

_OWN = "this project's own"
ROWS: tuple[tuple[str, str, str, str, str], ...] = (
    ("contradicted", "share", "lower", "claims the numbers contradict, of those decided", _OWN),
    ("supported", "share", "higher", "claims the numbers bear out, of those decided", _OWN),
    ("open", "share", "lower", "claims no rule could decide, of all", _OWN),
    ("mention_precision", "share", "higher", "channels called active that are", _OWN),
    ("mention_recall", "share", "higher", "active channels that are called so", _OWN),
    ("distinct_1", "share", "higher", "different words of all", "Li et al. 2016"),
    ("distinct_2", "share", "higher", "different pairs of words of all", "Li et al. 2016"),
    ("distinct_texts", "share", "higher", "different texts of all", _OWN),
    ("grid_share", "share", "lower", "values that are multiples of 0.1", _OWN),
    ("zero_share", "share", "zero", "values that are exactly zero", _OWN),
    ("levels", "count", "higher", "different values", _OWN),
    ("parsed", "share", "higher", "answers read strictly, tolerantly, repaired", _OWN),
)
_COUNTS = ("supported", "contradicted", "open", "told", "told_active", "active")
_WORD = re.compile(r"[\u4e00-\u9fff]|[^\W_]+(?:['-][^\W_]+)*")
_OBJECT = re.compile(r"\{[^{}]*\}?")
_GRID = 0.1
_NEAR = 1e-6
OUTCOMES = ("strict", "tolerant", "repaired", "failed")


@dataclass(frozen=True)
class TextScore:
    """What one text's claims came to, as counts."""

    row: int
    """Which answer, counted from 1 or the file's line."""
    cluster: str | None
    """Subject or take that intervals are drawn over; None where nobody said."""
    supported: int
    contradicted: int
    open: int
    told: int
    """Channels called active."""
    told_active: int
    """Those of them that are."""
    active: int
    """Channels that are active in the numbers."""
    checked: Consistency


@dataclass(frozen=True)
class LanguageScores:
    """Many texts held against their numbers; every share is NaN without a denominator."""

    texts: tuple[TextScore, ...]
    distinct_1: float
    distinct_2: float
    distinct_texts: float

    def columns(self) -> dict[str, NDArray[np.int64]]:
        """Counts of each answer [N]: what a bootstrap over clusters adds up."""
        return {name: np.array([getattr(each, name) for each in self.texts], np.int64)
                for name in _COUNTS}  # fmt: skip

    @property
    def clusters(self) -> tuple[str | None, ...]:
        """The cluster of each answer, as `columns`."""
        return tuple(each.cluster for each in self.texts)

    def _sum(self, *names: str) -> int:
        return sum(int(getattr(each, name)) for each in self.texts for name in names)

    @property
    def contradicted(self) -> float:
        """Of the claims decided."""
        return _ratio(self._sum("contradicted"), self._sum("supported", "contradicted"))

    @property
    def supported(self) -> float:
        """Of the claims decided."""
        return _ratio(self._sum("supported"), self._sum("supported", "contradicted"))

    @property
    def open(self) -> float:
        """Of all claims."""
        return _ratio(self._sum("open"), self._sum("supported", "contradicted", "open"))

    @property
    def mention_precision(self) -> float:
        """Of the channels called active."""
        return _ratio(self._sum("told_active"), self._sum("told"))

    @property
    def mention_recall(self) -> float:
        """Of the active channels."""
        return _ratio(self._sum("told_active"), self._sum("active"))

    def lines(self) -> list[str]:
        """Every share with what it is a share of."""
        decided, told = self._sum("supported", "contradicted"), self._sum("told")
        claims, active = decided + self._sum("open"), self._sum("active")
        shown = (("contradicted", decided, "claims decided"), ("supported", decided, "the same"),
                 ("open", claims, "claims"), ("mention_precision", told, "channels called active"),
                 ("mention_recall", active, "active channels"))  # fmt: skip
        lines = [f"{name}: {getattr(self, name):.3f} of {n} {what}" for name, n, what in shown]
        distinct = ("distinct_1", "distinct_2", "distinct_texts")
        every = f"over {len(self.texts)} texts"
        return lines + [f"{name}: {getattr(self, name):.3f} {every}" for name in distinct]


@dataclass(frozen=True)
class AnswersReport:
    """A file of a model's answers: how they were read, their grid, and their words."""

    answers: int
    outcomes: Mapping[str, int]
    """How many were read strictly, tolerantly, repaired, not at all."""
    complete: int
    """Answers with every channel, all in range."""
    values: int
    """Numbers read in all."""
    grid_share: float
    grid_share_moving: float
    """Of the values that are not zero."""
    zero_share: float
    levels: int
    language: LanguageScores
    unscored: int
    """Answers without a number, whose words cannot be held against anything."""

    @property
    def parsed(self) -> float:
        """Answers read in whatever way, of all."""
        return _ratio(self.answers - self.outcomes["failed"], self.answers)

    def lines(self) -> list[str]:
        """For a person to read."""
        told = ", ".join(f"{name} {count}" for name, count in self.outcomes.items())
        return [
            f"answers: {self.answers} ({told}); complete and in range: {self.complete}",
            f"grid of {_GRID:g}: {self.grid_share:.3f} of {self.values} values, "
            f"{self.grid_share_moving:.3f} of those not zero; zeros {self.zero_share:.3f}; "
            f"{self.levels} different values",
            *self.language.lines(),
            *([f"without numbers, words not scored: {self.unscored}"] if self.unscored else []),
        ]


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


# -- scoring ------------------------------------------------------------------------------


def score_texts(
    texts: Sequence[str | Description],
    values: ArrayLike,
    *,
    clusters: Sequence[str | None] | None = None,
    rows: Sequence[int] | None = None,
    bins: Bins = DEFAULT,
    language: str = "auto",
) -> LanguageScores:
    """Hold each text against its 61 values [N, 61]; NaN is a channel without a number.

    `clusters`: the subject (or take) of each text. `rows`: their lines in a file.
    """
    faces = as_frames(np.asarray(values, np.float32).reshape(-1, COUNT))
    for what, given in (("values", faces), ("clusters", clusters), ("rows", rows)):
        if given is not None and len(given) != len(texts):
            raise BadInput(f"{len(given)} {what} for {len(texts)} texts", "one a text")
    lines = range(1, len(texts) + 1) if rows is None else rows
    owners = [None] * len(texts) if clusters is None else clusters
    scored = tuple(
        _score(row, owner, face, check(text, face, bins=bins, language=language), bins)
        for row, owner, text, face in zip(lines, owners, texts, faces, strict=True)
    )
    return LanguageScores(scored, *_distinct(texts))


def _score(
    row: int, owner: str | None, face: NDArray[np.float32], found: Consistency, bins: Bins
) -> TextScore:
    active = active_channels(face, bins)
    verdicts = (*found.supported, *found.contradicted, *found.unclear)
    told = {name for each in verdicts for name in _told(each, active)}
    judged = len(found.supported), len(found.contradicted), len(found.unclear)
    return TextScore(row, owner, *judged, len(told), len(told & active), len(active), found)


def active_channels(face: NDArray[np.float32], bins: Bins = DEFAULT) -> set[str]:
    """Channels of one face [61] that are at or above their active threshold.

    Eye rotations only where the eyeLook channels are absent: otherwise they say it twice.
    """
    levels = movements(face[None], bins).levels[0]
    channels = read_from(face[None])
    return {channels[slot.name][side] for i, slot in enumerate(SLOTS) for side in (0, 1)
            if levels[i, side]}  # fmt: skip


def _told(verdict: Verdict, active: set[str]) -> set[str]:
    """Channels that a claim calls active.

    A claim that names no side, or whose words have several readings, is given those of
    its channels that are active; where none is, all that it could mean are told wrongly.
    """
    claim = verdict.claim
    if claim.kind not in ("active", "asymmetric") or verdict.doubted:
        return set()
    spoken = set(verdict.numbers)
    free = claim.side is None or len(claim.movements) > 1
    return (spoken & active or spoken) if free else spoken


def _distinct(texts: Sequence[str | Description]) -> tuple[float, float, float]:
    """Shares of different words, pairs of words and texts."""
    plain = [text.as_text() if isinstance(text, Description) else text for text in texts]
    words = [_WORD.findall(text.casefold()) for text in plain]
    ones = [word for text in words for word in text]
    twos = [pair for text in words for pair in pairwise(text)]
    return _different(ones), _different(twos), _different(plain)


def _different(things: Sequence[object]) -> float:
    return _ratio(len(set(things)), len(things))


# -- files of answers ---------------------------------------------------------------------


def score_answers(
    path: PathLike, *, clusters: Sequence[str | None] | None = None, bins: Bins = DEFAULT
) -> AnswersReport:
    """Score SemanticFace's result file: outcomes, grid, and words against numbers.

    Numbers stand as the answer labels them (the mouth pair is not exchanged: text and
    numbers share the model's own labels). `clusters`: the subject of each line; without
    them each image's path is its own cluster.
    """
    answers = read_answers(path)
    owners = [each.image for each in answers] if clusters is None else list(clusters)
    if len(owners) != len(answers):
        raise BadInput(f"{len(owners)} clusters for {len(answers)} answers", "one a line",
                       file=path)  # fmt: skip
    values = np.array([each.parsed.values for each in answers]).reshape(-1, COUNT)
    having = [i for i, row in enumerate(values) if not np.isnan(row).all()]
    words = score_texts(
        [_words(answers[i]) for i in having], values[having],
        clusters=[owners[i] for i in having], rows=[answers[i].row for i in having], bins=bins,
    )  # fmt: skip
    outcomes = Counter(each.parsed.report.outcome for each in answers)
    read = values[~np.isnan(values)].astype(np.float64)
    return AnswersReport(
        len(answers), {name: outcomes[name] for name in OUTCOMES},  # type: ignore[index]
        sum(each.parsed.report.ok for each in answers), len(read), grid_share(read),
        grid_share(read[read != 0]), _ratio(int((read == 0).sum()), len(read)),
        len(np.unique(np.round(read, 6))), words, len(answers) - len(having),
    )  # fmt: skip


def _words(answer: Answer) -> str | Description:
    """The description that was read, or else the text without its objects of numbers."""
    return answer.parsed.description or _OBJECT.sub(" ", answer.text)


def grid_share(values: ArrayLike, grid: float = _GRID) -> float:
    """Share of the values that are multiples of `grid` to within 1e-6; NaN of none."""
    read = np.asarray(values, np.float64)
    read = read[~np.isnan(read)]
    off = np.abs(read - np.round(read / grid) * grid)
    return _ratio(int((off <= _NEAR).sum()), len(read))
