"""One shard of rendered faces: people, poses, light, faces, bytes.

The camera stands straight in front, nearer or farther, and heads turn: a camera that
stood aside would show a turn that the head's numbers do not tell.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.images import ImageRef
from semanticface.data.plan import ENCODINGS, Part, Plan, Setting, subject
from semanticface.data.records import Record, in_table_order
from semanticface.data.shards import Sample, Shard, write_shard
from semanticface.motion.expressions import sample_frames
from semanticface.render import camera as cameras
from semanticface.render.camera import Camera
from semanticface.render.crop import framing_points
from semanticface.render.head import Head, load_head
from semanticface.render.light import Lamp, Lights
from semanticface.render.look import Look, look_of
from semanticface.render.picture import Renderer
from semanticface.rig import INDEX, into_range

Floats = NDArray[np.float32]

YAW, PITCH = 0.21, 0.12
"""Spread in radians of how a head is held during a setting, cut at two and a half times it."""
_NEAREST, _FARTHEST = 0.82, 1.12
"""Distance of the camera as a share of the one at which the head fills the picture."""
_ASIDE = 0.04
_KNOTS = (1, 3, 9)
_TURNS = [INDEX["headYaw"], INDEX["headPitch"]]


class Frames(NamedTuple):
    """Faces of a shard, and how many of their values had to be brought into range."""

    values: Floats
    moved: int


def make_part(plan: Plan, part: Part, folder: Path) -> Shard:
    """Draw and write one shard."""
    faces = faces_of(plan, part)
    suffix, _ = ENCODINGS[plan.encoding]
    samples = _mixed(plan, part, samples_of(plan, part, faces.values))
    return write_shard(folder, part.name, part.side, samples, suffix, faces.moved)


def faces_of(plan: Plan, part: Part) -> Frames:
    """The shard's coefficients [frames, 61]."""
    seed = plan.stream("faces", part.side, part.number)
    values = sample_frames(part.frames, seed, coverage=plan.coverage)
    for setting, frames in _by_setting(plan, part):
        rng = np.random.default_rng(plan.stream("pose", part.side, setting.number))
        held = np.clip(rng.standard_normal(2), -2.5, 2.5) * (YAW, PITCH)
        rows = np.array(frames) - part.first
        values[rows[:, None], _TURNS] += held.astype(np.float32)
    ranged = into_range(values)
    return Frames(ranged.values, ranged.moved)


def _by_setting(plan: Plan, part: Part) -> Iterator[tuple[Setting, list[int]]]:
    """The shard's frames, by number on their side, that share a setting."""
    numbered = range(part.first, part.first + part.frames)
    for setting, frames in groupby(numbered, lambda frame: plan.setting(part.side, frame)):
        yield setting, list(frames)


def samples_of(plan: Plan, part: Part, values: Floats) -> Iterator[Sample]:
    """Records and pictures in the order of their settings, for a setting is slow to change."""
    for setting, frames in _by_setting(plan, part):
        renderer = renderer_of(plan, part, setting)
        for frame in frames:
            face = values[frame - part.first]
            yield (
                _record(part, setting, frame, face),
                encoded(renderer.render(face), plan.encoding),
            )


def _mixed(plan: Plan, part: Part, samples: Iterator[Sample]) -> list[Sample]:
    """Shuffled, so that whoever reads in order does not see one person at a time."""
    held = list(samples)
    order = np.random.default_rng(plan.stream("order", part.side, part.number))
    return [held[i] for i in order.permutation(len(held))]


def _record(part: Part, setting: Setting, frame: int, face: Floats) -> Record:
    return Record(
        id=f"{part.side}-{frame:08d}", image=ImageRef(path="-"), targets=in_table_order(face),
        subject=subject(setting.identity), frame=frame, identity=setting.identity,
        look=setting.look, split=part.side, licence="CC0-1.0", consent="synthetic",
        source="semanticface synth",
    )  # fmt: skip


def renderer_of(plan: Plan, part: Part, setting: Setting, view: Camera | None = None) -> Renderer:
    """A person at a distance and in a light that the setting's own random stream chooses.

    `view`: a camera instead of the one that the stream places; the light stays.
    """
    rng = np.random.default_rng(plan.stream("setting", part.side, setting.number))
    head = load_head()
    look = look_of(setting.look, setting.identity)
    return Renderer(
        head, look=replace(look, lights=_lit(look, rng)), identity=setting.identity,
        view=view or _placed(head, setting.identity, plan.size, rng), size=plan.size,
        background=_backdrop(plan.size, rng), antialias=plan.antialias,
    )  # fmt: skip


def _placed(head: Head, identity: int, size: int, rng: np.random.Generator) -> Camera:
    """A camera straight before the face, nearer or farther, the face not quite in the middle."""
    shown = framing_points(head, head.identity_offset(identity), "full")
    framed = cameras.frame(Camera(), shown, size, size)
    span = framed.distance * np.tan(framed.lens / 2)
    aside, up = rng.uniform(-_ASIDE, _ASIDE, 2) * span
    target = np.array(framed.target) + aside * framed.axes[0] + up * framed.axes[1]
    return replace(
        framed, distance=framed.distance * float(rng.uniform(_NEAREST, _FARTHEST)),
        target=(float(target[0]), float(target[1]), float(target[2])),
    )  # fmt: skip


def _lit(look: Look, rng: np.random.Generator) -> Lights:
    """The look's lights from another direction, brighter or dimmer, on either side."""
    lights = look.lights.mirrored() if rng.random() < 0.5 else look.lights
    power = rng.uniform(0.65, 1.25, 4)
    key, fill, rim = (
        _moved(lamp, float(share), rng)
        for lamp, share in zip((lights.key, lights.fill, lights.rim), power[:3], strict=True)
    )
    room = float(power[3])
    return replace(
        lights, key=key, fill=fill, rim=rim, sky=_times(lights.sky, room),
        ground=_times(lights.ground, room),
    )  # fmt: skip


def _moved(lamp: Lamp, share: float, rng: np.random.Generator) -> Lamp:
    x, y, z = (float(each) for each in np.array(lamp.towards) + rng.normal(0, 0.2, 3))
    return Lamp((x, y, z), _times(lamp.colour, share))


def _times(colour: tuple[float, float, float], share: float) -> tuple[float, float, float]:
    red, green, blue = colour
    return red * share, green * share, blue * share


def _backdrop(size: int, rng: np.random.Generator) -> Floats:
    """[size, size, 3] linear light: patches of colour from smooth to small."""
    from PIL import Image

    picture = np.zeros((size, size, 3), np.float32) + rng.uniform(0.03, 0.5, 3).astype(np.float32)
    for knots in _KNOTS:
        grid = rng.uniform(-0.16, 0.16, (knots, knots, 3)).astype(np.float32)
        for channel in range(3):
            patch = Image.fromarray(np.ascontiguousarray(grid[..., channel]))
            stretched = patch.resize((size, size), Image.Resampling.BICUBIC)
            picture[..., channel] += np.asarray(stretched)
    return np.asarray(np.clip(picture, 0.01, 0.9), np.float32)


def encoded(picture: NDArray[np.uint8], encoding: str) -> bytes:
    """The picture as a file's bytes."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, encoding, **ENCODINGS[encoding][1])
    return stream.getvalue()
