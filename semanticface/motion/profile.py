"""What was learned of a face, kept in a file: its rest, its range, or both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.atomic import write_text
from semanticface.errors import BadInput, did_you_mean
from semanticface.motion.calibrate import RangeProfile, apply_range
from semanticface.motion.neutral import Neutral, Rotations, subtract_neutral
from semanticface.rig import COUNT, INDEX, NAMES, RIG_VERSION, FaceClip

_KIND = "calibration profile 1"
_KEYS = ("semanticface", "rig", "neutral", "rotations", "range")
_RANGE_KEYS = ("source", "channels", "still", "bounded")


@dataclass(frozen=True)
class Profile:
    """The rest of a face, its range of motion, or both; the rest is taken off first."""

    neutral: Neutral | None = None
    range: RangeProfile | None = None
    rotations: Rotations = "keep"

    def applied(self, clip: FaceClip) -> FaceClip:
        """The clip calibrated."""
        if self.neutral is not None:
            clip = subtract_neutral(clip, self.neutral, self.rotations)
        return clip if self.range is None else apply_range(clip, self.range)


def save_profile(profile: Profile, path: str | Path) -> None:
    """Write a profile as YAML, or as JSON if the path ends in .json."""
    held: dict[str, Any] = {"semanticface": _KIND, "rig": RIG_VERSION}
    if profile.neutral is not None:
        known = dict(_named(profile.neutral.values))
        held["neutral"] = {"source": profile.neutral.source, "channels": known}
        held["rotations"] = profile.rotations
    if profile.range is not None:
        held["range"] = _range_as_data(profile.range)
    write_text(path, _text(held, _is_json(path)))


def load_profile(path: str | Path) -> Profile:
    """Read what `save_profile` wrote."""
    try:
        return _profile(_data(Path(path)))
    except BadInput as error:
        raise error.at(file=path) from None


def must_be_a_profile_name(path: str | Path) -> None:
    """Refuse a path that `save_profile` would not write."""
    _is_json(path)


def _data(path: Path) -> Any:
    import yaml

    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        return json.loads(text) if _is_json(path) else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"a file that cannot be read ({reason})", "a profile") from None


def _profile(held: Any) -> Profile:
    held = _mapping(held, "the file", _KEYS)
    if held.get("semanticface") != _KIND or held.get("rig") != RIG_VERSION:
        raise BadInput(
            f"{held.get('semanticface')!r} of rig {held.get('rig')!r}",
            f"{_KIND!r} of rig {RIG_VERSION!r}",
        )
    rotations = held.get("rotations", "keep")
    if rotations not in ("keep", "subtract"):
        raise BadInput(f"rotations {rotations!r}", "keep or subtract")
    neutral, moved = held.get("neutral"), held.get("range")
    return Profile(
        None if neutral is None else _neutral(neutral),
        None if moved is None else _range(moved),
        rotations,
    )


def _neutral(held: Any) -> Neutral:
    held = _mapping(held, "neutral", ("source", "channels"))
    values = np.full(COUNT, np.nan, np.float32)
    for name, value in _mapping(held.get("channels"), "neutral channels", NAMES).items():
        values[INDEX[name]] = _number(value, name)
    return Neutral(values, str(held.get("source", "")))


def _range_as_data(profile: RangeProfile) -> dict[str, Any]:
    rows = {
        name: {
            "low": round(float(profile.low[i]), 6), "gain": round(float(profile.gain[i]), 6),
            "start": round(float(profile.start[i]), 6),
        }
        for i, name in enumerate(NAMES)
        if not (profile.gain[i] == 1 and profile.low[i] == profile.start[i])
    }  # fmt: skip
    return {
        "source": profile.source, "channels": rows, "still": list(profile.still),
        "bounded": list(profile.bounded),
    }  # fmt: skip


def _range(held: Any) -> RangeProfile:
    held = _mapping(held, "range", _RANGE_KEYS)
    low, gain, start = np.zeros(COUNT), np.ones(COUNT), np.zeros(COUNT)
    arrays = {"low": low, "gain": gain, "start": start}
    for name, row in _mapping(held.get("channels"), "range channels", NAMES).items():
        for key, value in _mapping(row, name, tuple(arrays)).items():
            arrays[key][INDEX[name]] = _number(value, name)
    if (gain <= 0).any():
        raise BadInput(f"a gain of {gain.min():g}", "gains above 0")
    still, bounded = (tuple(map(str, held.get(key) or ())) for key in ("still", "bounded"))
    return RangeProfile(low, gain, start, still, bounded, str(held.get("source", "")))


def _mapping(held: Any, what: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(held, dict):
        raise BadInput(f"{type(held).__name__} as {what}", "names with values")
    for key in held:
        if key not in known:
            hint = did_you_mean(str(key), known)
            raise BadInput(f"{key!r} in {what}", f"one of {', '.join(known[:6])} ...", hint=hint)
    return held


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise BadInput(f"{value!r}", "a number", column=name)
    return float(value)


def _named(values: NDArray[np.floating]) -> list[tuple[str, float]]:
    return [(NAMES[i], round(float(values[i]), 6)) for i in np.flatnonzero(np.isfinite(values))]


def _text(held: dict[str, Any], as_json: bool) -> str:
    import yaml

    if as_json:
        return json.dumps(held, ensure_ascii=False, indent=1) + "\n"
    return str(yaml.safe_dump(held, allow_unicode=True, sort_keys=False))


def _is_json(path: str | Path) -> bool:
    suffix = Path(path).suffix.lower()
    if suffix not in (".json", ".yaml", ".yml"):
        raise BadInput(f"the suffix '{suffix}'", ".yaml or .json", file=path)
    return suffix == ".json"
