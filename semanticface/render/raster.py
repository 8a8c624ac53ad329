"""The rasteriser: which triangle is seen at each sample, and how near it is.

A z-buffer in plain loops. Per frame it gets new vertices, makes smooth normals,
and writes two buffers: `near` (1 / metres, 0 for nothing) and `seen` (the number
of the triangle plus one; negative where its back is seen, 0 for nothing). Colour
comes later, once for each sample (`shade`), so hidden triangles cost almost
nothing.

Backs are kept, because behind parted lips or lids one looks at the inside of the
head: the shader paints them as a dark cavity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semanticface.render.compiled import compiled
from semanticface.render.layout import FOLD, NORMAL

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Flags = NDArray[np.uint8]


@compiled
def vertex_normals(vertices: Floats, triangles: Ints, out: Floats) -> None:
    """Fill `out` [V, 3] with smooth unit normals, outwards.

    Triangles weigh in by their area. A vertex without area points forwards.
    """
    out[:] = 0.0
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux = vertices[b, 0] - vertices[a, 0]
        uy = vertices[b, 1] - vertices[a, 1]
        uz = vertices[b, 2] - vertices[a, 2]
        vx = vertices[c, 0] - vertices[a, 0]
        vy = vertices[c, 1] - vertices[a, 1]
        vz = vertices[c, 2] - vertices[a, 2]
        nx = uy * vz - uz * vy
        ny = uz * vx - ux * vz
        nz = ux * vy - uy * vx
        for i in (a, b, c):
            out[i, 0] += nx
            out[i, 1] += ny
            out[i, 2] += nz
    for i in range(out.shape[0]):
        x, y, z = out[i, 0], out[i, 1], out[i, 2]
        length = np.sqrt(x * x + y * y + z * z)
        if length > np.float32(0.0):
            out[i, 0], out[i, 1], out[i, 2] = x / length, y / length, z / length
        else:
            out[i, 2] = np.float32(1.0)


@compiled
def folds(
    vertices: Floats, triangles: Ints, normals: Floats, rest: Floats, sums: Floats, out: Floats
) -> None:
    """Fill `out` [V] with how much deeper than at rest the skin is folded at each vertex.

    The measure is the distance of a vertex below the mean of its neighbours, in
    edge lengths: positive in a furrow. `rest` [V] is subtracted; `sums` [V, 4] is room to work in.
    """
    sums[:] = 0.0
    for t in range(triangles.shape[0]):
        for k in range(3):
            i, j = triangles[t, k], triangles[t, (k + 1) % 3]
            x = vertices[j, 0] - vertices[i, 0]
            y = vertices[j, 1] - vertices[i, 1]
            z = vertices[j, 2] - vertices[i, 2]
            length = np.sqrt(x * x + y * y + z * z)
            sums[i, 0] += x
            sums[i, 1] += y
            sums[i, 2] += z
            sums[i, 3] += length
    for i in range(vertices.shape[0]):
        if sums[i, 3] > np.float32(0.0):
            lift = (
                sums[i, 0] * normals[i, 0] + sums[i, 1] * normals[i, 1] + sums[i, 2] * normals[i, 2]
            )
            out[i] = lift / sums[i, 3] - rest[i]
        else:
            out[i] = np.float32(0.0)


@compiled
def filed(normals: Floats, fold: Floats, table: Floats) -> None:
    """Write normals [V, 3] and folds [V] into their columns of the shader's table."""
    for i in range(table.shape[0]):
        table[i, NORMAL] = normals[i, 0]
        table[i, NORMAL + 1] = normals[i, 1]
        table[i, NORMAL + 2] = normals[i, 2]
        table[i, FOLD] = fold[i]


@compiled
def draw(screen: Floats, triangles: Ints, closed: Flags, near: Floats, seen: Ints) -> None:
    """Fill `near` and `seen` [H, W] from `screen` [V, 3]: pixel x, pixel y, nearness.

    `closed` [F] is 1 for triangles of solid bodies, whose backs are never seen.

    A sample sits in the middle of its cell. Each row of a triangle is one span,
    found by dividing, so that the inner loop only compares nearness. Spans reach a
    thousandth of a pixel over the edge: no pinholes between neighbours. Where two
    triangles are equally near, the first in the list is kept.
    """
    height, width = near.shape
    near[:] = 0.0
    seen[:] = 0
    flat, marks = near.reshape(-1), seen.reshape(-1)
    half, zero, one = np.float32(0.5), np.float32(0.0), np.float32(1.0)
    slack, tiny = np.float32(1e-3), np.float32(1e-12)
    for t in range(triangles.shape[0]):
        a, b, c = np.uint32(triangles[t, 0]), np.uint32(triangles[t, 1]), np.uint32(triangles[t, 2])
        ax, ay, an = screen[a, 0], screen[a, 1], screen[a, 2]
        bx, by = screen[b, 0] - ax, screen[b, 1] - ay
        cx, cy = screen[c, 0] - ax, screen[c, 1] - ay
        area = cx * by - bx * cy  # y points down: positive when seen from outside
        if area == zero or (area < zero and closed[t] != 0):
            continue
        left = max(np.int32(np.ceil(ax + min(bx, cx, zero) - half - slack)), np.int32(0))
        right = min(np.int32(np.floor(ax + max(bx, cx, zero) - half + slack)), np.int32(width - 1))
        top = max(np.int32(np.ceil(ay + min(by, cy, zero) - half)), np.int32(0))
        bottom = min(np.int32(np.floor(ay + max(by, cy, zero) - half)), np.int32(height - 1))
        if left > right or top > bottom:
            continue
        mark = np.int32(t + 1) if area > zero else np.int32(-t - 1)
        scale = one / area
        # the three weights are linear in x and y; a step to the right, a step down
        bdx, bdy = -cy * scale, cx * scale
        cdx, cdy = by * scale, -bx * scale
        adx, ady = -bdx - cdx, -bdy - cdy
        px, py = np.float32(left) + half - ax, np.float32(top) + half - ay
        wb, wc = px * bdx + py * bdy, px * cdx + py * cdy
        wa = one - wb - wc
        nb, nc = screen[b, 2] - an, screen[c, 2] - an
        ndx, ndy = bdx * nb + cdx * nc, bdy * nb + cdy * nc
        n_row = an + wb * nb + wc * nc
        # an edge bounds the span from the left where its weight grows, else from the
        # right: left bound = weight * l + m, right bound = weight * r + q, no branches
        ia = -one / (adx if adx != zero else tiny)
        ib = -one / (bdx if bdx != zero else tiny)
        ic = -one / (cdx if cdx != zero else tiny)
        span = np.float32(right - left)
        wide = span + slack
        la, ra = (ia, zero) if ia < zero else (zero, ia)
        lb, rb = (ib, zero) if ib < zero else (zero, ib)
        lc, rc = (ic, zero) if ic < zero else (zero, ic)
        qa = wide if ia < zero else slack
        qb = wide if ib < zero else slack
        qc = wide if ic < zero else slack
        base = np.int64(top * width + left)
        for _ in range(bottom - top + 1):
            low = max(wa * la - slack, wb * lb - slack, wc * lc - slack, zero)
            high = min(wa * ra + qa, wb * rb + qb, wc * rc + qc, span)
            if low <= high:
                first = np.ceil(low)
                n = n_row + first * ndx
                for k in range(base + np.int64(first), base + np.int64(high) + 1):
                    at = np.uint64(k)
                    if n > flat[at]:
                        flat[at] = n
                        marks[at] = mark
                    n += ndx
            wa += ady
            wb += bdy
            wc += cdy
            n_row += ndy
            base += width
