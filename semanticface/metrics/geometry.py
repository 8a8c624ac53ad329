"""How far apart two sources put the vertices of one rig, in millimetres.

    result = compare_clips(load_head(), take, prediction)      # on the same times
    print("\\n".join(result.lines()))

Everything is scored in the frame of the head: turning the head is no error here.
`reference` is what is held to be right, `predicted` what is judged.

`p`, `y`: predicted and reference vertices, `n`: the neutral ones.

* lve_max_squared [mm^2]: mean over frames of max over lip vertices of |p - y|^2. The LVE
  of FaceFormer's and CodeTalker's evaluation and of torchmetrics' `lip_vertex_error`.
* lve_root [mm]: the square root of that mean. Some papers print it as LVE.
* lve_mean_max [mm]: mean over frames of max over lip vertices of |p - y|. The third one.
* fdd [mm^2]: mean over upper-face vertices of std(|y - n|^2) - std(|p - n|^2), std over
  time without Bessel's correction, as CodeTalker and torchmetrics. Signed: positive where
  the prediction moves too little. Over several takes average its absolute value.
* fdd_distance [mm]: the same of the distances |y - n| and |p - n|; this project's own.
* lip_gap_error, lip_gap_bias [mm]: mean |g_p - g_y| and mean (g_p - g_y) of the gap
  between the inner lips, the mean height of the upper above the lower one; own.
* aperture_error, aperture_bias [mm]: the same of the opening between the lids, mean of
  both eyes; own.
* region_error [mm]: mean over frames and a region's vertices of |p - y|.

Vertex sets come from the rig (`zones`). Channels that either source lacks rest in both,
frames that either lost are left out; both are listed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.zones import Index, Pairs, Zones, find_zones
from semanticface.render.head import SHAPES, Floats, Head, pose_frames
from semanticface.rig import BLENDSHAPES, INDEX, FaceClip

Series = NDArray[np.float64]
Blocks: TypeAlias = Iterable[NDArray[np.floating]]
"""Vertices [B, V, 3] in metres, block after block; or one array [T, V, 3]."""
Frames: TypeAlias = Iterator[NDArray[np.floating]]

BLOCK = 128
_MM = 1000.0
_HEAD = slice(INDEX["headYaw"], INDEX["headRoll"] + 1)

_OWN = "this project's own"
ROWS: tuple[tuple[str, str, str, str, str], ...] = (
    ("lve_max_squared", "mm^2", "lower", "mean over frames of the largest squared lip-vertex error",
     "FaceFormer, CodeTalker, torchmetrics"),
    ("lve_root", "mm", "lower", "square root of lve_max_squared", "variant in use"),
    ("lve_mean_max", "mm", "lower", "mean over frames of the largest lip-vertex error",
     "variant in use"),
    ("fdd", "mm^2", "zero", "upper-face dynamics: reference less prediction, squared distances",
     "CodeTalker, torchmetrics"),
    ("fdd_distance", "mm", "zero", "the same of plain distances", _OWN),
    ("lip_gap_error", "mm", "lower", "mean absolute error of the inner-lip gap", _OWN),
    ("lip_gap_bias", "mm", "zero", "mean error of the inner-lip gap", _OWN),
    ("aperture_error", "mm", "lower", "mean absolute error of the eye opening", _OWN),
    ("aperture_bias", "mm", "zero", "mean error of the eye opening", _OWN),
    ("region_error", "mm", "lower", "mean vertex error of a region", "common; regions own"),
)  # fmt: skip


@dataclass(frozen=True)
class Geometry:
    """One comparison; the module says what each number is. NaN: the rig has no such zone."""

    frames: int
    """How many frames went in."""
    lve_max_squared: float
    lve_root: float
    lve_mean_max: float
    fdd: float
    fdd_distance: float
    lip_gap_error: float
    lip_gap_bias: float
    aperture_error: float
    aperture_bias: float
    region_error: Mapping[str, float]
    over_time: Mapping[str, Series] = field(repr=False)
    """Per frame [T], mm, NaN where left out: lip_error (the largest), and lip_gap and
    aperture of `reference` and `predicted`."""
    left_out: tuple[str, ...] = ()
    """Channels of the rig that a source lacks; at rest in both."""
    dropped: int = 0
    """Frames that either source had lost."""
    origin: Mapping[str, str] = field(default_factory=dict)
    """How the zones were found."""

    def lines(self) -> list[str]:
        """Every number with its unit, then what was left out."""
        shown = [f"{name}: {getattr(self, name):.4g} {unit}"
                 for name, unit, *_ in ROWS if name != "region_error"]  # fmt: skip
        shown += [f"{name} error: {value:.4g} mm" for name, value in self.region_error.items()]
        shown.append(f"frames: {self.frames}, left out: {self.dropped}")
        if self.left_out:
            shown.append(f"at rest in both, absent in one: {', '.join(self.left_out)}")
        return shown + [f"{name}: {how}" for name, how in self.origin.items()]


# -- posing -------------------------------------------------------------------------------


def posed(head: Head, clip: FaceClip, block: int = BLOCK) -> Iterator[Floats]:
    """Vertices [B, V, 3] of a clip in metres, in the head's own frame, `block` frames a time.

    Head rotations are left out; absent eye rotations count as none, so that the gaze
    comes from eyeLook. Any other missing value is an error.
    """
    for start in range(0, len(clip), block):
        rows = np.array(clip.values[start : start + block])
        rows[:, SHAPES:] = np.nan_to_num(rows[:, SHAPES:])
        rows[:, _HEAD] = 0
        yield np.stack(list(pose_frames(head, rows)))


def head_frame(points: NDArray[np.floating], neutral: Floats, still: Index) -> Series:
    """Points [T, V, 3] with the rigid motion of the head taken out of each frame.

    `still`: vertices no channel moves (skull); they are laid on the neutral ones by the
    rotation and shift of least squares (Kabsch). For vertices that other tools posed.
    """
    if len(still) < 3:
        raise BadInput(f"{len(still)} still vertices", "at least three, not on a line")
    points = np.asarray(points, np.float64)
    target = neutral[still].astype(np.float64)
    centre, goal = points[:, still].mean(axis=1, keepdims=True), target.mean(axis=0)
    spread = np.einsum("tvi,vj->tij", points[:, still] - centre, target - goal)
    u, _, vt = np.linalg.svd(spread)
    keep = np.ones((len(points), 1, 3))
    keep[:, 0, 2] = np.sign(np.linalg.det(u @ vt))  # a reflection is no rigid motion
    return np.asarray((points - centre) @ ((u * keep) @ vt) + goal)


def still_vertices(head: Head, within: float = 1e-5) -> Index:
    """Vertices that no channel moves by more than `within` metres and that turn with the head."""
    moved = np.abs(head.shapes).max(axis=(0, 2)) > within
    eyes = np.concatenate([np.asarray(eye.vertices, np.int64) for eye in head.eyes])
    moved[eyes] = True
    return np.flatnonzero(~moved & (True if head.turn is None else head.turn == 1))


# -- comparing ----------------------------------------------------------------------------


def compare_clips(
    head: Head, reference: FaceClip, predicted: FaceClip, zones: Zones | None = None
) -> Geometry:
    """Both clips on one rig, frame by frame; they must stand on the same times."""
    if len(reference) != len(predicted) or not np.allclose(
        reference.times, predicted.times, rtol=0, atol=1e-4
    ):
        found = f"clips of {len(reference)} and {len(predicted)} frames at other times"
        raise BadInput(found, "one grid of times", hint="Align and resample them first.")
    zones = find_zones(head) if zones is None else zones
    kept = zones.used
    left_out = _absent(head, reference, predicted)
    tables = [_rested(clip, left_out) for clip in (reference, predicted)]
    good = np.all([~np.isnan(table).any(axis=1) for table in tables], axis=0)
    one, other = (_skin(head, kept, table[good]) for table in tables)
    result = compare_vertices(one, other, zones.within(kept), head.neutral[kept])
    over_time = {name: _spread(each, good) for name, each in result.over_time.items()}
    return replace(result, over_time=over_time, left_out=left_out, dropped=int((~good).sum()))


def _absent(head: Head, *clips: FaceClip) -> tuple[str, ...]:
    return tuple(
        each.name for each in BLENDSHAPES
        if head.has[each.index] and not all(clip.present[each.index] for clip in clips)
    )  # fmt: skip


def _rested(clip: FaceClip, left_out: tuple[str, ...]) -> Floats:
    """Values [T, 52] with only the blendshapes that both have; the others rest."""
    table = np.array(clip.values[:, :SHAPES])
    table[:, ~clip.present[:SHAPES]] = 0
    table[:, [INDEX[name] for name in left_out]] = 0
    return table


def _skin(head: Head, kept: Index, table: Floats) -> Frames:
    """The kept vertices; zones hold no eyeball, and what does not turn is a plain sum."""
    neutral, matrix = head.neutral[kept], head.shapes[:, kept].reshape(SHAPES, -1)
    for start in range(0, len(table), BLOCK):
        yield neutral + (table[start : start + BLOCK] @ matrix).reshape(-1, len(kept), 3)


def _spread(series: Series, good: NDArray[np.bool_]) -> Series:
    whole = np.full(len(good), np.nan)
    whole[good] = series
    return whole


def compare_vertices(
    reference: Blocks, predicted: Blocks, zones: Zones, neutral: NDArray[np.floating]
) -> Geometry:
    """Vertices of both sources, in metres and in the head's frame; see `Blocks`.

    `neutral` [V, 3]: the rig at rest, from which FDD measures motion.
    """
    tally = _Tally(zones, np.asarray(neutral) * _MM)
    for one, other in _together(_blocks(reference), _blocks(predicted)):
        tally.add(one * _MM, other * _MM)
    return tally.geometry()


def _blocks(given: Blocks) -> Frames:
    if isinstance(given, np.ndarray):
        return (given[i : i + BLOCK] for i in range(0, len(given), BLOCK))
    return iter(given)


def _together(one: Frames, other: Frames) -> Iterator[tuple[Series, Series]]:
    """Blocks of the same frames; a source that ends earlier is an error."""
    while True:
        first, second = next(one, None), next(other, None)
        if first is None and second is None:
            return
        shapes = [None if each is None else each.shape for each in (first, second)]
        if first is None or second is None or first.shape != second.shape:
            raise BadInput(f"blocks of shapes {shapes[0]} and {shapes[1]}", "the same in both")
        if first.ndim != 3 or first.shape[2] != 3:
            raise BadInput(f"vertices of shape {first.shape}", "[frames, vertices, 3]")
        yield np.asarray(first), np.asarray(second)


class _Motion:
    """Mean and spread over time of a quantity of every vertex, block by block (Chan)."""

    def __init__(self, count: int) -> None:
        self.n, self.mean, self.m2 = 0, np.zeros(count), np.zeros(count)

    def add(self, sizes: Series) -> None:
        """`sizes` [B, V]."""
        n, mean = len(sizes), sizes.mean(axis=0, dtype=np.float64)
        total, apart = self.n + n, mean - self.mean
        self.m2 += ((sizes - mean) ** 2).sum(axis=0) + apart**2 * (self.n * n / total)
        self.mean += apart * (n / total)
        self.n = total

    def std(self) -> Series:
        """Without Bessel's correction."""
        return np.sqrt(self.m2 / self.n)


class _Tally:
    """Sums over blocks of frames, millimetres."""

    def __init__(self, zones: Zones, neutral: Series) -> None:
        self.zones, self.rest = zones, neutral[zones.upper_face]
        self.series: dict[str, list[Series]] = {}
        self.regions = dict.fromkeys(zones.regions, 0.0)
        count = len(zones.upper_face)
        self.squared, self.plain = ((_Motion(count), _Motion(count)) for _ in range(2))
        self.frames = 0

    def add(self, reference: Series, predicted: Series) -> None:
        """One block [B, V, 3] of both."""
        if not len(reference):
            return
        away = np.sqrt(_squared(predicted - reference))
        if (lost := ~np.isfinite(away).all(axis=1)).any():
            row = self.frames + int(np.flatnonzero(lost)[0])
            raise BadInput("vertices that are not finite", "a place for each vertex", row=row)
        self.frames += len(away)
        self._keep("lip_error", away[:, self.zones.lips].max(axis=1).astype(np.float64))
        for name, vertices in self.zones.regions.items():
            if len(vertices):
                self.regions[name] += float(away[:, vertices].mean(axis=1, dtype=np.float64).sum())
        for side, (who, points) in enumerate((("reference", reference), ("predicted", predicted))):
            self._keep(f"lip_gap {who}", _gap(points, self.zones.inner_lips))
            lids = [_gap(points, pairs) for pairs in self.zones.lids]
            self._keep(f"aperture {who}", np.mean(lids, axis=0))
            size = _squared(points[:, self.zones.upper_face] - self.rest)
            self.squared[side].add(size)
            self.plain[side].add(np.sqrt(size))

    def _keep(self, name: str, series: Series) -> None:
        self.series.setdefault(name, []).append(series)

    def geometry(self) -> Geometry:
        """The means; an empty comparison is an error, not a zero."""
        if not self.frames:
            raise BadInput("no frame that both sources have", "at least one")
        over = {name: np.concatenate(parts) for name, parts in self.series.items()}
        lips = over["lip_error"]
        squared = float((lips**2).mean())
        gap_error, gap_bias = _errors(over, "lip_gap")
        aperture_error, aperture_bias = _errors(over, "aperture")
        regions = {name: total / self.frames if len(self.zones.regions[name]) else math.nan
                   for name, total in self.regions.items()}  # fmt: skip
        return Geometry(
            self.frames, squared, math.sqrt(squared), float(lips.mean()),
            _deviation(*self.squared), _deviation(*self.plain), gap_error, gap_bias,
            aperture_error, aperture_bias, regions, over, origin=self.zones.origin,
        )  # fmt: skip


def _squared(offsets: Series) -> Series:
    """Squared lengths [B, V] of offsets [B, V, 3]."""
    return np.asarray(np.einsum("tvi,tvi->tv", offsets, offsets))


def _gap(points: Series, pairs: Pairs) -> Series:
    return pairs.gap(points) if len(pairs.upper) else np.full(len(points), np.nan)


def _errors(over: Mapping[str, Series], name: str) -> tuple[float, float]:
    apart = over[f"{name} predicted"] - over[f"{name} reference"]
    return float(np.abs(apart).mean()), float(apart.mean())


def _deviation(reference: _Motion, predicted: _Motion) -> float:
    apart = reference.std() - predicted.std()
    return float(apart.mean()) if len(apart) else math.nan
