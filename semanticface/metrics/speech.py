"""How well a mouth goes with speech: contacts, rounding, jaw and voice, onsets, stillness.

What was said comes as spans of seconds, in any language and from any source: lips that must
meet (p, b, m), the lower lip that must touch the teeth (f, v), rounded sounds, other vowels,
silence. Sums add up over clips; `speech_scores` turns sums into rates, so that intervals by
sentence come from `statistics.cluster_bootstrap(sums, speech_scores)`.

Channels that were added to a clip (blinks, head) are not looked at: errors are taken over a
named mouth set only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.events import SHUT_BELOW, closed_spans, lip_gap
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.metrics.ratio import Floats, ratio
from semanticface.rig import COUNT, INDEX

Array = NDArray[np.floating[Any]]
Span = tuple[float, float]

TUCKED = 0.2
"""mouthRollLower from which the lower lip lies against the upper teeth."""
TEETH_GAP = 0.18
"""Lip gap up to which it can: a jaw further open takes the lip away from them."""
ROUNDED = 0.25
"""mouthPucker + mouthFunnel from which lips are seen as rounded."""
ONSET_WINDOW = 0.35
"""Seconds around the first sound in which the mouth's own start is looked for."""
ONSET_RISE = 0.05
"""Sum of changes over the mouth set by which a mouth has begun to move."""
LEAST_SILENCE = 0.3
STILL_EDGE = 0.2
"""Seconds at each end of a silence in which the mouth may still come to rest or get ready."""

_OWN = "this project"
ROWS: tuple[tuple[str, str, str, str, str], ...] = (
    ("mouth_mae", "weight", "lower", "mean absolute error over a named mouth set", "standard"),
    ("mouth_mse", "weight²", "lower", "mean squared error over a named mouth set", "standard"),
    ("closure_rate", "share", "higher", "p, b, m in which the lips close", _OWN),
    ("teeth_rate", "share", "higher", "f, v in which the lower lip meets the teeth", _OWN),
    ("rounding_rate", "share", "higher", "rounded sounds in which the lips are round", _OWN),
    (
        "rounding_contrast",
        "weight",
        "reference",
        "pucker + funnel, rounded less other vowels",
        _OWN,
    ),
    (
        "jaw_energy",
        "",
        "higher",
        "correlation of jawOpen and loudness while speaking",
        "Pearson 1895",
    ),
    ("onset_lag", "s", "zero", "mouth begins to move, after the first sound", _OWN),
    ("onset_spread", "s", "lower", "mean absolute onset lag", _OWN),
    ("silence_motion", "1/s", "lower", "mean |change| a second in silence", _OWN),
    ("viseme_accuracy", "share", "higher", "sounds nearest to their own viseme's mean", _OWN),
)


class SpokenSpans(NamedTuple):
    """What was said when; each a list of (start, end) in seconds."""

    lips: Sequence[Span] = ()
    teeth: Sequence[Span] = ()
    rounded: Sequence[Span] = ()
    plain: Sequence[Span] = ()
    """Vowels that are not rounded."""
    silent: Sequence[Span] = ()


class SpeechSums(NamedTuple):
    """Counts and sums that add up over clips."""

    values: Floats | float
    """Values compared."""
    absolute: Floats | float
    squared: Floats | float
    lips: Floats | float
    """Contacts of the lips that were seen (a frame was measured in them)."""
    closed: Floats | float
    teeth: Floats | float
    touched: Floats | float
    rounds: Floats | float
    round_enough: Floats | float
    roundness: Floats | float
    """Sum over rounded sounds of their mean pucker + funnel."""
    plains: Floats | float
    plain_roundness: Floats | float
    frames: Floats | float
    """Frames while speaking, with loudness and jaw; then the sums of their correlation."""
    jaw: Floats | float
    loud: Floats | float
    jaw_jaw: Floats | float
    loud_loud: Floats | float
    jaw_loud: Floats | float
    onsets: Floats | float
    lag: Floats | float
    absolute_lag: Floats | float
    still_steps: Floats | float
    """Seconds of silence between measured frames, edges left out, times channels."""
    motion: Floats | float
    """Sum of |change| in them."""


class SpeechScores(NamedTuple):
    """See `ROWS`; NaN where there was nothing to judge."""

    mouth_mae: Floats
    mouth_mse: Floats
    closure_rate: Floats
    teeth_rate: Floats
    rounding_rate: Floats
    rounding_contrast: Floats
    jaw_energy: Floats
    onset_lag: Floats
    onset_spread: Floats
    silence_motion: Floats


def speech_sums(
    pred: Array, times: Array, spans: SpokenSpans, *, truth: Array | None = None,
    loudness: Array | None = None, channels: Sequence[int] = MOUTH_31,
) -> SpeechSums:  # fmt: skip
    """Sums of one clip: pred [T, 61] at `times`, truth on the same times, loudness [T] in dB."""
    face, clock = _face(pred), np.asarray(times, np.float64)
    if len(face) != len(clock):
        raise BadInput(f"{len(face)} frames with {len(clock)} times", "one time a frame")
    columns = list(channels)
    lips = closed_spans(face, np.array(spans.lips).reshape(-1, 2), clock)
    teeth = np.array([touches(face, clock, span) for span in spans.teeth])
    rounds = np.array([_roundness(face, clock, span) for span in spans.rounded])
    plains = np.array([_roundness(face, clock, span)[1] for span in spans.plain])
    rounds = rounds.reshape(-1, 2)
    lags = onset_lags(face, clock, spans.silent, columns)
    return SpeechSums(
        *_errors(face, truth, columns),
        _known(lips), _total(lips), _known(teeth), _total(teeth),
        _known(rounds[:, 0]), _total((rounds[:, 0] >= ROUNDED - 1e-6) & ~np.isnan(rounds[:, 0])),
        _total(rounds[:, 1]), _known(plains), _total(plains),
        *_jaw_and_voice(face, clock, spans.silent, loudness),
        float(len(lags)), float(lags.sum()), float(np.abs(lags).sum()),
        *_stillness(face, clock, spans.silent, columns),
    )  # fmt: skip


def speech_scores(s: SpeechSums) -> SpeechScores:
    """Rates of sums, over all leading axes."""
    covariance = np.asarray(s.jaw_loud, float) - ratio(np.multiply(s.jaw, s.loud), s.frames)
    jaw = np.asarray(s.jaw_jaw, float) - ratio(np.square(s.jaw), s.frames)
    loud = np.asarray(s.loud_loud, float) - ratio(np.square(s.loud), s.frames)
    flat = ~((jaw > 1e-9) & (loud > 1e-9))
    spread = np.sqrt(np.where(flat, 1.0, jaw * loud))
    return SpeechScores(
        ratio(s.absolute, s.values), ratio(s.squared, s.values), ratio(s.closed, s.lips),
        ratio(s.touched, s.teeth), ratio(s.round_enough, s.rounds),
        ratio(s.roundness, s.rounds) - ratio(s.plain_roundness, s.plains),
        np.asarray(np.where(flat, np.nan, covariance / spread)),
        ratio(s.lag, s.onsets), ratio(s.absolute_lag, s.onsets),
        ratio(s.motion, s.still_steps),
    )  # fmt: skip


def touches(face: Floats, times: Floats, span: Span) -> float:
    """1 if in some frame of a span the lower lip meets the upper teeth, else 0; NaN unseen."""
    here = (times >= span[0]) & (times <= span[1])
    gap, tucked = lip_gap(face[here]), face[here, INDEX["mouthRollLower"]]
    known = ~(np.isnan(gap) | np.isnan(tucked))
    if not known.any():
        return float("nan")
    # Lips that are shut touch no teeth: the mouth of an m is no f.
    made = (tucked >= TUCKED) & (gap <= TEETH_GAP) & (gap > SHUT_BELOW)
    return float((made & known).any())


def onset_lags(
    face: Floats, times: Floats, silent: Sequence[Span], columns: Sequence[int]
) -> Floats:
    """For each silence that speech follows: when the mouth begins to move, less that moment.

    It has begun when it is `ONSET_RISE` away (summed over the channels) from where it stood
    at the start of the window. Silences at which it never does are left out.
    """
    lags = []
    end_of_clip = float(times[-1]) if len(times) else 0.0
    for start, end in silent:
        low = max(end - ONSET_WINDOW, start)
        if end - start < LEAST_SILENCE or end >= end_of_clip:
            continue
        here = np.flatnonzero((times >= low - 1e-9) & (times <= end + ONSET_WINDOW))
        if not len(here):
            continue
        away = np.nansum(np.abs(face[here][:, columns] - face[here[0], columns]), axis=1)
        begun = np.flatnonzero(away >= ONSET_RISE)
        if len(begun):
            lags.append(float(times[here[begun[0]]]) - end)
    return np.array(lags, np.float64)


class Confusion(NamedTuple):
    """Which viseme's mean a sound came out nearest to."""

    names: tuple[str, ...]
    counts: NDArray[np.int64]
    """[V, V]: said, seen."""

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Confusion:
        """Of (said, seen); nothing seen is left out."""
        counted = Counter((said, seen) for said, seen in pairs if seen)
        names = tuple(sorted({said for said, _ in counted}))
        counts = [[counted[said, seen] for seen in names] for said in names]
        return cls(names, np.array(counts, np.int64).reshape(len(names), len(names)))

    @property
    def accuracy(self) -> float:
        """Share of the sounds that are nearest to their own; NaN without sounds."""
        return float(ratio(np.trace(self.counts), self.counts.sum()))


def viseme_confusion(
    pred: Array, truth: Array, times: Array, sounds: Sequence[tuple[str, float, float]],
    *, channels: Sequence[int] = MOUTH_31,
) -> Confusion:  # fmt: skip
    """Each sound (viseme, start, end) by its middle half, against the truth's viseme means."""
    seen = nearest_visemes(pred, truth, times, sounds, channels=channels)
    return Confusion.of((said, name) for (said, _, _), name in zip(sounds, seen, strict=True))


def nearest_visemes(
    pred: Array, truth: Array, times: Array, sounds: Sequence[tuple[str, float, float]],
    *, channels: Sequence[int] = MOUTH_31,
) -> list[str]:  # fmt: skip
    """The viseme that each sound came out nearest to; empty where it was not measured."""
    p, y = _face(pred)[:, list(channels)], _face(truth)[:, list(channels)]
    clock = np.asarray(times, np.float64)
    ours = [_middle(p, clock, start, end) for _, start, end in sounds]
    theirs = [_middle(y, clock, start, end) for _, start, end in sounds]
    known = [not (np.isnan(a).any() or np.isnan(b).any())
             for a, b in zip(ours, theirs, strict=True)]  # fmt: skip
    rows: dict[str, list[Floats]] = {}
    for (name, _, _), there, own in zip(sounds, known, theirs, strict=True):
        if there:
            rows.setdefault(name, []).append(own)
    names = sorted(rows)
    means = np.array([np.mean(rows[name], axis=0) for name in names])
    return [names[int(np.square(means - own).sum(axis=1).argmin())] if there else ""
            for there, own in zip(known, ours, strict=True)]  # fmt: skip


def _middle(values: Floats, times: Floats, start: float, end: float) -> Floats:
    quarter = (end - start) / 4
    here = (times >= start + quarter) & (times <= end - quarter)
    if not here.any():
        here = np.zeros(len(times), np.bool_)
        here[int(np.abs(times - (start + end) / 2).argmin())] = len(times) > 0
    return np.asarray(values[here].mean(axis=0))


def _face(values: Array) -> Floats:
    face = np.asarray(values, np.float64)
    if face.ndim != 2 or face.shape[1] != COUNT:
        raise BadInput(f"values of shape {face.shape}", f"[frames, {COUNT}]")
    return face


def _errors(face: Floats, truth: Array | None, columns: list[int]) -> tuple[float, float, float]:
    if truth is None:
        return 0.0, 0.0, 0.0
    other = _face(truth)
    if other.shape != face.shape:
        raise BadInput(f"{len(face)} and {len(other)} frames", "one time grid")
    error = (face - other)[:, columns]
    known = error[~np.isnan(error)]
    return float(len(known)), float(np.abs(known).sum()), float(np.square(known).sum())


def _roundness(face: Floats, times: Floats, span: Span) -> tuple[float, float]:
    """The largest and the mean pucker + funnel of a span; NaN unseen."""
    here = (times >= span[0]) & (times <= span[1])
    level = face[here, INDEX["mouthPucker"]] + face[here, INDEX["mouthFunnel"]]
    known = level[~np.isnan(level)]
    return (float(known.max()), float(known.mean())) if len(known) else (np.nan, np.nan)


def _jaw_and_voice(
    face: Floats, times: Floats, silent: Sequence[Span], loudness: Array | None
) -> tuple[float, float, float, float, float, float]:
    if loudness is None:
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    loud = np.asarray(loudness, np.float64)
    if loud.shape != times.shape:
        raise BadInput(f"{len(loud)} values of loudness", f"{len(times)}, one a frame")
    speaking = np.ones(len(times), np.bool_)
    for start, end in silent:
        speaking &= ~((times >= start) & (times < end))
    jaw = face[:, INDEX["jawOpen"]]
    known = speaking & ~(np.isnan(jaw) | np.isnan(loud))
    x, y = jaw[known], loud[known]
    return (float(len(x)), float(x.sum()), float(y.sum()), float((x * x).sum()),
            float((y * y).sum()), float((x * y).sum()))  # fmt: skip


def _stillness(
    face: Floats, times: Floats, silent: Sequence[Span], columns: list[int]
) -> tuple[float, float]:
    seconds = motion = 0.0
    for start, end in silent:
        if end - start < LEAST_SILENCE:
            continue
        here = (times >= start + STILL_EDGE) & (times <= end - STILL_EDGE)
        change = np.abs(np.diff(face[here][:, columns], axis=0))
        known = ~np.isnan(change)
        seconds += float((known * np.diff(times[here])[:, None]).sum())
        motion += float(change[known].sum())
    return seconds, motion


def _known(values: Floats) -> float:
    return float((~np.isnan(values)).sum())


def _total(values: NDArray[Any]) -> float:
    return float(np.nansum(np.asarray(values, np.float64)))
