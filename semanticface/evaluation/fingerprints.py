"""What a prediction rests on, as one hash: equal hashes promise equal predictions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semanticface import __version__
from semanticface.errors import BadInput
from semanticface.rig import RIG_VERSION, FaceClip

_MOVIES = (".mov", ".mp4")


def fingerprint(facts: Mapping[str, Any]) -> str:
    """SHA-256 of JSON facts, this package's version and the version of its channel table."""
    told = {**facts, "semanticface": __version__, "rig": RIG_VERSION}
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, a megabyte in memory at a time."""
    if not path.is_file():
        raise BadInput("no such file", "a file to read", file=path)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def path_sha256(path: Path) -> str:
    """Of a file; of a take's folder, all its files by name but the movie, which holds no numbers.

    SHA-256 over `name, NUL, hash, LF` of each, sorted by name.
    """
    if not path.is_dir():
        return file_sha256(path)
    held = sorted(each for each in path.iterdir() if each.is_file())
    lines = [f"{each.name}\0{file_sha256(each)}\n" for each in held if not _is_movie(each)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def code_sha256(package: str) -> str:
    """Of a part of this package as it is installed: `render`, `language`, `formats`.

    So that a change to how faces are drawn or answers are read is never overlooked
    between two releases.
    """
    return path_sha256(Path(__file__).resolve().parents[1] / package)


def clip_sha256(clip: FaceClip) -> str:
    """SHA-256 of a clip's numbers, times and mask, whatever file they came from."""
    digest = hashlib.sha256(f"{len(clip)}\n".encode())
    for array in (clip.values, clip.times, clip.present):
        digest.update(array.tobytes())
    return digest.hexdigest()


def _is_movie(path: Path) -> bool:
    return path.suffix.lower() in _MOVIES
