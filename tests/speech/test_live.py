"""Speech to mouth while it is spoken: the same mouth, in step, whatever the blocks."""

import io
import os
import threading
from difflib import SequenceMatcher

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.rig import COUNT, INDEX
from semanticface.speech import microphone
from semanticface.speech.audio import RATE, Recording
from semanticface.speech.hear import Listening, hear
from semanticface.speech.live import AHEAD, HOP, Ear, Live, as_blocks

from .conftest import write_wav

JAW = INDEX["jawOpen"]


def loudness_mouth(samples, rate, start=None):
    """Stands for a mouth that can be predicted exactly: the jaw is the sound's level."""
    count = int(np.ceil(len(samples) / RATE * rate))
    values = np.full((count, COUNT), np.nan, np.float32)
    values[:, list(MOUTH_31)] = 0
    for i in range(count):
        at = round(i / rate * RATE)
        values[i, JAW] = np.abs(samples[at : at + RATE // 60]).max(initial=0.0)
    return values


def rising(seconds):
    return np.linspace(0.1, 0.9, round(seconds * RATE)).astype(np.float32)


def frames_of(live, samples, size):
    found = [f for i in range(0, len(samples), size) for f in live.push(samples[i : i + size])]
    return [*found, *live.end()]


@pytest.mark.parametrize("size", [160, 800, 3200, 100_000])
def test_each_frame_comes_once_and_in_its_place(size):
    sound = rising(3.03)
    found = frames_of(Live(loudness_mouth), sound, size)
    assert [f.time for f in found] == pytest.approx([i / 30 for i in range(91)])
    jaw = np.array([f.values[JAW] for f in found])
    expected = loudness_mouth(sound, 30)[:, JAW]
    assert np.abs(jaw - expected[: len(jaw)]).max() < 1e-4


def test_no_frame_is_later_than_is_said():
    live = Live(loudness_mouth)
    heard, waits = 0, []
    sound = rising(4)
    for first in range(0, len(sound), 800):
        block = sound[first : first + 800]
        heard += len(block)
        waits += [heard / RATE - f.time for f in live.push(block)]
    assert min(waits) >= AHEAD
    assert max(waits) <= AHEAD + HOP + 0.05 + 1 / 30
    assert live.delay >= max(waits)


def test_an_empty_room_keeps_the_mouth_still():
    found = frames_of(Live(Ear()), np.zeros(RATE, np.float32), 800)
    assert np.abs([f.values[list(MOUTH_31)] for f in found]).max() == 0


def test_a_voice_moves_the_mouth_without_seams(utterance):
    sound = Recording(utterance.path).samples()
    found = frames_of(Live(Ear()), sound, 800)
    jaw = np.array([f.values[JAW] for f in found])
    assert len(found) == int(np.ceil(len(sound) / RATE * 30))
    assert jaw.max() > 0.15
    assert np.abs(np.diff(jaw)).max() < 0.25
    quiet = utterance.truth.sounds[0].start
    assert jaw[: int(quiet * 30) - 3].max(initial=0) < 0.1


def test_sound_that_goes_on_is_heard_once_and_as_the_whole_is(utterance):
    sound = np.tile(Recording(utterance.path).samples(), 4)
    listening, found = Listening(), []
    for end in range(RATE // 5, len(sound) + 1, RATE // 5):
        first = max(0, end - 2 * RATE)
        found = listening.sounds(sound[first:end], first / RATE)
        assert len(found) <= 40  # what is long past is let go
        assert all(each.end > first / RATE for each in found)
    assert (listening.until - listening._base) < 20
    whole = [each for each in hear([sound]).sounds if each.start > found[0].end]
    ours = [each.symbol for each in found[1:]]
    alike = SequenceMatcher(None, ours, [each.symbol for each in whole]).ratio()
    assert alike > 0.6
    at = [min(abs(each.start - other.start) for other in whole) for each in found[1:]]
    assert np.median(at) < 0.03


def test_after_a_gap_it_listens_anew(utterance):
    sound = Recording(utterance.path).samples()
    listening = Listening()
    listening.sounds(sound[: 2 * RATE], 0.0)
    found = listening.sounds(sound[: 2 * RATE], 60.0)
    assert found
    assert all(60 <= each.start < each.end <= 62 for each in found)
    again = listening.sounds(sound[: 2 * RATE], 0.0)
    assert len(again) == pytest.approx(len(found), abs=2)
    assert all(0 <= each.start < each.end <= 2 for each in again)


def test_settings_that_cannot_be():
    with pytest.raises(BadInput, match="a hop of"):
        Live(loudness_mouth, hop=3)


def test_raw_sound_comes_in_blocks_even_where_a_sample_is_cut():
    told = (np.arange(-1000, 1000) * 16).astype("<i2").tobytes()

    class Dripping(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 333))

    got = np.concatenate(list(as_blocks(Dripping(told), 0.01)))
    assert np.array_equal(got, np.frombuffer(told, "<i2").astype(np.float32) / 32768)


def test_a_pipe_and_a_file_are_devices(tmp_path):
    sound = 0.5 * np.sin(np.arange(RATE) / 20)
    path = write_wav(tmp_path / "a.wav", sound)
    assert sum(map(len, microphone.source(str(path)))) == RATE
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    raw = (sound * 32767).astype("<i2").tobytes()
    writer = threading.Thread(target=pipe.write_bytes, args=(raw,))
    writer.start()
    got = np.concatenate(list(microphone.source(str(pipe))))
    writer.join()
    assert np.abs(got - sound).max() < 1e-3


def test_no_microphone_is_said_before_anything_runs():
    with pytest.raises(BadInput, match="no microphone") as told:
        microphone.source("mic:nothing-of-that-name")
    assert "arecord" in str(told.value)
