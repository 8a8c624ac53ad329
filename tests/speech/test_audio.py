"""Any sound comes as 16 kHz mono; what is wrong with it is said."""

import tracemalloc
import wave

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.speech.audio import RATE, Recording
from semanticface.speech.contours import contours
from semanticface.speech.voices import Voice, say

from .conftest import write_wav


def tone(hertz: float, seconds: float, rate: int = RATE, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000])
def test_any_rate_keeps_length_and_level(tmp_path, rate):
    path = write_wav(tmp_path / "a.wav", tone(300, 1.5, rate), rate)
    recording = Recording(path)
    samples = recording.samples()
    assert abs(len(samples) / RATE - 1.5) < 0.005
    assert recording.report.rate == rate
    middle = samples[RATE // 2 : RATE]
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.5, rel=0.02)


def test_stereo_is_averaged(tmp_path):
    left = tone(200, 0.5)
    path = write_wav(tmp_path / "a.wav", np.column_stack([left, 0 * left]).ravel(), channels=2)
    samples = Recording(path).samples()
    assert np.abs(samples).max() == pytest.approx(0.25, rel=0.02)


def test_blocks_are_what_the_whole_is(tmp_path):
    path = write_wav(tmp_path / "a.wav", tone(150, 2.3))
    blocks = list(Recording(path).blocks(0.5))
    assert [len(each) for each in blocks[:-1]] == [8000] * 4
    assert np.array_equal(np.concatenate(blocks), Recording(path).samples())


def test_16_khz_mono_comes_as_it_stands_in_the_file(readings):
    with wave.open(str(readings[1].path)) as file:
        raw = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert np.abs(Recording(readings[1].path).samples() - raw / 32768).max() < 1e-6


def test_faults_of_a_file_are_told(tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        Recording(tmp_path / "none.wav").samples()
    (tmp_path / "text.wav").write_text("this is no sound")
    with pytest.raises(BadInput, match="cannot be read as sound"):
        Recording(tmp_path / "text.wav").samples()
    with wave.open(str(tmp_path / "empty.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
    with pytest.raises(BadInput, match="without a sample"):
        Recording(tmp_path / "empty.wav").samples()


def test_a_file_that_breaks_off_keeps_its_beginning(tmp_path):
    whole = write_wav(tmp_path / "a.wav", tone(200, 3)).read_bytes()
    (tmp_path / "b.wav").write_bytes(whole[: len(whole) // 2])
    recording = Recording(tmp_path / "b.wav")
    assert len(recording.samples()) / RATE == pytest.approx(1.5, abs=0.1)
    assert any("bytes before its header says" in note for note in recording.report.notes())
    Recording(tmp_path / "a.wav").samples()
    endless = b"RIFF" + b"\xff" * 4 + whole[8:40] + b"\xff" * 4 + whole[44:]
    (tmp_path / "c.wav").write_bytes(endless)  # as a program writes into a pipe
    streamed = Recording(tmp_path / "c.wav")
    streamed.samples()
    assert not streamed.report.notes()


def test_8_khz_clipping_and_silence_are_told(tmp_path):
    def notes(name, samples, rate=RATE):
        recording = Recording(write_wav(tmp_path / name, samples, rate))
        recording.samples()
        return " ".join(recording.report.notes())

    assert "8 kHz" in notes("a.wav", tone(200, 0.5, 8000), 8000)
    assert "clipped" in notes("b.wav", tone(200, 0.5, level=3.0))
    assert "silent" in notes("c.wav", np.zeros(8000))
    assert notes("d.wav", tone(200, 0.5)) == ""


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_silence_and_counted(tmp_path, bad):
    from scipy.io import wavfile

    samples = tone(200, 1).astype(np.float32)
    samples[4000:4100] = bad
    wavfile.write(tmp_path / "a.wav", RATE, samples)
    recording = Recording(tmp_path / "a.wav")
    read = recording.samples()
    assert np.isfinite(read).all()
    assert np.abs(read[4020:4080]).max() < 0.01
    assert recording.report.not_finite == 100
    assert recording.report.peak == pytest.approx(0.5, abs=0.01)
    assert recording.report.notes() == [
        "100 of 16000 samples are NaN or infinite: they are taken as silence"]  # fmt: skip
    found = contours([read])
    assert np.isfinite(found.loudness).all()


def test_a_long_recording_needs_no_more_memory_than_a_short_one(tmp_path):
    def peak(seconds):
        path = write_wav(tmp_path / f"{seconds}.wav", np.tile(tone(200, 1, 8000), seconds), 8000)
        tracemalloc.start()
        count = sum(len(block) for block in Recording(path).blocks())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return count, most

    (_, short), (long_count, long) = peak(20), peak(90)
    assert long_count == pytest.approx(90 * RATE, rel=0.001)
    assert long < 1.2 * short


@pytest.mark.parametrize("hertz", [80, 120, 200, 333])
def test_pitch_of_a_tone(hertz):
    saw = (np.arange(RATE) * hertz / RATE % 1 - 0.5).astype(np.float32)
    found = contours([saw]).pitch
    assert np.nanmedian(found) == pytest.approx(hertz, rel=0.01)
    assert np.isnan(found).mean() < 0.05


def test_pitch_of_a_voice_is_the_one_it_was_asked_for(tmp_path):
    medians = []
    for pitch in (1.0, 1.2):
        path = tmp_path / f"{pitch}.wav"
        say("We were away a year ago.", Voice("flite:slt", pitch=pitch), path)
        found = contours(Recording(path).blocks())
        medians.append(np.nanmedian(found.pitch))
        assert 0.5 < np.mean(~np.isnan(found.pitch[found.speech])) < 1
    assert medians[1] / medians[0] == pytest.approx(1.2, abs=0.07)


def test_loudness_is_in_decibels_of_full_scale():
    found = contours([tone(200, 1).astype(np.float32)])
    assert np.median(found.loudness) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.1)
    assert contours([np.zeros(RATE, np.float32)]).loudness.max() <= -100


def test_contours_do_not_depend_on_the_blocks(utterance):
    samples = Recording(utterance.path).samples()
    one = contours([samples])
    other = contours([samples[:12_345], samples[12_345:12_400], samples[12_400:]])
    assert len(one) == -(-len(samples) // 160)
    assert np.array_equal(one.loudness, other.loudness)
    assert np.array_equal(one.pitch, other.pitch, equal_nan=True)
    assert np.array_equal(one.speech, other.speech)
