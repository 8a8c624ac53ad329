"""Which sources of a suite are compared with which, and on what frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from semanticface.evaluation import baselines, comparisons
from semanticface.evaluation.ground import Ground, Run
from semanticface.evaluation.result import Comparison
from semanticface.evaluation.suite import BASELINES, Suite
from semanticface.rig import FaceClip

Triple = tuple[FaceClip, FaceClip, FaceClip]


def compared(runs: Mapping[str, Sequence[Run]], ground: Ground) -> Iterator[Comparison]:
    """Every comparison that the suite asks for, where both sides were scored on a take."""
    for one, other, metric, margin in _wanted(ground.suite):
        triples, keys = _triples(one, other, runs, ground)
        if triples:
            shown = tuple(
                baseline_name(name, ground.mean_name) if name in BASELINES else name
                for name in (one, other)
            )
            yield comparisons.compare(
                (shown[0], shown[1]), triples, keys, ground.active, metric=metric, margin=margin,
                mean=ground.means, sure=ground.sure,
            )  # fmt: skip


def _wanted(suite: Suite) -> Iterator[tuple[str, str, str, float | None]]:
    if suite.label_free:
        return
    if suite.comparisons is not None:
        for each in suite.comparisons:
            yield each.one, each.other, each.metric, each.margin
        return
    names = [source.name for source in suite.sources]
    for i, one in enumerate(names):
        for kind in suite.baselines:
            if kind != "previous":
                yield one, kind, "mae", None
        for other in names[i + 1 :]:
            yield one, other, "mae", None
            yield one, other, "pearson", None


def _triples(
    one: str, other: str, runs: Mapping[str, Sequence[Run]], ground: Ground
) -> tuple[list[Triple], list[str]]:
    """(one, other, truth) of every take both were scored on, with its cluster."""
    triples: list[Triple] = []
    keys: list[str] = []
    for first in runs.get(one, ()):
        if first.paired is None:
            continue
        key = first.pairing.cluster
        if other in BASELINES:
            mean = ground.means.get(key)
            triples.append(comparisons.against_rival(
                first.paired, lambda truth, m=mean: baselines.guess(other, truth, m)))  # type: ignore[misc]  # fmt: skip
            keys.append(key)
            continue
        for second in runs.get(other, ()):
            if second.paired is not None and _shown_alike(first, second):
                triples.append(comparisons.joint(first.paired, second.paired))
                keys.append(key)
    return triples, keys


def _shown_alike(first: Run, second: Run) -> bool:
    """Two predictions of one take, and of one face where both were shown several."""
    one, other = (run.prediction.notes.get("identity") for run in (first, second))
    same_face = one is None or other is None or one == other
    return first.item.take == second.item.take and same_face


def baseline_name(kind: str, mean_name: str) -> str:
    """What the result calls a baseline."""
    return mean_name if kind == "mean" else BASELINES[kind]  # type: ignore[index]
