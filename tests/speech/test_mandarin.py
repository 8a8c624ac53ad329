"""Mandarin as aligners spell it: pinyin of several kinds, IPA with tone letters, by word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.formats.textgrid import Interval, write_tiers
from semanticface.speech.alignments import WordsOnly, read_alignment, write_alignment
from semanticface.speech.cues import Spoken, Window
from semanticface.speech.mandarin import in_context, in_pinyin, plain_tone
from semanticface.speech.phones import Symbols, parts
from semanticface.speech.rules import animate
from semanticface.speech.timeline import Timeline

PINYIN: Symbols = "pinyin"


def aligned(tmp_path, text: str, *words: str) -> Timeline:
    """An alignment of labels with a space between, a tenth of a second each."""
    labels = text.split()
    rows = [Interval(0.1 * i, 0.1 * (i + 1), each) for i, each in enumerate(labels)]
    length = 0.1 * len(labels) / max(len(words), 1)
    tier = [Interval(length * i, length * (i + 1), each) for i, each in enumerate(words)]
    write_tiers({"words": tier, "phones": rows}, tmp_path / "a.TextGrid")
    found = read_alignment(tmp_path / "a.TextGrid")
    assert not isinstance(found, WordsOnly)
    return found


def symbols(timeline: Timeline) -> str:
    return " ".join(each.symbol + ("" if each.stress is None else str(each.stress))
                    for each in timeline.sounds)  # fmt: skip


@pytest.mark.parametrize(("told", "wanted"), [
    ("lǘ", "lv2"), ("lu\u0308\u030c", "lv3"), ("ü4", "v4"), ("u:e4", "ve4"), ("ê", "ea"),
    ("āng", "ang1"), ("ǎo", "ao3"), ("ma", "ma"), ("iàn", "ian4"), ("ʂ", "ʂ"), ("ñ", "ñ"),
])  # fmt: skip
def test_marks_above_letters_become_digits(told, wanted):
    assert plain_tone(told) == wanted


@pytest.mark.parametrize(("spelling", "text", "wanted"), [
    ("digits", "n v3 zh ong1 g uo2 m a5 l e0", "n v3 zh ong1 g uo2 m a5 l e0"),
    ("umlaut", "n ü3 l üe4 j u2 q uan2 x un4 y ue4", "n v3 l ve4 j v2 q van2 x vn4 y ve4"),
    ("marks", "n ǐ h ǎo zh ōng g uó", "n i3 h ao3 zh ong1 g uo2"),
    ("apical", "s i4 sh i2 zh i1 j i3 r i4 c i2", "s ii4 sh iii2 zh iii1 j i3 r iii4 c ii2"),
    ("MFA's pinyin", "x ia1 n l ia2 ng ch ue1 n j va3 n sh ii2 q io2 ng e4 r",
     "x ie1 n l ia2 ng ch we1 n j va3 n sh iii2 q io2 ng e4 r"),
    ("a syllable that begins with n", "x ia4 n ian2 x ue2 n ian2", "x ia4 n ian2 x ve2 n ian2"),
    ("AISHELL", "ii i1 uu uo3 vv ve4 aa an1 zh ix1 c iy2 r iz4 ee er2",
     "y i1 w uo3 yu ve4 a an1 zh iii1 c ii2 r iii4 e er2"),
    ("IPA of MFA 2", "ʈʂ u˥˥ ŋ k w o˧˥ tɕʰ ɥ e˧˥ n ts z̩˨ ʔ o˥˩ ɻ k o˥˩ tʰ j au˨˩˦",
     "zh u1 ng g w o2 q yu ea2 n z ii5 h e4 r g e4 p y ao3".replace("g e4 p", "g e4 t")),
    ("IPA of MFA 3", "n i˨˩˦ x aw˨˩˦ m a˧ kʷ o˧ ʂ ʐ̩˥˩ pʲ e˥ n ŋ̍˥˩",
     "n i3 h ao3 m a5 g o5 sh iii4 b ea1 n ng4"),
])  # fmt: skip
def test_each_spelling_is_read(tmp_path, spelling, text, wanted):
    found = aligned(tmp_path, text)
    assert (found.symbols, found.faults) == ("pinyin", ())
    assert symbols(found) == wanted
    assert all(parts(each.symbol, PINYIN) for each in found.sounds)
    write_alignment(found, tmp_path / "b.TextGrid")
    again = read_alignment(tmp_path / "b.TextGrid")
    assert isinstance(again, Timeline) and symbols(again) == wanted


def test_lips_know_u_from_its_fronted_twin_and_close_in_both_scripts(tmp_path):
    for text in ("m a1 b a4 p u2", "m a˥ p a˥˩ pʰ u˧˥"):
        assert len(aligned(tmp_path, text).contacts("lips")) == 3
    lips = {each: [p.phone for p in aligned(tmp_path, f"{each} sh ang4").pieces()][1]
            for each in ("q u4", "k u4", "j ü4")}  # fmt: skip
    assert lips == {"q u4": "YU", "k u4": "UW", "j ü4": "YU"}


@pytest.mark.parametrize(("final", "wanted"), [
    ("ar", ["AA", "R"]), ("anr", ["AE", "R"]), ("angr", ["AA", "NG", "R"]), ("iaor", None),
    ("ir", ["IY", "R"]), ("air", ["AA", "R"]), ("uanr", ["UW", "AE", "R"]), ("er", ["AH", "R"]),
    ("vanr", ["YU", "EH", "R"]),
])  # fmt: skip
def test_erhua_curls_the_end_of_a_final(final, wanted):
    found = parts(final, PINYIN)
    assert found[-1].phone == "R"
    assert sum(part.share for part in found) == pytest.approx(1)
    assert wanted is None or [part.phone for part in found] == wanted
    assert parts("zhr", PINYIN) == ()


def test_what_is_not_known_is_told_by_word(tmp_path):
    found = aligned(tmp_path, "m a1 m a5 ch i1 f an4 sh uo1 blah l e5 zh ong1 g uo2 r en2 h ao3",
                    "妈妈", "吃饭", "说", "了", "中国人好")  # fmt: skip
    (fault,) = found.faults
    assert "'blah' is not in the articulation table" in fault.why
    assert fault.word in ("说", "了") and fault.start == pytest.approx(1.0)
    toned = aligned(tmp_path, "m a˥ m a˧ ʈʂ ʐ̩˥˩ n i˨˩˦ x aw˨˩˦ k w o˧˥ ʀ a˥˩ ʂ ə˥˩ n l aw˨˩˦ t a˥˩",
                    "妈妈", "至你", "好国", "啦", "身老大")  # fmt: skip
    (fault,) = toned.faults
    assert "'ʀ'" in fault.why and fault.word


def test_another_language_with_tone_letters_is_refused(tmp_path):
    with pytest.raises(BadInput, match="Mandarin with tones"):
        aligned(tmp_path, "ɓ ɯ˧˥ ɗ ɤj˥˩ ɣ ɨə˧ ʄ œ˨")


def test_english_is_not_taken_for_it(tmp_path):
    assert in_pinyin(["HH", "AH0", "L", "OW1"]) is None
    assert in_pinyin(["hh", "ah0", "l", "ow1"]) is None
    assert aligned(tmp_path, "s ih1 ng er0 m aa2 n").symbols == "arpabet"
    assert aligned(tmp_path, "pʰ ʊ t ð ə kʰ æ").symbols == "arpabet"


@given(st.lists(st.sampled_from(["zh", "x", "n", "ng", "i4", "ue2", "ia1", "u3", "we1", "iii2"]),
                max_size=8))  # fmt: skip
def test_context_is_settled_once(labels):
    once = in_context(labels)
    assert len(once) == len(labels)
    assert in_context(once) == once


def test_cues_and_the_mouth_are_made_of_it(tmp_path):
    found = aligned(tmp_path, "b a4 p u2 ar5", "爸葡儿")
    told = Spoken(found).section(Window(0, 15, 30.0))
    assert "words: *爸葡儿*" in told and "0-2 b | 3-5 a4" in told
    assert "mouth: b bilabial stop, lips closed" in told
    assert "unknown" not in told
    assert animate(found).values.shape[1] == 61
