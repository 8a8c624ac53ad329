"""What an evaluation found, as one JSON file.

Every figure stands with n, its interval and how that was made. The schema is written
to `eval/result.schema.json` and changes with `SCHEMA`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from semanticface.atomic import whole_file
from semanticface.errors import BadInput
from semanticface.metrics.interval import Interval

SCHEMA = "semanticface-evaluation/1"

Action = Literal["converted", "refused", "overridden", "noted"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="null")


class Finding(_Part):
    """A difference in convention or a fault that was found while pairing two clips."""

    kind: str
    """`units`, `calibration`, `subject`, `clock`, `mouth pair`, `mirrored`, `head`, `added`, `lag`,
    `dead channel`, `muted`, `exaggerated`, `jitter`, `too smooth`, `frozen`, `sparse`,
    `lacking channels`, `coverage`, `unlike`, `validity`, `no prediction`."""
    action: Action
    """`converted`: put right before scoring. `refused`: not scored. `overridden`: would have
    been refused or converted, but a switch said otherwise. `noted`: scored as it is."""
    text: str
    """What was found, in a sentence."""
    flag: str = ""
    """The switch that changes the action."""
    channels: tuple[str, ...] = ()


class Figure(_Part):
    """One number, how sure it is, and what it rests on. None is undefined, never zero."""

    value: float | None
    low: float | None = None
    high: float | None = None
    clusters: int = 0
    """Takes or subjects; the interval is over these, never over frames."""
    n: float | None = None
    """Frames, events or channels the number was computed from."""
    method: str = ""
    caution: str = ""

    @classmethod
    def of(cls, found: Interval, n: float | None = None) -> Figure:
        """A scalar interval as a figure."""
        value, low, high = (_number(x) for x in (found.estimate, found.low, found.high))
        return cls(
            value=value, low=low, high=high, clusters=found.clusters, n=n, method=found.method,
            caution=found.caution,
        )  # fmt: skip


class Hashed(_Part):
    """An input file or prediction, so that a figure can be traced to its bytes."""

    path: str
    sha256: str
    frames: int
    rate: float | None
    subject: str | None
    take: str
    calibrated: bool | None
    conventions: tuple[str, ...]


class Pairing(_Part):
    """One source on one take: how it was brought to the reference's frames."""

    take: str
    cluster: str
    scored: bool
    frames: int = 0
    """Frames scored, on the common grid."""
    lag: float | None = None
    """Seconds the source is late; None where nothing tells it clearly."""
    lag_correlation: float | None = None
    coverage: float | None = None
    """Share of the reference's values for which the source has one."""
    findings: tuple[Finding, ...] = ()
    input: Hashed | None = None
    cached: bool = False


class Visemes(_Part):
    """What sounds came out nearest to: `counts` of what was said (rows) by what is seen."""

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class SourceResult(_Part):
    """Everything known of one source."""

    name: str
    kind: str
    baseline: bool = False
    pairings: tuple[Pairing, ...] = ()
    headline: dict[str, Figure] = Field(default_factory=dict)
    """By metric name of the catalogue; the mean over channels where it is one of channels."""
    at_best_lag: dict[str, Figure] = Field(default_factory=dict)
    regions: dict[str, dict[str, Figure]] = Field(default_factory=dict)
    """Region or half -> metric -> figure."""
    channels: dict[str, dict[str, Figure]] = Field(default_factory=dict)
    """Channel -> metric -> figure."""
    by_cluster: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    """Take or subject -> metric -> value."""
    answers: dict[str, Figure] = Field(default_factory=dict)
    """Parse outcomes, consistency and mentions of a source that answers in text."""
    visemes: Visemes | None = None
    """Of a mouth whose takes have an alignment."""
    notes: tuple[str, ...] = ()


class ChannelDifference(_Part):
    """One channel in a comparison, corrected for looking at many channels."""

    difference: float | None
    p: float | None
    p_holm: float | None


class Comparison(_Part):
    """`one` against `other` by one metric, on the same takes and frames."""

    one: str
    other: str
    metric: str
    better: str
    difference: Figure
    """one - other."""
    p: float | None = None
    """Sign-flip test over takes; `p_least` is the smallest it could be with so many."""
    p_least: float | None = None
    margin: float | None = None
    equivalent: bool | None = None
    """Whether the 90 % interval lies within the margin; None without a margin or spread."""
    takes_needed: int | None = None
    """Takes that would show a difference of this size in 80 % of such studies."""
    channels: dict[str, ChannelDifference] = Field(default_factory=dict)
    verdict: str = ""
    """The comparison in a sentence."""


class Evaluation(_Part):
    """A whole evaluation."""

    schema_version: Literal["semanticface-evaluation/1"] = SCHEMA  # type: ignore[assignment]
    name: str
    created: str
    command: str
    about: str = ""
    truth: str
    """What the sources were compared with, in words; a reference device is not truth."""
    clustered_by: str
    settings: dict[str, Any]
    """Resamples, level, seed, thresholds, switches: everything that changes a figure."""
    versions: dict[str, str]
    active: tuple[str, ...]
    """Channels over which correlations are averaged."""
    takes: tuple[Hashed, ...]
    sources: tuple[SourceResult, ...]
    comparisons: tuple[Comparison, ...] = ()
    reference: dict[str, Figure] = Field(default_factory=dict)
    """How the reference itself moves: jitter, high share and so on."""

    def source(self, name: str) -> SourceResult:
        """The source of that name."""
        for each in self.sources:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.sources)
        raise BadInput(f"no source '{name}'", f"one of {known}")

    def save(self, path: Path) -> None:
        """Write the JSON, whole or not at all."""
        with whole_file(path) as temporary:
            temporary.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Evaluation:
        """Read one back; anything that does not fit the schema is named."""
        from pydantic import ValidationError

        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise BadInput(
                f"{first['msg']} at {where or 'the top'}", f"a result of {SCHEMA}", file=path
            ) from error


def _number(value: Any) -> float | None:
    number = float(value)
    return number if number == number and abs(number) != float("inf") else None
