"""`semanticface convert`: any clip file to any other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.options import From, Jaw, Mouth, Rate, Which

if TYPE_CHECKING:
    from semanticface.rig import FaceClip


def convert(
    sources: Annotated[
        list[Path], typer.Argument(help="One or more clips, then the target file or folder.")
    ],
    source_format: From = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="The target's format; needed for a target folder."),
    ] = None,
    exchange_mouth: Mouth = None,
    exchange_jaw: Jaw = None,
    rate: Rate = None,
    which: Which = None,
    fill: Annotated[
        float | None,
        typer.Option(help="Write this where the clip has no value but the format needs one."),
    ] = None,
    untracked: Annotated[
        str | None,
        typer.Option(
            metavar="gap|row",
            help="Frames without a face in a Live Link CSV: left out (Unreal imports it), or kept "
            "as the phone's rows without values.",
        ),
    ] = None,
    mirror: Annotated[bool, typer.Option("--mirror", help="Write the mirrored face.")] = False,
    formats_list: Annotated[
        bool, typer.Option("--list", help="List the formats and stop.", is_eager=True,
                           callback=lambda wanted: _list_formats() if wanted else None),
    ] = False,
) -> None:  # fmt: skip
    """Convert a clip from any format to any other, and say what was lost.

    [bold]Examples[/bold]

    semanticface convert take.csv take.npz                      (keeps everything)

    semanticface convert take.csv take.gesichter                (Live Link UDP packets)

    semanticface convert mediapipe.json face.csv --fill 0       (head and tongue were not tracked)

    semanticface convert takes/*.csv npz/ --to npz              (many at once)

    semanticface convert --list
    """
    from semanticface.cli.console import note, track

    *inputs, target = sources
    if not inputs:
        raise typer.BadParameter("give at least one source and a target")
    jobs = _jobs(inputs, target, to)
    reading = {"exchange_mouth": exchange_mouth, "exchange_jaw": exchange_jaw, "rate": rate,
               "which": which}  # fmt: skip
    writing = {"fill": fill, "untracked": untracked}
    failed = []
    for source, place in track(jobs, "converting", len(jobs)):
        try:
            _one(source, place, source_format, to, reading, writing, mirror)
        except (ValueError, OSError, ImportError) as error:
            if len(jobs) == 1:
                raise
            failed.append(f"{source}: {error}")
    for line in failed:
        note(line)
    if failed:
        from semanticface.errors import SemanticFaceError

        raise SemanticFaceError(f"{len(failed)} of {len(jobs)} files were not converted")


def _jobs(inputs: list[Path], target: Path, to: str | None) -> list[tuple[Path, Path]]:
    from semanticface.errors import BadInput
    from semanticface.formats.catalogue import by_key

    if to == "take" and len(inputs) > 1:
        raise BadInput(f"{len(inputs)} sources", "one, for a take folder", file=target)
    into_folder = to != "take" and (target.is_dir() or len(inputs) > 1)
    if not into_folder:
        if inputs[0].resolve() == target.resolve():
            raise BadInput("the source as target", "another file", file=target)
        return [(inputs[0], target)]
    if to is None:
        raise BadInput(
            "a folder as target", "a format to write there", file=target, hint="Add --to, e.g. npz."
        )
    target.mkdir(parents=True, exist_ok=True)
    suffix = by_key(to).suffixes[0]
    jobs = [(source, target / f"{source.stem}{suffix}") for source in inputs]
    places = {place.resolve() for _, place in jobs}
    if len(places) < len(jobs) or places & {each.resolve() for each in inputs}:
        raise BadInput("files that would be written over each other", "different names or folders")
    return jobs


def _one(
    source: Path, target: Path, source_format: str | None, to: str | None,
    reading: dict[str, Any], writing: dict[str, Any], mirror: bool,
) -> None:  # fmt: skip
    from semanticface import formats
    from semanticface.cli.console import err, note
    from semanticface.formats.catalogue import accepts, by_key, for_writing

    clip = formats.read(source, source_format, **_given(reading))
    if mirror:
        clip = clip.mirrored()
    chosen = by_key(to) if to else for_writing(target)
    options = _given(writing)
    if "fill" in options and not accepts(chosen, "write", "fill"):
        note(f"{chosen.key} leaves out what is missing; --fill is not needed and does nothing")
        del options["fill"]
    for text in clip.meta.conventions:
        note(f"read: {text}")
    for text in formats.write(clip, target, chosen.key, **options):
        note(f"wrote: {text}")
    err().print(f"{source.name} -> {target}  ({_size(clip)}, {chosen.about})", markup=False)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _size(clip: FaceClip) -> str:
    return f"{len(clip)} frames, {clip.duration:.2f} s"


def _list_formats() -> None:
    from rich.table import Table

    from semanticface.cli.console import out
    from semanticface.formats import CATALOGUE

    table = Table("format", "suffix", "reads", "writes", "what it is", box=None)
    for each in CATALOGUE:
        table.add_row(
            each.key, " ".join(each.suffixes).replace("/", "(folder)"),
            "yes" if each.reads else "", "yes" if each.writes else "", each.about,
        )  # fmt: skip
    out().print(table)
    raise typer.Exit
