"""`semanticface smooth`: a clip with less tremor, and what that cost."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.options import Clip, From, Mouth, Rate, Which, load

if TYPE_CHECKING:
    from semanticface.rig import FaceClip


class Method(StrEnum):
    """Ways of smoothing."""

    one_euro = "one-euro"
    savgol = "savgol"
    zero_phase = "zero-phase"


def smooth(
    clip_file: Clip,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the smoothed clip goes, in any format.")
    ],
    method: Annotated[
        Method,
        typer.Option(
            help="zero-phase: low-pass, moves nothing in time. savgol: fits a curve to each "
            "window. one-euro: what a live stream can have, looks back only."
        ),
    ] = Method.zero_phase,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SETTING",
            help="all, upper, lower, head, a region or a channel, and its setting: "
            "cutoff:8,order:2 (zero-phase), window:0.22,order:4 (savgol), "
            "min_cutoff:2,beta:8,speed_cutoff:2 (one-euro), or off. May be given several times.",
        ),
    ] = None,
    resample_to: Annotated[
        float | None,
        typer.Option("--fps", help="Bring the result to this even rate.", min=0.1, max=1000),
    ] = None,
    source_format: From = None,
    exchange_mouth: Mouth = None,
    rate: Rate = None,
    which: Which = None,
) -> None:
    """Smooth a clip region by region, and show what it did to tremor and to peaks.

    Eyes and mouth are smoothed less than brows and head, so that blinks and closed lips
    survive. Frames without a face stay without one; nothing is filtered across them.

    [bold]Examples[/bold]

    semanticface smooth take.csv -o smooth.csv

    semanticface smooth take.csv -o smooth.npz --method savgol --region brow=window:0.4,order:2

    semanticface smooth take.csv -o live.csv --method one-euro --region eyeBlinkLeft=off

    semanticface smooth take.csv -o film.csv --region mouth=cutoff:8 --fps 24
    """
    from semanticface.cli.before_after import print_table
    from semanticface.cli.saving import must_differ, save

    must_differ(clip_file, output)
    settings = read_settings(method, region or [])
    clip = load(clip_file, source_format, exchange_mouth=exchange_mouth, rate=rate, which=which)
    smoothed = _smoothed(clip, method, settings)
    print_table(clip, smoothed)
    _tell_delay(clip, smoothed)
    if resample_to is not None:
        from semanticface.motion.resample import resample

        smoothed = resample(smoothed, rate=resample_to, lowpass=True)
    save(clip, smoothed, output)


def read_settings(method: Method, texts: list[str]) -> dict[str, Any]:
    """`mouth=cutoff:8,order:2` and the like, as settings by region or channel."""
    from semanticface.errors import BadInput

    found: dict[str, Any] = {}
    for text in texts:
        name, equals, told = text.partition("=")
        if not equals or not told:
            raise BadInput(f"--region {text!r}", "NAME=SETTING, such as mouth=off")
        found[name] = None if told == "off" else _setting(method, name, told)
    return found


def _setting(method: Method, name: str, told: str) -> Any:
    """One setting: the default of that region with the numbers that were given."""
    from dataclasses import fields, replace

    from semanticface.errors import BadInput, did_you_mean
    from semanticface.motion.regions import setting_of

    usual = setting_of(_defaults(method), name)
    known = [each.name for each in fields(usual) if each.name != "unit"]
    given: dict[str, Any] = {}
    for part in told.split(","):
        key, _, number = part.partition(":")
        if key not in known:
            expected = f"{', '.join(known)} for {method.value}, as KEY:NUMBER"
            raise BadInput(f"{part!r} in --region", expected, hint=did_you_mean(key, known))
        given[key] = _number(number, key)
    return replace(usual, **given)


def _number(text: str, key: str) -> float | int:
    from semanticface.errors import BadInput

    try:
        return int(text) if key == "order" else float(text)
    except ValueError:
        wanted = "a whole number" if key == "order" else "a number"
        raise BadInput(f"{key}:{text} in --region", wanted) from None


def _defaults(method: Method) -> Any:
    from semanticface.motion.filters import LOWPASS, SAVGOL
    from semanticface.motion.one_euro import ONE_EURO

    return {"one-euro": ONE_EURO, "savgol": SAVGOL, "zero-phase": LOWPASS}[method.value]


def _smoothed(clip: FaceClip, method: Method, settings: dict[str, Any]) -> FaceClip:
    from semanticface.motion.filters import savgol, zero_phase
    from semanticface.motion.one_euro import one_euro

    if method is Method.one_euro:
        return one_euro(clip, settings)
    return (savgol if method is Method.savgol else zero_phase)(clip, settings)


def _tell_delay(before: FaceClip, after: FaceClip) -> None:
    from semanticface.cli.console import note
    from semanticface.motion.align import best_lag

    if len(before):
        note(f"against the clip as it was: {best_lag(after, before)}")
