"""How metrics are written on a page: words, unit, direction, family and decimals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import floor, isfinite, log10
from statistics import median
from typing import NamedTuple

from semanticface.metrics.catalogue import EVENTS, VALIDITY, every
from semanticface.metrics.geometry import ROWS as VERTICES
from semanticface.metrics.semantic import ROWS as PEAKS
from semanticface.metrics.speech import ROWS as SPEECH
from semanticface.metrics.speech_classes import ROWS as CLASSES
from semanticface.metrics.temporal import ROWS

NONE = "\u2013"
"""A dash: stands where a figure is undefined; never a zero."""
ARROWS: Mapping[str, str] = {
    "lower": "↓", "higher": "↑", "zero": "→ 0", "one": "→ 1", "reference": "≈ ref.", "none": "",
}  # fmt: skip
DIRECTIONS: Mapping[str, str] = {
    "lower": "lower is better", "higher": "higher is better", "zero": "best at 0",
    "one": "best at 1", "reference": "best as the reference's own", "none": "tells, does not judge",
}  # fmt: skip

_LABELS: Mapping[str, str] = {
    "mae": "MAE", "mse": "MSE", "rmse": "RMSE", "pearson": "Pearson r", "ccc": "CCC",
    "active_mae": "active MAE", "blink_f1": "blink F1", "closure_f1": "closure F1",
    "amplitude_ratio": "amplitude",
    **{f"{kind}_{level}": f"{word} at 0.{level[0]}" for level in ("10", "30")
       for kind, word in (("precision", "precision"), ("recall", "recall"), ("f1", "F1"))},
    **{row[0]: row[0].removeprefix("mae_").replace("_", " ") for row in CLASSES},
}  # fmt: skip

AT_A_GLANCE = (
    "coverage", "mae", "active_mae", "bias", "pearson", "ccc", "f1_30", "amplitude_ratio",
    "blink_f1",
)  # fmt: skip
TIME = "Movement in time"
OTHER = "Further figures"
_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("At a glance", AT_A_GLANCE),
    ("Errors", ("mse", "rmse", "symmetry_error", "skill", "skill_zero", "skill_mean",
                "missing")),
    ("Shown or not", tuple(f"{kind}_{level}" for level in ("10", "30")
                           for kind in ("precision", "recall", "f1"))),
    ("Events", tuple(row.name for row in EVENTS)),
    (TIME, tuple(row.name for row in ROWS)),
    ("Validity", (*(row.name for row in VALIDITY), "grid_share", "zero_share", "levels")),
    ("Vertices on a head", tuple(row[0] for row in VERTICES)),
    ("Peak expressions", tuple(row[0] for row in PEAKS)),
    ("A mouth that speaks", tuple(row[0] for row in SPEECH)),
    ("Mouth MAE by class of sound", tuple(row[0] for row in CLASSES)),
)  # fmt: skip


class Measure(NamedTuple):
    """A metric as the head of a column."""

    name: str
    label: str
    unit: str
    better: str
    what: str
    source: str

    @property
    def arrow(self) -> str:
        """`↓`, `↑`, `→ 0` ...; empty where nothing is better."""
        return ARROWS.get(self.better, "")

    @property
    def direction(self) -> str:
        """The arrow in words."""
        return DIRECTIONS.get(self.better, "")

    def badness(self, value: float) -> float | None:
        """How far from the best, to rank by; None where the metric does not judge."""
        ways = {"lower": value, "higher": -value, "zero": abs(value), "one": abs(value - 1)}
        return ways.get(self.better)


def measure(name: str) -> Measure:
    """The words of a metric; a name that no catalogue knows stands for itself."""
    label = _LABELS.get(name, name.replace("_", " "))
    row = every().get(name)
    if row is not None:
        return Measure(name, label, row.unit, row.better, row.what, row.source)
    return Measure(name, label, "", "none", "", "")


def over_shapes(one: Measure) -> Measure:
    """The same of a mean over channels, from which rotations are left out: no radians."""
    return one._replace(unit=one.unit.split(" or rad")[0])


def families(names: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Names by family, in the catalogue's order, each once; strangers come last."""
    left = list(dict.fromkeys(names))
    found = []
    for title, members in _FAMILIES:
        mine = tuple(name for name in members if name in left)
        left = [name for name in left if name not in mine]
        if mine:
            found.append((title, mine))
    return [*found, (OTHER, tuple(left))] if left else found


def places(values: Iterable[float | None]) -> int:
    """Decimals for a column: three digits of its middle value, and of a small one two."""
    sizes = [abs(value) for value in values if value is not None and value != 0 and isfinite(value)]
    if not sizes:
        return 0
    first = floor(log10(median(sizes)))  # -2: hundredths
    return min(max(2 - first, 0), max(4, 1 - first))


def written(value: float | None, decimals: int, *, sign: bool = False) -> str:
    """A number with a true minus sign; NONE where there is none."""
    if value is None or not isfinite(value):
        return NONE
    text = f"{value:{'+' if sign else ''},.{decimals}f}"
    if not text.strip("+-0.,"):  # no minus before a rounded zero
        text = text.lstrip("+-")
    return text.replace("-", "\u2212")


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def counted(number: int, thing: str) -> str:
    """`1 take`, `2 takes`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
