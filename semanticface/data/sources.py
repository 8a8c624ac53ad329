"""From a manifest to records, one at a time.

    for record in records(read_manifest("data.yaml")):
        ...

Nothing is gathered: a manifest of a million rows takes the memory of one. What gives no
record (a frame without a face, say) is counted in a `Tally` and never silently dropped.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semanticface.data import names, shards, takes
from semanticface.data.images import OTHERS, image_of
from semanticface.data.manifest import (
    Folder,
    HuggingFace,
    JsonLines,
    Manifest,
    Parquet,
    Source,
    Synthetic,
    TakeFolder,
)
from semanticface.data.records import Record, record_of
from semanticface.errors import BadInput, need
from semanticface.formats import json_lines
from semanticface.formats.bounds import first_double
from semanticface.formats.take import read_take
from semanticface.rig import find

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
_BATCH = 64
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[Nn]a[Nn]|NAN")
"""What Python takes for a number beside it (1_0, infinity, digits of other scripts) is none."""


@dataclass
class Tally:
    """What reading a manifest gave."""

    records: Counter[str] = field(default_factory=Counter)
    """By source."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """By source and reason."""


def records(manifest: Manifest, tally: Tally | None = None) -> Iterator[Record]:
    """Every record of every source, in order."""
    count = tally if tally is not None else Tally()
    for source in manifest.sources:
        place = manifest.folder / source.path
        for record in _records(source, place, count):
            count.records[source.title] += 1
            yield record


def _records(source: Source, place: Path, count: Tally) -> Iterator[Record]:
    if isinstance(source, Folder):
        return _folder(source, place, count)
    if isinstance(source, TakeFolder):
        return _takes(source, place, count)
    if isinstance(source, JsonLines):
        return _rows(source, place, json_lines.objects(_file(place)), place.parent)
    if isinstance(source, Parquet):
        return _rows(source, place, _parquet(place), _file_folder(place))
    if isinstance(source, HuggingFace):
        return _rows(source, place, _saved(source, place), place)
    return _synthetic(source, place)


def _known(source: Source, title: str) -> dict[str, Any]:
    """What a source says of all its records."""
    given = {"subject": source.subject, "licence": source.licence, "consent": source.consent}
    return {"source": title, **{key: value for key, value in given.items() if value is not None}}


# -- folders of pictures -------------------------------------------------------------


def _folder(source: Folder, place: Path, count: Tally) -> Iterator[Record]:
    if not place.is_dir():
        raise BadInput("no such folder", "pictures with their numbers", file=place)
    if source.table is not None:
        yield from _table(source, place)
        return
    for image in names.found(place, source.images):
        suffix = image.suffix.lower()
        if suffix in OTHERS:
            count.passed_over[f"{source.title}: {suffix} pictures, which are not read"] += 1
        if suffix not in PICTURES:
            continue
        beside = image.with_suffix(f".{source.numbers}")
        if not beside.is_file():
            count.passed_over[f"{source.title}: pictures without a {beside.suffix}"] += 1
            continue
        held = _beside(beside)
        subject = {"subject": _subject(source, image, place)} if source.subject_from else {}
        name = image.relative_to(place).with_suffix("").as_posix()
        base = {"id": f"{source.title}/{name}", "image": str(image)}
        yield record_of(base | _known(source, source.title) | subject | held, file=beside)


def _subject(source: Folder, image: Path, place: Path) -> str:
    if source.subject_from == "folder":
        if image.parent == place or image.parent.name == "..":
            raise BadInput("a picture in no folder of its subject", "one in a folder below",
                           file=image, hint="subject: NAME, or subject_from: stem.")  # fmt: skip
        return image.parent.name
    return image.stem.replace("-", "_").split("_")[0]


def _beside(path: Path) -> dict[str, Any]:
    """A sidecar's numbers; a JSON one may be a record's keys, or the channels themselves."""
    if path.suffix == ".csv":
        rows = list(_csv_rows(path))
        if len(rows) != 1:
            raise BadInput(f"{len(rows)} rows", "one, for one picture", file=path)
        return {"targets": _channels(rows[0][1], path, rows[0][0])}
    held = json_lines.mapping(json_lines.load(path), file=path)
    return dict(held) if "targets" in held else {"targets": held}


def _table(source: Folder, place: Path) -> Iterator[Record]:
    path = place / str(source.table)
    for row, cells in _csv_rows(path):
        image = cells.pop("image", "")
        if not image:
            raise BadInput("no picture", "its path in the column 'image'", file=path, row=row)
        known = _known(source, source.title) | _named_cells(cells)
        if source.subject_from:
            known.setdefault("subject", _subject(source, place / image, place))
        base = {"id": f"{source.title}/{image}", "image": str(place / image)}
        yield record_of(base | known | {"targets": _channels(cells, path, row)},
                        file=path, row=row)  # fmt: skip


_TEXTS = ("id", "subject", "take", "licence", "consent")


def _named_cells(cells: dict[str, str]) -> dict[str, str]:
    """Cells of a record's own text columns, taken out of the row."""
    return {key: cells.pop(key) for key in _TEXTS if cells.get(key)}


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with _file(path).open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.DictReader(stream)
        try:
            _check_header(rows.fieldnames or (), path)
            for row, cells in enumerate(rows, 2):
                if None in cells or None in cells.values():
                    raise BadInput("a row of another length", "the header's", file=path, row=row)
                yield row, dict(cells)
        except (UnicodeDecodeError, csv.Error) as fault:
            raise BadInput(f"no table ({fault})", "CSV in UTF-8", file=path) from None


def _check_header(names: Sequence[str], path: Path) -> None:
    """Of two columns of one name only the last would be read; nameless ones are nobody's."""
    named = [name for name in names if name.strip()]
    if (double := first_double(named)) is not None:
        raise BadInput(f"the column '{double}' twice", "each column once", file=path, row=1,
                       column=double)  # fmt: skip


def _channels(cells: Mapping[str, str], path: Path, row: int) -> dict[str, float | None]:
    """Cells whose column is a channel; an empty one was not measured."""
    found: dict[str, float | None] = {}
    for name, cell in cells.items():
        if find(name) is None:
            continue
        told = cell.strip()
        if told and not _NUMBER.fullmatch(told):
            raise BadInput(f"'{cell}'", "a number, or nothing where nothing was measured",
                           file=path, row=row, column=name)  # fmt: skip
        found[name] = float(told) if told else None
    if not found:
        raise BadInput("no column of a channel", "names such as jawOpen", file=path, row=row)
    return found


# -- takes -----------------------------------------------------------------------------


def _takes(source: TakeFolder, place: Path, count: Tally) -> Iterator[Record]:
    if not place.is_dir():
        raise BadInput("no such folder", "a take, or a folder of takes", file=place)
    whole = any(place.glob("*.csv"))
    folders = [place] if whole else sorted(each for each in place.iterdir() if each.is_dir())
    if not folders:
        raise BadInput("no take", "a folder with a CSV and a movie", file=place)
    for folder in folders:
        yield from _take(source, folder, count)


def _take(source: TakeFolder, folder: Path, count: Tally) -> Iterator[Record]:
    take = read_take(folder, exchange_mouth=source.exchange_mouth,
                     exchange_jaw=source.exchange_jaw)  # fmt: skip
    clip = takes.chosen_clip(take, source.which, folder)
    subject = source.subject or take.info.subject
    if not subject:
        raise BadInput("a take without a subject", "subject: in the manifest", file=folder)
    matching = takes.Matching()
    known = _known(source, source.title) | {"subject": subject, "take": folder.name}
    for match in takes.matches(take, clip, every=source.every, offset=source.offset,
                               count=matching):  # fmt: skip
        image = {"movie": str(take.movie), "time": match.seconds, "flip": source.mirrored,
                 "turn": source.turn}  # fmt: skip
        yield record_of(
            known | {
                "id": f"{source.title}/{folder.name}/{match.frame}", "image": image,
                "targets": clip.values[match.row], "frame": match.frame,
                "time": float(clip.times[match.row]),
            },
            file=folder, row=match.row + 2,
        )  # fmt: skip
    count.passed_over[f"{source.title}: frames without numbers near in time"] += (
        matching.without_row
    )
    count.passed_over[f"{source.title}: frames without a face"] += matching.untracked
    count.passed_over[f"{source.title}: frame logs that do not fit"] += matching.unfit_logs


# -- tables ----------------------------------------------------------------------------


def _rows(
    source: JsonLines | Parquet | HuggingFace, place: Path,
    rows: Iterator[tuple[int, dict[str, Any]]], folder: Path,
) -> Iterator[Record]:  # fmt: skip
    known = _known(source, source.title)
    for row, held in rows:
        given = {key: value for key, value in _renamed(held, source.keys).items()
                 if value is not None}  # fmt: skip
        if "targets" not in given:
            given = _gathered(given)
        base = {"id": f"{source.title}/{row}"}
        record = record_of(base | known | given, file=place, row=row)
        yield record.model_copy(update={"image": record.image.under(folder)})


def _renamed(held: dict[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    """The row under a record's own names."""
    theirs = {name: key for key, name in keys.items()}
    return {theirs.get(name, name): value for name, value in held.items()}


def _gathered(held: dict[str, Any]) -> dict[str, Any]:
    """A row with a column a channel, as one with `targets`."""
    channels = {name: value for name, value in held.items() if find(name) is not None}
    rest = {name: value for name, value in held.items() if name not in channels}
    return rest | ({"targets": channels} if channels else {})


def _parquet(place: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows in batches of a few, so that pictures in the table do not fill the memory."""
    library = need("pyarrow.parquet", "formats", "Reading Parquet")
    files = sorted(place.glob("*.parquet")) if place.is_dir() else [_file(place)]
    if not files:
        raise BadInput("no .parquet file", "at least one", file=place)
    row = 0
    for path in files:
        try:
            table = library.ParquetFile(path)
        except (OSError, ValueError) as fault:
            raise BadInput(f"no Parquet ({fault})", "a Parquet file", file=path) from None
        with table:
            for held in _table_rows(table, path):
                row += 1
                yield row, _plain_row(held)


def _table_rows(table: Any, path: Path) -> Iterator[dict[str, Any]]:
    """Rows of one file; one that is broken further down is named too."""
    batches = table.iter_batches(batch_size=_BATCH)
    while True:
        try:
            batch = next(batches, None)
        except (OSError, ValueError) as fault:
            raise BadInput(f"a broken Parquet file ({fault})", "a whole one", file=path) from None
        if batch is None:
            return
        yield from batch.to_pylist()


def _saved(source: HuggingFace, place: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of a saved data set, with pictures left encoded."""
    library = need("datasets", "train", "Reading a saved data set")
    try:
        loaded = library.load_from_disk(str(place))
    except (FileNotFoundError, ValueError) as fault:
        raise BadInput(f"no saved data set ({fault})", "a folder of save_to_disk", file=place) \
            from None  # fmt: skip
    if isinstance(loaded, dict):
        if source.part not in loaded:
            raise BadInput(f"the part {source.part!r}", f"one of {', '.join(loaded)}", file=place,
                           hint="Give it as part:.")  # fmt: skip
        loaded = loaded[source.part]
    for name, feature in loaded.features.items():
        if isinstance(feature, library.Image):
            loaded = loaded.cast_column(name, library.Image(decode=False))
    for row, held in enumerate(loaded, 1):
        yield row, _plain_row(held)


def _plain_row(held: dict[str, Any]) -> dict[str, Any]:
    """Tables fill the keys of a nested object with null; a picture is turned into its place."""
    image = held.get("image")
    return {**held, "image": image_of(image)} if isinstance(image, dict | bytes) else held


# -- our own ---------------------------------------------------------------------------


def _synthetic(source: Synthetic, place: Path) -> Iterator[Record]:
    made = shards.read_made(place)
    for shard in made.shards:
        if source.side in (None, shard.side):
            yield from shards.shard_records(place, shard)


def _file(path: Path) -> Path:
    if not path.is_file():
        raise BadInput("no such file", "an existing one", file=path)
    return path


def _file_folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent
