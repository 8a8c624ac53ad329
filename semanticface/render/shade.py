"""Colour of every pixel: lights on the coat, samples averaged, linear light to sRGB.

Each sample knows its triangle. What the three corners carry (a row of `table`) is
weighted perspective-correctly into `s`, one row of numbers for the sample, and lit
there, so highlights and iris edges are as sharp as the picture. Only +, -, *, /
and square roots are used inside the loops: no library of powers or sines can
change a byte.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.render.compiled import compiled, inlined
from semanticface.render.curve import PER_LIGHT, STEPS
from semanticface.render.layout import (
    BLUE,
    COLUMNS,
    FEATURE,
    FLOOR,
    FOCAL,
    FOLD,
    FOLDS,
    GLOSS,
    GRAIN,
    GREEN,
    HAIR,
    NORMAL,
    OPEN,
    PARTIAL,
    PLACE,
    RED,
    REGION,
    SKIN,
    SPECULAR,
    TEETH,
    WET,
    WRAP,
    F,
)
from semanticface.render.surface import hair_shaded, hollow_shaded, skin_shaded

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]

_0, _HALF, _1 = F(0.0), F(0.5), F(1.0)


class Scene(NamedTuple):
    """What a shader reads besides its two buffers, and its room to work in."""

    screen: Floats
    """[V, 3] sample x, y and nearness."""
    triangles: Ints
    kinds: Bytes
    """[F] kind of each triangle."""
    table: Floats
    """[V, 16] what a vertex carries: colour, open sky, normal, fold, region weight,
    place on the unmoved head, and masks of brow, lip and lid."""
    finish: Floats
    """[8, 3] highlight strength, gloss and wrap of each kind."""
    eye: Floats
    """[N, N, 3] front of the left eyeball."""
    grain: Floats
    """[M, M] tileable noise; M is a power of two."""
    accents: Floats
    """[3, 3] colours of brow hair, lips and lid margin."""
    lights: Floats
    """[57] lamps (3 x direction, colour, half vector), room (9 x 3), viewer (3)."""
    settings: Floats
    """[5] samples of a metre at a metre, darkness of furrows, what is left of
    unjudged regions, skin texture, 1 where any region is unjudged."""
    curve: Bytes
    scratch: Floats
    """[32] one sample."""
    batch: Floats
    """[15 * 512] a batch of samples, each number in a run of its own."""


@inlined
def weighted(table: Floats, a: np.uint32, b: np.uint32, c: np.uint32, wa: np.float32,
             wb: np.float32, wc: np.float32, k: int) -> np.float32:  # fmt: skip
    """The mean of a column at three vertices."""
    mean: np.float32 = wa * table[a, k] + wb * table[b, k] + wc * table[c, k]
    return mean


@inlined
def mixed(
    screen: Floats, triangles: Ints, table: Floats, t: int, x: int, y: int, last: int, s: Floats
) -> None:
    """Fill s[0:8], and on up to s[last], with what triangle t carries at sample x, y."""
    a = np.uint32(triangles[t, 0])
    b = np.uint32(triangles[t, 1])
    c = np.uint32(triangles[t, 2])
    px, py = F(x) + _HALF, F(y) + _HALF
    ax, ay = screen[a, 0] - px, screen[a, 1] - py
    bx, by = screen[b, 0] - px, screen[b, 1] - py
    cx, cy = screen[c, 0] - px, screen[c, 1] - py
    wa = (bx * cy - cx * by) * screen[a, 2]
    wb = (cx * ay - ax * cy) * screen[b, 2]
    wc = (ax * by - bx * ay) * screen[c, 2]
    scale = _1 / (wa + wb + wc)
    wa, wb, wc = wa * scale, wb * scale, wc * scale
    # all is read before anything is written: so the compiler may do eight at once
    red, green = (
        weighted(table, a, b, c, wa, wb, wc, RED),
        weighted(table, a, b, c, wa, wb, wc, GREEN),
    )
    blue, sky = (
        weighted(table, a, b, c, wa, wb, wc, BLUE),
        weighted(table, a, b, c, wa, wb, wc, OPEN),
    )
    nx = weighted(table, a, b, c, wa, wb, wc, NORMAL)
    ny = weighted(table, a, b, c, wa, wb, wc, NORMAL + 1)
    nz = weighted(table, a, b, c, wa, wb, wc, NORMAL + 2)
    fold = weighted(table, a, b, c, wa, wb, wc, FOLD)
    s[RED], s[GREEN], s[BLUE], s[OPEN] = red, green, blue, sky
    s[NORMAL], s[NORMAL + 1], s[NORMAL + 2], s[FOLD] = nx, ny, nz, fold
    for k in range(REGION, last):
        s[k] = weighted(table, a, b, c, wa, wb, wc, k)


# runs of a batch, each SPAN long; SPAN is a constant so that the compiler sees that
# runs do not overlap and lights eight samples at once
SPAN = 512
_G, _B, _OPEN, _X, _Y, _Z, _SPECULAR, _GLOSS, _WRAP, _WEIGHT, _PIXEL = (
    1 * SPAN, 2 * SPAN, 3 * SPAN, 4 * SPAN, 5 * SPAN, 6 * SPAN, 7 * SPAN, 8 * SPAN, 9 * SPAN,
    10 * SPAN, 11 * SPAN,
)  # fmt: skip
_OUT_R, _OUT_G, _OUT_B = 12 * SPAN, 13 * SPAN, 14 * SPAN
BATCH = 15 * SPAN


@inlined
def skin_laid(
    screen: Floats, triangles: Ints, table: Floats, t: int, x: int, y: int, folds: np.float32,
    finish: Floats, n: int, pixel: int, weight: np.float32, batch: Floats,
) -> None:  # fmt: skip
    """Put a sample of plain skin into the batch: `mixed`, `skin_shaded` and `laid` in one.

    Most samples are plain skin seen from outside; kept in registers they cost half.
    """
    a = np.uint32(triangles[t, 0])
    b = np.uint32(triangles[t, 1])
    c = np.uint32(triangles[t, 2])
    px, py = F(x) + _HALF, F(y) + _HALF
    ax, ay = screen[a, 0] - px, screen[a, 1] - py
    bx, by = screen[b, 0] - px, screen[b, 1] - py
    cx, cy = screen[c, 0] - px, screen[c, 1] - py
    wa = (bx * cy - cx * by) * screen[a, 2]
    wb = (cx * ay - ax * cy) * screen[b, 2]
    wc = (ax * by - bx * ay) * screen[c, 2]
    scale = _1 / (wa + wb + wc)
    wa, wb, wc = wa * scale, wb * scale, wc * scale
    fold = weighted(table, a, b, c, wa, wb, wc, FOLD)
    shade = max(_1 - folds * max(fold, _0), F(0.35))
    red, green = (
        weighted(table, a, b, c, wa, wb, wc, RED),
        weighted(table, a, b, c, wa, wb, wc, GREEN),
    )
    blue, sky = (
        weighted(table, a, b, c, wa, wb, wc, BLUE),
        weighted(table, a, b, c, wa, wb, wc, OPEN),
    )
    nx = weighted(table, a, b, c, wa, wb, wc, NORMAL)
    ny = weighted(table, a, b, c, wa, wb, wc, NORMAL + 1)
    nz = weighted(table, a, b, c, wa, wb, wc, NORMAL + 2)
    at = np.uint32(n)
    batch[at] = red * (_HALF + _HALF * shade)
    batch[np.uint32(_G) + at] = green * shade
    batch[np.uint32(_B) + at] = blue * shade
    batch[np.uint32(_OPEN) + at] = sky * shade
    batch[np.uint32(_X) + at] = nx
    batch[np.uint32(_Y) + at] = ny
    batch[np.uint32(_Z) + at] = nz
    batch[np.uint32(_SPECULAR) + at] = finish[SKIN, 0]
    batch[np.uint32(_GLOSS) + at] = finish[SKIN, 1]
    batch[np.uint32(_WRAP) + at] = finish[SKIN, 2]
    batch[np.uint32(_WEIGHT) + at] = weight
    batch[np.uint32(_PIXEL) + at] = F(pixel)


@inlined
def laid(s: Floats, n: int, pixel: int, weight: np.float32, batch: Floats) -> None:
    """Put a sample into the batch."""
    batch[n] = s[RED]
    batch[_G + n] = s[GREEN]
    batch[_B + n] = s[BLUE]
    batch[_OPEN + n] = s[OPEN]
    batch[_X + n] = s[NORMAL]
    batch[_Y + n] = s[NORMAL + 1]
    batch[_Z + n] = s[NORMAL + 2]
    batch[_SPECULAR + n] = s[SPECULAR]
    batch[_GLOSS + n] = s[GLOSS]
    batch[_WRAP + n] = s[WRAP]
    batch[_WEIGHT + n] = weight
    batch[_PIXEL + n] = F(pixel)  # exact up to 4096 x 4096


@compiled
def lit(batch: Floats, count: int, lights: Floats) -> None:
    """Light a batch: the room, then the three lamps, their highlights, brighter edges."""
    for i in range(count):
        x, y, z = batch[_X + i], batch[_Y + i], batch[_Z + i]
        length = _1 / np.sqrt(x * x + y * y + z * z + F(1e-12))
        x, y, z = x * length, y * length, z * length
        batch[_X + i], batch[_Y + i], batch[_Z + i] = x, y, z
        sky = batch[_OPEN + i]
        facing = max(x * lights[54] + y * lights[55] + z * lights[56], _0)
        edge = (_1 - facing) * (_1 - facing)
        sheen = batch[_SPECULAR + i] * edge * edge * sky * F(0.35)
        narrow = sky * (_HALF + _HALF * sky)  # light thrown to and fro in a hollow turns red
        xy, yz, zx, zz, xx = x * y, y * z, z * x, F(3.0) * z * z - _1, x * x - y * y
        room = lights[27] + lights[30] * x + lights[33] * y + lights[36] * z + lights[39] * xy
        room += lights[42] * yz + lights[45] * zx + lights[48] * zz + lights[51] * xx
        batch[_OUT_R + i] = batch[i] * sky * room + sheen
        room = lights[28] + lights[31] * x + lights[34] * y + lights[37] * z + lights[40] * xy
        room += lights[43] * yz + lights[46] * zx + lights[49] * zz + lights[52] * xx
        batch[_OUT_G + i] = batch[_G + i] * narrow * room + sheen
        room = lights[29] + lights[32] * x + lights[35] * y + lights[38] * z + lights[41] * xy
        room += lights[44] * yz + lights[47] * zx + lights[50] * zz + lights[53] * xx
        batch[_OUT_B + i] = batch[_B + i] * narrow * room + sheen
    for k in range(3):
        lamp(batch, count, lights[9 * k : 9 * k + 9], lights[54:57], F(0.5) if k == 0 else _1)


@compiled
def lamp(batch: Floats, count: int, light: Floats, viewer: Floats, shaded: np.float32) -> None:
    """Add one lamp; hollows see `shaded` of its light less."""
    dx, dy, dz = light[0], light[1], light[2]
    red, green, blue = light[3], light[4], light[5]
    hx, hy, hz = light[6], light[7], light[8]
    vx, vy, vz = viewer[0], viewer[1], viewer[2]
    for i in range(count):
        x, y, z = batch[_X + i], batch[_Y + i], batch[_Z + i]
        cosine = x * dx + y * dy + z * dz
        p = max(x * hx + y * hy + z * hz, _0)
        facing = max(x * vx + y * vy + z * vz, _0)
        edge = (_1 - facing) * (_1 - facing)
        edge = edge * edge
        p2 = p * p
        p8 = p2 * p2 * p2 * p2
        p32 = p8 * p8 * p8 * p8
        p128 = p32 * p32 * p32 * p32
        gloss = batch[_GLOSS + i]
        glint = _HALF * p8 * p2 * p2 * (_1 - gloss) + F(1.5) * p32 * p32 * gloss * (F(1.2) - gloss)
        sharp = p128 * p128
        glint += gloss * gloss * gloss * F(2.4) * sharp * sharp + F(0.6) * edge * p8
        strength = _1 - shaded + shaded * batch[_OPEN + i]
        glint *= batch[_SPECULAR + i] * strength
        glint = glint if cosine > _0 else _0
        # blood lets red light round the corner farther than green and blue; the light is
        # spread over more skin, so there is less of it (1 - 0.8 far is near 1 / (1 + far))
        wrap = batch[_WRAP + i]
        far = wrap * F(0.30)
        batch[_OUT_R + i] += red * (
            batch[i] * max((cosine + far) * (_1 - F(0.8) * far), _0) * strength + glint
        )
        far = wrap * F(0.12)
        batch[_OUT_G + i] += green * (
            batch[_G + i] * max((cosine + far) * (_1 - F(0.8) * far), _0) * strength + glint
        )
        far = wrap * F(0.07)
        batch[_OUT_B + i] += blue * (
            batch[_B + i] * max((cosine + far) * (_1 - F(0.8) * far), _0) * strength + glint
        )


@compiled
def spilled(batch: Floats, count: int, lights: Floats, film: Floats) -> None:
    """Light a batch and add it to the film [H * W, 4]: colour, and how much is covered."""
    lit(batch, count, lights)
    for i in range(count):
        pixel = np.uint32(batch[_PIXEL + i])
        weight = batch[_WEIGHT + i]
        film[pixel, 0] += weight * batch[_OUT_R + i]
        film[pixel, 1] += weight * batch[_OUT_G + i]
        film[pixel, 2] += weight * batch[_OUT_B + i]
        film[pixel, 3] += weight


@inlined
def narrow_gap(seen: Ints, y: int, x: int) -> bool:
    """Whether an empty sample lies in a slit one or two samples wide, between lid and eye."""
    if x < 2 or x + 2 >= seen.shape[1]:
        return False
    if seen[y, x - 1] != 0:
        return bool(seen[y, x + 1] != 0 or seen[y, x + 2] != 0)
    return bool(seen[y, x - 2] != 0 and seen[y, x + 1] != 0)


@inlined
def blackened(film: Floats, pixel: int, weight: np.float32) -> None:
    """Add the dark inside of the head to the film."""
    film[pixel, 0] += weight * F(0.012)
    film[pixel, 1] += weight * F(0.004)
    film[pixel, 2] += weight * F(0.003)
    film[pixel, 3] += weight


@compiled
def shade(
    scene: Scene, near: Floats, seen: Ints, samples: int, background: Floats, film: Floats,
    picture: Bytes,
) -> None:  # fmt: skip
    """Draw on `picture` [H, W, 3], which holds the background; buffers are [H, W] * samples.

    `background` [H * W, 3] is linear light, and shows through where nothing is seen
    and where a region does not count. `film` [H * W, 4] is room to work in.
    """
    screen, triangles, kinds, table, finish, eye, grain, accents = scene[:8]
    lights, settings, curve, s, batch = scene[8:]
    width = picture.shape[1]
    floor, share = settings[FLOOR], _1 / F(samples * samples)
    detailed = settings[PARTIAL] > _0 or settings[GRAIN] > _0
    s[REGION] = _1
    film[:] = 0.0
    n = 0
    halving = samples - 1  # samples a pixel's side is 1 or 2; a shift, for division is slow
    for row in range(seen.shape[0]):
        begin = (row >> halving) * width
        for column in range(seen.shape[1]):
            mark = seen[row, column]
            if mark == 0:
                if narrow_gap(seen, row, column):
                    blackened(film, begin + (column >> halving), share)
                continue
            t = abs(mark) - 1
            kind = kinds[t]
            if kind == SKIN and mark > 0 and not detailed:
                skin_laid(
                    screen,
                    triangles,
                    table,
                    t,
                    column,
                    row,
                    settings[FOLDS],
                    finish,
                    n,
                    begin + (column >> halving),
                    share,
                    batch,
                )
                n += 1
                if n == SPAN:
                    spilled(batch, n, lights, film)
                    n = 0
                continue
            last = COLUMNS
            if kind == HAIR:
                last = PLACE + 3
            elif not detailed and kind in (SKIN, WET, TEETH):
                last = REGION
            mixed(screen, triangles, table, t, column, row, last, s)
            s[REGION] = s[REGION] if detailed else _1
            s[SPECULAR], s[GLOSS], s[WRAP] = finish[kind, 0], finish[kind, 1], finish[kind, 2]
            if mark < 0:
                for k in range(NORMAL, NORMAL + 3):
                    s[k] = -s[k]
            if mark < 0 and kind < HAIR:  # the inside of the head
                s[RED], s[GREEN], s[BLUE] = F(0.060), F(0.018), F(0.016)
                s[OPEN], s[SPECULAR] = F(0.2), _0
            elif kind <= FEATURE:
                skin_shaded(s, kind, accents, grain, settings)
            elif kind <= WET:
                hollow_shaded(s, kind, eye, near, row, column, settings[FOCAL])
            elif kind == HAIR:
                hair_shaded(s, grain)
            pixel = begin + (column >> halving)
            laid(s, n, pixel, (floor + (_1 - floor) * s[REGION]) * share, batch)
            n += 1
            if n == SPAN:
                spilled(batch, n, lights, film)
                n = 0
    spilled(batch, n, lights, film)
    developed(film, background, curve, picture)


@compiled
def developed(film: Floats, background: Floats, curve: Bytes, picture: Bytes) -> None:
    """Write the film over the background, through the response curve.

    Pixels without a sample are left as they are: the picture comes with the background.
    """
    flat = picture.reshape(-1)
    for i in range(film.shape[0]):
        if film[i, 3] == _0:
            continue
        rest = _1 - film[i, 3]
        for c in range(3):
            place = np.int32((film[i, c] + rest * background[i, c]) * PER_LIGHT)
            flat[3 * i + c] = curve[min(max(place, np.int32(0)), np.int32(STEPS - 1))]
