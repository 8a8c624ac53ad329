"""One sample: a picture by place, 61 targets, and what is known about where it is from.

In a file a record is one line of JSON. `targets` is a list of 61 numbers in table order
or an object by channel name in any known spelling; what was not measured is null or left
out, and is NaN in `Record.values`. Rotations are radians with the rig's signs.

    {"id": "anna/0001", "image": {"path": "anna/0001.jpg"}, "targets": {"jawOpen": 0.31},
     "subject": "anna", "licence": "CC-BY-4.0", "consent": "given"}
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from semanticface.data.images import ImageRef, image_of
from semanticface.errors import BadInput, did_you_mean
from semanticface.formats import json_lines
from semanticface.language.description import Description
from semanticface.rig import COUNT, read_header

PathLike = str | os.PathLike[str]
Consent = Literal["given", "synthetic", "unknown", "refused"]
_NUMBERS = {float, int}
_SMALL = 1e6
CONSENTING = ("given", "synthetic")


class Words(BaseModel):
    """A description in SemanticFace's four fields, and who wrote it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    expression_category: str
    muscle_movements: str
    emotional_implication: str
    symmetry: str
    by: str = "rules"
    """`rules`, or the name of the model that reworded them."""

    @classmethod
    def of(cls, told: Description, by: str = "rules") -> Words:
        """The fields of a description."""
        return cls(**told.as_analysis(), by=by)

    @property
    def description(self) -> Description:
        """The four fields."""
        return Description(**self.model_dump(exclude={"by"}))


class Record(BaseModel):
    """One picture of a face and its coefficients."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str = Field(min_length=1)
    image: ImageRef
    targets: tuple[float | None, ...]
    """61 numbers in table order; None where nothing was measured."""
    subject: str = Field(min_length=1)
    """Who it is: the same name for the same person everywhere, for splits go by it."""
    take: str | None = None
    frame: int | None = None
    time: float | None = Field(default=None, allow_inf_nan=False)
    identity: int | None = None
    """Seed of a rendered person's face and colours."""
    look: str | None = None
    split: Literal["train", "val", "test"] | None = None
    licence: str | None = None
    consent: Consent = "unknown"
    source: str = ""
    words: Words | None = None

    @field_validator("targets", mode="before")
    @classmethod
    def _table_order(cls, held: Any) -> tuple[float | None, ...]:
        return in_table_order(held)

    @field_validator("image", mode="before")
    @classmethod
    def _any_picture(cls, held: Any) -> Any:
        return held if isinstance(held, dict) and "bytes" not in held else image_of(held)

    @property
    def values(self) -> NDArray[np.float32]:
        """[61] float32, NaN where nothing was measured."""
        return np.array(self.targets, dtype=np.float32)

    def as_json(self) -> dict[str, Any]:
        """What stands in a file: only what is known. Pictures held as bytes cannot."""
        if self.image.kind == "data":
            raise BadInput(f"a picture held as bytes in record {self.id}", "one by its place",
                           hint="Write it to a file or a shard first.")  # fmt: skip
        return self.model_dump(exclude_none=True, exclude_defaults=True) | {
            "targets": list(self.targets)
        }


def in_table_order(held: Any) -> tuple[float | None, ...]:
    """Targets from a list, an array or an object by name; NaN is None."""
    if isinstance(held, Mapping):
        return _by_name(held)
    if isinstance(held, np.ndarray):
        listed: list[Any] = [json_lines.shortest(each) for each in held.astype(np.float32)]
    else:
        listed = json_lines.sequence(list(held) if isinstance(held, tuple) else held)
    if len(listed) != COUNT:
        raise BadInput(f"{len(listed)} targets", f"{COUNT}, or an object by channel name")
    if set(map(type, listed)) <= _NUMBERS and sum(map(abs, listed)) < _SMALL:
        return tuple(map(float, listed))  # nearly all rows: a third of the time
    return tuple(_number(each) for each in listed)


def _by_name(held: Mapping[str, Any]) -> tuple[float | None, ...]:
    columns = read_header(list(held))
    if columns.unknown:
        from semanticface.rig import NAMES

        raise BadInput(f"the target '{columns.unknown[0]}'", "the name of a channel",
                       hint=did_you_mean(columns.unknown[0], NAMES))  # fmt: skip
    placed: list[float | None] = [None] * COUNT
    for index, value in zip(columns.channel_of, held.values(), strict=True):
        if index is not None and (number := _number(value)) is not None:
            placed[index] = number
    return tuple(placed)


def _number(value: Any) -> float | None:
    if value is None or (isinstance(value, float) and value != value):
        return None
    return json_lines.number(value)


def record_of(held: Mapping[str, Any], *, file: object = None, row: int | None = None) -> Record:
    """A record from a mapping; what is wrong is told with its place."""
    try:
        return Record.model_validate(dict(held))
    except ValidationError as fault:
        raise _told(fault, file, row) from None
    except BadInput as fault:
        raise fault.at(file=file, row=row) from None


def _told(fault: ValidationError, file: object, row: int | None) -> BadInput:
    first = fault.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    inner = first.get("ctx", {}).get("error")
    if isinstance(inner, BadInput):
        where = inner.column or place
        return BadInput(inner.found, inner.expected, file=file, row=row, column=where,
                        hint=inner.hint)  # fmt: skip
    unknown = first["type"] == "extra_forbidden"
    hint = did_you_mean(place, Record.model_fields) if unknown else ""
    found = f"the key '{place}'" if unknown else json_lines.shown(first["input"])
    if first["type"] == "missing":
        found = f"no '{place}'"
    message = first["msg"].removeprefix("Value error, ")
    expected = "a known key" if unknown else message[:1].lower() + message[1:]
    return BadInput(found, expected, file=file, row=row, column=place, hint=hint)


def read_records(path: PathLike, *, max_line: int = json_lines.MAX_LINE) -> Iterator[Record]:
    """Records of a JSON lines file, one in memory at a time; paths are taken from its folder."""
    folder = Path(path).resolve().parent
    for row, held in json_lines.objects(path, max_line=max_line):
        record = record_of(held, file=path, row=row)
        yield record.model_copy(update={"image": record.image.under(folder)})


def write_records(path: PathLike, records: Iterable[Record]) -> int:
    """Write records, whole or not at all; pictures below the file's folder by relative path."""
    folder = Path(path).resolve().parent
    return json_lines.write_lines(
        path,
        (
            each.model_copy(update={"image": each.image.relative_to(folder)}).as_json()
            for each in records
        ),
    )


def for_training(records: Iterable[Record], *, without_consent: bool = False) -> Iterator[Record]:
    """Records that may be trained on; the first that may not is an error.

    `without_consent` lets records pass whose consent nobody recorded. One whose subject
    refused never passes.
    """
    for count, record in enumerate(records, 1):
        unknown = record.consent not in CONSENTING
        if record.consent == "refused" or (unknown and not without_consent):
            hint = ("Ask the subject, then write consent: given; --without-consent trains on it "
                    "all the same.") if record.consent == "unknown" else "Take it out."  # fmt: skip
            raise BadInput(
                f"consent '{record.consent}' of record {record.id}, subject {record.subject}",
                f"{' or '.join(CONSENTING)}", row=count, column="consent", hint=hint,
            )  # fmt: skip
        yield record
