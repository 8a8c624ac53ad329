"""TextGrids: exact both ways, both layouts, and praatio as the second opinion."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.formats.textgrid import Interval, read_tiers, write_tiers

FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LABEL = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda text: "\r" not in text
) | st.sampled_from(["item [2]:", 'say "hi"', "xmin = 3", "! no comment", "<exists>", "你好"])


@st.composite
def tiers(draw):
    held = {}
    for name in draw(st.lists(LABEL, max_size=3, unique=True)):
        times = sorted(draw(st.lists(st.floats(0, 100), max_size=8, unique=True)))
        step = draw(st.sampled_from([1, 2]))  # intervals that touch, or with gaps
        spans = list(zip(times[::step], times[1::step], strict=False))
        if draw(st.booleans()):
            spans = [(time, time) for time in times]
        held[name] = [Interval(start, end, draw(LABEL)) for start, end in spans]
    return held


@FEW
@given(held=tiers(), layout=st.sampled_from(["long", "short"]))
def test_round_trip_is_exact(tmp_path, held, layout):
    write_tiers(held, tmp_path / "a.TextGrid", layout=layout)
    assert read_tiers(tmp_path / "a.TextGrid") == held


WORDS = {"words": [Interval(0.1, 0.5, "hello"), Interval(0.7, 0.9, 'a "b"')],
         "beats": [Interval(0.2, 0.2, "x")]}  # fmt: skip


@pytest.mark.parametrize("layout", ["long", "short"])
def test_praatio_reads_the_same(tmp_path, layout):
    textgrid = pytest.importorskip("praatio.textgrid")
    path = tmp_path / "a.TextGrid"
    write_tiers(WORDS, path, layout=layout, end=1.25)
    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    assert grid.tierNames == ("words", "beats")
    assert [tuple(each) for each in grid.getTier("words").entries] == [
        (each.start, each.end, each.text) for each in WORDS["words"]
    ]
    assert [tuple(each) for each in grid.getTier("beats").entries] == [(0.2, "x")]
    assert grid.maxTimestamp == 1.25


@pytest.mark.parametrize("layout", ["long_textgrid", "short_textgrid"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_what_praatio_writes_is_read(tmp_path, layout, encoding):
    textgrid = pytest.importorskip("praatio.textgrid")
    path = tmp_path / "a.TextGrid"
    write_tiers(WORDS, path)
    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    grid.save(str(path), format=layout, includeBlankSpaces=True)
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    assert read_tiers(path) == WORDS


PRAAT = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1.5
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 1.5
            text = "AH1"
"""


def test_praats_own_shape(tmp_path):
    path = tmp_path / "p.TextGrid"
    path.write_text(PRAAT)
    assert read_tiers(path) == {"phones": [Interval(0.5, 1.5, "AH1")]}
    assert len(read_tiers(path, keep_empty=True)["phones"]) == 2
    path.write_bytes(PRAAT.replace("\n", "\r\n").encode("utf-16-be").join([b"\xfe\xff", b""]))
    assert read_tiers(path) == {"phones": [Interval(0.5, 1.5, "AH1")]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('"AH1"', '"AH1'), "row 22: found a quote that is never closed"),
        (("xmax = 0.5", "xmax = -0.5"), "row 17: found the time 0 to -0.5"),
        (("xmax = 0.5", "xmax = 0.5.5"), "row 17: found '0.5.5'"),
        (("size = 2", "size = 3"), "found the end of the file"),
        (("size = 2", "size = 1e9"), "found the end of the file"),
        (("size = 2", "size = -1"), "row 14"),
        (("IntervalTier", "SoundTier"), "row 10: found the class 'SoundTier'"),
        (('"TextGrid"', '"Pitch"'), "the header"),
        (('"AH1"', "7"), "row 22: found '7', expected a label"),
    ],
)
def test_faults_have_a_line(tmp_path, change, words):
    path = tmp_path / "p.TextGrid"
    path.write_text(PRAAT.replace(*change))
    with pytest.raises(BadInput) as fault:
        read_tiers(path)
    assert words in str(fault.value)


@FEW
@given(at=st.integers(0, len(PRAAT)), put=st.text(max_size=3), cut=st.integers(0, 30))
def test_damage_is_refused_or_harmless(tmp_path, at, put, cut):
    path = tmp_path / "p.TextGrid"
    path.write_text(PRAAT[:at] + put + PRAAT[at + cut :], encoding="utf-8", errors="replace")
    try:
        read_tiers(path)
    except SemanticFaceError as fault:
        assert "p.TextGrid" in str(fault)


@pytest.mark.parametrize(
    "tier",
    [
        [Interval(1, 0.5, "a")],
        [Interval(0, 1, "a"), Interval(0.5, 2, "b")],
        [Interval(0, 1, "a"), Interval(1, 1, "b")],
        [Interval(0, float("nan"), "a")],
    ],
)
def test_what_praat_could_not_read_is_not_written(tmp_path, tier):
    with pytest.raises(BadInput, match="column t"):
        write_tiers({"t": tier}, tmp_path / "a.TextGrid")
