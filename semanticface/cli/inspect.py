"""`semanticface inspect`: what a clip holds and how it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from semanticface.cli.options import Clip, From, Jaw, Mouth, Rate, Which, load

if TYPE_CHECKING:
    from rich.table import Table

    from semanticface.rig import FaceClip


def inspect(
    clip_file: Clip,
    source_format: From = None,
    exchange_mouth: Mouth = None,
    exchange_jaw: Jaw = None,
    rate: Rate = None,
    which: Which = None,
    gaps: Annotated[int, typer.Option(help="How many gaps to list.", min=0)] = 10,
    channels: Annotated[
        bool, typer.Option(help="Show the table of channels with their curves.")
    ] = True,
) -> None:
    """Show a clip's frames, rate, gaps, conventions, and a small curve of every channel.

    [bold]Examples[/bold]

    semanticface inspect take.csv

    semanticface inspect 20260401_scene_1/ --which cal

    semanticface inspect answers.jsonl --from semanticface --rate 30
    """
    from semanticface.cli.console import out
    from semanticface.formats import survey

    clip = load(
        clip_file, source_format, exchange_mouth=exchange_mouth, exchange_jaw=exchange_jaw,
        rate=rate, which=which,
    )  # fmt: skip
    for label, text in survey.facts(clip, most_gaps=gaps):
        out().print(f"[bold]{label:<12}[/bold] ", end="")
        out().print(text, markup=False, soft_wrap=True)
    if channels:
        out().print(_table(clip))


def _table(clip: FaceClip) -> Table:
    from rich.table import Table

    from semanticface.formats import survey

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("region", "channel", "mean", "95 %", "max", "curve"):
        table.add_column(name, justify="right" if name in ("mean", "95 %", "max") else "left")
    before = ""
    for row in survey.channel_rows(clip):
        region = row.region if row.region != before else ""
        before = row.region
        numbers = [f"{n:.3f}" for n in (row.mean, row.high, row.most)]
        style = "" if row.active else "dim"
        table.add_row(region, row.name, *numbers, row.curve, style=style)
    return table
