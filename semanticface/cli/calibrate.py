"""`semanticface calibrate`: a clip without its rest, and with its full range."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semanticface.cli.options import Clip, From, Mouth, Rate, Which, load

if TYPE_CHECKING:
    from semanticface.motion.neutral import Neutral
    from semanticface.motion.profile import Profile
    from semanticface.rig import FaceClip


def calibrate(
    clip_file: Clip,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the calibrated clip goes, in any format.")
    ],
    neutral: Annotated[
        Path | None, typer.Option(help="A clip of the face at rest; its median is the rest.")
    ] = None,
    neutral_at: Annotated[
        float | None,
        typer.Option(help="The face rests at this second of the clip (0.2 s around it)."),
    ] = None,
    neutral_quiet: Annotated[
        bool, typer.Option("--neutral-quiet", help="Find frames at rest in the clip itself.")
    ] = False,
    range_of_motion: Annotated[
        Path | None, typer.Option(help="A take of the same face that uses every movement.")
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="Apply what --save-profile kept, instead of learning.")
    ] = None,
    save_profile: Annotated[
        Path | None, typer.Option(help="Keep what was learned as .yaml or .json.")
    ] = None,
    subtract_rotations: Annotated[
        bool, typer.Option("--subtract-rotations",
                           help="Take the rest off head and eye angles too."),
    ] = False,
    source_format: From = None,
    exchange_mouth: Mouth = None,
    rate: Rate = None,
    which: Which = None,
) -> None:  # fmt: skip
    """Subtract a face's rest as the phone does, and stretch its range to the expected one.

    The rest is max(0, raw - neutral) in the 52 shapes. The range maps the 5th and the 99.5th
    percentile of a range-of-motion take to 0 and 1, with gains from 0.5 to 2. With both, the
    rest goes first, from the range-of-motion take as well.

    [bold]Examples[/bold]

    semanticface calibrate take.csv -o calibrated.csv --neutral-quiet

    semanticface calibrate take.csv -o calibrated.csv --neutral-at 0.5 --range-of-motion rom.csv

    semanticface calibrate rom.csv -o rom.npz --range-of-motion rom.csv --save-profile anna.yaml

    semanticface calibrate take.csv -o calibrated.csv --profile anna.yaml
    """
    from semanticface.cli.before_after import print_table
    from semanticface.cli.saving import must_differ, save
    from semanticface.motion.profile import must_be_a_profile_name

    must_differ(clip_file, output)
    _check(neutral, neutral_at, neutral_quiet, range_of_motion, profile, save_profile)
    _check_rotations(subtract_rotations, neutral, neutral_at, neutral_quiet)
    if save_profile is not None:
        must_be_a_profile_name(save_profile)
    options = {"exchange_mouth": exchange_mouth, "rate": rate, "which": which}
    clip = load(clip_file, source_format, **options)
    rest_file = None if neutral is None else load(neutral, exchange_mouth=exchange_mouth)
    rest = _rest(clip, rest_file, neutral_at, neutral_quiet)
    rom = None if range_of_motion is None else load(range_of_motion, exchange_mouth=exchange_mouth)
    learned = _learned(rest, rom, profile, subtract_rotations)
    calibrated = learned.applied(clip)
    print_table(clip, calibrated)
    save(clip, calibrated, output)
    if save_profile is not None:
        _keep(learned, save_profile)


def _check(
    neutral: Path | None, neutral_at: float | None, neutral_quiet: bool,
    range_of_motion: Path | None, profile: Path | None, save_profile: Path | None,
) -> None:  # fmt: skip
    from semanticface.errors import BadInput

    options = {
        "--neutral": neutral is not None, "--neutral-at": neutral_at is not None,
        "--neutral-quiet": neutral_quiet, "--range-of-motion": range_of_motion is not None,
        "--profile": profile is not None,
    }  # fmt: skip
    given = [name for name, here in options.items() if here]
    if not given:
        raise BadInput("nothing to calibrate by", f"one of {', '.join(options)}")
    rests = [name for name in given if name.startswith("--neutral")]
    if len(rests) > 1:
        raise BadInput(" and ".join(rests), "one of them")
    if "--profile" in given and len(given) > 1:
        raise BadInput(" and ".join(given), "--profile alone: it holds what was learned")
    if "--profile" in given and save_profile is not None:
        raise BadInput("--profile and --save-profile", "one of them")


def _check_rotations(
    subtract: bool, neutral: Path | None, neutral_at: float | None, neutral_quiet: bool
) -> None:
    from semanticface.errors import BadInput

    if subtract and neutral is None and neutral_at is None and not neutral_quiet:
        raise BadInput("--subtract-rotations without a rest", "one of the --neutral options")


def _rest(
    clip: FaceClip, neutral: FaceClip | None, neutral_at: float | None, neutral_quiet: bool
) -> Neutral | None:
    from semanticface.motion import neutral as rests

    if neutral is not None:
        return rests.neutral_of(neutral)
    if neutral_at is not None:
        return rests.neutral_at(clip, neutral_at)
    return rests.neutral_quiet(clip) if neutral_quiet else None


def _learned(
    rest: Neutral | None, rom: FaceClip | None, profile: Path | None, subtract: bool
) -> Profile:
    from dataclasses import replace

    from semanticface.motion.calibrate import learn_range
    from semanticface.motion.profile import Profile, load_profile

    if profile is not None:
        return load_profile(profile)
    alone = Profile(rest, rotations="subtract" if subtract else "keep")
    if rom is None:
        return alone
    return replace(alone, range=learn_range(alone.applied(rom)))


def _keep(learned: Profile, path: Path) -> None:
    from semanticface.cli.console import err
    from semanticface.motion.profile import save_profile

    save_profile(learned, path)
    err().print(f"profile -> {path}", markup=False)
