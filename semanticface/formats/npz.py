"""NPZ as a format like any other: nothing is lost."""

from __future__ import annotations

from semanticface.rig import FaceClip, load_npz, save_npz
from semanticface.rig.store import PathLike


def read(path: PathLike) -> FaceClip:
    """Read a clip that `write` wrote, or any NPZ with names, values and times."""
    return load_npz(path)


def write(clip: FaceClip, path: PathLike) -> tuple[str, ...]:
    """Write a clip; nothing is ever lost."""
    save_npz(clip, path)
    return ()
