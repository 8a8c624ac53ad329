"""A trained model that answers pictures: from a run's folder, or any model by its name.

predictor = opened("runs/nano")
face = predictor.faces([picture])[0]
face.values, face.words, face.parsed.report.outcome
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.channel_sets import ALL
from semanticface.data.tasks import STAGES, Stage, Task
from semanticface.errors import BadInput, did_you_mean, need
from semanticface.language.description import Description
from semanticface.language.parsed import STRICT, Parsed
from semanticface.train.answering import answerer
from semanticface.train.decoding import MOST_TOKENS, Completion, Decoder
from semanticface.train.loading import Loaded, Source, load_model
from semanticface.train.manifest import base_digest, prompt_json, prompt_of, read_manifest, task_of
from semanticface.train.one_pass import Reader, Readout, task_named
from semanticface.train.processors import fixed_side, load_processor
from semanticface.train.runs import ADAPTER, Run
from semanticface.train.seal import SEAL, check_seal

_CUBIC = 3
"""Pillow's number for the way in which the processor resizes."""


class Face(NamedTuple):
    """What a model says about a picture."""

    values: NDArray[np.float32]
    """[61], NaN where the answer gives no number."""
    words: Description | None
    parsed: Parsed | None
    completion: Completion
    confidence: NDArray[np.float32] | None = None
    """[61], 0 to 1, of models that are read in one pass."""
    refused: str = ""
    """Why nothing was said at all; such a face is not kept."""


@dataclass
class Predictor:
    """A model, what it is asked, and a name for both."""

    model: Any
    processor: Any
    task: Task
    origin: str
    """Hashes of the weights and of the request: another one may answer otherwise."""
    most: int = MOST_TOKENS

    @cached_property
    def answerer(self) -> Decoder | Reader:
        """Decodes its answers, or reads them in one pass."""
        return answerer(self.model, self.processor, self.task, self.most)

    def faces(self, pictures: Sequence[Any]) -> list[Face]:
        """One face for each picture."""
        side = fixed_side(self.processor)
        pictures = [_sized(each, side) for each in pictures]
        if isinstance(self.answerer, Reader):
            return [self._read(each) for each in self.answerer.readouts(pictures)]
        return [self._face(each) for each in self.answerer.answers(pictures)]

    def each(self, pictures: Iterable[Any], batch: int) -> Iterator[Face]:
        """One face for each picture, `batch` of them answered side by side."""
        pictures = iter(pictures)
        while some := list(islice(pictures, batch)):
            yield from self.faces(some)

    def _read(self, found: Readout) -> Face:
        """Expected values as they are; the text has them to the format's decimals."""
        text = self.task.form.write(found.values)
        parsed = Parsed(found.values, None, STRICT, self.task.form.key)
        return Face(found.values, None, parsed, Completion(text, 0, True, 1), found.confidence)

    def _face(self, completion: Completion) -> Face:
        answer = self.task.read(completion.text)
        return Face(answer.values, answer.words, answer.parsed, completion)


def opened(
    place: str | Path, *, answer: str | None = None, stage: str | None = None,
    base: str | None = None, channels: str | None = None,
) -> Predictor:  # fmt: skip
    """A predictor from a run's folder, whose manifest says what it has learnt to answer, or from
    a model's folder or name. Of a run, `answer` and `stage` choose among what it has learnt;
    a model is asked for what they and `channels` say, for words and then JSON of all channels
    unless told otherwise. `base` is where a run's base model lies now."""
    folder = Path(place).expanduser()
    if (folder / "manifest.json").is_file():
        if channels is not None:
            raise BadInput("channels for a run", "none: it has the channels that it has learnt",
                           file=folder)  # fmt: skip
        return _of_run(folder, answer, stage, base)
    asked = task_named(answer or "two-key", _stage(stage or "describe+coefficients"),
                       channels=channels or ALL)  # fmt: skip
    loaded = Loaded(load_model(Source(str(place))), load_processor(place))
    weights = base_digest(str(place), None) if folder.is_dir() else f"hub {place}"
    return _predictor(loaded, asked, weights)


def _stage(told: str) -> Stage:
    found = next((each for each in STAGES if each == told), None)
    if found is None:
        raise BadInput(f"the stage '{told}'", f"one of {', '.join(STAGES)}",
                       hint=did_you_mean(told, STAGES))  # fmt: skip
    return found


def _of_run(folder: Path, answer: str | None, stage: str | None, base: str | None) -> Predictor:
    held = read_manifest(folder / "manifest.json")
    result = Run(folder).result()
    check_seal(result)
    task = task_of(held, answer, stage)
    if prompt_of(held, task) not in (None, prompt_json(task)):
        raise BadInput(
            f"another text of the prompt {task.prompt}",
            "the one that the run was trained with",
            file=folder,
            hint="Use the version of this package that it was trained with.",
        )
    return _predictor(load_run(folder, base), task, _digest(result / SEAL))


def load_run(folder: Path, base: str | None = None, *, merged: bool = False) -> Loaded:
    """The model of a finished run and its processor."""
    held, result = read_manifest(folder / "manifest.json"), Run(folder).result()
    check_seal(result)
    processor = load_processor(result)
    dtype = held["config"].get("dtype", "auto")
    if result.name != ADAPTER:
        return Loaded(load_model(Source(str(result), dtype)), processor)
    peft = need("peft", "train", "Loading an adapter")
    place = base_of(folder, base)
    quantised = bool(held["config"].get("quantised")) and not merged
    commit = commit_at(held["base"], place)
    model = load_model(Source(place, dtype, quantised, revision=commit))
    return Loaded(peft.PeftModel.from_pretrained(model, str(result)), processor)


def base_of(folder: Path, base: str | None) -> str:
    """Where a run's base model lies, seen to be the one it was trained on."""
    held = read_manifest(folder / "manifest.json")["base"]
    place = base or held["path"]
    known = str(held["sha256"])
    if known.startswith("commit "):
        return str(place)
    if not Path(place).is_dir():
        raise BadInput(f"no base model at {place}", "the folder it was trained on", file=folder,
                       hint="Say where it is now: --base FOLDER.")  # fmt: skip
    if base_digest(str(place), None) != known:
        raise BadInput(f"another base model at {place}", "the one that the run was trained on",
                       file=folder, hint="--base FOLDER with the same files.")  # fmt: skip
    return str(place)


def commit_at(base: dict[str, str], place: str) -> str | None:
    """The commit of a base model on the hub: its name alone may mean other weights by now."""
    kind, _, commit = base["sha256"].partition(" ")
    known = kind == "commit" and place == base["path"] and not Path(place).is_dir()
    return commit if known else None


def _predictor(loaded: Loaded, task: Task, weights: str) -> Predictor:
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = loaded.model.eval()
    if not getattr(model, "is_quantized", False) and model.device.type != device:
        model = model.to(device)
    origin = sha256(f"{weights} {json.dumps(prompt_json(task))}".encode()).hexdigest()
    return Predictor(model, loaded.processor, task, origin)


def _sized(picture: Any, side: int | None) -> Any:
    """A square picture at the one size that the processor knows. By itself it would make 84 x 84
    of one square in ten, for its rounding takes 112.0 for less (so of 150, 192 and 384 pixels)."""
    if side is None or picture.size[0] != picture.size[1] or picture.size[0] == side:
        return picture
    return picture.resize((side, side), _CUBIC)


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
