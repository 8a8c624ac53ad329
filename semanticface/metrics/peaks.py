"""Named peak expressions: what a face must show for each, read from YAML and checked.

    table = load_peaks()                   # the package's own tables/peaks.yaml
    table = load_peaks("my_peaks.yaml")    # another; `extends: shipped` adds to the own one
    print("\\n".join(table.lines()))

The names, levels and thresholds of the shipped table are this project's own design: REFA,
whose five label-free metrics they serve, publishes none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, cast, get_args

import yaml

from semanticface.errors import BadInput, did_you_mean
from semanticface.rig import BLENDSHAPES, INDEX, channel

PathLike = str | os.PathLike[str]
Closing = Literal["leftEye", "rightEye", "mouth"]
SHIPPED = "tables/peaks.yaml"
_PEAK_KEYS = ("about", "also", "all", "any", "below", "shuts", "neutral")
_KEYS = ("extends", "settings", "neutral", "peaks")
_OTHER_SIDE: dict[Closing, Closing] = {"leftEye": "rightEye", "rightEye": "leftEye"}


@dataclass(frozen=True)
class Level:
    """A channel and the weight it is held against."""

    channel: str
    level: float

    @property
    def column(self) -> int:
        """Index in the channel table."""
        return INDEX[self.channel]

    def mirrored(self) -> Level:
        """The same of the face in a mirror."""
        return replace(self, channel=channel(self.channel).mirror)


@dataclass(frozen=True)
class Peak:
    """What one named expression must show."""

    name: str
    about: str = ""
    also: tuple[str, ...] = ()
    every: tuple[Level, ...] = ()
    """All of these reach their level."""
    some: tuple[Level, ...] = ()
    """At least one of these reaches its level."""
    below: tuple[Level, ...] = ()
    """All of these stay at or under their ceiling."""
    shuts: tuple[Closing, ...] = ()
    neutral: bool = False

    def mirrored(self) -> Peak:
        """The expectations of the same segment in a mirrored clip."""
        every, some, below = (
            tuple(each.mirrored() for each in levels)
            for levels in (self.every, self.some, self.below)
        )
        shuts = tuple(_OTHER_SIDE.get(each, each) for each in self.shuts)
        return replace(self, every=every, some=some, below=below, shuts=shuts)

    def __str__(self) -> str:
        parts = [f"{each.channel} >= {each.level:g}" for each in self.every]
        if self.some:
            parts.append(" or ".join(f"{each.channel} >= {each.level:g}" for each in self.some))
        parts += [f"{each.channel} <= {each.level:g}" for each in self.below]
        parts += ["at rest"] * self.neutral + [f"shuts {each}" for each in self.shuts]
        return f"{self.name}: {', '.join(parts)}"


@dataclass(frozen=True)
class Settings:
    """How segments are judged; tables/peaks.yaml says what each number is."""

    hold: float
    measured: float
    eye_shut: float
    lip_gap: float
    second_difference: float

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            top = 1.0 if each.name != "second_difference" else float("inf")
            if not 0 < value <= top:
                raise BadInput(f"{value:g}", f"more than 0 and at most {top:g}",
                               column=f"settings.{each.name}")  # fmt: skip


@dataclass(frozen=True)
class PeakTable:
    """Every named expression, the neutral ceilings and the settings."""

    peaks: Mapping[str, Peak]
    ceilings: Mapping[str, float]
    """The neutral ceiling of every blendshape."""
    settings: Settings
    source: str = SHIPPED

    def peak(self, label: str) -> Peak:
        """The expression that a label names: case, `_` and `-` do not matter."""
        found = self._labels.get(_plain(label))
        if found is None:
            raise BadInput(f"the peak expression '{label}'", f"one of those in {self.source}",
                           hint=did_you_mean(_plain(label), self._labels))  # fmt: skip
        return found

    def mirrored(self) -> PeakTable:
        """The table for mirrored clips whose segments keep their names."""
        peaks = {name: each.mirrored() for name, each in self.peaks.items()}
        ceilings = {channel(name).mirror: value for name, value in self.ceilings.items()}
        return replace(self, peaks=peaks, ceilings=ceilings)

    def lines(self) -> list[str]:
        """Everything that judges, for a person to read; levels are this project's own."""
        settings = ", ".join(f"{f.name} {getattr(self.settings, f.name):g}"
                             for f in fields(self.settings))  # fmt: skip
        ceilings = ", ".join(f"{name} {level:g}" for name, level in self.ceilings.items())
        head = [f"expectations: {self.source} (this project's own levels)", f"settings: {settings}"]
        return [*head, *map(str, self.peaks.values()), f"neutral ceilings: {ceilings}"]

    @property
    def _labels(self) -> dict[str, Peak]:
        return {
            _plain(label): peak for peak in self.peaks.values() for label in (peak.name, *peak.also)
        }


def _plain(label: str) -> str:
    return " ".join(label.casefold().replace("_", " ").replace("-", " ").split())


def load_peaks(path: PathLike | None = None) -> PeakTable:
    """The shipped table, or the YAML at `path`."""
    if path is None:
        return _shipped()
    held = read_yaml(path)
    try:
        return peaks_of(held, Path(path).name)
    except BadInput as fault:
        raise fault.at(file=path) from None


@cache
def _shipped() -> PeakTable:
    text = resources.files("semanticface.metrics").joinpath(SHIPPED).read_text(encoding="utf-8")
    return peaks_of(yaml.safe_load(text), SHIPPED)


class _Once(yaml.SafeLoader):
    """YAML in which no key may stand twice: the first of two would be lost in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if twice := [key for i, key in enumerate(keys) if key in keys[:i]]:
            raise BadInput(f"the key '{twice[0]}' twice", "each key once",
                           row=node.start_mark.line + 1)  # fmt: skip
        return super().construct_mapping(node, deep)


def read_yaml(path: PathLike) -> object:
    """What a YAML file holds; a key that stands twice is an error."""
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8-sig"), _Once)
    except BadInput as fault:
        raise fault.at(file=path) from None
    except FileNotFoundError:
        raise BadInput("no such file", "a YAML file", file=path) from None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        shown = " ".join(str(fault).split())[:160]
        raise BadInput(f"no YAML ({shown})", "a mapping or a list", file=path) from None


def peaks_of(held: object, source: str) -> PeakTable:
    """A table from parsed YAML; BadInput names the entry that does not fit."""
    table = mapping_of(held, "the file", _KEYS)
    base = _base(table)
    peaks = {
        str(name): _peak(str(name), each)
        for name, each in mapping_of(table.get("peaks") or {}, "peaks").items()
    }
    whole = PeakTable(
        {**(base.peaks if base else {}), **peaks},
        _ceilings(table.get("neutral"), base),
        _settings(table.get("settings"), base),
        f"{source} over {SHIPPED}" if base else source,
    )
    _check_labels(whole)
    return whole


def _base(table: Mapping[str, Any]) -> PeakTable | None:
    extends = table.get("extends")
    if extends not in (None, "shipped"):
        raise BadInput(f"'{extends}'", "'shipped', or no such key", column="extends")
    return None if extends is None else _shipped()


def _peak(name: str, held: object) -> Peak:
    entry = mapping_of(held, name, _PEAK_KEYS)
    every, some, below = (
        tuple(_levels(entry.get(key) or {}, f"{name}.{key}")) for key in ("all", "any", "below")
    )
    neutral = entry.get("neutral", False)
    if not isinstance(neutral, bool):
        raise BadInput(f"{neutral!r}", "true or false", column=f"{name}.neutral")
    if neutral == bool(every or some or below):
        found = "levels and neutral" if neutral else "no expectation"
        raise BadInput(found, "levels under all, any or below, or else neutral: true", column=name)
    _check_together(name, every, below)
    also = _names(entry.get("also", []), f"{name}.also")
    return Peak(name, str(entry.get("about", "")), also, every, some, below,
                _closings(entry, name), neutral)  # fmt: skip


def _closings(entry: Mapping[str, Any], name: str) -> tuple[Closing, ...]:
    shuts = _names(entry.get("shuts", []), f"{name}.shuts")
    known = get_args(Closing)
    for each in shuts:
        if each not in known:
            raise BadInput(f"'{each}'", f"some of {', '.join(known)}", column=f"{name}.shuts",
                           hint=did_you_mean(each, known))  # fmt: skip
    return cast(tuple[Closing, ...], shuts)


def _names(held: object, where: str) -> tuple[str, ...]:
    if not isinstance(held, list) or not all(isinstance(each, str) for each in held):
        raise BadInput(f"{held!r}", "a list of names", column=where)
    return tuple(held)


def _levels(held: object, where: str) -> Iterator[Level]:
    for name, value in mapping_of(held, where).items():
        level = _weight(value, f"{where}.{name}")
        for each in _channels(str(name), where):
            yield Level(each, level)


def _channels(name: str, where: str) -> tuple[str, ...]:
    """The channel called so, or both sides of the movement called so."""
    found = tuple(each.name for each in BLENDSHAPES if name in (each.name, each.movement))
    if not found:
        known = {label for each in BLENDSHAPES for label in (each.name, each.movement)}
        raise BadInput(f"'{name}'", "a blendshape, or a movement for both its sides",
                       column=where, hint=did_you_mean(name, known))  # fmt: skip
    return found


def _weight(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BadInput(f"{value!r}", "a weight from 0 to 1", column=where)
    return float(value)


def _check_together(name: str, every: tuple[Level, ...], below: tuple[Level, ...]) -> None:
    """A channel that must be up and down at once can never pass."""
    ceilings = {each.channel: each.level for each in below}
    for each in every:
        if each.level > ceilings.get(each.channel, 1.0):
            raise BadInput(f"{each.channel} at least {each.level:g} and at most "
                           f"{ceilings[each.channel]:g}", "levels that can hold together",
                           column=name)  # fmt: skip


def _ceilings(held: object, base: PeakTable | None) -> dict[str, float]:
    entry = mapping_of(held or {}, "neutral", ("ceiling", "channels"))
    own = {
        each.channel: each.level
        for each in _levels(entry.get("channels") or {}, "neutral.channels")
    }
    if "ceiling" in entry:
        usual = _weight(entry["ceiling"], "neutral.ceiling")
        return {each.name: usual for each in BLENDSHAPES} | own
    if base is None:
        raise BadInput("no neutral.ceiling", "the weight up to which a channel is at rest",
                       hint="Or begin with `extends: shipped`.")  # fmt: skip
    return {**base.ceilings, **own}


def _settings(held: object, base: PeakTable | None) -> Settings:
    wanted = [each.name for each in fields(Settings)]
    entry = mapping_of(held or {}, "settings", wanted)
    for name, value in entry.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadInput(f"{value!r}", "a number", column=f"settings.{name}")
    if base is not None:
        return replace(base.settings, **entry)
    if missing := [name for name in wanted if name not in entry]:
        raise BadInput(f"no {', '.join(missing)}", f"all of {', '.join(wanted)}",
                       column="settings", hint="Or begin with `extends: shipped`.")  # fmt: skip
    return Settings(**{name: float(value) for name, value in entry.items()})


def mapping_of(held: object, where: str, known: Sequence[str] | None = None) -> Mapping[str, Any]:
    """`held` if it is a mapping with no key but the known ones; `where` names its place."""
    if not isinstance(held, Mapping):
        raise BadInput(f"{held!r}"[:80], "a mapping", column=where)
    if known is None:
        return held
    for key in held:
        if key not in known:
            raise BadInput(f"the key '{key}'", f"some of {', '.join(known)}", column=where,
                           hint=did_you_mean(str(key), known))  # fmt: skip
    return held


def _check_labels(table: PeakTable) -> None:
    """No label may name two expressions."""
    owner: dict[str, str] = {}
    for peak in table.peaks.values():
        for label in (peak.name, *peak.also):
            first = owner.setdefault(_plain(label), peak.name)
            if first != peak.name:
                raise BadInput(f"the label '{label}' for both '{first}' and '{peak.name}'",
                               "each label once")  # fmt: skip
    if not table.peaks:
        raise BadInput("no peaks", "at least one named expression")
