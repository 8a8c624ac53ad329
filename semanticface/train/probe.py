"""While a model trains: answers to the same held-out faces, figures, the best weights kept.

Processes that each hold the whole model share the faces and tell each other the answers;
where the model lies in pieces, every process decodes all of them, so that all run in step.
Nothing is drawn at random, so all agree on which probe is best and when to stop.
"""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import Trainer, TrainerCallback

from semanticface.data.images import Pictures
from semanticface.data.records import Record
from semanticface.formats import json_lines
from semanticface.train.answering import answerer
from semanticface.train.curves import draw
from semanticface.train.figures import Figures, figures
from semanticface.train.options import HIGHER, ProbeOptions
from semanticface.train.rows import Table
from semanticface.train.runs import Run, append, read_journal
from semanticface.train.seal import seal

_LOG = logging.getLogger(__name__)
_SHOWN = 300


class Probe(TrainerCallback):  # type: ignore[misc]
    """Probes at steps, keeps the best weights, stops where nothing gets better."""

    def __init__(
        self, trainer: Any, options: ProbeOptions, held: Table, task: Any, run: Run
    ) -> None:
        self.trainer, self.options, self.task, self.run = trainer, options, task, run
        self.records = list(held)
        for each in self.records:  # one that cannot be read is said before the first step
            self._picture(each)
        self.values: list[tuple[int, float]] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Take up what earlier probes found."""
        self.values = probed(self.run, self.options)

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Probe at its steps and at the last one."""
        every, step = self.options.probe_steps, state.global_step
        last = step >= state.max_steps
        if last or (every and step % every == 0):
            logs = control.should_log  # which logging a probe would take for done
            self.probe(step)
            control.should_log = logs
            if given_up(self.values, self.options):
                _LOG.info("no better probe since step %d: stopping", self.best[0])
                control.should_training_stop = True

    def probe(self, step: int) -> Figures:
        """Decode, score, log; keep the weights if they are the best so far."""
        found, sample = self.found()
        told = {key: None if math.isnan(v) else v for key, v in found._asdict().items()}
        self.values.append((step, getattr(found, self.options.best_by)))
        if self.trainer.is_world_process_zero():
            append(self.run.probes, {"step": step, **told, "sample": sample[:_SHOWN]})
        shown = {f"probe/{key}": value for key, value in told.items() if value is not None}
        Trainer.log(self.trainer, shown)  # not TRL's, which would close its own means
        if self.best[0] == step:
            self._keep()
        if self.trainer.is_world_process_zero():
            draw(self.run)
        return found

    def found(self) -> tuple[Figures, str]:
        """Figures, and an answer to look at."""
        answers = self.with_model(self._answers)
        return figures(self.task, self.records, answers), answers[0].text

    @property
    def best(self) -> tuple[int, float]:
        """Step and value of the best probe; the first of equals."""
        return best_of(self.values, self.options.best_by)

    def with_model(self, work: Callable[[Any], list[Any]]) -> list[Any]:
        """What some work gives with the model as it is in use, not in training."""
        model = self.trainer.accelerator.unwrap_model(self.trainer.model)
        learning = model.training
        model.eval()
        try:
            return work(model)
        finally:
            model.train(learning)

    def _answers(self, model: Any) -> list[Any]:
        decoder = answerer(model, self.trainer.processing_class, self.task,
                             self.options.probe_tokens)  # fmt: skip
        size, accelerator = self.options.probe_batch, self.trainer.accelerator
        alone = not str(accelerator.distributed_type.value).startswith("MULTI_")
        turn = slice(None) if alone else slice(accelerator.process_index, None,
                                               accelerator.num_processes)  # fmt: skip
        mine = self.records[turn]
        batches = [mine[i : i + size] for i in range(0, len(mine), size)]
        answers = [
            answer for batch in batches
            for answer in decoder.answers([self._picture(each) for each in batch])
        ]  # fmt: skip
        return answers if alone else _together(answers, len(self.records))

    def _picture(self, record: Record) -> Any:
        """Decoded when it is asked about and not kept: photographs can be large."""
        return Pictures().decode(record.image, record.id)

    def _keep(self) -> None:
        """Save the weights beside the old best, then exchange the folders."""
        save(self.trainer, self.run.fresh_best)
        if self.trainer.is_world_process_zero():
            shutil.rmtree(self.run.best, ignore_errors=True)
            self.run.fresh_best.rename(self.run.best)
        self.trainer.accelerator.wait_for_everyone()


def probed(run: Run, options: ProbeOptions) -> list[tuple[int, float]]:
    """Step and value of a run's probes so far."""
    return [(row["step"], _number(row[options.best_by])) for row in read_journal(run.probes)]


def best_of(values: list[tuple[int, float]], by: str) -> tuple[int, float]:
    """Step and value of the best probe; the first of equals."""
    sign = -1 if by in HIGHER else 1
    known = [each for each in values if not math.isnan(each[1])]
    return min(known, key=lambda each: sign * each[1]) if known else values[-1]


def given_up(values: list[tuple[int, float]], options: ProbeOptions) -> bool:
    """Whether as many probes as patience bears came after the best one."""
    if not (options.patience and values):
        return False
    since = sum(step > best_of(values, options.best_by)[0] for step, _ in values)
    return since >= options.patience


def no_step_left(checkpoint: str | None) -> bool:
    """Whether a run was killed between its last checkpoint and its result: the trainer would
    take one step more before it looked."""
    if checkpoint is None:
        return False
    state = json_lines.mapping(json_lines.load(Path(checkpoint) / "trainer_state.json"))
    return bool(state["global_step"] >= state["max_steps"])


def at_its_end(run: Run, checkpoint: str | None, options: ProbeOptions) -> bool:
    """Whether no step is left, or patience was at its end when the run was killed."""
    if checkpoint is None:
        return False
    return no_step_left(checkpoint) or given_up(probed(run, options), options)


def _together(answers: list[Any], count: int) -> list[Any]:
    """All processes' answers in the faces' order, which were dealt out in turn."""
    from accelerate.utils import gather_object

    shares: list[list[Any]] = gather_object([answers])
    told: list[Any] = [None] * count
    for place, share in enumerate(shares):
        told[place :: len(shares)] = share
    return told


def save(trainer: Any, folder: Path) -> Path:
    """Weights and processor into a sealed folder; every process calls it."""
    if trainer.is_world_process_zero():
        shutil.rmtree(folder, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(folder))
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle, and the manifest has it
        seal(folder)
    trainer.accelerator.wait_for_everyone()
    return folder


def finish(trainer: Any, run: Run, result: Path) -> Path:
    """The best weights become the result; on every process."""
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        run.best.rename(result)
        draw(run)
    trainer.accelerator.wait_for_everyone()
    return result


def _number(value: float | None) -> float:
    return math.nan if value is None else value
