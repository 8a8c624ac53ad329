"""A run's folder as a source: the model it trained, asked about every picture here.

Decoding is greedy and held to the grammar, so an answer depends on weights, prompt and
picture alone. A picture whose answer breaks off is a row of NaN with its report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semanticface.errors import BadInput
from semanticface.evaluation.fingerprints import code_sha256, fingerprint
from semanticface.evaluation.images import Shot, Show, meta_of, picture_facts, shows
from semanticface.evaluation.items import Item, Prediction
from semanticface.evaluation.specs import Progress, RunSpec
from semanticface.language.parsed import Parsed, nothing
from semanticface.render.picture import Picture
from semanticface.rig import COUNT, FaceClip


class RunSource:
    """A model that was trained here."""

    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec
        self.name: str = spec.name
        self.kind: str = spec.kind

    @cached_property
    def predictor(self) -> Any:
        """The model in memory; loaded when it is first asked."""
        from semanticface.train.predictor import opened

        found = opened(self.spec.path, base=self.spec.base)
        if not found.task.numbers:
            raise BadInput("a run that says words alone", "one that says coefficients",
                           file=self.spec.path)  # fmt: skip
        found.most = self.spec.max_tokens
        return found

    def fingerprint(self, item: Item) -> str:
        """Of the weights, the request, the decoder and the pictures; not of where they lie."""
        return fingerprint({
            "kind": self.kind, "spec": self.spec.settings("path", "base", "frames", "batch"),
            "model": self.predictor.origin, "reader": [code_sha256("language"),
                                                       code_sha256("train")],
            **picture_facts(self.spec, item),
        })  # fmt: skip

    def predict(
        self, item: Item, progress: Progress | None = None, *, work: Path | None = None
    ) -> list[Prediction]:
        """An answer to every picture; one prediction for each identity drawn."""
        found = shows(self.spec, item)
        total, done, predictions = sum(show.total for show in found), 0, []
        for show in found:
            predictions.append(self._prediction(show, item, progress, done, total))
            done += show.total
        return predictions

    def _prediction(
        self, show: Show, item: Item, progress: Progress | None, done: int, total: int
    ) -> Prediction:
        form = self.predictor.task.form
        asked: list[_Asked] = []
        for shots in _batches(show.shots(), self.spec.batch):
            asked += self._ask(shots)
            if progress is not None:
                progress(done + len(asked), total)
        reports = [each.parsed.report for each in asked]
        values = np.array([each.parsed.values for each in asked], np.float32).reshape(-1, COUNT)
        present = np.zeros(COUNT, np.bool_)
        present[list(form.channels)] = True
        times = np.array([each.time for each in asked])
        clip = FaceClip(values, times, present, meta_of(item, self.spec.name, "run"))
        notes = {**show.notes, "answer format": form.key,
                 "outcomes": dict(Counter(each.outcome for each in reports))}  # fmt: skip
        return Prediction(clip.mirrored() if show.mirrored else clip, tuple(reports),
                          tuple(each.text for each in asked), notes)  # fmt: skip

    def _ask(self, shots: list[Shot]) -> list[_Asked]:
        """A few shots side by side; those without a picture have no answer."""
        shown = [_image(shot.picture) for shot in shots if shot.picture is not None]
        faces = iter(self.predictor.faces(shown) if shown else [])
        none = nothing("no picture: the reference has no face here",
                       channels=self.predictor.task.form.channels)  # fmt: skip
        found = []
        for shot in shots:
            if shot.picture is None:
                found.append(_Asked(shot.time, none, ""))
            else:
                face = next(faces)
                found.append(_Asked(shot.time, face.parsed, face.completion.text))
        return found


class _Asked(NamedTuple):
    time: float
    parsed: Parsed
    text: str


def _batches(some: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while batch := list(islice(some, size)):
        yield batch


def _image(picture: Picture) -> Any:
    from PIL import Image

    return Image.fromarray(picture)
