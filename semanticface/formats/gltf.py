"""glTF and GLB: morph weights as an animation of a mesh with named targets.

Reading takes the weights animation of any file whose meshes name their targets
(`mesh.extras.targetNames`). Writing makes a GLB with a triangle as carrier that
has one target for each shape of the clip; it moves nothing worth looking at, but
names and curves can be copied onto a head.

glTF times are float32 and begin at zero, so a clip's start goes to the
animation's `extras` and comes back from there. Weights cannot say "missing": a
frame without a face gets no key, and a single missing value is an error.
Rotations are left out: the carrier has no head to turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.atomic import write_bytes
from semanticface.errors import BadInput, did_you_mean, need
from semanticface.formats import json_lines
from semanticface.formats.frames import SHAPES, clip_of_table, left_out, not_carried
from semanticface.formats.gltf_file import GltfFile, open_gltf
from semanticface.formats.json_lines import MAX_BYTES, PathLike
from semanticface.rig import INDEX, NAMES, ClipMeta, FaceClip

_MOST_TARGETS = 65_536
_START = "start_seconds"
_FLOAT, _ARRAY_BUFFER = 5126, 34962


def read(
    path: PathLike,
    *,
    animation: int | str | None = None,
    mesh: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> FaceClip:
    """Read a weights animation.

    `animation`: its number or name, otherwise the first that has weights.
    `mesh`: take the weights of the mesh (or node) of that name only. Where
    several meshes share a target the first one's weights are taken, and a
    convention says so if the others differ. Targets that are no channel become
    extra columns.
    """
    file = open_gltf(path, max_bytes=max_bytes)
    chosen, tracks = _chosen(file, animation)
    named = [each for each in tracks if mesh in (None, *each.names)]
    if not named:
        known = sorted({name for each in tracks for name in each.names})
        raise BadInput(f"no mesh '{mesh}'", f"one of {known}", file=path,
                       hint=did_you_mean(str(mesh), known))  # fmt: skip
    labels, table, conventions = _merged(file, named)
    extras = chosen.get("extras")
    start = extras.get(_START, 0.0) if isinstance(extras, dict) else 0.0
    times = named[0].times + json_lines.number(start, file=path, column=_START)
    meta = ClipMeta(Path(path).name, "gltf", conventions=tuple(conventions))
    return clip_of_table(labels, table, times.tolist(), meta, file=path)


def write(clip: FaceClip, path: PathLike) -> tuple[str, ...]:
    """Write a GLB: a carrier mesh with one target a shape, and the clip as its animation."""
    names = [name for name in clip.names if name in SHAPES]
    if not names:
        raise BadInput("a clip without any of the 52 shapes", "at least one")
    weights = clip.values[:, [INDEX[name] for name in names]]
    tracked = np.asarray(~np.isnan(weights).all(axis=1), dtype=np.bool_)
    times = _from_start(clip, tracked)
    _refuse_holes(weights, tracked, names)
    blob = _document(names, times, weights[tracked], float(clip.times[tracked][0]))
    write_bytes(path, blob)
    return (*_notes(clip, tracked, times), *left_out(clip, SHAPES), *not_carried(clip))


@dataclass(frozen=True)
class _Track:
    """Weights of one mesh over time: [T] and [T, targets]."""

    names: tuple[str, ...]
    """What the mesh and its node are called."""
    labels: list[str]
    times: NDArray[np.float64]
    weights: NDArray[np.float64]
    interpolation: str


def _chosen(file: GltfFile, wanted: int | str | None) -> tuple[dict[str, Any], list[_Track]]:
    animations = file.items("animations")
    if isinstance(wanted, int):
        animations = animations[wanted : wanted + 1] if wanted >= 0 else []
    elif wanted is not None:
        animations = [each for each in animations if each.get("name") == wanted]
    for each in animations:
        if tracks := list(_tracks(file, each)):
            return each, tracks
    which = "" if wanted is None else f" '{wanted}'"
    raise BadInput(f"no animation{which} of morph weights", "one", file=file.path)


def _tracks(file: GltfFile, animation: dict[str, Any]) -> Iterator[_Track]:
    samplers = file.inner(animation, "samplers")
    for channel in file.inner(animation, "channels"):
        target = json_lines.mapping(channel.get("target"), file=file.path)
        if target.get("path") == "weights" and "node" in target:
            yield _track(file, target, file.at(samplers, channel.get("sampler"), "sampler"))


def _track(file: GltfFile, target: dict[str, Any], sampler: dict[str, Any]) -> _Track:
    node = file.at(file.items("nodes"), target["node"], "node")
    mesh = file.at(file.items("meshes"), node.get("mesh"), "mesh")
    labels = _target_names(file, mesh)
    times = file.scalars(sampler.get("input"))
    flat = file.scalars(sampler.get("output"))
    interpolation = str(sampler.get("interpolation", "LINEAR"))
    keys = 3 if interpolation == "CUBICSPLINE" else 1
    if len(flat) != len(times) * len(labels) * keys:
        raise BadInput(
            f"{len(flat)} weights for {len(times)} times and {len(labels)} targets",
            f"{len(times) * len(labels) * keys}", file=file.path,
        )  # fmt: skip
    weights = flat.reshape(len(times), keys, len(labels))[:, keys // 2]
    called = tuple(str(each["name"]) for each in (mesh, node) if "name" in each)
    return _Track(called, labels, times, weights, interpolation)


def _target_names(file: GltfFile, mesh: dict[str, Any]) -> list[str]:
    for holder in (mesh, *file.inner(mesh, "primitives")):
        extras = holder.get("extras")
        if isinstance(extras, dict) and "targetNames" in extras:
            return json_lines.names(extras["targetNames"], file=file.path, most=_MOST_TARGETS)
    raise BadInput(
        f"the mesh '{mesh.get('name', '')}' with nameless targets", "extras.targetNames",
        file=file.path, hint="Export shape keys with their names.",
    )  # fmt: skip


def _merged(
    file: GltfFile, tracks: list[_Track]
) -> tuple[list[str], NDArray[np.float64], list[str]]:
    """Labels, weights [T, labels] of all tracks, and what had to be decided."""
    columns: dict[str, NDArray[np.float64]] = {}
    differing: list[str] = []
    for track in tracks:
        if not np.array_equal(track.times, tracks[0].times):
            raise BadInput(
                f"meshes {tracks[0].names[:1]} and {track.names[:1]} with keys at other times",
                "the same keys", file=file.path, hint="Choose one by mesh.",
            )  # fmt: skip
        for label, column in zip(track.labels, track.weights.T, strict=True):
            if not np.array_equal(columns.setdefault(label, column), column):
                differing.append(label)
    told = [
        f"{kind} keys read, taken as linear"
        for kind in sorted({track.interpolation for track in tracks} - {"LINEAR"})
    ]
    if differing:
        shared = ", ".join(dict.fromkeys(differing))
        told.append(f"meshes differ in {shared}: the first taken")
    table = np.stack(list(columns.values()), axis=1) if columns else np.zeros((0, 0))
    return list(columns), table.reshape(len(tracks[0].times), len(columns)), told


def _from_start(clip: FaceClip, tracked: NDArray[np.bool_]) -> NDArray[np.float32]:
    if not tracked.any():
        raise BadInput("a clip without a tracked frame", "at least one")
    kept = clip.times[tracked]
    times = np.asarray(kept - kept[0], dtype=np.float32)
    close = np.flatnonzero(np.diff(times) <= 0)
    if len(close):
        row = int(np.flatnonzero(tracked)[int(close[0]) + 1])
        raise BadInput(
            f"a frame at the time of the one before ({clip.times[row]:g})", "times that rise",
            row=row,
        )  # fmt: skip
    return times


def _refuse_holes(
    weights: NDArray[np.float32], tracked: NDArray[np.bool_], names: list[str]
) -> None:
    holes = np.argwhere(np.isnan(weights) & tracked[:, None])
    if len(holes):
        row, column = holes[0]
        raise BadInput(
            "a missing value", "a number: glTF has no missing weights", row=int(row),
            column=names[column], hint="Leave the channel out or fill it first.",
        )  # fmt: skip


def _notes(clip: FaceClip, tracked: NDArray[np.bool_], times: NDArray[np.float32]) -> Iterator[str]:
    exact = clip.times[tracked]
    worst = float(np.abs(exact - exact[0] - times).max())
    if worst > 0:
        yield f"times rounded to float32, by at most {worst:.2g} seconds"
    if lost := int((~tracked).sum()):
        yield f"{lost} frames without a face have no key: players will bridge them"
    if absent := [name for name in NAMES[:52] if name not in clip.names]:
        yield f"no target for what the clip does not have: {', '.join(absent)}"


def _document(
    names: list[str], times: NDArray[np.float32], weights: NDArray[np.float32], start: float
) -> bytes:
    """The GLB: one triangle, its targets, the animation."""
    lib = need("pygltflib", "formats", "Writing GLB")
    triangle = np.array([[-0.05, 0, 0], [0.05, 0, 0], [0, 0.1, 0]], dtype=np.float32)
    moved = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 0.01]], dtype=np.float32)
    gltf = lib.GLTF2(
        asset=lib.Asset(version="2.0", generator="semanticface"),
        scene=0,
        scenes=[lib.Scene(nodes=[0])],
        nodes=[lib.Node(name="FaceCarrier", mesh=0)],
        meshes=[_mesh(lib, names)],
        animations=[_animation(lib, start)],
    )
    data = b""
    for array, kind in (
        (triangle, "VEC3"),
        (moved, "VEC3"),
        (times, "SCALAR"),
        (weights, "SCALAR"),
    ):
        raw = np.ascontiguousarray(array, dtype="<f4").tobytes()
        view = lib.BufferView(buffer=0, byteOffset=len(data), byteLength=len(raw))
        if kind == "VEC3":
            view.target = _ARRAY_BUFFER
        gltf.bufferViews.append(view)
        gltf.accessors.append(_accessor(lib, len(gltf.accessors), array, kind))
        data += raw
    gltf.buffers = [lib.Buffer(byteLength=len(data))]
    gltf.set_binary_blob(data)
    return b"".join(gltf.save_to_bytes())


def _mesh(lib: Any, names: list[str]) -> Any:
    primitive = lib.Primitive(
        attributes=lib.Attributes(POSITION=0), targets=[{"POSITION": 1} for _ in names]
    )
    return lib.Mesh(
        name="FaceCarrier",
        primitives=[primitive],
        weights=[0.0] * len(names),  # the rest pose, which glTF wants as a default
        extras={"targetNames": names},
    )


def _animation(lib: Any, start: float) -> Any:
    target = lib.AnimationChannelTarget(node=0, path="weights")
    return lib.Animation(
        name="Face",
        channels=[lib.AnimationChannel(sampler=0, target=target)],
        samplers=[lib.AnimationSampler(input=2, output=3, interpolation="LINEAR")],
        extras={_START: start},
    )


def _accessor(lib: Any, view: int, array: NDArray[np.float32], kind: str) -> Any:
    accessor = lib.Accessor(
        bufferView=view, componentType=_FLOAT, type=kind,
        count=array.size // (3 if kind == "VEC3" else 1),
    )  # fmt: skip
    if view != 3:  # positions and times must state their bounds
        rows = array.reshape(-1, 3 if kind == "VEC3" else 1)
        accessor.min = [float(each) for each in rows.min(axis=0)]
        accessor.max = [float(each) for each in rows.max(axis=0)]
    return accessor
