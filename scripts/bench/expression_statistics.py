"""How close sampled faces come to real ones.

    python scripts/bench/expression_statistics.py TAKE.csv ... [--frames 40000] [--clips 60]

For every channel: mean, 95th percentile and share of frames above 0.05, in the real
takes, in `sample_frames` and in clips of `sample_clip`. Then the distance between the
correlation matrices (mean absolute difference over all pairs of active channels),
beside two yardsticks: the real frames with every channel shuffled on its own (no
structure left), and how far real takes are from one another. Then time: mean absolute
second difference, still share, and blinks. The tables of the sampler were set against
three takes, so on those this shows how well they fit, not how well they generalise:
takes of your own say more. Each take is also held alone against the sampler and against
the other takes: a sampler that is no nearer to a take than other people's takes are has
learnt nothing of use. Head angles are zero in takes recorded without them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from semanticface.formats import read
from semanticface.motion.expressions import sample_frames
from semanticface.motion.sequences import sample_clip
from semanticface.rig import BLENDSHAPES, INDEX, NAMES, FaceClip

Array = NDArray[np.float64]
SHAPES = slice(0, len(BLENDSHAPES))
ACTIVE_95TH, ACTIVE_SPREAD, MOVES = 0.05, 0.01, 0.05
STILL = 1e-4
SHUT = 0.5


class Spread(NamedTuple):
    """Mean, 95th percentile and share above 0.05 of each channel."""

    mean: Array
    high: Array
    share: Array


class Blinks(NamedTuple):
    """Closures of the left lids of at most half a second."""

    per_minute: float
    seconds: float


def spread(values: Array) -> Spread:
    size = np.abs(values)
    return Spread(
        values.mean(axis=0), np.percentile(values, 95, axis=0), (size > MOVES).mean(axis=0)
    )


def tracked(clip: FaceClip) -> Array:
    return np.asarray(clip.values[~np.isnan(clip.values).any(axis=1)], dtype=np.float64)


def active_channels(values: Array) -> NDArray[np.intp]:
    shapes = values[:, SHAPES]
    high = np.percentile(shapes, 95, axis=0) > ACTIVE_95TH
    return np.flatnonzero(high & (shapes.std(axis=0) > ACTIVE_SPREAD))


def distance(one: Array, other: Array, channels: NDArray[np.intp]) -> float:
    """Mean absolute difference of the correlations of all pairs of channels."""
    pairs = np.triu_indices(len(channels), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = (np.corrcoef(each[:, channels].T)[pairs] for each in (one, other))
    return float(np.abs(np.nan_to_num(a) - np.nan_to_num(b)).mean())


def within(clips: list[FaceClip], channels: NDArray[np.intp]) -> Array:
    """Correlations inside one clip, averaged over clips by their length [C, C]."""
    parts = [tracked(clip)[:, channels] for clip in clips]
    with np.errstate(invalid="ignore", divide="ignore"):
        each = [np.nan_to_num(np.corrcoef(part.T)) for part in parts]
    return np.asarray(np.average(each, axis=0, weights=[len(part) for part in parts]))


def shuffled(values: Array) -> Array:
    rng = np.random.default_rng(0)
    return np.stack([rng.permutation(column) for column in values.T], axis=1)


def jerk(clip: FaceClip) -> tuple[float, float]:
    """Mean absolute second difference of the 52, and the share of it that is none."""
    steps = np.diff(clip.times)
    steady = (steps[1:] < 1.3 * clip.step) & (steps[:-1] < 1.3 * clip.step)
    second = np.abs(np.diff(clip.values[:, SHAPES], 2, axis=0))[steady]
    return float(np.nanmean(second)), float(np.nanmean(second < STILL))


def blinks(clips: list[FaceClip]) -> Blinks:
    widths, seconds = [], sum(clip.duration for clip in clips)
    for clip in clips:
        lid, times = clip.column("eyeBlinkLeft"), clip.times
        starts = np.flatnonzero((lid[1:] >= SHUT) & (lid[:-1] < SHUT)) + 1
        for start in starts:
            after = np.flatnonzero(lid[start:] < SHUT)
            if len(after):
                widths.append(times[start + after[0]] - times[start])
    short = [width for width in widths if width <= 0.5]
    middle = float(np.median(short)) if short else float("nan")
    return Blinks(60 * len(short) / seconds, middle)


def channel_table(real: Spread, frames: Spread, clips: Spread) -> Table:
    table = Table("real, frames, clips", "mean", "95th percentile", "share above 0.05")
    for i, name in enumerate(NAMES):
        cells = [
            "  ".join(f"{each[k][i]:5.2f}" for each in (real, frames, clips)) for k in range(3)
        ]
        table.add_row(name, *cells)
    return table


def apart(real: Spread, other: Spread) -> str:
    gaps = [float(np.abs(a - b)[SHAPES].mean()) for a, b in zip(real, other, strict=True)]
    return "mean {:.3f}, 95th percentile {:.3f}, share {:.3f}".format(*gaps)


def spreads(console: Console, takes: list[FaceClip], frames: Array, clips: Array) -> None:
    parts = [tracked(take) for take in takes]
    real = spread(np.concatenate(parts))
    console.print(channel_table(real, spread(frames), spread(clips)))
    console.print("mean absolute difference from the real takes over the 52:")
    console.print(f"  frames: {apart(real, spread(frames))}")
    console.print(f"  clips:  {apart(real, spread(clips))}")
    for i in range(len(parts) if len(parts) > 1 else 0):
        rest = np.concatenate(parts[:i] + parts[i + 1 :])
        own = spread(parts[i])
        console.print(f"  take {i + 1} from the others: {apart(own, spread(rest))}")
        console.print(f"  take {i + 1} from the frames: {apart(own, spread(frames))}")
        console.print(f"  take {i + 1} from the clips:  {apart(own, spread(clips))}")


def correlations(
    console: Console, takes: list[FaceClip], frames: Array, sampled: list[FaceClip]
) -> None:
    parts = [tracked(take) for take in takes]
    real = np.concatenate(parts)
    channels = active_channels(real)
    clips = np.concatenate([tracked(clip) for clip in sampled])
    pairs = np.triu_indices(len(channels), 1)
    inside = np.abs(within(takes, channels) - within(sampled, channels))[pairs].mean()
    alone = np.abs(within(takes, channels))[pairs].mean()
    console.print(f"\ncorrelations, {len(channels)} active channels, distance from the real takes:")
    console.print(f"  frames {distance(real, frames, channels):.3f}, clips "
                  f"{distance(real, clips, channels):.3f}, real but shuffled "
                  f"{distance(real, shuffled(real), channels):.3f}")  # fmt: skip
    console.print(f"  within clips {inside:.3f}, against none at all {alone:.3f}")
    for i in range(len(parts) if len(parts) > 1 else 0):
        rest = np.concatenate(parts[:i] + parts[i + 1 :])
        console.print(
            f"  take {i + 1}: from the other takes {distance(parts[i], rest, channels):.3f}, "
            f"from sampled frames {distance(parts[i], frames, channels):.3f}"
        )


def timing(console: Console, takes: list[FaceClip], sampled: list[FaceClip]) -> None:
    console.print("\ntime, at 30 frames a second:")
    for name, clips in [*((f"take {i + 1}", [take]) for i, take in enumerate(takes)),
                        ("sampled", sampled)]:  # fmt: skip
        second, still = np.mean([jerk(clip) for clip in clips], axis=0)
        found = blinks(clips)
        lid = INDEX["eyeBlinkLeft"]
        pairs = [np.corrcoef(tracked(clip)[:, [lid, lid + 7]].T)[0, 1] for clip in clips]
        console.print(
            f"  {name:8s} second difference {second:.4f}, still {still:.0%}, "
            f"blinks {found.per_minute:.1f} a minute of {found.seconds:.2f} s, "
            f"lids together r {np.mean(pairs):.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("takes", nargs="+", type=Path)
    parser.add_argument("--frames", type=int, default=40_000)
    parser.add_argument("--clips", type=int, default=60, help="of a minute each")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    console = Console(width=100)
    takes = [read(path) for path in options.takes]
    sample_frames(1, options.seed)
    begun = time.perf_counter()
    frames = sample_frames(options.frames, options.seed).astype(np.float64)
    speed = options.frames / (time.perf_counter() - begun)
    sampled = [sample_clip(60, 30, seed=options.seed + i) for i in range(options.clips)]
    spreads(console, takes, frames, np.concatenate([tracked(clip) for clip in sampled]))
    correlations(console, takes, frames, sampled)
    timing(console, takes, sampled)
    console.print(f"\n{speed:,.0f} sampled frames a second (asked: 20,000)")


if __name__ == "__main__":
    main()
