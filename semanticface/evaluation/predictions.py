"""Predictions kept on disk, and used again only if nothing they rest on has changed.

    FOLDER/<source>/<take>-<fingerprint's first 16>.json        texts, reports, notes, hashes
    FOLDER/<source>/<take>-<fingerprint's first 16>-0.npz       the clip; one an identity

A file that was changed, cut short or lost is predicted anew, and the notes say so. A
prediction with unanswered pictures is kept, but the next run tries those again.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from semanticface.atomic import write_text
from semanticface.errors import BadInput
from semanticface.evaluation.fingerprints import file_sha256
from semanticface.evaluation.items import Item, Prediction
from semanticface.evaluation.places import safe_name
from semanticface.evaluation.specs import Progress, Source
from semanticface.language.parsed import ParseReport
from semanticface.rig.store import load_npz, save_npz

SCHEMA = "semanticface-prediction/1"
_LOG = logging.getLogger(__name__)


def cached(
    source: Source, item: Item, folder: Path, progress: Progress | None = None, *,
    refresh: bool = False,
) -> list[Prediction]:  # fmt: skip
    """The source's predictions of an item, from the folder if they are there and sound.

    `refresh`: predict anew whatever is there. (Answers of an endpoint that are in its
    journal are still not asked for again; delete `answers.jsonl` for that.)
    """
    fingerprint = source.fingerprint(item)
    place = folder / safe_name(source.name)
    sidecar = place / f"{safe_name(item.take)}-{fingerprint[:16]}.json"
    why = "asked to predict anew" if refresh else ""
    if sidecar.is_file() and not refresh:
        try:
            return load(sidecar, fingerprint)
        except BadInput as fault:
            why = str(fault)
    if why:
        _LOG.info("%s, %s: predicted anew: %s", source.name, item.take, why)
    place.mkdir(parents=True, exist_ok=True)
    made = source.predict(item, progress, work=place)
    if why:
        made = [each._replace(notes={**each.notes, "predicted anew": why}) for each in made]
    save(made, sidecar, fingerprint)
    return made


def save(predictions: list[Prediction], sidecar: Path, fingerprint: str) -> None:
    """Write the clips, then the sidecar that vouches for them; each whole or not at all."""
    held = []
    for number, each in enumerate(predictions):
        path = sidecar.with_name(f"{sidecar.stem}-{number}.npz")
        save_npz(each.clip, path)
        reports = [report._asdict() for report in each.reports]
        held.append({"clip": path.name, "sha256": file_sha256(path), "notes": dict(each.notes),
                     "texts": list(each.texts), "reports": reports})  # fmt: skip
    record = {"schema": SCHEMA, "fingerprint": fingerprint, "predictions": held}
    record["sha256"] = _hash_of(record)
    write_text(sidecar, json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def load(sidecar: Path, fingerprint: str) -> list[Prediction]:
    """Read predictions back; `BadInput` says why they cannot be used."""
    try:
        record = json.loads(sidecar.read_text(encoding="utf-8"))
        said = record.pop("sha256")
    except (ValueError, AttributeError, KeyError, TypeError):
        raise BadInput("a broken file", "a saved prediction", file=sidecar) from None
    if record.get("schema") != SCHEMA or _hash_of(record) != said:
        raise BadInput("a file changed since it was written", "a saved prediction", file=sidecar)
    if record["fingerprint"] != fingerprint:
        raise BadInput("a prediction from other input", "this one", file=sidecar)
    return [_restored(held, sidecar) for held in record["predictions"]]


def _restored(held: Mapping[str, Any], sidecar: Path) -> Prediction:
    path = sidecar.with_name(held["clip"])
    if not path.is_file():
        raise BadInput("no such file", "the clip of a saved prediction", file=path)
    if file_sha256(path) != held["sha256"]:
        raise BadInput("a file changed since it was written", "the clip of a saved prediction",
                       file=path)  # fmt: skip
    if unanswered := held["notes"].get("unanswered"):
        raise BadInput(f"{unanswered} frames unanswered", "all of them", file=sidecar)
    reports = tuple(_report(each) for each in held["reports"])
    return Prediction(load_npz(path), reports, tuple(held["texts"]), held["notes"], cached=True)


def _report(held: Mapping[str, Any]) -> ParseReport:
    """A report from JSON, where tuples have become lists."""
    fields: dict[str, Callable[[Any], Any]] = {"outcome": str}
    return ParseReport(**{key: fields.get(key, tuple)(value) for key, value in held.items()})


def _hash_of(record: Mapping[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
