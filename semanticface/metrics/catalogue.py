"""Every metric by name: unit, which way is better, what it is, whose definition.

Reports and tables read their words here. Names are those of the fields that hold them.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

Better = Literal["lower", "higher", "zero", "one", "reference", "none"]


class Metric(NamedTuple):
    """One row; the formula stands at the field or function of that name."""

    name: str
    unit: str
    better: Better
    """`reference`: as near as can be to the reference's own; `none`: tells, but does not judge."""
    what: str
    source: str


_OWN = "this project"

COEFFICIENTS = (
    Metric("mae", "weight or rad", "lower", "mean absolute error", "standard"),
    Metric("mse", "weight² or rad²", "lower", "mean squared error", "standard"),
    Metric("rmse", "weight or rad", "lower", "root mean squared error", "standard"),
    Metric("bias", "weight or rad", "zero", "mean of prediction less truth", "standard"),
    Metric("pearson", "", "higher", "correlation, on active channels", "Pearson 1895"),
    Metric("ccc", "", "higher", "concordance correlation, on active channels", "Lin 1989"),
    Metric("active_mae", "weight or rad", "lower", "MAE where the truth is above 0.05", _OWN),
    Metric("precision_10", "share", "higher", "shown at 0.1 rightly, of all shown", "standard"),
    Metric("recall_10", "share", "higher", "shown at 0.1, of all to show", "standard"),
    Metric("f1_10", "share", "higher", "harmonic mean of both at 0.1", "standard"),
    Metric("precision_30", "share", "higher", "shown at 0.3 rightly, of all shown", "standard"),
    Metric("recall_30", "share", "higher", "shown at 0.3, of all to show", "standard"),
    Metric("f1_30", "share", "higher", "harmonic mean of both at 0.3", "standard"),
    Metric("amplitude_ratio", "", "one", "sum predicted / sum true where active", _OWN),
    Metric("symmetry_error", "weight or rad", "lower", "error of left minus right", _OWN),
    Metric(
        "coverage", "share", "higher", "of the reference's values, those that are answered", _OWN
    ),
    Metric("missing", "share", "lower", "frames of the truth without a prediction", _OWN),
    Metric("skill", "", "higher", "1 - error / error of a baseline", "Murphy 1988"),
    Metric("skill_zero", "", "higher", "1 - MAE / MAE of guessing zero", "Murphy 1988"),
    Metric("skill_mean", "", "higher", "1 - MAE / MAE of guessing the mean", "Murphy 1988"),
    Metric("grid_share", "share", "none", "values that are multiples of a step", _OWN),
    Metric("levels", "count", "none", "distinct values", _OWN),
)

EVENTS = (
    Metric("blink_f1", "share", "higher", "blinks matched within 100 ms", _OWN),
    Metric("blink_lag", "s", "zero", "matched blinks, predicted less true time", _OWN),
    Metric("opening_lag", "s", "zero", "lips part: predicted less true time", _OWN),
    Metric("closing_lag", "s", "zero", "lips meet: predicted less true time", _OWN),
    Metric("closure_f1", "share", "higher", "closures of the lips matched", _OWN),
    Metric("bilabial_closure", "share", "higher", "mean of `closed_spans` over p, b, m", _OWN),
    Metric("lean_agreement", "share", "higher", "frames with the same stronger side", _OWN),
)

VALIDITY = (
    Metric("out_of_range", "share", "lower", "values outside their channel's range", _OWN),
    Metric("missing_values", "share", "lower", "values asked for that are not there", _OWN),
    Metric("not_finite", "share", "lower", "values that are infinite", _OWN),
    Metric("contradictory", "share", "lower", "frames with movements no face makes together", _OWN),
    Metric("strict", "share", "higher", "answers exactly in their format", _OWN),
    Metric("tolerant", "share", "none", "answers read in spite of their surface", _OWN),
    Metric("repaired", "share", "lower", "broken answers picked apart", _OWN),
    Metric("failed", "share", "lower", "answers without any value", _OWN),
)

JUDGES = (
    Metric("win_rate", "share", "higher", "comparisons won", "Wilson 1927 for the interval"),
    Metric("bradley_terry", "log odds", "higher", "strength from pairs", "Bradley and Terry 1952"),
    Metric("cohen_kappa", "", "higher", "agreement of two raters beyond chance", "Cohen 1960"),
    Metric("fleiss_kappa", "", "higher", "agreement of n raters beyond chance", "Fleiss 1971"),
    Metric("krippendorff_alpha", "", "higher", "agreement, any raters", "Krippendorff 2004"),
    Metric("oracle_drift", "share", "zero", "learnt judge's win rate less people's", "SuperFace"),
)

RETRIEVAL = (
    Metric("r_precision", "share", "higher", "own text among the k nearest of 32", "Guo 2022"),
    Metric("multimodal_distance", "embedding", "lower", "motion to its own text", "Guo 2022"),
    Metric("frechet_distance", "embedding²", "lower", "distance of two clouds", "Heusel 2017"),
)

CATALOGUE: tuple[Metric, ...] = (*COEFFICIENTS, *EVENTS, *VALIDITY, *JUDGES, *RETRIEVAL)


@cache
def every() -> dict[str, Metric]:
    """All metrics by name, with those of the modules that keep their own rows."""
    from semanticface.metrics import geometry, language, semantic, speech, speech_classes, temporal

    rows = [*CATALOGUE]
    for module in (temporal, semantic, geometry, language, speech, speech_classes):
        rows += [Metric(*row) for row in module.ROWS]
    return {row.name: row for row in reversed(rows)}


def metric(name: str) -> Metric:
    """The row of that name; a KeyError names the nearest one."""
    known = {row.name: row for row in CATALOGUE}
    if name in known:
        return known[name]
    if name in every():
        return every()[name]
    from semanticface.errors import did_you_mean

    raise KeyError(f"no metric '{name}'. {did_you_mean(name, list(every()))}".strip())
