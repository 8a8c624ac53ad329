"""Looks: what the face is painted with and how it is lit.

* `realistic`: skin, lips, brows, eyes and hair of a person that the seed chooses;
* `clay`: one warm grey for everything but the eyes and teeth, for judging shape;
* `toon`: flat colours in three steps with an outline, for stylised faces.

A seed changes colours only; another face shape is another identity.
Colours are written as sRGB (what a picker shows) and used as linear RGB.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, did_you_mean
from semanticface.render.light import SOFTBOX, STUDIO, Lights, Triple

LOOKS = ("realistic", "clay", "toon")
Style = Literal["shaded", "toon"]


@dataclass(frozen=True)
class Look:
    """Colours (linear RGB), lights and the way of shading."""

    name: str = "realistic"
    style: Style = "shaded"
    lights: Lights = STUDIO
    skin: Triple = (0.62, 0.36, 0.25)
    lips: Triple = (0.42, 0.14, 0.12)
    brows: Triple = (0.06, 0.035, 0.02)
    hair: Triple = (0.05, 0.03, 0.02)
    iris: Triple = (0.12, 0.20, 0.26)
    sclera: Triple = (0.86, 0.84, 0.81)
    teeth: Triple = (0.72, 0.68, 0.58)
    gums: Triple = (0.42, 0.13, 0.12)
    tongue: Triple = (0.50, 0.16, 0.15)
    blush: float = 0.5
    """How much redder than the rest cheeks, nose and ears are."""
    shine: float = 1.0
    """Strength of the highlights on the skin."""
    translucency: float = 1.0
    """How far light wraps around skin into the shade."""
    folds: float = 0.9
    """How dark furrows are that an expression makes."""
    brow_density: float = 1.0
    """How much of the skin the brow hairs cover: 1 bushy, 0.4 hardly seen."""
    grain: float = 0.0
    """Skin texture: 0 none, 1 clearly seen at portrait size."""
    seed: int = field(default=0, compare=True)

    def mirrored(self) -> Look:
        """The same look, lit from the other side."""
        return replace(self, lights=self.lights.mirrored())


def look_of(name: str | Look = "realistic", seed: int = 0, *, grain: float | None = None) -> Look:
    """A look by name; the seed chooses the colours of the person."""
    if isinstance(name, Look):
        return name
    if name not in LOOKS:
        raise BadInput(f"the look '{name}'", f"one of {', '.join(LOOKS)}",
                       hint=did_you_mean(name, LOOKS))  # fmt: skip
    look = {"realistic": _person, "clay": _clay, "toon": _toon}[name](seed)
    return look if grain is None else replace(look, grain=grain)


def _person(seed: int) -> Look:
    """Somebody: a skin tone from very fair to very dark and colours that go with it."""
    rng = np.random.default_rng([seed, 7])
    tone = 0.30 if seed == 0 else float(rng.uniform(0.0, 1.0))
    skin = np.clip(_along(_SKINS, tone) * rng.normal(1.0, 0.03, 3), 0.01, 0.9)
    reach = float(np.clip(0.35 + 0.75 * tone + rng.normal(0, 0.22), 0, 1))  # towards black
    hair = _along(_HAIRS, 0.62 if seed == 0 else reach)
    iris = _along(
        _IRISES, 0.42 if seed == 0 else float(np.clip(rng.beta(1.2, 1.2) + tone - 0.2, 0, 1))
    )
    redder = np.array([0.80, 0.50, 0.50]) + rng.normal(0, 0.03, 3)
    lips = skin * redder + np.array([0.035, 0.0, 0.008])
    density = 0.85 if seed == 0 else float(rng.uniform(0.65, 1.0))
    return Look(
        name="realistic", skin=_triple(skin), lips=_triple(lips), hair=_triple(hair),
        brows=_triple(0.85 * hair + 0.06 * skin), iris=_triple(iris),
        blush=float(0.55 - 0.3 * tone), brow_density=density, grain=0.25, seed=seed,
    )  # fmt: skip


def _clay(seed: int) -> Look:
    grey = linear(0.74, 0.70, 0.66)
    return Look(
        name="clay",
        lights=SOFTBOX,
        skin=grey,
        lips=linear(0.66, 0.58, 0.55),
        brows=linear(0.42, 0.38, 0.36),
        hair=linear(0.50, 0.47, 0.45),
        iris=linear(0.33, 0.33, 0.35),
        sclera=linear(0.86, 0.86, 0.85),
        teeth=linear(0.85, 0.84, 0.81),
        gums=linear(0.55, 0.43, 0.41),
        tongue=linear(0.60, 0.44, 0.42),
        blush=0.0,
        shine=0.45,
        translucency=0.25,
        folds=1.5,
        seed=seed,
    )


def _toon(seed: int) -> Look:
    person = _person(seed)
    bright = np.clip(1.35 * np.array(person.skin) * (1.05, 0.97, 0.88), 0, 0.95)
    return replace(
        person, name="toon", style="toon", skin=_triple(bright), grain=0.0, folds=0.0,
        iris=_triple(np.array(person.iris) ** 0.75), sclera=(0.95, 0.95, 0.95),
        teeth=(0.95, 0.95, 0.93), brow_density=1.0,
    )  # fmt: skip


def linear(red: float, green: float, blue: float) -> Triple:
    """sRGB 0..1 to linear RGB."""
    return _triple(_decoded(np.array([red, green, blue])))


def _decoded(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _along(ramp: NDArray[np.float64], place: float) -> NDArray[np.float64]:
    """The colour at 0..1 along a ramp [N, 3]."""
    steps = np.linspace(0, 1, len(ramp))
    return np.array([np.interp(place, steps, ramp[:, c]) for c in range(3)])


def _triple(colour: NDArray[np.float64]) -> Triple:
    red, green, blue = (float(x) for x in colour)
    return red, green, blue


_SKINS = _decoded(np.array([
    [0.93, 0.78, 0.71], [0.89, 0.71, 0.61], [0.82, 0.62, 0.50], [0.70, 0.49, 0.37],
    [0.55, 0.37, 0.27], [0.40, 0.26, 0.19], [0.29, 0.19, 0.15],
]))  # fmt: skip
_HAIRS = _decoded(np.array([
    [0.66, 0.52, 0.34], [0.50, 0.36, 0.22], [0.40, 0.22, 0.13], [0.25, 0.16, 0.11],
    [0.14, 0.10, 0.08], [0.09, 0.07, 0.065],
]))  # fmt: skip
_IRISES = _decoded(np.array([
    [0.42, 0.56, 0.66], [0.36, 0.47, 0.54], [0.40, 0.48, 0.38], [0.47, 0.40, 0.24],
    [0.38, 0.24, 0.13], [0.24, 0.15, 0.09], [0.18, 0.11, 0.075],
]))  # fmt: skip
