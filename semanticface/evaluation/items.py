"""What is evaluated: takes with their reference, and what a source makes of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from semanticface.language.parsed import ParseReport
from semanticface.rig import FaceClip


class Item(NamedTuple):
    """One take: the reference, and the material a source may predict from."""

    take: str
    """Name of the take, unique in an evaluation; `{take}` in a source's pattern."""
    subject: str | None
    truth: FaceClip | None
    """The reference; None for an evaluation without any."""
    path: Path | None = None
    """The file the reference was read from; None for one made in memory."""
    sha256: str = ""
    """Of that file, or of the reference's numbers and times."""
    movie: Path | None = None
    """A movie of the take, with times on the reference's clock from its first frame on."""
    mirrored_movie: bool = False
    """The movie shows the performer as in a mirror."""
    alignment: Path | None = None
    """Words and phones of what is said, in seconds from the reference's first frame."""
    sound: Path | None = None
    """The recording of it, from the reference's first frame on."""


class Prediction(NamedTuple):
    """What a source says about one item."""

    clip: FaceClip
    """NaN where the source has no answer; never cut or filled to fit the reference."""
    reports: tuple[ParseReport, ...] = ()
    """One a frame, of sources that answer in text."""
    texts: tuple[str, ...] = ()
    """The answers themselves, one a frame."""
    notes: Mapping[str, Any] = {}
    """Anything a reader of the result should know, as JSON values."""
    cached: bool = False


class PairedFrames(NamedTuple):
    """One source on one take, frame by frame on the common grid, conventions put right."""

    source: str
    take: str
    pred: FaceClip
    truth: FaceClip
