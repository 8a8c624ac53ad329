"""Checkpoints that are whole or not, for every trainer of this package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semanticface.train.seal import seal


class SealedCheckpoints:
    """Goes before a TRL trainer among a class's bases."""

    args: Any
    state: Any
    accelerator: Any

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)  # type: ignore[misc]
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            seal(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")
        self.accelerator.wait_for_everyone()

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """None: the manifest says what a run is."""
