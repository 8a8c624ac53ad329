"""An alignment from settings to result: what the recipe runs, and each round."""

from __future__ import annotations

import logging
from pathlib import Path

from semanticface.preference.align.run import (
    Settings,
    begin,
    note_pairs,
    report,
    result_folder,
)

_LOG = logging.getLogger(__name__)


def aligned(settings: Settings) -> Path:
    """Guard, start, preferences, trainer, probe, train, save, report; the run's folder."""
    from semanticface.preference.align.speech_watch import watch_of
    from semanticface.preference.align.trainer import loaded, trainer_of
    from semanticface.train.probe import finish, no_step_left

    begun = begin(settings)
    found = loaded(begun.start, settings.start)
    if note_pairs(begun.run, begun.pairs, found.processor).lopsided:
        _LOG.warning("the chosen answers are nearly always the longer, or the shorter, ones: "
                     "loss_type: [sigmoid_norm] weighs them by length")  # fmt: skip
    trainer = trainer_of(begun.start, found, settings.start, settings.training, begun.pairs.rows,
                         begun.run, region_mask=settings.pairs.region_mask)  # fmt: skip
    trainer.add_callback(watch_of(trainer, settings.watch, begun))
    if not no_step_left(begun.checkpoint):
        trainer.train(resume_from_checkpoint=begun.checkpoint)
    _LOG.info("%s", report(begun.run, finish(trainer, begun.run, result_folder(begun.run))))
    return begun.run.folder
