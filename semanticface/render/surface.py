"""What a sample's surface looks like before it is lit: paint, texture, furrows, overhangs.

Each function changes `s`, the row of numbers of one sample (see `layout`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semanticface.render.compiled import inlined
from semanticface.render.layout import (
    BLUE,
    BROW,
    EYE_RIGHT,
    FEATURE,
    FOLD,
    FOLDS,
    GLOSS,
    GRAIN,
    GREEN,
    LID,
    LIP,
    OPEN,
    PLACE,
    RED,
    SPECULAR,
    F,
)

Floats = NDArray[np.float32]

_0, _HALF, _1 = F(0.0), F(0.5), F(1.0)


@inlined
def smooth(value: np.float32, low: np.float32, high: np.float32) -> np.float32:
    """0 below `low`, 1 above `high`, smooth in between."""
    t = min(max((value - low) / (high - low), _0), _1)
    eased: np.float32 = t * t * (F(3.0) - F(2.0) * t)
    return eased


@inlined
def tinted(s: Floats, accents: Floats, which: int, amount: np.float32, light: np.float32) -> None:
    """Cover the base colour with an accent."""
    s[RED] += amount * (accents[which, 0] * light - s[RED])
    s[GREEN] += amount * (accents[which, 1] * light - s[GREEN])
    s[BLUE] += amount * (accents[which, 2] * light - s[BLUE])


@inlined
def tiled(texture: Floats, u: np.float32, v: np.float32) -> np.float32:
    """A tileable texture [M, M] at u, v in texels, bilinear."""
    size = np.int32(texture.shape[0] - 1)
    below_u, below_v = np.floor(u), np.floor(v)
    iu, iv = np.int32(below_u), np.int32(below_v)
    fu, fv = u - below_u, v - below_v
    i0, i1 = np.uint32(iv & size), np.uint32((iv + np.int32(1)) & size)
    j0, j1 = np.uint32(iu & size), np.uint32((iu + np.int32(1)) & size)
    top = texture[i0, j0] + fu * (texture[i0, j1] - texture[i0, j0])
    low = texture[i1, j0] + fu * (texture[i1, j1] - texture[i1, j0])
    value: np.float32 = top + fv * (low - top)
    return value


@inlined
def eye_painted(s: Floats, texture: Floats) -> None:
    """Take the base colour from the eye's texture, where its front is."""
    if s[PLACE + 2] <= _0:
        return
    last = F(texture.shape[0]) - F(1.001)
    half = _HALF * F(texture.shape[0])
    u = min(max((s[PLACE] + _1) * half - _HALF, _0), last)
    v = min(max((_1 - s[PLACE + 1]) * half - _HALF, _0), last)
    j, i = np.uint32(u), np.uint32(v)
    fu, fv = u - F(j), v - F(i)
    for c in range(3):
        top = texture[i, j, c] + fu * (texture[i, j + 1, c] - texture[i, j, c])
        low = texture[i + 1, j, c] + fu * (texture[i + 1, j + 1, c] - texture[i + 1, j, c])
        s[c] = top + fv * (low - top)


@inlined
def skin_textured(s: Floats, grain: Floats, amount: np.float32) -> None:
    """Pores and blotches, fixed to the unmoved skin, the same left and right."""
    x, y, z = abs(s[PLACE]), s[PLACE + 1], s[PLACE + 2]
    u = (x + F(0.6) * z) * F(3000.0)
    v = (y - F(0.35) * z) * F(3000.0)
    fine = tiled(grain, u, v) * amount
    broad = tiled(grain, u * F(0.07), v * F(0.07)) * amount
    lightness = _1 + F(0.10) * fine + F(0.07) * broad
    s[RED] *= lightness + F(0.03) * broad
    s[GREEN] *= lightness
    s[BLUE] *= lightness
    s[SPECULAR] *= _1 + F(0.8) * fine


@inlined
def features_painted(s: Floats, accents: Floats, grain: Floats, light: np.float32) -> None:
    """Lips, lid margins and brow hairs on the skin, sharper than the mesh."""
    lip = smooth(s[LIP], F(0.25), F(0.75))
    tinted(s, accents, 1, lip, light)
    s[SPECULAR] += lip * s[SPECULAR] * F(0.9)
    s[GLOSS] += lip * F(0.38)
    tinted(s, accents, 2, s[LID], light)
    if s[BROW] > F(0.02):
        # hairs lean outwards and up: noise drawn out along that direction
        x, y = abs(s[PLACE]), s[PLACE + 1]
        along = (x * F(0.8) + y * F(0.6)) * F(900.0)
        across = (y * F(0.8) - x * F(0.6)) * F(5200.0)
        brow = s[BROW] + F(0.22) * tiled(grain, along, across)
        brow = F(0.9) * smooth(brow, F(0.22), F(0.72))
        tinted(s, accents, 0, brow, _1)
        s[SPECULAR] *= _1 - F(0.7) * brow


# where `overhang` looks: x, y (up is negative) in units of its reach, and the weight
_TAPS = (
    (0.0, -0.35, 0.24), (0.0, -0.75, 0.20), (-0.45, -0.45, 0.14), (0.45, -0.45, 0.14),
    (0.0, -1.20, 0.10), (-0.70, 0.05, 0.07), (0.70, 0.05, 0.07), (0.0, 0.50, 0.04),
)  # fmt: skip
TAPS = np.array(_TAPS, dtype=np.float32)


@inlined
def overhang(near: Floats, y: int, x: int, reach: np.float32) -> np.float32:
    """0..1: how much lids or lips stand in front of a sample, looked for within `reach` samples.

    Eyes and teeth lie in a shade that moves with the lids and lips, so it is read
    from the buffer: places around, more above than below, that are 0.3 mm to a
    few millimetres nearer.
    """
    height, width = near.shape
    here = _1 / near[y, x]
    total = _0
    for k in range(8):
        i = np.int32(F(y) + _HALF + TAPS[k, 1] * reach)
        j = np.int32(F(x) + _HALF + TAPS[k, 0] * reach)
        i = min(max(i, np.int32(0)), np.int32(height - 1))
        j = min(max(j, np.int32(0)), np.int32(width - 1))
        if near[i, j] > _0:
            lead = here - _1 / near[i, j]
            if lead > F(0.0003):
                total += TAPS[k, 2] * min(lead * F(900.0), _1)
    return total


@inlined
def skin_shaded(s: Floats, kind: int, accents: Floats, grain: Floats, settings: Floats) -> None:
    """Folds, texture and features of the skin, before it is lit."""
    shade = max(_1 - settings[FOLDS] * max(s[FOLD], _0), F(0.35))
    s[OPEN] *= shade
    s[RED] *= _HALF + _HALF * shade
    s[GREEN] *= shade
    s[BLUE] *= shade
    if settings[GRAIN] > _0:
        skin_textured(s, grain, settings[GRAIN])
    if kind == FEATURE:
        features_painted(s, accents, grain, shade)


@inlined
def hollow_shaded(s: Floats, kind: int, eye: Floats, near: Floats, y: int, x: int,
                  focal: np.float32) -> None:  # fmt: skip
    """Paint an eye, and lay the shade of lids or lips on eye, teeth or tongue."""
    metre = focal * near[y, x]
    if kind <= EYE_RIGHT:
        eye_painted(s, eye)
        s[OPEN] *= _1 - F(0.70) * overhang(near, y, x, F(0.0042) * metre)
    else:
        s[OPEN] *= _1 - F(0.60) * overhang(near, y, x, F(0.0080) * metre)


@inlined
def hair_shaded(s: Floats, grain: Floats) -> None:
    """Strands: noise drawn out downwards, fixed to the unmoved head."""
    across = (abs(s[PLACE]) + F(0.8) * s[PLACE + 2]) * F(4200.0)
    strand = tiled(grain, across, s[PLACE + 1] * F(420.0))
    for c in range(3):
        s[c] *= _1 + F(0.24) * strand
    s[SPECULAR] *= _1 + F(0.8) * strand
