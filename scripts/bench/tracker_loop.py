"""Does a real tracker read from the rendered head what was put into it?

    scripts/install_tracker.sh
    python scripts/bench/tracker_loop.py TAKE.csv ... [--every 15] [--identities 0 1 2 3]

Renders every k-th frame of real takes on several identities, lets MediaPipe's Face
Landmarker read the 52 scores back, each picture on its own, and prints for every
channel: Pearson r over all pictures, r within one face (averaged over identities: a
tracker reads every person with an offset of its own, which the first r counts as
error), r within one face and take, and the mean absolute error against guessing the
channel's mean and against guessing zero.
Channels that hardly move in the takes (95th percentile up to 0.05 or deviation up to
0.01) are listed but not averaged. The interval of the mean r comes from drawing
whole takes again with replacement; with three takes it is coarse. Both are measured
on what this tracker can see: it is a peer, not truth.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from semanticface.errors import BadInput
from semanticface.formats import read
from semanticface.render.picture import Renderer
from semanticface.rig import BLENDSHAPES, NAMES

Array = NDArray[np.float64]
HERE = Path(__file__).resolve().parent
ACTIVE_95TH, ACTIVE_SPREAD = 0.05, 0.01
FEWEST = 20  # pictures below which a correlation says nothing
NO_SCORE = ("tongueOut",)  # MediaPipe has 51 of the 52


@dataclass(frozen=True)
class Pictures:
    """What was drawn: pictures [N, H, W, 3], the truth [N, 52], whose and from where."""

    pixels: NDArray[np.uint8]
    truth: Array
    take: NDArray[np.intp]
    who: NDArray[np.intp]


@dataclass(frozen=True)
class Readings:
    """Scores [N, 52] in table order, NaN where the tracker has none."""

    scores: Array

    @property
    def found(self) -> NDArray[np.bool_]:
        return np.asarray(np.isfinite(self.scores).any(axis=1))


def draw(takes: list[Path], options: argparse.Namespace) -> Pictures:
    """Every k-th tracked frame of every take, on every identity."""
    pixels, truth, take, who = [], [], [], []
    for person in options.identities:
        renderer = Renderer(identity=person, look=options.look, view=options.view,
                            size=options.size)  # fmt: skip
        for number, path in enumerate(takes):
            clip = read(path)
            values = clip.values[~np.isnan(clip.values).any(axis=1)][:: options.every]
            pixels += [renderer.render(row) for row in values]
            truth.append(values[:, : len(BLENDSHAPES)])
            take += [number] * len(values)
            who += [person] * len(values)
    return Pictures(np.stack(pixels), np.concatenate(truth).astype(float),
                    np.array(take), np.array(who))  # fmt: skip


def track(pictures: Pictures, tracker: Path) -> Readings:
    """The tracker's scores, by name, in table order."""
    python, model = tracker / "bin" / "python", tracker / "face_landmarker.task"
    if not (python.exists() and model.exists()):
        raise BadInput(f"no tracker in {tracker}", "the folder of scripts/install_tracker.sh",
                       hint="Run that script, or name its folder with --tracker")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        drawn, told = Path(folder) / "pictures.npy", Path(folder) / "scores.npz"
        np.save(drawn, pictures.pixels)
        run = subprocess.run(
            [python, HERE / "tracker_worker.py", model, drawn, told],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if run.returncode:
            raise BadInput(f"the tracker ended with code {run.returncode}:\n{run.stderr[-2000:]}")
        with np.load(told) as archive:
            names, scores = list(archive["names"]), archive["scores"]
    table = np.full((len(scores), len(BLENDSHAPES)), np.nan)
    for column, name in enumerate(names):
        if name in NAMES:
            table[:, NAMES.index(name)] = scores[:, column]
    return Readings(table)


def correlations(truth: Array, scores: Array) -> Array:
    """Pearson r of each column, NaN where one of the two does not move."""
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        a, b = truth - truth.mean(axis=0), scores - scores.mean(axis=0)
        return np.asarray((a * b).sum(axis=0) / np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0)))


def within(pictures: Pictures, readings: Readings, groups: NDArray[np.intp]) -> Array:
    """r [52] within each group of pictures in which the channel moves, averaged."""
    rows = []
    for group in np.unique(groups):
        here = readings.found & (groups == group)
        truth = pictures.truth[here]
        if len(truth) >= FEWEST:
            r = correlations(truth, readings.scores[here])
            rows.append(np.where(moving(truth), r, np.nan))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(rows, axis=0))


def moving(truth: Array) -> NDArray[np.bool_]:
    high = np.percentile(truth, 95, axis=0) > ACTIVE_95TH
    return np.asarray(high & (truth.std(axis=0) > ACTIVE_SPREAD))


def interval(pictures: Pictures, readings: Readings, active: NDArray[np.bool_],
             rounds: int) -> tuple[float, float]:  # fmt: skip
    """95 % interval of the mean r over active channels, whole takes drawn again."""
    rng = np.random.default_rng(0)
    takes = np.unique(pictures.take)
    rows = {take: np.flatnonzero((pictures.take == take) & readings.found) for take in takes}
    means = []
    for _ in range(rounds):
        drawn = np.concatenate([rows[t] for t in rng.choice(takes, len(takes))])
        r = correlations(pictures.truth[drawn], readings.scores[drawn])
        means.append(np.nanmean(r[active]))
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def report(console: Console, pictures: Pictures, readings: Readings, rounds: int) -> None:
    found = readings.found
    truth, scores = pictures.truth[found], readings.scores[found]
    readable = np.array([each.name not in NO_SCORE for each in BLENDSHAPES])
    active = moving(truth) & readable
    r = correlations(truth, scores)
    face = within(pictures, readings, pictures.who)
    inside = within(pictures, readings, pictures.who * 1000 + pictures.take)
    error = np.abs(scores - truth).mean(axis=0)
    mean_guess = np.abs(truth - truth.mean(axis=0)).mean(axis=0)
    zero_guess = np.abs(truth).mean(axis=0)
    table = Table(
        "channel", "r", "one face", "and take", "MAE", "mean guess", "zero guess", "in the mean"
    )
    for each in BLENDSHAPES:
        i = each.index
        numbers = (r[i], face[i], inside[i], error[i], mean_guess[i], zero_guess[i])
        cells = [f"{x:.3f}" if np.isfinite(x) else "-" for x in numbers]
        table.add_row(each.name, *cells, "yes" if active[i] else "")
    console.print(table)
    low, high = interval(pictures, readings, active, rounds)
    lively = active & (np.percentile(np.nan_to_num(scores), 95, axis=0) > ACTIVE_95TH)
    console.print(
        f"faces found {found.mean():.1%} of {len(found)}; active channels {active.sum()}\n"
        f"mean r {np.nanmean(r[active]):.3f} (95 % by take {low:.3f} to {high:.3f}), "
        f"within one face {np.nanmean(face[active]):.3f}, "
        f"within one face and take {np.nanmean(inside[active]):.3f}\n"
        f"of these, the {lively.sum()} whose scores reach 0.05 in 5 % of the pictures: "
        f"{np.nanmean(r[lively]):.3f}, within one face {np.nanmean(face[lively]):.3f}\n"
        f"MAE {error[active].mean():.3f}, guessing the mean {mean_guess[active].mean():.3f}, "
        f"guessing zero {zero_guess[active].mean():.3f}"
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("takes", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=15, help="draw every k-th frame")
    parser.add_argument("--identities", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--look", default="realistic")
    parser.add_argument("--view", default="front")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=1000, help="of the bootstrap")
    parser.add_argument("--tracker", type=Path, default=HERE.parents[1] / ".tracker")
    parser.add_argument("--keep", type=Path, help="save truth and scores here, NPZ")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    console = Console(width=100)
    begun = time.perf_counter()
    pictures = draw(options.takes, options)
    drawn = time.perf_counter()
    readings = track(pictures, options.tracker)
    console.print(
        f"{len(pictures.pixels)} pictures of {options.size} px, every {options.every}th frame of "
        f"{len(options.takes)} takes on identities {options.identities}, look {options.look}, "
        f"view {options.view}; drawn in {drawn - begun:.0f} s, read in "
        f"{time.perf_counter() - drawn:.0f} s"
    )
    report(console, pictures, readings, options.rounds)
    if options.keep:
        np.savez(options.keep, truth=pictures.truth, scores=readings.scores,
                 take=pictures.take, who=pictures.who)  # fmt: skip


if __name__ == "__main__":
    try:
        main()
    except BadInput as error:
        sys.exit(str(error))
