"""Recordings as the world gives them: copies in noise, and copies that are told the wrong words.

    made = roughen(list(read_samples("corpus/samples.jsonl")), Path("rough"), Roughness(), seed=1)

A model that has only ever been told the right phones believes whatever it is told. Each sample
that trains gets a copy (`share`; above 1 several, each of its own kind). Of the copies `wrong`
have their own sound and the phones of another sample, stretched to its length; the others have
noise, at a ratio drawn from `decibels`, and the phones that the aligner then finds. The noise is
white, pink (as much in every octave) or babble: three other samples at once. Of all copies
`voices` are of a voice that nobody has: played faster or slower by up to a sixth, pitch and
throat with it, and the mouth as well. What is written is all samples and the copies, to train on
in place of the samples; sound and truth that are no different stay where they are.

Sizes and kinds are this project's own.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface import formats
from semanticface.atomic import write_bytes
from semanticface.data.speech_corpus import SAMPLES
from semanticface.data.speech_samples import SpeechSample, write_samples
from semanticface.data.speech_tasks import timeline_of
from semanticface.errors import BadInput
from semanticface.rig import FaceClip, save_npz
from semanticface.speech.align import Aligner
from semanticface.speech.alignments import write_alignment
from semanticface.speech.audio import RATE, Recording, Samples, as_wav
from semanticface.speech.timeline import Timeline

KINDS = ("white", "pink", "babble")
_VOICES = 3
_FASTER = 0.16
"""Of the logarithm of a speed, at most."""
_LOWEST = 50.0
"""Hz below which pink noise does not grow."""


class Roughness(NamedTuple):
    """How many copies, and how bad they are."""

    share: float = 1.0
    """Copies of a sample that trains, on average."""
    wrong: float = 0.25
    """Of the copies: told the words of another sample."""
    voices: float = 0.5
    """Of the copies: played at another speed, as another voice."""
    decibels: tuple[float, float] = (0.0, 25.0)
    """Power of the speech over that of the noise, drawn evenly between these."""

    def check(self) -> None:
        """Refuse what makes no sense."""
        low, high = self.decibels
        shares = 0 <= self.wrong <= 1 and 0 <= self.voices <= 1
        if not (0 < self.share <= 20 and shares and -20 <= low <= high <= 60):
            raise BadInput(f"a share of {self.share}, {self.wrong} of it wrong, {self.voices} at "
                           f"another speed, {low} to {high} dB",
                           "20 copies, shares up to 1, and -20 to 60 dB, rising")  # fmt: skip


class Roughened(NamedTuple):
    """What came of it."""

    copies: int
    wrong: int
    unplaced: int
    """Copies in whose noise the aligner found no word at all: they have no cue."""


def roughen(
    samples: Sequence[SpeechSample], folder: Path, how: Roughness | None = None, *, seed: int = 0,
    watched: Callable[[list[SpeechSample]], Iterable[SpeechSample]] = iter,
) -> Roughened:  # fmt: skip
    """Write copies of those that train, and `samples.jsonl` of all; `watched` shows progress.

    The folder must be another than the samples': nothing of theirs is written over.
    """
    how = how or Roughness()
    how.check()
    if any(Path(each.audio).resolve().is_relative_to(folder.resolve()) for each in samples):
        raise BadInput("the folder of the samples themselves", "another", file=folder)
    trained = [each for each in samples if each.split == "train" and each.alignment is not None]
    if len(trained) < 2:
        raise BadInput(f"{len(trained)} samples that train and have phones", "two at least",
                       hint="Sides stand in the key 'split'.")  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    maker = _Maker(trained, folder.resolve(), how, seed)
    copies = [made for each in watched(trained) for number in range(math.ceil(how.share))
              if (made := maker.copy(each, number)) is not None]  # fmt: skip
    write_samples(folder / SAMPLES, [*(_beside(folder.resolve(), each) for each in samples),
                                     *copies])  # fmt: skip
    return Roughened(len(copies), maker.wrong, sum(each.alignment is None for each in copies))


def noisy(sound: Samples, noise: NDArray[np.float32], decibels: float) -> NDArray[np.float32]:
    """The sound with a noise as far below its power as asked, within full scale."""
    power = float(np.square(sound, dtype=np.float64).mean())
    beside = max(float(np.square(noise, dtype=np.float64).mean()), 1e-20)
    gain = np.sqrt(power / beside / 10 ** (decibels / 10))
    mixed: NDArray[np.float32] = np.clip(sound + gain * noise, -1, 1).astype(np.float32)
    return mixed


def played(sound: Samples, speed: float) -> Samples:
    """The sound at another speed: pitch and formants go with it, as another throat's would."""
    signal = import_module("scipy.signal")
    return np.asarray(signal.resample(sound, round(len(sound) / speed)), np.float32)


def _faster(clip: FaceClip, speed: float) -> FaceClip:
    """A clip on the clock of its sound at another speed."""
    return FaceClip(clip.values, clip.times / speed, clip.present, clip.meta)


def stretched(told: Timeline, seconds: float, source: str) -> Timeline:
    """A timeline made to last as long as another."""
    share = seconds / told.seconds
    sounds = tuple(s._replace(start=s.start * share, end=s.end * share) for s in told.sounds)
    words = tuple(w._replace(start=w.start * share, end=w.end * share) for w in told.words)
    return Timeline(sounds, words, seconds, told.symbols, source)


class _Maker:
    """Copies of one set of samples."""

    def __init__(
        self, trained: list[SpeechSample], folder: Path, how: Roughness, seed: int
    ) -> None:
        self._trained, self._folder, self._how, self._seed = trained, folder, how, seed
        self._aligner = Aligner()
        self.wrong = 0
        """Copies so far that are told the words of another sample."""

    def copy(self, sample: SpeechSample, number: int = 0) -> SpeechSample | None:
        """A sample's copy, the same for the same seed; None for the share that has none."""
        rng = np.random.default_rng([self._seed, *[number] * (number > 0), *sample.id.encode()])
        if rng.random() >= self._how.share - number:
            return None
        more = f"-rough-{number + 1}" if number else ""
        others = self._others(sample, rng)
        sound = Recording(sample.audio).samples()
        stem = self._folder / f"{sample.id}{more}"
        audio, clip = Path(sample.audio), Path(sample.clip)
        stem.parent.mkdir(parents=True, exist_ok=True)
        speed = float(np.exp(rng.uniform(-_FASTER, _FASTER)))
        if rng.random() < self._how.voices:
            sound = played(sound, speed)
            audio, clip = (stem.with_name(f"{stem.name}{end}") for end in (".wav", ".npz"))
            write_bytes(audio, as_wav(sound))
            save_npz(_faster(formats.read(sample.clip), speed), clip)
        else:
            speed = 1.0
        if rng.random() < self._how.wrong:
            self.wrong += 1
            what = "words of another sample"
            cues = stretched(timeline_of(others[0].alignment, 0.0), len(sound) / RATE, what)
        else:
            kind = KINDS[int(rng.integers(len(KINDS)))]
            decibels = float(rng.uniform(*self._how.decibels))
            what, audio = f"{kind} noise at {decibels:.0f} dB", stem.with_name(f"{stem.name}.wav")
            heard = noisy(sound, _noise(kind, len(sound), rng, others), decibels)
            write_bytes(audio, as_wav(heard))
            cues = (
                self._aligner.align([heard], sample.text)
                if sample.text
                else stretched(timeline_of(sample.alignment, 0.0), len(sound) / RATE, "given")
            )
        told = stem.with_name(f"{stem.name}.TextGrid")
        if cues.sounds:
            write_alignment(cues, told)
        return _beside(self._folder, sample.model_copy(update={
            "id": f"{sample.id}{more or '-rough'}", "audio": str(audio), "clip": str(clip),
            "source": f"{sample.source}, {what}, {speed:.2f} times as fast".lstrip(", "),
            "alignment": str(told) if cues.sounds else None,
        }))  # fmt: skip

    def _others(self, sample: SpeechSample, rng: np.random.Generator) -> list[SpeechSample]:
        """A few samples that say something else, or the next best."""
        drawn = [self._trained[i] for i in rng.permutation(len(self._trained))[:8]]
        fitting = [each for each in drawn if each.sentence != sample.sentence]
        return fitting or [each for each in drawn if each is not sample]


def _beside(folder: Path, sample: SpeechSample) -> SpeechSample:
    """A sample with its places as seen from a folder."""
    whole = {"audio": sample.audio, "clip": sample.clip, "alignment": sample.alignment}
    return sample.model_copy(update={
        key: os.path.relpath(place, folder) for key, place in whole.items() if place is not None
    })  # fmt: skip


def _noise(
    kind: str, count: int, rng: np.random.Generator, others: Sequence[SpeechSample]
) -> NDArray[np.float32]:
    if kind == "babble":
        voices = [Recording(each.audio).samples() for each in others[:_VOICES]]
        return np.asarray(sum(np.resize(each, count) for each in voices), np.float32)
    white = rng.standard_normal(count).astype(np.float32)
    if kind == "white":
        return white
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    shaped = np.fft.rfft(white) / np.sqrt(np.maximum(hertz, _LOWEST))
    return np.fft.irfft(shaped, count).astype(np.float32)
