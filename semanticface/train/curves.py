"""Losses and probes of a run as one picture."""

from __future__ import annotations

from typing import Any

from semanticface.atomic import whole_file
from semanticface.errors import need
from semanticface.train.runs import Run, read_journal

_PANELS = (
    (("mae", "active_mae"), "error"), (("ccc", "pearson"), "agreement"),
    (("strict", "cut", "words", "own", "reward"), "share"), (("levels",), "distinct values"),
)  # fmt: skip


def draw(run: Run) -> None:
    """Write `curves.png` from the run's journals."""
    need("matplotlib", "train", "Drawing a run's curves")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    losses, probes = read_journal(run.log), read_journal(run.probes)
    figure = Figure(figsize=(11, 6), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, 3).flat
    _line(next(panels), losses, ("loss",), "loss")
    _line(next(panels), losses, ("learning_rate",), "learning rate")
    for panel, (keys, label) in zip(panels, _PANELS, strict=True):
        _line(panel, probes, keys, label)
    with whole_file(run.folder / "curves.png") as path:
        figure.savefig(path, format="png", dpi=90)


def _line(panel: Any, rows: list[dict[str, Any]], keys: tuple[str, ...], label: str) -> None:
    for key in keys:
        points = [(row["step"], row[key]) for row in rows if row.get(key) is not None]
        if points:
            panel.plot(*zip(*points, strict=True), marker=".", label=key)
    panel.set_xlabel("step")
    panel.set_ylabel(label)
    if len(keys) > 1 and panel.has_data():
        panel.legend(fontsize="small")
    panel.grid(alpha=0.3)
