"""Preferences about stretches of recordings as rows that DPO takes, a row for each window.

A preference is judged over a stretch of frames; a model answers windows. So it becomes as many
pairs as there are windows of the run's own cut within the stretch, each with the request that
the task writes in training and in serving, the place of its sound, and both answers in the
run's own form. Windows in which both say the same are left out, for nothing was preferred there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.speech_tasks import SpeechTask
from semanticface.errors import BadInput
from semanticface.preference.align.options import PairOptions
from semanticface.preference.align.speech_collation import SIDES, counting, judges_shapes
from semanticface.preference.recordings import Heard, Recordings, Stretch
from semanticface.preference.regions import region_of
from semanticface.rig import COUNT, into_range
from semanticface.speech.cues import Window
from semanticface.speech.mouth_shapes import ShapeForm

Row = dict[str, Any]
Values = NDArray[np.float32]


class Made(NamedTuple):
    """A window's row, or why there is none."""

    row: Row | None
    why: str


@dataclass
class SpeechRows:
    """Makes rows of preferences for a task."""

    task: SpeechTask
    options: PairOptions
    recordings: Recordings = field(init=False)

    def __post_init__(self) -> None:
        self.recordings = Recordings(Path(self.options.media).expanduser())

    def __call__(self, row: Row) -> Iterator[Made]:
        """Of one preference."""
        if not isinstance(row.get("speech"), dict):
            yield Made(None, "without a recording")
            return
        stretch = Stretch.read(row["speech"])
        if stretch.rate != self.task.rate:
            yield Made(None, "at another rate than the run's")
            return
        region = str(row.get("region", "full"))
        if why := self._unfit(region):
            yield Made(None, why)
            return
        sides = [frames_of(row[side], side, stretch.frames) for side in SIDES]
        windows = windows_in(self.task, stretch)
        if not windows:
            yield Made(None, "shorter than a window of the run")
        heard = self.recordings.heard(stretch)
        for window in windows:
            first = window.first - stretch.first
            parts = [side[first : first + window.frames] for side in sides]
            yield self._window(heard, window, parts, region)

    def _unfit(self, region: str) -> str:
        masked = self.options.region_mask
        if masked and isinstance(self.task.form, ShapeForm) and not judges_shapes(region):
            return "a part of the mouth, of which shapes say the whole"
        return ""

    def _window(self, heard: Heard, window: Window, parts: list[Values], region: str) -> Made:
        task = self.task
        form = task.form_for(heard.spoken, window)
        if np.isnan([part[:, list(form.channels)] for part in parts]).any():
            return Made(None, "numbers missing")
        texts = [form.write(into_range(part).values) for part in parts]
        if texts[0] == texts[1]:
            return Made(None, "the same text for both")
        judged = region_of(region).channels
        if self.options.region_mask and not all(self._says(text, judged) for text in texts):
            return Made(None, "an answer without a word of the judged region")
        made: Row = {
            "prompt": task.about(heard.spoken, window),
            "channels": list(judged),
            **{side: [{"role": "assistant", "content": [{"type": "text", "text": text}]}]
               for side, text in zip(SIDES, texts, strict=True)},
        }  # fmt: skip
        if task.audio:
            made["audio"] = {"path": str(heard.sound)} | task.heard(window)._asdict()
        return Made(made, "")

    def _says(self, text: str, judged: tuple[int, ...]) -> bool:
        channels, form = frozenset(judged), self.task.form
        if isinstance(form, ShapeForm) or channels >= set(form.channels):
            return True
        return any(counting(form.form, text, channels, [(0, len(text))]))


def windows_in(task: SpeechTask, stretch: Stretch) -> list[Window]:
    """The task's windows of the recording that lie in a stretch whole."""
    hop, frames = task.cut.hop, task.cut.frames
    begin, end = stretch.first, stretch.first + stretch.frames
    starts = range(-(-begin // hop) * hop, end - frames + 1, hop)
    return [Window(first, frames, task.rate) for first in starts]


def frames_of(answer: Row, column: str, count: int) -> Values:
    """[N, 61] of an answer in a row; NaN where it says nothing."""
    frames = answer.get("frames")
    if not isinstance(frames, list) or len(frames) != count:
        raise BadInput("an answer of other frames than its stretch", f"{count} frames",
                       column=column)  # fmt: skip
    told = np.array([[np.nan if x is None else x for x in row] for row in frames], np.float32)
    if told.shape != (count, COUNT):
        raise BadInput(f"values of shape {told.shape}", f"({count}, {COUNT})", column=column)
    return told
