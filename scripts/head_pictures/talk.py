"""A spoken sentence as a clip: phones of `flite`, mouth shapes of the sampler's table.

flite (Debian package `flite`, a free synthetic voice) says when each phone ends, so
the mouth moves in step with the sound. Each phone's shape stands at its middle.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.motion.expressions import smooth
from semanticface.motion.repertoire import repertoire
from semanticface.rig import COUNT, INDEX, FaceClip

Array = NDArray[np.float64]
VOICE = "slt"
RATE = 60.0
_SHAPE_OF = {
    "a": "aa ae ah ax ay aw", "e": "eh ey", "i": "ih iy y", "o": "ao ow oy", "u": "uh uw w",
    "er": "er", "p_b_m": "p b m", "f_v": "f v", "th": "th dh", "t_d_n": "t d n", "s_z": "s z",
    "sh_ch": "sh ch jh zh", "k_g": "k g ng hh", "r": "r", "l": "l", "rest": "pau",
}  # fmt: skip
SHAPE_OF = {phone: shape for shape, phones in _SHAPE_OF.items() for phone in phones.split()}
_LOUD = 1.25
_CLOSED = {"jawOpen": 0.10, "mouthClose": 0.10, "mouthPressLeft": 0.25, "mouthPressRight": 0.25}
"""p, b and m shut the lips in a film at least this far, whatever comes before and after."""


class Phone(NamedTuple):
    """A sound and its times, seconds."""

    name: str
    start: float
    end: float


def spoken(sentence: str, sound: Path) -> list[Phone]:
    """Have flite write `sound` and say where the phones lie."""
    told = subprocess.run(
        ["flite", "-voice", VOICE, "-t", sentence, "-o", str(sound), "-psdur"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    phones, start = [], 0.0
    for word in told.split():
        name, _, end = word.partition(":")
        phones.append(Phone(name, start, float(end)))
        start = float(end)
    return phones


def talking(phones: list[Phone], others: FaceClip) -> FaceClip:
    """The mouth from the phones; eyes, brows and head from another clip."""
    table = repertoire()
    shapes = dict(zip(table.visemes.names, table.visemes.drives, strict=True))
    keys = np.array([0.0, *((p.start + p.end) / 2 for p in phones), phones[-1].end])
    poses = np.zeros((len(keys), COUNT))
    for row, phone in zip(poses[1:-1], phones, strict=True):
        row[: len(shapes["rest"])] = _LOUD * shapes[SHAPE_OF[phone.name]]
        if SHAPE_OF[phone.name] == "p_b_m":
            for name, value in _CLOSED.items():
                row[INDEX[name]] = value
    times = np.arange(0, phones[-1].end, 1 / RATE)
    values = _flowing(times, keys, poses)
    _borrow(values, others, times)
    return FaceClip(values.astype(np.float32), times, np.ones(COUNT, np.bool_))


def _flowing(times: Array, keys: Array, poses: Array) -> Array:
    after = np.clip(np.searchsorted(keys, times, side="right"), 1, len(keys) - 1)
    way = smooth(np.clip((times - keys[after - 1]) / (keys[after] - keys[after - 1]), 0, 1))
    return np.asarray(poses[after - 1] + way[:, None] * (poses[after] - poses[after - 1]))


def _borrow(values: Array, others: FaceClip, times: Array) -> None:
    for name, column in INDEX.items():
        if name.startswith(("eye", "brow", "head", "left", "right")):
            values[:, column] = np.interp(times, others.times, others.values[:, column])
