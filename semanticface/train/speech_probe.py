"""Figures of recordings held out while a model of speech trains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from semanticface.data.speech_samples import SpeechSample
from semanticface.data.speech_tasks import SpeechTask, Take
from semanticface.metrics.coefficients import active_channels, macro, scores, sums
from semanticface.metrics.grid import grid
from semanticface.speech.audio import Recording
from semanticface.train.figures import Figures
from semanticface.train.options import ProbeOptions
from semanticface.train.probe import Probe
from semanticface.train.runs import Run
from semanticface.train.speaking import SpokenClip, speaker

_ACTIVE = 0.1


class SpeechProbe(Probe):
    """`Probe` for windows of speech: what is scored are the clips put together of them."""

    def __init__(
        self, trainer: Any, options: ProbeOptions, held: Sequence[SpeechSample], task: SpeechTask,
        run: Run,
    ) -> None:  # fmt: skip
        self.trainer, self.options, self.task, self.run = trainer, options, task, run
        self.takes = [task.take(sample) for sample in held]
        self.sounds = [Recording(sample.audio).samples() for sample in held]
        self.values: list[tuple[int, float]] = []

    def found(self) -> tuple[Figures, str]:
        """Figures, and an answer to look at."""
        clips = self.with_model(self._clips)
        first = next(iter(clips[0].answers.values()))
        return speech_figures(self.task, self.takes, clips), first.text

    def _clips(self, model: Any) -> list[SpokenClip]:
        asked = speaker(model, self.trainer.processing_class, self.task, self.options.probe_tokens)
        return [asked.clip(take.spoken, sound, len(take.clip) / self.task.rate)
                for take, sound in zip(self.takes, self.sounds, strict=True)]  # fmt: skip


def speech_figures(task: SpeechTask, takes: Sequence[Take], clips: Sequence[SpokenClip]) -> Figures:
    """Of a clip for each take, over the channels of the answers."""
    columns = list(task.form.channels)
    told = np.concatenate([each.clip.values for each in clips]).astype(np.float64)
    truth = np.concatenate([take.clip.values for take in takes]).astype(np.float64)
    error = np.abs(told - truth)[:, columns]
    moving = (truth[:, columns] >= _ACTIVE - 1e-6) & ~np.isnan(error)
    whole = ~np.isnan(told).all(axis=1)
    ccc = pearson = math.nan
    if whole.any():
        averaged = macro(
            scores(sums(told[whole], truth[whole])), active_channels(truth[whole])
        ).mean
        ccc, pearson = float(averaged.ccc), float(averaged.pearson)
    answers = [a for each in clips for a in each.answers.values()]
    pairs = zip(takes, clips, strict=True)
    rewards = [task.worth(take, window, answer.read).reward for take, each in pairs
               for window, answer in each.answers.items()]  # fmt: skip
    finite = told[~np.isnan(told)]
    return Figures(
        _mean(error[~np.isnan(error)]), _mean(error[moving]), ccc, pearson,
        _mean([a.read.values is not None for a in answers]),
        _mean([a.read.why == "cut off" for a in answers]),
        float(grid(finite).levels) if len(finite) else math.nan, math.nan, math.nan,
        _mean(rewards), _mean([a.tokens for a in answers]),
    )  # fmt: skip


def _mean(numbers: Any) -> float:
    held = np.asarray(numbers, np.float64)
    return float(held.mean()) if held.size else math.nan
