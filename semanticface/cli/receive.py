"""`semanticface receive`: what arrives of a live stream, as numbers, a take and a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semanticface.errors import BadInput

if TYPE_CHECKING:
    from semanticface.serve.live.received import Arrival


def receive(
    port: Annotated[int, typer.Option(help="UDP port to listen at.")] = 11111,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "0.0.0.0",
    seconds: Annotated[float, typer.Option(help="From the first packet on.", min=0.1)] = 10.0,
    patience: Annotated[
        float, typer.Option(help="Seconds of silence after which it ends.", min=0.1)
    ] = 30.0,
    subject: Annotated[
        str | None, typer.Option(help="Only this subject; else the first that is heard.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw rate, delay and channels: a .png file.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the take: .csv, .npz ...")
    ] = None,
) -> None:
    """Receive Live Link Face packets; tell how often and how late they come. Ctrl-C ends it sooner.

    [bold]semanticface receive --seconds 20 --plot live.png[/bold]
    [bold]semanticface receive --port 11112 -o take.csv[/bold]
    """
    from semanticface.cli.console import note, out
    from semanticface.formats import write
    from semanticface.formats.livelink_stream import Receiver
    from semanticface.serve.live.received import clip_of, hear, numbers, picture

    with Receiver(host, port, subject=subject) as receiver:
        note(f"listening on {receiver.address[0]}:{receiver.address[1]}")
        arrivals = _until_ended(hear(receiver, seconds, patience=patience))
        traffic = receiver.traffic
    if not arrivals:
        raise BadInput(f"no Live Link packet on {host}:{port} ({traffic.bad} other datagrams)",
                       "packets", hint="Is the sender's address this computer's?")  # fmt: skip
    told = numbers(arrivals)
    out().print(
        f"{arrivals[0].packet.subject}: {told.frames} frames in {told.seconds:.1f} s, "
        f"{told.rate:.1f}/s, {told.gaps} gaps, {traffic.late} late, {traffic.bad} bad; delay "
        f"{1000 * told.delay[0]:.0f} ms, 95 % within {1000 * told.delay[1]:.0f} ms", markup=False,
    )  # fmt: skip
    if output is not None:
        write(clip_of(arrivals, f"udp {host}:{port}"), output)
    if plot is not None:
        picture(arrivals).save(plot, "PNG")


def _until_ended(heard: Iterator[Arrival]) -> list[Arrival]:
    """All that came, also where somebody ended it."""
    from semanticface.cli.console import note
    from semanticface.cli.ending import as_ctrl_c

    arrivals = []
    try:
        with as_ctrl_c():
            for each in heard:
                arrivals.append(each)  # noqa: PERF402 - what came before Ctrl-C is kept
    except KeyboardInterrupt:
        note("stopped")
    return arrivals
