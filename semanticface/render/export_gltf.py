"""The head as GLB: 52 named shapes, a skeleton for head and eyes, and a clip as animation.

One mesh whose targets are named in `mesh.extras.targetNames`, skinned to four
joints (Bust, Head, EyeLeft, EyeRight), so that a viewer bends the neck exactly as
this package does: shapes first, then the eyes about their centres, then the head
about the neck with soft weights. Targets are sparse: only moved vertices are
stored. Colours are vertex colours (linear). Axes and metres are glTF's own.

A frame in which the face was lost gets no key; a player bridges it.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.atomic import write_bytes
from semanticface.errors import BadInput, need
from semanticface.render.coat import Coat, coat, openness
from semanticface.render.head import Head, gaze, load_head, rotation_matrix
from semanticface.render.layout import BROW, EYE_LEFT, EYE_RIGHT, HAIR, LASH, LIP, TEETH, WET
from semanticface.render.look import Look, look_of
from semanticface.render.picture import Identity
from semanticface.render.raster import vertex_normals
from semanticface.render.timeline import faces
from semanticface.rig import BLENDSHAPES, INDEX, FaceClip

Floats = NDArray[np.float32]

JOINTS = ("Bust", "Head", "EyeLeft", "EyeRight")
_FLOAT, _USHORT, _UINT, _UBYTE = 5126, 5123, 5125, 5121
_LEAST = 1e-6  # metres: smaller offsets are not stored


class Exported(NamedTuple):
    """What a written GLB holds, as read back from it."""

    targets: tuple[str, ...]
    keys: int
    """Animation frames, 0 without a clip."""
    seconds: float
    animated: tuple[str, ...]
    """Paths of the animation, such as `weights` or `Head rotation`."""
    bytes: int


def export(
    path: str | PathLike[str],
    clip: FaceClip | None = None,
    *,
    head: Head | None = None,
    identity: Identity = None,
    look: str | Look = "realistic",
    seed: int | None = None,
) -> Exported:
    """Write the head, with a clip as its animation, and check the file by reading it back."""
    lib = need("pygltflib", "render", "Writing GLB")
    used = head or load_head()
    offset = None if identity is None else used.identity_offset(identity)
    chosen = identity if isinstance(identity, int | np.integer) else 0
    painted = look_of(look, int(chosen) if seed is None else seed)
    blob = _Document(lib, used, offset, painted).written(clip)
    write_bytes(path, blob)
    return read_back(path)


class _Document:
    """A GLB in the making: accessors are appended to one buffer."""

    def __init__(self, lib: Any, head: Head, offset: Floats | None, look: Look) -> None:
        self._lib, self._head, self._look = lib, head, look
        self._base = head.neutral if offset is None else head.neutral + offset
        self._data = bytearray()
        self._gltf = lib.GLTF2(asset=lib.Asset(version="2.0", generator="semanticface"), scene=0)

    def written(self, clip: FaceClip | None) -> bytes:
        lib, gltf = self._lib, self._gltf
        gltf.meshes = [self._mesh()]
        self._skeleton()
        if clip is not None:
            gltf.animations = [self._animation(clip)]
        gltf.buffers = [lib.Buffer(byteLength=len(self._data))]
        gltf.set_binary_blob(bytes(self._data))
        return b"".join(gltf.save_to_bytes())

    # -- geometry -------------------------------------------------------------

    def _mesh(self) -> Any:
        lib, head = self._lib, self._head
        normals = _normals(self._base, head)
        painted = coat(head, self._look, openness(head))
        joints, weights = _bindings(head)
        attributes = lib.Attributes(
            POSITION=self._add(self._base, "VEC3", bounds=True),
            NORMAL=self._add(normals, "VEC3"),
            COLOR_0=self._add(_colours(painted, head), "VEC4"),
            JOINTS_0=self._add(joints, "VEC4"), WEIGHTS_0=self._add(weights, "VEC4"),
        )  # fmt: skip
        targets = [self._target(shape, normals) for shape in head.shapes]
        primitives = []
        for name, kinds, material in _MATERIALS:
            triangles = head.triangles[np.isin(painted.kinds, kinds)]
            if len(triangles):
                indices = self._add(triangles.astype(np.uint32).ravel(), "SCALAR", target=34963)
                self._gltf.materials.append(_material(lib, name, material, self._look))
                primitives.append(lib.Primitive(
                    attributes=attributes, indices=indices, targets=targets,
                    material=len(self._gltf.materials) - 1,
                ))  # fmt: skip
        return lib.Mesh(
            name="Face", primitives=primitives, weights=[0.0] * len(head.shapes),
            extras={"targetNames": [each.name for each in BLENDSHAPES]},
        )  # fmt: skip

    def _target(self, shape: Floats, normals: Floats) -> dict[str, int]:
        turned = _normals(self._base + shape, self._head) - normals
        turned[np.abs(turned).max(axis=1) < 0.02] = 0  # below what anybody sees
        return {"POSITION": self._sparse(shape, _LEAST, bounds=True),
                "NORMAL": self._sparse(turned, 1e-3)}  # fmt: skip

    def _skeleton(self) -> None:
        lib, gltf, head = self._lib, self._gltf, self._head
        centres = [_centre(head, self._base, side) for side in (0, 1)]
        neck = np.asarray(head.neck, np.float32)
        places = [np.zeros(3, np.float32), neck, *(centre - neck for centre in centres)]
        gltf.nodes = [
            lib.Node(name=name, translation=[float(x) for x in place])
            for name, place in zip(JOINTS, places, strict=True)
        ]
        gltf.nodes[0].children, gltf.nodes[1].children = [1], [2, 3]
        binds = np.tile(np.eye(4, dtype=np.float32), (4, 1, 1))
        binds[:, 3, :3] = -np.array([np.zeros(3), neck, *centres])  # columns first, as glTF stores
        gltf.nodes.append(lib.Node(name="Face", mesh=0, skin=0))
        bound = self._add(binds.reshape(4, 16), "MAT4")
        gltf.skins = [lib.Skin(joints=[0, 1, 2, 3], skeleton=0, inverseBindMatrices=bound)]
        gltf.scenes = [lib.Scene(nodes=[0, 4])]

    # -- animation ------------------------------------------------------------

    def _animation(self, clip: FaceClip) -> Any:
        lib = self._lib
        values, good = faces(clip)
        rows = values[good]
        times = np.asarray(clip.times[good] - clip.times[0], np.float32)
        if (np.diff(times) <= 0).any():
            raise BadInput("two frames at one time", "times that rise",
                           row=int(np.flatnonzero(np.diff(times) <= 0)[0]) + 1)  # fmt: skip
        keys = self._add(times, "SCALAR", bounds=True)
        animation = lib.Animation(name="Face", samplers=[], channels=[],
                                  extras={"start_seconds": float(clip.times[0])})  # fmt: skip
        self._track(animation, keys, 4, "weights", np.ascontiguousarray(rows[:, :52]).ravel())
        turns = {1: [_head_turn(row) for row in rows], 2: [_eye_turn(row, "left") for row in rows],
                 3: [_eye_turn(row, "right") for row in rows]}  # fmt: skip
        for node, matrices in turns.items():
            quaternions = _quaternions(np.array(matrices))
            if np.ptp(quaternions, axis=0).max() > 1e-6 or abs(quaternions[0, 3]) < 0.999999:
                self._track(animation, keys, node, "rotation", quaternions)
        return animation

    def _track(self, animation: Any, keys: int, node: int, path: str, output: Floats) -> None:
        lib = self._lib
        accessor = self._add(output, "SCALAR" if path == "weights" else "VEC4")
        animation.samplers.append(
            lib.AnimationSampler(input=keys, output=accessor, interpolation="LINEAR")
        )
        target = lib.AnimationChannelTarget(node=node, path=path)
        animation.channels.append(
            lib.AnimationChannel(sampler=len(animation.samplers) - 1, target=target)
        )

    # -- buffer ---------------------------------------------------------------

    def _add(self, array: NDArray[Any], kind: str, *, bounds: bool = False,
             target: int | None = None) -> int:  # fmt: skip
        lib, gltf = self._lib, self._gltf
        component = {"f": _FLOAT, "B": _UBYTE, "H": _USHORT, "I": _UINT}[array.dtype.char]
        per = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[kind]
        accessor = lib.Accessor(
            bufferView=self._view(array.tobytes(), target),
            componentType=component,
            count=array.size // per,
            type=kind,
        )
        if array.dtype == np.uint8 and kind == "VEC4" and array.max(initial=0) > len(JOINTS):
            accessor.normalized = True
        if bounds:
            _bound(accessor, array.reshape(-1, per))
        gltf.accessors.append(accessor)
        return len(gltf.accessors) - 1

    def _sparse(self, offsets: Floats, least: float, *, bounds: bool = False) -> int:
        """Zeros but for the vertices that move; at least one is stored, as glTF demands."""
        lib, gltf = self._lib, self._gltf
        moved = np.flatnonzero(np.abs(offsets).max(axis=1) > least)
        moved = moved if len(moved) else np.array([0])
        sparse = lib.Sparse(
            count=len(moved),
            indices=lib.AccessorSparseIndices(
                bufferView=self._view(moved.astype(np.uint32).tobytes()), componentType=_UINT
            ),
            values=lib.AccessorSparseValues(
                bufferView=self._view(offsets[moved].astype(np.float32).tobytes())
            ),
        )
        accessor = lib.Accessor(componentType=_FLOAT, count=len(offsets), type="VEC3",
                                sparse=sparse, bufferView=None)  # fmt: skip
        if bounds:
            stored = np.zeros_like(offsets)
            stored[moved] = offsets[moved]
            _bound(accessor, stored)
        gltf.accessors.append(accessor)
        return len(gltf.accessors) - 1

    def _view(self, raw: bytes, target: int | None = None) -> int:
        self._data += b"\0" * (-len(self._data) % 4)
        view = self._lib.BufferView(buffer=0, byteOffset=len(self._data), byteLength=len(raw))
        view.target = target
        self._data += raw
        self._gltf.bufferViews.append(view)
        return len(self._gltf.bufferViews) - 1


_MATERIALS = (
    ("Skin", (0, 1), 0.55), ("Eyes", (EYE_LEFT, EYE_RIGHT), 0.08), ("Teeth", (TEETH,), 0.25),
    ("Mouth", (WET,), 0.35), ("Hair", (HAIR, LASH), 0.6),
)  # fmt: skip
"""Name, kinds of triangle, roughness."""


def _material(lib: Any, name: str, roughness: float, look: Look) -> Any:
    return lib.Material(
        name=name, doubleSided=True,
        pbrMetallicRoughness=lib.PbrMetallicRoughness(
            baseColorFactor=[1.0, 1.0, 1.0, 1.0], metallicFactor=0.0, roughnessFactor=roughness
        ),
    )  # fmt: skip


def _bound(accessor: Any, rows: NDArray[Any]) -> None:
    accessor.min = [float(x) for x in rows.min(axis=0)]
    accessor.max = [float(x) for x in rows.max(axis=0)]


def _normals(vertices: Floats, head: Head) -> Floats:
    out = np.zeros((len(vertices), 3), np.float32)
    vertex_normals(np.ascontiguousarray(vertices, np.float32), head.triangles, out)
    return out


def _bindings(head: Head) -> tuple[NDArray[np.uint8], Floats]:
    """Joints [V, 4] and weights [V, 4]: bust and head by `turn`, eyeballs to their own joints."""
    joints = np.tile(np.array([1, 0, 0, 0], np.uint8), (len(head.neutral), 1))
    weights = np.zeros((len(head.neutral), 4), np.float32)
    turn = np.ones(len(head.neutral), np.float32) if head.turn is None else head.turn
    weights[:, 0], weights[:, 1] = turn, 1 - turn
    for side, eye in enumerate(head.eyes):
        joints[eye.vertices, 0] = 2 + side
        weights[eye.vertices] = 1, 0, 0, 0
    joints[weights == 0] = 0
    return joints, weights


def _centre(head: Head, base: Floats, side: int) -> Floats:
    eye, mean = head.eyes[side], head.eye_means[side]
    if not len(eye.vertices):
        return np.asarray(eye.centre, np.float32)
    return np.asarray(eye.centre + base[eye.vertices].mean(0) - mean, np.float32)


def _colours(painted: Coat, head: Head) -> NDArray[np.uint8]:
    """[V, 4] linear colours, with brows, lips and irises painted in."""
    columns, accents, eye = painted.columns, painted.accents, painted.eye
    colour = columns[:, :3].copy()
    for mask, accent in ((LIP, accents[1]), (BROW, accents[0])):
        colour += columns[:, mask, None] * (accent - colour)
    size = len(eye)
    for side, ball in enumerate(head.eyes):
        local = (head.neutral[ball.vertices] - ball.centre) / max(ball.radius, 1e-9)
        local[:, 0] *= 1 if side == 0 else -1
        row = np.clip((0.5 - 0.5 * local[:, 1]) * size, 0, size - 1).astype(int)
        column = np.clip((0.5 + 0.5 * local[:, 0]) * size, 0, size - 1).astype(int)
        front = local[:, 2] > 0
        colour[ball.vertices[front]] = eye[row[front], column[front]]
    alpha = np.ones((len(colour), 1), np.float32)
    opaque = np.concatenate([colour, alpha], axis=1)
    return np.asarray(np.rint(np.clip(opaque, 0, 1) * 255), np.uint8)


def _head_turn(row: Floats) -> Floats:
    yaw, pitch, roll = row[INDEX["headYaw"] : INDEX["headRoll"] + 1]
    return rotation_matrix(yaw, -pitch, roll)


def _eye_turn(row: Floats, side: str) -> Floats:
    yaw, pitch, roll = gaze(row, side)
    return rotation_matrix(-yaw, pitch, roll)


def _quaternions(matrices: NDArray[np.floating]) -> Floats:
    """[T, 4] x, y, z, w with signs that do not jump; angles stay below half a turn."""
    m = matrices.astype(np.float64)
    w = np.sqrt(np.maximum(1 + m[:, 0, 0] + m[:, 1, 1] + m[:, 2, 2], 1e-12)) / 2
    x = (m[:, 2, 1] - m[:, 1, 2]) / (4 * w)
    y = (m[:, 0, 2] - m[:, 2, 0]) / (4 * w)
    z = (m[:, 1, 0] - m[:, 0, 1]) / (4 * w)
    raw = np.stack([x, y, z, w], axis=1)
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)


def read_back(path: str | PathLike[str]) -> Exported:
    """Read a GLB again and check what a viewer relies on."""
    lib = need("pygltflib", "render", "Reading GLB")
    gltf = lib.GLTF2().load_binary(str(path))
    mesh = gltf.meshes[0]
    names = tuple(mesh.extras["targetNames"])
    for view in gltf.bufferViews:
        if view.byteOffset + view.byteLength > gltf.buffers[0].byteLength:
            raise BadInput("a buffer view past the buffer", "less", file=path)
    for primitive in mesh.primitives:
        if len(primitive.targets) != len(names) or len(mesh.weights) != len(names):
            raise BadInput(f"{len(primitive.targets)} targets for {len(names)} names", "as many",
                           file=path)  # fmt: skip
    keys, seconds, animated = _animated(gltf)
    return Exported(names, keys, seconds, animated, Path(path).stat().st_size)


def _animated(gltf: Any) -> tuple[int, float, tuple[str, ...]]:
    if not gltf.animations:
        return 0, 0.0, ()
    animation = gltf.animations[0]
    times = gltf.accessors[animation.samplers[0].input]
    paths = []
    for channel in animation.channels:
        node, path = gltf.nodes[channel.target.node], channel.target.path
        paths.append(path if path == "weights" else f"{node.name} {path}")
        output = gltf.accessors[animation.samplers[channel.sampler].output]
        per = len(gltf.meshes[0].weights) if path == "weights" else 1
        if output.count != times.count * per:
            raise BadInput(f"{output.count} values for {times.count} keys of {path}", "as many")
    return times.count, float(times.max[0]), tuple(paths)
