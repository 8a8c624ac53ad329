"""`semanticface describe`: a clip or its frames in words."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.options import Clip, From, Mouth, Rate, load

if TYPE_CHECKING:
    from semanticface.language.description import Description
    from semanticface.rig import FaceClip


class Language(StrEnum):
    """Languages of descriptions."""

    en = "en"
    zh = "zh"


def describe(
    clip_file: Clip,
    at: Annotated[
        list[float] | None,
        typer.Option(help="Seconds from the start of the clip; may be given several times."),
    ] = None,
    every: Annotated[
        float | None, typer.Option(help="Describe a frame every so many seconds.", min=0.001)
    ] = None,
    language: Annotated[Language, typer.Option(help="English or Chinese.")] = Language.en,
    facs: Annotated[bool, typer.Option("--facs", help="Add FACS action units.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed, another choice of words.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write every frame's description as JSON lines."),
    ] = None,
    source_format: From = None,
    exchange_mouth: Mouth = None,
    rate: Rate = None,
) -> None:
    """Say in words what a face does: the clip as a whole and its most expressive moment.

    [bold]Examples[/bold]

    semanticface describe take.csv

    semanticface describe take.csv --at 1.5 --at 3.2 --facs

    semanticface describe take.csv --every 0.5 --language zh

    semanticface describe take.csv -o descriptions.jsonl      (every frame)
    """
    from semanticface.errors import BadInput

    given = [("--at", at), ("--every", every), ("--output", output)]
    several = [name for name, value in given if value]
    if len(several) > 1:
        raise BadInput(" and ".join(several), "one of them")
    clip = load(clip_file, source_format, exchange_mouth=exchange_mouth, rate=rate)
    options = {"language": language.value, "facs": facs}
    if output is not None:
        _write_all(clip, output, seed, options)
        return
    chosen = _frames(clip, at, every)
    if chosen is None:
        _say_clip(clip, language.value, seed)
        chosen = [_peak(clip)]
    for index in chosen:
        _say_frame(clip, index, seed, options)


def _frames(clip: FaceClip, at: list[float] | None, every: float | None) -> list[int] | None:
    import numpy as np

    from semanticface.errors import BadInput

    if not len(clip):
        raise BadInput("a clip without frames", "at least one to describe")
    if every is not None:
        wanted = np.arange(0, clip.duration + 1e-9, every)
    elif at:
        wanted = np.array(at)
        for moment in at:
            if not 0 <= moment <= clip.duration + 0.05:
                raise BadInput(f"--at {moment:g}", f"seconds from 0 to {clip.duration:.3f}")
    else:
        return None
    from_start = clip.times - clip.times[0]
    after = np.searchsorted(from_start, wanted).clip(1, max(len(clip) - 1, 1))
    nearest = after - (wanted - from_start[after - 1] < from_start[after % len(clip)] - wanted)
    return list(dict.fromkeys(nearest.clip(0, len(clip) - 1).tolist()))


def _peak(clip: FaceClip) -> int:
    """The frame in which the shapes are fullest."""
    import numpy as np

    return int(np.nansum(np.where(clip.values[:, :52] > 0.1, clip.values[:, :52], 0), 1).argmax())


def _say_clip(clip: FaceClip, language: str, seed: int) -> None:
    from semanticface.cli.console import out
    from semanticface.language.temporal import describe_clip

    told = describe_clip(clip, language=language, seed=seed)
    out().print("[bold]The clip[/bold]")
    out().print(told.text, markup=False, soft_wrap=True)


def _say_frame(clip: FaceClip, index: int, seed: int, options: dict[str, Any]) -> None:
    from semanticface.cli.console import out
    from semanticface.language.describe import describe as put_into_words

    seconds = clip.times[index] - clip.times[0]
    out().print(f"\n[bold]Frame {index}, at {seconds:.3f} s[/bold]")
    if not clip.tracked[index]:
        out().print("the face was lost")
        return
    told = put_into_words(clip.values[index], seed=seed + index, **options)
    for field, text in told.as_analysis().items():
        out().print(f"[cyan]{field.replace('_', ' '):<22}[/cyan]", end="")
        out().print(text, markup=False, soft_wrap=True)


def _write_all(clip: FaceClip, output: Path, seed: int, options: dict[str, Any]) -> None:
    import json

    from semanticface.atomic import whole_file
    from semanticface.cli.console import err, track
    from semanticface.language.describe import describe_frames

    step = 5000
    starts = range(0, len(clip), step)
    with whole_file(output) as temporary, temporary.open("w", encoding="utf-8") as file:
        for start in track(starts, "describing", len(starts)):
            part = clip[start : start + step]
            told = describe_frames(part.values, seed=seed + start, **options)
            for i, each in enumerate(told):
                line = _record(part, i, start + i, each)
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
    err().print(f"{len(clip)} descriptions -> {output}", markup=False)


def _record(clip: FaceClip, i: int, frame: int, told: Description) -> dict[str, Any]:
    record: dict[str, Any] = {"frame": frame, "time": round(float(clip.times[i]), 6)}
    known = clip.tracked[i]
    return {**record, "tracked": bool(known), "analysis": told.as_analysis() if known else None}
