"""Answers that may stand in a pair, and where they come from.

    one = Candidate.of("base model", values)                      # 61 numbers, or [T, 61]
    two, three = sampled([("adapter t=0.7 seed=1", text), ...])   # whatever a model wrote
    four = from_file("take.csv", source="live link", at=2.5)      # any file formats read
    five = perturbed(one, Perturbation("gain", "mouth", 0.5))     # a known fault

Sampling from an endpoint or a run folder is an iterable of (source, text): the caller
chooses temperature, number and seeds and says so in `source`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput
from semanticface.language.answer_format import AnswerFormat
from semanticface.language.answers import DEFAULT
from semanticface.preference.regions import Values, differs_only_in, with_region
from semanticface.rig import COUNT, FaceClip

Times = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Candidate:
    """One answer: numbers over time (one row for a still), and who gave it."""

    source: str
    values: Values
    """[T, 61], NaN where the answer says nothing."""
    times: Times
    """[T] seconds from zero."""
    text: str | None = None
    """What the model wrote, where a model wrote it."""

    def __post_init__(self) -> None:
        values = np.atleast_2d(np.asarray(self.values, np.float32))
        times = np.atleast_1d(np.asarray(self.times, np.float64))
        if values.ndim != 2 or values.shape[1] != COUNT or len(values) != len(times):
            raise BadInput(f"values of shape {values.shape} at {len(times)} times",
                           f"[frames, {COUNT}] and a time a frame")  # fmt: skip
        if not len(values) or np.isnan(values).all() or np.isinf(values).any():
            raise BadInput(f"no usable number from '{self.source}'", "an answer to look at")
        if (np.diff(times) <= 0).any() or not np.isfinite(times).all():
            raise BadInput("times that do not rise", "seconds from zero, rising")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "times", times - times[0])

    @classmethod
    def of(
        cls, source: str, values: ArrayLike, times: ArrayLike | None = None, *,
        rate: float = 30.0, text: str | None = None,
    ) -> Candidate:  # fmt: skip
        """From 61 numbers or [T, 61]; without times, `rate` frames a second."""
        table = np.atleast_2d(np.asarray(values, np.float32))
        stamps = np.arange(len(table)) / rate if times is None else np.asarray(times, np.float64)
        return cls(source, table, stamps, text)

    @property
    def still(self) -> bool:
        """One frame only."""
        return len(self.values) == 1

    @property
    def digest(self) -> str:
        """Hash of numbers and times: the same motion has the same one, whoever gave it."""
        told = hashlib.sha256(self.values.astype("<f4").tobytes())
        told.update(self.times.astype("<f8").tobytes())
        return told.hexdigest()

    @property
    def drawable(self) -> Values:
        """[T, 61] with what is missing at rest (0): only for pictures, never for scores."""
        return np.nan_to_num(self.values, nan=0.0)

    @property
    def missing(self) -> int:
        """How many numbers the answer leaves out; they are drawn at rest."""
        return int(np.isnan(self.values).sum())

    def with_region_of(self, other: Candidate, region: str) -> Candidate:
        """This answer with one region of another; no text, for nobody wrote that."""
        if not np.array_equal(self.times, other.times):
            raise BadInput(f"answers of {len(self.times)} and {len(other.times)} frames at other "
                           "times", "the same times in both", hint="See on_times_of.")  # fmt: skip
        return Candidate(other.source, with_region(self.values, other.values, region), self.times)

    def on_times_of(self, other: Candidate) -> Candidate:
        """The same motion at another answer's times; NaN where this one has nothing."""
        from semanticface.motion.resample import resample

        if np.array_equal(self.times, other.times):
            return self
        clip = resample(FaceClip.of(self.values, self.times), other.times)
        return Candidate(self.source, clip.values, other.times)


def regional_pair(base: Candidate, one: Candidate, other: Candidate, region: str) -> Duel:
    """Two answers that differ in one region only; elsewhere both are `base`."""
    return Duel(base.with_region_of(one, region), base.with_region_of(other, region), region)


class Duel(NamedTuple):
    """Two candidates for one item, judged in one region."""

    one: Candidate
    other: Candidate
    region: str

    @property
    def fair(self) -> bool:
        """Whether they differ in the region, and only there."""
        same_times = np.array_equal(self.one.times, self.other.times)
        return same_times and self.one.digest != self.other.digest and differs_only_in(
            self.one.values, self.other.values, self.region
        )  # fmt: skip


class Unread(NamedTuple):
    """An answer whose text gave no number."""

    source: str
    why: str


class Sampled(NamedTuple):
    """What a batch of answers gave."""

    candidates: tuple[Candidate, ...]
    unread: tuple[Unread, ...]


def sampled(answers: Iterable[tuple[str, str]], form: AnswerFormat = DEFAULT) -> Sampled:
    """Candidates from (source, text); what could not be read is told, not dropped in silence."""
    from semanticface.language.parse import parse_answer

    found, unread = [], []
    for source, text in answers:
        read = parse_answer(text, form)
        if read.report.outcome == "failed" or np.isnan(read.values).all():
            unread.append(Unread(source, "; ".join(read.report.notes) or "no value read"))
        else:
            found.append(Candidate.of(source, read.values, text=text))
    return Sampled(tuple(found), tuple(unread))


def from_file(
    path: str | Path, *, source: str, at: float | None = None, **options: Any
) -> Candidate:
    """A candidate from any file that formats read: the whole clip, or the frame `at` seconds."""
    from semanticface.formats import read

    clip = read(path, **options).from_zero()
    if at is not None:
        from semanticface.render.timeline import face_at

        values = np.where(clip.present, face_at(clip, at), np.nan)
        return Candidate.of(source, values)
    return Candidate(source, clip.values, clip.times)


def unlike(
    candidates: Iterable[Candidate], known: Mapping[str, Candidate] | None = None
) -> tuple[Candidate, ...]:
    """The candidates whose motion nobody gave before, in order; the first of equals stays."""
    seen = set(known or ())
    kept = []
    for each in candidates:
        if each.digest not in seen:
            seen.add(each.digest)
            kept.append(each)
    return tuple(kept)
