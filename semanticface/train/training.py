"""TRL's training keys with this project's defaults; `options` says which differ and why."""

from __future__ import annotations

from dataclasses import dataclass, field

from trl import SFTConfig


@dataclass
class Ours:
    """What every trainer here has otherwise than TRL's. It goes before TRL's class among a
    class's bases."""

    gradient_checkpointing: bool = field(default=False)
    bf16: bool | None = field(default=False)
    dataloader_pin_memory: bool = field(default=False)
    remove_unused_columns: bool = field(default=False)
    report_to: str = field(default="none")
    logging_steps: float = field(default=10)
    save_total_limit: int | None = field(default=2)
    per_device_train_batch_size: int = field(default=8)
    lr_scheduler_type: str = field(default="cosine")


@dataclass
class TrainingOptions(Ours, SFTConfig):  # type: ignore[misc]
    """TRL's SFTConfig with other defaults."""

    output_dir: str = field(default="runs/nano")
    max_length: int | None = field(default=None)
    save_steps: float = field(default=200)
    learning_rate: float = field(default=1e-3)
    warmup_steps: float = field(default=20)
    max_steps: int = field(default=400)
