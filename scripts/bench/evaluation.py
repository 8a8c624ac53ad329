"""Speed of an evaluation, in one table: 15,000 frames, the whole catalogue, the page.

    python scripts/bench/evaluation.py

Fifteen sampled takes of 1,000 frames and a degraded copy: every metric that compares
with a reference, vertices on the head included, 1,000 bootstrap resamples over takes,
then the page with its drawings. One core; a peer for the coefficient metrics is
scikit-learn with SciPy on the same numbers, point estimates only.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

import resource
import time
import warnings

import numpy as np
from rich.console import Console
from rich.table import Table

from semanticface.evaluation.run import Outcome, evaluate
from semanticface.evaluation.suite import suite_of
from semanticface.report.comparison_page import comparison_page

TAKES, SECONDS, RATE = 15, 1000 / 30, 30.0
SUITE = {
    "name": "bench", "rehearsals": {"count": TAKES, "seconds": SECONDS, "rate": RATE},
    "sources": [{"name": "degraded", "kind": "degraded", "noise": 0.03, "lag": 0.05}],
    "comparisons": [{"one": "degraded", "other": "zero"}],
    "baselines": ["zero", "mean", "previous"],
}  # fmt: skip


def main() -> None:
    """Measure and print."""
    core, plain = timed(lambda: evaluate(suite_of(SUITE)))
    whole, outcome = timed(lambda: evaluate(suite_of({**SUITE, "geometry": True})))
    drawing, page = timed(lambda: comparison_page(outcome.evaluation, outcome.frames))
    peer, _ = timed(lambda: point_estimates(plain))
    frames = sum(len(pair.truth) for pair in outcome.frames)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    table = Table("what", "measured", "asked", title=f"{frames:,} frames x 61, {TAKES} takes")
    table.add_row("everything but vertices, 1,000 resamples", f"{core:.1f} s", "")
    table.add_row("the same with vertices", f"{whole:.1f} s", "10 s")
    table.add_row("the page, faces drawn", f"{drawing:.1f} s", "5 s")
    table.add_row("its size", f"{len(page.encode()) / 1e6:.1f} MB", "5 MB")
    table.add_row("peak memory of the process", f"{memory:.2f} GiB", "1 GB")
    table.add_row("peer: MAE, r, F1 by scikit-learn and SciPy, no interval", f"{peer:.1f} s", "")
    Console(width=100).print(table)


def timed(work):
    """(processor seconds, result): other programs on the machine do not count."""
    begun = time.process_time()
    done = work()
    return time.process_time() - begun, done


def point_estimates(outcome: Outcome) -> None:
    """MAE, Pearson r and F1 at 0.1 and 0.3 of every channel, by well-known libraries."""
    from scipy.stats import pearsonr
    from sklearn.metrics import f1_score, mean_absolute_error

    pred = np.concatenate([pair.pred.values for pair in outcome.frames])
    truth = np.concatenate([pair.truth.values for pair in outcome.frames])
    known = ~(np.isnan(pred) | np.isnan(truth)).any(axis=1)
    for p, y in zip(pred[known].T, truth[known].T, strict=True):
        mean_absolute_error(y, p)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pearsonr(y, p)
            for level in (0.1, 0.3):
                f1_score(y >= level, p >= level, zero_division=0)


if __name__ == "__main__":
    main()
