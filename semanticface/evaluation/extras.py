"""Figures that do not come from tallies: vertices on a rig, peak expressions, no reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from semanticface.evaluation.pairing import Paired
from semanticface.evaluation.result import Figure
from semanticface.evaluation.summary import Sureness, mean_over_clusters, within_bounds
from semanticface.metrics.grid import grid
from semanticface.metrics.temporal import summary as temporal_summary
from semanticface.metrics.validity import validity, validity_sums
from semanticface.rig import FaceClip

if TYPE_CHECKING:
    from semanticface.evaluation.ground import Run
    from semanticface.evaluation.suite import Suite

GEOMETRY = (
    "lve_max_squared", "lve_root", "lve_mean_max", "fdd", "fdd_distance", "lip_gap_error",
    "lip_gap_bias", "aperture_error", "aperture_bias",
)  # fmt: skip
LABEL_FREE = (
    "jitter", "high_share", "smoothness", "frozen", "longest_freeze", "step_spread",
    "missing_values", "out_of_range", "contradictory", "grid_share", "zero_share", "levels",
)  # fmt: skip


def geometry(
    pairs: Sequence[Paired], keys: Sequence[str], sure: Sureness, *, wanted: bool
) -> dict[str, Figure]:
    """Vertex errors on the package's head, in millimetres; means over clusters."""
    if not wanted:
        return {}
    from semanticface.metrics.geometry import compare_clips
    from semanticface.metrics.zones import find_zones
    from semanticface.render.head import load_head

    head = load_head()
    zones = find_zones(head)
    found = [compare_clips(head, pair.truth, pair.pred, zones) for pair in pairs]
    return {
        name: within_bounds(
            name,
            mean_over_clusters(
                np.array([getattr(each, name) for each in found], np.float64), keys, sure
            ),
        )
        for name in GEOMETRY
    }


def semantic(runs: Sequence[Run], suite: Suite) -> dict[str, Figure]:
    """REFA's label-free scores, where a take says when which expression was shown."""
    from pathlib import Path

    from semanticface.evaluation.suite import segments_of
    from semanticface.metrics.peaks import load_peaks
    from semanticface.metrics.segments import read_segments
    from semanticface.metrics.semantic import Recording, score_recordings

    recordings = []
    for run in runs:
        place = segments_of(suite, run.item)
        if place is not None and run.paired is not None:
            subject = run.item.subject or run.item.take
            segments = read_segments(place)
            recordings.append(Recording(run.paired.pred, segments, run.item.take, subject))
    if not recordings:
        return {}
    table = load_peaks(Path(suite.peaks)) if suite.peaks else load_peaks()
    report = score_recordings(recordings, table)
    return {
        name: Figure(value=score.value, n=score.n, clusters=len(report.subjects))
        for name, score in report.scores.items()
        if np.isfinite(score.value)
    }


def label_free(runs: Sequence[Run], sure: Sureness) -> dict[str, Figure]:
    """What can be said of a source without any reference."""
    rows: list[dict[str, float]] = []
    for run in runs:
        clip = run.prediction.clip
        moving = temporal_summary(clip) if len(clip) > 2 and _timed(clip) else {}
        faults = validity(validity_sums(clip.values, clip.present))
        known = clip.values[np.isfinite(clip.values)]
        steps = grid(clip.values)
        rows.append({
            **moving, "missing_values": float(faults.missing_all),
            "out_of_range": float(faults.out_of_range_all),
            "contradictory": float(faults.contradictory), "grid_share": float(steps.share),
            "zero_share": float((known == 0).mean()) if len(known) else float("nan"),
            "levels": float(steps.levels),
        })  # fmt: skip
    keys = [run.pairing.cluster for run in runs]
    table = {}
    for name in LABEL_FREE:
        values = np.array([row.get(name, np.nan) for row in rows], np.float64)
        figure = mean_over_clusters(values, keys, sure)
        if figure.value is not None:
            table[name] = within_bounds(name, figure)
    return table


def _timed(clip: FaceClip) -> bool:
    """Whether the file said when its frames are: answers about single pictures are no motion."""
    return not any("no timing in the file" in each for each in clip.meta.conventions)
