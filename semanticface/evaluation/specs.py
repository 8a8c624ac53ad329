"""Sources as they stand in a suite's YAML: one model a kind, unknown keys refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from semanticface.evaluation.items import Item, Prediction
from semanticface.rig import INDEX

Progress = Callable[[int, int], None]
"""Called with how many pictures are done and how many there are; 0 if nobody knows."""

On = Literal["movie", "frames", "renders"]
Share = Annotated[float, Field(ge=0, le=1)]


class Source(Protocol):
    """Anything that predicts a take's coefficients."""

    @property
    def name(self) -> str:
        """What the result calls it."""

    @property
    def kind(self) -> str:
        """`file`, `mediapipe`, `endpoint`, `run`, `degraded`."""

    def fingerprint(self, item: Item) -> str:
        """SHA-256 over everything that determines the prediction; no name and no key in it."""

    def predict(
        self, item: Item, progress: Progress | None = None, *, work: Path | None = None
    ) -> list[Prediction]:
        """One prediction; one for each identity of a source that was shown several.

        `work`: a folder where a source that is costly to ask may keep what it has got, so
        that an interrupted prediction goes on where it was.
        """


class Spec(BaseModel):
    """What all sources have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=80)

    def settings(self, *without: str) -> dict[str, Any]:
        """The keys that determine a prediction, for its fingerprint."""
        return self.model_dump(mode="json", exclude={"name", *without})


class FileSpec(Spec):
    """A file of coefficients for each take, in any format this package reads."""

    kind: Literal["file"] = "file"
    path: str
    """A file or take folder; `{take}` and `{subject}` stand for the item's. A suffix may be
    left out where one file fits."""
    format: str | None = None
    """Key of the format; recognised from the file unless given."""
    options: dict[str, Any] = Field(default_factory=dict)
    """For the format's reader: `rate`, `exchange_mouth`, `which` and so on."""


class PictureSpec(Spec):
    """What a source that looks at pictures is shown."""

    on: On = "renders"
    """`movie`: of the take. `frames`: picture files. `renders`: the reference, drawn."""
    frames: str | None = None
    """With `on: frames`: a folder, or a pattern such as `stills/{take}/*.png`, sorted by name
    with numbers by their size. They are taken to be the movie's, mirrored if it is."""
    rate: float | None = Field(None, gt=0)
    """Picture files a second. Without it there must be one file for each reference frame."""
    every: int = Field(1, ge=1)
    """Show every k-th frame only."""
    identities: tuple[int, ...] = (0,)
    """With `on: renders`: faces on which the reference is drawn, a prediction each."""
    look: Literal["realistic", "clay", "toon"] = "realistic"
    view: str = "front"
    size: int = Field(256, ge=16, le=4096)
    """Pixels a side of a render."""
    longest: int | None = Field(None, ge=16)
    """Pictures of a movie or of files are made smaller until their longer side is this."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, raw: Any) -> Any:
        """YAML 1.1 reads a bare `on` as true, so that is what this key arrives as."""
        if isinstance(raw, dict) and True in raw and "on" not in raw:
            return {"on" if key is True else key: value for key, value in raw.items()}
        return raw

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.on == "frames") != (self.frames is not None):
            raise ValueError("'frames' names the picture files of 'on: frames', and only those")
        if not self.identities or len(set(self.identities)) != len(self.identities):
            raise ValueError("'identities' lists at least one face, none of them twice")
        if min(self.identities) < 0:
            raise ValueError("an identity is a seed: 0, 1, 2 and so on")
        return self


class TrackerSpec(PictureSpec):
    """MediaPipe's Face Landmarker, each picture on its own (no smoothing over time)."""

    kind: Literal["mediapipe"] = "mediapipe"
    environment: Path = Path(".tracker")
    """The folder that scripts/install_tracker.sh made."""
    patience: float = Field(120.0, gt=0)
    """Seconds without an answer after which the tracker is taken for stuck and ended."""


class RunSpec(PictureSpec):
    """A model that was trained here, by its run's folder."""

    kind: Literal["run"] = "run"
    path: str
    base: str | None = None
    """Where the run's base model lies now, if it was moved."""
    max_tokens: int = Field(2048, ge=1)
    batch: int = Field(8, ge=1)
    """Pictures answered side by side; changes nothing but the speed."""


class EndpointSpec(PictureSpec):
    """A model behind an OpenAI-compatible chat endpoint, one request a picture."""

    kind: Literal["endpoint"] = "endpoint"
    url: str
    """Up to and with `/v1`."""
    model: str
    api_key_env: str | None = None
    """Name of the environment variable with the key. The key itself is never written."""
    prompt: str = "image/semanticface"
    answer_format: str = "two-key"
    max_tokens: int = Field(2048, ge=1)
    temperature: float = Field(0.0, ge=0)
    structured: bool = False
    """Ask for the answer format's JSON schema by `response_format`."""
    exchange_mouth: bool = False
    """The model's MouthLeft and MouthRight are exchanged, as in a Live Link Face CSV."""
    encoding: Literal["png", "jpeg"] = "png"
    concurrency: int = Field(8, ge=1, le=256)
    timeout: float = Field(120.0, gt=0)
    """Seconds for one request, from its first byte to the answer's last."""
    deadline: float = Field(600.0, gt=0)
    """Seconds for one picture with all repeats."""
    retries: int = Field(5, ge=0)
    pause: float = Field(0.5, ge=0)
    """Seconds before the first repeat; doubled for each next one, more or less by chance."""

    @field_validator("url")
    @classmethod
    def _plain(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address such as http://127.0.0.1:8000/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("an address without user, key or query; the key goes to api_key_env")
        return url.rstrip("/")


class DegradedSpec(Spec):
    """The reference with faults planted, to see whether an evaluation finds them."""

    kind: Literal["degraded"] = "degraded"
    noise: float = Field(0.0, ge=0)
    """Standard deviation of Gaussian noise on every blendshape; nothing is cut to 0..1."""
    lag: float = 0.0
    """Seconds by which every frame is late."""
    exchange_mouth: bool = False
    mirrored: bool = False
    dead: tuple[str, ...] = ()
    """Channels that stand at zero."""
    muted: float | None = Field(None, ge=0)
    """Factor on every blendshape."""
    frozen: Share = 0.0
    """Share of the frames that repeat the frame before them."""
    missing: Share = 0.0
    """Share of the frames without any value."""
    percent: bool = False
    """Blendshapes from 0 to 100."""
    degrees: bool = False
    """Rotations in degrees."""
    seed: int = Field(0, ge=0)

    @field_validator("dead")
    @classmethod
    def _known(cls, dead: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in dead if name not in INDEX]:
            raise ValueError(f"no channel called {', '.join(unknown)}")
        return dead


SourceSpec = Annotated[
    FileSpec | TrackerSpec | EndpointSpec | RunSpec | DegradedSpec, Field(discriminator="kind")
]
"""Any source, told apart by `kind`."""
