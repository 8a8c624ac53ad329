"""What a run needs and was not given: synthetic faces and the small model, made once."""

from __future__ import annotations

import json
import math
from hashlib import sha256
from importlib import resources
from pathlib import Path

from semanticface.data import synth
from semanticface.data.plan import Plan
from semanticface.data.shards import MANIFEST
from semanticface.data.speech_corpus import SAMPLES, build, sentences
from semanticface.data.speech_tasks import SpeechTask
from semanticface.errors import BadInput
from semanticface.train.options import DataOptions

SMALL, SMALL_SPEECH = "nano", "nano_speech"
SMALL_RUN = "small"
"""How a command is told to take the trained one that comes along."""
SPEAKERS = 12
"""Of each voice, in the speech that is made: with one, its mouth is taken for everybody's."""
SMALL_SPEECH_RUN = "small-speech"
"""The same where a run of pictures would do as well: the one of speech is meant."""
_TOKENS = 2
"""Of the small audio model's vocabulary, so that one made with another is made anew."""


def data_place(options: DataOptions) -> Path:
    """The data set asked for, or a folder of synthetic faces, made on first use."""
    if options.data:
        return Path(options.data).expanduser()
    if options.speech is not None:
        return _corpus(options)
    plan = Plan(frames=options.synth_frames, identities=options.synth_identities,
                size=options.synth_size, seed=options.synth_seed)  # fmt: skip
    origin = synth.origin()
    key = sha256(json.dumps([plan.as_json(), origin], sort_keys=True).encode()).hexdigest()[:12]
    folder = Path(options.cache).expanduser() / f"faces-{key}"
    if not (folder / MANIFEST).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        synth.make(plan, folder, workers=_workers(plan))
    return folder


def _corpus(options: DataOptions) -> Path:
    """A folder of synthetic speech, made on first use by free voices."""
    told = f"speech-{options.synth_sentences}-{options.synth_seed}-{SPEAKERS}"
    folder = Path(options.cache).expanduser() / told
    if not (folder / SAMPLES).is_file():
        texts = sentences(options.synth_sentences, options.synth_seed)
        build(folder, texts, seed=options.synth_seed, speakers=SPEAKERS)
    return folder


def _workers(plan: Plan) -> int:
    """Processes worth starting: none for a small set, else as many as there are cores."""
    import os

    return min(os.cpu_count() or 1, max(1, plan.frames // 5000))


def model_place(model: str, cache: str, speech: SpeechTask | None = None) -> str:
    """The model asked for, or the small one with random weights, built on first use.

    A folder is told from the root: a run's adapter looks for it there from wherever it is used.
    """
    if model:
        place = Path(model).expanduser()
        return str(place.resolve()) if place.is_dir() else model
    if speech is not None:
        return _small_audio(cache, speech)
    from semanticface.train import nano

    folder = Path(cache).expanduser().resolve() / f"{SMALL}-random"
    if not (folder / "preprocessor_config.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        nano.build(folder)
    return str(folder)


def _small_audio(cache: str, speech: SpeechTask) -> str:
    """The small model that hears a window and its margins, in whole seconds."""
    from semanticface.train import nano_audio

    seconds = math.ceil(speech.cut.frames / speech.rate + 2 * speech.margin - 1e-9)
    folder = Path(cache).expanduser().resolve() / f"nano-audio-{seconds}-random-{_TOKENS}"
    if not (folder / "config.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        nano_audio.build(folder, seconds=seconds)
    return str(folder)


def run_folder(place: str) -> Path:
    """A run's folder as a command is told it; nothing, `small` and `small-speech` are packaged."""
    if place in ("", SMALL_RUN, SMALL_SPEECH_RUN):
        return small_run(speech=place == SMALL_SPEECH_RUN)
    return Path(place).expanduser()


def small_run(speech: bool = False) -> Path:
    """The trained small model that comes with the package: of pictures, or of speech."""
    name = SMALL_SPEECH if speech else SMALL
    place = Path(str(resources.files("semanticface"))) / "train" / "assets" / name
    if not (place / "manifest.json").is_file():
        raise BadInput(
            "no trained small model in this package",
            "a run's folder",
            hint="Train one: accelerate launch recipes/sft.py. Then --run FOLDER.",
        )
    return place
