"""A take's folder as Live Link Face saves it: `YYYYMMDD_slate_take/`.

    take = read_take("20240131_MySlate_1")
    take.raw, take.cal, take.info.frames, take.frame_log, take.notes
    clip = read("20240131_MySlate_1")            # raw, or calibrated if that is all

Raw and calibrated coefficients are different quantities and never mixed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from semanticface.atomic import write_text
from semanticface.errors import BadInput
from semanticface.formats import livelink_csv, timecode
from semanticface.formats.take_metadata import (
    FrameLog,
    TakeInfo,
    Timestamp,
    VideoInfo,
    frame_log_text,
    info_json,
    read_frame_log,
    read_info,
    read_json,
    read_video,
)
from semanticface.rig.clip import FaceClip

__all__ = [
    "FrameLog",
    "Take",
    "TakeInfo",
    "Timestamp",
    "VideoInfo",
    "read",
    "read_take",
    "write",
    "write_take",
]

PathLike = str | os.PathLike[str]
Which = Literal["auto", "raw", "cal", "neutral"]

MIRRORED = "the movie may be mirrored: check before pairing its pictures with left and right"
_KINDS = ("raw", "cal", "neutral")
_LOG = "frame_log.csv"


@dataclass(frozen=True)
class Take:
    """Everything a take's folder holds, pictures and sound by path."""

    folder: Path
    info: TakeInfo
    raw: FaceClip | None
    cal: FaceClip | None
    neutral: FaceClip | None
    frame_log: FrameLog | None
    video: VideoInfo | None
    audio: Mapping[str, Any] | None
    movie: Path | None
    notes: tuple[str, ...]
    """What does not fit together, and what to mind."""


def read(folder: PathLike, *, which: Which = "auto", exchange_mouth: bool = True,
         exchange_jaw: bool = False, base: int | None = None) -> FaceClip:  # fmt: skip
    """One clip of a take; `auto` prefers raw to calibrated and notes the choice."""
    if which not in ("auto", *_KINDS):
        raise BadInput(f"which={which!r}", "auto, raw, cal or neutral")
    take = read_take(folder, exchange_mouth=exchange_mouth, exchange_jaw=exchange_jaw, base=base)
    there = {kind: getattr(take, kind) for kind in _KINDS if getattr(take, kind) is not None}
    chosen = which if which != "auto" else next(iter(there))
    if chosen not in there or (which == "auto" and chosen == "neutral"):
        raise BadInput(
            f"a take with {' and '.join(there)}", f"{'raw or cal' if which == 'auto' else which}",
            file=folder, hint="Choose with which= or --which.",
        )  # fmt: skip
    clip: FaceClip = there[chosen]
    notes = {**clip.meta.notes}
    others = [kind for kind in there if kind != chosen]
    if which == "auto" and others:
        notes["take"] = f"{chosen} read; {' and '.join(others)} also there: which='{others[0]}'"
    if take.notes:
        notes["take notes"] = list(take.notes)
    return clip.with_meta(notes=notes)


def read_take(folder: PathLike, *, exchange_mouth: bool = True, exchange_jaw: bool = False,
              base: int | None = None) -> Take:  # fmt: skip
    """Read a folder and compare its files with each other; doubts go to `notes`."""
    place = Path(folder)
    if not place.is_dir():
        raise BadInput("no such folder", "a take's folder", file=folder)
    notes: list[str] = []
    info = read_info(place / "take.json") if (place / "take.json").is_file() else TakeInfo()
    if info == TakeInfo():
        notes.append("no take.json: slate, take and calibration come from the file names")
    tables = _find_tables(place, info, notes)
    options: dict[str, Any] = {
        "exchange_mouth": exchange_mouth, "exchange_jaw": exchange_jaw, "base": base,
    }  # fmt: skip
    clips = {
        kind: _with_info(
            livelink_csv.read(path, calibrated=_calibrated(kind, path, info), **options), info
        )
        for kind, path in tables.items()
    }
    log = read_frame_log(place / _LOG) if (place / _LOG).is_file() else None
    notes += _compare(info, clips, log)
    movie = _movie(place, notes)
    return Take(
        place, info, clips.get("raw"), clips.get("cal"), clips.get("neutral"), log,
        _optional(place / "video_metadata.json", read_video),
        _optional(place / "audio_metadata.json", read_json), movie, tuple(notes),
    )  # fmt: skip


def _optional(path: Path, reader: Any) -> Any:
    return reader(path) if path.is_file() else None


# -- which file is which -----------------------------------------------------------


def _find_tables(place: Path, info: TakeInfo, notes: list[str]) -> dict[str, Path]:
    """The CSV of each kind, raw first."""
    found: dict[str, list[Path]] = {}
    for path in sorted(place.glob("*.csv")):
        if path.name != _LOG and not path.name.startswith("."):
            found.setdefault(_kind(path, info, notes), []).append(path)
    if not found:
        raise _no_tables(place)
    return {
        kind: _one_of(found[kind], kind, info, place) for kind in _KINDS if kind in found
    }  # fmt: skip


def _kind(path: Path, info: TakeInfo, notes: list[str]) -> str:
    for kind in _KINDS:
        if path.stem.endswith(f"_{kind}"):
            return kind
    if info.calibrated:
        notes.append(f"{path.name} taken for calibrated, because take.json says so")
        return "cal"
    return "raw"


def _calibrated(kind: str, path: Path, info: TakeInfo) -> bool | None:
    """What the name or take.json say; None where neither does."""
    named = path.stem.endswith(f"_{kind}")
    return kind == "cal" if named or info.calibrated is not None else None


def _one_of(paths: list[Path], kind: str, info: TakeInfo, place: Path) -> Path:
    stem = f"{info.slate}_{info.take}_{info.subject}"
    named = [path for path in paths if path.stem in (stem, f"{stem}_{kind}")]
    chosen = named if len(named) == 1 else paths
    if len(chosen) > 1:
        names = ", ".join(path.name for path in chosen[:4])
        raise BadInput(f"several {kind} tables: {names}", "one; read the file itself", file=place)
    return chosen[0]


def _no_tables(place: Path) -> BadInput:
    if (place / "depth_data.bin").exists() or list(place.glob("*.mhaical")):
        return BadInput(
            "a MetaHuman Animator take: depth and video, no blendshapes",
            "a take of Live Link Face's ARKit mode, whose CSV holds the coefficients",
            file=place,
            hint="MetaHuman Animator solves the face in Unreal; export the solved curves there.",
        )
    hint = "frame_log.csv holds times only." if (place / _LOG).exists() else ""
    return BadInput(
        "no CSV with coefficients", "{Slate}_{Take}_{Subject}.csv", file=place, hint=hint
    )


def _movie(place: Path, notes: list[str]) -> Path | None:
    movies = sorted(path for path in place.iterdir() if path.suffix.lower() in (".mov", ".mp4"))
    if not movies:
        return None
    if len(movies) > 1:
        notes.append(f"{len(movies)} movies; the first is taken: {movies[0].name}")
    notes.append(MIRRORED)
    return movies[0]


# -- do the files agree ------------------------------------------------------------


def _with_info(clip: FaceClip, info: TakeInfo) -> FaceClip:
    known = {"slate": info.slate, "take": info.take, "subject": info.subject}
    return clip.with_meta(**{key: value for key, value in known.items() if value is not None})


def _compare(info: TakeInfo, clips: Mapping[str, FaceClip], log: FrameLog | None) -> list[str]:
    notes = []
    kind, clip = next(iter(clips.items()))
    if info.frames is not None and kind != "neutral" and len(clip) - 1 != info.frames:
        notes.append(f"take.json counts {info.frames} frames, the CSV has {len(clip)} rows; "
                     "the app writes one less than rows")  # fmt: skip
    if info.calibrated is not None and info.calibrated != ("cal" in clips):
        said = "calibrated" if info.calibrated else "not calibrated"
        notes.append(f"take.json says {said}, the files are {' and '.join(clips)}")
    if log is not None and kind != "neutral":
        notes += _compare_log(log, clip)
    return notes


def _compare_log(log: FrameLog, clip: FaceClip) -> list[str]:
    """The log's B rows should be the CSV's timecodes."""
    try:
        stamps = [timecode.parse(text) for text in log.timecode[log.kind == "B"].tolist()]
    except BadInput as error:
        raise error.at(file=_LOG) from None
    if not stamps:
        return []
    if len(stamps) != len(clip):
        return [f"the frame log has {len(stamps)} B rows, the CSV {len(clip)} rows"]
    whole, frames = np.array(stamps).T
    base = clip.meta.base or 60
    times = timecode.past_midnight(timecode.seconds(whole, frames, base))
    apart = float(np.abs(times - clip.times).max()) * base
    return (
        [f"the frame log's B rows are up to {apart:.3f} frames off the CSV"] if apart > 1e-3 else []
    )


# -- writing -------------------------------------------------------------------------


def write(
    clip: FaceClip,
    folder: PathLike,
    *,
    fill: float | None = None,
    untracked: Literal["gap", "row"] = "row",
) -> tuple[str, ...]:
    """Make a take folder of one clip, which is raw unless it says that it is calibrated."""
    if clip.meta.calibrated:
        return write_take(folder, cal=clip, fill=fill, untracked=untracked)
    return write_take(folder, raw=clip, fill=fill, untracked=untracked)


def write_take(
    folder: PathLike,
    *,
    raw: FaceClip | None = None,
    cal: FaceClip | None = None,
    neutral: FaceClip | None = None,
    info: TakeInfo | None = None,
    frame_log: FrameLog | None = None,
    fill: float | None = None,
    untracked: Literal["gap", "row"] = "row",
) -> tuple[str, ...]:
    """Make a new take folder; return what the CSVs lost, empty if nothing.

    A raw clip alone gets the plain name, otherwise names end in `_raw`, `_cal`
    and `_neutral`, as the app does. The folder appears whole or not at all.
    """
    target = Path(folder)
    if target.exists():
        raise BadInput("a folder that is already there", "a new one", file=folder)
    given = zip(_KINDS, (raw, cal, neutral), strict=True)
    clips = {kind: clip for kind, clip in given if clip is not None}
    if not clips:
        raise BadInput("no clip", "raw=, cal= or neutral=")
    told = _complete_info(info or TakeInfo(), clips, untracked)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        report = _write_tables(temporary, clips, told, fill, untracked)
        write_text(temporary / "take.json", info_json(told))
        if frame_log is not None:
            write_text(temporary / _LOG, frame_log_text(frame_log))
        temporary.chmod(0o755)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return tuple(report)


def _write_tables(
    place: Path, clips: Mapping[str, FaceClip], info: TakeInfo, fill: float | None,
    untracked: Literal["gap", "row"],
) -> list[str]:  # fmt: skip
    report = []
    stem = f"{info.slate}_{info.take}_{info.subject}"
    for kind, clip in clips.items():
        name = f"{stem}.csv" if tuple(clips) == ("raw",) else f"{stem}_{kind}.csv"
        lost = livelink_csv.write(clip, place / name, fill=fill, untracked=untracked)
        report += [f"{name}: {line}" for line in lost]
    return report


def _complete_info(
    info: TakeInfo, clips: Mapping[str, FaceClip], untracked: Literal["gap", "row"]
) -> TakeInfo:
    """Fill what the clips know, and refuse what contradicts them."""
    clip = next(iter(clips.values()))
    calibrated = "cal" in clips
    for kind, each in clips.items():
        if each.meta.calibrated is not None and each.meta.calibrated != (kind == "cal"):
            found = "calibrated" if each.meta.calibrated else "raw"
            raise BadInput(f"a {found} clip as {kind}=", "raw and calibrated clips kept apart")
    if info.calibrated not in (None, calibrated):
        raise BadInput(
            f"calibrated={info.calibrated} beside {' and '.join(clips)}", str(calibrated)
        )
    rows = len(clip) if untracked == "row" else int(clip.tracked.sum())
    done = replace(
        info,
        slate=info.slate or clip.meta.slate or "Slate",
        take=1 if info.take is None and clip.meta.take is None else info.take or clip.meta.take,
        subject=info.subject or clip.meta.subject or "Face",
        frames=rows - 1 if info.frames is None else info.frames,
        calibrated=calibrated,
    )
    for name in (done.slate, done.subject):
        if name is None or not name.isprintable() or set(name) & set('/\\:*?"<>|'):
            raise BadInput(repr(name), "a slate and a subject that a file name can hold")
    return done
