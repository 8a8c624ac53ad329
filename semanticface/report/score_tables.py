"""Tables of figures with their intervals: a row a source, a column a metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import ascii_lowercase
from typing import NamedTuple

from semanticface.evaluation.result import Evaluation, Figure, SourceResult
from semanticface.report.measures import (
    OTHER,
    TIME,
    Measure,
    counted,
    families,
    measure,
    over_shapes,
    places,
    written,
)

_WHOLE = 0.8


class Cell(NamedTuple):
    """One figure as it is written."""

    text: str
    low: str
    high: str
    best: bool
    marks: str
    """Letters of its footnotes."""
    clusters: str
    """Said only where the figure rests on other takes than its row."""
    title: str


class Row(NamedTuple):
    """A source, or a source's take, with its cells."""

    name: str
    kind: str
    baseline: bool
    rests_on: str
    cells: tuple[Cell, ...]


class Table(NamedTuple):
    """Figures of one family."""

    title: str
    columns: tuple[Measure, ...]
    rows: tuple[Row, ...]


class Line(NamedTuple):
    """What a row is made of."""

    name: str
    kind: str
    baseline: bool
    clusters: int
    rests_on: str
    figures: Mapping[str, Figure]
    partial: bool = False
    """Answers so little of the reference that it cannot be best of anything."""


class Footnotes:
    """Cautions, each once, in the order in which they turn up."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def mark(self, text: str) -> str:
        """The letter of a caution: a to z, then aa and on."""
        if not text:
            return ""
        if text not in self._texts:
            self._texts.append(text)
        return _letter(self._texts.index(text))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter([(_letter(i), text) for i, text in enumerate(self._texts)])


def _letter(index: int) -> str:
    round_, place = divmod(index, len(ascii_lowercase))
    return ascii_lowercase[place] * (round_ + 1)


def sources_first(evaluation: Evaluation) -> list[SourceResult]:
    """Sources in their order, then the baselines."""
    return sorted(evaluation.sources, key=lambda source: source.baseline)


def headline(evaluation: Evaluation, notes: Footnotes, *, at_best_lag: bool = False) -> list[Table]:
    """The headline figures by family; those of time stand elsewhere on the page."""
    lines = [
        _line(source, source.at_best_lag if at_best_lag else source.headline, evaluation)
        for source in sources_first(evaluation)
    ]
    return [each for each in tables(lines, notes) if each.title != TIME]


def in_time(evaluation: Evaluation, notes: Footnotes) -> list[Table]:
    """The headline's figures of movement in time."""
    lines = [_line(source, source.headline, evaluation) for source in sources_first(evaluation)]
    if evaluation.reference:
        lines.append(Line("the reference itself", "", True, 0, "", evaluation.reference))
    return [each for each in tables(lines, notes) if each.title == TIME]


def answers(evaluation: Evaluation, notes: Footnotes) -> list[Table]:
    """Parse outcomes, consistency and mentions of the sources that answer in text."""
    lines = [
        _line(source, source.answers, evaluation)
        for source in evaluation.sources
        if source.answers
    ]  # fmt: skip
    return [
        each._replace(title="") if each.title == OTHER else each for each in tables(lines, notes)
    ]


def per_cluster(evaluation: Evaluation) -> list[Table]:
    """Every take or subject of every source on its own, without intervals."""
    lines = [
        Line(cluster, source.name, source.baseline, 0, "",
             {name: Figure(value=value) for name, value in values.items()})
        for source in sources_first(evaluation)
        for cluster, values in source.by_cluster.items()
    ]  # fmt: skip
    return tables(lines, Footnotes(), marking=False)


def tables(lines: Sequence[Line], notes: Footnotes, *, marking: bool = True) -> list[Table]:
    """A table a family, of the metrics that any line has."""
    names = [name for line in lines for name in line.figures]
    return [_table(title, columns, lines, notes, marking) for title, columns in families(names)]


def _line(source: SourceResult, figures: Mapping[str, Figure], evaluation: Evaluation) -> Line:
    scored = [pairing for pairing in source.pairings if pairing.scored]
    clusters = max((figure.clusters for figure in figures.values()), default=0)
    clusters = clusters or len({pairing.cluster for pairing in scored})
    frames = sum(pairing.frames for pairing in scored)
    rests_on = f"{counted(clusters, evaluation.clustered_by)}, {frames:,} frames"
    answered = source.headline.get("coverage", Figure(value=None)).value
    partial = answered is not None and answered < _WHOLE
    return Line(source.name, source.kind, source.baseline, clusters, rests_on, figures, partial)


def _table(
    title: str, names: tuple[str, ...], lines: Sequence[Line], notes: Footnotes, marking: bool
) -> Table:
    columns = tuple(over_shapes(measure(name)) for name in names)
    having = [line for line in lines if any(name in line.figures for name in names)]
    made = [_column(column, having, notes, marking) for column in columns]
    rows = tuple(
        Row(line.name, line.kind, line.baseline, line.rests_on, tuple(cells[i] for cells in made))
        for i, line in enumerate(having)
    )
    return Table(title, columns, rows)


def _column(
    column: Measure, lines: Sequence[Line], notes: Footnotes, marking: bool
) -> list[Cell]:  # fmt: skip
    figures = [line.figures.get(column.name, Figure(value=None)) for line in lines]
    decimals = places(figure.value for figure in figures)
    best = _best(column, lines, figures) if marking else None
    return [
        _cell(figure, decimals, figure is best, line.clusters, notes)
        for figure, line in zip(figures, lines, strict=True)
    ]


def _cell(figure: Figure, decimals: int, best: bool, clusters: int, notes: Footnotes) -> Cell:
    low, high = (written(x, decimals) if x is not None else "" for x in (figure.low, figure.high))
    other = figure.clusters if figure.value is not None and figure.clusters else clusters
    title = "; ".join(filter(None, (
        "" if figure.value is None else f"{figure.value:.6g}",
        f"n = {figure.n:,.0f}" if figure.n is not None else "", figure.method, figure.caution,
    )))  # fmt: skip
    return Cell(
        written(figure.value, decimals), low, high, best, notes.mark(figure.caution),
        f"k = {other}" if other != clusters else "", title,
    )  # fmt: skip


def _best(column: Measure, lines: Sequence[Line], figures: Sequence[Figure]) -> Figure | None:
    """The best figure of a source; of two or more, or there is nothing to be best of."""
    ranked = [
        (badness, i)
        for i, (figure, line) in enumerate(zip(figures, lines, strict=True))
        if not (line.baseline or line.partial)
        and figure.value is not None
        and (badness := column.badness(figure.value)) is not None
    ]
    return figures[min(ranked)[1]] if len(ranked) > 1 else None
