"""How far one clip lags behind another.

Both clips are brought to one even grid. For every shift within the search the
Pearson correlation of each cue is taken over the frames in which both clips have
it; the mean over the cues is the curve whose peak is the lag. A parabola through
the peak and its neighbours gives the lag finer than a frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.motion.resample import resample, shared_span
from semanticface.rig import INDEX, FaceClip, channel

CUES = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")
_FINEST = 60.0  # frames a second: a parabola over coarser steps is off by milliseconds
_LEAST = 15  # frames: a correlation of fewer says nothing
_STILL = 0.01  # standard deviation below which a cue has no events to align
_AWAY, _FARTHEST = 1.5, 12.0  # seconds
_FLAT = 1e-14  # squared variance below which a curve is a constant
_WEAK, _ALONE = 0.3, 0.5

Curve = NDArray[np.floating]


@dataclass(frozen=True)
class Lag:
    """Where a prediction fits the truth best in time."""

    seconds: float
    """How late the prediction is: positive = late. NaN where no cue can tell."""
    at_zero: float
    """Mean correlation of the cues as the clips stand."""
    at_best: float
    """The same after moving the prediction by `-seconds`."""
    shifts: Curve
    """Seconds [K] by which the prediction was taken to be late."""
    curve: Curve
    """Mean correlation over the cues at each shift, [K]; NaN where too little overlaps."""
    cues: Mapping[str, Curve]
    """Correlation at each shift, [K], of every cue that moves in both clips."""
    still: tuple[str, ...] = ()
    """Cues that do not move, or are missing, in one of the clips."""
    at_edge: bool = False
    """The best shift is the farthest one tried: the true lag may lie beyond it."""
    elsewhere: float = float("nan")
    """The highest mean correlation at shifts far outside the search, where only chance or
    another lag can make one; NaN where the clips are too short to look there."""
    elsewhere_at: float = float("nan")
    """The shift of that, seconds."""

    @property
    def clear(self) -> bool:
        """Whether the peak says anything: it is higher than what far shifts give by chance.

        At least 0.3; at least 0.5 where the clips are too short for far shifts.
        """
        if np.isnan(self.seconds):
            return False
        return self.at_best >= (_ALONE if np.isnan(self.elsewhere) else max(_WEAK, self.elsewhere))

    def _far(self) -> str:
        if np.isnan(self.elsewhere):
            return ""
        word = "late" if self.elsewhere_at > 0 else "early"
        return f"; {abs(self.elsewhere_at):.2f} s {word} gives {self.elsewhere:.2f}"

    def __str__(self) -> str:
        if np.isnan(self.seconds):
            return f"no lag to be found: nothing moves in {', '.join(self.still) or 'the overlap'}"
        if not self.clear:
            return (
                "no lag to be found: no shift within the search stands out (the best correlates "
                f"by {self.at_best:.2f}{self._far()})"
            )
        edge = ", at the edge of the search" if self.at_edge else ""
        return (
            f"{abs(self.seconds) * 1000:.0f} ms {'late' if self.seconds >= 0 else 'early'}{edge} "
            f"(correlation {self.at_best:.3f}, unmoved {self.at_zero:.3f})"
        )


def best_lag(
    pred: FaceClip, truth: FaceClip, *, within: float = 0.5, channels: Sequence[str] = CUES
) -> Lag:
    """The lag of `pred` behind `truth`, searched `within` seconds to either side."""
    if not within > 0:
        raise BadInput(f"a search within {within:g} s", "seconds above zero")
    for name in channels:
        channel(name)
    _must_meet(pred, truth, within)
    step = _step(pred, truth)
    reach = max(int(np.ceil(within / step)), 1)
    late, early = _on_one_grid(pred.select(*channels), truth.select(*channels), step)
    moving = [name for name in channels if _moves(late, name) and _moves(early, name)]
    cues = {name: _correlations(_of(late, name), _of(early, name), reach) for name in moving}
    still = tuple(name for name in channels if name not in moving)
    found = _peak(cues, step * np.arange(-reach, reach + 1), still)
    if not moving:
        return found
    level, at = _elsewhere(late, early, moving, step, within)
    return replace(found, elsewhere=level, elsewhere_at=at)


def aligned(pred: FaceClip, lag: Lag) -> FaceClip:
    """`pred` moved back by its lag; as it is where none was found."""
    if np.isnan(lag.seconds):
        return pred
    moved = pred.shifted(-lag.seconds)
    return moved.with_meta(
        conventions=(*pred.meta.conventions, f"moved by {-lag.seconds * 1000:+.1f} ms to align")
    )


def _must_meet(pred: FaceClip, truth: FaceClip, within: float) -> None:
    if not len(pred) or not len(truth):
        shared_span(pred, truth)  # raises
    apart = max(truth.times[0] - pred.times[-1], pred.times[0] - truth.times[-1])
    if pred.meta.clock != truth.meta.clock or apart > within:
        shared_span(pred, truth)  # raises


def _step(pred: FaceClip, truth: FaceClip) -> float:
    steps = [clip.step for clip in (pred, truth) if not np.isnan(clip.step)]
    return min([*steps, 1 / _FINEST])


def _on_one_grid(pred: FaceClip, truth: FaceClip, step: float) -> tuple[FaceClip, FaceClip]:
    """Both on the grid over everything that either covers; NaN where one does not."""
    start = min(pred.times[0], truth.times[0])
    end = max(pred.times[-1], truth.times[-1])
    grid = start + step * np.arange(int((end - start) / step) + 1)
    return resample(pred, grid, way="pchip"), resample(truth, grid, way="pchip")


def _of(clip: FaceClip, name: str) -> Curve:
    return clip.values[:, INDEX[name]].astype(np.float64)


def _moves(clip: FaceClip, name: str) -> bool:
    known = _of(clip, name)
    known = known[np.isfinite(known)]
    return len(known) >= _LEAST and float(known.std()) >= _STILL


def _correlations(late: Curve, early: Curve, reach: int) -> Curve:
    """Pearson correlation of late[n + k] with early[n] for k from -reach to reach.

    Over the frames that both have at that shift; all shifts at once by Fourier
    transforms of the curves, their squares and their masks.
    """
    (x, has_x), (y, has_y) = _centred(early), _centred(late)
    size = 1 << (2 * len(x) - 1).bit_length()
    spectra = [np.fft.rfft(each, size) for each in (x, x * x, has_x, y, y * y, has_y)]
    fx, fxx, fm, gy, gyy, gm = spectra

    def summed(one: NDArray[np.complexfloating], other: NDArray[np.complexfloating]) -> Curve:
        whole = np.fft.irfft(one.conj() * other, size)
        return np.concatenate([whole[size - reach :], whole[: reach + 1]])

    n = np.rint(summed(fm, gm))
    sx, sy, xy = summed(fx, gm), summed(fm, gy), summed(fx, gy)
    xx, yy = summed(fxx, gm), summed(fm, gyy)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = (xx - sx * sx / n) * (yy - sy * sy / n)
        found = (xy - sx * sy / n) / np.sqrt(spread)
    return np.where((n >= _LEAST) & (spread > _FLAT * n * n), found, np.nan)


def _centred(curve: Curve) -> tuple[Curve, Curve]:
    """Deviations from the mean, 0 where nothing is known, and 1 where something is."""
    known = np.isfinite(curve)
    mean = curve[known].mean() if known.any() else 0.0
    return np.where(known, curve - mean, 0.0), known.astype(np.float64)


def _elsewhere(
    late: FaceClip, early: FaceClip, moving: Sequence[str], step: float, within: float
) -> tuple[float, float]:
    """The highest mean correlation far from the search, and the shift in seconds where it is."""
    nearest = int(np.ceil((within + _AWAY) / step))
    farthest = min(int(_FARTHEST / step), len(late) // 2)
    if farthest - nearest < within / step:  # fewer places than were searched
        return float("nan"), float("nan")
    curves = [_correlations(_of(late, name), _of(early, name), farthest) for name in moving]
    curve = np.mean(curves, axis=0)
    curve[farthest - nearest + 1 : farthest + nearest] = np.nan
    if np.isnan(curve).all():
        return float("nan"), float("nan")
    shifts = np.arange(-farthest, farthest + 1)
    top = int(np.nanargmax(curve))
    return float(curve[top]), float(shifts[top] * step)


def _peak(cues: Mapping[str, Curve], shifts: Curve, still: tuple[str, ...]) -> Lag:
    nothing = np.full(len(shifts), np.nan)
    curve = np.mean(list(cues.values()), axis=0) if cues else nothing
    if np.isnan(curve).all():
        unknown = float("nan")
        return Lag(unknown, unknown, unknown, shifts, nothing, dict(cues), still)
    top = int(np.nanargmax(curve))
    middle = len(shifts) // 2
    edge = top in (0, len(shifts) - 1)
    offset, height = (0.0, float(curve[top])) if edge else _parabola(curve[top - 1 : top + 2])
    seconds = float(shifts[top] + offset * (shifts[1] - shifts[0]))
    return Lag(
        seconds, float(curve[middle]), height, shifts, curve, dict(cues), still, at_edge=edge
    )


def _parabola(three: Curve) -> tuple[float, float]:
    """Where the parabola through three points peaks, in steps from the middle, and how high."""
    before, top, after = (float(each) for each in three)
    bend = before - 2 * top + after
    if not bend < 0:  # flat, or NaN beside the peak
        return 0.0, top
    offset = 0.5 * (before - after) / bend
    return offset, top - 0.25 * (before - after) * offset
