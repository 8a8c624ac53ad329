"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from semanticface.rig import FaceClip

Clip = Annotated[
    Path, typer.Argument(help="A take, recording or any other clip file.", show_default=False)
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="FORMAT", help="The file's format, if its name does not tell."),
]
Mouth = Annotated[
    bool | None,
    typer.Option(
        "--exchange-mouth/--keep-mouth",
        help="Exchange mouthLeft and mouthRight on reading. Live Link CSV labels them the wrong "
        "way round, so that is the default there.",
    ),
]
Jaw = Annotated[
    bool | None,
    typer.Option(
        "--exchange-jaw/--keep-jaw", help="The same for jawLeft and jawRight; by default kept."
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(help="Frames a second, for files without times.", min=0.001, max=1000),
]
Which = Annotated[
    str | None,
    typer.Option(metavar="raw|cal|neutral", help="Which CSV of a take folder. Never mixed."),
]

Temperature = Annotated[float, typer.Option(help="Of the drawn answers.", min=0.01)]


def load(path: Path, key: str | None = None, **options: Any) -> FaceClip:
    """Read a clip; options that were not given are left to the format."""
    from semanticface import formats

    given = {name: value for name, value in options.items() if value is not None}
    return formats.read(path, key, **given)
