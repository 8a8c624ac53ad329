"""Several answers to each recording from a run of speech, kept as they come.

    voice = voice_of("runs/mine", temperature=1.0)
    told = collect_spoken(voice, samples, 4, "answers.jsonl", seed=0)
    told[0].stretch(24, 51)        # [51, 61] of frames 24 to 74, or None where unread

Number 0 is the likeliest answer, the others are drawn. An answer is the texts of all windows of
a recording, and is on the disk before the next is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.speech_samples import SpeechSample
from semanticface.data.speech_tasks import SpeechTask, timeline_of
from semanticface.errors import BadInput
from semanticface.preference.sampling import Journal, Sample, kept_answers, seed_of
from semanticface.speech.audio import Recording, Samples
from semanticface.speech.contours import contours
from semanticface.speech.cues import Spoken, Window
from semanticface.speech.stitching import stitch

Values = NDArray[np.float32]


class Asked(NamedTuple):
    """A recording that is asked about."""

    sample: SpeechSample
    spoken: Spoken
    sound: Samples
    windows: tuple[Window, ...]
    """Whole ones alone; what is left at the end is not asked about."""


class Voice(NamedTuple):
    """Answers recordings; `origin` names weights and temperature."""

    origin: str
    task: SpeechTask
    texts: Callable[[Asked, int | None], list[str]]
    """Of a recording and a seed the text of each window; the likeliest where the seed is None."""


@dataclass(frozen=True)
class Told:
    """One answer to a recording, in numbers."""

    source: str
    windows: dict[Window, Values]
    """Those that could be read."""
    unread: int

    def stretch(self, first: int, frames: int) -> Values | None:
        """Its frames, overlaps of windows blended; None where one of them was not answered."""
        inside = {Window(w.first - first, w.frames, w.rate): values
                  for w, values in self.windows.items()
                  if w.first >= first and w.first + w.frames <= first + frames}  # fmt: skip
        if not inside:
            return None
        made = stitch(inside, frames)
        return None if made.missing else made.values


def asked_about(sample: SpeechSample, task: SpeechTask) -> Asked:
    """A recording with its cues; its coefficients are not looked at."""
    recording = Recording(sample.audio)
    sound = recording.samples()
    spoken = Spoken(timeline_of(sample.alignment, recording.report.seconds), contours([sound]))
    frames = int(recording.report.seconds * task.rate + 1e-6)
    cut = [w for w in task.cut.windows(frames, task.rate) if w.frames == task.cut.frames]
    return Asked(sample, spoken, sound, tuple(cut))


def voice_of(place: str | Path, *, temperature: float) -> Voice:
    """A finished run of speech on this machine; its model is loaded when it is first asked."""
    from semanticface.train.manifest import read_manifest, speech_of
    from semanticface.train.places import run_folder
    from semanticface.train.runs import Run
    from semanticface.train.speaking import opened
    from semanticface.train.speech_drawing import Drawing

    folder = run_folder(str(place))
    task = speech_of(read_manifest(folder / "manifest.json"))
    speaker = cache(lambda: opened(folder))

    def texts(asked: Asked, seed: int | None) -> list[str]:
        one = speaker() if seed is None else Drawing.of(speaker(), temperature=temperature,
                                                        seed=seed)  # fmt: skip
        told = one.windows(asked.spoken, asked.sound, asked.windows)
        return [each.text for each in told]

    digest = sha256((Run(folder).result() / "hashes.json").read_bytes()).hexdigest()[:16]
    return Voice(f"{digest} {task.form.form} t={temperature:g}", task, texts)


def collect_spoken(
    voice: Voice, recordings: Sequence[Asked], count: int, path: str | Path, *, seed: int = 0,
    name: str = "model",
) -> list[list[Told]]:  # fmt: skip
    """`count` answers to each recording, the likeliest first; goes on where it was stopped."""
    if count < 1:
        raise BadInput(f"{count} answers", "one or more")
    known = kept_answers(Path(path), voice.origin)
    made = []
    with Journal(Path(path), voice.origin) as keep:
        for asked in recordings:
            for number in range(count):
                key = (asked.sample.id, number)
                if key not in known:
                    texts = voice.texts(asked, seed_of(seed, *key))
                    known[key] = Sample(*key, json.dumps(texts))
                    keep(known[key])
            made.append([_told(voice.task, asked, known[asked.sample.id, n], f"{name} {n}")
                         for n in range(count)])  # fmt: skip
    return made


def _told(task: SpeechTask, asked: Asked, sample: Sample, source: str) -> Told:
    texts = json.loads(sample.text)
    read = {window: task.read(asked.spoken, window, text).values
            for window, text in zip(asked.windows, texts, strict=True)}  # fmt: skip
    whole = {window: values for window, values in read.items() if values is not None}
    return Told(source, whole, len(read) - len(whole))
