"""Carry out a suite: predict, pair, count, summarise, compare."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import semanticface
from semanticface.errors import BadInput
from semanticface.evaluation import answers, baselines, extras, spoken, summary
from semanticface.evaluation.comparing import baseline_name, compared
from semanticface.evaluation.conventions import measured
from semanticface.evaluation.ground import Ground, Run, ground_of
from semanticface.evaluation.items import Item, PairedFrames, Prediction
from semanticface.evaluation.pairing import Paired, Refused, Switches, pair, sparse
from semanticface.evaluation.predictions import cached
from semanticface.evaluation.result import (
    Evaluation,
    Figure,
    Finding,
    Hashed,
    Pairing,
    SourceResult,
)
from semanticface.evaluation.sources import Source, source_of
from semanticface.evaluation.suite import Suite, of_clip
from semanticface.evaluation.tally import tally
from semanticface.metrics.temporal import frozen, regularity
from semanticface.metrics.temporal import summary as temporal_summary
from semanticface.rig import NAMES, RIG_VERSION, FaceClip

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


class Outcome(NamedTuple):
    """The result, and the frames that a page draws."""

    evaluation: Evaluation
    frames: tuple[PairedFrames, ...]


def evaluate(
    suite: Suite, out: Path | None = None, *, command: str = "", refresh: bool = False,
    progress: Progress | None = None,
) -> Outcome:  # fmt: skip
    """Every source of the suite against its takes.

    `out`: a folder in which predictions are kept, so that an interrupted evaluation
    goes on where it was. Without it nothing is kept.
    """
    ground = ground_of(suite)
    folder = None if out is None else out / "predictions"
    runs = {
        spec.name: _of_one_convention(
            list(_runs(source_of(spec), ground, folder, refresh, progress)), suite.switches
        )
        for spec in suite.sources
    }
    results = [
        _result(spec.name, spec.kind, runs[spec.name], ground) for spec in suite.sources
    ]  # fmt: skip
    if not suite.label_free:
        results += [_baseline(kind, ground) for kind in suite.baselines]
    evaluation = Evaluation(
        name=suite.name, about=suite.about, created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command, truth="no reference" if suite.label_free else suite.truth,
        clustered_by=suite.by, settings=_settings(suite), versions=versions(),
        active=tuple(name for name, on in zip(NAMES, ground.active, strict=True) if on),
        takes=tuple(_hashed(item.truth, item) for item in ground.items if item.truth is not None),
        sources=tuple(results), comparisons=tuple(compared(runs, ground)),
        reference=_reference(ground),
    )  # fmt: skip
    return Outcome(evaluation, tuple(_frames(runs)))


# -- predicting and pairing ------------------------------------------------------------


def _runs(
    source: Source, ground: Ground, folder: Path | None, refresh: bool, progress: Progress | None
) -> Iterator[Run]:
    for number, item in enumerate(ground.items):
        what = f"{source.name}, {item.take}"

        def tell(done: int, total: int, what: str = what) -> None:
            if progress is not None:
                progress(what, done, total)

        tell(0, 0)
        try:
            made = _predict(source, item, folder, refresh, tell)
        except BadInput as error:
            if ground.suite.label_free or len(ground.items) == 1:
                raise
            yield _unpredicted(item, ground, error)
            continue
        for prediction in made:
            yield _run(item, prediction, ground)
        if progress is not None:
            progress(source.name, number + 1, len(ground.items))


def _predict(
    source: Source, item: Item, folder: Path | None, refresh: bool,
    tell: Callable[[int, int], None],
) -> list[Prediction]:  # fmt: skip
    if folder is None:
        return source.predict(item, tell)
    return cached(source, item, folder, tell, refresh=refresh)


def _run(item: Item, prediction: Prediction, ground: Ground) -> Run:
    base = Pairing(
        take=item.take, cluster=ground.keys[item.take], scored=False,
        input=_input(prediction, item), cached=prediction.cached, frames=len(prediction.clip),
    )  # fmt: skip
    return _paired(Run(item, prediction, None, base), ground.suite.switches)


def _input(prediction: Prediction, item: Item) -> Hashed:
    """The file that was read where there was one; else the numbers themselves."""
    told = _hashed(prediction.clip, item, str(prediction.notes.get("path", "")))
    digest = str(prediction.notes.get("sha256", ""))
    return told.model_copy(update={"sha256": digest}) if digest else told


def _paired(run: Run, switches: Switches, elsewhere: frozenset[str] = frozenset()) -> Run:
    """The run with its prediction at the reference's frames, or with what is against it."""
    if run.item.truth is None:
        return run
    found = pair(run.prediction.clip, run.item.truth, switches, elsewhere)
    if isinstance(found, Refused):
        told = {"findings": found.findings, "frames": 0}
        return run._replace(pairing=run.pairing.model_copy(update=told))
    clear = found.lag.clear
    told = {
        "scored": True, "findings": found.findings, "frames": len(found.pred),
        "lag": _known(found.lag.seconds) if clear else None,
        "lag_correlation": _known(found.lag.at_best), "coverage": _known(found.coverage),
    }  # fmt: skip
    return run._replace(paired=found, pairing=run.pairing.model_copy(update=told))


def _of_one_convention(runs: list[Run], switches: Switches) -> list[Run]:
    """Takes that move too little to tell are turned as the source's other takes were."""
    turned = frozenset(
        each.kind for run in runs if run.paired is not None
        for each in run.paired.findings if each.kind in ("mirrored", "mouth pair")
    )  # fmt: skip
    if not turned:
        return runs
    return [_paired(run, switches, turned) if _undecided(run, turned) else run for run in runs]


def _undecided(run: Run, turned: frozenset[str]) -> bool:
    done = {each.kind for each in run.paired.findings} if run.paired is not None else turned
    return not turned <= done


def _unpredicted(item: Item, ground: Ground, error: BadInput) -> Run:
    finding = Finding(kind="no prediction", action="refused", text=str(error))
    pairing = Pairing(
        take=item.take, cluster=ground.keys[item.take], scored=False, findings=(finding,)
    )
    nothing = FaceClip.of(np.empty((0, len(NAMES))), [])
    return Run(item, Prediction(nothing), None, pairing)


# -- scoring ---------------------------------------------------------------------------


class _Scored(NamedTuple):
    clusters: summary.Scored
    at_best: summary.Scored
    keys: tuple[str, ...]


def _result(name: str, kind: str, runs: Sequence[Run], ground: Ground) -> SourceResult:
    base = SourceResult(
        name=name, kind=kind, pairings=tuple(run.pairing for run in runs),
        answers=answers.figures([run.prediction for run in runs],
                                None if ground.suite.label_free else
                                [run.pairing.cluster for run in runs], ground.sure),
        notes=tuple(_notes(runs)),
    )  # fmt: skip
    if ground.suite.label_free:
        return base.model_copy(update={"headline": extras.label_free(runs, ground.sure)})
    used = [run for run in runs if run.paired is not None]
    if not used:
        return base
    return base.model_copy(update=_figures(used, ground))


def _figures(used: Sequence[Run], ground: Ground) -> dict[str, Any]:
    keys = [run.pairing.cluster for run in used]
    pairs = [run.paired for run in used if run.paired is not None]
    means = [ground.means.get(key) for key in keys]
    both = zip(pairs, means, strict=True)
    tallies = [
        (tally(p.pred, p.truth, m, moving=not p.sparse),
         tally(p.pred_at_best, p.truth_at_best, m, moving=not p.sparse))
        for p, m in both
    ]  # fmt: skip
    own, best = zip(*tallies, strict=True)
    moving = [_movement(run) for run in used]
    scored, active, sure = summary.clustered(own, keys), ground.active, ground.sure
    shared = _from_tallies(scored, ground)
    said = spoken.of_sources(used, sure, same_start=ground.suite.switches.same_start)
    return {
        **shared,
        "visemes": said.visemes,
        "headline": {"coverage": _coverage(pairs, keys, sure)}
        | shared["headline"]
        | summary.temporal_figures(moving, keys, sure)
        | extras.geometry(pairs, keys, sure, wanted=ground.suite.geometry)
        | extras.semantic(used, ground.suite)
        | said.figures,
        "at_best_lag": summary.headline_figures(summary.clustered(best, keys), active, sure),
    }


def _reference(ground: Ground) -> dict[str, Figure]:
    """How the reference moves where its frames are motion and not single pictures."""
    moving = [item for item in ground.items if item.truth is not None and not sparse(item.truth)]
    figures = [temporal_summary(item.truth) for item in moving if item.truth is not None]
    keys = [ground.keys[item.take] for item in moving]
    told = spoken.of_reference(moving, keys, ground.sure)
    return (summary.temporal_figures(figures, keys, ground.sure) if moving else {}) | told


def _coverage(pairs: Sequence[Paired], keys: Sequence[str], sure: summary.Sureness) -> Figure:
    shares = np.array([each.coverage for each in pairs])
    return summary.within_bounds("coverage", summary.mean_over_clusters(shares, keys, sure))


def _movement(run: Run) -> dict[str, float]:
    """Tremor at the reference's frames; stops and holes as they are in the prediction itself."""
    paired = run.paired
    if paired is None or paired.sparse:
        return {}
    own, stops = run.prediction.clip, frozen(run.prediction.clip)
    clear = paired.lag.clear and not paired.lag.at_edge
    lag = paired.lag.seconds if clear else float("nan")
    return {
        **temporal_summary(paired.pred, paired.truth, lagging=False), "lag": lag,
        "frozen": stops.share, "longest_freeze": stops.longest,
        "missing_frames": float(regularity(own).missing),
    }  # fmt: skip


def _from_tallies(scored: summary.Scored, ground: Ground) -> dict[str, Any]:
    return {
        **summary.all_figures(scored, ground.active, ground.sure)._asdict(),
        "by_cluster": summary.by_cluster(scored, ground.active),
    }


def _baseline(kind: str, ground: Ground) -> SourceResult:
    truths = [measured(item.truth) for item in ground.items if item.truth]
    keys = [ground.keys[item.take] for item in ground.items]
    means = [ground.means.get(key) for key in keys]
    guesses = [baselines.guess(kind, *each) for each in zip(truths, means, strict=True)]
    tallies = [tally(*each) for each in zip(guesses, truths, means, strict=True)]
    figures = _from_tallies(summary.clustered(tallies, keys), ground)
    said = spoken.of_guesses(guesses, ground.items, keys, ground.sure)
    figures["headline"] |= said.figures
    pairings = tuple(
        Pairing(take=item.take, cluster=key, scored=True, frames=len(clip))
        for item, key, clip in zip(ground.items, keys, truths, strict=True)
    )
    if kind == "mean":
        figures = _without_correlations(figures)
    return SourceResult(
        name=baseline_name(kind, ground.mean_name), kind="baseline", baseline=True,
        pairings=pairings, visemes=said.visemes, **figures,
    )  # fmt: skip


_CORRELATIONS = ("pearson", "ccc")


def _without_correlations(figures: Any) -> Any:
    """A constant has no correlation; over takes, means of the others would have a false one."""
    if not isinstance(figures, dict):
        return figures
    return {
        name: _without_correlations(value)
        for name, value in figures.items()
        if name not in _CORRELATIONS
    }


# -- telling ---------------------------------------------------------------------------


def _frames(runs: Mapping[str, Sequence[Run]]) -> Iterator[PairedFrames]:
    for name, several in runs.items():
        for run in several:
            if run.paired is not None:
                yield PairedFrames(name, run.item.take, run.paired.pred, run.paired.truth)


def _notes(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        for key, value in run.prediction.notes.items():
            if key not in ("path", "sha256", "file"):
                yield f"{run.item.take}: {key}: {value}"


def _hashed(clip: FaceClip, item: Item, path: str = "") -> Hashed:
    same = clip is item.truth
    return Hashed(
        path=path or (str(item.path or "") if same else ""),
        sha256=(item.sha256 if same else "") or of_clip(clip),
        frames=len(clip), rate=_known(clip.rate), subject=clip.meta.subject or item.subject,
        take=item.take, calibrated=clip.meta.calibrated, conventions=clip.meta.conventions,
    )  # fmt: skip


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _settings(suite: Suite) -> dict[str, Any]:
    told: dict[str, Any] = suite.model_dump(mode="json", exclude={"name", "about", "truth"})
    return told


def versions() -> dict[str, str]:
    """Versions of everything that may change a figure."""
    found = {"python": platform.python_version(), "semanticface": semanticface.__version__,
             "rig": RIG_VERSION}  # fmt: skip
    for name in ("numpy", "scipy"):
        found[name] = importlib.metadata.version(name)
    return found


__all__ = ["Figure", "Outcome", "Progress", "Switches", "evaluate", "versions"]
