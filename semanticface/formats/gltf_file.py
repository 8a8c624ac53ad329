"""The container of glTF: JSON, buffers and accessors, read with every bound checked.

A GLB is a header and two chunks; a .gltf is the JSON alone with its buffers as
data URIs or as files beside it. Read by hand rather than through pygltflib,
which trusts indices and lengths, so that a broken file is one clear error.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.formats.json_lines import PathLike, read_bytes

_MAGIC, _JSON, _BIN = b"glTF", b"JSON", b"BIN\0"
_TYPES: dict[int, tuple[str, float]] = {
    5120: ("<i1", 127.0),
    5121: ("<u1", 255.0),
    5122: ("<i2", 32767.0),
    5123: ("<u2", 65535.0),
    5126: ("<f4", 1.0),
}


@dataclass(frozen=True)
class GltfFile:
    """A file's JSON and its binary chunk."""

    path: PathLike
    root: dict[str, Any]
    blob: bytes | None
    max_bytes: int
    _lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False, compare=False)
    """Lists of the top level that were looked through already."""

    def items(self, key: str) -> list[dict[str, Any]]:
        """A list of the top level, empty if absent; every item must be an object."""
        if key not in self._lists:
            self._lists[key] = self.inner(self.root, key)
        return self._lists[key]

    def inner(self, holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
        """A list of objects under `key`, empty if absent."""
        listed = json_lines.sequence(holder.get(key, []), f"a list of {key}", file=self.path)
        return [json_lines.mapping(each, f"one of {key}", file=self.path) for each in listed]

    def at(self, items: list[dict[str, Any]], index: object, what: str) -> dict[str, Any]:
        """The item an index points to; an index that points nowhere is an error."""
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(items):
            found = f"the {what} {json_lines.shown(index)}"
            raise BadInput(found, f"one of {len(items)}", file=self.path)
        return items[index]

    def scalars(self, index: object) -> NDArray[np.float64]:
        """An accessor of single numbers as float64; integers must be normalized."""
        accessor = self.at(self.items("accessors"), index, "accessor")
        kind, scale = self._type(accessor)
        if "sparse" in accessor or "bufferView" not in accessor:
            raise BadInput("a sparse accessor", "plain animation data", file=self.path)
        view = self.at(self.items("bufferViews"), accessor["bufferView"], "bufferView")
        count = self._size(accessor, "count")
        begin = self._size(accessor, "byteOffset", 0)
        raw = self._view(view)[begin : begin + count * np.dtype(kind).itemsize]
        if len(raw) != count * np.dtype(kind).itemsize:
            raise BadInput(f"an accessor of {count} numbers past its data", "less", file=self.path)
        numbers = np.frombuffer(raw, dtype=kind).astype(np.float64)
        if not np.isfinite(numbers).all():
            row = int(np.flatnonzero(~np.isfinite(numbers))[0])
            raise BadInput("NaN or infinity", "numbers", file=self.path, row=row)
        return np.maximum(numbers / scale, -1.0) if scale > 1 else numbers

    def _type(self, accessor: dict[str, Any]) -> tuple[str, float]:
        kind = accessor.get("componentType")
        if not isinstance(kind, int) or kind not in _TYPES or accessor.get("type") != "SCALAR":
            found = f"an accessor of {json_lines.shown(accessor.get('type'))} {kind}"
            raise BadInput(found, "SCALAR numbers", file=self.path)
        if _TYPES[kind][1] > 1 and accessor.get("normalized") is not True:
            raise BadInput("whole numbers", "floats or normalized integers", file=self.path)
        return _TYPES[kind]

    def _size(self, holder: dict[str, Any], key: str, default: int | None = None) -> int:
        value = holder.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**40:
            raise BadInput(f"{key} {json_lines.shown(value)}", "a size in bytes", file=self.path)
        return value

    def _view(self, view: dict[str, Any]) -> bytes:
        data = self._buffer(view.get("buffer"))
        begin, size = self._size(view, "byteOffset", 0), self._size(view, "byteLength")
        if begin + size > len(data):
            raise BadInput("a bufferView past its buffer", f"{len(data)} bytes", file=self.path)
        return data[begin : begin + size]

    def _buffer(self, index: object) -> bytes:
        uri = self.at(self.items("buffers"), index, "buffer").get("uri")
        if uri is None:
            if self.blob is None or index != 0:
                raise BadInput("a buffer without data", "a uri", file=self.path)
            return self.blob
        if not isinstance(uri, str):
            raise BadInput(json_lines.shown(uri), "a uri", file=self.path)
        return self._embedded(uri) if uri.startswith("data:") else self._beside(uri)

    def _embedded(self, uri: str) -> bytes:
        try:
            return base64.b64decode(uri.partition(",")[2], validate=True)
        except (binascii.Error, ValueError):
            raise BadInput("a data URI that is not base64", "base64", file=self.path) from None

    def _beside(self, uri: str) -> bytes:
        """A file beside this one, never one elsewhere."""
        name = PurePosixPath(unquote(uri))
        outside = name.is_absolute() or ".." in name.parts or ":" in uri or "\\" in uri
        target = Path(self.path).parent / name
        if outside or "\0" in str(name) or not target.is_file():
            raise BadInput(f"the buffer '{uri[:60]}'", "a file beside this one", file=self.path)
        return read_bytes(target, max_bytes=self.max_bytes)


def open_gltf(path: PathLike, *, max_bytes: int) -> GltfFile:
    """Open a .glb or .gltf, told apart by its first bytes."""
    data = read_bytes(path, max_bytes=max_bytes)
    if data.startswith(_MAGIC):
        text, blob = _chunks(data, path)
    else:
        text, blob = data, None
    try:
        held = json_lines.parse(text.decode("utf-8-sig"), file=path)
    except UnicodeDecodeError:
        raise BadInput("bytes that are neither GLB nor text", "glTF", file=path) from None
    return GltfFile(path, json_lines.mapping(held, "a glTF document", file=path), blob, max_bytes)


def _chunks(data: bytes, path: PathLike) -> tuple[bytes, bytes | None]:
    """The JSON chunk and, if there is one, the binary chunk."""
    if len(data) < 12 or struct.unpack_from("<I", data, 4)[0] != 2:
        raise BadInput("a GLB of another version", "version 2", file=path)
    found: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= len(data):
        size, kind = struct.unpack_from("<I4s", data, at)
        chunk = data[at + 8 : at + 8 + size]
        if len(chunk) != size:
            raise BadInput("the end of the file", f"a chunk of {size} bytes", file=path)
        found.setdefault(kind, chunk)
        at += 8 + size
    if _JSON not in found:
        raise BadInput("a GLB without its JSON", "a JSON chunk", file=path)
    return found[_JSON], found.get(_BIN)
