"""`semanticface merge`: an adapter into its base model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def merge(
    run: Annotated[Path, typer.Argument(help="A finished run with an adapter.",
                                        show_default=False)],
    out: Annotated[Path, typer.Argument(help="A new folder.", show_default=False)],
    base: Annotated[
        str | None, typer.Option(help="Where the run's base model lies now.", show_default=False)
    ] = None,
    pictures: Annotated[int, typer.Option(help="Pictures of the proof.", min=1)] = 2,
) -> None:  # fmt: skip
    """Merge a run's adapter into its base model, and prove that both say the same.

    The merged model is loaded again by its path and its scores are held against those of
    base and adapter. Where they differ nothing is written.

    [bold]Examples[/bold]

    semanticface merge runs/qwen3vl_4b_lora merged && semanticface predict face.png --run merged
    """
    from semanticface.cli.console import err
    from semanticface.train.merge import merge as merged

    proof = merged(run, out, base=base, pictures=pictures)
    err().print(
        f"merged = adapter: scores differ by {proof.largest:.2g} at most, {proof.mean:.2g} in the "
        f"mean, over {proof.tokens} tokens; the likeliest word is the same in "
        f"{proof.same:.1%} -> {out}", markup=False,
    )  # fmt: skip
