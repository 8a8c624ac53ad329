"""A real voice, a synthetic one, and what they say."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from semanticface.speech.align import Aligner
from semanticface.speech.timeline import Timeline
from semanticface.speech.voices import Voice, say

LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")
PANGRAM = "Bob put five pumpkins from the farm above the blue wooden shop."
HINT = "missing; `make test` installs it, or: bash scripts/apt.sh flite pocketsphinx-testdata"


class Reading(NamedTuple):
    """One LibriVox sentence."""

    path: Path
    text: str


@pytest.fixture(scope="session")
def readings() -> list[Reading]:
    """The five sentences of Sense and Sensibility; a missing package is a failure."""
    assert LIBRIVOX.is_dir(), f"pocketsphinx-testdata is {HINT}"
    found = []
    for line in (LIBRIVOX / "transcription").read_text().splitlines():
        text, _, key = line.rpartition("(")
        words = text.replace("<s>", "").replace("</s>", "").strip()
        found.append(Reading(LIBRIVOX / f"{key.strip()[:-1]}.wav", words))
    return found


@pytest.fixture(scope="session")
def aligner() -> Aligner:
    return Aligner()


class Utterance(NamedTuple):
    path: Path
    text: str
    truth: Timeline
    """flite's own phones, exact."""


@pytest.fixture(scope="session")
def utterance(tmp_path_factory) -> Utterance:
    assert shutil.which("flite"), f"flite is {HINT}"
    path = tmp_path_factory.mktemp("voice") / "bob.wav"
    return Utterance(path, PANGRAM, say(PANGRAM, Voice("flite:slt"), path))


def write_wav(path: Path, samples: np.ndarray, rate: int = 16_000, channels: int = 1) -> Path:
    """16-bit WAV of samples -1 to 1, [n] or [n, channels]."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path
