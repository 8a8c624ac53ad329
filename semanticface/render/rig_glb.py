"""A GLB or glTF with morph targets: all its meshes in one, by target name."""

from __future__ import annotations

import itertools
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, need
from semanticface.render.rig_obj import RawRig

Doubles = NDArray[np.float64]

_TYPES = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32,
          5126: np.float32}  # fmt: skip
_WIDTH = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_TRIANGLES = 4


def read_glb(path: Path) -> RawRig:
    """Every triangle mesh of the file, placed by its node; targets of one name are one shape."""
    library = need("pygltflib", "formats", "Reading a GLB rig")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # a wrong version is a wrong file
            document = library.GLTF2().load(str(path))
    except (ValueError, KeyError, OSError, TypeError, UserWarning, struct.error) as error:
        raise BadInput(
            f"a file that does not open ({error})", "GLB or glTF 2.0", file=path
        ) from error
    if document is None:
        raise BadInput("a file that does not open", "GLB or glTF 2.0", file=path)
    pieces = [
        piece
        for node, matrix in _placed(document)
        if document.nodes[node].mesh is not None
        for piece in _Mesh(document, path, node, matrix).pieces()
    ]
    if not pieces:
        raise BadInput("no triangle mesh", "a mesh with morph targets", file=path)
    return _joined(pieces, path)


def _placed(document: Any) -> list[tuple[int, Doubles]]:
    """Nodes of the scene and their world matrices."""
    if document.scenes:
        roots = document.scenes[document.scene or 0].nodes or []
    else:
        children = set(itertools.chain.from_iterable(n.children or [] for n in document.nodes))
        roots = [i for i in range(len(document.nodes)) if i not in children]
    found: list[tuple[int, Doubles]] = []
    waiting = [(root, np.eye(4)) for root in roots]
    while waiting:
        number, above = waiting.pop(0)
        node = document.nodes[number]
        matrix = above @ _local(node)
        found.append((number, np.eye(4) if node.skin is not None else matrix))
        waiting += [(child, matrix) for child in node.children or []]
    return found


def _local(node: Any) -> Doubles:
    if node.matrix:
        return np.array(node.matrix, np.float64).reshape(4, 4).T
    x, y, z, w = node.rotation or (0, 0, 0, 1)
    turn = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.array(node.scale or (1, 1, 1))
    matrix[:3, 3] = node.translation or (0, 0, 0)
    return matrix


class _Mesh:
    """The triangle primitives of one node."""

    def __init__(self, document: Any, path: Path, node: int, matrix: Doubles) -> None:
        self._document, self._path, self._matrix = document, path, matrix
        self._mesh = document.meshes[document.nodes[node].mesh]
        extras = self._mesh.extras if isinstance(self._mesh.extras, dict) else {}
        self._names = [str(name) for name in extras.get("targetNames", [])]

    def pieces(self) -> list[RawRig]:
        """One raw rig a primitive."""
        return [
            self._piece(each)
            for each in self._mesh.primitives
            if each.mode in (None, _TRIANGLES) and each.attributes.POSITION is not None
        ]

    def _piece(self, primitive: Any) -> RawRig:
        if "KHR_draco_mesh_compression" in (primitive.extensions or {}):
            raise BadInput(f"Draco compression in mesh '{self._mesh.name}'", "plain buffers",
                           file=self._path, hint="Export again without compression.")  # fmt: skip
        turn = self._matrix[:3, :3]
        points = self._read(primitive.attributes.POSITION) @ turn.T + self._matrix[:3, 3]
        corners = (
            np.arange(len(points) // 3 * 3, dtype=np.float64)
            if primitive.indices is None
            else self._read(primitive.indices).ravel()
        )
        shapes = {}
        for number, target in enumerate(primitive.targets or []):
            at = target["POSITION"] if isinstance(target, dict) else target.POSITION
            if at is not None:
                shapes[self._name(number)] = self._read(at) @ turn.T
        colour = np.tile(self._colour(primitive), (len(points), 1))
        faces = corners.astype(np.int32).reshape(-1, 3)
        if np.linalg.det(turn) < 0:
            faces = faces[:, ::-1]
        return RawRig(points, faces, shapes, colour)

    def _name(self, number: int) -> str:
        if number < len(self._names):
            return self._names[number]
        return f"{self._mesh.name or 'mesh'} target {number}"

    def _colour(self, primitive: Any) -> Doubles:
        plain = np.array((0.56, 0.33, 0.235))
        if primitive.material is None:
            return plain
        material = self._document.materials[primitive.material].pbrMetallicRoughness
        if material is None or material.baseColorTexture is not None:
            return plain
        return np.array((material.baseColorFactor or [1, 1, 1, 1])[:3], np.float64)

    def _read(self, number: int) -> Doubles:
        """An accessor as numbers [n, width], sparse values filled in."""
        accessor = self._document.accessors[number]
        width = _WIDTH[accessor.type]
        values = np.zeros((accessor.count, width))
        if accessor.bufferView is not None:
            values = self._view(accessor, accessor.bufferView, accessor.byteOffset or 0,
                                accessor.componentType, accessor.count, width)  # fmt: skip
        if accessor.normalized:
            values = values / float(np.iinfo(str(np.dtype(_TYPES[accessor.componentType]))).max)
        sparse = accessor.sparse
        if sparse is not None:
            places = self._view(accessor, sparse.indices.bufferView, sparse.indices.byteOffset or 0,
                                sparse.indices.componentType, sparse.count, 1)  # fmt: skip
            values[places[:, 0].astype(np.int64)] = self._view(
                accessor, sparse.values.bufferView, sparse.values.byteOffset or 0,
                accessor.componentType, sparse.count, width)  # fmt: skip
        return values

    def _view(
        self, accessor: Any, view: int, offset: int, component: int, count: int, width: int
    ) -> Doubles:
        place = self._document.bufferViews[view]
        kind = np.dtype(_TYPES[component]).newbyteorder("<")
        blob = self._bytes(place.buffer)
        start = (place.byteOffset or 0) + offset
        step = place.byteStride or kind.itemsize * width
        if start + step * (count - 1) + kind.itemsize * width > len(blob):
            raise BadInput("a buffer that ends too early", f"{count} values", file=self._path)
        rows = np.ndarray((count, width), kind, blob, start, (step, kind.itemsize))
        return rows.astype(np.float64)

    def _bytes(self, number: int) -> bytes:
        buffer = self._document.buffers[number]
        if buffer.uri is None:
            return self._document.binary_blob() or b""
        data: bytes = self._document.get_data_from_buffer_uri(buffer.uri)
        return data


def _joined(pieces: list[RawRig], path: Path) -> RawRig:
    names = list(dict.fromkeys(name for piece in pieces for name in piece.shapes))
    if not names:
        raise BadInput("meshes without morph targets", "targets named after face channels",
                       file=path)  # fmt: skip
    starts = np.cumsum([0, *(len(piece.neutral) for piece in pieces)])
    shapes = {
        name: np.concatenate(
            [piece.shapes.get(name, np.zeros_like(piece.neutral)) for piece in pieces]
        )
        for name in names
    }
    colours = [piece.colour for piece in pieces if piece.colour is not None]
    return RawRig(
        np.concatenate([piece.neutral for piece in pieces]),
        np.concatenate([p.triangles + s for p, s in zip(pieces, starts, strict=False)]).astype(
            np.int32
        ),
        shapes,
        np.concatenate(colours),
    )
