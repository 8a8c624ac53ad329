"""What goes over the gateway's wire: requests, answers and errors, with their examples."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from semanticface.language.answer_format import ANSWER_ORDER
from semanticface.rig import CHANNELS, RIG_VERSION
from semanticface.serve.client import Result
from semanticface.serve.doubt import certainty, contradictions

MOST_FACES = 64
EXAMPLE_PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAGUlEQVR4nGNsaGhgIAUwkaR6VMOohiGlAQDJTAGg"
    "LgFHggAAAABJRU5ErkJggg=="
)
"""A grey PNG of 16 x 16 pixels: a request that works, though no face is in it."""
EXAMPLE_SOUND = (
    "T2dnUwACAAAAAAAAAABcwPTdAAAAANtTW0gBE09wdXNIZWFkAQE4AUAfAAAAAABPZ2dTAAAAAAAAAAAAAFzA9N0BAAAA"
    "KSNq/wE2T3B1c1RhZ3MNAAAATGF2ZjYyLjEyLjEwMgEAAAAVAAAAZW5jb2Rlcj1MYXZmNjIuMTIuMTAyT2dnUwAEUIsA"
    "AAAAAABcwPTdAgAAALbovIAlDAkKCgoLCgoLCwwOExIQEg8OERIPERMWDRISDgsNCgoKCgkJBwgMqiWsk6VzeFZd2ggl"
    "HJ4ON18L/AgkoWOWv/hjCzgIIawvU7foVyBpCCHifmFXxOjPoAgiLDH87KemsrHQCCSdpRBDbj7Uhwgh953cMzWvUf8I"
    "IQRbIY3ugt/BaAgfCohz96CS8K7ACIBffl1Wuwy0QxHACIKJDn8XPSud+u8TJXQIu/8EWcf199aXi+DbvBxbyGfACLxV"
    "MWpSaqjGKPiHLu7HOBpkCLxSjlSHo5JiNNPPozRTgAi8bBrEErfREE5UZjx7ilQLdAi8UOqQY2DIhFgHLG3/QAi8UTep"
    "B6NeihcQfgegCLxRM8B16xnR5SDBaWpy+0AIvFV3fUR6902k7CJy6fx2kXgIvHIwk3zPqIiS14+J6uQIu+4BoTKDxWfn"
    "rO4mBvjCgAi5TRU/GoeVfrOx4RANPz/l9v4IsV1JBw6Kzbx6xhyWWaj48wlTLDGACKetFkewIu04jr/NWAik28ZoqBzj"
    "NTtadPt1SGwBxAihyiKCh0uytjQ8mx8+Tc1QwAiEzXyf+PIRGtZdH7hQCI+Nzt7rigZ+rPgIOnvS+X0RnbULH2AgCAXB"
    "U35mgR4hcAgyeBIagn4xVugIKTZH9ueq8O0wCCFx7eV9g0yhdgge0ph5C60DFAgbrfSVP99XtAgCI6Akh0A="
)
"""Ogg Opus of 0.7 s, a synthesised voice: a request that works."""
EXAMPLE_WORDS = "Bob."
MOST_WORDS = 4000
"""Characters of a transcript or script."""
Fps = Annotated[float, Field(ge=1, le=120, description="Frames a second of the answer.")]
Base64 = Annotated[
    str,
    Field(
        min_length=1,
        json_schema_extra={"contentEncoding": "base64"},
        description="A PNG, JPEG or WebP file in base64, or as a data URL.",
        examples=[EXAMPLE_PICTURE],
    ),
]


class Strict(BaseModel):
    """Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid")


class FaceRequest(Strict):
    """One picture."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"image": EXAMPLE_PICTURE}]})
    image: Base64


class SpeechRequest(Strict):
    """A recording of speech, and what is said in it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"audio": EXAMPLE_SOUND, "transcript": EXAMPLE_WORDS}]}
    )
    audio: Annotated[str, Field(min_length=1, json_schema_extra={"contentEncoding": "base64"},
                                description="A WAV, FLAC, Ogg or MP3 file in base64.")]  # fmt: skip
    transcript: Annotated[str | None, Field(min_length=1, max_length=MOST_WORDS)] = None
    """In English; without it the phones are heard, which is less exact."""
    fps: Fps = 30.0


class ScriptRequest(Strict):
    """A text that is to be spoken."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"script": EXAMPLE_WORDS}]})
    script: Annotated[str, Field(min_length=1, max_length=MOST_WORDS, pattern=r"^[^\x00-\x08]*$")]
    fps: Fps = 30.0


class FacesRequest(Strict):
    """Some pictures, answered in their order."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"images": [EXAMPLE_PICTURE]}]})
    images: Annotated[list[Base64], Field(min_length=1, max_length=MOST_FACES)]


class Meta(BaseModel):
    """How the answer came about."""

    rig: str = RIG_VERSION
    model: str
    outcome: str
    """strict, tolerant or repaired: how the model's text could be read."""
    missing: list[str]
    """Coefficients that the answer gave no number for; they are null."""
    out_of_range: list[str]
    notes: list[str]
    confidence: dict[str, float | None] | None = None
    """With the one-pass read-out: the belief within 0.05 of the value, by coefficient."""
    certainty: float | None = None
    """The mean of these; low where no face is to be seen, for most such pictures."""
    contradictions: int
    """Opposite muscles that are on together: a model that guesses."""
    crop: dict[str, Any] | None = None
    """Where the gateway cuts pictures: `box` (left, top and side in pixels, or `all`), by whom, and
    how sure a face was (`score`)."""
    seconds: float
    prompt_tokens: int
    answer_tokens: int


class Face(BaseModel):
    """Words and numbers of one face."""

    analysis: dict[str, str] | None
    arkit: dict[str, float | None]
    meta: Meta


class SpokenWord(BaseModel):
    """A word and its seconds."""

    text: str
    start: float
    end: float


class SpokenMeta(BaseModel):
    """How a mouth came about."""

    rig: str = RIG_VERSION
    model: str = "rules"
    fps: float
    seconds: float
    words: list[SpokenWord]
    """Empty where nobody said what is spoken."""
    notes: list[str]


class Spoken(BaseModel):
    """The mouth of a stretch of speech, frame by frame."""

    analysis: dict[str, str] | None = None
    times: list[float]
    arkit: dict[str, list[float] | None]
    """By coefficient one number a time; null for what speech does not tell."""
    meta: SpokenMeta


class Fault(BaseModel):
    """What was wrong."""

    code: int
    message: str


class ErrorReply(BaseModel):
    """Any reply that is no face."""

    error: Fault


class FaceOrFault(BaseModel):
    """One entry of a batch: either a face or why there is none."""

    face: Face | None = None
    error: Fault | None = None


class FacesReply(BaseModel):
    """A batch's answers in the order of its pictures."""

    faces: list[FaceOrFault]


def face_of(result: Result, model: str, crop: dict[str, Any] | None = None) -> Face:
    """A client's result as the gateway tells it: named numbers, null where there is none."""
    report, sure = result.report, certainty(result.confidence)
    return Face(
        analysis=result.description.as_analysis() if result.description is not None else None,
        arkit=named(result.values),
        meta=Meta(
            model=model, outcome=report.outcome, missing=list(report.missing),
            out_of_range=list(report.out_of_range), notes=list(report.notes),
            confidence=None if result.confidence is None else named(result.confidence),
            certainty=None if sure is None else round(sure, 4),
            contradictions=contradictions(result.values), crop=crop or None,
            seconds=round(result.seconds, 4), prompt_tokens=result.asked,
            answer_tokens=result.written,
        ),
    )  # fmt: skip


def named(values: NDArray[np.float32]) -> dict[str, float | None]:
    """By Live Link label in its order, to four decimals; null for NaN."""
    return {
        CHANNELS[i].label: None if math.isnan(values[i]) else round(float(values[i]), 4)
        for i in ANSWER_ORDER
    }


def series(values: NDArray[np.float32]) -> dict[str, list[float] | None]:
    """[T, 61] by Live Link label; null for a column without numbers."""
    return {
        CHANNELS[i].label: None if np.isnan(values[:, i]).any()
        else [round(float(each), 4) for each in values[:, i]]
        for i in ANSWER_ORDER
    }  # fmt: skip


def fault(code: int, message: str) -> dict[str, Any]:
    """An error's body."""
    return ErrorReply(error=Fault(code=code, message=message)).model_dump()
