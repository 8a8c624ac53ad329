"""A suite: which takes, which sources, which comparisons. One YAML file.

    name: livelink
    takes: [{path: "{data}/*.csv"}]
    sources:
      - {name: ours, kind: file, path: "{pred}/{take}.npz"}
    baselines: [zero, mean, previous]

`{data}`, `{pred}` and other names are filled in from the command line; `{take}` and
`{subject}` are those of each take. Paths are relative to where the command is run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from semanticface.errors import BadInput, did_you_mean
from semanticface.evaluation.comparisons import COMPARED
from semanticface.evaluation.items import Item
from semanticface.evaluation.pairing import Switches
from semanticface.evaluation.specs import SourceSpec
from semanticface.formats.yaml_file import load_yaml
from semanticface.rig import FaceClip

Baseline = Literal["zero", "mean", "previous"]
_NAME = re.compile(r"\{(\w+)\}")
_OF_A_TAKE = frozenset({"take", "subject"})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TakeSpec(_Part):
    """Takes to evaluate on: a file, a take folder, or a pattern of several."""

    path: str
    subject: str | None = None
    """Whose face; without it the file's own, if it says."""
    format: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    """For the format's reader: `which`, `rate`, `exchange_mouth` and so on."""
    movie: str | None = None
    """`{take}` stands for the take's name."""
    mirrored_movie: bool = False
    segments: str | None = None
    """Where named peak expressions are: a YAML, JSON, CSV or TextGrid for each take."""
    alignment: str | None = None
    """Words and phones of what each take says, from its first frame: the mouth is judged by them.
    A take without such a file is not."""
    sound: str | None = None
    """The recording of it: the jaw is held beside its loudness."""


class RehearsalSpec(_Part):
    """Takes made by the sampler: known truth without any recording."""

    count: int = Field(3, ge=1, le=1000)
    seconds: float = Field(20.0, gt=0, le=3600)
    rate: float = Field(30.0, gt=0, le=240)
    seed: int = 0


class ComparisonSpec(_Part):
    """Two sources, or a source and a baseline, by one headline metric."""

    one: str
    other: str
    metric: str = "mae"
    margin: float | None = Field(None, gt=0)


class Suite(_Part):
    """What to compare with what, and how."""

    name: str = Field(min_length=1)
    about: str = ""
    truth: str = "Live Link Face, a reference device and not truth"
    takes: tuple[TakeSpec, ...] = ()
    rehearsals: RehearsalSpec | None = None
    label_free: bool = False
    """No reference at all: only what can be judged without one."""
    sources: tuple[SourceSpec, ...] = Field(min_length=1)
    baselines: tuple[Baseline, ...] = ("zero", "mean", "previous")
    training_mean: str | None = None
    """Clips whose mean is the guess of `mean`; without it the mean of the other takes."""
    comparisons: tuple[ComparisonSpec, ...] | None = None
    """By default every source with each other and with the guesses, by MAE."""
    by: Literal["take", "subject"] = "take"
    resamples: int = Field(1000, ge=100)
    level: float = Field(0.95, gt=0.5, lt=1)
    seed: int = 0
    geometry: bool = False
    """Vertex metrics on the package's head: slower."""
    peaks: str | None = None
    """A YAML of expected activations instead of the package's own."""
    switches: Switches = Switches()
    chosen_channels: tuple[str, ...] = ()
    """Channels that the page draws; by default the best and worst."""


def load(path: Path, given: Mapping[str, str] | None = None) -> Suite:
    """Read a suite and fill in the names given on the command line."""
    raw = load_yaml(path, "a suite")
    if not isinstance(raw, dict):
        raise BadInput("no mapping", "a suite with a name, takes and sources", file=path)
    return suite_of(_filled(raw, dict(given or {}), path), path)


def suite_of(raw: Mapping[str, Any], path: Path | None = None) -> Suite:
    """Check a suite; the first fault is named with the key to change."""
    try:
        suite = Suite.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        hint = ""
        if first["type"] == "extra_forbidden":
            hint = did_you_mean(str(first["loc"][-1]), list(Suite.model_fields))
        found = first["msg"] + (
            f" ({first['input']!r})" if not isinstance(first["input"], dict) else ""
        )
        raise BadInput(found, "a valid suite", file=path, column=key or None, hint=hint) from error
    _check(suite, path)
    return suite


def _check(suite: Suite, path: Path | None) -> None:
    names = [source.name for source in suite.sources]
    reserved = {*BASELINES, *BASELINES.values(), "training mean", "own mean (knows the take)"}
    if taken := sorted(reserved & set(names)):
        raise BadInput(f"a source called '{taken[0]}'", "another name: a baseline has this one",
                       file=path, column="sources")  # fmt: skip
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise BadInput(f"the name {doubled.pop()!r} twice", "a name of its own for each source",
                       file=path, column="sources")  # fmt: skip
    if suite.label_free == bool(suite.takes or suite.rehearsals):
        raise BadInput(
            "a reference and label_free" if suite.label_free else "no takes",
            "takes or rehearsals to compare with, or label_free: true", file=path, column="takes",
        )  # fmt: skip
    known = {*names, *suite.baselines, *BASELINES.values()}
    for each in suite.comparisons or ():
        for name in (each.one, each.other):
            if name not in known:
                raise BadInput(f"a comparison with '{name}'", f"one of {', '.join(sorted(known))}",
                               file=path, column="comparisons")  # fmt: skip
        if each.metric not in COMPARED:
            raise BadInput(f"the metric '{each.metric}'", f"one of {', '.join(COMPARED)}",
                           file=path, column="comparisons",
                           hint=did_you_mean(each.metric, COMPARED))  # fmt: skip


BASELINES: dict[Baseline, str] = {
    "zero": "all zero", "mean": "mean of other takes", "previous": "previous frame",
}  # fmt: skip
"""What the result calls each baseline."""


def _filled(raw: Any, given: Mapping[str, str], path: Path) -> Any:
    """`{name}` in every text replaced; `{take}` and `{subject}` wait for their take."""
    if isinstance(raw, dict):
        # YAML 1.1 takes a bare `on` for true
        return {
            "on" if key is True else key: _filled(value, given, path) for key, value in raw.items()
        }
    if isinstance(raw, list):
        return [_filled(value, given, path) for value in raw]
    if not isinstance(raw, str):
        return raw

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        if name in _OF_A_TAKE:
            return found[0]
        if name not in given:
            raise BadInput(f"no value for {{{name}}} in {raw!r}", f"--{name} or --set {name}=...",
                           file=path)  # fmt: skip
        return given[name]

    return _NAME.sub(fill, raw)


def items(suite: Suite) -> list[Item]:
    """Every take of the suite, read; takes of one name are told apart by a number."""
    if suite.label_free:
        return [Item("all", None, None)]
    found: list[Item] = []
    if suite.rehearsals is not None:
        found += _rehearsed(suite.rehearsals)
    for spec in suite.takes:
        found += [_take(spec, path) for path in _paths(spec.path)]
    return _with_own_names(found)


def segments_of(suite: Suite, item: Item) -> Path | None:
    """The file with a take's named peak expressions, if the suite has one for it."""
    for spec in suite.takes:
        if spec.segments and item.path in _paths(spec.path):
            return Path(spec.segments.replace("{take}", item.take))
    return None


def _paths(pattern: str) -> list[Path]:
    plain = Path(pattern)
    if plain.exists():
        return [plain]
    anchor = Path(plain.anchor) if plain.is_absolute() else Path()
    relative = str(plain.relative_to(anchor)) if plain.is_absolute() else pattern
    found = sorted(anchor.glob(relative))
    if not found:
        raise BadInput("no file", "at least one take", file=pattern)
    return found


def _take(spec: TakeSpec, path: Path) -> Item:
    from semanticface import formats
    from semanticface.evaluation.fingerprints import path_sha256

    clip = formats.read(path, spec.format, **spec.options)
    subject = spec.subject or clip.meta.subject
    if spec.subject is not None:
        clip = clip.with_meta(subject=spec.subject)
    movie = None if spec.movie is None else Path(spec.movie.replace("{take}", path.stem))
    return Item(path.stem, subject, clip, path, path_sha256(path), movie, spec.mirrored_movie,
                _beside(spec.alignment, path.stem), _beside(spec.sound, path.stem))  # fmt: skip


def _beside(pattern: str | None, take: str) -> Path | None:
    """A take's own file; one that a pattern has for other takes alone is None."""
    if pattern is None:
        return None
    path = Path(pattern.replace("{take}", take))
    if not path.exists() and "{take}" not in pattern:
        raise BadInput("no such file", "an alignment or a sound", file=path)
    return path if path.exists() else None


def _rehearsed(spec: RehearsalSpec) -> list[Item]:
    from semanticface.motion.sequences import sample_clip

    made = []
    for number in range(spec.count):
        clip = sample_clip(spec.seconds, spec.rate, spec.seed + number)
        made.append(Item(f"rehearsal-{number}", f"rehearsal-{number}", clip, sha256=of_clip(clip)))
    return made


def of_clip(clip: FaceClip) -> str:
    """SHA-256 of a clip's times and numbers."""
    digest = hashlib.sha256(clip.times.tobytes())
    digest.update(clip.values.tobytes())
    return digest.hexdigest()


def _with_own_names(found: Sequence[Item]) -> list[Item]:
    seen: dict[str, int] = {}
    named = []
    for item in found:
        seen[item.take] = seen.get(item.take, 0) + 1
        again = seen[item.take]
        named.append(item if again == 1 else item._replace(take=f"{item.take}-{again}"))
    return named
