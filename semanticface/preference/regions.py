"""Parts of a face that are judged apart, and answers put together from parts.

Three coarse regions: `upper` and `lower` as SuperFace judges them, and `full`. Five finer
ones: `brows`, `eyes`, `cheeks+nose`, `mouth`, `jaw`. Channels come from the channel table.
The head's own turns belong to `full` only, so upper + lower + head is the whole face, and
the five finer regions together are upper + lower.

In a pair for one region everything else is the same to the bit, so that only the judged
part can differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, did_you_mean
from semanticface.rig import CHANNELS, COUNT, NAMES, FaceClip

Values = NDArray[np.float32]

COARSE = ("upper", "lower", "full")
FINE = ("brows", "eyes", "cheeks+nose", "mouth", "jaw")
_PARTS = {
    "brows": ("brow",),
    "eyes": ("eye",),
    "cheeks+nose": ("cheek", "nose"),
    "mouth": ("mouth", "tongue"),
    "jaw": ("jaw",),
}
_TITLES = {
    "upper": "upper face: brows and eyes",
    "lower": "lower face: mouth, jaw, nose",
    "full": "whole face",
    "brows": "eyebrows",
    "eyes": "eyes and eyelids",
    "cheeks+nose": "cheeks and nose",
    "mouth": "mouth and lips",
    "jaw": "jaw",
}


@dataclass(frozen=True)
class Region:
    """A part of the face and the channels that move it."""

    name: str
    title: str
    """What a rater reads."""
    channels: tuple[int, ...]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Bool [61], true in the region."""
        mask = np.zeros(COUNT, np.bool_)
        mask[list(self.channels)] = True
        return mask

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its channels, in table order."""
        return tuple(NAMES[i] for i in self.channels)


def _channels(name: str) -> tuple[int, ...]:
    if name == "full":
        return tuple(range(COUNT))
    if name in ("upper", "lower"):
        return tuple(each.index for each in CHANNELS if each.half == name)
    return tuple(each.index for each in CHANNELS if each.region in _PARTS[name])


REGIONS: dict[str, Region] = {
    name: Region(name, _TITLES[name], _channels(name)) for name in (*COARSE, *FINE)
}


def region_of(name: str) -> Region:
    """The region called `name`."""
    if name not in REGIONS:
        raise BadInput(f"the region '{name}'", f"one of {', '.join(REGIONS)}",
                       hint=did_you_mean(name, REGIONS))  # fmt: skip
    return REGIONS[name]


def with_region(base: Values, other: Values, region: str) -> Values:
    """`base` [..., 61] with the region's channels of `other`; the rest is base's to the bit."""
    if np.shape(base) != np.shape(other) or np.shape(base)[-1:] != (COUNT,):
        raise BadInput(f"answers of shapes {np.shape(base)} and {np.shape(other)}",
                       f"one shape that ends in {COUNT}",
                       hint="Bring both clips onto the same times first.")  # fmt: skip
    return np.where(region_of(region).mask, other, base).astype(np.float32)


def differs_only_in(one: Values, other: Values, region: str) -> bool:
    """Whether two answers are the same to the bit outside a region (NaN equals NaN)."""
    outside = ~region_of(region).mask
    return bool(np.array_equal(one[..., outside], other[..., outside], equal_nan=True))


def recombined(base: Values, winners: Mapping[str, Values]) -> Values:
    """One full answer: each region from its winner, what nobody judged from `base`.

    Regions that share a channel are refused: whose winner would it follow?
    """
    _must_not_overlap(tuple(winners))
    whole = np.array(base, np.float32)
    for name, winner in winners.items():
        whole = with_region(whole, winner, name)
    return whole


def _must_not_overlap(names: tuple[str, ...]) -> None:
    taken: dict[int, str] = {}
    for name in names:
        for channel in region_of(name).channels:
            if channel in taken:
                raise BadInput(f"winners for '{taken[channel]}' and '{name}'",
                               "regions without a channel in common", column=NAMES[channel],
                               hint="Recombine upper with lower, or the fine regions.")  # fmt: skip
            taken[channel] = name


def clip_with_region(base: FaceClip, other: FaceClip, region: str) -> FaceClip:
    """A clip with one region of another on the same times; both are named in its meta."""
    if not np.array_equal(base.times, other.times):
        raise BadInput(f"clips of {len(base)} and {len(other)} frames at other times",
                       "the same times in both", hint="Resample one onto the other.")  # fmt: skip
    mask = region_of(region).mask
    joined = FaceClip(with_region(base.values, other.values, region), base.times,
                      np.where(mask, other.present, base.present), base.meta)  # fmt: skip
    told = f"{region} of {other.meta.source or 'another clip'}"
    return joined.with_meta(conventions=(*base.meta.conventions, told))
