"""While a model is aligned: does it get better, and is it coming apart?

At each probe the model answers the same faces held out, and so did the start:

* figures against the truth (`train.figures`: active MAE and so on), where data is given;
* `wins`, the share of regional duels against the start's own answers that an oracle gives
  it, one for the upper and one for the lower face of each picture. This oracle is not the
  one whose verdicts are learnt from: it has no noise and measures plain millimetres. Ties,
  and answers with holes, count half; a face whose truth has holes is left out, and without
  any whole truth there is no `wins`;
* without any truth: `contradictory`, answers that hold what no face does at once, and
  `activity`, the sum of |weights| as a share of the start's (DPO may mute or exaggerate).

**Collapse.** DPO can make both answers of a pair unlikelier, as long as the rejected one
loses more. `chosen_nats` is the mean change of log p per counted token of chosen answers
since the start; below -`collapse` the alarm stands in the journal.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from transformers import Trainer, TrainerCallback

from semanticface.atomic import write_text
from semanticface.data.images import Pictures
from semanticface.data.records import Record
from semanticface.data.tasks import Task
from semanticface.metrics.validity import validity, validity_sums
from semanticface.preference.align.options import WatchOptions
from semanticface.preference.candidates import Candidate, regional_pair
from semanticface.preference.oracle import nearer
from semanticface.rig import CHANNELS
from semanticface.train.answering import answerer
from semanticface.train.curves import draw
from semanticface.train.decoding import Completion
from semanticface.train.figures import figures
from semanticface.train.probe import save
from semanticface.train.runs import Run, append, read_journal

_LOG = logging.getLogger(__name__)
_WEIGHTS = np.array([each.unit == "weight" for each in CHANNELS])
_SAME = 1e-9
Answers = TypeVar("Answers")
_FEW = 16


class Wins(NamedTuple):
    """Regional duels of answers against others, by an oracle that knows the truth."""

    won: float
    """Ties count half."""
    duels: int

    @property
    def rate(self) -> float:
        """0 to 1; NaN without a duel."""
        return self.won / self.duels if self.duels else math.nan


def wins(
    mine: NDArray[np.float32], others: NDArray[np.float32], truth: NDArray[np.float32],
    regions: Sequence[str] = ("upper", "lower"),
) -> Wins:  # fmt: skip
    """Of answers [N, 61] against others [N, 61]; see the module."""
    told = [duel(one, other, true, region)
            for one, other, true in zip(mine, others, truth, strict=True)
            if not np.isnan(true).any() for region in regions]  # fmt: skip
    return Wins(sum(told), len(told))


def duel(
    one: NDArray[np.float32], other: NDArray[np.float32], true: NDArray[np.float32], region: str
) -> float:
    """1 where the one is nearer to the truth, 0 where the other is, a half where neither or where
    one of them lacks numbers that the truth has."""
    if (np.isnan([one, other]) & ~np.isnan(true)).any():
        return 0.5
    base = Candidate.of("truth", true)
    pair = regional_pair(base, Candidate.of("one", one), Candidate.of("other", other), region)
    by = nearer(pair, base)
    return 0.5 if abs(by) < _SAME else float(by > 0)


class Watch(TrainerCallback):  # type: ignore[misc]
    """Probes at steps, keeps the best weights, sounds the alarm."""

    def __init__(
        self, trainer: Any, options: WatchOptions, held: Sequence[Record], task: Task, run: Run
    ) -> None:
        self.trainer, self.options, self.task, self.run = trainer, options, task, run
        self.records = list(held)
        pictures = Pictures()
        self.pictures = [pictures.decode(each.image, each.id) for each in self.records]
        self.collapsed, self._warned = False, False
        self._counted = 0.0

    # -- when ------------------------------------------------------------------

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """The start's own answers, once."""
        if self.records:
            self.remember()
            if not read_journal(self.run.probes):
                self.probe(0)

    def remember(self) -> None:
        """Keep what the start answers, or find what was kept."""
        if not self._kept.is_file():
            texts = [each.text for each in self.answers()]
            if self.trainer.is_world_process_zero():
                write_text(self._kept, json.dumps(texts) + "\n")
            self.trainer.accelerator.wait_for_everyone()
        self.started = self._values(json.loads(self._kept.read_text(encoding="utf-8")))

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Probe at its steps and at the last one."""
        every, step = self.options.probe_steps, state.global_step
        if step >= state.max_steps or (every and step % every == 0):
            logs = control.should_log
            self.probe(step)
            control.should_log = logs

    def on_log(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Look at the chosen answers' log-probabilities: collapse comes without a sound."""
        told = (more.get("logs") or {}).get("rewards/chosen")
        if told is None or self.collapsed:
            return
        nats = float(told) / self.trainer.beta / max(self.counted(), 1.0)
        if nats < -self.options.collapse:
            self.collapsed = True
            row = {"step": state.global_step, "alarm": "collapse", "chosen_nats": round(nats, 4)}
            append(self.run.log, row)
            _LOG.warning("step %d: chosen answers lost %.2f nats a token since the start. Lower "
                         "learning_rate, raise beta or sft.", row["step"], -nats)  # fmt: skip
            control.should_training_stop |= self.options.stop_at_collapse

    def counted(self) -> float:
        """Mean counted tokens of an answer, over the first pairs."""
        if not self._counted:
            held = self.trainer.train_dataset
            some = [held[i] for i in range(min(len(held), _FEW))]
            counted = self.trainer.data_collator(some)["completion_mask"].sum(1)
            self._counted = float(counted.float().mean())
        return self._counted

    # -- what ------------------------------------------------------------------

    @property
    def _kept(self) -> Any:
        return self.run.folder / "start_answers.json"

    def probe(self, step: int) -> dict[str, float]:
        """Answer, score, log; keep the weights if they are the best so far."""
        found = self.found() if self.records else {}
        told = {key: None if math.isnan(v) else v for key, v in found.items()}
        before = [row for row in read_journal(self.run.probes) if row["step"] < step]
        if self.trainer.is_world_process_zero():
            append(self.run.probes, {"step": step, **told})
        if step:
            Trainer.log(self.trainer, {f"probe/{k}": v for k, v in told.items() if v is not None})
            if self._is_best(told, before):
                self._keep()
            self._warn_unmeasured(told)
        if self.trainer.is_world_process_zero():
            draw(self.run)
        return found

    def found(self) -> dict[str, float]:
        """Figures of the answers to what is held out."""
        answers = self.answers()
        truth = np.stack([record.values for record in self.records])
        values = self._values([each.text for each in answers])
        shares = validity(validity_sums(values))
        with np.errstate(invalid="ignore"):
            before = np.nansum(np.abs(self.started[:, _WEIGHTS]))
        return {
            **figures(self.task, self.records, answers)._asdict(),
            "wins": wins(values, self.started, truth).rate,
            "contradictory": float(shares.contradictory),
            "activity": float(np.nansum(np.abs(values[:, _WEIGHTS])) / max(before, 1e-9)),
        }  # fmt: skip

    def _is_best(self, told: dict[str, float | None], before: list[dict[str, Any]]) -> bool:
        """Without faces to look at, the last weights are the best there are."""
        key = self.options.best_by
        value = told.get(key)
        known = [row[key] for row in before if row["step"] and row.get(key) is not None]
        if value is None or not known:
            return value is not None or not known
        return bool(value > max(known) if self.options.more_is_better else value < min(known))

    def _warn_unmeasured(self, told: dict[str, float | None]) -> None:
        key = self.options.best_by
        if self.records and not self._warned and told.get(key) is None:
            self._warned = True
            _LOG.warning("best_by '%s' cannot be measured on these faces (their numbers are not "
                         "known): the last weights are kept", key)  # fmt: skip

    def answers(self) -> list[Completion]:
        """Greedy answers to the faces held out."""
        return self.with_model(self._answered)

    def _answered(self, model: Any) -> list[Completion]:
        decoder = answerer(model, self.trainer.processing_class, self.task,
                           self.options.probe_tokens)  # fmt: skip
        size = self.options.probe_batch
        return [answer for i in range(0, len(self.pictures), size)
                for answer in decoder.answers(self.pictures[i : i + size])]  # fmt: skip

    def with_model(self, asked: Callable[[Any], Answers]) -> Answers:
        """What is done with the model while it does not learn."""
        model = self.trainer.accelerator.unwrap_model(self.trainer.model)
        learning = model.training
        model.eval()
        try:
            return asked(model)
        finally:
            model.train(learning)

    def _values(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self.task.read(each).values for each in texts])

    def _keep(self) -> None:
        save(self.trainer, self.run.fresh_best)
        if self.trainer.is_world_process_zero():
            shutil.rmtree(self.run.best, ignore_errors=True)
            self.run.fresh_best.rename(self.run.best)
        self.trainer.accelerator.wait_for_everyone()
