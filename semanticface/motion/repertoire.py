"""The tables of what a face does, read once and checked.

`tables/repertoire.yaml` holds every number: the resting face, which movement brings
which other along, expressions, mouth shapes of speech, lids and gaze, how often and
how long. This module turns names into columns of the channel table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Any, NamedTuple, TypeVar

import numpy as np
import yaml
from numpy.typing import NDArray

from semanticface.errors import BadInput, did_you_mean
from semanticface.rig import BLENDSHAPES, CHANNELS, COUNT

Array = NDArray[np.float64]
Spell = tuple[float, float]
"""Median of a time in seconds, and the spread of its logarithm."""

TABLE = "tables/repertoire.yaml"
SHAPES = len(BLENDSHAPES)


class Poses(NamedTuple):
    """Named sets of drives: `drives` [K, 52], `shares` [K] that sum to one."""

    names: tuple[str, ...]
    shares: Array
    drives: Array


class Yielding(NamedTuple):
    """Movement `gives` loses `amount` times what `holds` has, side by side."""

    holds: tuple[int, ...]
    gives: tuple[int, ...]
    amount: float


@dataclass(frozen=True)
class Eyes:
    """How lids and eyeballs follow the gaze; radians where the name says nothing else.

    `up` is eyeLookUp minus eyeLookDown, `aside` the same to the subject's right.
    """

    yaw_per_weight: float
    yaw_rest: float
    pitch_per_weight: float
    roll: float
    convergence: float
    lid_follows_down: float
    wide_at_rest: float
    wide_follows_up: float
    squint_at_rest: float
    squint_follows_up: float
    blink_turns_to: float
    stations: tuple[tuple[float, float, float], ...]
    aside_spread: float
    glance_share: float
    glance_aside: float
    glance_up: float
    drift: float


@dataclass(frozen=True)
class Habits:
    """How often something shows in a random frame, and how strongly."""

    expression_share: float
    second_share: float
    talk_share: float
    hold_share: float
    subtle: float
    extreme_share: float
    asymmetry: float
    one_sided_share: float
    blink_share: float
    quiver: float
    head_yaw: float
    head_pitch: float
    head_roll: float
    gaze_compensation: float


@dataclass(frozen=True)
class Rhythm:
    """How long things take in a performance, in seconds, and how often they come."""

    expressions_per_minute: float
    onset: Spell
    hold: Spell
    offset: Spell
    utterance: Spell
    pause: Spell
    viseme: Spell
    fixation: Spell
    saccade: float
    blinks_per_minute: float
    blink_closing: Spell
    blink_shut: Spell
    blink_opening: Spell
    head_seconds: float
    quiver_seconds: float


@dataclass(frozen=True)
class Repertoire:
    """Everything in the table, by column of the channel table's 52 blendshapes."""

    rest: Array
    rest_spread: Array
    coupling: Array
    """[52, 52]: drives @ coupling is the face that they make, rest left out."""
    yielding: tuple[Yielding, ...]
    expressions: Poses
    visemes: Poses
    vowels: tuple[int, ...]
    """Which of the visemes carry a syllable."""
    rare: Poses
    eyes: Eyes
    habits: Habits
    rhythm: Rhythm


@cache
def repertoire() -> Repertoire:
    """The package's own table."""
    text = resources.files("semanticface.motion").joinpath(TABLE).read_text(encoding="utf-8")
    return from_table(yaml.safe_load(text))


def from_table(table: Mapping[str, Any]) -> Repertoire:
    """A repertoire from the parsed YAML; BadInput names what does not fit."""
    _only({each.name for each in fields(Repertoire)} - {"rest_spread", "coupling"} | {"couplings"},
          table, "the table")  # fmt: skip
    rest = np.array([table["rest"].get(name, (0.0, 0.0)) for name in _base_names(table["rest"])])
    return Repertoire(
        rest=rest[:, 0],
        rest_spread=rest[:, 1],
        coupling=_coupling(table["couplings"]),
        yielding=tuple(Yielding(*_paired(a, b), float(by)) for a, b, by in table["yielding"]),
        expressions=_poses(table["expressions"]),
        visemes=_poses(table["visemes"]),
        vowels=tuple(list(table["visemes"]).index(name) for name in table["vowels"]),
        rare=_poses(table["rare"]),
        eyes=_filled(Eyes, table["eyes"]),
        habits=_filled(Habits, table["habits"]),
        rhythm=_filled(Rhythm, table["rhythm"]),
    )


def columns(name: str) -> tuple[int, ...]:
    """Columns of a channel, or of both sides of a movement named without its side."""
    found = tuple(each.index for each in BLENDSHAPES if name in (each.name, each.movement))
    if not found:
        known = {each.movement for each in CHANNELS} | {each.name for each in BLENDSHAPES}
        raise BadInput(f"'{name}' in {TABLE}", "a channel or a movement",
                       hint=did_you_mean(name, known))  # fmt: skip
    return found


def _base_names(rest: Mapping[str, Any]) -> list[str]:
    for name in rest:
        columns(name)
    return [each.name if each.name in rest else each.movement for each in BLENDSHAPES]


def _paired(one: str, other: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Columns of two movements that meet side by side; a middle one meets both sides."""
    here, there = columns(one), columns(other)
    if len(here) == len(there):
        return here, there
    if len(here) == 1:
        return here * len(there), there
    return here, there * len(here)


def _coupling(table: Mapping[str, Mapping[str, float]]) -> Array:
    """Direct couplings [52, 52] summed over every chain: inverse of (1 - direct)."""
    direct = np.zeros((SHAPES, SHAPES))
    for child, parents in table.items():
        for parent, amount in parents.items():
            here, there = _paired(parent, child)
            share = 1.0 / (len(here) // len(set(there)))  # two sides move one middle by halves
            for source, target in zip(here, there, strict=True):
                direct[source, target] += amount * share
    if np.linalg.matrix_power((direct != 0).astype(float), SHAPES).any():
        raise BadInput(f"couplings in a circle in {TABLE}", "couplings that lead one way")
    return np.asarray(np.linalg.inv(np.eye(SHAPES) - direct))


def _poses(table: Mapping[str, Any]) -> Poses:
    shares = np.array([float(share) for share, _ in table.values()])
    drives = np.zeros((len(table), SHAPES))
    for row, (_, wanted) in enumerate(table.values()):
        for name, amount in wanted.items():
            drives[row, list(columns(name))] = amount
    return Poses(tuple(table), shares / shares.sum(), drives)


Block = TypeVar("Block", Eyes, Habits, Rhythm)


def _filled(kind: type[Block], table: Mapping[str, Any]) -> Block:
    _only({each.name for each in fields(kind)}, table, f"'{kind.__name__.lower()}'")
    return kind(**{name: _tupled(value) for name, value in table.items()})


def _tupled(value: Any) -> Any:
    return tuple(_tupled(each) for each in value) if isinstance(value, list) else float(value)


def _only(expected: set[str], table: Mapping[str, Any], where: str) -> None:
    if set(table) != expected:
        stray = sorted(set(table) ^ expected)
        raise BadInput(f"{where} of {TABLE} differing in {stray}", f"keys {sorted(expected)}")


assert COUNT == SHAPES + 9
