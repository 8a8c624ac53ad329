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
    model: Any
    _resumed = ""

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)  # type: ignore[misc]
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            seal(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")
        self.accelerator.wait_for_everyone()

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        self._resumed = resume_from_checkpoint
        super()._load_from_checkpoint(resume_from_checkpoint, model)  # type: ignore[misc]

    def _issue_warnings_after_load(self, load_result: Any) -> None:
        """Some families are saved under other names than they have in memory (Qwen2-Audio): the
        trainer finds none of them and would go on from the weights it began with."""
        if not load_result.unexpected_keys:
            super()._issue_warnings_after_load(load_result)  # type: ignore[misc]
            return
        model = self.accelerator.unwrap_model(self.model)
        held = type(model).from_pretrained(self._resumed, dtype="auto")
        model.load_state_dict(held.state_dict())

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """None: the manifest says what a run is."""
