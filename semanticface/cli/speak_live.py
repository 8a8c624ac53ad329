"""`semanticface speak-live`: a voice drives an avatar while it speaks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from semanticface.serve.live.senders import Sender
    from semanticface.speech.audio import Samples
    from semanticface.speech.live import Frame, Live, Mouth

_TELLING = 1.0
"""Seconds of sound from which the share of work says something."""
_SLACK = 0.1
"""Seconds of work that a frame may take without being late."""


def speak_live(
    source: Annotated[
        str,
        typer.Argument(help="mic, mic:DEVICE, - (raw 16-bit mono at 16 kHz), a named pipe, or a "
                       "sound file.", show_default=False),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="udp://HOST:11111, vmc://HOST, ws://... or .csv")
    ] = "udp://127.0.0.1:11111",
    run: Annotated[
        Path | None,
        typer.Option(help="A run of speech that hears alone (cues: audio); the rules without."),
    ] = None,
    fps: Annotated[float, typer.Option(help="Frames a second of the rules.", min=1, max=60)] = 30.0,
    hop: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.05, max=1)] = 0.2,
    ahead: Annotated[
        float, typer.Option(help="Seconds of sound that a frame waits for.", min=0.1, max=1)
    ] = 0.3,
    subject: Annotated[str, typer.Option(help="Name that Unreal shows.")] = "semanticface",
) -> None:  # fmt: skip
    """Move a mouth to a voice as it speaks; Ctrl-C ends it.

    A frame comes `ahead` + `hop` + 0.1 seconds after its moment: 0.6 as it is set. No words
    are recognised, so a recording with its transcript looks better by `speak`.

    [bold]semanticface speak-live mic -o udp://192.168.1.20:11111[/bold]

    [bold]arecord -f S16_LE -r 16000 -c 1 -t raw | semanticface speak-live - -o vmc://127.0.0.1[/bold]
    """
    from semanticface.cli.console import note
    from semanticface.cli.ending import as_ctrl_c
    from semanticface.errors import BadInput
    from semanticface.serve.live.senders import sender_of
    from semanticface.speech.live import Live
    from semanticface.speech.microphone import source as sound_of

    mouth, rate = _mouth(run, fps)
    live = Live(mouth, rate, hop, ahead)
    blocks = sound_of(source)
    lag = hop + ahead + _SLACK
    late = 0
    try:
        with as_ctrl_c(), sender_of(output, subject=subject, rate=rate) as sender:
            late = _follow(live, blocks, sender, lag, paced=not output.lower().endswith(".csv"))
            if not live.heard:
                raise BadInput("no sound at all", "a voice", file=source)
    except KeyboardInterrupt:
        note("stopped")
    work = f", {100 * live.busy:.0f} % of the time at work" if live.heard >= _TELLING else ""
    note(f"sound held back by {lag:.2f} s is in step; slowest frame {live.delay:.2f} s, {late} "
         f"late{work}")  # fmt: skip


def _mouth(run: Path | None, fps: float) -> tuple[Mouth, float]:
    if run is None:
        from semanticface.speech.live import Ear

        return Ear(), fps
    from semanticface.train.places import SMALL_RUN, small_run
    from semanticface.train.speaking import ModelEar, opened

    ear = ModelEar(opened(small_run(speech=True) if str(run) == SMALL_RUN else run))
    return ear, ear.speaker.task.rate


def _follow(
    live: Live, blocks: Iterator[Samples], sender: Sender, lag: float, *, paced: bool
) -> int:
    """Frames out, each `lag` after its moment where `paced`; how many were later than that."""
    from semanticface.serve.live.paced import Paced
    from semanticface.speech.microphone import in_time

    began = time.monotonic()
    with Paced(sender, began + lag if paced else None) as out:
        for frame in _frames(live, in_time(blocks, began) if paced else blocks):
            out.put(frame.time, frame.values)
    return out.late


def _frames(live: Live, blocks: Iterator[Samples]) -> Iterator[Frame]:
    for block in blocks:
        yield from live.push(block)
    yield from live.end()
