"""The skin: which faces of the body belong to the bust, and its soft paint masks."""

from __future__ import annotations

import io

import numpy as np
from head_build.hair import brow_mask, scalp
from head_build.parts import Part, compact, ramp, split_quads
from head_build.source import Array, Base, Index, Material
from PIL import Image

_SKIN = np.array((0.56, 0.33, 0.235))
_LIPS = np.array((0.47, 0.165, 0.150))
_MOUTH = np.array((0.20, 0.045, 0.045))
_FLUSH = np.array((0.60, 0.25, 0.19))
_BROW = np.array((0.10, 0.062, 0.043))
_LID = np.array((0.47, 0.245, 0.18))
_TINTS = (("cheeks", _FLUSH, 0.45), ("nose", _FLUSH, 0.35), ("ears", _FLUSH, 0.3),
          ("lids", _LID, 0.5), ("lips", _LIPS, 0.9), ("brows", _BROW, 0.45),
          ("hair", _BROW, 0.8), ("inside", _MOUTH, 1.0))  # fmt: skip
_TEXTURES = {"lips": "lips", "lids": "eyelids", "inside": "inside-mouth", "ears": "ears"}


def bust(base: Base, rest: Array) -> Index:
    """Quads of head, neck and the slope of the shoulders; `rest` has the eyes at the origin."""
    quads = base.faces["body"]
    points = rest[quads]
    high = points[..., 1].min(1) > -0.225
    near = np.abs(points[..., 0]).max(1) < 0.130
    return quads[high & near]


def skin(material: Material, base: Base, rest: Array) -> Part:
    """Skin with masks: lips, lids, cheeks, brows, hair, inside (of the mouth), nose."""
    used, quads = compact(bust(base, rest))
    points = rest[used]
    masks = {name: _sampled(material, base, used, file) for name, file in _TEXTURES.items()}
    partner = np.searchsorted(used, base.mirror[used])
    paint = {name: (value + value[partner]) / 2 for name, value in masks.items()}
    paint["cheeks"] = _blob(points, (0.040, -0.040, 0.010), (0.024, 0.019, 0.040))
    paint["nose"] = _blob(points, (0.0, -0.035, 0.040), (0.016, 0.014, 0.020))
    paint["brows"] = brow_mask(points)
    paint["hair"] = ramp(scalp(points), -0.006, 0.004)
    paint["lips"] *= 1 - ramp(paint["inside"], 0.4, 0.9)
    corners = _blob(points, (0.0235, -0.072, 0.018), (0.0034, 0.0030, 0.0070))
    shaded = albedo(paint) * (1 - 0.6 * corners[:, None])
    return Part("skin", used, None, split_quads(quads, points), shaded, paint=paint)


def albedo(paint: dict[str, Array]) -> Array:
    """Linear RGB of the default look."""
    colour = np.tile(_SKIN, (len(paint["lips"]), 1))
    for name, tint, amount in _TINTS:
        share = amount * paint[name][:, None]
        colour = colour * (1 - share) + tint * share
    return colour


def _blob(
    points: Array, centre: tuple[float, float, float], size: tuple[float, float, float]
) -> Array:
    """A soft spot on both sides of the face, 1 at its centre."""
    folded = np.c_[np.abs(points[:, 0]), points[:, 1:]]
    return np.asarray(np.exp(-(((folded - centre) / size) ** 2).sum(1)))


def _sampled(material: Material, base: Base, used: Index, file: str) -> Array:
    """A mask texture read at the vertices, the mean over a vertex's corners in the layout."""
    image = Image.open(io.BytesIO(material.read(f"mpfb2/textures/mpfb_{file}.jpg"))).convert("L")
    pixels = np.asarray(image, np.float64) / 255
    at = base.texture
    row = np.clip(((1 - at[:, 1]) * pixels.shape[0]).astype(int), 0, pixels.shape[0] - 1)
    column = np.clip((at[:, 0] * pixels.shape[1]).astype(int), 0, pixels.shape[1] - 1)
    value = pixels[row, column]
    total, count = np.zeros(len(base.vertices)), np.zeros(len(base.vertices))
    np.add.at(total, base.faces["body"], value[base.uv["body"]])
    np.add.at(count, base.faces["body"], 1)
    return np.asarray((total / np.maximum(count, 1))[used])
