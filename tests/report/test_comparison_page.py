"""The page of an evaluation holds every figure, names every fault and fetches nothing."""

from __future__ import annotations

import math
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from evaluated import DEAD, evaluation_of

from semanticface.evaluation.result import Evaluation, Finding, Pairing, SourceResult
from semanticface.motion.rehearsal import perform
from semanticface.report.comparison_page import comparison_page
from semanticface.report.measures import measure
from semanticface.rig import COUNT, INDEX, NAMES

VOID = {"meta", "br", "img", "input", "link", "hr"}
NUMBERS = {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height"}


class Page(HTMLParser):
    """Checks that tags nest, and keeps tables, attributes and the text of every section."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.tables: list[list[list[str]]] = []
        self.sections: dict[str, str] = {"": ""}
        self._section = ""
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "h2":
            self._section = given["id"]
            self.sections[self._section] = ""
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag in ("small", "li", "sup"):
            self.handle_data("|")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.sections[self._section] += data
        if "tr" in self.open and self.tables[-1][-1]:
            self.tables[-1][-1][-1] += data

    def rows(self, *wanted: str) -> list[list[str]]:
        """Rows of which every wanted text begins some cell."""
        return [
            row for table in self.tables for row in table
            if all(any(cell.strip().startswith(text) for cell in row) for text in wanted)
        ]  # fmt: skip


def number(text: str) -> float:
    return float(text.replace("\u2212", "-").replace(",", "").replace("●", ""))


def agrees(text: str, value: float) -> bool:
    """The written number is the value, rounded as far as it is written."""
    decimals = len(text.strip().partition(".")[2])
    return abs(number(text) - value) <= 0.5 * 10.0**-decimals * (1 + 1e-6)


@pytest.fixture(scope="module")
def evaluated():
    takes = {f"take {i}": perform(seed=i) for i in range(3)}
    return evaluation_of(takes, truth="a performance made from a formula")


@pytest.fixture(scope="module")
def html(evaluated):
    return comparison_page(*evaluated)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def tables_of(page: Page, first: str) -> list[list[list[str]]]:
    return [table for table in page.tables if table[0][0].strip() == first]


def figures_in(tables, row_name: str) -> dict[str, list[str]]:
    """Label of a column -> cells under it in the row of that name, over all tables."""
    found: dict[str, list[str]] = {}
    for table in tables:
        labels = [cell.split("|")[0].strip() for cell in table[0]]
        for row in table[1:]:
            if row[0].split("|")[0].strip() == row_name:
                for label, cell in zip(labels[1:], row[1:], strict=True):
                    found.setdefault(label, []).append(cell)
    return found


@pytest.mark.parametrize("which", ["headline", "at_best_lag"])
def test_every_figure_stands_there_with_its_interval(evaluated, page, which):
    tables = tables_of(page, "source")
    for source in evaluated[0].sources:
        cells = figures_in(tables, source.name)
        for name, figure in getattr(source, which).items():
            written = cells[measure(name).label]
            if figure.value is None:
                assert any(cell.split("|")[0].strip() == "\u2013" for cell in written)
                continue
            assert any(_tells(cell, figure) for cell in written), (source.name, name, written)


def _tells(cell: str, figure) -> bool:
    value, *rest = cell.split("|")
    if value.strip() == "\u2013" or not agrees(value, figure.value):
        return False
    if figure.low is None:
        return not any(" to " in part for part in rest)
    low, high = next(part for part in rest if " to " in part).split(" to ")
    return agrees(low, figure.low) and agrees(high, figure.high)


def test_every_take_of_every_source_has_its_row(evaluated, page):
    tables = tables_of(page, "take")
    for source in evaluated[0].sources:
        for take, values in source.by_cluster.items():
            rows = [
                row
                for table in tables
                for row in table
                if row[0].strip() == f"{take}|{source.name}"
            ]
            written = [cell for row in rows for cell in row[1:]]
            for name, value in values.items():
                if value is not None:
                    assert any(c.strip() != "\u2013" and agrees(c, value) for c in written), name


def test_every_comparison_has_a_row_with_its_interval(evaluated, page):
    for each in evaluated[0].comparisons:
        rows = page.rows(f"{each.one}|less {each.other},")
        told = [row[2].split("|") for row in rows]
        assert any(agrees(value, each.difference.value) for value, _ in told)
        spreads = [interval.split(" to ") for _, interval in told]
        assert any(
            agrees(a, each.difference.low) and agrees(b, each.difference.high) for a, b in spreads
        )
        assert each.verdict in page.sections["comparisons"]


def test_every_finding_is_named_under_its_source(evaluated, page):
    text = page.sections["noticed"]
    for source in evaluated[0].sources:
        for pairing in source.pairings:
            for finding in pairing.findings:
                (row,) = page.rows(finding.kind, finding.action)
                assert finding.text in row[2]
                assert not finding.flag or finding.flag in row[3]
                assert text.index(source.name) < text.index(finding.text)
    assert "mouth pair" in page.sections[""]  # and at the top of the page


def test_verdicts_against_the_baselines_stand_first(evaluated, page):
    for each in evaluated[0].comparisons:
        if each.metric == "mae" and each.other == "all zero":
            assert each.verdict in page.sections[""]


def test_the_map_has_every_channel_with_pairs_side_by_side(evaluated, page):
    maps = tables_of(page, "channel")
    assert len(maps) == 4
    for table in maps:
        names = [row[0].strip() for row in table[1:]]
        assert sorted(n for n in names if n in INDEX) == sorted(NAMES)
        for name in names:
            if name in INDEX and name.endswith("Left"):
                right = name.removesuffix("Left") + "Right"
                assert names[names.index(name) + 1] == right
    dead = [row for row in maps[0] if row[0].strip() == DEAD]
    assert dead[0][1].startswith("dead ")
    assert not any(cell.startswith("dead") for cell in dead[0][2:])


def test_values_of_the_map_are_the_channels_own(evaluated, page):
    table = tables_of(page, "channel")[0]
    for row in table[1:]:
        if row[0].strip() in INDEX:
            for cell, name in zip(row[1:], table[0][1:], strict=True):
                figure = evaluated[0].source(name.strip()).channels[row[0].strip()]["mae"]
                assert agrees(cell.removeprefix("dead "), figure.value)


def test_inactive_channels_are_dimmed(evaluated, html):
    dim = re.findall(r'<tr class="dim"><th scope="row"[^>]*>(\w+)</th>', html)
    assert set(dim) == set(NAMES) - set(evaluated[0].active)


def test_it_fetches_nothing(page, html):
    for tag, given in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "base")
        for name in ("src", "href", "srcset", "data", "action"):
            assert given.get(name, "#").startswith(("#", "data:image/")), (tag, given)
        assert not any(name.startswith("on") for name in given)
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style and "@import" not in style
    assert "http:" not in html and "https:" not in html


def test_numbers_in_drawings_are_finite(page):
    counted = 0
    for tag, given in page.tags:
        if tag == "polyline":
            pairs = [point.split(",") for point in given["points"].split()]
            assert pairs and all(math.isfinite(float(v)) for pair in pairs for v in pair)
            counted += len(pairs)
        elif tag in ("line", "rect", "circle", "text", "image"):
            values = [float(given[name]) for name in NUMBERS & given.keys()]
            assert all(map(math.isfinite, values)), (tag, given)
            counted += len(values)
    assert counted > 1000


def test_tables_say_what_their_heads_are_for(page):
    assert all(given.get("scope") for tag, given in page.tags if tag == "th")
    assert all(given.get("alt") for tag, given in page.tags if tag == "img")
    ids = [given["id"] for _, given in page.tags if "id" in given]
    assert len(ids) == len(set(ids))
    links = {given["href"] for tag, given in page.tags if tag == "a"}
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_worst_and_best_frames_are_drawn(evaluated, page):
    pictures = [given["src"] for tag, given in page.tags if tag == "img"]
    assert len(pictures) == 3 * 5  # three sources that are no baselines
    assert all(src.startswith("data:image/jpeg;base64,") for src in pictures)
    assert len(set(pictures)) == len(pictures)


def test_origin_is_told(evaluated, page):
    evaluation, _ = evaluated
    text = page.sections["origin"]
    assert evaluation.command in text
    for take in evaluation.takes:
        assert take.sha256[:12] in text and take.path in text
    for name, value in evaluation.versions.items():
        assert name in text and value in text
    assert all(name in text for name in evaluation.settings)


def test_live_link_face_is_called_a_reference_device(evaluated, page):
    evaluation, _ = evaluated
    assert "not truth" not in page.sections[""]
    told = comparison_page(evaluation.model_copy(update={"truth": "Live Link Face takes"}), ())
    assert "reference device, not truth" in told


# -- evaluations that are not like others --------------------------------------


def renamed(evaluation: Evaluation, **changes) -> Evaluation:
    return evaluation.model_copy(update=changes)


def test_one_take_has_no_intervals(evaluated):
    evaluation, frames = evaluation_of({"only": perform()})
    page = Page(comparison_page(evaluation, frames, faces=False))
    cells = figures_in(tables_of(page, "source"), "near copy")["MAE"]
    assert not any(" to " in cell for cell in cells)
    assert "one take: no interval can be had" in page.sections["scores"]
    assert "no interval" in page.sections["comparisons"]


def test_one_source_alone(evaluated):
    evaluation, frames = evaluated
    alone = renamed(evaluation, sources=evaluation.sources[:1], comparisons=())
    html = comparison_page(alone, [f for f in frames if f.source == "degraded copy"], faces=False)
    page = Page(html)
    assert "Nothing was compared" in page.sections["comparisons"]
    assert "● " not in "".join(c for t in tables_of(page, "source") for r in t for c in r)
    assert "<b>0." not in html[html.index('id="scores"') : html.index('id="comparisons"')]


def test_without_a_reference_the_sections_say_so(evaluated):
    evaluation, _ = evaluated
    bare = tuple(
        SourceResult(
            name=source.name, kind=source.kind,
            headline={"out_of_range": source.headline["mae"]},
            answers={"strict": source.headline["mae"], "consistency": source.headline["mae"]},
        )
        for source in evaluation.sources[:2]
    )  # fmt: skip
    page = Page(comparison_page(renamed(evaluation, sources=bare, comparisons=(), active=()), ()))
    for section in ("channels", "agreement", "curves", "frames"):
        assert "Without a reference" in page.sections[section]
    cells = figures_in(tables_of(page, "source"), bare[0].name)
    assert agrees(cells["strict"][0].split("|")[0], bare[0].answers["strict"].value)
    assert "consistency" in cells and "out of range" in cells


def test_a_channel_nobody_measured_is_left_open(evaluated):
    evaluation, frames = evaluated
    lost = []
    for pair in frames:
        values = pair.pred.values.copy()
        values[:, INDEX["jawOpen"]] = np.nan
        lost.append(pair._replace(pred=pair.pred.with_values(values)))
    html = comparison_page(evaluation, lost, channels=["jawOpen", "mouthSmileLeft"], faces=False)
    page = Page(html)
    assert "jawOpen" not in page.sections["agreement"]
    assert "mouthSmileLeft" in page.sections["agreement"]
    assert "jawOpen" in page.sections["curves"]
    assert "nan" not in re.sub(r"base64,[^\"]*", "", html).lower().split("<main>")[1]


EVIL = '<script>alert("1")</script><img src=x onerror=alert(2)>&amp;\'"'


def hostile(evaluation: Evaluation) -> Evaluation:
    """The same with markup wherever somebody else's text can stand."""
    finding = Finding(kind=EVIL, action="refused", text=EVIL, flag=EVIL, channels=(EVIL,))
    pairing = Pairing(take=EVIL, cluster=EVIL, scored=False, findings=(finding,))
    first = evaluation.sources[0]
    figure = first.headline["mae"].model_copy(update={"caution": EVIL, "method": EVIL})
    changes = {
        "name": EVIL, "kind": EVIL, "pairings": (pairing,), "notes": (EVIL,),
        "by_cluster": {EVIL: {"mae": 0.1}}, "answers": {EVIL: figure}, "headline": {"mae": figure},
    }  # fmt: skip
    compared = [
        each.model_copy(update={"one": EVIL, "verdict": EVIL, "difference": figure})
        for each in evaluation.comparisons[:2]
    ]
    named = [take.model_copy(update={"take": EVIL, "path": EVIL}) for take in evaluation.takes]
    return renamed(
        evaluation, name=EVIL, about=EVIL, command=EVIL, truth=EVIL, clustered_by=EVIL,
        created=EVIL, sources=(first.model_copy(update=changes), *evaluation.sources[1:]),
        settings={EVIL: {EVIL: EVIL}}, versions={EVIL: EVIL}, takes=tuple(named),
        comparisons=tuple(compared),
    )  # fmt: skip


def test_names_are_text_and_never_markup(evaluated):
    evaluation, frames = evaluated
    own = [f._replace(source=EVIL, take=EVIL) for f in frames if f.source == "degraded copy"]
    page = Page(comparison_page(hostile(evaluation), own))
    assert not [tag for tag, _ in page.tags if tag == "script"]
    assert not [given for _, given in page.tags if "onerror" in given]
    assert page.sections["noticed"].count(EVIL) >= 6
    for section in ("", "scores", "comparisons", "curves", "frames", "takes", "origin"):
        assert EVIL in page.sections[section]


def test_twelve_sources_stay_readable(evaluated):
    evaluation, frames = evaluated
    first = evaluation.sources[0]
    own = [pair for pair in frames if pair.source == first.name]
    names = [f"source {i:02d}" for i in range(12)]
    many = renamed(
        evaluation, sources=tuple(first.model_copy(update={"name": name}) for name in names)
    )
    page = Page(comparison_page(many, [p._replace(source=n) for n in names for p in own]))
    assert "8 further sources left out" in page.sections["agreement"]
    assert "6 further sources left out" in page.sections["frames"]
    for name in names:
        assert name in page.sections["scores"]
    assert len(tables_of(page, "channel")[0][0]) == 13


def test_many_takes_show_the_worst_middle_and_best(evaluated):
    evaluation, frames = evaluated
    pairs = [p for p in frames if p.source == "degraded copy"]
    many = [pairs[i % 3]._replace(take=f"many {i}") for i in range(7)]
    page = Page(comparison_page(evaluation, many, faces=False))
    assert "Of 7 takes the worst, the middle and the best" in page.sections["curves"]


def test_chosen_channels_are_checked(evaluated):
    with pytest.raises(KeyError, match="jawOpen"):
        comparison_page(*evaluated, channels=["jawOpn"], faces=False)


def test_without_the_renderer_the_page_names_the_extra(evaluated, monkeypatch):
    for name in [n for n in sys.modules if n.startswith(("semanticface.render", "numba"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numba", None)
    page = Page(comparison_page(*evaluated))
    assert "pip install 'semanticface[render]'" in page.sections["frames"]
    assert not [tag for tag, _ in page.tags if tag == "img"]


def test_an_evaluation_read_back_gives_the_same_page(evaluated, tmp_path):
    evaluation, frames = evaluated
    evaluation.save(tmp_path / "it.json")
    back = Evaluation.load(tmp_path / "it.json")
    assert comparison_page(back, frames, faces=False) == comparison_page(
        evaluation, frames, faces=False
    )


@pytest.mark.slow
def test_real_takes_name_every_planted_fault(shared):
    from semanticface.formats import livelink_csv

    names = ("S07-001", "alex_rom_3", "apfel")
    takes = {n: livelink_csv.read(shared / "livelink" / f"{n}.csv") for n in names}
    html = comparison_page(*evaluation_of(takes))
    assert len(html.encode()) < 5_000_000
    page = Page(html)
    for fault in ("mouth pair", "lag", "dead channel", "jitter", "muted", "too smooth"):
        assert fault in page.sections[""] and fault in page.sections["noticed"]
    assert "80 ms late" in page.sections["curves"]
    assert DEAD in page.sections["agreement"]  # stands still, so it agrees worst
    assert sum(1 for tag, _ in page.tags if tag == "image") == 6 * 3 * 2
    assert COUNT == 61 and len(tables_of(page, "channel")[0]) >= COUNT
