"""Parquet as a format like any other: nothing is lost."""

from __future__ import annotations

from semanticface.rig import FaceClip, load_parquet, save_parquet
from semanticface.rig.store import PathLike


def read(path: PathLike) -> FaceClip:
    """Read a clip that `write` wrote, or any Parquet with `time` and channel columns."""
    return load_parquet(path)


def write(clip: FaceClip, path: PathLike) -> tuple[str, ...]:
    """Write a clip; nothing is ever lost."""
    save_parquet(clip, path)
    return ()
