"""Every format clips come in and go out as, and how to tell which one a file is.

A format is a module with `read(path, **options) -> FaceClip` and, or,
`write(clip, path, **options) -> tuple[str, ...]` (what was lost, rounded or
filled). Modules are imported when first used.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from semanticface.errors import BadInput, did_you_mean
from semanticface.formats.refused import refuse
from semanticface.rig import FaceClip

PathLike = str | os.PathLike[str]


class Format(NamedTuple):
    """One format: its key on the command line, what it is, and where its code is."""

    key: str
    about: str
    suffixes: tuple[str, ...]
    module: str
    reads: bool = True
    writes: bool = True
    signs: tuple[str, ...] = ()
    """Text of which one must stand near the top of a file with a shared suffix."""


_HERE = "semanticface.formats"
CATALOGUE: tuple[Format, ...] = (
    Format("livelink-csv", "Live Link Face take, CSV", (".csv",), f"{_HERE}.livelink_csv",
           signs=("timecode,blendshapecount",)),
    Format("take", "Live Link Face take folder", ("/",), f"{_HERE}.take"),
    Format("livelink-udp", "recorded Live Link UDP packets", (".gesichter",),
           f"{_HERE}.livelink_udp"),
    Format("npz", "NumPy archive, without loss", (".npz",), f"{_HERE}.npz"),
    Format("parquet", "Parquet, without loss", (".parquet",), f"{_HERE}.parquet"),
    Format("clip-jsonl", "one JSON object a frame, without loss", (".jsonl",),
           f"{_HERE}.jsonl_clip", signs=('"semanticface"',)),
    Format("mediapipe", "MediaPipe Face Landmarker results", (".json", ".jsonl"),
           f"{_HERE}.mediapipe", signs=("face_blendshapes", "faceblendshapes")),
    Format("audio2face", "Audio2Face-3D CSV", (".csv",), f"{_HERE}.audio2face",
           signs=("blendshapes.",)),
    Format("lam", "LAM and BEAT JSON", (".json",), f"{_HERE}.lam_json", signs=('"weights"',)),
    Format("azure", "Azure visemes, 55 values at 60 fps", (".json", ".jsonl"), f"{_HERE}.azure",
           signs=('"blendshapes"',)),
    Format("keyframeface", "KeyframeFace results", (".jsonl",), f"{_HERE}.keyframe_jsonl",
           signs=('keyframe_',)),
    Format("semanticface", "SemanticFace results", (".jsonl",), f"{_HERE}.semanticface_jsonl",
           signs=('"response"',)),
    Format("gltf", "morph animation of a GLB or glTF", (".glb", ".gltf"), f"{_HERE}.gltf"),
    Format("vmc", "recorded VMC (OSC) datagrams", (".vmc",), f"{_HERE}.vmc"),
    Format("ifacialmocap", "recorded iFacialMocap datagrams", (".ifm",), f"{_HERE}.ifacialmocap"),
    Format("blender", "script that keys shape keys in Blender", (".py",), f"{_HERE}.blender",
           reads=False),
    Format("unity", "Unity animation clip", (".anim",), f"{_HERE}.unity_anim", reads=False),
)  # fmt: skip
FORMATS: dict[str, Format] = {each.key: each for each in CATALOGUE}
_TOP = 65_536


def by_key(key: str) -> Format:
    """The format called `key`."""
    if key not in FORMATS:
        raise BadInput(
            f"format '{key}'", f"one of {', '.join(FORMATS)}", hint=did_you_mean(key, FORMATS)
        )
    return FORMATS[key]


def recognise(path: PathLike) -> Format:
    """Which format a file to be read is, by its suffix and, where shared, its beginning."""
    path = Path(path)
    refuse(path)
    if path.is_dir():
        return FORMATS["take"]
    if not path.exists():
        raise BadInput("no such file", "a file to read", file=path)
    suited = [each for each in CATALOGUE if each.reads and path.suffix.lower() in each.suffixes]
    if not suited:
        raise _unknown(path, "reads")
    if len(suited) == 1:
        return suited[0]
    top = _beginning(path)
    for each in suited:
        if any(sign in top for sign in each.signs):
            return each
    raise BadInput(
        f"a {path.suffix} file that begins {top[:60]!r}",
        f"one of {', '.join(each.key for each in suited)}",
        file=path, hint="If you know which it is, say so with --from.",
    )  # fmt: skip


def for_writing(path: PathLike) -> Format:
    """Which format a file to be written gets by its suffix; the first of the catalogue wins."""
    refuse(path)
    text = os.fspath(path)
    suffix = "/" if text.endswith(("/", os.sep)) else Path(path).suffix.lower()
    for each in CATALOGUE:
        if each.writes and suffix in each.suffixes:
            return each
    raise _unknown(Path(path), "writes")


def read(path: PathLike, key: str | None = None, **options: Any) -> FaceClip:
    """Read a clip from any file; `options` go to the format's reader, by name."""
    chosen = by_key(key) if key else recognise(path)
    if not chosen.reads:
        raise BadInput(f"format '{chosen.key}'", "one that can be read; this one is only written")
    clip: FaceClip = _function(chosen, "read", options)(path, **options)
    if not clip.meta.format:
        clip = clip.with_meta(format=chosen.key)
    return clip


def write(
    clip: FaceClip, path: PathLike, key: str | None = None, **options: Any
) -> tuple[str, ...]:
    """Write a clip to any file; says what the format could not hold."""
    chosen = by_key(key) if key else for_writing(path)
    if not chosen.writes:
        raise BadInput(f"format '{chosen.key}'", "one that can be written; this one is only read")
    notes: tuple[str, ...] = _function(chosen, "write", options)(clip, path, **options)
    return notes


def accepts(chosen: Format, verb: str, option: str) -> bool:
    """Whether a format's reader or writer has an option of that name."""
    function = getattr(import_module(chosen.module), verb, None)
    return function is not None and option in inspect.signature(function).parameters


def _function(chosen: Format, verb: str, options: dict[str, Any]) -> Callable[..., Any]:
    for option in options:
        if not accepts(chosen, verb, option):
            doer = {"read": "reader", "write": "writer"}[verb]
            raise BadInput(f"the option '{option}'", f"one that the {doer} of '{chosen.key}' has")
    function: Callable[..., Any] = getattr(import_module(chosen.module), verb)
    return function


def _beginning(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(_TOP)
    return raw.decode("utf-8-sig", "replace").lower()


def _unknown(path: Path, verb: str) -> BadInput:
    known = dict.fromkeys(s for each in CATALOGUE if getattr(each, verb) for s in each.suffixes)
    return BadInput(
        f"the suffix '{path.suffix}'", f"one of {', '.join(known)}", file=path,
        hint="Name the format with --from or --to if the suffix is unusual.",
    )  # fmt: skip
