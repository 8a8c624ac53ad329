"""Windows of speech as the rows a trainer draws: prompts and answers on disk, sound where it is.

A row holds its request and its target as text and the place of its sound; the collator
decodes the sound. What is held out for probes are whole recordings, so that their windows
can be put together.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from heapq import nsmallest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semanticface.data.records import CONSENTING
from semanticface.data.speech_corpus import SAMPLES
from semanticface.data.speech_samples import SpeechSample, read_samples, write_samples
from semanticface.data.speech_tasks import SpeechTask
from semanticface.data.splits import DEFAULT
from semanticface.errors import BadInput, need
from semanticface.speech.mouth_shapes import ShapeForm, nearest, shapes
from semanticface.train.options import DataOptions
from semanticface.train.rows import name_and_size

_LOG = logging.getLogger(__name__)
_SAYABLE = 0.5
"""Of the distance from a recording's own mean, how far the nearest shapes may be: a third in the
synthetic corpus, 1.0 to 1.5 times in Live Link Face takes."""
Row = dict[str, Any]


@dataclass(frozen=True)
class SpeechTable:
    """Windows of one side, on disk."""

    held: Any
    """A `datasets.Dataset` with the column `row` (JSON)."""

    def __len__(self) -> int:
        return len(self.held)

    def __getitem__(self, index: int) -> Row:
        found: Row = json.loads(self.held[index]["row"])
        return found

    def digest(self) -> str:
        """sha256 over all rows and the names and sizes of their sounds, wherever these lie."""
        digest = sha256()
        for row in self.held:
            held = json.loads(row["row"])
            if "audio" in held:
                held["audio"]["path"] = name_and_size(held["audio"]["path"])
            digest.update(json.dumps(held, sort_keys=True).encode() + b"\n")
        return digest.hexdigest()

    def rows(self) -> Any:
        """A `datasets.Dataset` that gives the rows themselves."""

        def drawn(batch: dict[str, list[str]]) -> dict[str, list[Row]]:
            return {"row": [json.loads(each) for each in batch["row"]]}

        return self.held.with_transform(drawn)


class SpeechSides(NamedTuple):
    """What is learnt from, and the recordings held out for probes."""

    train: SpeechTable
    probe: list[SpeechSample]


def speech_sides(options: DataOptions, data: Path, folder: Path, probed: int) -> SpeechSides:
    """Read the samples once: windows of those that train into `folder`, a few kept for probes."""
    task = options.speech
    if task is None:
        raise BadInput(f"the stage '{options.stage}'", "speech")
    allowed = list(allowed_samples(options, data))
    train = [each for each in allowed if side_of(each) == "train"][: options.max_records]
    held = [each for each in allowed if side_of(each) == "val"]
    probe = sorted(nsmallest(probed, held, key=_hash_of), key=lambda each: each.id)
    for some, side in ((train, "train"), (probe, "val")):
        if not some:
            hint = "Sides are dealt by a hash of the sentence; take more of them."
            raise BadInput(f"no sample on the side '{side}'", "some", file=data, hint=hint)
    both = {each.sentence for each in train if each.sentence} & {each.sentence for each in probe}
    if both:
        raise BadInput(f"the sentence {min(both)} both trained on and held out", "one side",
                       file=data)  # fmt: skip
    table = _table(task, train, folder / "train")
    write_samples(folder / "probe.jsonl", probe)
    return SpeechSides(table, probe)


def opened_speech(folder: Path) -> SpeechSides:
    """What `speech_sides` has written."""
    return SpeechSides(_opened(folder / "train"), list(read_samples(folder / "probe.jsonl")))


def samples_file(data: Path) -> Path:
    """The samples of a corpus' folder, or the file itself."""
    place = data / SAMPLES if data.is_dir() else data
    if not place.is_file():
        raise BadInput("no samples of speech", f"a corpus' folder, or {SAMPLES}", file=data,
                       hint="Make one: python scripts/speech_corpus.py FOLDER.")  # fmt: skip
    return place


def allowed_samples(options: DataOptions, data: Path) -> Iterator[SpeechSample]:
    """Samples of a corpus whose speakers have consented."""
    for row, each in enumerate(read_samples(samples_file(data)), 1):
        unknown = each.consent not in CONSENTING
        if each.consent == "refused" or (unknown and not options.without_consent):
            raise BadInput(f"consent '{each.consent}' of sample {each.id}", " or ".join(CONSENTING),
                           file=data, row=row, column="consent")  # fmt: skip
        yield each


def side_of(sample: SpeechSample) -> str:
    """train, val or test: as the sample says, else by its sentence."""
    return sample.split or DEFAULT.side(sample.sentence or sample.subject)


def _hash_of(sample: SpeechSample) -> str:
    return sha256(sample.id.encode()).hexdigest()


def _table(task: SpeechTask, samples: list[SpeechSample], folder: Path) -> SpeechTable:
    need("datasets", "train", "Training")
    from datasets import Features, Value
    from datasets.arrow_writer import ArrowWriter

    folder.mkdir(parents=True, exist_ok=True)
    columns = Features({"row": Value("large_string")})
    place = str(folder / "rows.arrow")
    said = Sayable(task.form.own if isinstance(task.form, ShapeForm) else "")
    with ArrowWriter(features=columns, path=place, writer_batch_size=1000) as writer:
        for sample in samples:
            take = task.take(sample)
            for row in task.rows(take):
                writer.write({"row": json.dumps(row)})
            if isinstance(task.form, ShapeForm):
                said.add(take.clip.values[:, list(task.form.channels)])
        writer.finalize()
    if said.doubt:
        _LOG.warning("%s", said.doubt)
    return _opened(folder)


class Sayable:
    """Whether the table of mouth shapes can say the mouths of a data set."""

    def __init__(self, own: str = "") -> None:
        self._own = own
        self._off = self._spread = 0.0
        self._count = 0

    def add(self, values: Any) -> None:
        """Take in a recording's mouths [T, 31]."""
        mouths = np.asarray(values, np.float64)
        mouths = mouths[~np.isnan(mouths).any(1)]
        self._off += float(np.abs(shapes(self._own)[nearest(mouths, self._own)] - mouths).sum())
        self._spread += float(np.abs(mouths - mouths.mean(0)).sum())
        self._count += mouths.size

    @property
    def doubt(self) -> str:
        """What a person should know; nothing where the shapes do."""
        if self._off <= _SAYABLE * self._spread:
            return ""
        off, spread = self._off / self._count, self._spread / self._count
        return (f"the mouths of this data lie {off:.3f} from the nearest shape, {spread:.3f} from "
                "each recording's own mean: these shapes, made of other mouths, cannot say them. "
                "Make a table of them: python scripts/mouth_shapes.py DATA --own shapes.npz, and "
                "take --shapes shapes.npz")  # fmt: skip


def _opened(folder: Path) -> SpeechTable:
    from datasets import Dataset

    return SpeechTable(Dataset.from_file(str(folder / "rows.arrow")))
