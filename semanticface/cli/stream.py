"""`semanticface stream`: a face in pictures drives an avatar live."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from semanticface.serve.live.least import LEAST_CONFIDENCE

if TYPE_CHECKING:
    from semanticface.serve.live.loop import Asked, Pulse


def stream(
    source: Annotated[
        str,
        typer.Option(
            help="webcam, webcam:1, a film, a folder of pictures; or speech: "
            "microphone, microphone:NAME, a sound file."
        ),
    ],
    to: Annotated[
        str, typer.Option(help="udp://HOST:11111, vmc://HOST, ws://HOST:PORT/PATH or FILE.csv")
    ] = "udp://127.0.0.1:11111",
    endpoint: Annotated[
        str, typer.Option(help="Of `semanticface serve`.")
    ] = "http://127.0.0.1:8000",
    model: Annotated[str, typer.Option(help="Name of the served model.")] = "face",
    api_key_env: Annotated[str, typer.Option(help="Environment variable with its key.")] = "",
    rate: Annotated[float, typer.Option(help="Frames a second to send.")] = 30.0,
    depth: Annotated[int, typer.Option(help="Pictures with the model at once.")] = 4,
    subject: Annotated[str, typer.Option(help="Name that Unreal shows.")] = "semanticface",
    hold: Annotated[float, typer.Option(help="Seconds to hold the last good frame.")] = 0.4,
    least_confidence: Annotated[
        float,
        typer.Option(
            help="Mean below which an answer is taken for no face; 0: never.", min=0, max=1
        ),
    ] = LEAST_CONFIDENCE,
    crop: Annotated[
        str,
        typer.Option(help="What part is shown: the largest face, as `face`; `none` for all; or "
                     "LEFT,TOP,SIDE in pixels."),
    ] = "none",
    source_rate: Annotated[float, typer.Option(help="Pictures a second of a folder.")] = 30.0,
) -> None:  # fmt: skip
    """Read pictures, ask the model, send frames at a steady rate; Ctrl-C ends it.

    [bold]semanticface stream --source webcam --to udp://192.168.1.20:11111[/bold]
    [bold]semanticface stream --source take.mov --to take.csv[/bold]
    [bold]semanticface stream --source microphone --to udp://127.0.0.1:11111[/bold]

    Speech moves the mouth alone, by rules; no server is asked.
    """
    from semanticface.cli.console import note
    from semanticface.cli.ending import as_ctrl_c, run_until_ended
    from semanticface.serve.client import FaceClient, Settings
    from semanticface.serve.live.cropped import Cropped
    from semanticface.serve.live.ear import Ear, is_sound, windows
    from semanticface.serve.live.loop import Live
    from semanticface.serve.live.senders import sender_of
    from semanticface.serve.live.sources import pictures
    from semanticface.serve.live.steady import Settings as Failing
    from semanticface.serve.live.steady import Steady
    from semanticface.train.face_crop import crop_of

    cutting = crop_of(crop)
    key = os.environ.get(api_key_env, "") if api_key_env else ""
    # A late answer is worth nothing here, so nothing is asked again for long.
    settings = Settings(concurrency=depth, timeout=5.0, deadline=5.0, pause=0.05)
    speech = is_sound(source)
    frames = windows(source) if speech else pictures(source, source_rate)

    async def sent(client: Asked, at_once: int) -> Pulse:
        with sender_of(to, subject=subject, rate=rate) as sender:
            steady = Steady(Failing(hold, least_confidence=least_confidence))
            live = Live(client, sender, rate, at_once, steady,
                        tell=lambda pulse: note(told(pulse, sender.unheard)))  # fmt: skip
            return await live.run(frames)

    async def follow() -> Pulse:
        if speech:
            return await sent(Ear(), 1)
        async with FaceClient(endpoint, model, key=key, settings=settings) as client:
            return await sent(Cropped(client, cutting), depth)

    try:
        with as_ctrl_c():
            note(told(run_until_ended(follow())))
    except KeyboardInterrupt:
        note("stopped")


def told(pulse: Pulse, unheard: int = 0) -> str:
    """One line; `unheard` of what was sent nobody took."""
    seconds = max(pulse.seconds, 1e-3)
    refused = ", ".join(f"{n} {why}" for why, n in pulse.refused.items())
    return (
        f"{pulse.seconds:6.1f} s  sent {pulse.sent / seconds:5.1f}/s  "
        f"predicted {pulse.predicted / seconds:5.1f}/s  dropped {pulse.dropped}  "
        f"latency {pulse.latency * 1000:.0f} ms"
        + (f"  refused: {refused}" if refused else "")
        + (f"  unheard {unheard}" if unheard else "")
    )
