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

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]

F = np.float32
_0, _HALF, _1 = F(0.0), F(0.5), F(1.0)

# places in a row of the table: a coat's columns, with room for what moves
RED, GREEN, BLUE, OPEN, NORMAL, FOLD, REGION, PLACE = 0, 1, 2, 3, 4, 7, 8, 9
BROW, LIP, LID, SPARE, COLUMNS = 12, 13, 14, 15, 16
# further places in `s`: how the surface shines, and a flat colour
SPECULAR, GLOSS, WRAP, OUT, SCRATCH = 16, 17, 18, 19, 32

# kinds of triangle
SKIN, FEATURE, EYE_LEFT, EYE_RIGHT, TEETH, WET, HAIR, LASH, KINDS = 0, 1, 2, 3, 4, 5, 6, 7, 8

# places in `settings`
FOCAL, FOLDS, FLOOR, GRAIN, PARTIAL = 0, 1, 2, 3, 4

_STEPS, _TOP = 4096, 1.6  # the response curve, and the light it ends at
_KNEE = 0.70
_PER_LIGHT = F(_STEPS / _TOP)


def response_curve() -> Bytes:
    """[4096] from linear light 0..1.6 to sRGB bytes, with a soft shoulder above 0.7."""
    light = (np.arange(_STEPS) + 0.5) / _STEPS * _TOP
    far = np.clip((light - _KNEE) / (_TOP - _KNEE), 0, 1)
    soft = np.where(light > _KNEE, _KNEE + (1 - _KNEE) * (1 - (1 - far) ** 3), light)
    coded = np.where(soft <= 0.0031308, 12.92 * soft, 1.055 * soft ** (1 / 2.4) - 0.055)
    coded[0] = 0  # no light is black
    return np.asarray(np.clip(np.rint(coded * 255), 0, 255), np.uint8)


def before_shoulder(light: Floats) -> Floats:
    """The light that the curve shows as `light` (0..1): so that a background keeps its colour."""
    far = np.clip((light - _KNEE) / (1 - _KNEE), 0, 1)
    bent = _KNEE + (_TOP - _KNEE) * (1 - np.cbrt(1 - far))
    return np.asarray(np.where(light > _KNEE, bent, light), np.float32)


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
def mixed(
    screen: Floats, triangles: Ints, table: Floats, t: int, x: int, y: int, detail: bool, s: Floats
) -> None:
    """Fill s[0:8], with `detail` s[0:16], with what triangle t carries at sample x, y."""
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
    for k in range(REGION):
        s[k] = wa * table[a, k] + wb * table[b, k] + wc * table[c, k]
    if detail:
        for k in range(REGION, COLUMNS):
            s[k] = wa * table[a, k] + wb * table[b, k] + wc * table[c, k]


@inlined
def smooth(value: np.float32, low: np.float32, high: np.float32) -> np.float32:
    """0 below `low`, 1 above `high`, smooth in between."""
    t = min(max((value - low) / (high - low), _0), _1)
    return F(t * t * (F(3.0) - F(2.0) * t))


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
    return top + fv * (low - top)


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
    """Fill `picture` [H, W, 3]; buffers are [H * samples, W * samples].

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
    for row in range(seen.shape[0]):
        for column in range(seen.shape[1]):
            mark = seen[row, column]
            if mark == 0:
                if narrow_gap(seen, row, column):
                    blackened(film, (row // samples) * width + column // samples, share)
                continue
            t = abs(mark) - 1
            kind = kinds[t]
            detail = detailed or (kind != SKIN and kind != WET and kind != TEETH)
            mixed(screen, triangles, table, t, column, row, detail, s)
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
            pixel = (row // samples) * width + column // samples
            laid(s, n, pixel, (floor + (_1 - floor) * s[REGION]) * share, batch)
            n += 1
            if n == SPAN:
                spilled(batch, n, lights, film)
                n = 0
    spilled(batch, n, lights, film)
    developed(film, background, curve, picture)


@compiled
def developed(film: Floats, background: Floats, curve: Bytes, picture: Bytes) -> None:
    """Write the picture: the film over the background, through the response curve."""
    flat = picture.reshape(-1)
    for i in range(film.shape[0]):
        rest = _1 - film[i, 3]
        for c in range(3):
            place = np.int32((film[i, c] + rest * background[i, c]) * _PER_LIGHT)
            flat[3 * i + c] = curve[min(max(place, np.int32(0)), np.int32(_STEPS - 1))]
