"""`semanticface tokens`: what each answer format costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from semanticface.rig import FaceClip


def tokens(
    tokenizer: Annotated[
        Path | None,
        typer.Option(
            "--tokenizer", "-t", help="A tokenizer.json, or a folder that holds one. Without it, "
            "bytes are counted.", show_default=False,
        ),
    ] = None,
    clip_file: Annotated[
        Path | None,
        typer.Option("--clip", help="Count over this clip's frames; else over a rehearsed one."),
    ] = None,
    decimals: Annotated[
        int | None, typer.Option(help="Decimals of every format: 1, 2 or 3.", min=1, max=3)
    ] = None,
    frames: Annotated[int, typer.Option(help="How many frames, spread evenly.", min=1)] = 50,
    speech: Annotated[
        Path | None,
        typer.Option(help="A recording: count its cues part by part, requests and answers.",
                     show_default=False),
    ] = None,
    transcript: Annotated[
        str | None, typer.Option(help="Of --speech: a text file, or the words.", show_default=False)
    ] = None,
    alignment: Annotated[
        Path | None,
        typer.Option(help="Of --speech: ready words and phones.", show_default=False),
    ] = None,
    window: Annotated[int, typer.Option(help="Of --speech: frames of an answer.", min=1)] = 15,
    hop: Annotated[
        int, typer.Option(help="Of --speech: frames between the starts of two windows.", min=1)
    ] = 12,
    fps: Annotated[
        float, typer.Option(help="Of --speech: frames a second.", min=1, max=240)
    ] = 30.0,
) -> None:  # fmt: skip
    """Count what one frame costs in each answer format: decoding time is bought by the token.

    With --speech, what a second of talking costs: each part of the cues, requests and answers.

    [bold]Examples[/bold]

    semanticface tokens --tokenizer models/Qwen3-VL-4B/tokenizer.json

    semanticface tokens -t tokenizer.json --clip take.csv --decimals 2

    semanticface tokens -t tokenizer.json --speech voice.wav --transcript said.txt
    """
    from rich.table import Table

    from semanticface.cli.console import note, out
    from semanticface.language.token_cost import byte_counter, cost_table, tokenizer_counter

    count: Callable[[str], int] = byte_counter()
    unit = "bytes"
    if tokenizer is not None:
        count, unit = tokenizer_counter(tokenizer), "tokens"
    if speech is not None:
        from semanticface.cli.speech_tokens import show
        from semanticface.speech.stitching import Cut

        show(speech, transcript, alignment, count, unit, Cut(window, hop), fps)
        return
    clip, moved = _chosen_frames(clip_file, frames)
    if moved:
        note(f"{moved} values lay out of range and were brought to its edge for counting")
    table = Table("format", "decimals", f"mean {unit}", "least", "most", "characters", "what it is",
                  box=None)  # fmt: skip
    for row in cost_table(clip.values, count, decimals):
        table.add_row(
            row.key, str(row.decimals), f"{row.mean:.1f}", str(row.least), str(row.most),
            f"{row.characters:.0f}", row.about,
        )  # fmt: skip
    out().print(table)
    note(f"over {len(clip)} frames of {clip.meta.source}; words are this project's descriptions")
    if tokenizer is None:
        note("value tokens count as one each once they are added to a tokenizer")


def _chosen_frames(clip_file: Path | None, most: int) -> tuple[FaceClip, int]:
    import numpy as np

    from semanticface.cli.options import load
    from semanticface.errors import BadInput
    from semanticface.motion.rehearsal import perform
    from semanticface.rig import into_range

    clip = load(clip_file) if clip_file else perform()
    whole = clip[np.asarray(~np.isnan(clip.values).any(axis=1))]
    if not len(whole):
        raise BadInput("no frame with all 61 values", "at least one", file=clip_file)
    chosen = whole[np.unique(np.linspace(0, len(whole) - 1, most).astype(int))]
    fixed = into_range(chosen.values)
    return chosen.with_values(fixed.values), fixed.moved
