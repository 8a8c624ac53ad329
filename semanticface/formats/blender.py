"""A Python script that sets the clip as keyframes on a mesh's shape keys in Blender.

Run it in Blender's text editor with the head selected, or
`blender head.blend --python clip.py`. Shape keys are found by name, whatever
their case, `jawOpen` or `eyeBlink_L` alike; those it cannot find are listed. Times
become frames at `fps`, the first frame of the clip at `first_frame`; missing
values get no key. Rotations are left out: how a head is rigged is not ours to
guess.
"""

from __future__ import annotations

import json
from string import Template

import numpy as np

from semanticface.atomic import write_text
from semanticface.errors import BadInput
from semanticface.formats.frames import SHAPES, left_out, missing_note, not_carried, start_dropped
from semanticface.formats.json_lines import PathLike, shortest
from semanticface.rig import ORDERS, FaceClip

_UNDERSCORED = dict(zip(SHAPES, ORDERS["underscored"].labels, strict=True))

_SCRIPT = Template('''"""Face animation for Blender: run with the head selected."""

import json

import bpy

FPS = $fps
OBJECT = $object  # name of the head, or None for the active object
ALIASES = json.loads("""$aliases""")
FRAMES = json.loads("""$frames""")
CURVES = json.loads("""$curves""")


def plain(name):
    return name.replace("_", "").lower()


def key_blocks():
    head = bpy.data.objects[OBJECT] if OBJECT else bpy.context.active_object
    keys = getattr(getattr(head, "data", None), "shape_keys", None)
    if keys is None:
        raise RuntimeError("select a mesh that has shape keys, then run this again")
    return {plain(block.name): block for block in keys.key_blocks}


def main():
    blocks = key_blocks()
    edit = bpy.context.preferences.edit
    before = edit.keyframe_new_interpolation_type
    edit.keyframe_new_interpolation_type = "LINEAR"
    missing = []
    for name, values in CURVES.items():
        block = blocks.get(plain(name)) or blocks.get(plain(ALIASES[name]))
        if block is None:
            missing.append(name)
            continue
        low, high = min(v for v in values if v is not None), max(v for v in values if v is not None)
        block.slider_min, block.slider_max = min(block.slider_min, low), max(block.slider_max, high)
        for frame, value in zip(FRAMES, values):
            if value is not None:
                block.value = value
                block.keyframe_insert("value", frame=frame)
    edit.keyframe_new_interpolation_type = before
    scene = bpy.context.scene
    scene.render.fps = round(FPS)
    scene.render.fps_base = round(FPS) / FPS
    scene.frame_start = int(FRAMES[0])
    scene.frame_end = max(scene.frame_start, int(-(-FRAMES[-1] // 1)))
    if missing:
        print("no shape key for:", ", ".join(missing))


main()
''')


def write(
    clip: FaceClip,
    path: PathLike,
    *,
    fps: float = 60.0,
    first_frame: float = 1.0,
    object_name: str | None = None,
) -> tuple[str, ...]:
    """Write the script. `object_name`: the head's name, otherwise the active object.

    Frames are not rounded: a time between two frames gets a key between them.
    """
    if not fps >= 1:
        raise BadInput(f"{fps:g} frames a second", "1 or more")
    if not len(clip):
        raise BadInput("a clip without frames", "at least one")
    shapes = [name for name in clip.names if name in SHAPES]
    curves = {name: [shortest(value) for value in clip.column(name)] for name in shapes}
    curves = {name: each for name, each in curves.items() if any(v is not None for v in each)}
    frames = (clip.times - clip.times[0]) * fps + first_frame
    write_text(
        path,
        _SCRIPT.substitute(
            fps=repr(float(fps)),
            object=repr(object_name),
            aliases=json.dumps({name: _UNDERSCORED[name] for name in curves}),
            frames=json.dumps(np.round(frames, 6).tolist()),
            curves=json.dumps(curves).replace("], ", "],\n"),
        ),
    )
    return (
        *start_dropped(clip),
        *left_out(clip, SHAPES),
        *missing_note(clip.select(*shapes), "without a key: Blender will bridge them"),
        *not_carried(clip),
    )
