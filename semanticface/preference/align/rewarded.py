"""GRPO from settings to result: TRL's trainer, faces as prompts, a discriminator as reward.

A start that is a whole model gets LoRA, one with an adapter goes on with it, as in DPO; with
`beta` above 0 the start is the reference of the KL term. What is watched is what DPO watches.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from transformers import PrinterCallback
from trl import GRPOConfig, GRPOTrainer

from semanticface.atomic import write_text
from semanticface.data.collate import DecodeImages
from semanticface.data.images import ImageRef, Pictures
from semanticface.data.records import Record
from semanticface.errors import BadInput
from semanticface.preference.align.options import StartOptions, WatchOptions
from semanticface.preference.align.reward import FaceReward, Shown
from semanticface.preference.align.rows import dataset
from semanticface.preference.align.run import entered, faces_of, report, result_folder
from semanticface.preference.align.trainer import OneAdapter, Start, loaded, start_of
from semanticface.preference.align.watch import Watch
from semanticface.preference.discriminator import load
from semanticface.preference.regions import region_of
from semanticface.train.adapters import lora_config
from semanticface.train.answering import answerer
from semanticface.train.callbacks import Journal
from semanticface.train.loading import Loaded
from semanticface.train.parsing import check_saving, told
from semanticface.train.probe import finish, no_step_left
from semanticface.train.runs import Run
from semanticface.train.training import Ours

_LOG = logging.getLogger(__name__)


def _told(default: Any, about: str) -> Any:
    return field(default=default, metadata={"help": about})


@dataclass
class RewardOptions:
    """Who rewards, and for what."""

    discriminator: str = _told("", "Folder of a discriminator; its belief is the reward.")
    faces: int = _told(200, "Faces of the side 'train' that are answered; labels are not used.")
    regions: str = _told("upper,lower", "Where answers are compared with the start's own.")

    def __post_init__(self) -> None:
        if self.faces < 1:
            raise BadInput(f"faces: {self.faces}", "one at least")
        _ = self.names

    @property
    def names(self) -> tuple[str, ...]:
        """The regions."""
        return tuple(region_of(each.strip()).name for each in self.regions.split(","))


@dataclass
class RewardedTraining(Ours, GRPOConfig):  # type: ignore[misc]
    """TRL's GRPOConfig with other defaults."""

    output_dir: str = field(default="runs/rewarded")
    save_steps: float = field(default=100)
    learning_rate: float = field(default=2e-5)
    warmup_steps: float = field(default=10)
    max_steps: int = field(default=200)
    beta: float = field(default=0.04)
    max_completion_length: int | None = field(default=1024)


class Settings(NamedTuple):
    """All that it is told."""

    start: StartOptions
    reward: RewardOptions
    watch: WatchOptions
    training: RewardedTraining


def parse(
    arguments: Sequence[str] | None = None, about: str = "", small: Path | None = None
) -> Settings:
    """Settings from a YAML file and flags; flags win."""
    kinds = (StartOptions, RewardOptions, WatchOptions, RewardedTraining)
    made = Settings(*told(kinds, arguments, about, small, unless="--start"))
    check_saving(made.training)
    if not made.reward.discriminator or not made.watch.data:
        raise BadInput("GRPO without a discriminator or without faces",
                       "--discriminator FOLDER --data FACES")  # fmt: skip
    _ = made.start.plan
    return made


class FaceGRPOTrainer(OneAdapter, GRPOTrainer):  # type: ignore[misc]
    """GRPOTrainer whose pictures are decoded when they are asked about."""

    decode: DecodeImages

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Any:
        return super()._generate_and_score_completions([self.decode.decoded(row) for row in inputs])


def rewarded(settings: Settings) -> Path:
    """Start, faces, the start's answers, trainer, probe, train, save, report; the run's folder."""
    start, watch = start_of(settings.start), settings.watch
    faces = faces_of(watch, "train", settings.reward.faces)
    held = faces_of(watch, "val", watch.probe_rows)
    run = Run(Path(settings.training.output_dir))
    checkpoint = entered(run, settings, start, _learnt(settings.reward, faces), held)
    found = loaded(start, settings.start)
    whole, shown = _answered(faces, _said(found, start, faces, watch, run))
    reward = FaceReward(load(settings.reward.discriminator), start.seen, shown,
                        settings.reward.names)  # fmt: skip
    trainer = _trainer(settings, start, found, whole, reward, run)
    trainer.add_callback(Watch(trainer, watch, held, start.seen, run))
    if not no_step_left(checkpoint):
        trainer.train(resume_from_checkpoint=checkpoint)
    if reward.unread:
        _LOG.warning("%d answers could not be read and got nothing", reward.unread)
    _LOG.info("%s", report(run, finish(trainer, run, result_folder(run))))
    return run.folder


def _learnt(options: RewardOptions, faces: Sequence[Record]) -> dict[str, Any]:
    """What is learnt from: these faces, and this very discriminator."""
    names = "\n".join(each.id for each in faces)
    folder = Path(options.discriminator)
    digest = sha256(b"".join(each.read_bytes() for each in sorted(folder.glob("*.safetensors"))))
    return {"records": len(faces), "sha256": sha256(names.encode()).hexdigest(),
            "discriminator": digest.hexdigest()}  # fmt: skip


def _said(
    found: Loaded, start: Start, faces: Sequence[Record], watch: WatchOptions, run: Run
) -> list[Shown]:
    """The faces with the start's own answers, which are asked for once."""
    pictures = Pictures()
    seen = [pictures.decode(each.image, each.id) for each in faces]
    kept = run.folder / "start_said.json"
    if not kept.is_file():
        decoder = answerer(found.model.eval(), found.processor, start.seen, watch.probe_tokens)
        size = watch.probe_batch
        texts = [each.text for i in range(0, len(seen), size)
                 for each in decoder.answers(seen[i : i + size])]  # fmt: skip
        write_text(kept, json.dumps(texts) + "\n")
    said = [start.seen.read(each).values for each in json.loads(kept.read_text("utf-8"))]
    return [Shown(picture, face.subject, face.identity, values)
            for picture, face, values in zip(seen, faces, said, strict=True)]  # fmt: skip


def _answered(
    faces: Sequence[Record], shown: Sequence[Shown]
) -> tuple[list[Record], list[Shown]]:  # fmt: skip
    """Those whose answer by the start is whole: the others leave nothing to compare with."""
    whole = [i for i, each in enumerate(shown) if not np.isnan(each.before).any()]
    if not whole:
        raise BadInput(f"no whole answer of the start to {len(faces)} faces", "one at least",
                       hint="Train the start longer, or raise probe_tokens.")  # fmt: skip
    if len(whole) < len(shown):
        _LOG.warning("%d faces left out: the start's answer to them cannot be read",
                     len(shown) - len(whole))  # fmt: skip
    return [faces[i] for i in whole], [shown[i] for i in whole]


def _trainer(
    settings: Settings, start: Start, found: Loaded, faces: Sequence[Record], reward: FaceReward,
    run: Run,
) -> FaceGRPOTrainer:  # fmt: skip
    request = start.seen.request()
    rows = [{"prompt": request, "images": [_reference(each)], "face": number}
            for number, each in enumerate(faces)]  # fmt: skip
    trainer = FaceGRPOTrainer(
        model=found.model, reward_funcs=[reward], args=settings.training,
        train_dataset=dataset(rows), processing_class=found.processor,
        peft_config=None if start.adapted else lora_config(settings.start.plan, found.model),
        callbacks=[Journal(run)],
    )  # fmt: skip
    trainer.decode = DecodeImages(list)
    trainer.remove_callback(PrinterCallback)  # the journal has every line
    return trainer


def _reference(face: Record) -> Any:
    return face.image.model_dump() if isinstance(face.image, ImageRef) else face.image
