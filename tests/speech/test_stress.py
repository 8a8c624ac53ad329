"""Stress comes from the dictionary's own way to say a word, and from nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semanticface.speech.align import Aligner
from semanticface.speech.alignments import read_alignment, write_alignment
from semanticface.speech.audio import Recording
from semanticface.speech.decoder import Decoder
from semanticface.speech.listen import listen
from semanticface.speech.stress import agreed, filled, marks, with_stress
from semanticface.speech.timeline import Sound, Timeline, Word
from semanticface.speech.voices import Voice, say


@pytest.mark.parametrize(("word", "way", "wanted"), [
    ("maple", "M EY P AH L", "M EY1 P AH0 L"),
    ("record", "R AH K AO R D", "R AH0 K AO1 R D"),  # the verb
    ("record", "R EH K ER D", "R EH1 K ER0 D"),  # the noun
    ("permit", "P ER M IH T", "P ER M IH T"),  # both sound alike but for the stress
    ("pumpkin", "P AH M P K IH N", "P AH1 M P K IH0 N"),  # the dictionary has AH there
    ("maple", "M EY P L", "M EY P L"),  # no way has one vowel
    ("zzyxqv", "Z IH K", "Z IH K"),
    ("", "AA", "AA"),
    ("shh", "SH", "SH"),
])  # fmt: skip
def test_digits_stand_where_the_dictionary_agrees(word, way, wanted):
    assert with_stress(word, way) == wanted


def test_the_table_agrees_with_every_way_of_the_model_s_own_dictionary():
    """Each way of a thousand words, spread over the dictionary: marked, or said two ways alike."""
    import pocketsphinx

    held = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict")).read_text("utf-8")
    rows = [line.split() for line in held.splitlines()][::135]
    unmarked = []
    for name, *symbols in rows:
        told = marks(re.sub(r"\(\d+\)$", "", name), symbols)
        vowels = [mark for symbol, mark in zip(symbols, told, strict=True)
                  if symbol[0] in "AEIOU"]  # fmt: skip
        assert all(mark is None for symbol, mark in zip(symbols, told, strict=True)
                   if symbol[0] not in "AEIOU")  # fmt: skip
        if None in vowels:
            unmarked.append(name)
    assert len(rows) > 900
    assert len(unmarked) <= 0.01 * len(rows)  # 386 of the 134,860 ways


def test_endings_numbers_and_parts_keep_the_stress_of_what_they_are_made_of():
    lexicon = Decoder({"blorp": ("B L AO1 R P",)}, letters=False).lexicon
    assert lexicon.saying("blorping").ways == ("B L AO1 R P IH0 NG",)
    assert lexicon.saying("maple-permit").ways == ("M EY1 P AH0 L P ER M IH T",)
    assert lexicon.saying("21st").ways[0].startswith("T W EH1 N")


def test_ways_that_are_the_same_phones_must_agree():
    assert agreed(("P ER0 M IH1 T", "P ER1 M IH2 T"), ["P", "ER", "M", "IH", "T"]) == [None] * 5
    assert agreed(("R AH0 K AO1 R D", "R EH1 K ER0 D"), ["R", "EH", "K", "ER", "D"]) == [
        None, 1, None, 0, None]  # fmt: skip
    assert agreed(("R AH0 K AO1 R D",), ["K", "AO"]) == [None, None]
    assert agreed((), []) == []


def test_aligned_words_have_their_stress_without_anything_of_your_own(readings, aligner):
    path, text = next(each for each in readings if "amiable himself" in each.text)
    found = aligner.align(Recording(path).blocks(), text)
    by_word = {
        word.text: [(s.symbol, s.stress) for s in found.sounds if s.word == i]
        for i, word in enumerate(found.words)
    }
    assert ("EY", 1) in by_word["amiable"]
    unmarked = {word for word, told in by_word.items()
                if any(mark is None for symbol, mark in told if symbol[0] in "AEIOU")}  # fmt: skip
    assert unmarked == {"been"}  # the dictionary has it with and without
    assert all(mark is None for told in by_word.values() for symbol, mark in told
               if symbol[0] not in "AEIOU")  # fmt: skip


def test_a_word_that_nobody_wrote_down_has_none(tmp_path):
    text = "Bob saw zzyxqv today."
    say(text, Voice("flite:slt"), tmp_path / "a.wav")
    found = Aligner(letters=False).align(Recording(tmp_path / "a.wav").blocks(), text)
    at = next(i for i, word in enumerate(found.words) if word.text == "zzyxqv")
    assert {s.stress for s in found.sounds if s.word == at} == {None}
    assert {s.stress for s in found.sounds if s.word == at + 1} == {None, 0, 1}


def test_an_alignment_without_stress_is_marked_and_one_with_it_is_not_touched(tmp_path):
    text = "The maple record."
    timeline = say(text, Voice("flite:slt"), tmp_path / "a.wav", Aligner())
    assert [s.stress for s in timeline.sounds if s.word == 1] == [None, 1, None, 0, None]
    bare = Timeline(tuple(s._replace(stress=None) for s in timeline.sounds), timeline.words,
                    timeline.seconds)  # fmt: skip
    write_alignment(bare, tmp_path / "a.TextGrid")
    read = read_alignment(tmp_path / "a.TextGrid")
    assert {s.stress for s in read.sounds} == {None}
    heard = listen(tmp_path / "a.wav", alignment=read)
    assert [s.stress for s in heard.timeline.sounds] == [s.stress for s in timeline.sounds]
    own = (Sound("EY", 0.1, 0.2, 0, 0), Sound("AH", 0.2, 0.3, 0, 0))
    odd = Timeline(own, (Word("maple", 0.1, 0.3),), 1.0)
    assert filled(odd) == odd


def test_pinyin_keeps_its_tones():
    held = Timeline((Sound("a", 0.1, 0.2, None, 0),), (Word("a", 0.1, 0.2),), 1.0, "pinyin")
    assert filled(held) == held
