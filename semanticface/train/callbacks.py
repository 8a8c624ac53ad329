"""What happens beside the steps: a journal of losses, and a check that every part learns."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from semanticface.errors import SemanticFaceError
from semanticface.train.adapters import groups, trainable
from semanticface.train.runs import Run, append


class Journal(TrainerCallback):  # type: ignore[misc]
    """Every line that the trainer logs, as JSON, by step."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_log(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """One line; figures of probes have a journal of their own."""
        logs = more.get("logs") or {}
        if state.is_world_process_zero and "loss" in logs:
            append(self.run.log, {"step": state.global_step, **logs})


class EveryPartMoves(TrainerCallback):  # type: ignore[misc]
    """An error after the first real step if a part that should learn stayed as it was.

    A part left behind (frozen by a wrapper, cut from the graph) lowers nothing visibly: the
    loss falls all the same. The first step of a warm-up has a rate of zero and moves nothing.
    """

    def __init__(self) -> None:
        self.before: dict[str, Any] = {}
        self.rate = 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Remember the parameters before a step that will change them."""
        if self.done:
            return
        self.rate = max(group["lr"] for group in more["optimizer"].param_groups)
        self.before = {
            name: _local(each).clone() for name, each in trainable(more["model"]).items()
        }

    done = False

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Compare, once."""
        if self.done or self.rate == 0:
            return
        now = trainable(more["model"])
        for part, names in groups(more["model"]).items():
            if not any((_local(now[name]) != self.before[name]).any() for name in names):
                raise SemanticFaceError(
                    f"{part}: none of its {len(names)} trainable tensors moved in step "
                    f"{state.global_step}. Does its output reach the loss?"
                )
        self.done, self.before = True, {}


def _local(parameter: Any) -> Any:
    """A parameter's data; of a sharded one, what this process holds."""
    held = parameter.detach()
    return held.to_local() if hasattr(held, "to_local") else held
