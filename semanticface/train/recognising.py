"""A transformers model of speech recognition (Whisper, wav2vec 2.0 ...) as a recogniser."""

from __future__ import annotations

from pathlib import Path

from semanticface.errors import BadInput, need
from semanticface.speech.audio import RATE, Samples
from semanticface.speech.transcribe import Recogniser


def recogniser(folder: Path) -> Recogniser:
    """The model in a folder, on the processor; nothing is downloaded."""
    library = need("transformers", "train", "Transcribing speech with a transformers model")
    try:
        made = library.pipeline("automatic-speech-recognition", model=str(folder), device="cpu")
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise BadInput(f"a model that cannot be read ({str(fault).splitlines()[0][:200]})",
                       "a transformers model of speech recognition with its tokenizer",
                       file=folder) from fault  # fmt: skip

    def recognise(part: Samples) -> str:
        return str(made({"raw": part, "sampling_rate": RATE})["text"])

    return recognise


def is_model(folder: Path) -> bool:
    """Whether a folder looks like one of transformers'."""
    return (folder / "config.json").is_file() and not (folder / "model.bin").is_file()
