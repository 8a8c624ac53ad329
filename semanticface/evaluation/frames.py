"""Every scored frame as a row of one Parquet file, for those who want to look further."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semanticface.atomic import whole_file
from semanticface.errors import need
from semanticface.evaluation.items import PairedFrames
from semanticface.rig import BLENDSHAPES, NAMES

_SHAPES = [each.index for each in BLENDSHAPES]


def save_frames(several: Sequence[PairedFrames], path: Path) -> None:
    """Columns: source, take, frame, seconds, mae over the shapes, worst channel, its error,
    then `pred.NAME` and `truth.NAME` of every channel; null where nothing was measured."""
    arrow = need("pyarrow", "formats", "writing frames as Parquet")
    parquet = need("pyarrow.parquet", "formats", "writing frames as Parquet")
    tables = [arrow.table(_columns(each)) for each in several]
    with whole_file(path) as temporary:
        parquet.write_table(arrow.concat_tables(tables), temporary, compression="zstd")


def _columns(of: PairedFrames) -> dict[str, object]:
    error = np.abs(of.pred.values - of.truth.values)
    shapes = error[:, _SHAPES]
    known = ~np.isnan(shapes)
    some = known.any(axis=1)
    filled = np.where(known, shapes, -1.0)
    worst = filled.argmax(axis=1)
    count = known.sum(axis=1)
    mean = np.where(some, np.where(known, shapes, 0).sum(axis=1) / np.maximum(count, 1), np.nan)
    rows = np.arange(len(worst))
    columns: dict[str, object] = {
        "source": [of.source] * len(rows), "take": [of.take] * len(rows), "frame": rows,
        "seconds": of.truth.times, "mae": _nullable(mean.astype(np.float32)),
        "worst": [NAMES[_SHAPES[j]] if ok else None for j, ok in zip(worst, some, strict=True)],
        "worst_error": _nullable(np.where(some, filled[rows, worst], np.nan).astype(np.float32)),
    }  # fmt: skip
    for side, clip in (("pred", of.pred), ("truth", of.truth)):
        for i, name in enumerate(NAMES):
            columns[f"{side}.{name}"] = _nullable(clip.values[:, i])
    return columns


def _nullable(values: np.ndarray) -> object:
    arrow = need("pyarrow", "formats", "writing frames as Parquet")
    return arrow.array(values, mask=np.isnan(values))
