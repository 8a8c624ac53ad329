"""Pairs about stretches of recordings: what a model says, the rules, a take, known faults.

    filled = fill(store, project, voice, samples, how, path)
    truths_in(store, project, samples)          # for an oracle, by the item's key

A stretch begins where a window of the run begins and holds `windows` of them, so that every
frame that is judged is one that can be learnt. A rater sees it as a loop with its sound.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface import formats
from semanticface.data.sounds import Sounds
from semanticface.data.speech_samples import SpeechSample
from semanticface.data.speech_tasks import SpeechTask
from semanticface.errors import BadInput
from semanticface.motion.resample import resample
from semanticface.preference.candidates import Candidate, Duel
from semanticface.preference.clip_pairs import heard_in
from semanticface.preference.difference import LEAST, worth_asking
from semanticface.preference.perturbations import Kind, Perturbation, perturbed
from semanticface.preference.recordings import Stretch
from semanticface.preference.sampled_pairs import pairs_of
from semanticface.preference.speech_sampling import Asked, Told, Voice, asked_about, collect_spoken
from semanticface.preference.store.content import Item, Project, add_pairs
from semanticface.preference.store.database import Store
from semanticface.preference.store.tables import ITEMS
from semanticface.rig import COUNT, FaceClip
from semanticface.speech.rules import animate, spoken_only

Values = NDArray[np.float32]
OTHERS = ("rules", "take", "faults")
"""What may stand in pairs beside answers: the rules' mouth, the sample's own coefficients, and
the likeliest answer with a known fault."""
CLIP_FAULTS: tuple[tuple[Kind, float], ...] = (
    ("gain", 0.5), ("gain", 1.4), ("noise", 0.1), ("dead", 0.5), ("late", 0.07), ("late", 0.13),
)  # fmt: skip
"""Kinds and amounts that a moving mouth can have; `late` in seconds."""


@dataclass(frozen=True)
class How:
    """What pairs are made, and of what."""

    samples: int = 4
    """Answers of a model to a recording, the likeliest among them."""
    others: tuple[str, ...] = ()
    regions: tuple[str, ...] = ("lower",)
    per_region: int = 1
    windows: int = 4
    """Windows of a stretch."""
    least: float = LEAST
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.samples, self.per_region, self.windows) < 1:
            raise BadInput(f"{self.samples} answers, {self.per_region} pairs of {self.windows} "
                           "windows", "one at least of each")  # fmt: skip
        if set(self.others) - set(OTHERS):
            raise BadInput(f"others: {', '.join(self.others)}", f"some of {', '.join(OTHERS)}")
        if self.samples + len(self.others) < 2:
            raise BadInput("one answer to each recording", "two or more: one alone makes no pair")


@dataclass
class Filled:
    """What went into a project and what did not."""

    pairs: int = 0
    alike: int = 0
    """Looked the same, or were the same."""
    known: int = 0
    unread: int = 0
    """Windows whose answer could not be read."""


def fill(
    store: Store, project: Project, voices: Sequence[tuple[str, Voice]],
    samples: Sequence[SpeechSample], how: How, folder: Path,
) -> Filled:  # fmt: skip
    """Pairs of what these models, and others, make of the recordings."""
    if not voices:
        raise BadInput("no model", "one at least: its windows say where stretches begin")
    task = voices[0][1].task
    for name, voice in voices:
        if (voice.task.cut, voice.task.rate) != (task.cut, task.rate):
            raise BadInput(f"'{name}' with windows of {voice.task.cut.frames} frames",
                           f"those of '{voices[0][0]}'", hint="One project for each.")  # fmt: skip
    told = [sampled_in(folder, name, voice, samples, how) for name, voice in voices]
    filling = _Filling(store, project, task, how)
    for number, asked in enumerate(told[0].recordings):
        filling.add(asked, [each for some in told for each in some.answers[number]])
    return filling.total


class SampledSpeech(NamedTuple):
    """What a model answered to recordings."""

    recordings: list[Asked]
    answers: list[list[Told]]


def sampled_in(
    folder: Path, name: str, voice: Voice, samples: Sequence[SpeechSample], how: How
) -> SampledSpeech:
    """Answers kept in a folder, those asked for before not again."""
    recordings = [asked_about(each, voice.task) for each in samples]
    path = folder / _file(voice, how)
    return SampledSpeech(recordings, collect_spoken(voice, recordings, how.samples, path,
                                                    seed=how.seed, name=name))  # fmt: skip


@dataclass
class _Filling:
    """A project that is being filled."""

    store: Store
    project: Project
    task: SpeechTask
    how: How
    sounds: Sounds = field(default_factory=Sounds)
    total: Filled = field(default_factory=Filled)

    def add(self, asked: Asked, answers: Sequence[Told]) -> None:
        """Pairs of each stretch of a recording."""
        self.total.unread += sum(each.unread for each in answers)
        others = _others(asked, self.task, self.how)
        for first, frames in stretches(asked, self.task, self.how.windows):
            found = _candidates(answers, others, first, frames, self.task)
            rng = np.random.default_rng([self.how.seed, first, *_bytes_of(asked.sample.id)])
            if found and "faults" in self.how.others:
                found.append(_faulty(found[0], self.how, rng))
            self._put(asked.sample, first, frames, pairs_of(found, self.how.regions,
                                                            self.how.per_region, rng))  # fmt: skip

    def _put(self, sample: SpeechSample, first: int, frames: int, duels: Sequence[Duel]) -> None:
        sifted = worth_asking(duels, least=self.how.least)
        self.total.alike += sifted.alike + sifted.unfair
        if not sifted.kept:
            return
        store, rate = self.store, self.task.rate
        stretch = Stretch.of(store, sample, first, frames, rate)
        sound = heard_in(store, self.sounds, sample.audio, first / rate, (first + frames) / rate)
        item = Item(stretch.name, sample.subject, sample.text, sound=sound,
                    speech=stretch.as_json())  # fmt: skip
        added = add_pairs(store, self.project.id, item, list(sifted.kept))
        self.total.pairs += added.pairs
        self.total.known += added.known


def _file(voice: Voice, how: How) -> str:
    return sha256(f"{voice.origin}/{how.seed}".encode()).hexdigest()[:32] + ".jsonl"


def stretches(asked: Asked, task: SpeechTask, windows: int) -> Iterator[tuple[int, int]]:
    """First frame and frames of each stretch of so many windows, one after the other; all that
    there is of a shorter recording."""
    windows = max(min(windows, len(asked.windows)), 1)
    frames = task.cut.frames + (windows - 1) * task.cut.hop
    for place in range(0, len(asked.windows) - windows + 1, windows):
        yield asked.windows[place].first, frames


def _others(asked: Asked, task: SpeechTask, how: How) -> dict[str, FaceClip]:
    """Whole clips from elsewhere, at the task's rate."""
    found = {}
    if "rules" in how.others:
        spoken = asked.spoken
        found["rules"] = animate(spoken.timeline, spoken.contours, rate=task.rate)
    if "take" in how.others:
        found["take"] = _take(asked.sample, task.rate)
    return found


def _take(sample: SpeechSample, rate: float) -> FaceClip:
    """A sample's own coefficients from the sound's beginning on."""
    clip = spoken_only(formats.read(sample.clip))
    frames = 1 + int(np.floor(clip.times[-1] * rate + 1e-3))
    return resample(clip, np.arange(frames) / rate)


def _candidates(
    answers: Sequence[Told], others: Mapping[str, FaceClip], first: int, frames: int,
    task: SpeechTask,
) -> list[Candidate]:  # fmt: skip
    """All that is whole in a stretch, the first model's likeliest answer first."""
    found = [_candidate(each.source, values, task) for each in answers
             if (values := each.stretch(first, frames)) is not None]  # fmt: skip
    for name, clip in others.items():
        values = clip.values[first : first + frames]
        if len(values) == frames and not np.isnan(values[:, list(task.form.channels)]).any():
            found.append(_candidate(name, values, task))
    return found


def _faulty(answer: Candidate, how: How, rng: np.random.Generator) -> Candidate:
    kind, amount = CLIP_FAULTS[int(rng.integers(len(CLIP_FAULTS)))]
    fault = Perturbation(kind, str(rng.choice(list(how.regions))), amount)
    return perturbed(answer, fault, seed=int(rng.integers(2**31))).candidate


def _bytes_of(name: str) -> bytes:
    return sha256(name.encode()).digest()[:4]


def _candidate(source: str, values: Values, task: SpeechTask) -> Candidate:
    """Frames of the channels that the task asks for; nothing is said of the others."""
    asked = np.zeros(COUNT, np.bool_)
    asked[list(task.form.channels)] = True
    return Candidate.of(source, np.where(asked, values, np.nan), rate=task.rate)


def truths_in(
    store: Store, project: Project, samples: Sequence[SpeechSample]
) -> dict[str, Candidate]:
    """The true frames of each item that is a stretch of one of these samples, by its key.

    Of channels that the sample does not have, and of those that no answer is about, nothing
    is said.
    """
    by_id, takes = {each.id: each for each in samples}, dict[str, FaceClip]()
    found = {}
    with store.reading() as connection:
        query = ITEMS.select().where(ITEMS.c.project_id == project.id, ITEMS.c.speech.is_not(None))
        rows = connection.execute(query).mappings().all()
    for row in rows:
        stretch = Stretch.read(json.loads(row["speech"]))
        if stretch.sample not in by_id:
            continue
        if stretch.sample not in takes:
            takes[stretch.sample] = _take(by_id[stretch.sample], stretch.rate)
        values = takes[stretch.sample].values[stretch.first : stretch.first + stretch.frames]
        if len(values) == stretch.frames and not np.isnan(values).all():
            found[row["id"]] = Candidate.of("truth", values, rate=stretch.rate)
    return found
