"""Writing a changed clip, and saying what was done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from semanticface.rig import FaceClip


def must_differ(source: Path, target: Path) -> None:
    """Refuse to write a clip over its own source."""
    from semanticface.errors import BadInput

    if source.resolve() == target.resolve():
        raise BadInput("the source as target", "another file", file=target)


def save(before: FaceClip, after: FaceClip, target: Path) -> None:
    """Write `after`, and tell each convention that `before` did not have."""
    from semanticface import formats
    from semanticface.cli.console import err, note

    for text in after.meta.conventions[len(before.meta.conventions) :]:
        note(text)
    for text in formats.write(after, target):
        note(f"wrote: {text}")
    err().print(f"{len(after)} frames, {after.duration:.2f} s -> {target}", markup=False)
