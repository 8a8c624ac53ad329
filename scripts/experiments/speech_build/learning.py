"""One arm of the cue experiment: trained, saved every so many steps, gone on with after a stop.

    FOLDER/arm.json        what it learns from and how; a folder of another arm is refused
    FOLDER/log.jsonl       loss by step
    FOLDER/spent.jsonl     seconds of processor time, by checkpoint
    FOLDER/checkpoint-N/   weights, optimiser, rate and random numbers; the newest two
    FOLDER/model/          the trained model, sealed; checkpoints are gone then

An arm that was stopped and gone on with is the one that was not, to the bit.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

from speech_build.cases import read_take
from transformers import TrainerCallback

from semanticface.atomic import write_text
from semanticface.data.speech_samples import SpeechSample
from semanticface.data.speech_tasks import SpeechTask
from semanticface.errors import BadInput
from semanticface.speech.cues import needs_sound
from semanticface.train.runs import Run, append, cut_after, read_journal
from semanticface.train.seal import check_seal, seal, sealed

CONFIG = Path(__file__).resolve().parents[3] / "recipes" / "configs" / "audioface_nano.yaml"
BATCH, SAVE, LOG = 16, 100, 25
"""Windows of a step, and steps between checkpoints and between lines of the log."""


class Plan(NamedTuple):
    """One run."""

    cues: str
    seed: int
    window: int = 15
    hop: int = 12
    real: bool = False
    """Whether it learns from recordings of people too."""
    rough: bool = False
    """Whether it learns from copies in noise and with wrong cues too."""

    @property
    def name(self) -> str:
        more = " with real takes" * self.real + " with rough copies" * self.rough
        return f"{self.cues}{more}, {self.window} frames, seed {self.seed}"


class Learnt(NamedTuple):
    """A trained arm."""

    loaded: Any
    task: SpeechTask
    seconds: float
    """Of processor time, over all goes."""


class Progress(TrainerCallback):  # type: ignore[misc]
    """Lines for who waits, and the time spent by each checkpoint."""

    def __init__(self, name: str, journal: Path) -> None:
        self.name, self.journal = name, journal
        self.before, self.began = spent(journal), time.process_time()

    @property
    def seconds(self) -> float:
        return self.before + time.process_time() - self.began

    def on_log(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        logs = more.get("logs") or {}
        if "loss" in logs:
            print(f"{self.name}: step {state.global_step} of {state.max_steps}, loss "
                  f"{float(logs['loss']):.3f}, {self.seconds:.0f} s of processor time",
                  flush=True)  # fmt: skip

    def on_save(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        append(self.journal, {"step": state.global_step, "seconds": self.seconds})


def train(
    plan: Plan, samples: list[SpeechSample], out: Path, steps: int, *, save: int = SAVE,
    batch: int = BATCH,
) -> Learnt:  # fmt: skip
    """A plan's model by the recipe's own parts, from its last checkpoint where it has one."""
    from transformers import set_seed

    from semanticface.train.adapters import apply
    from semanticface.train.loading import load
    from semanticface.train.places import model_place
    from semanticface.train.probe import no_step_left
    from semanticface.train.trainer import trainer_of

    run = Run(out / plan.name.replace(", ", "-").replace(" ", "-"))
    run.folder.mkdir(parents=True, exist_ok=True)
    run.alone()
    settings = _settings(plan, out, run.folder, steps, save, batch)
    task = settings.data.speech
    set_seed(plan.seed)
    loaded = load(settings.model.source(model_place("", settings.data.cache, task)), task)
    model = apply(settings.model.plan, _fresh(loaded.model, plan.seed))
    held = _sides(task, samples)
    _same_arm(run.folder, {**plan._asdict(), "steps": steps, "batch": batch,
                           "rows": held.train.digest()})  # fmt: skip
    checkpoint, result = run.last_checkpoint(), run.folder / "model"
    _forget_after(run, checkpoint, finished=sealed(result))
    progress = Progress(plan.name, run.folder / "spent.jsonl")
    if sealed(result):
        check_seal(result)
        model = type(model).from_pretrained(result)
    elif checkpoint is not None and no_step_left(str(checkpoint)):
        model = type(model).from_pretrained(checkpoint)
    else:
        trainer = trainer_of(settings, loaded._replace(model=model), held, run)
        trainer.pop_callback(trainer.callback_handler.callbacks[-1])  # no probe: scored later
        trainer.add_callback(progress)
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        model = trainer.model
    _keep(model, run)
    return Learnt(loaded._replace(model=model.eval()), task, progress.seconds)


def spent(journal: Path) -> float:
    """Seconds up to the last checkpoint."""
    rows = read_journal(journal)
    return float(rows[-1]["seconds"]) if rows else 0.0


def _settings(plan: Plan, out: Path, folder: Path, steps: int, save: int, batch: int) -> Any:
    from semanticface.train.parsing import parse

    told = {"cues": plan.cues, "window": plan.window, "hop": plan.hop, "seed": plan.seed,
            "max_steps": steps, "per_device_train_batch_size": batch,
            "save_strategy": "steps", "save_steps": save, "save_total_limit": 2,
            "probe_steps": 0, "probe_rows": 1, "cache": out / "cache", "data": out,
            "output_dir": folder, "use_cpu": "true", "disable_tqdm": "true",
            "logging_steps": LOG}  # fmt: skip
    if not needs_sound(plan.cues):
        told |= {"vision": "frozen", "projector": "frozen"}
    flags = [word for key, value in told.items() for word in (f"--{key}", str(value))]
    return parse(["--config", str(CONFIG), *flags])


def _fresh(model: Any, seed: int) -> Any:
    """Random weights by seed, as `nano_audio.build` draws them."""
    import torch

    torch.manual_seed(seed)
    places = model.model.audio_tower.embed_positions.weight.data.clone()
    made = type(model)(model.config)
    made.model.audio_tower.embed_positions.weight.data.copy_(places)
    made.generation_config = model.generation_config
    return made


def _sides(task: SpeechTask, samples: list[SpeechSample]) -> Any:
    from datasets import Dataset

    from semanticface.train.speech_rows import SpeechSides, SpeechTable

    learnt = [each for each in samples if each.split == "train"]
    rows = [json.dumps(task.example(read_take(s), w))
            for s in learnt for w in task.windows(read_take(s))]  # fmt: skip
    probe = [each for each in samples if each.split == "val"][:1]
    return SpeechSides(SpeechTable(Dataset.from_dict({"row": rows})), probe)


def _same_arm(folder: Path, told: dict[str, Any]) -> None:
    """A folder of another length or other data is not gone on with."""
    place = folder / "arm.json"
    held = json.loads(place.read_text("utf-8")) if place.is_file() else told
    for key, value in told.items():
        if held.get(key) != value:
            raise BadInput(f"an arm with {key} {held.get(key)!r}", repr(value), file=place,
                           hint="Take the folder away, or choose another OUT.")  # fmt: skip
    write_text(place, json.dumps(told, indent=1) + "\n")


def _forget_after(run: Run, checkpoint: Path | None, *, finished: bool) -> None:
    """Lines of what will be done again."""
    if finished:
        return
    step = 0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])
    for journal in (run.log, run.folder / "spent.jsonl"):
        cut_after(journal, step)


def _keep(model: Any, run: Run) -> None:
    result = run.folder / "model"
    if not sealed(result):
        shutil.rmtree(result, ignore_errors=True)
        model.save_pretrained(result)
        seal(result)
    for checkpoint in run.folder.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
