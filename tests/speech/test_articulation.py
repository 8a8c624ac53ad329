"""The table is whole, and every spelling of a phone finds its row."""

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.metrics.mouth_sets import MOUTH_29, MOUTH_31, mouth_set
from semanticface.rig import INDEX, NAMES
from semanticface.speech.cues import articulation
from semanticface.speech.phones import is_silence, parts, phone, phones, split_stress, tracks

# fmt: off
ARPABET = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH",
    "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH",
    "UW", "V", "W", "Y", "Z", "ZH",
)
INITIALS = (
    "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h", "j", "q", "x", "zh", "ch", "sh", "r",
    "z", "c", "s",
)
FINALS = (
    "a", "o", "e", "i", "u", "v", "er", "ai", "ei", "ao", "ou", "an", "en", "ang", "eng", "ong",
    "ia", "ie", "iao", "iu", "ian", "in", "iang", "ing", "iong", "ua", "uo", "uai", "ui", "uan",
    "un", "uang", "ueng", "ve", "van", "vn",
)
# fmt: on


def test_every_arpabet_phone_is_in_the_table():
    for symbol in ARPABET:
        assert parts(symbol), symbol
        assert sum(part.share for part in parts(symbol)) == pytest.approx(1)
        for part in parts(symbol):
            phone(part.phone)


@pytest.mark.parametrize("tone", ["", "1", "5"])
def test_every_initial_and_final_of_pinyin_is_in_the_table(tone):
    for symbol in INITIALS + FINALS:
        found = parts(symbol + (tone if symbol in FINALS else ""), "pinyin")
        assert found, symbol
        assert sum(part.share for part in found) == pytest.approx(1, abs=1e-6)
        for part in found:
            phone(part.phone)


def test_targets_are_weights_of_tracks_and_nothing_else():
    owned = {channel for track in tracks() for channel in track.channels}
    for row in phones().values():
        moved = set(np.flatnonzero(row.targets))
        assert moved <= owned, row.name
        assert moved <= set(MOUTH_31)
        assert row.targets.min() >= 0
        assert row.targets.max() <= 1
        assert row.dominance.shape == (len(tracks()),)
        assert ((row.dominance > 0) & (row.dominance <= 1)).all()


def test_no_channel_belongs_to_two_tracks():
    owned = [channel for track in tracks() for channel in track.channels]
    assert len(owned) == len(set(owned))


def test_the_table_says_what_phonetics_says():
    assert {n for n, row in phones().items() if row.contact == "lips"} == {"P", "B", "M"}
    assert {n for n, row in phones().items() if row.contact == "teeth"} == {"F", "V"}
    jaw, pucker = INDEX["jawOpen"], INDEX["mouthPucker"]
    height = [phone(name).targets[jaw] for name in ("IY", "IH", "EH", "AE", "AA")]
    assert height == sorted(height)
    for name in ("S", "Z", "SH", "CH"):
        assert phone(name).targets[jaw] < phone("K").targets[jaw]
    for name in ("UW", "W", "OH", "UH"):
        assert phone(name).targets[pucker] > 0.3
    for name in ("IY", "AA", "AE", "S"):
        assert phone(name).targets[pucker] == 0
    assert not phone("S").voiced
    assert phone("Z").voiced


@pytest.mark.parametrize(("symbol", "found"), [
    ("AH0", "AH"), ("ax", "AH"), ("axr", "ER"), ("sil", "SIL"), ("sp", "SIL"), ("", "SIL"),
    ("hh", "HH"), ("EY2", "EE"), ("pau", "SIL"),
])  # fmt: skip
def test_other_spellings(symbol, found):
    assert parts(symbol)[0].phone == found


def test_what_the_table_does_not_know():
    assert parts("QX") == ()
    assert parts("iang4") == ()
    assert articulation("QX") == "unknown"
    with pytest.raises(BadInput, match="the phone 'QX'"):
        phone("QX")


def test_stress_and_tone_come_off():
    assert split_stress("AH0") == ("AH", 0)
    assert split_stress("iang4") == ("iang", 4)
    assert split_stress("lü4") == ("lv", 4)
    assert split_stress("zh") == ("zh", None)
    assert is_silence("sil")
    assert not is_silence("S")


def test_articulation_in_words():
    assert articulation("P") == "voiceless bilabial stop, lips closed, jaw high"
    assert articulation("V") == "labiodental fricative, lip on teeth, jaw high"
    assert articulation("UW") == "back close vowel, lips strongly rounded, jaw high"
    assert articulation("AY").count(" to ") == 1
    assert "bilabial" in articulation("b", "pinyin")


def test_the_mouth_sets_have_the_channels_they_are_named_for():
    assert len(MOUTH_29) == 29
    assert len(MOUTH_31) == 31
    assert set(MOUTH_31) - set(MOUTH_29) == {INDEX["mouthClose"], INDEX["tongueOut"]}
    assert {NAMES[i] for i in MOUTH_29} >= {"noseSneerLeft", "noseSneerRight", "cheekPuff"}
    with pytest.raises(BadInput, match="mouth-29"):
        mouth_set("mouth-30")
