"""A table of what a change did to a clip, region by region."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from semanticface.rig import FaceClip

_COLUMNS = ("mean", "95 %", "jitter x1000", "frozen %", "above 8 Hz %")


def print_table(before: FaceClip, after: FaceClip) -> None:
    """Print the figures of both clips for each region, with what is left of the peaks."""
    from semanticface.cli.console import out

    out().print(_table(before, after))
    out().print(
        "jitter: mean absolute second difference per frame squared. peaks: height left of every\n"
        "rise of at least 0.2 (n of them). frozen: frames like the one before, channel by channel.",
        style="dim", markup=False,
    )  # fmt: skip


def _table(before: FaceClip, after: FaceClip) -> Table:
    from rich.table import Table

    from semanticface.rig import REGIONS, region_indices

    table = Table("region", box=None, header_style="bold", pad_edge=False)
    for name in (*_COLUMNS, "peaks kept"):
        table.add_column(name, justify="right")
    columns = list(zip(_figures(before), _figures(after), strict=True))
    for region in REGIONS:
        chosen = list(region_indices(region))
        if not before.present[chosen].any():
            continue
        cells = [f"{_mean(one, chosen)} → {_mean(other, chosen)}" for one, other in columns]
        table.add_row(region, *cells, _kept(before, after, chosen))
    return table


def _figures(clip: FaceClip) -> list[list[float]]:
    """One list [61] for each of the columns."""
    import numpy as np

    from semanticface.metrics.temporal import frozen, high_share, jitter
    from semanticface.rig import COUNT

    known = np.isfinite(clip.values).any(axis=0)
    mean, high = np.full(COUNT, np.nan), np.full(COUNT, np.nan)
    mean[known] = np.nanmean(clip.values[:, known], axis=0)
    high[known] = np.nanpercentile(clip.values[:, known], 95, axis=0)
    shaken = jitter(clip).per_frame * 1000
    stuck = frozen(clip).channels * 100
    fast = high_share(clip) * 100
    return [column.tolist() for column in (mean, high, shaken, stuck, fast)]


def _mean(column: list[float], chosen: list[int]) -> str:
    known = [column[i] for i in chosen if column[i] == column[i]]
    return f"{sum(known) / len(known):.3f}" if known else "-"


def _kept(before: FaceClip, after: FaceClip, chosen: list[int]) -> str:
    from semanticface.metrics.retention import peak_retention

    kept, peaks = peak_retention(before, after)
    many = int(peaks[chosen].sum())
    if not many:
        return "-"
    share = sum(kept[i] * peaks[i] for i in chosen if peaks[i]) / many
    return f"{100 * share:.1f} % ({many})"
