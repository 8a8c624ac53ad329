"""A synthetic corpus of speech with mouths: sentences, free voices, articulation rules.

    build("corpus", sentences(200, seed=1), seed=1)

Each sentence is spoken by some voices, each at its own pace and pitch; the articulation
model of `speech.rules` moves the mouth, in a style and a manner that belong to the speaker and
vary a little from sentence to sentence. Every sample says that it is synthetic. Its mouths
are relatives of the rules': a model trained on them alone learns such speakers, not people.

**Manner.** With `accent` above 0 the articulation is none that the rules know: all speakers
share one departure from the table (`accent` times the sizes in `speech.manners`), each speaker
has another of 0.4 of that, each sentence one of 0.2. The first can be learnt from the corpus,
the second from a speaker's own sentences, the third by nobody.

**Speakers.** A voice is one speaker, or with `speakers` above 1 as many, `flite:slt-0` and so on:
the same voice at a pitch and a pace of each one's own, and above all with mouths of their own. A
voice that is held out is held out with all of them.

**Pauses.** With `pauses` each utterance waits before and after its words, and may between them
(`data.pauses`); else it begins and ends with speech, as flite speaks.

Splits go by sentence and by voice: training sees neither a held-out sentence nor a held-out
voice, and a test sample says which of the two it has not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from semanticface import formats
from semanticface.atomic import write_bytes
from semanticface.data.pauses import Pause, draw_pauses, paused
from semanticface.data.speech_samples import SpeechSample, Unseen, write_samples
from semanticface.data.splits import DEFAULT, Shares
from semanticface.errors import BadInput, SemanticFaceError, did_you_mean
from semanticface.rig import FaceClip, save_npz
from semanticface.speech.align import Aligner
from semanticface.speech.alignments import write_alignment
from semanticface.speech.audio import Recording, as_wav
from semanticface.speech.contours import contours
from semanticface.speech.manners import Manner, differing
from semanticface.speech.rules import Style, animate
from semanticface.speech.timeline import Timeline
from semanticface.speech.voices import VOICES, Voice, installed, say

SAMPLES = "samples.jsonl"
_LEAST_SCORE = -45.0


class Built(NamedTuple):
    """What a corpus came to."""

    samples: int
    seconds: float
    refused: tuple[str, ...]
    """Utterances left out, and why."""
    notes: tuple[str, ...] = ()
    """What a person should know of its sides."""


@cache
def _parts() -> dict[str, Any]:
    text = resources.files("semanticface.speech").joinpath("tables/sentences.yaml")
    held: dict[str, Any] = yaml.safe_load(text.read_text("utf-8"))
    return held


def sentences(count: int, seed: int = 0) -> list[str]:
    """Different sentences from the table's parts."""
    rng = np.random.default_rng(seed)
    found: dict[str, None] = {}
    for _ in range(50 * count):
        if len(found) == count:
            break
        pattern = str(rng.choice(_parts()["patterns"]))
        while "{" in pattern:
            name = pattern[pattern.index("{") + 1 : pattern.index("}")]
            pattern = pattern.replace(f"{{{name}}}", str(rng.choice(_parts()["lists"][name])), 1)
        found[pattern[0].upper() + pattern[1:]] = None
    return list(found)


def style_of(speaker: str, seed: int, sentence: int) -> Style:
    """A speaker's style, log-normal around the table, and a tenth of that again per sentence."""
    own = np.random.default_rng([seed, *speaker.encode()])
    now = np.random.default_rng([seed, sentence, *speaker.encode()])
    gains = np.exp(0.22 * own.standard_normal(4) + 0.07 * now.standard_normal(4))
    jaw, lips, rounding, spread = (float(np.clip(each, 0.55, 1.6)) for each in gains)
    uneven = float(np.clip(0.12 * own.standard_normal(), -0.35, 0.35))
    return Style(jaw, lips, rounding, spread, float(own.uniform(0.6, 1.4)), uneven)


_SHARES = (1.0, 0.4, 0.2)


def manner_of(speaker: str, seed: int, sentence: int, accent: float = 1.0) -> Manner:
    """The corpus' accent, the speaker's own on top, the sentence's on top of both."""
    if accent == 0:
        return Manner()
    seeds = ([seed], [seed, *speaker.encode()], [seed, sentence, *speaker.encode()])
    manner = Manner()
    for key, share in zip(seeds, _SHARES, strict=True):
        manner = differing(manner, [len(key), *key], accent * share)
    return manner


class Utterance(NamedTuple):
    """Who says what, and how."""

    number: int
    """Of its sentence."""
    text: str
    speaker: str
    voice: Voice

    @property
    def stem(self) -> str:
        """Its files, less their endings."""
        return f"{self.speaker.replace(':', '-')}/{self.number:05d}"


def speaker_of(voice: str, seed: int, sentence: int, speakers: int = 1) -> tuple[str, Voice]:
    """Who of a voice's speakers says a sentence, and how. The only one is the voice itself."""
    if speakers == 1:
        return voice, Voice(voice)
    key = [seed, *voice.encode()]
    who = int(np.random.default_rng([*key, sentence]).integers(speakers))
    drawn = np.random.default_rng([*key, who, speakers]).standard_normal(2)
    pace, pitch = np.exp(np.clip(0.1 * drawn, -0.2, 0.2)).tolist()
    return f"{voice}-{who}", Voice(voice, pace, pitch)


def split_of(
    sentence: str, voice: str, held_out: Sequence[str], shares: Shares = DEFAULT
) -> tuple[str, Unseen]:
    """The side of a sample, and of a test sample what training has not seen."""
    side, strange = shares.side(sentence), voice in held_out
    if side == "train" and not strange:
        return "train", ""
    if side == "val" and not strange:
        return "val", ""
    if strange:
        return "test", "voice" if side == "train" else "both"
    return "test", "sentence"


def build(
    folder: Path, texts: Iterable[str], *, seed: int = 0, voices: Sequence[str] | None = None,
    voices_each: int = 2, held_out: Sequence[str] = ("flite:awb",),
    rate: float = 30.0, shares: Shares = DEFAULT, accent: float = 1.0, pauses: bool = False,
    speakers: int = 1,
) -> Built:  # fmt: skip
    """Write WAV, TextGrid and NPZ for each utterance, and `samples.jsonl` last of all."""
    names = list(voices) if voices is not None else installed()
    for name in held_out:
        if name not in VOICES:
            raise BadInput(f"the voice '{name}' to hold out", f"one of {', '.join(VOICES)}",
                           hint=did_you_mean(name, VOICES))  # fmt: skip
    if speakers < 1:
        raise BadInput(f"{speakers} speakers a voice", "1 or more")
    if not names:
        raise SemanticFaceError("no voice is installed. Install one with: apt-get install flite")
    folder.mkdir(parents=True, exist_ok=True)
    aligner = Aligner()
    samples: list[SpeechSample] = []
    refused: list[str] = []
    seconds = 0.0
    for number, text in enumerate(texts):
        rng = np.random.default_rng([seed, number])
        for name in rng.permutation(names)[: min(voices_each, len(names))].tolist():
            speaker, voice = speaker_of(name, seed, number, speakers)
            voice = voice._replace(pace=voice.pace * float(rng.uniform(0.85, 1.25)),
                                   pitch=voice.pitch * float(rng.uniform(0.9, 1.15)))  # fmt: skip
            told = Utterance(number, text, speaker, voice)
            made = _utter(folder, told, aligner, seed, rate, accent, pauses)
            if isinstance(made, str):
                refused.append(f"{told.stem}: {made}")
                continue
            seconds += made
            samples.append(_sample(told, held_out, shares))
    write_samples(folder / SAMPLES, samples)
    return Built(len(samples), seconds, tuple(refused), tuple(_about_sides(samples)))


def films(samples: Iterable[SpeechSample], *, size: int = 256) -> Iterator[Path]:
    """A film beside each clip: the head with its sound, a face to every speaker."""
    from semanticface.render.picture import Renderer
    from semanticface.render.video import film

    for each in samples:
        who = int.from_bytes(sha256(each.subject.encode()).digest()[:4], "big")
        path = Path(each.clip).with_suffix(".mp4")
        film(formats.read(each.clip), path, Renderer(identity=who, size=size), audio=each.audio)
        yield path


def _about_sides(samples: Sequence[SpeechSample]) -> Iterator[str]:
    """Which question the corpus cannot answer."""
    voices = ", ".join(dict.fromkeys(str(each.subject) for each in samples))
    if not any(each.unseen in ("voice", "both") for each in samples):
        yield f"no sample of an unseen voice: none of the voices ({voices}) is held out"
    if not any(each.split == "train" for each in samples):
        yield f"no sample to train on: every voice ({voices}) or sentence is held out"


def _utter(
    folder: Path, told: Utterance, aligner: Aligner, seed: int, rate: float, accent: float,
    pauses: bool,
) -> float | str:  # fmt: skip
    """Seconds of an utterance, or why it was left out."""
    sound = folder / f"{told.stem}.wav"
    sound.parent.mkdir(exist_ok=True)
    timeline = say(told.text, told.voice, sound, aligner)
    if timeline.faults or not timeline.sounds or timeline.score < _LEAST_SCORE:
        sound.unlink(missing_ok=True)
        return timeline.faults[0].line() if timeline.faults else f"score {timeline.score:.0f}"
    put: tuple[Pause, ...] = ()
    if pauses:
        timeline, put = _with_pauses(sound, timeline, [seed, told.number, *told.speaker.encode()])
    write_alignment(timeline, folder / f"{told.stem}.TextGrid")
    mouth = _mouth(timeline, sound, told, seed, rate, accent)
    mouth = mouth.with_meta(notes={**mouth.meta.notes, "pauses": [list(each) for each in put]})
    save_npz(mouth, folder / f"{told.stem}.npz")
    return timeline.seconds


def _with_pauses(
    sound: Path, timeline: Timeline, seed: list[int]
) -> tuple[Timeline, tuple[Pause, ...]]:
    """Pauses in the WAV and in its timeline; seeded by themselves, so that nothing else changes."""
    rng = np.random.default_rng(seed)
    put = draw_pauses(timeline, rng)
    samples, told = paused(Recording(sound).samples(), timeline, put, rng)
    write_bytes(sound, as_wav(samples))
    return told, put


def _mouth(
    timeline: Timeline, sound: Path, told: Utterance, seed: int, rate: float, accent: float
) -> FaceClip:
    who, number = told.speaker, told.number
    style = style_of(who, seed, number)
    clip = animate(timeline, contours(Recording(sound).blocks()), rate=rate, style=style,
                   manner=manner_of(who, seed, number, accent))  # fmt: skip
    return clip.with_meta(
        source=f"synthetic: {who} and articulation rules", subject=who,
        notes={**clip.meta.notes, "synthetic": True, "style": style._asdict(),
               "accent": accent},
    )  # fmt: skip


def _sample(told: Utterance, held_out: Iterable[str], shares: Shares) -> SpeechSample:
    side, unseen = split_of(told.text, told.voice.name, list(held_out), shares)
    stem = told.stem
    return SpeechSample.model_validate({
        "id": stem, "audio": f"{stem}.wav", "clip": f"{stem}.npz",
        "alignment": f"{stem}.TextGrid", "text": told.text, "sentence": f"{told.number:05d}",
        "subject": told.speaker, "split": side, "unseen": unseen, "consent": "synthetic",
        "source": "flite, articulation rules",
    })  # fmt: skip
