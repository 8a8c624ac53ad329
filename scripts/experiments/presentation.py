"""Which way of showing a pair tells a simulated rater most a second?

    python scripts/experiments/presentation.py [--pairs 200] [--seed 0]

The rater sees the pictures and nothing of the rig; it is right where it chooses the answer
whose region is nearer to the truth in millimetres. Its noise is the same number of grey
levels everywhere: half the median difference that the whole face shows. A rater who is no
better than a coin learns nothing, so what counts is

    (2 * share right - 1) / mean seconds

It is not confused by half a face, as people are said to be. Intervals: bootstrap over subjects.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from semanticface.metrics.statistics import by_key, cluster_bootstrap
from semanticface.motion.expressions import sample_frames
from semanticface.preference.candidates import Candidate, Duel, regional_pair
from semanticface.preference.oracle import Oracle, Traits, nearer
from semanticface.preference.perturbations import FAULTS, Perturbation, perturbed
from semanticface.preference.presentation import Presentation

PEOPLE = 20
SMALL = Presentation("plain", size=128, antialias=False)
WAYS = {
    "whole face": SMALL,
    "rest dimmed": replace(SMALL, mode="focus"),
    "cropped to the half": replace(SMALL, mode="crop"),
    "rest dimmed, two views": replace(SMALL, mode="focus", views=("front", "three-quarter")),
}


class Asked(NamedTuple):
    """A pair with its truth."""

    duel: Duel
    truth: Candidate
    person: int


def asked(count: int, seed: int) -> list[Asked]:
    """Pairs of two faults each, in one half of the face."""
    rng, rows = np.random.default_rng(seed), []
    for number, values in enumerate(sample_frames(count, seed=seed, coverage=0.3)):
        region, truth = ("upper", "lower")[number % 2], Candidate.of("truth", values)
        kinds = rng.choice(len(FAULTS), 2, replace=False)
        sides = [perturbed(truth, Perturbation(FAULTS[k][0], region, FAULTS[k][1]),
                           seed=int(rng.integers(2**31))).candidate for k in kinds]  # fmt: skip
        duel = regional_pair(truth, sides[0], sides[1], region)
        if duel.fair and nearer(duel, truth):
            rows.append(Asked(duel, truth, number % PEOPLE))
    return rows


def distances(pairs: list[Asked], how: Presentation) -> NDArray[np.float64]:
    """[N, 2] grey levels of both answers from the truth."""
    seeing = Oracle(Traits(geometry_weight=0, pixels_weight=1), how=how)
    return np.array([[seeing.distance(side, each.truth, each.duel.region, each.person)
                      for side in each.duel[:2]] for each in pairs])  # fmt: skip


def told(pairs: list[Asked], how: Presentation, far: NDArray[np.float64], noise: float) -> str:
    """A row: share right, seconds, and what is learnt a second."""
    oracle = Oracle(Traits(geometry_weight=0, pixels_weight=1, noise=noise, lapse=0), how=how)
    right, seconds = [], []
    for each, (one, other) in zip(pairs, far, strict=True):
        chance = oracle.probability(other - one)
        right.append(chance if nearer(each.duel, each.truth) > 0 else 1 - chance)
        seconds.append(oracle._seconds(other - one))
    rows = list(np.column_stack([right, seconds, np.ones(len(pairs))]))
    sums = by_key(rows, [str(each.person) for each in pairs]).sums
    found = cluster_bootstrap(sums, lambda s: (2 * s[..., 0] - s[..., 2]) / s[..., 1])
    return (f"{np.mean(right):.3f} | {np.mean(seconds):.2f} | {found.estimate:.3f} "
            f"[{found.low:.3f}, {found.high:.3f}]")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    pairs = asked(options.pairs, options.seed)
    far = {name: distances(pairs, how) for name, how in WAYS.items()}
    gap = np.abs(np.diff(far["whole face"], axis=1))
    noise = float(np.median(gap)) / 2
    print(f"{len(pairs)} pairs of {PEOPLE} people, noise {noise:.3f} grey levels\n")
    print("| shown | right | seconds | learnt a second |\n|---|---|---|---|")
    for name, how in WAYS.items():
        print(f"| {name} | {told(pairs, how, far[name], noise)} |")


if __name__ == "__main__":
    main()
