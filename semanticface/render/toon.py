"""Flat colours in three steps, and a dark line where one thing ends and another begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semanticface.render.compiled import compiled, inlined
from semanticface.render.layout import (
    BROW,
    COLUMNS,
    EYE_LEFT,
    EYE_RIGHT,
    FEATURE,
    FLOOR,
    HAIR,
    LASH,
    LID,
    LIP,
    NORMAL,
    OPEN,
    OUT,
    REGION,
    SKIN,
    F,
)
from semanticface.render.shade import Scene, developed, mixed
from semanticface.render.surface import eye_painted, smooth, tinted

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]

_0, _HALF, _1 = F(0.0), F(0.5), F(1.0)


@inlined
def straightened(s: Floats, back: bool) -> None:
    """Give the normal in `s` length one, towards the viewer's side if seen from behind."""
    x, y, z = s[NORMAL], s[NORMAL + 1], s[NORMAL + 2]
    length = _1 / np.sqrt(x * x + y * y + z * z + F(1e-12))
    length = -length if back else length
    s[NORMAL], s[NORMAL + 1], s[NORMAL + 2] = x * length, y * length, z * length


@inlined
def flat(s: Floats, kind: int, eye: Floats, accents: Floats, lights: Floats) -> None:
    """Write a sample's flat colour to s[OUT:OUT + 3]."""
    x, y, z = s[NORMAL], s[NORMAL + 1], s[NORMAL + 2]
    key = x * lights[0] + y * lights[1] + z * lights[2]
    glint = x * lights[6] + y * lights[7] + z * lights[8]
    light, spot = _1, _0
    if EYE_LEFT <= kind <= EYE_RIGHT:
        eye_painted(s, eye)
        spot = smooth(glint, F(0.982), F(0.988))
    else:
        level = key * F(0.8) + s[OPEN] * F(0.35)
        light = F(0.50) + F(0.28) * smooth(level, F(0.13), F(0.17))
        light += F(0.17) * smooth(level, F(0.58), F(0.62))
    if kind == FEATURE:
        tinted(s, accents, 1, smooth(s[LIP], F(0.42), F(0.55)), _1)
        tinted(s, accents, 2, smooth(s[LID], F(0.35), F(0.60)), F(0.3))
        tinted(s, accents, 0, smooth(s[BROW], F(0.34), F(0.46)), _HALF)
        spot = F(0.25) * smooth(s[LIP], F(0.6), F(0.7)) * smooth(glint, F(0.955), F(0.965))
    cool = _1 - light
    for c in range(3):
        tone = light * (_1 - cool * (_0 if c == 0 else F(0.16) if c == 1 else F(0.06)))
        s[OUT + c] = s[c] * tone + spot * (_1 - s[c] * tone)


@inlined
def lined(kinds: Bytes, near: Floats, seen: Ints, y: int, x: int, reach: int) -> bool:
    """Whether a seen sample lies on a line.

    A line runs where something else, or the same thing 12 mm or more behind,
    begins within `reach` samples, and twice as wide along the lashes of a lid.
    """
    height, width = near.shape
    kind = kinds[abs(seen[y, x]) - 1]
    plain = kind == SKIN
    kind = SKIN if kind == FEATURE else kind
    for k in range(4):
        i = y + (reach if k == 0 else -reach if k == 1 else 0)
        j = x + (reach if k == 2 else -reach if k == 3 else 0)
        if i < 0 or j < 0 or i >= height or j >= width:
            continue
        other = seen[i, j]
        if other == 0:
            return True
        far = _1 / near[i, j] - _1 / near[y, x]
        behind = kinds[abs(other) - 1]
        if plain and behind == LASH:
            return True
        behind = SKIN if behind == FEATURE else behind
        if far > F(0.012):
            return True
        if behind != kind and (kind == SKIN or kind >= HAIR) and far > _0:
            return True
    return False


@compiled
def shade_toon(
    scene: Scene, near: Floats, seen: Ints, samples: int, background: Floats, film: Floats,
    picture: Bytes,
) -> None:  # fmt: skip
    """Draw flat colours and lines on `picture` [H, W, 3]; see `shade.shade`."""
    screen, triangles, kinds, table, _, eye, _, accents, lights, settings, curve, s, _ = scene
    floor, share = settings[FLOOR], _1 / F(samples * samples)
    width = picture.shape[1]
    halving = samples - 1
    reach = max(1, (min(picture.shape[0], width) * samples) // 300)
    film[:] = 0.0
    for row in range(seen.shape[0]):
        for column in range(seen.shape[1]):
            mark = seen[row, column]
            if mark == 0:
                continue
            t = abs(mark) - 1
            mixed(screen, triangles, table, t, column, row, COLUMNS, s)
            weight = (floor + (_1 - floor) * s[REGION]) * share
            if mark < 0 and kinds[t] < HAIR:
                s[OUT], s[OUT + 1], s[OUT + 2] = F(0.09), F(0.012), F(0.016)
            else:
                straightened(s, mark < 0)
                flat(s, kinds[t], eye, accents, lights)
            ink = F(0.12) if lined(kinds, near, seen, row, column, reach) else _1
            pixel = (row >> halving) * width + (column >> halving)
            for c in range(3):
                film[pixel, c] += weight * ink * s[OUT + c]
            film[pixel, 3] += weight
    developed(film, background, curve, picture)
