"""Drawn chunks as a data set that the recipe reads: shards of PNG files and a manifest."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from nano_build import views
from PIL import Image

from semanticface.atomic import write_text
from semanticface.data import synth
from semanticface.data.images import ImageRef
from semanticface.data.plan import subject
from semanticface.data.records import Record, in_table_order
from semanticface.data.shards import MANIFEST, SCHEMA, Made, Sample, Shard, write_shard
from semanticface.data.splits import Side


def write_faces(cache: Path, folder: Path, chunks: dict[Side, list[int]]) -> Made:
    """Chunks of `cache`, by side and number, as the data set `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    shards, people = [], {}
    for side, numbers in chunks.items():
        seen: set[int] = set()
        for number in numbers:
            file = cache / f"{side}-{number:05d}.npz"
            with np.load(file) as chunk:
                held = views.Views(*(chunk[name] for name in views.Views._fields))
            seen |= {int(who) for who in held.people}
            shards.append(write_shard(folder, file.stem, side, _samples(held, side, number), "png"))
        people[side] = sorted(seen)
    made = _made(shards, people)
    write_text(folder / MANIFEST, made.model_dump_json(indent=1) + "\n")
    return made


def _made(shards: list[Shard], people: dict[Side, list[int]]) -> Made:
    plan = views.plan_of().as_json() | {"view": "semanticface.train.nano_view.face_camera"}
    return Made(
        semanticface=SCHEMA, plan=plan, origin=synth.origin(), identities=dict(people),
        frames=sum(each.frames for each in shards), moved=0,
        bytes=sum(each.bytes + each.index_bytes for each in shards), shards=shards,
    )  # fmt: skip


def _samples(held: views.Views, side: Side, number: int) -> Iterator[Sample]:
    order = np.random.default_rng(number).permutation(len(held.values))
    for row in order:
        who, frame = int(held.people[row]), number * views.CHUNK + int(row)
        record = Record(
            id=f"{side}-{frame:08d}", image=ImageRef(path="-"),
            targets=in_table_order(held.values[row]), subject=subject(who), frame=frame,
            identity=who, look="clay" if side == "train" and number % 8 == 7 else "realistic",
            split=side, licence="CC0-1.0", consent="synthetic", source="semanticface warm_up_nano",
        )  # fmt: skip
        yield record, _png(held.pictures[row])


def _png(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "png", compress_level=4)
    return stream.getvalue()
