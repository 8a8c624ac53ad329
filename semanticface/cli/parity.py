"""`semanticface parity`: does a server say what training said?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.errors import BadInput

if TYPE_CHECKING:
    from semanticface.serve.parity import Parity
    from semanticface.serve.parity_one_pass import OnePassParity


def parity(
    run: Annotated[Path, typer.Argument(help="The served run's folder; `small`: the packaged.")],
    endpoint: Annotated[str, typer.Option(help="Address of the server.")] = "http://127.0.0.1:8000",
    model: Annotated[str, typer.Option(help="Name of the served model.")] = "face",
    pictures: Annotated[
        list[Path] | None, typer.Option(help="Pictures or folders; noise unless given.")
    ] = None,
    count: Annotated[int, typer.Option(help="Pictures at most.", min=1)] = 4,
    base: Annotated[str | None, typer.Option(help="Where the run's base model lies now.")] = None,
    merged: Annotated[
        bool, typer.Option("--merged", help="Compare with the merged model.")
    ] = False,
    one_pass: Annotated[
        bool, typer.Option("--one-pass", help="The server was started with --one-pass.")
    ] = False,
    tolerance: Annotated[
        float | None,
        typer.Option(help="Of log-probabilities, 0.01 unless given (bfloat16 wants 0.3 or so); "
                     "with --one-pass of coefficients, 0.001.", show_default=False),
    ] = None,
    tokens: Annotated[int, typer.Option(help="Most tokens of an answer.", min=1)] = 2048,
    api_key_env: Annotated[str, typer.Option(help="Environment variable with the key.")] = "",
) -> None:  # fmt: skip
    """Compare a server with transformers and peft on the same pictures; exit code 1 if they differ.

    Of a run that was trained with --max_pixels a picture of noise above that is asked about, too.

    [bold]semanticface parity runs/smile --endpoint http://127.0.0.1:8000[/bold]
    """
    from semanticface.serve.parity import TOLERANCE, compare
    from semanticface.serve.parity_one_pass import TOLERANCE as NEAR
    from semanticface.serve.parity_one_pass import compare_one_pass
    from semanticface.train.places import run_folder
    from semanticface.train.predictor import opened

    run = run_folder(str(run))
    predictor = opened(run, base=base)
    predictor.most = tokens
    if merged:
        predictor.model = _merged(predictor.model, run)
    shown = [*_pictures(pictures or [], count), *_above(run)]
    key = os.environ.get(api_key_env, "") if api_key_env else ""
    found: Parity | OnePassParity
    if one_pass:
        found = compare_one_pass(endpoint, model, predictor, shown, tolerance=tolerance or NEAR,
                                 key=key)  # fmt: skip
    else:
        found = compare(endpoint, model, predictor, shown, tolerance=tolerance or TOLERANCE,
                        key=key, max_tokens=tokens)  # fmt: skip
    _say(found)
    if not found.holds:
        raise typer.Exit(1)


def _pictures(places: list[Path], count: int) -> list[bytes]:
    files = [file for place in places
             for file in (sorted(place.iterdir()) if place.is_dir() else [place])]  # fmt: skip
    if places and not files:
        raise BadInput("no picture", "files to compare by", file=places[0])
    return [file.read_bytes() for file in files[:count]] or [_noise(n) for n in range(count)]


def _merged(model: Any, run: Path) -> Any:
    if not hasattr(model, "merge_and_unload"):
        raise BadInput("--merged with a run that trained a whole model", "one with an adapter",
                       file=run, hint="There is nothing to merge: leave --merged out.")  # fmt: skip
    return model.merge_and_unload()


def _above(run: Path) -> list[bytes]:
    """A picture that the run's own bound makes smaller, as a server without it would not."""
    from semanticface.serve.target import areas_of, run_of

    most = areas_of(run).most if run_of(run) == run else None
    return [] if most is None else [_noise(0, int(1.2 * most**0.5) + 32)]


def _noise(seed: int, side: int = 224) -> bytes:
    import io

    import numpy as np
    from PIL import Image

    pixels: Any = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _say(found: Parity | OnePassParity) -> None:
    from rich.table import Table

    from semanticface.cli.console import out

    table = Table("picture", *(name.replace("_", " ") for name in found.pictures[0]._fields))
    for number, each in enumerate(found.pictures, 1):
        cells = [_cell(held) for held in each]
        table.add_row(str(number), *cells)
    out().print(table)
    out().print(found.verdict())


def _cell(held: float | bool) -> str:
    if isinstance(held, bool):
        return "yes" if held else "NO"
    return f"{held:.3g}"
