"""`semanticface rank sample` and `rank judge`: models answer, and a learned judge says which."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from semanticface.cli.arena import Media, Where, Which
from semanticface.cli.options import Temperature
from semanticface.cli.rank import Regions, faces_in, listed, opened, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from semanticface.data.records import Record
    from semanticface.language.answer_format import AnswerFormat
    from semanticface.preference.candidates import Sampled
    from semanticface.preference.sampling import Sampler


class Model(NamedTuple):
    """One that is asked."""

    name: str
    sampler: Sampler
    form: AnswerFormat


def sample(
    where: Where,
    records: Annotated[Path, typer.Argument(help="Faces: a synth folder, a .jsonl or a manifest.",
                                            show_default=False)],
    run: Annotated[
        list[str] | None,
        typer.Option("--run", "-r", help="A run's folder; repeat for answers of several. The "
                     "packaged small model else.", show_default=False),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="A server's address.", show_default=False)
    ] = None,
    served: Annotated[str, typer.Option(help="Name of the model there.")] = "face",
    answer: Annotated[
        str, typer.Option(help="Which of a run's answers, as `tokens`; its first one else.")
    ] = "",
    count: Annotated[int, typer.Option(help="Faces at most.", min=1)] = 100,
    samples: Annotated[int, typer.Option(help="Answers of a model to each.", min=2)] = 4,
    temperature: Temperature = 1.0,
    regions: Regions = "upper,lower",
    per_region: Annotated[int, typer.Option(help="Pairs of a face in each.", min=1)] = 1,
    ask: Annotated[
        int, typer.Option(help="Pairs that are asked, the most telling; 0 for all.", min=0)
    ] = 0,
    discriminator: Annotated[
        str, typer.Option(help="Its folder: pairs that it doubts are the more telling.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    project: Which = None,
    media: Media = None,
) -> None:  # fmt: skip
    """Pairs of what models answer to faces; attention checks where the numbers are known.

    Answers are kept beside the store as they come, so the same command goes on after a stop.

    [bold]Examples[/bold]

    semanticface rank sample faces.store faces --run runs/mine --ask 200

    semanticface rank sample faces.store faces --endpoint http://127.0.0.1:8000
    """
    from semanticface.preference.pairing import add_checks
    from semanticface.preference.sampled_pairs import pool_of, put, telling

    store, chosen = opened(where, project, media)
    faces = tuple(islice(faces_in(records), count))
    models = _models(run or [], endpoint, served, answer, temperature)
    told = _answered(models, faces, samples, store.media / "answers" / chosen.id, seed)
    pool = pool_of(told, listed(regions), per_region, [seed])
    added = put(store, chosen, telling(pool.rows, ask, discriminator))
    checks = add_checks(store, chosen, faces, listed(regions), added.pairs + added.known)
    say(f"{added.pairs} pairs, {checks or 'no'} attention checks"
        f"{'' if checks else ' (the numbers of no face are known)'}; left out: {pool.alike} that "
        f"look the same, {added.known} known before, {pool.unread} answers that cannot be read, "
        f"{len(pool.rows) - added.pairs - added.known} less telling")  # fmt: skip


def judge(
    where: Where,
    discriminator: Annotated[Path, typer.Argument(help="What recipes/discriminator.py left.",
                                                  show_default=False)],
    name: Annotated[str, typer.Option(help="What this judge is called.")] = "discriminator",
    most: Annotated[int | None, typer.Option(help="Verdicts at most.", min=1)] = None,
    project: Which = None,
    media: Media = None,
) -> None:  # fmt: skip
    """Let a discriminator judge stills with a picture; its verdicts say `discriminator`.

    Said again, it goes on with the pairs that it has not judged yet.
    """
    from semanticface.preference.discriminator import load
    from semanticface.preference.learned import let_discriminate
    from semanticface.preference.store.content import known_rater

    store, chosen = opened(where, project, media)
    learned = load(discriminator)
    about = str(discriminator.resolve())
    rater = known_rater(store, chosen.id, name, "discriminator", about)
    done = let_discriminate(store, chosen, rater, learned, most=most)
    say(f"{done} verdicts by {name}; pairs without a picture are skipped")


def _models(
    runs: Sequence[str], endpoint: str | None, served: str, answer: str, temperature: float
) -> list[Model]:
    from semanticface.errors import BadInput

    found = [_of_run(each, answer, temperature) for each in runs]
    if endpoint is not None:
        from semanticface.serve.sampling import of_endpoint, served_task

        task = served_task(endpoint, served)
        sampler = of_endpoint(endpoint, served, temperature=temperature, task=task)
        found.append(Model(served, sampler, task.form))
    found = found or [_of_run("", answer, temperature)]
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        raise BadInput(f"models called {', '.join(names)}", "different names of their folders")
    return found


def _of_run(place: str, answer: str, temperature: float) -> Model:
    from semanticface.preference.align.options import StartOptions
    from semanticface.preference.align.trainer import start_of
    from semanticface.preference.sampling import of_run

    form = start_of(StartOptions(start=place, answer=answer)).seen.form
    name = Path(place).resolve().name if place else "small"
    return Model(name, of_run(place, temperature=temperature, answer=answer), form)


def _answered(
    models: Sequence[Model], faces: Sequence[Record], samples: int, folder: Path, seed: int
) -> list[tuple[Record, Sampled]]:
    """Every model's answers to each face, the first model's likeliest one first."""
    from semanticface.preference.candidates import Sampled, sampled
    from semanticface.preference.sampling import by_record, collect
    from semanticface.preference.store.rows import keyed

    told: dict[str, list[Sampled]] = {each.id: [] for each in faces}
    for name, sampler, form in models:
        path = folder / f"{keyed(sampler.origin, seed)}.jsonl"
        for face, some in by_record(collect(sampler, faces, samples, path, seed=seed)):
            texts = ((f"{name} {each.number}", each.text) for each in some)
            told[face].append(sampled(texts, form))
    return [(face, Sampled(tuple(c for each in told[face.id] for c in each.candidates),
                           tuple(u for each in told[face.id] for u in each.unread)))
            for face in faces]  # fmt: skip
