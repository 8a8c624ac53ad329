"""Several answers to each picture, from a run's folder or a served model, kept as they come.

    sampler = of_run("runs/mine", temperature=1.0)
    told = collect(sampler, records, 4, "answers.jsonl", seed=0)

Every answer is on the disk before the next batch, so whatever ends the work (a server that
dies, a kill) costs one batch: the same call goes on after the answers that are there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from semanticface.data.images import Pictures
from semanticface.data.records import Record
from semanticface.errors import BadInput
from semanticface.formats import json_lines

BATCH = 16
_SEEDS = 2**31


class Sampler(NamedTuple):
    """Draws answers; `origin` names model, weights and temperature."""

    origin: str
    answers: Callable[[Sequence[Any], Sequence[int | None]], list[str]]
    """Of pictures and seeds the texts; the likeliest answer where the seed is None."""


class Sample(NamedTuple):
    """One answer to one record; number 0 is the likeliest, the others are drawn."""

    record: str
    number: int
    text: str


def of_run(place: str | Path, *, temperature: float, answer: str = "") -> Sampler:
    """Draw from a finished run on this machine."""
    from semanticface.preference.align.options import StartOptions
    from semanticface.preference.align.trainer import loaded, start_of
    from semanticface.train.decoding import Decoder
    from semanticface.train.sampling import drawn

    options = StartOptions(start=str(place), answer=answer)
    start = start_of(options)
    found = loaded(start, options)
    decoder = Decoder.of(found.model.eval(), found.processor, start.seen)

    def answers(pictures: Sequence[Any], seeds: Sequence[int | None]) -> list[str]:
        told = [""] * len(pictures)
        plain = [i for i, seed in enumerate(seeds) if seed is None]
        chance = [(i, seed) for i, seed in enumerate(seeds) if seed is not None]
        likely = decoder.answers([pictures[i] for i in plain]) if plain else []
        some = drawn(decoder, [pictures[i] for i, _ in chance], temperature=temperature,
                     seeds=[seed for _, seed in chance]) if chance else []  # fmt: skip
        for i, each in zip([*plain, *(i for i, _ in chance)], [*likely, *some], strict=True):
            told[i] = each.text
        return told

    digest = sha256((start.result / "hashes.json").read_bytes()).hexdigest()[:16]
    return Sampler(f"{digest} {start.seen.form.key} t={temperature:g}", answers)


def collect(
    sampler: Sampler, records: Sequence[Record], count: int, path: str | Path, *, seed: int = 0,
    batch: int = BATCH,
) -> tuple[Sample, ...]:  # fmt: skip
    """`count` answers to each record, the likeliest among them; goes on where it was stopped."""
    if count < 2:
        raise BadInput(f"{count} answers", "two or more: one alone makes no pair")
    known = kept_answers(Path(path), sampler.origin)
    pictures, missing = Pictures(), [
        (record, number) for record in records for number in range(count)
        if (record.id, number) not in known
    ]  # fmt: skip
    with Journal(Path(path), sampler.origin) as keep:
        for begin in range(0, len(missing), batch):
            part = missing[begin : begin + batch]
            shown = [pictures.decode(record.image, record.id) for record, _ in part]
            seeds = [seed_of(seed, record.id, number) for record, number in part]
            texts = sampler.answers(shown, seeds)
            for (record, number), text in zip(part, texts, strict=True):
                known[record.id, number] = Sample(record.id, number, text)
                keep(known[record.id, number])
    return tuple(known[record.id, number] for record in records for number in range(count))


def seed_of(seed: int, record: str, number: int) -> int | None:
    """The same answer to the same record, whoever is asked beside it."""
    if number == 0:
        return None
    digest = sha256(f"{seed}/{record}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % _SEEDS


def kept_answers(path: Path, origin: str) -> dict[tuple[str, int], Sample]:
    """What an earlier call kept; its last line may have been cut short."""
    if not path.is_file():
        return {}
    lines = path.read_bytes().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith(b"\n")]
    if len(whole) < len(lines):
        path.write_bytes(b"".join(whole))
    if not whole:
        return {}
    rows = [json_lines.parse(line.decode(), file=path, row=n) for n, line in enumerate(whole, 1)]
    if rows[0].get("origin") != origin:
        raise BadInput(f"answers of {rows[0].get('origin')}", origin, file=path,
                       hint="Another model, another file.")  # fmt: skip
    return {(row["record"], row["number"]): Sample(**row) for row in rows[1:]}


class Journal:
    """Appends samples to a file, its origin in the first line."""

    def __init__(self, path: Path, origin: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.is_file() or not path.stat().st_size
        self.stream = path.open("a", encoding="utf-8")
        if fresh:
            self._write({"origin": origin})

    def __enter__(self) -> Callable[[Sample], None]:
        return lambda sample: self._write(sample._asdict())

    def __exit__(self, *_: object) -> None:
        self.stream.close()

    def _write(self, row: dict[str, Any]) -> None:
        self.stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        self.stream.flush()


def by_record(samples: Sequence[Sample]) -> Iterator[tuple[str, list[Sample]]]:
    """Samples of one record after the other, by number."""
    found: dict[str, list[Sample]] = {}
    for each in samples:
        found.setdefault(each.record, []).append(each)
    for record, some in found.items():
        yield record, sorted(some, key=lambda each: each.number)
