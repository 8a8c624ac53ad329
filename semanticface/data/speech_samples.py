"""One recording of speech with its mouth: sound, coefficients and alignment by place.

In a file a sample is one line of JSON; places are relative to the file.

    {"id": "slt/0001", "audio": "slt/0001.wav", "clip": "slt/0001.npz",
     "alignment": "slt/0001.TextGrid", "text": "Bob put ...", "sentence": "0001",
     "subject": "flite:slt", "consent": "synthetic", "source": "flite, articulation rules"}
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from semanticface.data.records import Consent
from semanticface.errors import BadInput, did_you_mean
from semanticface.formats import json_lines

PathLike = str | os.PathLike[str]
Unseen = Literal["", "sentence", "voice", "both"]


class SpeechSample(BaseModel):
    """One recording and what is known about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    audio: str = Field(min_length=1)
    clip: str = Field(min_length=1)
    """The coefficients: any clip file, on the audio's clock."""
    alignment: str | None = None
    text: str = ""
    sentence: str = ""
    """The same for the same words, whoever says them: splits go by it."""
    subject: str = Field(min_length=1)
    """Who speaks: a person, or a voice such as flite:slt."""
    split: Literal["train", "val", "test"] | None = None
    unseen: Unseen = ""
    """Of a test sample: what training has not seen."""
    licence: str | None = None
    consent: Consent = "unknown"
    source: str = ""

    def under(self, folder: Path) -> SpeechSample:
        """The same with its places below a folder."""
        places = {"audio": self.audio, "clip": self.clip, "alignment": self.alignment}
        full = {key: str(folder / place) for key, place in places.items() if place is not None}
        return self.model_copy(update=full)


def read_samples(path: PathLike) -> Iterator[SpeechSample]:
    """Samples of a JSON lines file, one at a time, places made whole."""
    folder = Path(path).resolve().parent
    for row, held in json_lines.objects(path):
        try:
            yield SpeechSample.model_validate(held).under(folder)
        except ValidationError as fault:
            first = fault.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            hint = did_you_mean(place, SpeechSample.model_fields)
            raise BadInput(f"the key '{place}': {first['msg']}", "a sample of speech",
                           file=path, row=row, hint=hint) from None  # fmt: skip


def write_samples(path: PathLike, samples: Iterable[SpeechSample]) -> int:
    """Write samples, whole or not at all; what says nothing is left out."""
    return json_lines.write_lines(
        path, (each.model_dump(exclude_defaults=True) for each in samples)
    )
