"""`semanticface rounds`: sample, pair, judge, train, evaluate, again and again."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.options import Temperature

if TYPE_CHECKING:
    from semanticface.preference.rounds import Outcome, Plan


class By(StrEnum):
    """Who judges."""

    human = "human"
    oracle = "oracle"
    discriminator = "discriminator"


class Evaluator(StrEnum):
    """Who compares."""

    human = "human"
    oracle = "oracle"


def rounds(
    folder: Annotated[Path, typer.Argument(help="Where the rounds go.", show_default=False)],
    data: Annotated[
        str, typer.Option(help="Faces: a manifest, .jsonl or a synth folder; those of `train` are "
                          "sampled, those of `val` evaluated. Of a run of speech: a corpus.")
    ] = "",
    start: Annotated[
        str, typer.Option(help="A run's folder, or small-speech; the packaged one else.")
    ] = "",
    answer: Annotated[str, typer.Option(help="Which of its answers, as `tokens`.")] = "",
    judge: Annotated[By, typer.Option(help="Who judges.")] = By.oracle,
    discriminator: Annotated[
        str, typer.Option(help="Its folder: the judge, or watched for drift.")
    ] = "",
    count: Annotated[int, typer.Option("--rounds", help="Rounds at most.", min=1)] = 3,
    faces: Annotated[int, typer.Option(help="Faces sampled in a round.", min=1)] = 100,
    held_out: Annotated[int, typer.Option(help="Faces evaluated.", min=1)] = 32,
    samples: Annotated[int, typer.Option(help="Answers to each face.", min=2)] = 4,
    temperature: Temperature = 1.0,
    regions: Annotated[str, typer.Option(help="As in `rank`.")] = "upper,lower",
    per_region: Annotated[int, typer.Option(help="Pairs of a face in each.", min=1)] = 1,
    windows: Annotated[
        int, typer.Option(help="Of a run of speech: its windows in a stretch.", min=1)
    ] = 4,
    ask: Annotated[
        int, typer.Option(help="Pairs asked in a round, the most telling; 0 for all.", min=0)
    ] = 0,
    votes: Annotated[int, typer.Option(help="People for each pair.", min=1)] = 1,
    evaluated_by: Annotated[
        Evaluator | None,
        typer.Option(help="Who compares each round with the start: people where people judge, an "
                     "oracle with the truth else.", show_default=False),
    ] = None,
    tolerance: Annotated[float, typer.Option(help="Preference that may be lost.", min=0)] = 0.02,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    endpoint: Annotated[
        str | None, typer.Option(help="Sample the first round from this server.",
                                 show_default=False)
    ] = None,
    served: Annotated[str, typer.Option(help="Name of the model there.")] = "face",
    train: Annotated[
        list[str] | None,
        typer.Option(help="Keys of recipes/dpo.py, as max_steps=200; repeat.", show_default=False),
    ] = None,
) -> None:  # fmt: skip
    """Align a model round after round; the same command goes on wherever it was stopped.

    Ends after --rounds, or when held-out preference falls: the best round is named. With
    people as judges it ends with code 3 while pairs wait for them.

    [bold]Examples[/bold]

    semanticface rounds ROUNDS --data faces --answer tokens --train max_steps=100

    semanticface rounds ROUNDS --data faces --judge human --start runs/mine

    semanticface rounds ROUNDS --data corpus --start runs/audioface_nano --regions lower
    """
    from semanticface.preference.rounds import Plan, Waiting, go

    plan = Plan(
        start=start, answer=answer, data=data, judge=judge.value, discriminator=discriminator,
        rounds=count, faces=faces, held_out=held_out, samples=samples, temperature=temperature,
        regions=tuple(part.strip() for part in regions.split(",") if part.strip()),
        per_region=per_region, windows=windows, ask=ask, votes=votes,
        evaluated_by=evaluated_by.value if evaluated_by else "", tolerance=tolerance, seed=seed,
        training=_keys(train or []),
    )  # fmt: skip
    try:
        outcome = go(folder, plan, _steps(plan, endpoint, served))
    except Waiting as fault:
        _say(str(fault))
        raise typer.Exit(3) from None
    _tell(folder, outcome)


def _keys(told: list[str]) -> dict[str, Any]:
    from semanticface.errors import BadInput

    found: dict[str, Any] = {}
    for each in told:
        key, equals, value = each.partition("=")
        if not equals or not key.isidentifier():
            raise BadInput(f"--train {each}", "KEY=VALUE, as max_steps=200")
        found[key] = value.split(",") if "," in value else value
    return found


def _steps(plan: Plan, endpoint: str | None, served: str) -> Any:
    """Those of pictures, or of speech where the start is a run of speech."""
    from semanticface.errors import BadInput
    from semanticface.train.manifest import read_manifest
    from semanticface.train.options import SPEECH
    from semanticface.train.places import run_folder

    start = read_manifest(run_folder(plan.start) / "manifest.json")
    if start["task"]["stage"] == SPEECH:
        from semanticface.preference.speech_rounds import speech_steps

        if endpoint is not None:
            raise BadInput("rounds of speech from a server", "from a run's folder, without "
                           "--endpoint")  # fmt: skip
        return speech_steps(plan)
    from semanticface.preference.round_steps import steps

    return steps(_samplers(plan, endpoint, served))


def _samplers(plan: Plan, endpoint: str | None, served: str) -> Any:
    from semanticface.preference.round_steps import run_samplers

    local = run_samplers(plan)
    if endpoint is None:
        return local
    from semanticface.serve.sampling import of_endpoint

    def sampler(place: str) -> Any:
        if place != plan.start:
            return local(place)
        return of_endpoint(endpoint, served, temperature=plan.temperature)

    return sampler


def _tell(folder: Path, outcome: Outcome) -> None:
    from semanticface.preference.rounds import evaluated

    for each in evaluated(outcome.rows):
        believed = "" if each.believed is None else f", discriminator {each.believed:.3f}"
        _say(f"round {each.round}: preference over the start {each.preference:.3f}{believed}")
    why = {"done": "all rounds done", "drift": "stopped: oracle drift",
           "no gain": "stopped: held-out preference fell"}[outcome.why]  # fmt: skip
    best = f"round-{outcome.best}/run" if outcome.best else "none was better than the start"
    _say(f"{why}; best: {folder / best if outcome.best else best}")


def _say(text: str) -> None:
    from semanticface.cli.console import err

    err().print(text, markup=False, soft_wrap=True)
