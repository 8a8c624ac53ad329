"""A folder of rendered faces: shards of pictures, an index beside each, one manifest.

    faces/manifest.json          versions, hashes, seeds, settings, identities, shards
    faces/train-00000.tar        encoded pictures, uncompressed tar
    faces/train-00000.jsonl      a record a line; `image` says shard, offset and size
    faces/test-00000.tar ...

Any picture is read by one seek, any tool unpacks the tar, and both files appear whole
or not at all. Nothing in them depends on who wrote them when: the same plan gives the
same bytes.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from semanticface.atomic import whole_file
from semanticface.data.images import ImageRef
from semanticface.data.records import Record, record_of
from semanticface.data.splits import Side
from semanticface.errors import BadInput
from semanticface.formats import json_lines

SCHEMA = "synthetic/1"
MANIFEST = "manifest.json"
_HEADER = 512  # bytes of a tar member before its data
_PIECE = 2**20

Sample = tuple[Record, bytes]
"""A record, and its encoded picture, whose reference becomes a place in the shard."""


class Shard(BaseModel):
    """One finished shard: its files' sizes and hashes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w-]+$")
    side: Side
    frames: int = Field(ge=1)
    moved: int = 0
    """Values that the sampler gave out of range and that were brought to its edge."""
    bytes: int
    sha256: str
    index_bytes: int
    index_sha256: str

    @property
    def pictures(self) -> str:
        """File of the pictures."""
        return f"{self.name}.tar"

    @property
    def index(self) -> str:
        """File of the records."""
        return f"{self.name}.jsonl"

    def fault(self, folder: Path, *, deep: bool = True) -> str:
        """What is wrong with its files, or nothing; without `deep` only sizes are compared."""
        for name, size, digest in (
            (self.pictures, self.bytes, self.sha256),
            (self.index, self.index_bytes, self.index_sha256),
        ):
            path = folder / name
            if not path.is_file():
                return f"{name} is missing"
            if path.stat().st_size != size:
                return f"{name} has {path.stat().st_size} bytes, not {size}"
            if deep and digest_of(path) != digest:
                return f"{name} has other contents than when it was made"
        return ""


class Made(BaseModel):
    """manifest.json: what was made, from what, by which versions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    semanticface: str
    plan: dict[str, Any]
    origin: dict[str, str]
    identities: dict[str, list[int]]
    """Seeds of the people on each side; no seed stands on two."""
    frames: int
    bytes: int
    moved: int
    shards: list[Shard]


def write_shard(folder: Path, name: str, side: Side, samples: Iterable[Sample], suffix: str,
                moved: int = 0) -> Shard:  # fmt: skip
    """Write pictures and index; the index comes last, so that it never lacks its pictures."""
    records: list[Record] = []
    pictures = folder / f"{name}.tar"
    with (
        whole_file(pictures) as temporary,
        temporary.open("wb") as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for record, data in samples:
            offset = tar.offset + _HEADER
            tar.addfile(_member(f"{record.id.rpartition('/')[2]}.{suffix}", len(data)),
                        io.BytesIO(data))  # fmt: skip
            place = ImageRef(shard=pictures.name, offset=offset, size=len(data))
            records.append(record.model_copy(update={"image": place}))
    index = folder / f"{name}.jsonl"
    json_lines.write_lines(index, (record.as_json() for record in records))
    return Shard(
        name=name, side=side, frames=len(records), moved=moved, bytes=pictures.stat().st_size,
        sha256=digest_of(pictures), index_bytes=index.stat().st_size,
        index_sha256=digest_of(index),
    )  # fmt: skip


def _member(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info


def digest_of(path: Path) -> str:
    """sha256 of a file, read in pieces."""
    digest = sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def read_made(folder: Path, *, deep: bool = False) -> Made:
    """The manifest, with every shard's files there; `deep` compares their hashes too."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BadInput(f"no {MANIFEST}", "a finished folder of semanticface synth", file=folder,
                       hint="Run the same semanticface synth again to finish it.")  # fmt: skip
    try:
        made = Made.model_validate(json_lines.load(path))
    except ValidationError as fault:
        first = fault.errors()[0]
        raise BadInput(json_lines.shown(first["input"]), first["msg"], file=path,
                       column=".".join(map(str, first["loc"]))) from None  # fmt: skip
    if made.semanticface != SCHEMA:
        raise BadInput(f"'{made.semanticface}'", f"'{SCHEMA}'", file=path)
    for shard in made.shards:
        if fault_found := shard.fault(folder, deep=deep):
            raise BadInput(fault_found, "the files as they were made", file=folder,
                           hint="Make the set anew, or copy it again.")  # fmt: skip
    return made


def shard_records(folder: Path, shard: Shard) -> Iterator[Record]:
    """A shard's records, one at a time, with their pictures' places below `folder`."""
    path = folder / shard.index
    for row, held in json_lines.objects(path):
        record = record_of(held, file=path, row=row)
        yield record.model_copy(update={"image": record.image.under(folder)})
