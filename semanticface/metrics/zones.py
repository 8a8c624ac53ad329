"""Which vertices of a rig are lips, lids, upper face: found from the rig itself.

The shipped head says where its lips are and which two rims of them meet; what a rig does
not say is derived from what its channels move. All rules are this project's own (papers
list vertex numbers of one mesh, which mean nothing on another), so numbers compare
between sources on one rig and not between rigs. `Zones.origin` tells which rule was used.

Vertical means along +y of the head. Sizes below are shares of the greatest displacement
of a channel, or metres.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.render.head import SHAPES, Floats, Head
from semanticface.rig import BLENDSHAPES, INDEX, region_indices

Index = NDArray[np.int64]
Shares = NDArray[np.float64]

REGIONS = ("brow", "eye", "nose", "cheek", "mouth", "jaw")
_SKIN = 0
_MOVED = 0.3
_UPPER_LIP = ("mouthUpperUpLeft", "mouthUpperUpRight", "mouthRollUpper")
_LOWER_LIP = ("mouthLowerDownLeft", "mouthLowerDownRight", "mouthRollLower")
_LIP_REACH = 0.012
_MOUTH_COLUMNS = np.linspace(-0.010, 0.010, 5)
_LID_COLUMNS = np.linspace(-0.006, 0.006, 5)
_COLUMN = 0.003
"""Half the width of a column in which two vertices can face each other."""


@dataclass(frozen=True)
class Pairs:
    """Vertices that face each other: `upper[i]` above `lower[i]`."""

    upper: Index
    lower: Index

    def gap(self, points: Shares) -> Shares:
        """Mean height of the upper above the lower [T] of points [T, V, 3], in their unit.

        Signed: below zero where the two have passed each other.
        """
        return np.asarray((points[:, self.upper, 1] - points[:, self.lower, 1]).mean(axis=1))

    def within(self, kept: Index) -> Pairs:
        """The same in a mesh of the kept vertices only."""
        return Pairs(np.searchsorted(kept, self.upper), np.searchsorted(kept, self.lower))


@dataclass(frozen=True)
class Zones:
    """Vertex sets of one rig; an empty one could not be found."""

    lips: Index
    upper_face: Index
    inner_lips: Pairs
    lids: tuple[Pairs, Pairs]
    """Of the subject's left and right eye."""
    regions: Mapping[str, Index]
    """What the channels of a region move much; the sets overlap."""
    origin: Mapping[str, str]

    @property
    def used(self) -> Index:
        """Every vertex of any zone, in order."""
        pairs = (self.inner_lips, *self.lids)
        return np.unique(np.concatenate(
            [self.lips, self.upper_face, *self.regions.values(),
             *(each for pair in pairs for each in (pair.upper, pair.lower))]))  # fmt: skip

    def within(self, kept: Index) -> Zones:
        """The same zones in a mesh of the kept vertices only; `kept` holds all of them."""
        left, right = (each.within(kept) for each in self.lids)
        regions = {name: np.searchsorted(kept, each) for name, each in self.regions.items()}
        return Zones(np.searchsorted(kept, self.lips), np.searchsorted(kept, self.upper_face),
                     self.inner_lips.within(kept), (left, right), regions, self.origin)  # fmt: skip

    def permuted(self, place: Index) -> Zones:
        """The same zones in a mesh whose vertex `place[i]` is this one's vertex i."""
        left, right = (Pairs(place[each.upper], place[each.lower]) for each in self.lids)
        inner = Pairs(place[self.inner_lips.upper], place[self.inner_lips.lower])
        regions = {name: place[each] for name, each in self.regions.items()}
        return Zones(place[self.lips], place[self.upper_face], inner, (left, right), regions,
                     self.origin)  # fmt: skip


def find_zones(head: Head) -> Zones:
    """The zones of a rig; BadInput where not even the lips can be found."""
    inner, inner_origin = _inner_lips(head)
    lips, lips_origin = _lips(head, inner)
    if not len(lips):
        raise BadInput(f"no lips on the rig '{head.name}'",
                       "lip paint, or channels such as jawOpen and mouthRollUpper")  # fmt: skip
    lids = (_lids(head, 0), _lids(head, 1))
    origin = {"lips": lips_origin, "inner lips": inner_origin, "lids": _lid_origin(lids),
              "upper face": "moved more by brows, lids and cheekSquint than by anything below",
              "regions": f"moved by at least {_MOVED:g} of a channel's most"}  # fmt: skip
    regions = {name: np.flatnonzero(_skin(head) & (_moved(head, _in(name)) >= _MOVED))
               for name in REGIONS}  # fmt: skip
    return Zones(lips, _upper_face(head), inner, lids, regions, origin)


def _lid_origin(lids: tuple[Pairs, Pairs]) -> str:
    return "what eyeBlink brings together" if all(len(p.upper) for p in lids) else "not found"


def _skin(head: Head) -> NDArray[np.bool_]:
    return np.asarray(head.part == _SKIN)


def _in(region: str) -> list[int]:
    """A region's blendshapes; gaze left out, whose lids follow the eyeball."""
    return [i for i in region_indices(region)
            if i < SHAPES and not BLENDSHAPES[i].name.startswith("eyeLook")]  # fmt: skip


def _moved(head: Head, channels: Iterable[int]) -> Shares:
    """How far a vertex moves [V], the most of any channel's own greatest displacement."""
    share = np.zeros(len(head.neutral))
    for i in channels:
        size = np.linalg.norm(head.shapes[i].astype(np.float64), axis=1)
        if size.max() > 0:
            share = np.maximum(share, size / size.max())
    return share


def _named(*names: str) -> list[int]:
    return [INDEX[name] for name in names]


def _upper_face(head: Head) -> Index:
    sizes = np.linalg.norm(head.shapes, axis=2)
    halves = np.array([each.half == "upper" and not each.name.startswith("eyeLook")
                       for each in BLENDSHAPES])  # fmt: skip
    lower = np.array([each.half == "lower" for each in BLENDSHAPES])
    above, below = sizes[halves].max(axis=0), sizes[lower].max(axis=0)
    moved = _moved(head, np.flatnonzero(halves).tolist()) >= 0.1
    return np.flatnonzero(_skin(head) & moved & (above > below))


# -- the mouth ----------------------------------------------------------------------------


def _lips(head: Head, inner: Pairs) -> tuple[Index, str]:
    painted = head.paint.get("lips")
    if painted is not None and (painted > 0.5).any():
        return np.flatnonzero((painted > 0.5) & _skin(head)), "the rig's own lip paint"
    rims = np.concatenate([inner.upper, inner.lower])
    if not len(rims):
        return rims, "not found"
    moved = _skin(head) & (_moved(head, _named(*_UPPER_LIP, *_LOWER_LIP)) >= 0.1)
    near = np.flatnonzero(moved)
    away = np.linalg.norm(head.neutral[near][:, None] - head.neutral[rims], axis=2).min(axis=1)
    return near[away <= _LIP_REACH], "near the inner lips and moved by lip channels"


def _inner_lips(head: Head) -> tuple[Pairs, str]:
    if head.lips is not None:
        return _between_rims(head), "the rig's own rims, middle half of the mouth"
    jaw = _moved(head, _named("jawOpen"))
    upper = _skin(head) & (_moved(head, _named(*_UPPER_LIP)) >= 0.25) & (jaw < 0.25)
    lower = _skin(head) & (_moved(head, _named(*_LOWER_LIP)) >= 0.25) & (jaw > 0.5)
    facing = [_nearest(head.neutral, _column(head, upper, x), _column(head, lower, x))
              for x in _MOUTH_COLUMNS]  # fmt: skip
    pairs = _pairs(each for each in facing if each is not None)
    return pairs, "what jawOpen parts and rest brings nearest" if len(pairs.upper) else "not found"


def _between_rims(head: Head) -> Pairs:
    """Each vertex of the coarser rim in the middle half, and the nearest of the other."""
    assert head.lips is not None
    upper, lower = (np.asarray(rim, np.int64) for rim in head.lips)
    x = head.neutral[:, 0]
    middle, half = (x[upper[0]] + x[upper[-1]]) / 2, abs(x[upper[-1]] - x[upper[0]]) / 2
    few, many = (upper, lower) if len(upper) < len(lower) else (lower, upper)
    few = few[np.abs(x[few] - middle) <= half / 2]
    other = many[np.abs(x[few][:, None] - x[many]).argmin(axis=1)]
    return Pairs(few, other) if len(upper) < len(lower) else Pairs(other, few)


def _column(head: Head, mask: NDArray[np.bool_], x: float) -> Index:
    return np.flatnonzero(mask & (np.abs(head.neutral[:, 0] - x) < _COLUMN))


def _nearest(points: Floats, upper: Index, lower: Index) -> tuple[int, int] | None:
    if not (len(upper) and len(lower)):
        return None
    away = np.linalg.norm(points[upper][:, None] - points[lower], axis=2)
    one, other = np.unravel_index(away.argmin(), away.shape)
    return int(upper[one]), int(lower[other])


def _pairs(found: Iterable[tuple[int, int]]) -> Pairs:
    table = np.array(list(found), np.int64).reshape(-1, 2)
    return Pairs(table[:, 0], table[:, 1])


# -- the lids -----------------------------------------------------------------------------


def _lids(head: Head, side: int) -> Pairs:
    """Lid margins of one eye: the vertex a blink lowers most, and what it comes to lie on."""
    blink = head.shapes[INDEX[("eyeBlinkLeft", "eyeBlinkRight")[side]]]
    drop = -blink[:, 1]
    centre = head.eyes[side].centre
    found = (_lid_pair(head, blink, drop, centre, float(centre[0] + x)) for x in _LID_COLUMNS)
    return _pairs(each for each in found if each is not None)


def _lid_pair(
    head: Head, blink: Floats, drop: Floats, centre: Floats, x: float
) -> tuple[int, int] | None:
    front = _skin(head) & (head.neutral[:, 2] > centre[2])
    upper = _column(head, front & (drop > 0.4 * drop.max()), x)
    if not len(upper) or drop.max() <= 0:
        return None
    edge = upper[drop[upper].argmax()]
    still = front & (drop < 0.15 * drop.max()) & (head.neutral[:, 1] < head.neutral[edge, 1])
    below = _column(head, still, x)
    if not len(below):
        return None
    away = np.linalg.norm((head.neutral + blink)[below] - (head.neutral + blink)[edge], axis=1)
    return int(edge), int(below[away.argmin()])
