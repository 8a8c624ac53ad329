"""While a model of speech is aligned: `watch.Watch` on whole recordings held out.

* figures of the clips against the truth, as in training (`train.speech_probe`);
* `wins`, the share of duels against the start's own clips that an oracle without noise gives
  it, in plain millimetres: one for the mouth and one for the jaw of each half second or so;
* `contacts`, the share of p, b, m and f, v in which lips meet, or touch the teeth;
* `activity`, the sum of |weights| as a share of the start's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.data.speech_samples import SpeechSample
from semanticface.data.speech_tasks import SpeechTask, Take, contacts_made
from semanticface.preference.align.options import WatchOptions
from semanticface.preference.align.run import Begun
from semanticface.preference.align.watch import Watch, Wins, duel
from semanticface.rig import COUNT
from semanticface.speech.audio import Recording
from semanticface.speech.cues import Window
from semanticface.train.runs import Run
from semanticface.train.speaking import SpokenClip, speaker
from semanticface.train.speech_probe import speech_figures

REGIONS = ("mouth", "jaw")
Values = NDArray[np.float32]


def watch_of(trainer: Any, options: WatchOptions, begun: Begun) -> Watch:
    """The watch over an alignment, of pictures or of speech."""
    if begun.start.heard is None:
        return Watch(trainer, options, begun.held, begun.start.seen, begun.run)  # type: ignore[arg-type]
    return SpeechWatch(trainer, options, begun.held, begun.start.heard, begun.run)  # type: ignore[arg-type]


class SpeechWatch(Watch):
    """Probes of clips, the best weights kept, the alarm."""

    def __init__(
        self, trainer: Any, options: WatchOptions, held: Sequence[SpeechSample], task: SpeechTask,
        run: Run,
    ) -> None:  # fmt: skip
        super().__init__(trainer, options, (), task, run)  # type: ignore[arg-type]
        self.spoken = task
        self.records = list(held)  # type: ignore[arg-type]
        self.takes = [task.take(sample) for sample in held]
        self.sounds = [Recording(sample.audio).samples() for sample in held]

    def remember(self) -> None:
        """Keep the start's clips, or find those that were kept."""
        kept = self.run.folder / "start_clips.npz"
        if not kept.is_file():
            clips = self.with_model(self.clips)
            if self.trainer.is_world_process_zero():
                np.savez_compressed(kept, *[each.clip.values for each in clips])
            self.trainer.accelerator.wait_for_everyone()
        with np.load(kept) as held:
            self.began = [held[f"arr_{i}"] for i in range(len(self.takes))]

    def found(self) -> dict[str, float]:
        """Figures of the clips put together."""
        clips = self.with_model(self.clips)
        told = [each.clip.values for each in clips]
        moved, before = (sum(float(np.nansum(np.abs(each))) for each in some)
                         for some in (told, self.began))  # fmt: skip
        return {
            **speech_figures(self.spoken, self.takes, clips)._asdict(),
            "wins": clip_wins(told, self.began, self.takes, self.spoken).rate,
            "contacts": _contacts(told, self.takes, self.spoken.rate),
            "activity": moved / max(before, 1e-9),
        }

    def clips(self, model: Any) -> list[SpokenClip]:
        """What a model makes of the recordings."""
        asked = speaker(model, self.trainer.processing_class, self.spoken,
                        self.options.probe_tokens)  # fmt: skip
        return [asked.clip(take.spoken, sound, len(take.clip) / self.spoken.rate)
                for take, sound in zip(self.takes, self.sounds, strict=True)]  # fmt: skip


def clip_wins(
    mine: Sequence[Values], others: Sequence[Values], takes: Sequence[Take], task: SpeechTask,
    regions: Sequence[str] = REGIONS,
) -> Wins:  # fmt: skip
    """Duels of clips [T, 61] against others in each stretch of a window's length."""
    told = [duel(one, other, truth, region)
            for one, other, take in zip(mine, others, takes, strict=True)
            for one, other, truth in _stretches(one, other, take, task)
            for region in regions]  # fmt: skip
    return Wins(sum(told), len(told))


def _stretches(
    one: Values, other: Values, take: Take, task: SpeechTask
) -> Iterator[tuple[Values, Values, Values]]:
    """Both and the truth, where the truth has all that is answered; nothing else is compared."""
    asked = np.zeros(COUNT, np.bool_)
    asked[list(task.form.channels)] = True
    truth = np.where(asked, take.clip.values, np.nan).astype(np.float32)
    for first in range(0, len(truth) - task.cut.frames + 1, task.cut.frames):
        part = slice(first, first + task.cut.frames)
        if not np.isnan(truth[part][:, asked]).any():
            yield one[part], other[part], truth[part]


def _contacts(told: Sequence[Values], takes: Sequence[Take], rate: float) -> float:
    """Mean over the recordings that have such sounds."""
    shares = [contacts_made(values, take, Window(0, len(values), rate))
              for values, take in zip(told, takes, strict=True)]  # fmt: skip
    known = [each for each in shares if not math.isnan(each)]
    return float(np.mean(known)) if known else math.nan
