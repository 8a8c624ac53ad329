"""Synthetic voices that tell when they say what: flite, a free program (Debian: flite).

flite prints the end of every phone, so phone times are exact. The program is run as it is;
nothing of it is inside this package.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from semanticface.errors import BadInput, SemanticFaceError, did_you_mean
from semanticface.speech.align import Aligner, cut_short
from semanticface.speech.audio import Recording
from semanticface.speech.lexicon import flite_symbol
from semanticface.speech.phones import is_silence
from semanticface.speech.stress import filled
from semanticface.speech.timeline import Sound, Timeline, Word

VOICES = ("flite:slt", "flite:rms", "flite:awb", "flite:kal16")
_PITCH = {"slt": 170.0, "kal16": 105.0}
_USUAL_PITCH = 115.0
_SECONDS = 60


class Voice(NamedTuple):
    """Who speaks, how fast and how high."""

    name: str
    """`flite:slt` and so on; see `VOICES`."""
    pace: float = 1.0
    """1 as the voice is made, 1.2 a fifth faster."""
    pitch: float = 1.0

    @property
    def key(self) -> str:
        """Its name within its program."""
        return self.name.removeprefix("flite:")


def installed() -> list[str]:
    """Voices that can speak here."""
    return list(VOICES) if shutil.which("flite") else []


def say(text: str, voice: Voice, path: Path, aligner: Aligner | None = None) -> Timeline:
    """Write a WAV of the text and return its phones, and with an aligner its words."""
    if voice.name not in VOICES:
        raise BadInput(f"the voice '{voice.name}'", f"one of {', '.join(VOICES)}",
                       hint=did_you_mean(voice.name, VOICES))  # fmt: skip
    pitch = _PITCH.get(voice.key, _USUAL_PITCH) * voice.pitch
    told = _run(["flite", "-voice", voice.key, "--setf", f"duration_stretch={1 / voice.pace:.4f}",
                 "--setf", f"int_f0_target_mean={pitch:.1f}", "-psdur", "-t", text,
                 "-o", str(path)])  # fmt: skip
    timeline = timeline_of(told, voice.name)
    return timeline if aligner is None else _with_words(timeline, text, path, aligner)


def timeline_of(told: str, source: str) -> Timeline:
    """What `flite -psdur` prints, `pau:0.220 b:0.294 ...`, each phone with its end."""
    sounds: list[Sound] = []
    now = 0.0
    for name, _, end in (part.partition(":") for part in told.split()):
        if not is_silence(name):
            sounds.append(Sound(flite_symbol(name), now, float(end)))
        now = float(end)
    return Timeline(tuple(sounds), (), now, "arpabet", source)


def _with_words(timeline: Timeline, text: str, path: Path, aligner: Aligner) -> Timeline:
    """Words by alignment, moved to the nearest ends of flite's own phones."""
    found = aligner.align(Recording(path).blocks(), text)
    marks = sorted({x for each in timeline.sounds for x in (each.start, each.end)})
    words: list[Word] = []
    for each in found.words:
        start, end = (min(marks, key=lambda mark, at=at: abs(mark - at))  # type: ignore[misc]
                      for at in (each.start, each.end))  # fmt: skip
        start = max(start, words[-1].end if words else 0.0)
        # A short word whose two ends are nearest to one mark has one sound at least.
        later = [mark for mark in marks if mark > start and mark >= end]
        if later:
            words.append(Word(each.text, start, later[0], each.score))
    sounds = tuple(each._replace(word=_owner(words, each)) for each in timeline.sounds)
    lost = tuple(fault for fault in found.faults if "not found" in fault.why)
    if cut_short(found):
        lost = found.faults
    return filled(Timeline(sounds, tuple(words), timeline.seconds, "arpabet", timeline.source,
                           found.score, lost))  # fmt: skip


def _owner(words: list[Word], each: Sound) -> int | None:
    middle = (each.start + each.end) / 2
    return next((i for i, word in enumerate(words) if word.start <= middle <= word.end), None)


def _run(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        raise SemanticFaceError("the program 'flite' is not installed. Install it with: "
                                "apt-get install flite")  # fmt: skip
    told = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_SECONDS)
    if told.returncode:
        why = re.sub(r"\s+", " ", told.stderr).strip()[:200]
        raise BadInput(f"flite stopped with {told.returncode} ({why})", "a text it can speak")
    return told.stdout
