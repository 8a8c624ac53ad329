"""TRL's SFTTrainer for faces: another loss where asked for, checkpoints that are whole or not."""

from __future__ import annotations

from functools import partial
from typing import Any

from trl import SFTTrainer

from semanticface.errors import BadInput
from semanticface.speech.mouth_shapes import ShapeForm
from semanticface.train.callbacks import EveryPartMoves, Journal
from semanticface.train.checkpoints import SealedCheckpoints
from semanticface.train.collation import collator
from semanticface.train.loading import Loaded
from semanticface.train.objective import Changed, mouth_loss, number_loss
from semanticface.train.options import LossOptions
from semanticface.train.parsing import Settings
from semanticface.train.probe import Probe
from semanticface.train.rows import Sides, rows
from semanticface.train.runs import Run
from semanticface.train.speech_collation import Asking, SpeechCollator, shape_ids
from semanticface.train.speech_probe import SpeechProbe
from semanticface.train.speech_rows import SpeechSides


class FaceTrainer(SealedCheckpoints, SFTTrainer):  # type: ignore[misc]
    """SFTTrainer with weights for tokens and sealed checkpoints."""

    def __init__(self, *, loss: LossOptions, numbers: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self._loss, self._numbers = loss, numbers

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:  # fmt: skip
        """TRL's loss, over tokens that may count differently."""
        weights, mouths, drafts = (inputs.pop(key, None) for key in ("weights", "mouths", "drafts"))
        numbers = self._numbers
        if mouths is not None:
            numbers = partial(of_mouths, numbers, mouths, drafts)
        if weights is not None or numbers is not None:
            share = self._loss.number_loss if numbers is not None else 0.0
            head = self.accelerator.unwrap_model(model).get_output_embeddings()
            model = Changed(model, head, weights, numbers, share)
        return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)


def of_mouths(loss: Any, mouths: Any, drafts: Any, logits: Any, labels: Any, reduction: str) -> Any:
    """A loss of mouths, asked as ntloss is: a value a token, of the last ones."""
    last = slice(-labels.shape[1], None)
    held = [None if each is None else each[:, last].to(logits.device) for each in (mouths, drafts)]
    return loss(logits, labels, *held)


def trainer_of(
    settings: Settings, loaded: Loaded, held: Sides | SpeechSides, run: Run
) -> FaceTrainer:
    """The trainer of a run; its callbacks keep the journal, watch that every part learns, and
    probe."""
    if isinstance(held, SpeechSides):
        return _speech_trainer(settings, loaded, held, run)
    task = settings.data.task
    numbers = None
    if settings.loss.number_loss:
        width = loaded.model.get_output_embeddings().weight.shape[0]
        numbers = number_loss(loaded.processor.tokenizer, width,
                              values=settings.data.answer in ("tokens", "slots"))  # fmt: skip
    trainer = FaceTrainer(
        model=loaded.model, args=settings.training, train_dataset=rows(held.train, settings.data),
        processing_class=loaded.processor, loss=settings.loss, numbers=numbers,
        data_collator=collator(loaded.processor, settings.data, settings.loss,
                               settings.training.max_length),
        callbacks=[Journal(run), EveryPartMoves()],
    )  # fmt: skip
    trainer.add_callback(Probe(trainer, settings.probe, held.probe, task, run))
    return trainer


def _speech_trainer(settings: Settings, loaded: Loaded, held: SpeechSides, run: Run) -> FaceTrainer:
    """The same for windows of speech; TRL is not to prepare rows that the collator prepares."""
    task = settings.data.speech
    if task is None:
        raise BadInput(f"the stage '{settings.data.stage}'", "speech")
    settings.training.dataset_kwargs = {"skip_prepare_dataset": True}
    mouths = bool(settings.loss.number_loss) and isinstance(task.form, ShapeForm)
    collate = SpeechCollator(Asking(loaded.processor, task), settings.training.max_length,
                             mouths=mouths)  # fmt: skip
    numbers = None
    if isinstance(task.form, ShapeForm) and mouths:
        numbers = mouth_loss(shape_ids(collate.asking.tokenizer), task.form.own)
    trainer = FaceTrainer(
        model=loaded.model, args=settings.training, train_dataset=held.train.rows(),
        processing_class=loaded.processor, loss=settings.loss, numbers=numbers,
        data_collator=collate,
        callbacks=[Journal(run), EveryPartMoves()],
    )  # fmt: skip
    trainer.add_callback(SpeechProbe(trainer, settings.probe, held.probe, task, run))
    return trainer
