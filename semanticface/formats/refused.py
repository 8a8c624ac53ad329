"""Formats that cannot hold a face's coefficients, and why."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from semanticface.errors import BadInput
from semanticface.formats.json_lines import PathLike

REFUSED: MappingProxyType[str, str] = MappingProxyType(
    {
        ".bvh": (
            "BVH holds a tree of joints with their offsets and rotations and nothing else: "
            "it has no place for blendshape weights, so 52 of the 61 values would be lost. "
            "Write GLB (.glb) or a Blender script (.py) to move a mesh, a CSV to keep the numbers."
        ),
    }
)


def refuse(path: PathLike) -> None:
    """Raise, with the reason, if the path's suffix is of a format that is refused."""
    suffix = Path(path).suffix.lower()
    if suffix in REFUSED:
        raise BadInput(f"a {suffix} file", "a format that holds blendshapes", file=path,
                       hint=REFUSED[suffix])  # fmt: skip
