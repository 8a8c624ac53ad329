"""How well a mouth goes with what is said, where takes have an alignment.

An alignment and its sound begin with the reference's first frame. What stands in the reference
is the one yardstick for errors; contacts, rounding, onsets and stillness are judged by the
alignment, so that the reference can be judged by it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from semanticface.errors import BadInput
from semanticface.evaluation.result import Figure, Visemes
from semanticface.evaluation.summary import Sureness, figures_of, interval, within_bounds
from semanticface.metrics import speech_classes
from semanticface.metrics.clusters import by_key, together
from semanticface.metrics.ratio import Floats, ratio
from semanticface.metrics.speech import (
    Confusion,
    SpeechScores,
    SpeechSums,
    SpokenSpans,
    nearest_visemes,
    speech_scores,
    speech_sums,
)
from semanticface.rig import FaceClip
from semanticface.speech.alignments import WordsOnly, read_alignment
from semanticface.speech.audio import Recording
from semanticface.speech.contours import Contours, contours
from semanticface.speech.spans import class_spans, spoken_spans, viseme_spans

if TYPE_CHECKING:
    from semanticface.evaluation.ground import Run
    from semanticface.evaluation.items import Item

_COUNTED = {
    "mouth_mae": "values", "mouth_mse": "values", "closure_rate": "lips", "teeth_rate": "teeth",
    "rounding_rate": "rounds", "rounding_contrast": "rounds", "jaw_energy": "frames",
    "onset_lag": "onsets", "onset_spread": "onsets", "silence_motion": "still_steps",
}  # fmt: skip
"""What each figure rests on."""


VISEMES = "viseme_accuracy"
_APART = 1.0
"""Seconds between takes that are looked at as one."""


class _Speech(NamedTuple):
    spans: SpokenSpans
    voice: Contours | None
    sounds: list[tuple[str, float, float]]
    """(viseme, start, end)."""
    classes: list[tuple[str, float, float]]
    """(class of sound, start, end)."""


class _Seen(NamedTuple):
    """Sounds whose viseme was looked at, and those that came out nearest to their own."""

    sounds: Floats | float
    own: Floats | float


class Spoken(NamedTuple):
    """What is known of a source's speech."""

    figures: dict[str, Figure]
    visemes: Visemes | None = None


class _Take(NamedTuple):
    pred: FaceClip
    truth: FaceClip
    item: Item
    start: float
    """Seconds of the clips' clock at which the alignment begins."""


def of_sources(runs: Sequence[Run], sure: Sureness, *, same_start: bool) -> Spoken:
    """Of a source's takes, those that have an alignment."""
    takes, keys = [], []
    for run in runs:
        if run.paired is None or run.item.truth is None or run.item.alignment is None:
            continue
        start = 0.0 if same_start else float(run.item.truth.times[0])
        takes.append(_Take(run.paired.pred, run.paired.truth, run.item, start))
        keys.append(run.pairing.cluster)
    return _against_truth(takes, keys, sure)


def of_guesses(
    guesses: Sequence[FaceClip], items: Sequence[Item], keys: Sequence[str], sure: Sureness
) -> Spoken:
    """The same of a baseline's guess at each item."""
    told = [(_Take(guess, item.truth, item, float(item.truth.times[0])), key)
            for guess, item, key in zip(guesses, items, keys, strict=True)
            if item.truth is not None and item.alignment is not None]  # fmt: skip
    return _against_truth([take for take, _ in told], [key for _, key in told], sure)


def _against_truth(takes: Sequence[_Take], keys: Sequence[str], sure: Sureness) -> Spoken:
    sums = [_sums(each.pred, each.item, each.start, each.truth) for each in takes]
    seen = _seen_visemes(takes)
    figures = _figures(sums, keys, sure) | _own_visemes(seen, keys, sure)
    return Spoken(figures | _classes(takes, keys, sure), _confused(seen))


def of_reference(items: Sequence[Item], keys: Sequence[str], sure: Sureness) -> dict[str, Figure]:
    """The same of the references, without errors."""
    told = [(item, item.truth, key) for item, key in zip(items, keys, strict=True)
            if item.truth is not None and item.alignment is not None]  # fmt: skip
    own = [_Take(truth, truth, item, float(truth.times[0])) for item, truth, _ in told]
    sums = [_sums(each.pred, each.item, each.start, None) for each in own]
    named = [key for *_, key in told]
    return _figures(sums, named, sure) | _own_visemes(_seen_visemes(own), named, sure)


def _sums(clip: FaceClip, item: Item, start: float, truth: FaceClip | None) -> SpeechSums:
    speech, clock = _speech(str(item.alignment), str(item.sound or "")), clip.times - start
    loudness = None if speech.voice is None else speech.voice.at(speech.voice.loudness, clock)
    return speech_sums(clip.values, clock, speech.spans, loudness=loudness,
                       truth=None if truth is None else truth.values)  # fmt: skip


@cache
def _speech(alignment: str, sound: str) -> _Speech:
    timeline = read_alignment(Path(alignment))
    if isinstance(timeline, WordsOnly):
        raise BadInput("words without phones", "an alignment with phones", file=alignment,
                       hint="Make one: semanticface speak --save-alignment.")  # fmt: skip
    voice = contours(Recording(sound).blocks()) if sound else None
    return _Speech(spoken_spans(timeline), voice, viseme_spans(timeline), class_spans(timeline))


def _figures(sums: Sequence[SpeechSums], keys: Sequence[str], sure: Sureness) -> dict[str, Figure]:
    if not sums:
        return {}
    grouped = by_key(sums, keys)
    whole = together(grouped.sums)
    found = {}
    for name in SpeechScores._fields:

        def statistic(tree: SpeechSums, name: str = name) -> Floats:
            return np.asarray(getattr(speech_scores(tree), name), np.float64)

        if np.isfinite(statistic(whole)[0]):
            told = interval(grouped.sums, statistic, len(grouped.names), sure)
            count = float(np.sum(getattr(whole, _COUNTED[name])))
            found[name] = within_bounds(name, Figure.of(told, count))
    return found


def _seen_visemes(takes: Sequence[_Take]) -> list[list[tuple[str, str]]]:
    """Take by take each sound's viseme and the one it came out nearest to, by the means of the
    references of all takes; sounds that nothing was seen of are left out."""
    clocks = _one_after_another(takes)
    held = [_speech(str(each.item.alignment), str(each.item.sound or "")).sounds for each in takes]
    told = [[(name, start + zero, end + zero) for name, start, end in sounds
             if clock[0] <= (start + end) / 2 + zero <= clock[-1]]
            for sounds, (clock, zero) in zip(held, clocks, strict=True)]  # fmt: skip
    flat = [each for sounds in told for each in sounds]
    if not flat:
        return []
    seen = iter(nearest_visemes(
        np.concatenate([each.pred.values for each in takes]),
        np.concatenate([each.truth.values for each in takes]),
        np.concatenate([clock for clock, _ in clocks]), flat,
    ))  # fmt: skip
    return [[(said, name) for said, *_ in sounds if (name := next(seen))] for sounds in told]


def _own_visemes(
    seen: Sequence[Sequence[tuple[str, str]]], keys: Sequence[str], sure: Sureness
) -> dict[str, Figure]:
    """The share of sounds that look most like their own viseme."""
    count = sum(map(len, seen))
    if not count:
        return {}
    sums = [_Seen(float(len(pairs)), float(sum(said == name for said, name in pairs)))
            for pairs in seen]  # fmt: skip
    grouped = by_key(sums, keys)
    whole = interval(grouped.sums, lambda tree: ratio(tree.own, tree.sounds),
                     len(grouped.names), sure)  # fmt: skip
    return {VISEMES: within_bounds(VISEMES, Figure.of(whole, float(count)))}


def _confused(seen: Sequence[Sequence[tuple[str, str]]]) -> Visemes | None:
    found = Confusion.of(chain.from_iterable(seen))
    if not found.names:
        return None
    return Visemes(names=found.names, counts=tuple(map(tuple, found.counts.tolist())))


def _classes(takes: Sequence[_Take], keys: Sequence[str], sure: Sureness) -> dict[str, Figure]:
    """The mouth's error by class of sound, of classes that were said."""
    if not takes:
        return {}
    sums = [speech_classes.class_sums(
        each.pred.values, each.truth.values, each.pred.times - each.start,
        _speech(str(each.item.alignment), str(each.item.sound or "")).classes,
        speech_classes.CLASSES,
    ) for each in takes]  # fmt: skip
    grouped = by_key(sums, keys)
    found = interval(grouped.sums, lambda tree: speech_classes.class_errors(tree).mae,
                     len(grouped.names), sure)  # fmt: skip
    names = [row[0] for row in speech_classes.ROWS]
    counts = together(grouped.sums).values[0].tolist()
    return figures_of(names, found, dict(zip(names, counts, strict=True)))


def _one_after_another(takes: Sequence[_Take]) -> list[tuple[Floats, float]]:
    """Each take's times behind those of the take before, and where its alignment begins there."""
    clocks, now = [], 0.0
    for each in takes:
        times = np.asarray(each.pred.times, np.float64)
        moved = now - float(times[0])
        clocks.append((times + moved, each.start + moved))
        now = float(times[-1]) + moved + _APART
    return clocks
