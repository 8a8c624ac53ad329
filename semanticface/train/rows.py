"""Records as the rows a trainer draws: kept on disk, turned into examples when drawn.

The table holds one line of JSON a record, memory-mapped, so that a million faces take the
memory of none. A row of training is a record and a view of it; a view's number seeds how
its picture varies and, with `mirror`, every second one is turned around. Nothing depends
on when or by which process a row is drawn: a run that is resumed sees what it would have.
"""

from __future__ import annotations

import json
import logging
import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from heapq import nsmallest
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from semanticface.data.augment import mirrored
from semanticface.data.manifest import manifest_of
from semanticface.data.records import Record, for_training, record_of
from semanticface.data.sources import Tally, records
from semanticface.data.splits import DEFAULT, subject_key
from semanticface.data.tasks import Task
from semanticface.errors import BadInput, need
from semanticface.train.options import DataOptions

_LOG = logging.getLogger(__name__)
_PIECE = 1 << 16
_PLACES = ("path", "shard", "movie")
_END = 1 << 16
"""Bytes at a file's beginning and at its end by which it is known."""


@dataclass(frozen=True)
class Table:
    """Records of one side, on disk."""

    held: Any
    """A `datasets.Dataset` with the columns `record` (JSON) and `picture` (bytes or null)."""

    def __len__(self) -> int:
        return len(self.held)

    def __getitem__(self, index: int) -> Record:
        return _record(self.held[index])

    def __iter__(self) -> Iterator[Record]:
        for index in range(len(self)):
            yield self[index]

    def digest(self) -> str:
        """sha256 over all records and the names and sizes of their files, wherever these lie:
        the same faces in the same order, the same hash."""
        digest = sha256()
        for row in self.held:
            held = json.loads(row["record"])
            held["image"] |= {kind: name_and_size(held["image"][kind])
                              for kind in _PLACES if kind in held["image"]}  # fmt: skip
            line = json.dumps(held, sort_keys=True)
            digest.update(line.encode() + b"\0" + (row["picture"] or b"") + b"\n")
        return digest.hexdigest()


def contents(*tables: Table) -> str:
    """sha256 over the sizes, beginnings and ends of all pictures' files, wherever these lie.

    A picture of up to 128 KiB is read whole; a change inside a larger one moves what follows
    it, and so its end, in every kind of file that is decoded. Shards and movies, which many
    records share, are read once.
    """
    digest, shared = sha256(), dict[str, bytes]()
    for row in (row for table in tables for row in table.held):
        image = json.loads(row["record"])["image"]
        kind = next((each for each in _PLACES if each in image), None)
        if kind is None:
            continue
        place = image[kind]
        found = shared.get(place) or _ends(Path(place))
        if kind != "path":
            shared[place] = found
        digest.update(found)
    return digest.hexdigest()


def _ends(file: Path) -> bytes:
    """A hash of a file's size, first and last 64 KiB."""
    if not file.is_file():
        return b"none"
    with file.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        digest = sha256(b"%d " % size + stream.read(_END))
        stream.seek(max(size - _END, min(size, _END)))
        digest.update(stream.read(_END))
    return digest.digest()


def name_and_size(place: str) -> list[str | int]:
    """A file's name and size: another picture of the same name seldom has the same."""
    file = Path(place)
    return [file.name, file.stat().st_size if file.is_file() else -1]


class Sides(NamedTuple):
    """What is learnt from, and what is held out for probes."""

    train: Table
    probe: Table
    """Few, always the same: those whose ids have the smallest hashes, by id."""
    clamped: Mapping[str, int] = MappingProxyType({})
    """Training records, and values of theirs, that targets bring to the edge of their range;
    counted where they are read, not where they are only opened again."""


def sides(options: DataOptions, data: Path, folder: Path, probed: int) -> Sides:
    """Read a data set once: training records into `folder`, a few held out ones kept."""
    held_out = nsmallest(probed, _side(options, data, "val"), key=_hash_of)
    tally, clamped = Tally(), Counter(records=0, values=0)
    shown = _limited(_side(options, data, "train", tally), options.max_records)
    train = table(_counted(shown, options.task, clamped), folder / "train")
    for what, count in tally.passed_over.items():
        if count:
            _LOG.warning("%s: %d passed over", what, count)
    if clamped["values"]:
        _LOG.warning("%d values of %d records lie beyond their range and are learnt at its edge",
                     clamped["values"], clamped["records"])  # fmt: skip
    if not len(train):
        raise BadInput("no record to train on", "some on the side 'train'", file=data)
    if not held_out:
        raise BadInput(
            "no record held out",
            "some subjects on the side 'val'",
            file=data,
            hint="Subjects are dealt by a hash of their name; take more of them.",
        )
    _check_ids((train, held_out), data)
    people = {subject_key(record.subject) for record in held_out}
    for record in train:
        if subject_key(record.subject) in people:
            raise BadInput(f"subject '{record.subject}' both trained on and held out",
                           "each on one side", file=data)  # fmt: skip
    probe = table(sorted(held_out, key=lambda each: each.id), folder / "probe")
    return Sides(train, probe, clamped)


def _counted(some: Iterable[Record], task: Task, clamped: Counter[str]) -> Iterator[Record]:
    """The records; what their targets bring to the edge of the range is counted."""
    for record in some:
        if moved := task.moved(record):
            clamped.update(records=1, values=moved)
        yield record


def _check_ids(some: Iterable[Iterable[Record]], data: Path) -> None:
    """An error if two records have one id; eight bytes a record are held for it."""
    seen = array("Q", (_short_hash(record.id) for held in some for record in held))
    ordered = np.sort(np.frombuffer(seen, np.uint64))
    double = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
    if not double:
        return
    names = Counter(record.id for held in some for record in held
                    if _short_hash(record.id) in double)  # fmt: skip
    name, times = names.most_common(1)[0]
    if times > 1:
        raise BadInput(f"the id '{name}' of {times} records", "another one for each record",
                       file=data, hint="Records take theirs from their source: give each a name of "
                       "its own.")  # fmt: skip


def _short_hash(name: str) -> int:
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big")


def opened_sides(folder: Path) -> Sides:
    """What `sides` has written."""
    return Sides(opened(folder / "train"), opened(folder / "probe"))


def _side(
    options: DataOptions, data: Path, side: str, tally: Tally | None = None
) -> Iterator[Record]:  # fmt: skip
    found = records(manifest_of(data), tally)
    allowed = for_training(found, without_consent=options.without_consent)
    return (each for each in allowed if (each.split or DEFAULT.side(each.subject)) == side)


def _limited(some: Iterable[Record], most: int | None) -> Iterator[Record]:
    for count, record in enumerate(some):
        if count == most:
            return
        yield record


def _hash_of(record: Record) -> str:
    return sha256(record.id.encode()).hexdigest()


def table(some: Iterable[Record], folder: Path) -> Table:
    """Write records as an Arrow file in `folder` and map it into memory."""
    need("datasets", "train", "Training")
    from datasets import Dataset, Features, Value
    from datasets.arrow_writer import ArrowWriter

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "records.arrow"
    columns = Features({"record": Value("large_string"), "picture": Value("large_binary")})
    with ArrowWriter(features=columns, path=str(path), writer_batch_size=1000) as writer:
        for record in some:
            writer.write(_line(record))
        writer.finalize()
    return Table(Dataset.from_file(str(path)))


def opened(folder: Path) -> Table:
    """A table that is on disk."""
    from datasets import Dataset

    return Table(Dataset.from_file(str(folder / "records.arrow")))


def _line(record: Record) -> dict[str, Any]:
    held = record.model_dump(exclude_none=True, exclude_defaults=True)
    picture = held["image"].pop("data", None)
    return {"record": json.dumps(held | {"targets": record.targets}), "picture": picture}


def _record(row: dict[str, Any]) -> Record:
    held = json.loads(row["record"])
    if row["picture"] is not None:
        held["image"]["data"] = row["picture"]
    return record_of(held)


class View(NamedTuple):
    """A record as one row shows it."""

    record: Record
    seed: int | None
    """Seeds the changes to its pixels; None leaves them."""


def view_of(record: Record, view: int, options: DataOptions) -> View:
    """One of the views of a record; the first, unvaried one is the record itself."""
    turned = options.mirror and (view % 2 == 1 if options.views > 1 else _coin(record, view))
    shown = mirrored(record, seed=options.wording).record if turned else record
    digest = sha256(f"{options.wording}/{record.id}/{view}".encode()).digest()
    seed = int.from_bytes(digest[:7], "big") if options.augment else None
    return View(shown, seed)


def _coin(record: Record, view: int) -> bool:
    return bool(sha256(f"{record.id}/{view}/mirror".encode()).digest()[0] & 1)


def rows(held: Table, options: DataOptions) -> Any:
    """A `datasets.Dataset` whose rows become examples when they are drawn."""
    from datasets import Dataset

    count = len(held) * options.views * len(options.tasks)
    numbers = Dataset.from_generator(_numbers, gen_kwargs={"count": count}) \
        if count > _PIECE * 64 else Dataset.from_dict({"row": range(count)})  # fmt: skip
    return numbers.with_transform(transform(held, options))


def _numbers(count: int) -> Iterator[dict[str, int]]:
    return ({"row": number} for number in range(count))


def transform(
    held: Table, options: DataOptions
) -> Callable[[dict[str, list[int]]], dict[str, list[Any]]]:
    """From row numbers to TRL's examples; a fault names the record."""

    def examples(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        made = [_example(held, number, options) for number in batch["row"]]
        return {key: [each[key] for each in made] for key in made[0]}

    return examples


def _example(held: Table, number: int, options: DataOptions) -> dict[str, Any]:
    turn, row = divmod(number, len(held))
    view, asked = divmod(turn, len(options.tasks))
    shown = view_of(held[row], view, options)
    try:
        example = options.tasks[asked].example(shown.record)
        return example | {"augment": shown.seed, "task": asked}
    except BadInput as fault:
        raise fault.at(file=f"record {shown.record.id}", row=row + 1) from None


def shown_records(held: Table, options: DataOptions) -> Iterator[Record]:
    """Every record as its views show it: what a token budget has to count."""
    for view in range(min(options.views, 2) if options.mirror else 1):
        for record in held:
            yield view_of(record, view, options).record
