"""What a fine-tuning run can be told, as dataclasses: one flat YAML and flags of the same names.

A key means the same wherever it stands. What a key cannot be is said when it is read, not
an hour later. `SFTConfig` adds TRL's and transformers' own training keys; three of its
defaults are other here, because theirs hurt: `max_length` (1024 clips answers in
silence), `gradient_checkpointing` and `bf16` (both on, on a CPU too).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from semanticface.data.channel_sets import ALL
from semanticface.data.speech_tasks import SpeechTask
from semanticface.data.tasks import Task
from semanticface.errors import BadInput, did_you_mean
from semanticface.rig import REGIONS
from semanticface.speech.mouth_shapes import read_table
from semanticface.train.adapters import Plan
from semanticface.train.loading import Source
from semanticface.train.one_pass import task_named


def _told(default: Any, about: str) -> Any:
    return field(default=default, metadata={"help": about})


@dataclass
class ModelOptions:
    """Which model, and how its parts are trained."""

    model: str = _told("", "Folder or hub name; the small model unless given.")
    dtype: str = _told("auto", "auto, float32, bfloat16 or float16.")
    quantised: bool = _told(False, "Hold the frozen weights in nf4 (QLoRA).")
    attention: str | None = _told(None, "sdpa, flash_attention_2 or eager.")
    revision: str | None = _told(None, "Which revision on the hub.")
    min_pixels: int | None = _told(None, "Least area that a picture is scaled to.")
    max_pixels: int | None = _told(None, "Most area that a picture is scaled to.")
    vision: str = _told("frozen", "frozen, lora or full.")
    projector: str = _told("frozen", "frozen, lora or full.")
    language: str = _told("lora", "frozen, lora or full.")
    rank: int = _told(16, "Rank of LoRA.")
    alpha: int = _told(32, "LoRA's weight is alpha / rank.")
    dropout: float = _told(0.0, "Dropout before LoRA's first matrix.")
    dora: bool = _told(False, "Learn the length of each column too (DoRA).")

    def source(self, path: str) -> Source:
        """The model's place and form."""
        return Source(path, self.dtype, self.quantised, self.attention, self.revision,  # type: ignore[arg-type]
                      self.min_pixels, self.max_pixels)  # fmt: skip

    @property
    def plan(self) -> Plan:
        """What is trained."""
        return Plan(self.vision, self.projector, self.language, self.rank, self.alpha,  # type: ignore[arg-type]
                    self.dropout, self.dora, self.quantised)  # fmt: skip


@dataclass
class DataOptions:
    """Which faces, what is asked of them, and how pictures are varied."""

    data: str = _told("", "manifest.yaml, .jsonl, .parquet or a synth folder; made unless given.")
    cache: str = _told("~/.cache/semanticface", "Where synthetic faces and the small model go.")
    synth_frames: int = _told(2000, "Pictures, where they are made.")
    synth_identities: int = _told(200, "People, where they are made.")
    synth_size: int = _told(112, "Pixels a side, where they are made.")
    synth_seed: int = _told(0, "Which faces, where they are made.")
    stage: str = _told("coefficients", "coefficients, describe, describe+coefficients or speech.")
    answer: str = _told("codes", "Answer format of the coefficients; slots is read in one pass.")
    also: str = _told("", "More tasks: 'coefficients/slots, coefficients/flat@image/names'.")
    decimals: int | None = _told(None, "Decimals of the coefficients; the format's own.")
    prompt: str | None = _told(None, "A prompt's id for tasks of this stage; the stage's own.")
    wording: int = _told(0, "Seed of the wordings.")
    mirror: bool = _told(False, "Show every other view of a face as a mirror does.")
    augment: bool = _told(False, "Vary crop, colour, blur, noise and covering of pictures.")
    views: int = _told(1, "How often an epoch shows a face, each time varied anew.")
    without_consent: bool = _told(False, "Train on faces whose consent nobody recorded.")
    max_records: int | None = _told(None, "Only so many faces, the first ones.")
    cues: str = _told(
        "articulation",
        "Of speech: audio, transcript, phones, timed, drafted, articulation, text or unheard; "
        "parts left out after it, as articulation-stress-mouth.",
    )
    window: int = _told(15, "Of speech: frames of an answer.")
    hop: int = _told(12, "Of speech: frames between the starts of two windows.")
    margin: float = _told(0.25, "Of speech: seconds of sound on each side of a window.")
    rate: float = _told(30.0, "Of speech: frames a second.")
    channels: str = _told("", "all-61 (of pictures unless given), arkit-52, mouth-31 (of speech "
                          "unless given), mouth-29, or channels' names with commas.")  # fmt: skip
    shapes: str = _told("", "Of speech in shapes: a table of your own (mouth_shapes.py --own).")
    synth_sentences: int = _told(300, "Of speech: sentences, where they are made.")

    def __post_init__(self) -> None:
        for key in ("views", "synth_frames", "synth_identities"):
            if getattr(self, key) < 1:
                raise BadInput(f"{key}: {getattr(self, key)}", "one at least")
        if self.views > 1 and not (self.mirror or self.augment):
            raise BadInput(
                f"views: {self.views} of faces that are not varied",
                "mirror or augment with it",
                hint="Or raise max_steps.",
            )

    @cached_property
    def speech(self) -> SpeechTask | None:
        """What is asked of speech, if the stage is speech."""
        if self.stage != SPEECH:
            return None
        if self.also or self.mirror or self.augment or self.decimals is not None:
            raise BadInput("also, mirror, augment or decimals with speech", "none of them")
        return SpeechTask.of(self.answer, cues=self.cues, frames=self.window, hop=self.hop,
                             rate=self.rate, margin=self.margin, prompt=self.prompt,
                             channels=self.channels or SPOKEN,
                             shapes=read_table(self.shapes) if self.shapes else "")  # fmt: skip

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """What is asked: first the task that is probed and predicted by, then the others."""
        stage: Any = self.stage
        main = task_named(self.answer, stage, prompt=self.prompt, decimals=self.decimals,
                          seed=self.wording, channels=self.channels or ALL)  # fmt: skip
        more = [each.strip() for each in self.also.split(",") if each.strip()]
        return (main, *(self._other(each) for each in more))

    @property
    def task(self) -> Task:
        """The first of them."""
        return self.tasks[0]

    def _other(self, told: str) -> Task:
        task, _, asked = told.partition("@")
        stage, slash, answer = task.partition("/")
        if not slash:
            raise BadInput(f"also: {told}", "STAGE/ANSWER, as describe+coefficients/two-key",
                           hint="With a prompt of its own: STAGE/ANSWER@PROMPT.")  # fmt: skip
        wanted: Any = stage
        prompt = asked or (self.prompt if stage == self.stage else None)
        return task_named(answer, wanted, prompt=prompt, decimals=self.decimals, seed=self.wording,
                          channels=self.channels or ALL)  # fmt: skip


@dataclass
class LossOptions:
    """What counts how much. All ones and zero is plain cross-entropy over the answer."""

    words_weight: float = _told(1.0, "Weight of the description's tokens.")
    region_weights: str = _told("", "Weights of regions' tokens, as 'mouth=2,jaw=1.5'.")
    number_loss: float = _told(
        0.0,
        "Weight of the number-token loss beside cross-entropy; of "
        "speech in shapes, of how far the expected mouth is off.",
    )

    def __post_init__(self) -> None:
        if self.words_weight < 0 or self.number_loss < 0:
            raise BadInput("a weight below zero", "zero or more")
        _ = self.regions

    @property
    def regions(self) -> dict[str, float]:
        """Weight by region."""
        return dict(_weight(part) for part in self.region_weights.split(",") if part.strip())

    @property
    def even(self) -> bool:
        """Whether every token counts the same."""
        return all(weight == 1 for weight in (self.words_weight, *self.regions.values()))


def _weight(part: str) -> tuple[str, float]:
    name, _, number = (each.strip() for each in part.partition("="))
    if name not in REGIONS:
        raise BadInput(f"the region '{name}'", f"one of {', '.join(REGIONS)}",
                       hint=did_you_mean(name, REGIONS))  # fmt: skip
    try:
        weight = float(number)
    except ValueError:
        weight = -1.0
    if not 0 <= weight < 1000:
        raise BadInput(f"region_weights: {part.strip()}", f"{name}=NUMBER, zero or more")
    return name, weight


SPEECH = "speech"
"""The stage of windows of speech."""
SPOKEN = "mouth-31"
"""The channels of speech unless others are given."""
PROBED = ("mae", "active_mae", "ccc", "pearson", "strict", "words", "reward")
"""Figures by which a checkpoint can be best."""
NUMBERS = PROBED[:4]
"""Of these, the ones that a task without numbers does not have."""
HIGHER = ("ccc", "pearson", "strict", "words", "reward")
"""Of these, the ones of which more is better."""


@dataclass
class ProbeOptions:
    """Answers generated on faces held out, while training goes on."""

    probe_steps: int = _told(200, "Steps between probes; 0 for none but the last.")
    probe_rows: int = _told(32, "Faces of a probe, always the same ones.")
    probe_batch: int = _told(8, "Faces decoded side by side.")
    probe_tokens: int = _told(1024, "Most tokens of an answer.")
    best_by: str = _told("reward", "Which checkpoint is kept: " + ", ".join(PROBED) + ".")
    patience: int = _told(0, "Probes without a better one before training stops; 0 never.")

    def __post_init__(self) -> None:
        if self.best_by not in PROBED:
            raise BadInput(f"best_by: {self.best_by}", f"one of {', '.join(PROBED)}",
                           hint=did_you_mean(self.best_by, PROBED))  # fmt: skip
        if min(self.probe_steps, self.patience) < 0:
            raise BadInput("a negative number of probes", "zero or more")
        if min(self.probe_rows, self.probe_batch, self.probe_tokens) < 1:
            raise BadInput("a probe of nothing", "one face and one token at least")


def as_flat(*options: Any) -> dict[str, Any]:
    """All keys of our own dataclasses in one mapping."""
    return {key: value for each in options for key, value in asdict(each).items()}
