"""`semanticface annotate`: words for every record of a data set, reworded by a model if wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from semanticface.data.chat_endpoint import Endpoint
    from semanticface.data.records import Record
    from semanticface.data.stage_one import Report


def annotate(
    data: Annotated[
        Path,
        typer.Argument(help="A manifest.yaml, a .jsonl, a .parquet or a folder of synth.",
                       show_default=False),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The records with words, .jsonl.",
                           show_default=False)
    ],
    endpoint: Annotated[
        str | None,
        typer.Option(help="An OpenAI-compatible server, up to and with /v1; it rewords what the "
                          "rules say.", show_default=False),
    ] = None,
    model: Annotated[
        str, typer.Option(help="The model's name at the endpoint.", show_default=False)
    ] = "",
    key: Annotated[
        str, typer.Option(help="Environment variable with the endpoint's key, if it wants one.")
    ] = "OPENAI_API_KEY",
    temperature: Annotated[float, typer.Option(help="Of the rewrites.", min=0)] = 0.7,
    at_once: Annotated[int, typer.Option(help="Requests under way at a time.", min=1)] = 8,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
    seed: Annotated[int, typer.Option(help="Another seed, other wordings.")] = 0,
    journal: Annotated[
        Path | None,
        typer.Option(help="Where answers are kept; by default beside OUT.", show_default=False),
    ] = None,
    rows: Annotated[int | None, typer.Option(help="Only the first so many.", min=1)] = None,
) -> None:  # fmt: skip
    """Describe every record from its numbers; a rewrite is kept only if the numbers bear it out.

    Stop it whenever you like: no question is asked twice. Exit code 1 if the endpoint gave
    no answer to some; these keep the rules' words, and the same command asks again.

    [bold]Examples[/bold]

    semanticface annotate data.yaml -o words.jsonl

    semanticface annotate faces -o words.jsonl --endpoint http://127.0.0.1:8000/v1 --model qwen
    """
    from semanticface.cli.console import err, note
    from semanticface.cli.saving import must_differ
    from semanticface.data.manifest import manifest_of
    from semanticface.data.records import write_records
    from semanticface.data.sources import Tally, records
    from semanticface.data.stage_one import Report, described, reworded
    from semanticface.language.lexicon import lexicon

    must_differ(data, out)
    lexicon(language)  # another language is refused before anything is asked
    tally = Tally()
    held = islice(records(manifest_of(data), tally), rows)
    count = Report()
    asked = _endpoint(endpoint, model, key, temperature)
    if asked is None:
        made: Iterable[Record] = described(held, seed=seed, language=language)
    else:
        kept = journal or out.with_name(f"{out.name}.rewrites")
        made = reworded(held, asked, kept, concurrency=at_once, language=language, seed=seed,
                        report=count)  # fmt: skip
    written = write_records(out, _watched(made, rows))
    err().print(f"{written:,} records with words -> {out}", markup=False)
    for what, several in tally.passed_over.items():
        if several:
            note(f"{what}: {several:,} passed over")
    _tell(count)


def _endpoint(url: str | None, model: str, key: str, temperature: float) -> Endpoint | None:
    from semanticface.data.chat_endpoint import Endpoint
    from semanticface.errors import BadInput

    if (url is None) != (not model):
        raise BadInput("an endpoint without a model, or a model without an endpoint", "both",
                       hint="--endpoint http://127.0.0.1:8000/v1 --model NAME")  # fmt: skip
    if url is None:
        return None
    return Endpoint(url, model, temperature=temperature, key_variable=key)


def _watched(made: Iterable[Record], rows: int | None) -> Iterator[Record]:
    from semanticface.cli.console import track

    yield from track(made, "describing", rows)


def _tell(count: Report) -> None:
    """What became of the rewrites; the exit code says whether some were never answered."""
    from semanticface.cli.console import err, out

    if not count.verdicts:
        return
    total = sum(count.verdicts.values())
    for verdict, several in count.verdicts.most_common():
        out().print(f"{verdict:<16}{several:>9,}  {several / total:.1%}", markup=False)
    err().print(f"asked {count.asked:,}, known before {count.from_journal:,}", markup=False)
    for fault, several in count.faults.most_common(3):
        err().print(f"{several:,} x {fault}", markup=False)
    if count.verdicts["failed"]:
        raise typer.Exit(1)
