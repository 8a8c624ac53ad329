"""Words and phones stand where they are; what does not fit is told, word by word."""

import difflib
import math
import re

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.speech.align import DOUBT, Aligner
from semanticface.speech.audio import RATE, Recording
from semanticface.speech.hear import hear
from semanticface.speech.listen import listen
from semanticface.speech.phones import parts, phone
from semanticface.speech.squeeze import Squeeze
from semanticface.speech.timeline import Sound, Timeline
from semanticface.speech.voices import Voice, say

from .conftest import write_wav


def blocks(path):
    return Recording(path).blocks()


def starts_by_symbol(ours, truth):
    """Pairs of start times of the phones that both have, in order."""
    a, b = [s.symbol for s in ours.sounds], [s.symbol for s in truth.sounds]
    matched = difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return np.array([(ours.sounds[i + k].start, truth.sounds[j + k].start)
                     for i, j, n in matched for k in range(n)])  # fmt: skip


def test_phones_stand_where_flite_spoke_them(aligner, utterance):
    found = aligner.align(blocks(utterance.path), utterance.text)
    assert not found.faults
    assert [w.text for w in found.words][:4] == ["Bob", "put", "five", "pumpkins"]
    pairs = starts_by_symbol(found, utterance.truth)
    assert len(pairs) > 0.8 * len(utterance.truth.sounds)
    error = np.abs(pairs[:, 0] - pairs[:, 1])
    assert np.median(error) < 0.02
    assert (error < 0.05).mean() > 0.9


def test_real_readings_are_aligned_whole(aligner, readings):
    for path, text in readings[:3]:
        found = aligner.align(blocks(path), text)
        assert [w.text for w in found.words] == text.split()
        assert found.score > -30
        assert not found.faults
        assert all(s.word is not None for s in found.sounds)


def test_a_transcript_of_another_recording_is_told(aligner, readings):
    for i, other in ((0, 1), (1, 0), (2, 4), (4, 3)):
        found = aligner.align(blocks(readings[i].path), readings[other].text)
        assert "probably of another recording" in found.faults[0].why
        lost = {fault.word for fault in found.faults if "not found" in fault.why}
        assert lost <= set(readings[other].text.split())


def test_long_recordings_are_aligned_window_by_window(aligner, readings):
    samples = [Recording(each.path).samples() for each in readings]
    both = np.concatenate(samples + samples)
    text = " ".join(each.text for each in readings + readings)
    whole = aligner.align((both[i : i + 50_000] for i in range(0, len(both), 50_000)), text)
    assert [w.text for w in whole.words] == text.split()
    half, seconds = len(whole.words) // 2, sum(map(len, samples)) / RATE
    apart = [b.start - a.start for a, b in zip(whole.words, whole.words[half:], strict=False)]
    off = np.abs(np.array(apart) - seconds)
    assert np.quantile(off, 0.95) < 0.05
    assert off.max() < 0.2
    alone = aligner.align(blocks(readings[0].path), readings[0].text)
    near = [abs(a.start - b.start) for a, b in zip(alone.words, whole.words, strict=False)]
    assert max(near) < 0.06


def test_words_that_were_not_said_are_named(aligner, readings):
    first, second, third = readings[2], readings[1], readings[4]
    sound = np.concatenate([Recording(e.path).samples() for e in (first, third)])
    found = aligner.align([sound], f"{first.text} {second.text} {third.text}")
    assert len(found.words) >= len(first.text.split()) - 1
    lost = [fault.word for fault in found.faults if "not found" in fault.why]
    assert lost
    assert set(lost) <= set(f"{first.text} {second.text} {third.text}".split())


def test_an_unknown_word_takes_its_time_and_is_told(readings):
    path, text = readings[1]
    strange = text.replace("disposed", "zzyxqv")
    found = Aligner(letters=False).align(blocks(path), strange)
    assert [w.text for w in found.words] == strange.split()
    (fault,) = [each for each in found.faults if each.word == "zzyxqv"]
    assert "no pronunciation" in fault.why
    spoken = next(w for w in found.words if w.text == "zzyxqv")
    assert fault.start == spoken.start == pytest.approx(1.5, abs=0.25)
    index = found.words.index(spoken)
    assert len([s for s in found.sounds if s.word == index]) > 2
    right = Aligner(letters=False).align(blocks(path), text)
    assert (
        np.abs([a.start - b.start for a, b in zip(found.words, right.words, strict=True)]).max()
        < 0.06
    )


def test_neighbouring_words_that_nobody_can_pronounce_spoil_no_others(utterance):
    strange = utterance.text.replace("five pumpkins", "zzyxqv xqqzt").replace("wooden", "qqxzv")
    found = Aligner(letters=False).align(blocks(utterance.path), strange)
    right = Aligner(letters=False).align(blocks(utterance.path), utterance.text)
    assert len(found.words) == len(right.words)
    known = [i for i, each in enumerate(found.words) if not set(each.text) & set("zq")]
    assert len(known) == len(right.words) - 3
    off = [abs(found.words[i].start - right.words[i].start) for i in known]
    assert max(off) < 0.15
    assert len([fault for fault in found.faults if "no pronunciation" in fault.why]) == 3


def test_what_to_do_about_an_unknown_word_fits_the_machine(readings, monkeypatch):
    path, text = readings[1]
    strange = text.replace("disposed", "zzyxqv")
    for place, advice in (("/usr/bin/flite", False), (None, True)):
        monkeypatch.setattr("semanticface.speech.align.shutil.which", lambda _, p=place: p)
        (fault,) = Aligner(letters=False).align(blocks(path), strange).faults
        assert ("install flite" in fault.why) is advice


def test_numbers_in_digits_are_placed_like_their_words(aligner, tmp_path):
    text = "I have 25 cats and 3 dogs, and $5.20 from 1984."
    path = tmp_path / "a.wav"
    truth = say(text, Voice("flite:slt"), path)
    found = aligner.align(blocks(path), text)
    assert not found.faults
    assert [w.text for w in found.words] == re.findall(r"[$\w.]*\w", text)
    pairs = starts_by_symbol(found, truth)
    assert len(pairs) > 0.8 * len(truth.sounds)
    assert np.median(np.abs(pairs[:, 0] - pairs[:, 1])) < 0.02


@pytest.mark.parametrize(("reading", "share"), [(0, 0.28), (1, 0.5), (2, 0.5), (3, 0.7), (4, 0.6)])
def test_a_recording_that_is_cut_off_keeps_its_words(aligner, readings, reading, share):
    path, text = readings[reading]
    samples = Recording(path).samples()
    whole = aligner.align([samples], text)
    found = aligner.align([samples[: int(share * len(samples))]], text)
    said = [w for w in whole.words if w.end < share * len(samples) / RATE - 0.05]
    assert 0 <= len(found.words) - len(said) <= 1
    off = [abs(a.start - b.start) for a, b in zip(found.words, said, strict=False)]
    assert np.median(off) < 0.03
    last, count = found.words[-1], len(text.split())
    (fault,) = found.faults
    assert fault.why == (f"the recording ends after word {len(found.words)} of {count} of the "
                         f"transcript, '{last.text}'")  # fmt: skip


def test_where_nothing_fits_the_phones_are_heard(readings):
    heard = listen(readings[0].path, readings[1].text)
    assert not heard.timeline.words
    assert len(heard.timeline.sounds) > 30
    assert "probably of another recording" in heard.notes()[0]
    assert "the phones heard there move the mouth" in heard.notes()[-1]


def test_your_own_pronunciation_brings_its_stress(readings):
    path, text = readings[1]
    own = {"zzyxqv": ("D IH0 S P OW1 Z D",)}
    found = Aligner(own, letters=False).align(blocks(path), text.replace("disposed", "zzyxqv"))
    index = [w.text for w in found.words].index("zzyxqv")
    spoken = [(s.symbol, s.stress) for s in found.sounds if s.word == index]
    assert spoken == [("D", None), ("IH", 0), ("S", None), ("P", None), ("OW", 1), ("Z", None),
                      ("D", None)]  # fmt: skip


def test_another_language_is_refused(aligner, readings):
    with pytest.raises(BadInput, match="English"):
        aligner.align(blocks(readings[1].path), "он не был злым молодым человеком")
    found = aligner.align(blocks(readings[0].path), "er war kein bösartiger junger Mann gewesen")
    assert "not English" in found.faults[0].why


def test_silence_finds_no_words_and_fails_nowhere(aligner, tmp_path):
    path = write_wav(tmp_path / "s.wav", np.zeros(3 * RATE))
    found = aligner.align(blocks(path), "nobody says this")
    assert not found.words
    assert found.seconds == 3.0
    assert {f.word for f in found.faults} >= {"nobody", "says", "this"}
    heard = listen(path)
    assert not heard.timeline.sounds
    assert any("silent" in note for note in heard.notes())


def test_a_transcript_of_a_part_is_told(readings, tmp_path):
    path, text = readings[4]
    samples = np.concatenate([Recording(each.path).samples() for each in readings[3:]])
    told = listen(write_wav(tmp_path / "both.wav", samples), text)
    assert len(told.timeline.words) == len(text.split())
    assert any("of voice before the first word" in note for note in told.notes())
    first = told.timeline.words[0].start
    assert len([s for s in told.timeline.sounds if s.end <= first]) > 30
    assert not any("of voice" in note for note in listen(path, text).notes())


def test_silence_with_a_transcript_says_so_once(tmp_path):
    path = write_wav(tmp_path / "s.wav", np.zeros(3 * RATE))
    told = listen(path, "nobody says this").notes()
    assert len(told) == 2
    assert "silent" in told[0]
    assert "in silence" in told[1]


def test_an_alignment_of_another_recording_is_doubted(readings, tmp_path):
    long, short = readings[0], readings[1]
    given = listen(short.path, short.text).timeline
    assert not listen(short.path, alignment=given).notes()
    told = listen(long.path, alignment=given).notes()
    assert any("of voice after the last word of the alignment" in note for note in told)
    samples = Recording(short.path).samples()
    late = np.concatenate([np.zeros(4 * RATE), samples])
    told = listen(write_wav(tmp_path / "late.wav", late), alignment=given).notes()
    assert "probably of another recording" in told[0]


def test_a_score_falls_with_noise_but_the_words_stay(aligner, readings):
    path, text = readings[2]
    clean = Recording(path).samples()
    noise = np.random.default_rng(0).standard_normal(len(clean)).astype(np.float32)
    level = np.sqrt(np.mean(clean**2)) / 10  # 20 dB below the voice
    noisy = aligner.align([clean + level * noise], text)
    assert [w.text for w in noisy.words] == text.split()
    assert DOUBT < noisy.score < aligner.align([clean], text).score


def test_noise_as_loud_as_the_voice_loses_words_but_nothing_breaks(aligner, readings):
    path, text = readings[0]
    clean = Recording(path).samples()
    rng = np.random.default_rng(3)
    for level in (0.5, 1.0, 3.0):
        noise = level * np.sqrt(np.mean(clean**2)) * rng.standard_normal(len(clean))
        found = aligner.align([clean + noise.astype(np.float32)], text)
        lost = [fault for fault in found.faults if "not found" in fault.why]
        assert len(found.words) + len(lost) == len(text.split())


@pytest.mark.parametrize("hiss", [0.0, 0.002])
@pytest.mark.parametrize("before, between", [(12.0, 0.0), (40.0, 0.0), (0.0, 20.0)])
def test_words_are_not_found_in_long_silence(aligner, utterance, before, between, hiss):
    voice = Recording(utterance.path).samples()
    rng = np.random.default_rng(1)
    gap, pause = (np.zeros(round(s * RATE), np.float32) for s in (before, between))
    sound = np.concatenate([gap, voice, *((pause, voice) if between else ()), gap])
    sound = sound + hiss * rng.standard_normal(len(sound)).astype(np.float32)
    parts_ = [sound[i : i + 7 * RATE] for i in range(0, len(sound), 7 * RATE)]
    found = aligner.align(parts_, " ".join([utterance.text] * (2 if between else 1)))
    clean = aligner.align([voice], utterance.text).words
    starts = [before, before + len(voice) / RATE + between][: 2 if between else 1]
    wanted = [start + edge for start in starts for each in clean for edge in each[1:3]]
    assert [e for w in found.words for e in w[1:3]] == pytest.approx(wanted, abs=0.2)
    assert found.seconds == pytest.approx(len(sound) / RATE, abs=0.01)
    assert not [each for each in found.faults if "sounds unlike" not in each.why]


def test_a_silence_is_shortened_and_times_are_given_back(utterance):
    voice = Recording(utterance.path).samples()
    squeeze, still = Squeeze(), np.zeros(5 * RATE, np.float32)
    sound = np.concatenate([still, voice, still, voice, still])
    parts_ = [squeeze.push(sound[i : i + 999]) for i in range(0, len(sound), 999)]
    left = np.concatenate([*parts_, squeeze.end()])
    short = len(left) / RATE
    assert 2 * len(voice) / RATE + 1.5 < short < 2 * len(voice) / RATE + 4.5
    assert np.abs(left).sum() == pytest.approx(np.abs(sound).sum(), rel=1e-6)  # all that sounds
    loud = np.flatnonzero(np.abs(left) > 0.02) / RATE
    told = squeeze.restored(Timeline((Sound("AA", float(loud[0]), float(loud[0]) + 0.1),
                                      Sound("IY", float(loud[-1]) - 0.1, float(loud[-1]))), (),
                                     short))  # fmt: skip
    true = np.flatnonzero(np.abs(sound) > 0.02) / RATE
    assert told.sounds[0].start == pytest.approx(true[0], abs=0.001)
    assert told.sounds[1].end == pytest.approx(true[-1], abs=0.001)
    assert told.seconds == pytest.approx(len(sound) / RATE, abs=0.001)


def test_a_sound_across_a_silence_stays_on_its_longer_side():
    squeeze = Squeeze()
    rng = np.random.default_rng(0)
    burst = 0.3 * np.sign(np.sin(np.arange(RATE) * 0.06)) + 0.05 * rng.standard_normal(RATE)
    sound = np.concatenate([burst, np.zeros(6 * RATE), burst]).astype(np.float32)
    left = np.concatenate([squeeze.push(sound), squeeze.end()])
    assert len(left) < len(sound) - 4 * RATE
    middle = len(left) / 2 / RATE
    spans = [(middle - 0.9, middle + 0.1), (middle - 0.1, middle + 0.9)]
    one, other = (squeeze.restored(Timeline((Sound("AA", *each),), ())).sounds[0]
                  for each in spans)  # fmt: skip
    assert one.end - one.start < 1.1 and other.end - other.start < 1.1
    assert one.start == pytest.approx(middle - 0.9)
    assert other.end == pytest.approx(middle + 0.9 + (len(sound) - len(left)) / RATE)


def test_one_word_too_many_loses_no_other(aligner, utterance):
    voice = Recording(utterance.path).samples()
    words = utterance.text.split()
    for at, extra in ((3, "enormous"), (9, "magnificent")):
        told = " ".join([*words[:at], extra, *words[at:]])
        found = aligner.align([voice], told)
        assert [w.text for w in found.words] == utterance.text.rstrip(".").split()
        assert [f.line() for f in found.faults] == [f"'{extra}': not found in the sound"]


def test_a_word_that_fills_the_place_of_missing_ones_is_told(aligner, tmp_path):
    path = tmp_path / "a.wav"
    say("Bob put the pumpkin in the van.", Voice("flite:slt"), path)
    found = aligner.align(Recording(path).blocks(), "Bob the van.")
    assert any("lasts 1." in fault.why for fault in found.faults)


def test_phones_are_heard_without_a_transcript(utterance):
    found = hear(blocks(utterance.path))
    assert not found.words
    assert found.seconds == pytest.approx(utterance.truth.seconds, abs=0.02)

    def visemes(timeline):
        return [phone(part.phone).viseme for s in timeline.sounds for part in parts(s.symbol)]

    said, heard = visemes(utterance.truth), visemes(found)
    likeness = difflib.SequenceMatcher(None, said, heard, autojunk=False).ratio()
    assert likeness > 0.5


def test_listening_once_gives_words_and_contours(readings):
    heard = listen(readings[1].path, readings[1].text)
    assert len(heard.contours) == math.ceil(heard.timeline.seconds * 100)
    assert heard.contours.speech.mean() > 0.5
    vowels = [s for s in heard.timeline.sounds if s.symbol in ("IY", "AE", "AA", "OW")]
    loud = [heard.contours.loudness[int(50 * (s.start + s.end))] for s in vowels]
    assert min(loud) > np.percentile(heard.contours.loudness, 20)
