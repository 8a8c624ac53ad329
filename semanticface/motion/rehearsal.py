"""A short performance made from a formula, for the demo and for tests.

Nobody acted it: rests, blinks, a lopsided smile, surprise, a few syllables, a
look aside and a wink are laid on a line as smooth rises and falls. It has what a
phone's take has: a clock, eye angles that follow the eyeLook channels, a slightly
restless rest, and a moment in which the face is lost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.rig import COUNT, INDEX, ClipMeta, FaceClip

RATE = 30.0
_START = 10 * 3600 + 15 * 60.0  # a quarter past ten, by the phone's clock


class Move(NamedTuple):
    """Channels that rise from `start` to `full`, hold, and fall from `fading` to `end`."""

    channels: dict[str, float]
    start: float
    full: float
    fading: float
    end: float


def _both(name: str, left: float, right: float | None = None) -> dict[str, float]:
    return {f"{name}Left": left, f"{name}Right": left if right is None else right}


def _blink(at: float) -> Move:
    return Move(_both("eyeBlink", 0.95), at, at + 0.08, at + 0.12, at + 0.25)


def _syllable(at: float, jaw: float, **lips: float) -> Move:
    return Move({"jawOpen": jaw, **lips}, at, at + 0.09, at + 0.11, at + 0.22)


SCORE: tuple[Move, ...] = (
    _blink(0.5),
    Move(
        _both("mouthSmile", 0.78, 0.6) | _both("cheekSquint", 0.5, 0.4)
        | _both("eyeSquint", 0.3) | _both("mouthDimple", 0.2, 0.1),
        0.9, 1.4, 2.2, 2.7,
    ),
    _blink(2.8),
    Move(
        {"browInnerUp": 0.7, "jawOpen": 0.45} | _both("browOuterUp", 0.65)
        | _both("eyeWide", 0.6),
        3.0, 3.3, 3.8, 4.2,
    ),
    _syllable(4.5, 0.25, mouthFunnel=0.3),
    _syllable(4.75, 0.12, mouthClose=0.12),
    _syllable(4.95, 0.35, mouthStretchLeft=0.25, mouthStretchRight=0.25),
    _syllable(5.2, 0.2, mouthPucker=0.5),
    Move({"eyeLookOutLeft": 0.6, "eyeLookInRight": 0.6}, 5.6, 5.7, 6.2, 6.3),
    Move({"eyeBlinkRight": 0.9, "mouthSmileRight": 0.35, "mouthRight": 0.25,
          "cheekSquintRight": 0.4}, 6.5, 6.65, 6.85, 7.05),
    Move({"browDownLeft": 0.6, "browDownRight": 0.6, "mouthPressLeft": 0.45,
          "mouthPressRight": 0.45} | _both("eyeSquint", 0.4), 7.2, 7.6, 8.0, 8.4),
)  # fmt: skip
SECONDS = 9.0
_LOST = (8.6, 8.8)


def perform(rate: float = RATE, *, seed: int = 0) -> FaceClip:
    """The performance as a clip at `rate` frames a second; the seed moves the rest only."""
    times = np.arange(round(SECONDS * rate)) / rate
    values = _restless(times, seed)
    for move in SCORE:
        for name, peak in move.channels.items():
            column = values[:, INDEX[name]]
            np.maximum(column, peak * _envelope(times, move), out=column)
    _turn_eyes(values)
    values[(times >= _LOST[0]) & (times < _LOST[1])] = np.nan
    meta = ClipMeta(
        source="a performance from a formula", slate="rehearsal", take=1, subject="nobody",
        base=60, clock="timecode",
        notes={"head": "all zero: nobody turned it"},
    )  # fmt: skip
    return FaceClip.of(values.astype(np.float32), _START + times, meta=meta)


def _envelope(times: NDArray[np.float64], move: Move) -> NDArray[np.float64]:
    """Zero, a smooth rise to one, a hold, a smooth fall to zero."""
    rise = np.clip((times - move.start) / (move.full - move.start), 0, 1)
    fall = np.clip((move.end - times) / (move.end - move.fading), 0, 1)
    level = np.minimum(rise, fall)
    return np.asarray(level * level * (3 - 2 * level))


def _restless(times: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Small slow waves on every shape, never more than 0.03; rotations at zero."""
    rng = np.random.default_rng(seed)
    speed, phase, size = rng.uniform((0.2, 0, 0), (0.9, 6.28, 0.03), (52, 3)).T
    values = np.zeros((len(times), COUNT))
    waves = np.sin(2 * np.pi * times[:, None] * speed + phase)
    values[:, :52] = size * np.clip(waves, 0, None)
    return values


def _turn_eyes(values: NDArray[np.float64]) -> None:
    """Eye angles from the eyeLook channels, as real takes relate them."""

    def v(name: str) -> NDArray[np.float64]:
        return np.asarray(values[:, INDEX[name]])

    values[:, INDEX["leftEyeYaw"]] = -0.60 * (v("eyeLookOutLeft") - v("eyeLookInLeft")) - 0.07
    values[:, INDEX["rightEyeYaw"]] = -0.60 * (v("eyeLookInRight") - v("eyeLookOutRight")) + 0.07
    for side in ("Left", "Right"):
        pitch = -0.61 * (v(f"eyeLookUp{side}") - v(f"eyeLookDown{side}"))
        values[:, INDEX[f"{side.lower()}EyePitch"]] = pitch
