"""What an alignment can be told: one flat YAML and flags of the same names.

`AlignTraining` is TRL's DPOConfig; `beta`, `loss_type` and `loss_weights` are its own keys:
`loss_type: [sigmoid, sft]` with `loss_weights: [1.0, 0.1]` adds the SFT term.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trl import DPOConfig

from semanticface.errors import BadInput, did_you_mean
from semanticface.train.adapters import Plan
from semanticface.train.options import HIGHER, PROBED
from semanticface.train.training import Ours


def _told(default: Any, about: str) -> Any:
    return field(default=default, metadata={"help": about})


@dataclass
class StartOptions:
    """Which run is aligned. Its adapter is the reference; no second model is held."""

    start: str = _told("", "A finished run's folder, or small-speech; the small one of faces else.")
    base: str | None = _told(None, "Where the run's base model lies now.")
    answer: str = _told("", "Which of the run's answers is aligned, as 'tokens'; its first one.")
    dtype: str = _told("", "auto, float32, bfloat16 or float16; the run's own.")
    quantised: bool = _told(False, "Hold the frozen weights in nf4 (QLoRA).")
    attention: str | None = _told(None, "sdpa, flash_attention_2 or eager.")
    min_pixels: int | None = _told(None, "Least area that a picture is scaled to.")
    max_pixels: int | None = _told(None, "Most area that a picture is scaled to.")
    projector: str = _told("frozen", "frozen or lora, of a run without an adapter.")
    rank: int = _told(16, "Rank of LoRA, for a run without an adapter of its own.")
    alpha: int = _told(32, "LoRA's weight is alpha / rank.")
    dropout: float = _told(0.0, "Dropout before LoRA's first matrix.")

    @property
    def plan(self) -> Plan:
        """LoRA on the language model, for a run that is a whole model."""
        return Plan("frozen", self.projector, "lora", self.rank, self.alpha,  # type: ignore[arg-type]
                    self.dropout, quantised=self.quantised)  # fmt: skip


@dataclass
class PairOptions:
    """Which preferences, and which of their tokens count."""

    preferences: str = _told("", "What `semanticface rank preferences` wrote.")
    media: str = _told("", "The store's folder of pictures: STORE/media.")
    region_mask: bool = _told(True, "Only tokens of the judged region count; else whole answers.")
    max_pairs: int | None = _told(None, "Only so many preferences, the first ones.")
    kinds: str = _told("", "Whose verdicts: human, oracle, discriminator; all that are there.")

    def __post_init__(self) -> None:
        if self.max_pairs is not None and self.max_pairs < 1:
            raise BadInput(f"max_pairs: {self.max_pairs}", "one at least")


CHOICES = (*PROBED, "wins")
"""Figures by which a checkpoint can be best; `wins` against the start by an oracle."""


@dataclass
class WatchOptions:
    """What is looked at while the model is aligned."""

    data: str = _told("", "Faces with known numbers for probes: as in sft.py. None unless given.")
    without_consent: bool = _told(False, "Use faces whose consent nobody recorded.")
    probe_steps: int = _told(50, "Steps between probes; 0 for none but first and last.")
    probe_rows: int = _told(32, "Faces of a probe, always the same ones.")
    probe_batch: int = _told(8, "Faces answered side by side.")
    probe_tokens: int = _told(2048, "Most tokens of an answer.")
    best_by: str = _told("wins", "Which checkpoint is kept: " + ", ".join(CHOICES) + ".")
    collapse: float = _told(0.25, "Alarm when chosen tokens lose so many nats each, on average.")
    stop_at_collapse: bool = _told(False, "End the training at the alarm.")

    def __post_init__(self) -> None:
        if self.best_by not in CHOICES:
            raise BadInput(f"best_by: {self.best_by}", f"one of {', '.join(CHOICES)}",
                           hint=did_you_mean(self.best_by, CHOICES))  # fmt: skip
        if self.probe_steps < 0 or min(self.probe_rows, self.probe_batch, self.probe_tokens) < 1:
            raise BadInput("a probe of nothing", "one face and one token at least")
        if self.collapse <= 0:
            raise BadInput(f"collapse: {self.collapse}", "nats above 0")

    @property
    def more_is_better(self) -> bool:
        """Whether `best_by` is a figure that should rise."""
        return self.best_by in (*HIGHER, "wins")


@dataclass
class AlignTraining(Ours, DPOConfig):  # type: ignore[misc]
    """TRL's DPOConfig with other defaults."""

    output_dir: str = field(default="runs/aligned")
    max_length: int | None = field(default=None)
    save_steps: float = field(default=100)
    learning_rate: float = field(default=5e-5)
    warmup_steps: float = field(default=10)
    max_steps: int = field(default=200)
    loss_type: list[str] = field(default_factory=lambda: ["sigmoid", "sft"])
    loss_weights: list[float] | None = field(default_factory=lambda: [1.0, 0.1])
