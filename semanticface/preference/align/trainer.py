"""TRL's DPOTrainer for faces and speech: checkpoints that are whole or not, one adapter in them.

The reference is the start itself. A run with an adapter goes on with that adapter, and TRL
keeps a frozen copy of it (`ref`) in the same model; a run that is a whole model gets fresh
LoRA, and its reference is the model with LoRA switched off. No second model is held.

Of sound TRL knows nothing, but it hands every tensor of a batch to the model and to its
reference: so the collator brings the sound. Rows are prepared there and nowhere else.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

from transformers import PrinterCallback
from trl import DPOTrainer

from semanticface.data.speech_tasks import SpeechTask
from semanticface.data.tasks import Task
from semanticface.errors import BadInput, need
from semanticface.preference.align.collation import PairCollator
from semanticface.preference.align.options import AlignTraining, StartOptions
from semanticface.preference.align.rows import Row, dataset
from semanticface.preference.align.speech_collation import SpeechPairs, reads_slots
from semanticface.train.adapters import lora_config
from semanticface.train.callbacks import EveryPartMoves, Journal
from semanticface.train.checkpoints import SealedCheckpoints
from semanticface.train.loading import Loaded, Source, load
from semanticface.train.manifest import Manifest, prompt_json, read_manifest, speech_of, task_of
from semanticface.train.one_pass import SLOTS, Slots
from semanticface.train.options import SPEECH
from semanticface.train.places import run_folder
from semanticface.train.predictor import base_of
from semanticface.train.runs import ADAPTER, Run
from semanticface.train.seal import check_seal
from semanticface.train.speech_collation import Asking

REFERENCE = "ref"


class Start(NamedTuple):
    """The run that is aligned."""

    folder: Path
    manifest: Manifest
    task: Task | SpeechTask
    """What is asked and how it is answered."""
    result: Path
    """Its weights: an adapter or a whole model."""
    base: str
    """The model that the result will need: the adapter's base, or the whole model."""

    @property
    def adapted(self) -> bool:
        """Whether it has an adapter of its own."""
        return self.result.name == ADAPTER

    @property
    def seen(self) -> Task:
        """The task of a run of pictures; one of speech is an error."""
        if isinstance(self.task, SpeechTask):
            raise BadInput("a run of speech", "one of pictures", file=self.folder,
                           hint="Speech is aligned by recipes/dpo.py and rounds; its pairs are "
                           "made by semanticface rank speech.")  # fmt: skip
        return self.task

    @property
    def heard(self) -> SpeechTask | None:
        """The task of a run of speech."""
        return self.task if isinstance(self.task, SpeechTask) else None


def start_of(options: StartOptions) -> Start:
    """Find the start, and which of its answers is aligned."""
    folder = run_folder(options.start)
    manifest, result = read_manifest(folder / "manifest.json"), Run(folder).result()
    check_seal(result)
    base = base_of(folder, options.base) if result.name == ADAPTER else str(result)
    return Start(folder, manifest, _task(manifest, options.answer, folder), result, base)


def _task(manifest: Manifest, answer: str, folder: Path) -> Task | SpeechTask:
    if manifest["task"]["stage"] == SPEECH:
        return _speech(manifest, answer, folder)
    known = [manifest["task"], *manifest.get("also", ())]
    names = [each["answer"] for each in known]
    if answer and answer not in names:
        raise BadInput(f"answer: {answer}", f"one the run has learnt: {', '.join(names)}",
                       file=folder)  # fmt: skip
    chosen = known[names.index(answer)] if answer else known[0]
    if chosen["answer"] == SLOTS:
        written = [name for name in names if name != SLOTS]
        raise BadInput("answers in one pass", "answers that are written token by token",
                       file=folder, hint=f"--answer {written[0]}" if written else
                       "Train a run with another answer format.")  # fmt: skip
    task = task_of({"task": chosen})
    assert not isinstance(task.form, Slots)
    return task


def _speech(manifest: Manifest, answer: str, folder: Path) -> SpeechTask:
    task = speech_of(manifest)
    if answer not in ("", task.form.form):
        raise BadInput(f"answer: {answer}", f"the one the run has learnt: {task.form.form}",
                       file=folder)  # fmt: skip
    if prompt_json(task) != manifest["prompt"]:
        raise BadInput(f"another text of the prompt {task.prompt}", "the one it was trained with",
                       file=folder)  # fmt: skip
    return task


def loaded(start: Start, options: StartOptions) -> Loaded:
    """The start in memory; its adapter is trainable."""
    dtype = options.dtype or str(start.manifest["config"].get("dtype", "auto"))
    source = Source(start.base, dtype, options.quantised, options.attention, None,  # type: ignore[arg-type]
                    options.min_pixels, options.max_pixels)  # fmt: skip
    found = load(source, start.heard)
    peft = need("peft", "train", "Aligning a model")
    if options.quantised:
        ready = peft.prepare_model_for_kbit_training(found.model, use_gradient_checkpointing=False)
        found = found._replace(model=ready)
    if not start.adapted:
        return found
    model = peft.PeftModel.from_pretrained(found.model, str(start.result), is_trainable=True)
    return found._replace(model=model)


class OneAdapter(SealedCheckpoints):
    """Sealed checkpoints that hold the aligned adapter alone."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        super()._save(output_dir, state_dict)  # type: ignore[misc]
        # The start has the reference already, and a later load would take it for another.
        shutil.rmtree(Path(output_dir or self.args.output_dir) / REFERENCE, ignore_errors=True)


class FaceDPOTrainer(OneAdapter, DPOTrainer):  # type: ignore[misc]
    """DPOTrainer for faces; rows without pictures are left to the collator as well."""

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset


def trainer_of(
    start: Start, found: Loaded, options: StartOptions, training: AlignTraining,
    rows: tuple[Row, ...], run: Run, *, region_mask: bool = True,
) -> FaceDPOTrainer:  # fmt: skip
    """The trainer of an alignment, with its journal."""
    lora = None if start.adapted else lora_config(options.plan, found.model)
    # Texts alone reach the language model and no more: what sees stays as it is.
    seen = [EveryPartMoves()] if any(row.get("images") for row in rows) else []
    trainer = FaceDPOTrainer(
        model=found.model, args=training, train_dataset=dataset(rows), peft_config=lora,
        processing_class=found.processor, data_collator=_collator(start, found, region_mask),
        callbacks=[Journal(run), *seen],
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)  # the journal has every line
    if start.heard is not None:
        reads_slots(trainer.model)
    return trainer


def _collator(start: Start, found: Loaded, region_mask: bool) -> PairCollator | SpeechPairs:
    if start.heard is not None:
        return SpeechPairs(Asking(found.processor, start.heard), region_mask)
    return PairCollator(found.processor, start.seen, region_mask)
