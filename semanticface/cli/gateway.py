"""`semanticface gateway`: pictures in, named numbers out, for everybody who has a key."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semanticface.errors import BadInput

if TYPE_CHECKING:
    from semanticface.serve.client import FaceClient


def gateway(
    url: Annotated[str, typer.Argument(help="Of `semanticface serve`.")] = "http://127.0.0.1:8000",
    model: Annotated[str, typer.Option(help="Name of the served model.")] = "face",
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at.")] = 8080,
    keys: Annotated[
        Path | None, typer.Option(help="File of hashed keys; without it anybody may ask.")
    ] = None,
    new_key: Annotated[str, typer.Option(help="Make a key of this name, show it once, end.")] = "",
    per_minute: Annotated[
        int, typer.Option(help="Pictures, or seconds of speech, a minute for the new key.")
    ] = 600,
    upstream_key_env: Annotated[
        str, typer.Option(help="Environment variable with the key of the model's server.")
    ] = "",
    concurrency: Annotated[int, typer.Option(help="Pictures with the model at once.")] = 16,
    deadline: Annotated[float, typer.Option(help="Seconds for one picture.")] = 30.0,
    max_mb: Annotated[int, typer.Option(help="Megabytes of a request, at most.")] = 8,
    voice: Annotated[
        str, typer.Option(help="Speaks scripts, such as flite:slt; none are taken without it.")
    ] = "",
    max_pixels: Annotated[int, typer.Option(help="Pixels of a picture, at most.")] = 16_000_000,
    least_confidence: Annotated[
        float,
        typer.Option(help="Mean below which a picture is refused as one without a face; 0: never. "
                     "One pass alone tells one.", min=0, max=1),
    ] = 0.0,
    crop: Annotated[
        str,
        typer.Option(help="What part of a picture the model is shown: the largest face, as "
                     "`face`, `none` for all, or LEFT,TOP,SIDE."),
    ] = "none",
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(help="Whose web pages may ask, https://HOST or *. May be repeated; none may "
                     "without it."),
    ] = None,
) -> None:  # fmt: skip
    """Serve POST /v1/face, /v1/faces, a WebSocket stream, /metrics and /docs.

    [bold]semanticface gateway --new-key studio --keys keys.jsonl[/bold]
    [bold]semanticface gateway http://127.0.0.1:8000 --keys keys.jsonl[/bold]
    [bold]curl -H "Authorization: Bearer KEY" -H "Content-Type: image/png" --data-binary @face.png http://127.0.0.1:8080/v1/face[/bold]
    """
    if new_key:
        _make(new_key, keys, per_minute)
        return
    from semanticface.errors import need
    from semanticface.serve.client import FaceClient, Settings

    need("fastapi", "serve", "The gateway")
    from semanticface.serve.gateway.app import Limits, create_app
    from semanticface.serve.gateway.run import http_server
    from semanticface.serve.server import refuse_taken
    from semanticface.train.face_crop import crop_of

    if keys is None and host not in ("127.0.0.1", "localhost", "::1"):
        raise BadInput(
            f"--host {host} without --keys",
            "keys, where others can reach it",
            hint="Make one: semanticface gateway --new-key NAME --keys FILE",
        )
    upstream = os.environ.get(upstream_key_env, "") if upstream_key_env else ""
    settings = Settings(concurrency=concurrency, timeout=deadline, deadline=deadline)
    limits = Limits(max_mb << 20, max_pixels, least_confidence=least_confidence)
    client = FaceClient(url, model, key=upstream, settings=settings)
    app = create_app(client, keys, limits, _known(voice), allow_origin or (), crop_of(crop))
    refuse_taken(host, port)
    asyncio.run(_met(client))
    http_server(app, host, port, limits).run()


async def _met(client: FaceClient) -> None:
    """An error in one line, where a web server that starts would tell it as its own crash."""
    from semanticface.cli.console import note

    note(f"asking {client.url} what it serves, for {client.settings.deadline:g} s at most")
    async with client:
        pass


def _known(voice: str) -> str:
    """The voice, if it can speak here."""
    from semanticface.speech.voices import installed

    if voice and voice not in installed():
        raise BadInput(f"--voice {voice}", f"one of {', '.join(installed()) or 'none: no flite'}")
    return voice


def _make(name: str, keys: Path | None, per_minute: int) -> None:
    from semanticface.cli.console import note
    from semanticface.serve.gateway.keys import add_key, make_key

    if keys is None:
        raise BadInput("--new-key without --keys", "the file to keep its hash in")
    made = make_key(name, per_minute)
    add_key(keys, made.client)
    typer.echo(made.key)
    told = f"'{name}' may ask about {per_minute} pictures or seconds of speech a minute."
    note(f"{told} The key is shown only now.")
