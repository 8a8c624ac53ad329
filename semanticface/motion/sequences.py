"""A random performance: a face that acts, talks, looks about and blinks over time.

    clip = sample_clip(20, rate=60, seed=7)

One person for the whole clip. Expressions rise, hold and fall; utterances come
between pauses as mouth shapes that flow into each other; eyes jump from one thing to
the next and lids follow; the head drifts and the eyes take its turning back. How
often and how long stands under `rhythm` in `tables/repertoire.yaml`, after the times
measured in real takes.

Everything is drawn in continuous time first and looked at frame by frame
afterwards: the same seed gives the same performance at any rate, and a longer clip
begins as a shorter one does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from semanticface.errors import BadInput
from semanticface.motion.anatomy import Moment, embody
from semanticface.motion.expressions import (
    compensated,
    lopsided,
    loudness,
    resting,
    smooth,
    station,
    strength,
)
from semanticface.motion.repertoire import SHAPES, Array, Repertoire, Spell, columns, repertoire
from semanticface.rig import ClipMeta, FaceClip

_ROUNDING = (*columns("mouthFunnel"), *columns("mouthPucker"))
"""Lips round early and stay round late: these spread over neighbouring sounds."""
_FADE = 0.12  # of an expression's strength lost while it is held
_FALLING = 0.25  # of a voice lost from the start of an utterance to its end
_BETWEEN_BLINKS = 0.35  # seconds of open eyes at least
_GLANCE_LONG = 0.6  # a glance is shorter than another look


class Shape(NamedTuple):
    """One rise, hold and fall: when it starts and how long each part takes, seconds."""

    start: float
    rise: float
    hold: float
    fall: float


def sample_clip(seconds: float, rate: float = 30.0, seed: int = 0) -> FaceClip:
    """A random performance of `seconds` at `rate` frames a second, from time zero."""
    if not (np.isfinite(seconds) and seconds > 0):
        raise BadInput(f"{seconds} seconds", "a length above zero")
    if not (np.isfinite(rate) and 0 < rate <= 1000):
        raise BadInput(f"a rate of {rate}", "frames a second, above 0 and up to 1000")
    times = np.arange(max(1, round(seconds * rate))) / rate
    moment = _perform(times, seed, repertoire())
    meta = ClipMeta(source="sampled performance", subject=f"sampled {seed}",
                    notes={"seed": seed, "rate": rate})  # fmt: skip
    return FaceClip.of(embody(moment, repertoire()), times, meta=meta)


def _perform(times: Array, seed: int, table: Repertoire) -> Moment:
    """Every part from a random stream of its own, so that none shifts another."""
    person, mood, voice, eyes, lids, neck, skin = (
        np.random.default_rng((seed, part)) for part in range(7)
    )
    habits, rhythm = table.habits, table.rhythm
    drives = _expressions(times, mood, table) + _speech(times, voice, table)
    drives *= lopsided(person, 1, habits)
    drives += habits.quiver * np.abs(_wandering(times, skin, rhythm.quiver_seconds, SHAPES))
    head = _wandering(times, neck, rhythm.head_seconds, 3)
    head *= (habits.head_yaw, habits.head_pitch, habits.head_roll)
    aside, up = compensated(*_looking(times, person, eyes, table), head, table)
    rest = resting(person, 1, table)[0]
    return Moment(rest, drives, aside, up, _blinking(times, lids, table), head)


def envelope(times: Array, shape: Shape, fade: float = 0.0) -> Array:
    """Zero, a smooth rise to one, a hold that loses `fade`, a smooth fall to zero."""
    begun = times - shape.start
    rise = smooth(np.clip(begun / shape.rise, 0, 1))
    left = shape.rise + shape.hold + shape.fall - begun
    fall = smooth(np.clip(left / shape.fall, 0, 1))
    held = np.clip((begun - shape.rise) / max(shape.hold, 1e-6), 0, 1)
    return np.asarray(np.minimum(rise, fall) * (1 - fade * held))


def _lasting(rng: np.random.Generator, spell: Spell) -> float:
    """A time in seconds around its median."""
    return float(spell[0] * np.exp(spell[1] * rng.standard_normal()))


def _lasting_shape(rng: np.random.Generator, start: float, parts: tuple[Spell, ...]) -> Shape:
    return Shape(start, *(_lasting(rng, spell) for spell in parts))


def _arrivals(rng: np.random.Generator, per_minute: float, end: float) -> Iterator[float]:
    """Starts of things that come by chance, from a little before zero."""
    at = -2.0 + rng.exponential(60 / per_minute)
    while at < end:
        yield at
        at += rng.exponential(60 / per_minute)


def _expressions(times: Array, rng: np.random.Generator, table: Repertoire) -> Array:
    rhythm, poses = table.rhythm, table.expressions
    drives = np.zeros((len(times), SHAPES))
    for start in _arrivals(rng, rhythm.expressions_per_minute, times[-1]):
        pose = poses.drives[rng.choice(len(poses.names), p=poses.shares)]
        level = strength(rng, 1, table.habits) * lopsided(rng, 1, table.habits)[0]
        shape = _lasting_shape(rng, start, (rhythm.onset, rhythm.hold, rhythm.offset))
        drives += envelope(times, shape, _FADE)[:, None] * (pose * level)
    return drives


def _speech(times: Array, rng: np.random.Generator, table: Repertoire) -> Array:
    """Utterances between pauses, as drives [T, 52]."""
    drives = np.zeros((len(times), SHAPES))
    at = _lasting(rng, table.rhythm.pause) - table.rhythm.pause[0]
    while at < times[-1]:
        keys, shapes = _utterance(rng, at, table)
        here = (times >= keys[0]) & (times <= keys[-1])
        drives[here] += _between(times[here], keys, shapes)
        at = keys[-1] + _lasting(rng, table.rhythm.pause)
    return drives


def _utterance(rng: np.random.Generator, start: float, table: Repertoire) -> tuple[Array, Array]:
    """Times [K] and mouth shapes [K, 52] of one utterance, silent at both ends."""
    wanted, keys, sounds = start + _lasting(rng, table.rhythm.utterance), [start], []
    voice = loudness(rng, 1)[0]
    while keys[-1] < wanted or len(keys) < 3:
        keys.append(keys[-1] + _lasting(rng, table.rhythm.viseme))
        sounds.append(_sound(rng, table, vowel=len(keys) % 2 == 0))
    shapes = np.zeros((len(keys), SHAPES))
    shapes[1:-1] = table.visemes.drives[sounds[:-1]]
    stress = rng.lognormal(0, 0.25, len(keys)) * np.linspace(1, 1 - _FALLING, len(keys))
    shapes *= (voice * stress)[:, None]
    return np.array(keys), _coarticulated(shapes)


def _sound(rng: np.random.Generator, table: Repertoire, vowel: bool) -> int:
    """A vowel or a consonant, as often as the table has it."""
    poses = table.visemes
    kind = np.isin(np.arange(len(poses.names)), table.vowels) == vowel
    shares = poses.shares * kind
    return int(rng.choice(len(poses.names), p=shares / shares.sum()))


def _coarticulated(shapes: Array) -> Array:
    """Rounded lips reach into the sounds before and after; ends stay silent."""
    mixed = shapes.copy()
    for column in _ROUNDING:
        line = shapes[:, column]
        mixed[1:-1, column] = 0.5 * line[1:-1] + 0.25 * (line[:-2] + line[2:])
    return mixed


def _between(times: Array, keys: Array, values: Array) -> Array:
    """Values [K, ...] at keys [K], flowing smoothly from one to the next."""
    after = np.clip(np.searchsorted(keys, times, side="right"), 1, len(keys) - 1)
    way = smooth(np.clip((times - keys[after - 1]) / (keys[after] - keys[after - 1]), 0, 1))
    return np.asarray(values[after - 1] + way[:, None] * (values[after] - values[after - 1]))


def _wandering(times: Array, rng: np.random.Generator, step: float, width: int) -> Array:
    """Slow noise [T, width] of unit size that turns about every `step` seconds."""
    count = int(np.ceil(times[-1] / step)) + 2
    return _between(
        times, step * np.arange(count, dtype=np.float64), rng.standard_normal((count, width))
    )


def _looking(
    times: Array, person: np.random.Generator, rng: np.random.Generator, table: Repertoire
) -> tuple[Array, Array]:
    """Gaze aside and up [T]: still, then a quick jump to the next place."""
    eyes, home = table.eyes, np.stack(station(person, 1, table), axis=1)[0]
    starts, places = [-eyes.drift], [home]
    while starts[-1] < times[-1]:
        glances = rng.random() < eyes.glance_share
        reach = (eyes.glance_aside, eyes.glance_up) if glances else (eyes.drift, eyes.drift)
        places.append(home + rng.standard_normal(2) * reach)
        stay = _lasting(rng, table.rhythm.fixation) * (_GLANCE_LONG if glances else 1.0)
        starts.append(starts[-1] + stay + 0.1)
    at = np.clip(np.searchsorted(starts, times, side="right") - 1, 1, len(starts) - 1)
    way = smooth(np.clip((times - np.array(starts)[at]) / table.rhythm.saccade, 0, 1))[:, None]
    seen = np.array(places)
    gaze = seen[at - 1] + way * (seen[at] - seen[at - 1])
    return gaze[:, 0], gaze[:, 1]


def _blinking(times: Array, rng: np.random.Generator, table: Repertoire) -> Array:
    """Closure of both lids [T, 2] by blinks: quick to shut, slower to open."""
    rhythm = table.rhythm
    closure, open_from = np.zeros(len(times)), -np.inf
    for start in _arrivals(rng, rhythm.blinks_per_minute, times[-1]):
        parts = (rhythm.blink_closing, rhythm.blink_shut, rhythm.blink_opening)
        shape = _lasting_shape(rng, start, parts)
        depth = rng.uniform(0.75, 1.0)
        if start < open_from + _BETWEEN_BLINKS:
            continue
        open_from = start + shape.rise + shape.hold + shape.fall
        np.maximum(closure, depth * envelope(times, shape), out=closure)
    return np.repeat(closure[:, None], 2, axis=1)
