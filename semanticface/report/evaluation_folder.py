"""Everything an evaluation leaves behind, in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from semanticface.atomic import write_text
from semanticface.errors import MissingExtra
from semanticface.evaluation.frames import save_frames
from semanticface.evaluation.run import Outcome


class Written(NamedTuple):
    """What was written, and what could not be."""

    files: tuple[Path, ...]
    missing: tuple[str, ...]
    """Why a file is not there, with the pip line that brings it."""


def write(
    outcome: Outcome, folder: Path, *, channels: Sequence[str] | None = None, identity: int = 0,
    page: bool = True, frames: bool = True,
) -> Written:  # fmt: skip
    """`result.json`, `frames.parquet` and `index.html`."""
    from semanticface.report.comparison_page import comparison_page

    folder.mkdir(parents=True, exist_ok=True)
    result = folder / "result.json"
    outcome.evaluation.save(result)
    done, missing = [result], []
    if frames and outcome.frames:
        try:
            save_frames(outcome.frames, folder / "frames.parquet")
            done.append(folder / "frames.parquet")
        except MissingExtra as error:
            missing.append(str(error))
    if page:
        text = comparison_page(
            outcome.evaluation, outcome.frames, channels=channels or None, identity=identity
        )
        write_text(folder / "index.html", text)
        done.append(folder / "index.html")
    return Written(tuple(done), tuple(missing))
