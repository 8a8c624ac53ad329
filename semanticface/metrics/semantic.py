"""REFA's five label-free metrics: is the expression there that was asked for?

    report = score_recordings([Recording(clip, read_segments("take.csv"))])
    print(report)

REFA (Meta) names the metrics and their averages, recording -> subject -> dataset, and
publishes neither levels nor thresholds nor formulas. What follows is therefore this
project's own design throughout; every number of it stands in tables/peaks.yaml and
`peaks.load_peaks` reads the user's own. All five are shares, 0 to 1, more is better.

* Semantic Accuracy: share of peak segments in which all that is expected holds at the
  same time during at least `hold` of the measured time.
* Neutralness: mean over neutral segments of the share of measured blendshapes whose
  median over the segment is at or under their neutral ceiling (so a blink is forgiven).
* Smoothness: 1 / (1 + d / `second_difference`), d the plain mean absolute second
  difference of the measured blendshapes, per frame squared (`second_difference()`). It
  depends on the frame rate: compare at equal rates only.
* Eye Closure: share of the eyes asked to be shut (winks count one eye) whose eyeBlink is
  at least `eye_shut` during `hold` of the time.
* Mouth Closure: share of the segments with closed lips in which jawOpen - 1.01 mouthClose
  is at most `lip_gap` during `hold` of the time.

How a single segment is judged stands in `judging`. One that was not measured is counted
apart and never as failed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from semanticface.errors import BadInput
from semanticface.metrics.judging import SegmentScore, judge
from semanticface.metrics.peaks import Peak, PeakTable, load_peaks
from semanticface.metrics.segments import Segment
from semanticface.rig import BLENDSHAPES, FaceClip

ACCURACY, NEUTRALNESS, SMOOTHNESS, EYES, MOUTH = METRICS = (
    "Semantic Accuracy", "Neutralness", "Smoothness", "Eye Closure", "Mouth Closure",
)  # fmt: skip
_OWN = "metric REFA; formula and thresholds this project's own"
ROWS: tuple[tuple[str, str, str, str, str], ...] = (
    (ACCURACY, "share", "higher", "peak segments that show all that is expected", _OWN),
    (NEUTRALNESS, "share", "higher", "blendshapes at rest in neutral segments", _OWN),
    (SMOOTHNESS, "share", "higher", "1 / (1 + second difference / half)", _OWN),
    (EYES, "share", "higher", "eyes shut where a peak shuts them, winks included", _OWN),
    (MOUTH, "share", "higher", "lips closed where a peak closes them", _OWN),
    ("second difference", "per frame^2", "lower", "mean |x[t+1] - 2 x[t] + x[t-1]|", "REFA"),
)
_SHAPES = len(BLENDSHAPES)


@dataclass(frozen=True)
class Recording:
    """A clip and the peak expressions that were asked for in it."""

    clip: FaceClip
    segments: Sequence[Segment] = ()
    name: str = ""
    """The clip's source where nothing else is given."""
    subject: str | None = None
    """Who; the clip's own subject where nothing else is given."""

    @property
    def title(self) -> str:
        """Its name in tables."""
        return self.name or self.clip.meta.source or "recording"

    @property
    def person(self) -> str | None:
        """Its subject, None where nobody said."""
        return self.subject or self.clip.meta.subject


class Score(NamedTuple):
    """A mean and how many of the level below it went in."""

    value: float
    n: int


Scores = Mapping[str, Score]


@dataclass(frozen=True)
class RecordingScore:
    """One recording: the five scores, why some are missing, and every segment."""

    name: str
    subject: str
    scores: Scores
    missing: Mapping[str, str]
    segments: tuple[SegmentScore, ...]
    second_difference: float
    rate: float
    """Frames a second."""


@dataclass(frozen=True)
class Expression:
    """One named peak over all its segments."""

    name: str
    accuracy: float
    n: int
    unjudged: int
    share: float
    """Mean share of the time during which all held."""
    fault: str
    """The expectation that failed most often, with its count; empty if none did."""


@dataclass(frozen=True)
class SemanticReport:
    """The dataset's five scores with the levels below them."""

    scores: Scores
    subjects: Mapping[str, Scores]
    recordings: tuple[RecordingScore, ...]
    table: PeakTable

    def expressions(self) -> tuple[Expression, ...]:
        """A row for each named expression that was asked for, in table order."""
        every = [each for one in self.recordings for each in one.segments]
        named = ((name, [s for s in every if s.peak.name == name]) for name in self.table.peaks)
        return tuple(_expression(name, found) for name, found in named if found)

    def missing(self) -> dict[str, str]:
        """Metrics that no recording could give, and why."""
        gone = [name for name in METRICS if not self.scores[name].n]
        return {name: _commonest(one.missing[name] for one in self.recordings) for name in gone}

    def notes(self) -> list[str]:
        """What a reader must know beside the numbers."""
        rates = [one.rate for one in self.recordings if math.isfinite(one.rate)]
        said = [f"{name}: not computed, {why}" for name, why in self.missing().items()]
        if rates and max(rates) > 1.05 * min(rates):
            said.append(f"Smoothness mixes rates of {min(rates):.4g} to {max(rates):.4g} a second")
        return said

    def lines(self) -> list[str]:
        """A table of all levels and one of expressions; n in brackets."""
        heads = ["level", *METRICS]
        body = [["dataset (subjects)", *_cells(self.scores)]]
        body += [[f"  {who} (recordings)", *_cells(row)] for who, row in self.subjects.items()]
        body += [[f"    {one.name} (segments)", *_cells(one.scores)] for one in self.recordings]
        text = _columns([heads, *body])
        if rows := self.expressions():
            shown = [["expression", "passed", "n", "not judged", "time held", "most often failed"]]
            shown += [_expression_cells(row) for row in rows]
            text += ["", *_columns(shown)]
        return [*text, *self.notes(), f"expectations: {self.table.source} (own levels)"]

    def __str__(self) -> str:
        return "\n".join(self.lines())


# -- scoring ------------------------------------------------------------------------------


def score_recordings(
    recordings: Iterable[Recording], table: PeakTable | None = None
) -> SemanticReport:
    """All five metrics; recordings are averaged by subject, subjects to the dataset.

    A level's score is the plain mean of those below it that have one; n tells how many.
    """
    chosen = load_peaks() if table is None else table
    every = list(recordings)
    if not every:
        raise BadInput("no recordings", "at least one")
    scored = tuple(_score(each, _person(each, len(every) == 1), chosen) for each in every)
    subjects = {
        who: _mean([one.scores for one in scored if one.subject == who])
        for who in dict.fromkeys(one.subject for one in scored)
    }
    return SemanticReport(_mean(list(subjects.values())), subjects, scored, chosen)


def _person(recording: Recording, alone: bool) -> str:
    if recording.person is None and not alone:
        raise BadInput(f"no subject for '{recording.title}'", "whose face it is",
                       hint="Averages go by subject: give Recording(subject=...).")  # fmt: skip
    return recording.person or "(one subject)"


def _mean(below: Sequence[Scores]) -> dict[str, Score]:
    return {name: _score_of([each[name].value for each in below]) for name in METRICS}


def _score_of(values: Iterable[float]) -> Score:
    known = [value for value in values if not math.isnan(value)]
    return Score(float(np.mean(known)) if known else math.nan, len(known))


def _score(recording: Recording, subject: str, table: PeakTable) -> RecordingScore:
    segments = tuple(judge(recording.clip, each, table) for each in recording.segments)
    moving, triples = _second_difference(recording.clip)
    shut = [(part, each.shut[part]) for each in segments for part in each.shut]
    scores = {
        ACCURACY: _score_of(_number(s.passed) for s in segments if not s.peak.neutral),
        NEUTRALNESS: _score_of(s.rest for s in segments if s.peak.neutral),
        SMOOTHNESS: Score(1 / (1 + moving / table.settings.second_difference), triples),
        EYES: _score_of(_number(is_shut) for part, is_shut in shut if part != "mouth"),
        MOUTH: _score_of(_number(is_shut) for part, is_shut in shut if part == "mouth"),
    }
    missing = {name: _why(name, segments) for name, score in scores.items() if not score.n}
    clip = recording.clip
    return RecordingScore(recording.title, subject, scores, missing, segments, moving, clip.rate)


def _number(passed: bool | None) -> float:
    return math.nan if passed is None else float(passed)


_WANTED: dict[str, tuple[str, Callable[[Peak], object]]] = {
    ACCURACY: ("a peak expression", lambda peak: not peak.neutral),
    NEUTRALNESS: ("the neutral face", lambda peak: peak.neutral),
    EYES: ("a peak that shuts an eye", lambda peak: set(peak.shuts) - {"mouth"}),
    MOUTH: ("a peak that closes the lips", lambda peak: "mouth" in peak.shuts),
}


def _why(metric: str, segments: Sequence[SegmentScore]) -> str:
    if metric == SMOOTHNESS:
        return "no three measured frames in a row"
    what, fits = _WANTED[metric]
    asked = [each for each in segments if fits(each.peak)]
    if not asked:
        return f"no segment of {what} is labelled"
    names = sorted({name for each in asked for name in each.unmeasured})
    return f"not measured for long enough: {', '.join(names)}"


# -- smoothness ---------------------------------------------------------------------------


def second_difference(clip: FaceClip) -> float:
    """Mean |x[t+1] - 2 x[t] + x[t-1]| over measured blendshapes, per frame squared.

    REFA's Smoothness as it is described ("mean second difference"). Triples that hold a
    lost frame or a gap are left out. NaN without any triple. Less is smoother; the value
    falls with the square of the frame rate for one and the same motion.
    """
    return _second_difference(clip)[0]


def _second_difference(clip: FaceClip) -> tuple[float, int]:
    """The mean, and over how many triples of frames."""
    if len(clip) < 3:
        return math.nan, 0
    steps = np.diff(clip.times)
    whole = (steps <= 1.5 * clip.step) if math.isfinite(clip.step) else np.ones(len(steps), bool)
    bends = np.abs(np.diff(clip.values[:, :_SHAPES].astype(np.float64), n=2, axis=0))
    kept = bends[whole[1:] & whole[:-1]]
    known = ~np.isnan(kept)
    return (float(kept[known].mean()) if known.any() else math.nan), int(known.any(axis=1).sum())


# -- words --------------------------------------------------------------------------------


def _expression(name: str, found: Sequence[SegmentScore]) -> Expression:
    neutral = found[0].peak.neutral
    score = _score_of(each.rest if neutral else _number(each.passed) for each in found)
    held = _score_of(each.share for each in found if each.passed is not None)
    faults = Counter(text for each in found if each.passed is False for text in each.failed)
    fault = "".join(f"{text} ({count})" for text, count in faults.most_common(1))
    return Expression(name, score.value, score.n, len(found) - score.n, held.value, fault)


def _expression_cells(row: Expression) -> list[str]:
    counts = [str(row.n), str(row.unjudged)]
    return [row.name, _told(row.accuracy), *counts, _told(row.share), row.fault or "-"]


def _commonest(reasons: Iterable[str]) -> str:
    return Counter(reasons).most_common(1)[0][0]


def _cells(scores: Scores) -> list[str]:
    return [f"{_told(scores[name].value)} ({scores[name].n})" for name in METRICS]


def _told(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
