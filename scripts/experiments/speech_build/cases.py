"""Recordings of the synthetic corpus as a model gets them: as they are, noisy, misled."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import semanticface
from semanticface.atomic import write_bytes
from semanticface.data.rough_speech import stretched
from semanticface.data.speech_samples import SpeechSample, read_samples
from semanticface.data.speech_tasks import SpeechTask, Take
from semanticface.speech.align import Aligner
from semanticface.speech.audio import RATE, Recording, Samples
from semanticface.speech.contours import contours
from semanticface.speech.cues import Spoken

NOISES = (20, 10, 0)
MANY, FEW = 40, 16
"""Recordings of the first condition, of unseen voices with many speakers; and of each other."""


class Case(NamedTuple):
    """A recording as a model gets it, and what is true of it."""

    take: Take
    spoken: Spoken
    """What is told of it, which may be wrong."""
    sound: Samples


Cases = dict[str, list[Case]]


@functools.cache
def read_take(sample: SpeechSample) -> Take:
    return SpeechTask.of("shapes").take(sample)


@functools.cache
def sound_of(path: str) -> Samples:
    return Recording(path).samples()


def kept(place: Path, make: Callable[[], Any]) -> Any:
    """What the same code made before, or made now: aligning noisy speech takes longest."""
    mark = _code()
    if place.exists() and (held := place.read_bytes()).startswith(mark):
        return pickle.loads(held[len(mark) :])
    made = make()
    write_bytes(place, mark + pickle.dumps(made))
    return made


def _code() -> bytes:
    """A mark of the files whose classes and results a pickle of cases holds."""
    package = Path(semanticface.__file__).parent
    digest = sha256(Path(__file__).read_bytes())
    for folder in ("speech", "data", "rig"):
        for each in sorted((package / folder).rglob("*.py")):
            digest.update(each.read_bytes())
    return digest.digest()


def plain(sample: SpeechSample) -> Case:
    return Case(read_take(sample), read_take(sample).spoken, sound_of(sample.audio))


def owners(cases: list[Case]) -> list[str]:
    """What is drawn again as one: strangers by speaker where there are some, else sentences."""
    samples = [case.take.sample for case in cases]
    strange = all(each.unseen in ("voice", "both") for each in samples)
    by_speaker = strange and len({each.subject for each in samples}) > 1
    return [each.subject if by_speaker else each.sentence for each in samples]


def noisy(case: Case, decibels: float, aligner: Aligner, seed: int) -> Case:
    """White noise at a ratio to the recording's power; cues from what the aligner then finds."""
    rng = np.random.default_rng([seed, int(decibels)])
    power = float(np.square(case.sound).mean()) / 10 ** (decibels / 10)
    sound = case.sound + rng.normal(0, np.sqrt(power), len(case.sound)).astype(np.float32)
    sound = np.clip(sound, -1, 1).astype(np.float32)
    found = aligner.align([sound], case.take.sample.text)
    return Case(case.take, Spoken(found, contours([sound])), sound)


def misled(case: Case, other: Case) -> Case:
    """The words and phones of another recording, stretched to the length of this one."""
    told, length = other.take.spoken.timeline, len(case.sound) / RATE
    wrong = stretched(told, length, "of another sentence")
    return Case(case.take, Spoken(wrong, case.take.spoken.contours), case.sound)


def conditions(corpus: Path) -> Cases:
    held = [s for s in read_samples(corpus / "samples.jsonl") if s.split == "test"]
    known = [plain(s) for s in held if s.unseen == "sentence"]
    strange = [s for s in held if s.unseen in ("voice", "both")]
    alone = len({s.subject for s in strange}) == 1
    other = [plain(s) for s in strange[: FEW if alone else MANY]]
    aligner, some = Aligner(), known[:FEW]
    made = {"unseen sentence": known[:MANY], "unseen voice": other}
    for decibels in NOISES:
        made[f"noise {decibels} dB"] = [noisy(c, decibels, aligner, i) for i, c in enumerate(some)]
    made["wrong transcript"] = [misled(c, some[(i + 5) % len(some)]) for i, c in enumerate(some)]
    return made
