"""Settings that differ from region to region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from semanticface.errors import BadInput, did_you_mean
from semanticface.rig import COUNT, HALVES, INDEX, REGIONS
from semanticface.rig.channels import region_indices

T = TypeVar("T")
ALL = "all"
_KEYS = tuple(dict.fromkeys((ALL, *HALVES, *REGIONS)))


def by_channel(*layers: Mapping[str, T]) -> tuple[T | None, ...]:
    """What each of the 61 channels is set to, None where nothing is said of it.

    Keys are `all`, a half (`upper`, `lower`, `head`), a region, or a channel; the
    narrower word wins whatever the order of the mapping. A later layer goes over
    an earlier one, however wide its words are.
    """
    found: list[T | None] = [None] * COUNT
    for settings in layers:
        for key in sorted(settings, key=_narrowness):
            for index in _indices(key):
                found[index] = settings[key]
    return tuple(found)


def setting_of(settings: Mapping[str, T], key: str) -> T:
    """What `by_channel` gives the first channel of a region or other key."""
    first = by_channel(settings)[_indices(key)[0]]
    if first is None:
        raise BadInput(f"no setting for '{key}'", f"one of {', '.join(settings)}")
    return first


def _narrowness(key: str) -> int:
    if key == ALL:
        return 0
    if key in INDEX:
        return 3
    return 2 if key in REGIONS else 1


def _indices(key: str) -> tuple[int, ...]:
    if key == ALL:
        return tuple(range(COUNT))
    if key in INDEX:
        return (INDEX[key],)
    if key not in _KEYS:
        hint = did_you_mean(key, (*_KEYS, *INDEX))
        raise BadInput(f"'{key}'", f"{', '.join(_KEYS)} or a channel", hint=hint)
    return region_indices(key)
