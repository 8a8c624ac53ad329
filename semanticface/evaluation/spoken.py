"""How well a mouth goes with what is said, where takes have an alignment.

An alignment and its sound begin with the reference's first frame. What stands in the reference
is the one yardstick for errors; contacts, rounding, onsets and stillness are judged by the
alignment, so that the reference can be judged by it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from semanticface.errors import BadInput
from semanticface.evaluation.result import Figure
from semanticface.evaluation.summary import Sureness, interval, within_bounds
from semanticface.metrics.clusters import by_key, together
from semanticface.metrics.ratio import Floats
from semanticface.metrics.speech import (
    SpeechScores,
    SpeechSums,
    SpokenSpans,
    speech_scores,
    speech_sums,
)
from semanticface.rig import FaceClip
from semanticface.speech.alignments import WordsOnly, read_alignment
from semanticface.speech.audio import Recording
from semanticface.speech.contours import Contours, contours
from semanticface.speech.spans import spoken_spans

if TYPE_CHECKING:
    from semanticface.evaluation.ground import Run
    from semanticface.evaluation.items import Item

_COUNTED = {
    "mouth_mae": "values", "mouth_mse": "values", "closure_rate": "lips", "teeth_rate": "teeth",
    "rounding_rate": "rounds", "rounding_contrast": "rounds", "jaw_energy": "frames",
    "onset_lag": "onsets", "onset_spread": "onsets", "silence_motion": "still_steps",
}  # fmt: skip
"""What each figure rests on."""


class _Speech(NamedTuple):
    spans: SpokenSpans
    voice: Contours | None


def of_sources(runs: Sequence[Run], sure: Sureness, *, same_start: bool) -> dict[str, Figure]:
    """The figures of a source's takes, of those that have an alignment."""
    sums, keys = [], []
    for run in runs:
        if run.paired is None or run.item.truth is None or run.item.alignment is None:
            continue
        start = 0.0 if same_start else float(run.item.truth.times[0])
        sums.append(_sums(run.paired.pred, run.item, start, run.paired.truth))
        keys.append(run.pairing.cluster)
    return _figures(sums, keys, sure)


def of_reference(items: Sequence[Item], keys: Sequence[str], sure: Sureness) -> dict[str, Figure]:
    """The same of the references, without errors."""
    told = [(item, item.truth, key) for item, key in zip(items, keys, strict=True)
            if item.truth is not None and item.alignment is not None]  # fmt: skip
    sums = [_sums(truth, item, float(truth.times[0]), None) for item, truth, _ in told]
    return _figures(sums, [key for *_, key in told], sure)


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
    return _Speech(spoken_spans(timeline), voice)


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
