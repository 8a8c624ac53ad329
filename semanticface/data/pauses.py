"""Silence put into spoken sentences: before, after and between their words.

    told = draw_pauses(timeline, rng)
    samples, timeline = paused(samples, timeline, told, rng)

A synthetic voice begins at once and speaks without a break; people wait, breathe and think, and
a mouth must be still meanwhile and start in time. Lengths are uniform: 0.5 to 1.5 s before and
after, 0.5 to 1.2 s at up to two ends of words. Sound fades over 10 ms at each cut, and a faint
noise, -70 to -60 dB of full scale, lies under all of it, so that a pause is no digital zero. The
sizes are this project's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from semanticface.speech.audio import RATE, Samples
from semanticface.speech.timeline import Timeline

_AROUND, _BETWEEN, _MOST = (0.5, 1.5), (0.5, 1.2), 2
_FADE = round(0.01 * RATE)
_NOISE = (-70.0, -60.0)


class Pause(NamedTuple):
    """Silence to be put in."""

    at: float
    """Seconds of the sound as it is."""
    seconds: float


def draw_pauses(timeline: Timeline, rng: np.random.Generator) -> tuple[Pause, ...]:
    """One before the words, none to two between them, one after."""
    ends = [one.end for one, other in pairwise(timeline.words) if other.end > one.end]
    count = min(int(rng.integers(0, _MOST + 1)), len(ends))
    between = (
        sorted(float(each) for each in rng.choice(ends, count, replace=False)) if count else []
    )
    first, last = (float(rng.uniform(*_AROUND)) for _ in range(2))
    return (Pause(0.0, first), *(Pause(at, float(rng.uniform(*_BETWEEN))) for at in between),
            Pause(timeline.seconds, last))  # fmt: skip


def paused(
    samples: Samples, timeline: Timeline, pauses: Sequence[Pause], rng: np.random.Generator
) -> tuple[Samples, Timeline]:
    """The sound and its words with the pauses in them; pauses in order."""
    sound = _opened(samples, pauses)
    noise = 10 ** (float(rng.uniform(*_NOISE)) / 20)
    sound = sound + noise * rng.standard_normal(len(sound)).astype(np.float32)

    def start(time: float) -> float:
        return time + sum(each.seconds for each in pauses if each.at <= time + 1e-9)

    def end(time: float) -> float:
        return time + sum(each.seconds for each in pauses if each.at < time - 1e-9)

    sounds = tuple(s._replace(start=start(s.start), end=end(s.end)) for s in timeline.sounds)
    words = tuple(w._replace(start=start(w.start), end=end(w.end)) for w in timeline.words)
    seconds = timeline.seconds + sum(each.seconds for each in pauses)
    told = replace(timeline, sounds=sounds, words=words, seconds=max(seconds, len(sound) / RATE))
    return np.clip(sound, -1, 1).astype(np.float32), told


def _opened(samples: Samples, pauses: Sequence[Pause]) -> Samples:
    """The sound with zeros at the pauses, faded at the cuts."""
    cuts = [min(round(each.at * RATE), len(samples)) for each in pauses]
    pieces: list[Samples] = []
    for (first, last), pause in zip(pairwise([0, *cuts]), pauses, strict=True):
        pieces += [_faded(samples[first:last]), np.zeros(round(pause.seconds * RATE), np.float32)]
    pieces.append(_faded(samples[cuts[-1] if cuts else 0 :]))
    return np.concatenate(pieces)


def _faded(piece: Samples) -> Samples:
    size = min(_FADE, len(piece) // 2)
    if not size:
        return piece
    ramp = np.ones(len(piece), np.float32)
    ramp[:size] = np.arange(size) / size
    ramp[-size:] = ramp[:size][::-1]
    return piece * ramp
