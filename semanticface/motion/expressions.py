"""Random faces that look like life, one frame each.

    values = sample_frames(20_000, seed=7)                  # as often as in takes
    values = sample_frames(20_000, seed=7, coverage=0.3)    # rare movements often

Each frame is another person at another moment: at rest, on the way into or out of
an expression, between two mouth shapes of speech, glancing somewhere, blinking.
Shares, strengths and poses stand in `tables/repertoire.yaml`.

The same seed gives the same bytes, and frame i does not depend on how many frames
were asked for: frames come in blocks with random streams of their own.
"""

from __future__ import annotations

import numpy as np

from semanticface.errors import BadInput
from semanticface.motion.anatomy import Moment, Values, embody
from semanticface.motion.repertoire import SHAPES, Array, Habits, Poses, Repertoire, repertoire
from semanticface.rig import BLENDSHAPES, COUNT, INDEX

BLOCK = 1024
_LEFT = np.array([each.index for each in BLENDSHAPES if each.side == "left"])
_RIGHT = np.array([INDEX[BLENDSHAPES[i].mirror] for i in _LEFT])
_RARE_LEVEL = (0.15, 1.1)
_BESIDE_RARE = 0.5
"""How much of everything else stays where `coverage` puts a rare movement."""


def sample_frames(count: int, seed: int, *, coverage: float = 0.0) -> Values:
    """Random faces [count, 61], float32, in table order.

    `coverage` is the share of frames, 0 to 1, that also show a movement which life
    shows too seldom to be learnt from (mouth and jaw aside, rolled lips, tongue,
    blown cheeks and others, at any strength).
    """
    if count < 0:
        raise BadInput(f"count {count}", "zero or more frames")
    if not 0 <= coverage <= 1:
        raise BadInput(f"coverage {coverage}", "a share from 0 to 1")
    table = repertoire()
    blocks = [
        _block(np.random.default_rng((seed, block)), table, coverage)
        for block in range(-(-count // BLOCK))
    ]
    return np.concatenate(blocks)[:count] if blocks else np.zeros((0, COUNT), np.float32)


def _block(rng: np.random.Generator, table: Repertoire, coverage: float) -> Values:
    habits = table.habits
    drives = expression_drives(rng, BLOCK, table) + _speech_drives(rng, BLOCK, table)
    drives = _with_rare(rng, drives, table.rare, coverage)
    drives *= lopsided(rng, BLOCK, habits)
    drives += habits.quiver * np.abs(rng.standard_normal(drives.shape))
    head = rng.standard_normal((BLOCK, 3)) * (habits.head_yaw, habits.head_pitch, habits.head_roll)
    aside, up = _gaze(rng, BLOCK, table)
    aside, up = compensated(aside, up, head, table)
    blink = _blinks(rng, BLOCK, habits)
    return embody(Moment(resting(rng, BLOCK, table), drives, aside, up, blink, head), table)


def resting(rng: np.random.Generator, count: int, table: Repertoire) -> Array:
    """Resting faces [count, 52] of `count` people, both sides nearly alike."""
    spread = rng.standard_normal((count, SHAPES))
    spread[:, _RIGHT] = 0.95 * spread[:, _LEFT] + 0.3 * spread[:, _RIGHT]
    return np.maximum(table.rest + table.rest_spread * spread, 0)


def expression_drives(rng: np.random.Generator, count: int, table: Repertoire) -> Array:
    """Drives [count, 52] of none, one or two expressions each."""
    habits, poses = table.habits, table.expressions
    drives = np.zeros((count, SHAPES))
    first = rng.random(count) < habits.expression_share
    second = first & (rng.random(count) < habits.second_share)
    for shows in (first, second):
        chosen = rng.choice(len(poses.names), count, p=poses.shares)
        level = strength(rng, count, habits) * _phase(rng, count, habits.hold_share)
        drives += poses.drives[chosen] * (level * shows)[:, None]
    return drives


def strength(rng: np.random.Generator, count: int, habits: Habits) -> Array:
    """How strongly expressions are meant [count]: 1 is clear, extremes reach 1.25."""
    level = 0.15 + 0.95 * rng.random(count) ** habits.subtle
    extreme = rng.random(count) < habits.extreme_share
    return np.asarray(np.where(extreme, rng.uniform(1.0, 1.25, count), level))


def _phase(rng: np.random.Generator, count: int, hold_share: float) -> Array:
    """How far an expression has come, 0 to 1: held at its height or on the way."""
    way = rng.random(count)
    return np.asarray(np.where(rng.random(count) < hold_share, 1.0, smooth(way)))


def smooth(way: Array) -> Array:
    """A ramp 0 to 1 that starts and ends without a jerk."""
    return np.asarray(way * way * (3 - 2 * way))


def _speech_drives(rng: np.random.Generator, count: int, table: Repertoire) -> Array:
    """Drives [count, 52] of mouths somewhere between two visemes, where they talk."""
    poses = table.visemes
    first, second = rng.choice(len(poses.names), (2, count), p=poses.shares)
    way = smooth(rng.random(count))[:, None]
    voice = loudness(rng, count) * (rng.random(count) < table.habits.talk_share)
    mixed = (1 - way) * poses.drives[first] + way * poses.drives[second]
    return np.asarray(mixed * voice[:, None])


def loudness(rng: np.random.Generator, count: int) -> Array:
    """How widely a voice moves its mouth: mumbling about 0.5, shouting about 1.8."""
    return np.asarray(np.clip(rng.lognormal(0.0, 0.4, count), 0.4, 2.0))


def _with_rare(rng: np.random.Generator, drives: Array, rare: Poses, coverage: float) -> Array:
    """Rare movements on top of quieter others, in a share of the frames."""
    shows = rng.random(len(drives)) < coverage
    chosen = rng.choice(len(rare.names), len(drives), p=rare.shares)
    level = rng.uniform(*_RARE_LEVEL, len(drives)) * shows
    quieter = np.where(shows, _BESIDE_RARE, 1.0)
    return np.asarray(drives * quieter[:, None] + rare.drives[chosen] * level[:, None])


def lopsided(rng: np.random.Generator, count: int, habits: Habits) -> Array:
    """Factors [count, 52]: sides differ a little always, and now and then a lot."""
    lean = 1 + habits.asymmetry * rng.standard_normal((count, SHAPES))
    factor = np.ones((count, SHAPES))
    factor[:, _LEFT] = lean[:, _LEFT]
    factor[:, _RIGHT] = 2 - lean[:, _LEFT]
    weaker = np.where(rng.random(count) < 0.5, 0, 1)
    fades = np.where(rng.random(count) < habits.one_sided_share, rng.random(count) * 0.7, 1.0)
    factor[:, _LEFT] *= np.where(weaker == 0, fades, 1.0)[:, None]
    factor[:, _RIGHT] *= np.where(weaker == 1, fades, 1.0)[:, None]
    return np.maximum(factor, 0)


def _gaze(rng: np.random.Generator, count: int, table: Repertoire) -> tuple[Array, Array]:
    """Where eyes look, in weights [count]: aside (subject's right) and up."""
    eyes = table.eyes
    aside, up = station(rng, count, table)
    glances = rng.random(count) < eyes.glance_share
    aside += np.where(glances, eyes.glance_aside, eyes.drift) * rng.standard_normal(count)
    up += np.where(glances, eyes.glance_up, eyes.drift) * rng.standard_normal(count)
    return aside, up


def station(rng: np.random.Generator, count: int, table: Repertoire) -> tuple[Array, Array]:
    """Where people look when at ease [count]: at, above or below the camera."""
    shares, up, spread = np.array(table.eyes.stations).T
    chosen = rng.choice(len(shares), count, p=shares / shares.sum())
    aside = table.eyes.aside_spread * rng.standard_normal(count)
    return aside, up[chosen] + spread[chosen] * rng.standard_normal(count)


def compensated(aside: Array, up: Array, head: Array, table: Repertoire) -> tuple[Array, Array]:
    """Gaze that stays where it was while the head turns: eyes turn back the other way."""
    share = table.habits.gaze_compensation
    return (
        aside + share * head[:, 0] / table.eyes.yaw_per_weight,
        up - share * head[:, 1] / table.eyes.pitch_per_weight,
    )


def _blinks(rng: np.random.Generator, count: int, habits: Habits) -> Array:
    """Lid closure [count, 2], the same on both sides; winks are expressions."""
    closure = smooth(rng.random(count)) * 0.97
    blinks = rng.random(count) < habits.blink_share
    return np.repeat((closure * blinks)[:, None], 2, axis=1)
