"""Unity animation clips (.anim, YAML): blend shape curves, weights times 100.

Unity's blend shapes run from 0 to 100, so every value is multiplied by 100 and
stands as `blendShape.jawOpen` of the SkinnedMeshRenderer at `mesh_path`. Write
only: Unity's YAML is not a format to read takes from. Missing values get no key;
rotations are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import numpy as np

from semanticface.atomic import write_text
from semanticface.errors import BadInput
from semanticface.formats.frames import SHAPES, left_out, missing_note, not_carried, start_dropped
from semanticface.formats.json_lines import PathLike
from semanticface.rig import FaceClip, channel

_HEAD = """%YAML 1.1
%TAG !u! tag:unity3d.com,2011:
--- !u!74 &7400000
AnimationClip:
  m_ObjectHideFlags: 0
  m_Name: {name}
  serializedVersion: 7
  m_Legacy: 0
  m_Compressed: 0
  m_UseHighQualityCurve: 1
  m_RotationCurves: []
  m_CompressedRotationCurves: []
  m_EulerCurves: []
  m_PositionCurves: []
  m_ScaleCurves: []
  m_FloatCurves:
"""
_TAIL = """  m_PPtrCurves: []
  m_SampleRate: {rate}
  m_WrapMode: 0
  m_AnimationClipSettings:
    serializedVersion: 2
    m_StartTime: 0
    m_StopTime: {end}
    m_LoopTime: 0
  m_EditorCurves: []
  m_EulerEditorCurves: []
  m_HasGenericRootTransform: 0
  m_HasMotionFloatCurves: 0
  m_Events: []
"""


def write(
    clip: FaceClip,
    path: PathLike,
    *,
    name: str = "Face",
    mesh_path: str = "",
    case: Literal["camel", "pascal"] = "camel",
    rate: float = 60.0,
) -> tuple[str, ...]:
    """Write a .anim.

    `mesh_path`: path of the SkinnedMeshRenderer below the Animator, empty for the
    same object. `case`: of the blend shapes' names. `rate`: what Unity shows as
    the sample rate; keys keep their own times.
    """
    for what, text in (("name", name), ("mesh_path", mesh_path)):
        if not text.isprintable() or any(mark in text for mark in "\"':#{}[]&*\\"):
            raise BadInput(f"{what} {text!r}", "a plain name")
    if not len(clip):
        raise BadInput("a clip without frames", "at least one")
    times = clip.times - clip.times[0]
    shapes = [each for each in clip.names if each in SHAPES]
    parts = [_HEAD.format(name=name)]
    for shape in shapes:
        label = shape if case == "camel" else channel(shape).label
        parts += _curve(times, clip.column(shape), label, mesh_path)
    parts.append(_TAIL.format(rate=_number(rate), end=_number(float(times[-1]))))
    write_text(path, "".join(parts))
    return (
        "weights are multiplied by 100, as Unity counts them",
        *start_dropped(clip),
        *left_out(clip, SHAPES),
        *missing_note(clip.select(*shapes), "without a key: Unity will bridge them"),
        *not_carried(clip),
    )


def _curve(
    times: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    values: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    label: str,
    mesh_path: str,
) -> Iterator[str]:
    keys = [(float(t), float(v) * 100) for t, v in zip(times, values, strict=True) if v == v]
    if not keys:
        return
    yield "  - serializedVersion: 2\n    curve:\n      serializedVersion: 2\n      m_Curve:\n"
    slopes = _slopes(keys)
    for i, (time, value) in enumerate(keys):
        yield (
            f"      - serializedVersion: 3\n        time: {_number(time)}\n"
            f"        value: {_number(value)}\n        inSlope: {_number(slopes[max(i - 1, 0)])}\n"
            f"        outSlope: {_number(slopes[min(i, len(slopes) - 1)])}\n"
            "        tangentMode: 69\n        weightedMode: 0\n"
            "        inWeight: 0.33333334\n        outWeight: 0.33333334\n"
        )
    yield (
        "      m_PreInfinity: 2\n      m_PostInfinity: 2\n      m_RotationOrder: 4\n"
        f"    attribute: blendShape.{label}\n    path: {mesh_path}\n"
        "    classID: 137\n    script: {fileID: 0}\n"
    )


def _slopes(keys: list[tuple[float, float]]) -> list[float]:
    """Slope of each straight stretch from key to key; a single key lies flat."""
    stretches = pairwise(keys)
    return [(b[1] - a[1]) / (b[0] - a[0]) if b[0] > a[0] else 0.0 for a, b in stretches] or [0.0]


def _number(value: float) -> str:
    return f"{value:.9g}"
