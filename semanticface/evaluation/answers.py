"""Sources that answer in text: how their answers read, and whether words and numbers agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from semanticface.evaluation.result import Figure
from semanticface.evaluation.summary import Sureness, interval, within_bounds
from semanticface.metrics.clusters import by_key
from semanticface.metrics.grid import grid
from semanticface.metrics.ratio import Floats, ratio
from semanticface.metrics.validity import outcomes

if TYPE_CHECKING:
    from semanticface.evaluation.items import Prediction

_SHARES = {
    "supported": ("supported", "decided"), "contradicted": ("contradicted", "decided"),
    "open": ("open", "claims"), "mention_precision": ("told_active", "told"),
    "mention_recall": ("told_active", "active"),
}  # fmt: skip
_COUNTS = (
    "supported",
    "contradicted",
    "open",
    "decided",
    "claims",
    "told",
    "told_active",
    "active",
)


_EACH = "each answer is counted as independent: nobody says whose face it is"


def figures(
    predictions: Sequence[Prediction], keys: Sequence[str] | None, sure: Sureness
) -> dict[str, Figure]:
    """Parse outcomes, grid, consistency and mentions; empty for sources of numbers only.

    `keys`: the take or subject of each prediction, over which the intervals of the
    language figures go. Without any, every answer counts for itself, and says so.
    """
    reports = [report for each in predictions for report in each.reports]
    if not reports:
        return {}
    found = outcomes(reports, level=sure.level)
    table: dict[str, Figure] = {
        str(name): Figure.of(share, found.answers) for name, share in found.shares.items()
    }
    table["whole"] = Figure.of(found.whole, found.answers)
    return table | _grid(predictions) | _language(predictions, keys, sure)


def _grid(predictions: Sequence[Prediction]) -> dict[str, Figure]:
    values = np.concatenate([each.clip.values for each in predictions if each.reports])
    known = grid(values)
    return {
        "grid_share": Figure(value=known.share, n=known.values),
        "zero_share": Figure(value=known.zeros, n=known.values),
        "levels": Figure(value=float(known.levels), n=known.values),
    }


def _language(
    predictions: Sequence[Prediction], keys: Sequence[str] | None, sure: Sureness
) -> dict[str, Figure]:
    """Consistency of texts with the numbers of the same answer."""
    from semanticface.language.parse import parse_answer
    from semanticface.metrics.language import score_texts

    texts, values = [], []
    owners: list[str] = []
    for each, key in zip(predictions, keys or [""] * len(predictions), strict=True):
        for text, row in zip(each.texts, each.clip.values, strict=False):
            told = parse_answer(text).description
            if told is not None and np.isfinite(row).any():
                texts.append(told)
                values.append(row)
                owners.append(key or f"answer {len(owners)}")
    if not texts:
        return {}
    scored = score_texts(texts, np.stack(values), clusters=owners)
    columns = {name: np.asarray(column, np.float64) for name, column in scored.columns().items()}
    columns["decided"] = columns["supported"] + columns["contradicted"]
    columns["claims"] = columns["decided"] + columns["open"]
    rows = np.stack([columns[name] for name in _COUNTS], axis=1)
    clusters = by_key(list(rows), owners)

    def shares(s: Floats) -> Floats:
        at = {name: s[..., i] for i, name in enumerate(_COUNTS)}
        return np.stack([ratio(at[part], at[whole]) for part, whole in _SHARES.values()], axis=-1)

    found = interval(np.asarray(clusters.sums), shares, len(clusters.names), sure)
    if keys is None:
        found = found._replace(caution="; ".join(filter(None, (_EACH, found.caution))))
    return {
        name: within_bounds(
            name,
            Figure.of(
                found._replace(estimate=found.estimate[i], low=found.low[i], high=found.high[i]),
                float(columns[_SHARES[name][1]].sum()),
            ),
        )
        for i, name in enumerate(_SHARES)
    }
