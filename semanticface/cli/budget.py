"""`semanticface budget`: what rows cost in tokens, and which would be cut."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from semanticface.data.budget import Budget


def budget(
    data: Annotated[
        Path,
        typer.Argument(help="A manifest.yaml, a .jsonl, a .parquet or a folder of synth.",
                       show_default=False),
    ],
    processor: Annotated[
        str,
        typer.Option("--processor", "-p", help="The model's folder or name.", show_default=False),
    ],
    stage: Annotated[
        str, typer.Option(help="coefficients, describe, or describe+coefficients.")
    ] = "describe+coefficients",
    answer: Annotated[str, typer.Option("--format", help="Answer format.")] = "two-key",
    decimals: Annotated[int | None, typer.Option(help="Decimals: 1, 2 or 3.", min=1, max=3)] = None,
    prompt: Annotated[str | None, typer.Option(help="A prompt's id; default: the stage's.")] = None,
    channels: Annotated[
        str,
        typer.Option(help="all-61, arkit-52, mouth-31, mouth-29, or names with commas between."),
    ] = "all-61",
    max_length: Annotated[
        int | None, typer.Option(help="Refuse (exit code 2) if a row has more tokens.", min=1)
    ] = None,
    min_pixels: Annotated[
        int | None, typer.Option(help="Least area of a picture, as the recipe is told.", min=1)
    ] = None,
    max_pixels: Annotated[int | None, typer.Option(help="Most area of a picture.", min=1)] = None,
    rows: Annotated[int | None, typer.Option(help="Only the first so many.", min=1)] = None,
    longest: Annotated[int, typer.Option(help="How many of the longest to list.", min=1)] = 5,
) -> None:  # fmt: skip
    """Count the tokens of every row with the model's own processor, as a trainer would.

    [bold]Examples[/bold]

    semanticface budget data.yaml --processor models/Qwen3-VL-4B --max-length 2048

    semanticface budget faces -p models/nano --stage coefficients --format codes

    semanticface budget faces -p Qwen/Qwen3-VL-4B-Instruct --max-pixels 262144

    semanticface budget shapes.jsonl -p models/nano --format flat --channels arkit-52
    """
    from itertools import islice

    from semanticface.cli.console import track
    from semanticface.data.budget import measure
    from semanticface.data.manifest import manifest_of
    from semanticface.data.sources import records
    from semanticface.data.tasks import STAGES
    from semanticface.errors import BadInput, did_you_mean
    from semanticface.train.loading import Source, processor_of
    from semanticface.train.one_pass import task_named

    chosen = next((each for each in STAGES if each == stage), None)
    if chosen is None:
        hint = "For speech: semanticface tokens --speech RECORDING." if stage == "speech" else ""
        raise BadInput(f"the stage '{stage}'", f"one of {', '.join(STAGES)}",
                       hint=hint or did_you_mean(stage, STAGES))  # fmt: skip
    task = task_named(answer, chosen, prompt=prompt, decimals=decimals, channels=channels)
    held = track(islice(records(manifest_of(data)), rows), "counting", rows)
    asked = processor_of(Source(processor, min_pixels=min_pixels, max_pixels=max_pixels))
    counted = measure(held, task, asked, max_length=max_length, longest=longest)
    _show(counted, task.clamped)
    counted.refuse_clipped()


def _show(counted: Budget, clamped: Mapping[str, int]) -> None:
    from rich.table import Table

    from semanticface.cli.console import out

    out().print(
        f"{counted.rows:,} rows: median {counted.median:,.0f} tokens, most {counted.most:,}; "
        f"median target {counted.median_target:,.0f}, picture {counted.median_image:,.0f}",
        markup=False,
    )
    if clamped:
        out().print(
            f"{clamped['values']:,} values of {clamped['records']:,} records lie beyond their "
            "range and are learnt at its edge",
            markup=False,
        )
    table = Table("longest row", "record", "tokens", "target", "picture", box=None)
    for row in counted.longest:
        table.add_row(str(row.row), row.record, str(row.tokens), str(row.target), str(row.image))
    out().print(table)
