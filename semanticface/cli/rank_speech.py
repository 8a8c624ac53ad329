"""`semanticface rank speech`: pairs about recordings."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semanticface.cli.arena import Media, Where, Which
from semanticface.cli.options import Temperature
from semanticface.cli.rank import listed, opened, say

if TYPE_CHECKING:
    from semanticface.data.speech_samples import SpeechSample
    from semanticface.preference.speech_sampling import Voice


def speech(
    where: Where,
    recordings: Annotated[Path, typer.Argument(help="A corpus of speech or its samples.jsonl.",
                                               show_default=False)],
    run: Annotated[
        list[str] | None,
        typer.Option("--run", "-r", help="A run's folder; repeat for answers of several. The "
                     "packaged one of speech else.", show_default=False),
    ] = None,
    side: Annotated[str, typer.Option(help="train, val or test.")] = "train",
    count: Annotated[int, typer.Option(help="Recordings at most.", min=1)] = 50,
    samples: Annotated[int, typer.Option(help="Answers of a model to each.", min=1)] = 4,
    temperature: Temperature = 1.0,
    others: Annotated[
        str, typer.Option("--with", help="rules, take (the recording's own coefficients), faults "
                          "(known ones, in the likeliest answer): with commas.")
    ] = "",
    regions: Annotated[str, typer.Option(help="lower, mouth, jaw: with commas.")] = "lower",
    per_region: Annotated[int, typer.Option(help="Pairs of a stretch in each.", min=1)] = 1,
    windows: Annotated[
        int, typer.Option(help="A run's windows in a stretch: 4 of half a second are 1.7 s.", min=1)
    ] = 4,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    project: Which = None,
    media: Media = None,
) -> None:  # fmt: skip
    """Pairs of what models, the rules and others make of recordings, as loops with their sound.

    Answers are kept beside the store as they come, so the same command goes on after a stop.

    [bold]Examples[/bold]

    semanticface rank speech faces.store corpus --run runs/audioface_nano --with rules

    semanticface rank oracle faces.store corpus
    """
    from semanticface.preference.speech_pairs import How, fill

    how = How(samples, listed(others), listed(regions), per_region, windows, seed=seed)
    store, chosen = opened(where, project, media)
    some = tuple(islice(samples_on(recordings, side), count))
    told = fill(store, chosen, _voices(run or ["small-speech"], temperature), some, how,
                store.media / "answers" / chosen.id)  # fmt: skip
    say(f"{told.pairs} pairs of {len(some)} recordings; left out: {told.alike} that look the same, "
        f"{told.known} known before, {told.unread} windows that cannot be read")  # fmt: skip


def samples_on(place: Path, side: str) -> list[SpeechSample]:
    """Samples of a corpus on one side, in its order."""
    from semanticface.errors import BadInput
    from semanticface.train.options import DataOptions
    from semanticface.train.speech_rows import allowed_samples, side_of

    if side not in ("train", "val", "test"):
        raise BadInput(f"--side {side}", "train, val or test")
    allowed = allowed_samples(DataOptions(stage="speech"), place)
    some = [each for each in allowed if side_of(each) == side]
    if not some:
        raise BadInput(f"no recording on the side '{side}'", "some", file=place)
    return some


def is_speech(place: Path) -> bool:
    """Whether records are recordings: a corpus' folder, or samples that name their sound."""
    from semanticface.data.speech_corpus import SAMPLES
    from semanticface.formats import json_lines

    file = place / SAMPLES if place.is_dir() else place
    if file.suffix != ".jsonl" or not file.is_file():
        return False
    return any("audio" in row for _, row in islice(json_lines.objects(file), 1))


def _voices(places: list[str], temperature: float) -> list[tuple[str, Voice]]:
    from semanticface.errors import BadInput
    from semanticface.preference.speech_sampling import voice_of

    names = [Path(each).resolve().name for each in places]
    if len(set(names)) < len(names):
        raise BadInput(f"models called {', '.join(names)}", "different names of their folders")
    return [(name, voice_of(each, temperature=temperature))
            for name, each in zip(names, places, strict=True)]  # fmt: skip
