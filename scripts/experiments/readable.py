"""How well could faces be read at all? The best linear reader of points known to some pixels.

    python scripts/experiments/readable.py --points 600 --noise 0.3 1 2

Shapes as often as `motion.expressions` shows them, people as far apart as the head's identity
components, both taken as normally distributed; points of the moving front of the face, seen
straight from the front, each off by normal noise. What is left unknown then follows from
their covariance alone: r of a channel is sqrt(1 - variance left / variance).
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from semanticface.motion.expressions import sample_frames
from semanticface.render.crop import eye_distance
from semanticface.render.head import SHAPES, Head, load_head
from semanticface.rig import NAMES
from semanticface.train.nano import PIXELS

_ACROSS = 3.4
"""Distances between the eyes that a picture of `nano_view.face_camera` is wide, at the face."""
_LEAST = 5e-4
"""Metres that some shape moves a point which counts."""


def points_of(head: Head, count: int, seed: int) -> NDArray[np.intp]:
    """Points on the moving front of the face."""
    deep = head.neutral[:, 2]
    moving = np.abs(head.shapes).max((0, 2)) > _LEAST
    front = np.flatnonzero(moving & (deep > deep.mean()))
    return np.random.default_rng(seed).choice(front, count, replace=False)


def readable(head: Head, points: NDArray[np.intp], noise: float) -> NDArray[np.float64]:
    """r [52] of each shape with points known to `noise` metres."""
    faces = sample_frames(20_000, 0, coverage=0.3)[:, :SHAPES].astype(np.float64)
    people = len(head.identity)
    seen = np.concatenate([head.shapes, head.identity])[:, points, :2].reshape(SHAPES + people, -1)
    known = np.zeros((len(seen), len(seen)))
    known[:SHAPES, :SHAPES] = np.linalg.inv(np.cov(faces.T) + 1e-9 * np.eye(SHAPES))
    known[SHAPES:, SHAPES:] = np.eye(people)
    left = np.diag(np.linalg.inv(known + seen @ seen.T / noise**2))[:SHAPES]
    return np.asarray(np.sqrt(np.clip(1 - left / faces.var(0), 0, 1)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--points", type=int, default=600)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.3, 1, 2, 4], help="pixels")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    head = load_head()
    pixel = eye_distance(head) * _ACROSS / PIXELS
    points = points_of(head, options.points, options.seed)
    # Looks are turned eyeballs as well as shapes, so their points say too little of them.
    shapes = [i for i, name in enumerate(NAMES[:SHAPES]) if "Look" not in name]
    print("| pixels | mean r | the three worst |\n|---|---|---|")
    for noise in options.noise:
        r = readable(head, points, noise * pixel)
        worst = sorted(shapes, key=lambda i: r[i])[:3]
        told = ", ".join(f"{NAMES[i]} {r[i]:.2f}" for i in worst)
        print(f"| {noise:g} | {r[shapes].mean():.2f} | {told} |")


if __name__ == "__main__":
    main()
