"""Alignments of other tools come in whole, and go out and in again unchanged."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.formats.ctm import read_ctm, write_ctm
from semanticface.formats.srt import read_srt, write_srt
from semanticface.formats.textgrid import Interval, write_tiers
from semanticface.formats.whisperx_json import read_whisperx
from semanticface.speech.alignments import WordsOnly, read_alignment, symbols_of, write_alignment
from semanticface.speech.timeline import Sound, Timeline, Word

HELLO = Timeline(
    (Sound("HH", 0.1, 0.18, None, 0), Sound("AH", 0.18, 0.25, 0, 0), Sound("L", 0.25, 0.3, None, 0),
     Sound("OW", 0.3, 0.5, 1, 0), Sound("B", 0.7, 0.8, None, 1), Sound("IY", 0.8, 1.0, 1, 1)),
    (Word("hello", 0.1, 0.5), Word("bee", 0.7, 1.0)), 1.25,
)  # fmt: skip


def plain(timeline):
    """Without scores, which files do not hold (NaN equals nothing)."""
    return [s[:5] for s in timeline.sounds], [w[:3] for w in timeline.words]


def test_a_textgrid_comes_back_as_it_went(tmp_path):
    write_alignment(HELLO, tmp_path / "a.TextGrid")
    back = read_alignment(tmp_path / "a.TextGrid")
    assert plain(back) == plain(HELLO)
    assert not back.faults


def test_what_praatio_reads_of_it(tmp_path):
    textgrid = pytest.importorskip("praatio.textgrid")
    write_alignment(HELLO, tmp_path / "a.TextGrid")
    grid = textgrid.openTextgrid(str(tmp_path / "a.TextGrid"), includeEmptyIntervals=False)
    assert [each.label for each in grid.getTier("phones").entries] == [
        "HH", "AH0", "L", "OW1", "B", "IY1"]  # fmt: skip
    assert grid.maxTimestamp == 1.25


def test_mfa_with_speakers_and_silences(tmp_path):
    write_tiers({
        "ann - words": [Interval(0.0, 0.2, "<eps>"), Interval(0.2, 0.5, "map")],
        "ann - phones": [Interval(0.0, 0.2, "sil"), Interval(0.2, 0.3, "M"),
                         Interval(0.3, 0.4, "AE1"), Interval(0.4, 0.5, "P"),
                         Interval(0.5, 0.6, "spn")],
    }, tmp_path / "a.TextGrid")  # fmt: skip
    found = read_alignment(tmp_path / "a.TextGrid")
    assert [s[:5] for s in found.sounds] == [
        ("M", 0.2, 0.3, None, 0), ("AE", 0.3, 0.4, 1, 0), ("P", 0.4, 0.5, None, 0)]  # fmt: skip
    assert [w.text for w in found.words] == ["map"]
    assert found.contacts("lips") == [(0.2, 0.3), (0.4, 0.5)]


def test_chinese_by_initials_and_finals(tmp_path):
    write_tiers({
        "words": [Interval(0.1, 0.4, "妈妈")],
        "phones": [Interval(0.1, 0.15, "m"), Interval(0.15, 0.25, "a1"), Interval(0.25, 0.3, "m"),
                   Interval(0.3, 0.4, "a5"), Interval(0.5, 0.6, "x"), Interval(0.6, 0.8, "iang3")],
    }, tmp_path / "a.TextGrid")  # fmt: skip
    found = read_alignment(tmp_path / "a.TextGrid")
    assert found.symbols == "pinyin"
    assert found.contacts("lips") == [(0.1, 0.15), (0.25, 0.3)]
    last = [p for p in found.pieces() if p.start >= 0.6 - 1e-9]
    assert [p.phone for p in last] == ["IY", "AA", "NG"]
    assert last[-1].end == pytest.approx(0.8)


def test_ipa_of_us_english_becomes_arpabet(tmp_path):
    means = {
        "pʰ": "P", "ʊ": "UH", "t": "T", "ð": "DH", "ə": "AH", "kʰ": "K", "ˈæ": "AE", "tʃ": "CH",
        "dʒ": "JH", "ç": "HH", "ɫ̩": "L", "iː": "IY", "aw": "AW", "m̩": "M", "ɾ̃": "D", "fʲ": "F",
        "ɔj": "OY", "ɝ": "ER", "t͡ʃ": "CH", "spn": "",
    }  # fmt: skip
    rows = [Interval(0.1 * i, 0.1 * (i + 1), each) for i, each in enumerate(means)]
    write_tiers({"words": [], "phones": rows}, tmp_path / "a.TextGrid")
    found = read_alignment(tmp_path / "a.TextGrid")
    assert [each.symbol for each in found.sounds] == list(means.values())[:-1]
    assert found.symbols == "arpabet" and not found.faults
    assert len(found.contacts("lips")) == 2
    write_alignment(found, tmp_path / "b.TextGrid")
    assert plain(read_alignment(tmp_path / "b.TextGrid")) == plain(found)


def test_an_ipa_symbol_that_is_not_english_is_told_and_another_language_refused(tmp_path):
    told = list("pʊtəkænisəlɪʕ")
    rows = [Interval(0.1 * i, 0.1 * (i + 1), each) for i, each in enumerate(told)]
    write_tiers({"words": [], "phones": rows}, tmp_path / "a.TextGrid")
    (fault,) = read_alignment(tmp_path / "a.TextGrid").faults
    assert "'ʕ' is not in the articulation table" in fault.why
    finnish = list("øyʑʎɤɯ")
    rows = [Interval(0.1 * i, 0.1 * (i + 1), each) for i, each in enumerate(finnish)]
    write_tiers({"words": [], "phones": rows}, tmp_path / "m.TextGrid")
    with pytest.raises(BadInput, match="IPA of US English"):
        read_alignment(tmp_path / "m.TextGrid")


def test_symbols_of_neither_set_are_refused(tmp_path):
    write_tiers({"phones": [Interval(0, 1, "ʂ"), Interval(1, 2, "ʑ")]}, tmp_path / "a.TextGrid")
    with pytest.raises(BadInput, match="english_us_arpa"):
        read_alignment(tmp_path / "a.TextGrid")
    assert symbols_of(["HH", "AH0", "sil"]) == "arpabet"
    assert symbols_of(["zh", "ong1", "g", "uo2"]) == "pinyin"


def test_a_few_unknown_symbols_are_told_by_word(tmp_path):
    labels = ["M", "AA1", "M", "AH0"] * 3 + ["QX"]
    phones = [Interval(i / 10, (i + 1) / 10, label) for i, label in enumerate(labels)]
    words = [Interval(0, 1.2, "mama"), Interval(1.2, 1.3, "odd")]
    write_tiers({"words": words, "phones": phones}, tmp_path / "a.TextGrid")
    (fault,) = read_alignment(tmp_path / "a.TextGrid").faults
    assert fault.word == "odd"
    assert "QX" in fault.why


def test_ctm_of_kaldi(tmp_path):
    (tmp_path / "a.ctm").write_text(
        ";; made by hand\nutt 1 0.20 0.10 M_B 0.99\nutt 1 0.00 0.20 SIL\nutt 1 0.30 0.12 AA1_E\n"
    )
    found = read_alignment(tmp_path / "a.ctm")
    assert [s[:4] for s in found.sounds] == [("M", 0.2, pytest.approx(0.3), None),
                                             ("AA", 0.3, pytest.approx(0.42), 1)]  # fmt: skip
    with pytest.raises(BadInput, match=r"row 1.*5|3 fields"):
        (tmp_path / "b.ctm").write_text("utt 1 0.2\n")
        read_ctm(tmp_path / "b.ctm")
    with pytest.raises(BadInput, match="'soon'"):
        (tmp_path / "b.ctm").write_text("utt 1 soon 0.2 M\n")
        read_ctm(tmp_path / "b.ctm")
    with pytest.raises(BadInput, match="2 recordings"):
        (tmp_path / "b.ctm").write_text("one 1 0 1 M\ntwo 1 0 1 M\n")
        read_ctm(tmp_path / "b.ctm")


def test_ctm_of_words_is_a_transcript(tmp_path):
    (tmp_path / "a.ctm").write_text("utt 1 0.1 0.3 hello\nutt 1 0.5 0.3 world\n")
    found = read_alignment(tmp_path / "a.ctm")
    assert isinstance(found, WordsOnly)
    assert found.transcript == "hello world"


def test_subtitles(tmp_path):
    (tmp_path / "a.srt").write_text(
        "1\r\n00:00:01,200 --> 00:00:02,950\r\nHello\r\nthere.\r\n\r\n2\n00:01:00.000 --> "
        "00:01:01.500 X1:10\nYes.\n"
    )
    assert read_srt(tmp_path / "a.srt") == [
        Interval(1.2, 2.95, "Hello there."), Interval(60.0, 61.5, "Yes.")]  # fmt: skip
    (tmp_path / "b.srt").write_text("1\n00:00:01 --> 00:00:02\nHello\n")
    with pytest.raises(BadInput, match="row 2"):
        read_srt(tmp_path / "b.srt")


def test_whisperx(tmp_path):
    held = {
        "language": "en",
        "segments": [
            {
                "text": "In 1984",
                "words": [{"word": "In", "start": 0.1, "end": 0.2, "score": 0.9}, {"word": "1984"}],
            }
        ],
    }
    (tmp_path / "a.json").write_text(json.dumps(held))
    found = read_whisperx(tmp_path / "a.json")
    assert found == ((Interval(0.1, 0.2, "In"),), (0.9,), ("1984",), "In 1984", "en")
    assert read_alignment(tmp_path / "a.json").transcript == "In 1984"
    (tmp_path / "b.json").write_text(json.dumps({"segments": [{"text": "no words"}]}))
    with pytest.raises(BadInput, match="word times"):
        read_whisperx(tmp_path / "b.json")


def test_tiers_as_json_are_what_a_textgrid_is(tmp_path):
    tiers = {"ann - words": {"type": "interval", "entries": [
                 [0, 0.1, ""], [0.1, 0.5, "Bob"], [0.5, 0.9, "may"]]},
             "ann - phones": {"type": "interval", "entries": [
                 [0, 0.1, ""], [0.1, 0.2, "B"], [0.2, 0.4, "AA1"], [0.4, 0.5, "B"],
                 [0.5, 0.7, "M"], [0.7, 0.9, "EY1"]]},
             "marks": {"type": "point", "entries": [[0.3, "here"]]}}  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps({"start": 0, "end": 1, "tiers": tiers}))
    found = read_alignment(tmp_path / "a.json")
    assert [w.text for w in found.words] == ["Bob", "may"]
    assert [(s.symbol, s.stress, s.word) for s in found.sounds] == [
        ("B", None, 0), ("AA", 1, 0), ("B", None, 0), ("M", None, 1), ("EY", 1, 1)]  # fmt: skip
    del tiers["ann - phones"]
    (tmp_path / "b.json").write_text(json.dumps({"start": 0, "end": 1, "tiers": tiers}))
    assert read_alignment(tmp_path / "b.json").transcript == "Bob may"
    for broken, match in (([[0, 1]], "an entry of 2"), ([[1, 0, "x"]], "end after the start"),
                          ("x", "entries of")):  # fmt: skip
        held = {"tiers": {"words": {"entries": broken}}}
        (tmp_path / "c.json").write_text(json.dumps(held))
        with pytest.raises(BadInput, match=match):
            read_alignment(tmp_path / "c.json")


def test_silence_at_the_end_stays_in_a_textgrid(tmp_path):
    said = Timeline((Sound("AA", 0.5, 1.0, 1, 0),), (Word("ah", 0.5, 1.0),), 2.5)
    write_alignment(said, tmp_path / "a.TextGrid")
    found = read_alignment(tmp_path / "a.TextGrid")
    assert found.seconds == 2.5
    write_alignment(found, tmp_path / "b.TextGrid")
    assert (tmp_path / "a.TextGrid").read_text() == (tmp_path / "b.TextGrid").read_text()


MILLISECONDS = st.lists(st.integers(0, 10**7), min_size=2, max_size=12, unique=True).map(sorted)


@given(marks=MILLISECONDS, label=st.text("ABCxyz'", min_size=1, max_size=6))
def test_srt_and_ctm_hold_milliseconds(tmp_path_factory, marks, label):
    folder = tmp_path_factory.mktemp("held")
    pairs = zip(marks[::2], marks[1::2], strict=False)
    spans = [Interval(a / 1000, b / 1000, label) for a, b in pairs]
    write_srt(spans, folder / "a.srt")
    write_ctm(spans, folder / "a.ctm")
    assert read_srt(folder / "a.srt") == spans
    for back, span in zip(read_ctm(folder / "a.ctm"), spans, strict=True):
        assert (back.start, back.text) == (span.start, span.text)
        assert back.end == pytest.approx(span.end, abs=1e-6)


def test_an_unknown_suffix(tmp_path):
    with pytest.raises(BadInput, match=r"\.textgrid, \.ctm"):
        read_alignment(tmp_path / "a.eaf")
    with pytest.raises(BadInput, match=r"\.TextGrid"):
        write_alignment(HELLO, tmp_path / "a.eaf")


def test_sounds_out_of_order_are_refused():
    with pytest.raises(BadInput, match="in order"):
        Timeline((Sound("M", 0.5, 0.7), Sound("AA", 0.6, 0.8)))
    with pytest.raises(BadInput, match="an end after it"):
        Timeline((Sound("M", 0.5, 0.4),))
