"""Lights: a key, a fill, a rim, and the light of the room from everywhere.

Directions are in the camera's axes (x right in the picture, y up, z towards the
viewer) and point from the face to the light: they turn with the camera, so a
profile is lit as well as the front. Colours are linear RGB, 1 is full exposure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Lamp:
    """One distant light."""

    towards: Triple
    colour: Triple


@dataclass(frozen=True)
class Lights:
    """Everything that shines on the face."""

    key: Lamp
    fill: Lamp
    rim: Lamp
    sky: Triple
    """Light of the room from above and in front."""
    ground: Triple
    """Light thrown back from below."""

    def mirrored(self) -> Lights:
        """Left and right of the picture exchanged."""
        return replace(
            self, key=_mirrored(self.key), fill=_mirrored(self.fill), rim=_mirrored(self.rim)
        )

    def lamps(self, axes: Floats) -> Floats:
        """[3, 9] key, fill, rim: direction, colour, half vector, in the head's axes."""
        rows = []
        for lamp in (self.key, self.fill, self.rim):
            towards = _unit(np.array(lamp.towards)) @ axes
            half = _unit(towards + axes[2])
            rows.append(np.concatenate([towards, np.array(lamp.colour), half]))
        return np.array(rows, dtype=np.float32)

    def room(self, axes: Floats) -> Floats:
        """[9, 3] spherical harmonics of the light a matt surface gets from the room.

        A gradient from the ground to the sky, stronger in front, is sampled over
        the sphere, projected and convolved with the cosine, so that the sum over
        the nine terms of a normal is the light that arrives.
        """
        n = _sphere(2000)
        seen = n @ axes.T.astype(np.float64)
        height = 0.5 + 0.5 * seen[:, 1]
        front = 0.75 + 0.25 * seen[:, 2]
        light = np.array(self.ground) + (height**1.5)[:, None] * (
            np.array(self.sky) - np.array(self.ground)
        )
        light *= front[:, None]
        terms = _terms(n)
        cosine = np.array([np.pi] + [2 * np.pi / 3] * 3 + [np.pi / 4] * 5)
        weights = (terms.T @ light) * (4 * np.pi / len(n)) * cosine[:, None] / np.pi
        return np.asarray(weights * _SCALE[:, None], dtype=np.float32)


_SCALE = np.array([0.282095] + [0.488603] * 3 + [1.092548] * 3 + [0.315392, 0.546274])


def _terms(n: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N, 9] spherical harmonics of unit vectors, in the order the shader sums them."""
    x, y, z = n.T
    bare = np.stack(
        [np.ones_like(x), x, y, z, x * y, y * z, z * x, 3 * z * z - 1, x * x - y * y], axis=1
    )
    return np.asarray(bare * _SCALE)


def _sphere(count: int) -> NDArray[np.float64]:
    k = np.arange(count) + 0.5
    y = 1 - 2 * k / count
    turn, ring = np.pi * (1 + 5**0.5) * k, np.sqrt(1 - y * y)
    return np.stack([np.cos(turn) * ring, y, np.sin(turn) * ring], axis=1)


def _unit(vector: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


def _mirrored(lamp: Lamp) -> Lamp:
    x, y, z = lamp.towards
    return replace(lamp, towards=(-x, y, z))


STUDIO = Lights(
    key=Lamp((-0.55, 0.62, 0.75), (1.02, 0.97, 0.90)),
    fill=Lamp((0.85, 0.15, 0.60), (0.20, 0.22, 0.25)),
    rim=Lamp((0.75, 0.45, -0.75), (0.50, 0.52, 0.58)),
    sky=(0.40, 0.42, 0.46),
    ground=(0.13, 0.115, 0.105),
)
"""A window at the upper left, a reflector on the right, a lamp behind."""

SOFTBOX = Lights(
    key=Lamp((-0.30, 0.75, 0.70), (0.80, 0.80, 0.80)),
    fill=Lamp((0.80, 0.25, 0.60), (0.22, 0.22, 0.22)),
    rim=Lamp((0.70, 0.40, -0.75), (0.30, 0.30, 0.30)),
    sky=(0.34, 0.34, 0.34),
    ground=(0.10, 0.10, 0.10),
)
"""High and nearly frontal, without colour: every fold casts its shade downwards."""
