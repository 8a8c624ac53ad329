"""A head painted with a look: what every vertex carries to the shader.

Made once for a head and a look, reused for every frame. Painted detail that is
finer than the mesh (iris, hair strokes, pores) comes from small textures that the
shader reads at the place a vertex has on the unmoved head, so it sticks to the
skin while the face moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semanticface.render.layout import (
    BROW,
    COLUMNS,
    EYE_LEFT,
    EYE_RIGHT,
    FEATURE,
    HAIR,
    KINDS,
    LASH,
    LID,
    LIP,
    OPEN,
    PLACE,
    REGION,
    SKIN,
    TEETH,
    WET,
)
from semanticface.render.look import Look
from semanticface.render.occlusion import baked

if TYPE_CHECKING:
    from semanticface.render.head import Head

Floats = NDArray[np.float32]

_KIND_OF_PART = {
    "skin": SKIN, "eye_left": EYE_LEFT, "eye_right": EYE_RIGHT, "teeth_upper": TEETH,
    "teeth_lower": TEETH, "gums": WET, "tongue": WET, "brows": LASH, "lashes": LASH, "hair": HAIR,
}  # fmt: skip


@dataclass(frozen=True)
class Coat:
    """Arrays for the shader."""

    columns: Floats
    """[V, 16], see `shade`; normals and folds are left zero for the frame to fill."""
    finish: Floats
    """[8, 3] highlight strength, gloss and wrap of each kind of triangle."""
    kinds: NDArray[np.uint8]
    """[F]"""
    eye: Floats
    """[N, N, 3] the front of the left eyeball, linear RGB, x and y from -1 to 1."""
    grain: Floats
    """[M, M] tileable noise, -1 to 1."""
    accents: Floats
    """[3, 3] colours of brow hair, lips and lid margin."""


def coat(head: Head, look: Look, openness: Floats, region: Floats | None = None) -> Coat:
    """Paint `head`; `region` [V] is how much each vertex counts in a crop (all by default)."""
    columns = np.zeros((len(head.neutral), COLUMNS), dtype=np.float32)
    columns[:, REGION] = 1.0 if region is None else region
    columns[:, OPEN] = openness
    columns[:, PLACE : PLACE + 3] = head.neutral
    _paint_skin(columns, head, look)
    _paint_mouth(columns, head, look)
    _paint_hair(columns, head, look)
    _paint_eyes(columns, head, look)
    return Coat(
        columns, finish(look), _kinds(head, columns), eye_texture(look), grain_texture(),
        np.array([look.brows, look.lips, 0.35 * np.array(look.skin) * (0.8, 0.6, 0.6)], np.float32),
    )  # fmt: skip


def parts(head: Head, *names: str) -> NDArray[np.bool_]:
    """[V] whether a vertex belongs to one of the named parts."""
    from semanticface.render.head import PARTS

    return np.isin(head.part, [PARTS.index(name) for name in names])


def mask(head: Head, name: str) -> Floats:
    """A painted mask [V], zero where the head has none of that name."""
    found = head.paint.get(name)
    return np.zeros(len(head.neutral), np.float32) if found is None else found


def openness(head: Head) -> Floats:
    """[V] baked soft shadow, bright where closing eyes or an opening mouth lays skin bare."""
    from semanticface.rig import COUNT, INDEX

    neutral, shut, open_mouth = np.zeros((3, COUNT), np.float32)
    shut[[INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1
    open_mouth[INDEX["jawOpen"]] = 0.8
    from semanticface.render.head import pose

    faces = [pose(head, values) for values in (neutral, shut, open_mouth)]
    return baked(faces, head.triangles)


def _paint_skin(columns: Floats, head: Head, look: Look) -> None:
    skin = parts(head, "skin")
    base = np.tile(np.array(look.skin, np.float32), (len(skin), 1))
    blush = look.blush * np.maximum(mask(head, "cheeks"), 0.7 * mask(head, "nose"))
    base *= 1 + blush[:, None] * np.array([0.10, -0.22, -0.20], np.float32)
    lids = mask(head, "lids")[:, None]
    base *= 1 - lids * np.array([0.10, 0.20, 0.17], np.float32) * (0.3 + look.blush)
    hair = mask(head, "hair")[:, None]
    base = base * (1 - hair) + hair * np.array(look.hair, np.float32)
    columns[skin, :3] = base[skin]
    for column, name in ((BROW, "brows"), (LIP, "lips"), (LID, "lash_line")):
        columns[skin, column] = mask(head, name)[skin]
    columns[skin, BROW] *= look.brow_density


def finish(look: Look) -> Floats:
    """[8, 3] how each kind shines: strength of highlights, gloss, wrap of light around it."""
    table = np.zeros((KINDS, 3), np.float32)
    table[SKIN] = table[FEATURE] = 0.20, 0.22, 1.0
    table[EYE_LEFT] = table[EYE_RIGHT] = 0.6, 1.0, 0.8
    table[TEETH] = 0.40, 0.75, 0.5
    table[WET] = 0.30, 0.60, 0.7
    table[HAIR] = table[LASH] = 0.10, 0.35, 0.0
    return np.asarray(table * [look.shine, 1.0, look.translucency], np.float32)


def _paint_mouth(columns: Floats, head: Head, look: Look) -> None:
    dark = (1 - _depth(head)) ** 2
    for names, colour, openness in (
        (("teeth_upper", "teeth_lower"), look.teeth, 0.85), (("gums",), look.gums, 0.6),
        (("tongue",), look.tongue, 0.75),
    ):  # fmt: skip
        here = parts(head, *names)
        columns[here, :3] = np.array(colour) * _variation(head, here)
        columns[here, OPEN] = 0.05 + openness * dark[here]
    inside = mask(head, "inside") * parts(head, "skin")
    columns[:, :3] += inside[:, None] * (np.array(look.gums, np.float32) * 0.8 - columns[:, :3])
    columns[:, OPEN] *= 1 - inside * (1 - np.minimum(0.05 + 0.6 * dark, 1))


def _variation(head: Head, here: NDArray[np.bool_]) -> Floats:
    """[n, 3] the asset's own colours relative to the mean of a part."""
    if not here.any():
        return np.ones((0, 3), np.float32)
    own = head.albedo[here]
    return np.asarray(own / np.maximum(own.max(axis=0), 1e-3), np.float32)


def _depth(head: Head) -> Floats:
    """[V] 0 at the front teeth, 1 three centimetres behind: light fades into the mouth."""
    inside = parts(head, "teeth_upper", "teeth_lower")
    if not inside.any():
        inside = parts(head, "tongue", "gums")
    if not inside.any():
        return np.zeros(len(head.neutral), np.float32)
    front = np.percentile(head.neutral[inside, 2], 98)
    return np.asarray(np.clip((front - head.neutral[:, 2]) / 0.03, 0, 1), np.float32)


def _paint_hair(columns: Floats, head: Head, look: Look) -> None:
    thin = 1 - look.brow_density
    brows = (1 - thin) * np.array(look.brows) + thin * 0.8 * np.array(look.skin)
    for name, colour in (("brows", brows), ("lashes", np.array(look.brows) * 0.35),
                         ("hair", look.hair)):  # fmt: skip
        here = parts(head, name)
        columns[here, :3] = colour
        columns[here, OPEN] = np.maximum(columns[here, OPEN], 0.6)


def _paint_eyes(columns: Floats, head: Head, look: Look) -> None:
    for side, eye in enumerate(head.eyes):
        here = eye.vertices
        local = (head.neutral[here] - eye.centre) / eye.radius
        local /= np.linalg.norm(local, axis=1, keepdims=True) + 1e-9
        local[:, 0] *= 1 if side == 0 else -1  # one texture serves both, mirrored
        columns[here, PLACE : PLACE + 3] = local
        columns[here, :3] = look.sclera
        columns[here, OPEN] = 0.85


def _kinds(head: Head, columns: Floats) -> NDArray[np.uint8]:
    from semanticface.render.head import PARTS

    of_part = np.array([_KIND_OF_PART[name] for name in PARTS], np.uint8)
    kinds = of_part[head.part[head.triangles[:, 0]]]
    painted = np.asarray((columns[:, [BROW, LIP, LID]] > 0.02).any(axis=1))
    painted = np.asarray(painted[head.triangles].any(axis=1))
    kinds[(kinds == SKIN) & painted] = FEATURE
    return kinds


def closed(head: Head, kinds: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[F] 1 where the back of a triangle is never seen and need not be drawn.

    Eyes, teeth and tongue are solid. Skin is, where the head has the inside of a
    mouth; on a rig that is a mere mask its back is what shows through parted lips.
    """
    first = SKIN if mask(head, "inside").any() else EYE_LEFT
    return np.asarray((kinds >= first) & (kinds <= WET), np.uint8)


def eye_texture(look: Look, size: int = 256) -> Floats:
    """[N, N, 3] an eyeball from the front: sclera, limbus, fibres of the iris, pupil."""
    radius, fibres = _disc(size)
    white = np.array(look.sclera)[None, None] * (1 - 0.30 * radius**3)[..., None]
    white = white * (1 - np.clip(radius - 0.5, 0, 1)[..., None] * np.array([0.05, 0.22, 0.22]))
    iris = _iris(look, radius, fibres)
    ring = _step(radius, _IRIS, 0.035)[..., None]
    return np.asarray(iris * (1 - ring) + white * ring, np.float32)


_IRIS = 0.50
"""Sine of the angle from the gaze to the edge of the iris: 12 mm on a 24 mm eyeball."""
_PUPIL = 0.19


@cache
def _disc(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[N, N] distance from the middle of an eye, and fibres of an iris: nobody's in particular."""
    rng = np.random.default_rng(11)
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(axis, -axis)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    waves = [
        np.cos(k * angle + rng.uniform(0, 6.28) + 2.0 * np.sin(9 * radius + k)) / 3
        for k in (23, 37, 61)
    ]
    return radius, np.asarray(sum(waves))


def _iris(
    look: Look, radius: NDArray[np.float64], fibres: NDArray[np.float64]
) -> NDArray[np.float64]:
    flat = look.style == "toon"
    inner = np.clip((radius - _PUPIL) / (_IRIS - _PUPIL), 0, 1)
    bright = (1.25 - 0.35 * inner) * (1 + (0.0 if flat else 0.22) * fibres)
    colour = np.array(look.iris) * bright[..., None]
    amber = np.exp(-(((inner - 0.18) / 0.16) ** 2))[..., None] * np.array([0.05, 0.025, 0.0])
    colour = colour + (0 if flat else 1) * amber * float(np.mean(look.iris)) * 4
    limbus = 1 - 0.72 * _step(radius, 0.455, 0.06)
    pupil = _step(radius, _PUPIL, 0.03)
    return np.asarray(np.clip(colour * (limbus * pupil)[..., None], 0.004, 1))


def _step(value: NDArray[np.float64], edge: float, soft: float) -> NDArray[np.float64]:
    t = np.clip((value - edge) / soft + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


@cache
def grain_texture(size: int = 256) -> Floats:
    """[M, M] tileable noise of a few octaves, -1 to 1, the same every time."""
    rng = np.random.default_rng(5)
    white = np.fft.rfft2(rng.normal(size=(size, size)))
    fy, fx = np.fft.fftfreq(size)[:, None] * size, np.fft.rfftfreq(size)[None] * size
    distance = np.hypot(fy, fx)
    band = np.exp(-(((distance - 42) / 26) ** 2)) + 0.35 * np.exp(-(((distance - 10) / 6) ** 2))
    noise = np.fft.irfft2(white * band, s=(size, size))
    return np.asarray(np.clip(noise / (2.5 * noise.std()), -1, 1), np.float32)
