"""The page of an evaluation: one HTML text, no script, no font, nothing to fetch."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from markupsafe import Markup

from semanticface.evaluation.items import PairedFrames
from semanticface.evaluation.result import Evaluation, SourceResult
from semanticface.report.agreement_plots import SIDE, agreements
from semanticface.report.chosen import (
    MOST_SOURCES,
    chosen_channels,
    chosen_takes,
    colours,
    drawn_sources,
    of_source,
)
from semanticface.report.confusion import confusions
from semanticface.report.faces import Faces, drawn_faces
from semanticface.report.forest import HEIGHT as ROW
from semanticface.report.forest import WIDTH as FOREST
from semanticface.report.forest import forests
from semanticface.report.heat import heat_maps
from semanticface.report.measures import counted, listed, measure
from semanticface.report.noticed import noticed
from semanticface.report.score_tables import (
    Footnotes,
    answers,
    headline,
    in_time,
    per_cluster,
    sources_first,
)
from semanticface.report.traces import HEIGHT as TRACE
from semanticface.report.traces import NARROW, WIDE, traces

_SHORT_HASH = 12


class Opening(NamedTuple):
    """A source in the first lines of the page."""

    name: str
    kind: str
    colour: str
    verdicts: tuple[str, ...]
    faults: tuple[tuple[str, str], ...]
    """(kind, action) of everything noticed."""


def comparison_page(
    evaluation: Evaluation, frames: Sequence[PairedFrames], *,
    channels: Sequence[str] | None = None, faces: bool = True, identity: int = 0,
) -> str:  # fmt: skip
    """The whole page of an evaluation.

    `frames`: every source on every take, from which plots, curves and faces are drawn;
    none for an evaluation without a reference. `channels`: those to look at closely, by
    default the active ones that agree worst and best in the first source. `faces`: draw
    the worst and best frames, on the face of `identity` (needs the extra `render`).
    """
    frames = [pair for pair in frames if len(pair.truth)]
    close = chosen_channels(evaluation, frames, channels)
    notes = {name: Footnotes() for name in ("headline", "lag", "time", "answers")}
    page: str = _template().render(
        it=evaluation, openings=_openings(evaluation), sizes=_sizes(evaluation),
        reference_device="live link" in evaluation.truth.lower(),
        noticed=[noticed(source) for source in sources_first(evaluation)], notes=notes,
        headline=headline(evaluation, notes["headline"]),
        at_best_lag=headline(evaluation, notes["lag"], at_best_lag=True),
        forests=forests(evaluation), forest_width=FOREST, row_height=ROW, mid=ROW / 2,
        heat_maps=heat_maps(evaluation), confusions=confusions(evaluation),
        plots=agreements(evaluation, frames, close), side=SIDE,
        takes=traces(evaluation, frames, close), wide=WIDE, narrow=NARROW, trace=TRACE,
        left_out=_left_out(evaluation, frames), faces=_faces(evaluation, frames, faces, identity),
        per_cluster=per_cluster(evaluation), in_time=in_time(evaluation, notes["time"]),
        answers=answers(evaluation, notes["answers"]), measures=_measures(evaluation),
        palette=colours(evaluation),
    )  # fmt: skip
    return page


def _template() -> Any:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_text), undefined=StrictUndefined, autoescape=True,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    filters: dict[str, Callable[..., Any]] = {
        "counted": lambda number, thing: counted(number, thing),
        "listed": lambda names: listed([str(name) for name in names]),
        "setting": _setting,
        "short": lambda digest: digest[:_SHORT_HASH],
    }
    environment.filters.update(filters)
    environment.globals["style"] = Markup(_text("comparison_page.css"))  # our own file
    return environment.get_template("comparison_page.html.jinja")


def _text(name: str) -> str:
    return (files("semanticface.report") / name).read_text(encoding="utf-8")


def _setting(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _openings(evaluation: Evaluation) -> list[Opening]:
    palette = colours(evaluation)
    own = [source for source in evaluation.sources if not source.baseline]
    return [_opening(evaluation, source, palette) for source in own]


def _opening(evaluation: Evaluation, source: SourceResult, palette: dict[str, str]) -> Opening:
    verdicts = _first_verdicts(evaluation, source.name)
    faults = [(notice.kind, notice.action) for notice in noticed(source).notices]
    return Opening(
        source.name, source.kind, palette[source.name], tuple(filter(None, verdicts)), tuple(faults)
    )


def _first_verdicts(evaluation: Evaluation, name: str) -> list[str]:
    """By the first metric: against other sources, said of both, then against the baselines."""
    own = [each for each in evaluation.comparisons if name in (each.one, each.other)]
    if not own:
        return []
    baselines = {source.name for source in evaluation.sources if source.baseline}
    first = [each for each in own if each.metric == own[0].metric]
    first.sort(key=lambda each: each.other in baselines)
    return [each.verdict for each in first]


def _sizes(evaluation: Evaluation) -> str:
    """How much was compared, in words."""
    clusters = dict.fromkeys(
        pairing.cluster for source in evaluation.sources for pairing in source.pairings
    )
    own = [source for source in evaluation.sources if not source.baseline]
    parts = [
        counted(len(own), "source"),
        counted(len(evaluation.sources) - len(own), "baseline"),
        counted(len(evaluation.takes), "take"),
        f"{sum(take.frames for take in evaluation.takes):,} frames",
    ]
    if evaluation.clustered_by != "take":
        parts.append(counted(len(clusters), evaluation.clustered_by))
    return ", ".join(parts)


def _left_out(evaluation: Evaluation, frames: Sequence[PairedFrames]) -> tuple[int, int]:
    """Sources and takes that are not drawn because there are too many."""
    names = drawn_sources(evaluation, frames)
    if not names:
        return 0, 0
    takes = len(of_source(frames, names[0])) - len(chosen_takes(frames, names[0]))
    return max(len(names) - MOST_SOURCES, 0), takes


def _faces(
    evaluation: Evaluation, frames: Sequence[PairedFrames], wanted: bool, identity: int
) -> Faces | None:
    return drawn_faces(evaluation, frames, identity) if wanted and frames else None


def _measures(evaluation: Evaluation) -> list[Any]:
    """Every metric on the page that a catalogue explains, once."""
    tables = [
        table
        for source in evaluation.sources
        for table in (
            source.headline,
            source.at_best_lag,
            source.answers,
            *source.channels.values(),
        )
    ]
    names = dict.fromkeys(name for table in tables for name in table)
    return [known for name in names if (known := measure(name)).what]
