"""What a data set's YAML manifest may say: sources and where their records come from.

    sources:
      - kind: folder            # pictures, each with its numbers beside it
        path: portraits
        subject_from: folder    # the name of the folder that a picture lies in
        licence: CC-BY-4.0
        consent: given
      - kind: take              # a Live Link Face take with its movie
        path: 20240131_MySlate_1
        subject: anna
        mirrored: false         # look at the movie before you say so
      - {kind: jsonl, path: more.jsonl}
      - {kind: synthetic, path: faces}

Paths are relative to the manifest. `docs/data.md` explains every key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from semanticface.data.names import compiled
from semanticface.data.records import Consent
from semanticface.errors import BadInput, did_you_mean
from semanticface.formats import json_lines
from semanticface.formats.yaml_file import load_yaml

_MAX_BYTES = 4 * 2**20


class _Source(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str = Field(min_length=1)
    name: str = ""
    """What its records are called; the path unless given."""
    subject: str | None = Field(default=None, min_length=1)
    licence: str | None = None
    consent: Consent | None = None

    @property
    def title(self) -> str:
        """The name, or the path."""
        return self.name or self.path


class Folder(_Source):
    """Pictures with a .json or .csv of the same name beside each, or one table for all."""

    kind: Literal["folder"]
    images: str = Field(default="**/*", pattern=r"^[^/]")
    """Pattern of the pictures; without one, every file with a picture's suffix."""
    numbers: Literal["json", "csv"] = "json"
    table: str | None = None
    """A CSV with a column `image` and a column a channel, instead of files beside pictures."""
    subject_from: Literal["folder", "stem"] | None = None
    """Where the subject's name stands: the folder's name, or the file's before `_` or `-`."""

    @field_validator("images")
    @classmethod
    def _a_pattern(cls, told: str) -> str:
        try:
            compiled(told)
        except BadInput as fault:
            raise ValueError(fault.expected) from None
        return told

    @model_validator(mode="after")
    def _a_subject(self) -> Folder:
        if (self.subject is None) == (self.subject_from is None) and self.table is None:
            raise ValueError("give subject or subject_from, not both")
        return self


class TakeFolder(_Source):
    """A take of Live Link Face, or a folder that holds several."""

    kind: Literal["take"]
    which: Literal["raw", "cal"] = "raw"
    mirrored: bool
    """Whether the movie shows the face as a mirror does. There is no safe guess."""
    every: float = Field(0.1, ge=0)
    """Seconds between records; 0 takes every frame."""
    offset: float = 0.0
    """Seconds by which the numbers run ahead of the movie."""
    turn: Literal[0, 90, 180, 270] = 0
    exchange_mouth: bool = True
    exchange_jaw: bool = False


class JsonLines(_Source):
    """Records as this project writes them, or rows with other names for the keys."""

    kind: Literal["jsonl"]
    keys: dict[str, str] = {}
    """Record key: the name it has in the file."""


class Parquet(_Source):
    """A Parquet file, or a folder of them."""

    kind: Literal["parquet"]
    keys: dict[str, str] = {}


class HuggingFace(_Source):
    """A folder that `datasets.Dataset.save_to_disk` wrote."""

    kind: Literal["datasets"]
    part: str | None = None
    """Which part of a DatasetDict."""
    keys: dict[str, str] = {}


class Synthetic(_Source):
    """A folder that `semanticface synth` made."""

    kind: Literal["synthetic"]
    side: Literal["train", "val", "test"] | None = None

    @model_validator(mode="after")
    def _nobody(self) -> Synthetic:
        if self.subject or self.licence or self.consent:
            raise ValueError("its records say subject, licence and consent themselves")
        return self


Source = Annotated[
    Folder | TakeFolder | JsonLines | Parquet | HuggingFace | Synthetic,
    Field(discriminator="kind"),
]


class Manifest(BaseModel):
    """A data set: its sources and the folder their paths start from."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sources: tuple[Source, ...] = Field(min_length=1, strict=False)
    folder: Path = Field(Path(), exclude=True)


_SOURCES: TypeAdapter[Source] = TypeAdapter(Source)


def read_manifest(path: str | Path) -> Manifest:
    """A manifest from YAML; what does not fit is told with its place."""
    held = load_yaml(path, "a manifest", max_bytes=_MAX_BYTES)
    if not isinstance(held, dict) or set(held) != {"sources"}:
        found = sorted(map(str, held)) if isinstance(held, dict) else type(held).__name__
        raise BadInput(f"{found}", "the one key 'sources' with a list", file=path)
    rows = json_lines.sequence(held["sources"], "a list of sources", file=path)
    if not rows:
        raise BadInput("no source", "at least one", file=path)
    sources = tuple(_source(each, path, row) for row, each in enumerate(rows, 1))
    return Manifest(sources=sources, folder=Path(path).resolve().parent)


def manifest_of(path: str | Path) -> Manifest:
    """A manifest from a YAML file, or of one JSONL, Parquet or synthetic folder by itself."""
    place = Path(path)
    if place.suffix.lower() in (".yaml", ".yml"):
        return read_manifest(place)
    kind = {".jsonl": "jsonl", ".parquet": "parquet"}.get(place.suffix.lower())
    if place.is_dir() and (place / "manifest.json").is_file():
        kind = "synthetic"
    if kind is None:
        raise BadInput(f"'{place.name}'", "a manifest.yaml, a .jsonl, a .parquet, or a folder "
                       "that semanticface synth made", file=path)  # fmt: skip
    source = _SOURCES.validate_python({"kind": kind, "path": place.name})
    return Manifest(sources=(source,), folder=place.resolve().parent)


def _source(held: Any, path: str | Path, row: int) -> Source:
    try:
        return _SOURCES.validate_python(held)
    except ValidationError as fault:
        raise _told(fault, held, path, row) from None


def _told(fault: ValidationError, held: Any, path: str | Path, row: int) -> BadInput:
    first = fault.errors()[0]
    key = str(first["loc"][-1]) if first["loc"] else "kind"
    kind = held.get("kind") if isinstance(held, dict) else None
    hint = ""
    if first["type"] == "extra_forbidden":
        known = next((m.model_fields for m in _MODELS if kind in _kinds(m)), {})
        hint, expected = did_you_mean(key, known), f"one of {', '.join(known)}"
        found = f"the key '{key}' of a {kind}"
    elif first["type"] == "missing":
        found, expected = f"a {kind} without '{key}'", "it given"
        hint = "Watch the movie first: does the subject's left hand rise on the picture's right?" \
            if key == "mirrored" else ""  # fmt: skip
    else:
        message = first["msg"].removeprefix("Value error, ")
        found, expected = json_lines.shown(first["input"]), message[:1].lower() + message[1:]
    return BadInput(found, expected, file=path, row=row, column=key, hint=hint)


_MODELS: tuple[type[_Source], ...] = (
    Folder, TakeFolder, JsonLines, Parquet, HuggingFace, Synthetic,
)  # fmt: skip


def _kinds(model: type[_Source]) -> tuple[Any, ...]:
    return tuple(getattr(model.model_fields["kind"].annotation, "__args__", ()))
