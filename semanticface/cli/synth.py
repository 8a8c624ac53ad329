"""`semanticface synth`: a set of rendered faces with exact numbers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from semanticface.data.plan import Plan
    from semanticface.data.shards import Made


class EncodingName(StrEnum):
    """Files of the pictures."""

    jpeg = "jpeg"
    webp = "webp"
    png = "png"


def synth(
    out: Annotated[Path, typer.Argument(help="A new folder, or one to finish.",
                                        show_default=False)],
    frames: Annotated[int, typer.Option(help="Pictures.", min=1)] = 1000,
    identities: Annotated[int, typer.Option(help="People.", min=1)] = 100,
    looks: Annotated[
        str, typer.Option(help="realistic, clay, toon: one or several with commas.")
    ] = "realistic",
    size: Annotated[int, typer.Option(help="Pixels a side.", min=16, max=1024)] = 112,
    seed: Annotated[int, typer.Option(help="Another seed, another set.", min=0)] = 0,
    workers: Annotated[int, typer.Option(help="Processes; they change nothing.", min=1)] = 2,
    antialias: Annotated[
        bool, typer.Option("--antialias/--fast", help="Four samples a pixel, or one.")
    ] = False,
    encoding: Annotated[EncodingName, typer.Option(help="How pictures are stored.")] =
        EncodingName.jpeg,
    coverage: Annotated[
        float, typer.Option(help="Share of frames with a rare movement.", min=0, max=1)
    ] = 0.3,
    val: Annotated[float, typer.Option(help="Share of people who validate.")] = 0.1,
    test: Annotated[float, typer.Option(help="Share of people who test.")] = 0.1,
    shard_frames: Annotated[
        int, typer.Option("--shard", help="Pictures in a shard, the unit of work.", min=1)
    ] = 1000,
) -> None:  # fmt: skip
    """Render faces of many people, each picture with the 61 numbers it was drawn from.

    Stop it whenever you like: the same command goes on where it was. The same seed gives
    the same bytes, whatever the number of workers. No person stands on two sides.

    [bold]Examples[/bold]

    semanticface synth faces --frames 20000 --identities 2000

    semanticface synth faces --frames 50000 --identities 5000 --looks realistic,toon --workers 8
    """
    from semanticface.cli.console import err, note
    from semanticface.data.plan import Plan
    from semanticface.data.synth import estimate

    plan = Plan(
        frames, identities, tuple(look.strip() for look in looks.split(",")), size, seed,
        antialias, encoding.value, coverage, val, test, shard_frames,
    )  # fmt: skip
    note(f"about {estimate(plan) / 1e6:,.1f} MB for {frames:,} pictures of {size} x {size}")
    made, seconds, drawn = _make(plan, out, workers)
    people = ", ".join(f"{len(each)} {side}" for side, each in made.identities.items())
    pace = f", {drawn / seconds:,.0f} pictures/s" if drawn else ", all made before"
    err().print(
        f"{made.frames:,} pictures in {len(made.shards)} shards, {made.bytes / 1e6:,.1f} MB, "
        f"people: {people}{pace} -> {out}", markup=False,
    )  # fmt: skip


def _make(plan: Plan, out: Path, workers: int) -> tuple[Made, float, int]:
    """The set, the seconds it took, and how many pictures were drawn in them."""
    import time

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    from semanticface.cli.console import err
    from semanticface.data.shards import Shard
    from semanticface.data.synth import make

    drawn = [0]
    begun = time.perf_counter()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=err(), transient=True, disable=not err().is_terminal) as bar:
        task = bar.add_task("drawing", total=plan.frames)

        def told(shard: Shard, fresh: bool) -> None:
            drawn[0] += shard.frames if fresh else 0
            bar.advance(task, shard.frames)

        made = make(plan, out, workers=workers, told=told)
    return made, time.perf_counter() - begun, drawn[0]
