"""Where predictions come from: files, a tracker, an endpoint, a run, a degraded reference.

    source = source_of(FileSpec(name="ours", path="run/{take}.csv"))
    for prediction in source.predict(item): ...

Every source has a name, a kind, a fingerprint of all that determines its prediction,
and `predict`. What is shown to a source that looks at pictures is in `images`.
"""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from semanticface.errors import BadInput
from semanticface.evaluation.degraded import DegradedSource
from semanticface.evaluation.fingerprints import code_sha256, fingerprint, path_sha256
from semanticface.evaluation.items import Item, Prediction
from semanticface.evaluation.places import filled
from semanticface.evaluation.specs import (
    DegradedSpec,
    EndpointSpec,
    FileSpec,
    PictureSpec,
    Progress,
    RunSpec,
    Source,
    SourceSpec,
    TrackerSpec,
)
from semanticface.formats.catalogue import CATALOGUE, by_key, read, recognise
from semanticface.formats.semanticface_jsonl import Answer

__all__ = [
    "DegradedSource", "DegradedSpec", "EndpointSpec", "FileSource", "FileSpec", "PictureSpec",
    "Progress", "RunSpec", "Source", "SourceSpec", "TrackerSpec", "source_of", "spec_of",
]  # fmt: skip

AnySpec = FileSpec | TrackerSpec | EndpointSpec | RunSpec | DegradedSpec
_ANSWERS = ("semanticface", "keyframeface")


def source_of(spec: AnySpec) -> Source:
    """The source that a spec describes; nothing is read, started or asked yet."""
    if isinstance(spec, FileSpec):
        return FileSource(spec)
    if isinstance(spec, TrackerSpec):
        from semanticface.evaluation.tracker import TrackerSource

        return TrackerSource(spec)
    if isinstance(spec, EndpointSpec):
        from semanticface.evaluation.endpoint import EndpointSource

        return EndpointSource(spec)
    if isinstance(spec, RunSpec):
        from semanticface.evaluation.trained import RunSource

        return RunSource(spec)
    return DegradedSource(spec)


def spec_of(raw: Any) -> AnySpec:
    """A spec from YAML's values; the first thing that does not fit is named."""
    try:
        return _SPECS.validate_python(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the source"
        raise BadInput(f"{first['msg']} at {where}", "a source as documented") from None


_SPECS: TypeAdapter[AnySpec] = TypeAdapter(SourceSpec)


class FileSource:
    """Coefficients somebody else has written, one file for each take."""

    def __init__(self, spec: FileSpec) -> None:
        self.spec = spec
        self.name: str = spec.name
        self.kind: str = spec.kind

    def path(self, item: Item) -> Path:
        """The file of an item; one of another suffix is found where the pattern names none."""
        path = Path(filled(self.spec.path, item))
        if path.exists():
            return path
        found = _with_any_suffix(path)
        if not found:
            raise BadInput("no such file", f"the coefficients of take '{item.take}'", file=path,
                           hint=f"It was looked for by '{self.spec.path}'.")  # fmt: skip
        if len(found) > 1:
            raise BadInput(f"{' and '.join(each.name for each in found)}", "one file for a take",
                           file=path, hint="Name the suffix in the source's path.")  # fmt: skip
        return found[0]

    def fingerprint(self, item: Item) -> str:
        """Of the file's bytes, its format and the reader's options; not of where it lies."""
        path = self.path(item)
        return fingerprint({
            "kind": self.kind, "format": self._key(path), "options": self.spec.options,
            "file": path_sha256(path), "reader": [code_sha256("formats"), code_sha256("language")],
        })  # fmt: skip

    def predict(
        self, item: Item, progress: Progress | None = None, *, work: Path | None = None
    ) -> list[Prediction]:
        """What the file says, with texts and reports if it holds a model's answers."""
        path = self.path(item)
        key = self._key(path)
        clip = read(path, key, **self.spec.options)
        answers = _answers(path, key)
        if progress is not None:
            progress(len(clip), len(clip))
        reports = tuple(each.parsed.report for each in answers)
        notes = {**clip.meta.notes, "path": str(path), "sha256": path_sha256(path)}
        if reports:
            notes["outcomes"] = dict(Counter(report.outcome for report in reports))
        return [Prediction(clip, reports, tuple(each.text for each in answers), notes)]

    def _key(self, path: Path) -> str:
        return by_key(self.spec.format).key if self.spec.format else recognise(path).key


def _with_any_suffix(path: Path) -> list[Path]:
    """Files called like `path` plus a suffix that some format reads."""
    suffixes = {suffix for each in CATALOGUE if each.reads for suffix in each.suffixes}
    named = (path.with_name(path.name + each) for each in sorted(suffixes) if each[:1] == ".")
    return [each for each in named if each.is_file()]


def _answers(path: Path, key: str) -> list[Answer]:
    """The answers of a file of them, in the order of the clip's frames."""
    if key not in _ANSWERS:
        return []
    found: list[Answer] = import_module(by_key(key).module).read_answers(path)
    return found
