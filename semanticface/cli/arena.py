"""`semanticface arena`: the web page where people compare faces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Where = Annotated[
    str, typer.Argument(metavar="STORE", help="A store's folder, or a database URL.",
                        show_default=False),
]  # fmt: skip
Which = Annotated[str | None, typer.Option("--project", help="If the store has several.")]
Media = Annotated[
    Path | None, typer.Option(help="Folder of pictures, beside a database URL.", show_default=False)
]


def arena(
    where: Where,
    project: Which = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8765,
    public: Annotated[
        str | None,
        typer.Option(help="The URL people open, if it is another: https://rate.example.org"),
    ] = None,
    media: Media = None,
    cache: Annotated[float, typer.Option(help="GiB of renders to keep.", min=0)] = 2.0,
    rate: Annotated[float, typer.Option(help="Requests a second of one rater.", min=0.1)] = 30.0,
) -> None:
    """Serve a project's pairs to raters, and its results to you.

    Only this machine can reach it unless --host says otherwise. Behind a proxy with HTTPS,
    give its address with --public. The admin's link is printed at the start.

    [bold]Examples[/bold]

    semanticface arena faces.store

    semanticface arena faces.store --host 0.0.0.0 --public https://rate.example.org
    """
    from semanticface.cli.console import err
    from semanticface.preference.arena.serving import open_arena

    opened = open_arena(where, project, media=media, host=host, port=port, public=public,
                        cache=int(cache * 2**30), rate=rate)  # fmt: skip
    err().print(f"project   {opened.project.id}", markup=False)
    err().print(f"admin     {opened.admin_link}", markup=False, soft_wrap=True)
    for name, link in opened.invitations():
        err().print(f"{name:<9} {link}", markup=False, soft_wrap=True)
    if host not in ("127.0.0.1", "::1", "localhost") and not opened.secure:
        err().print("Without HTTPS anybody on the way can read links and verdicts.", markup=False)
    opened.serve()
