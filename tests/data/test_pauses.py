"""Silence in spoken sentences: sound and words move together, and the mouth is still in it."""

from __future__ import annotations

import shutil
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface import formats
from semanticface.data.pauses import Pause, draw_pauses, paused
from semanticface.data.speech_corpus import build
from semanticface.data.speech_samples import read_samples
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.metrics.speech import speech_scores, speech_sums
from semanticface.speech.alignments import read_alignment
from semanticface.speech.audio import RATE, Recording
from semanticface.speech.spans import spoken_spans
from semanticface.speech.timeline import Sound, Timeline, Word

TEXT = "Bob moved five blue pumpkins."


def spoken(lengths: list[float]) -> tuple[np.ndarray, Timeline]:
    """Words of one vowel each, the sound of word i at the level (i + 1) / 10."""
    marks = np.concatenate([[0.1], 0.1 + np.cumsum(lengths)])
    sounds = tuple(Sound("AA", float(a), float(b), word=i)
                   for i, (a, b) in enumerate(pairwise(marks)))  # fmt: skip
    words = tuple(Word(str(i), s.start, s.end) for i, s in enumerate(sounds))
    samples = np.zeros(round((marks[-1] + 0.1) * RATE), np.float32)
    for i, each in enumerate(sounds):
        samples[round(each.start * RATE) : round(each.end * RATE)] = (i + 1) / 10
    return samples, Timeline(sounds, words, len(samples) / RATE)


@given(lengths=st.lists(st.floats(0.1, 0.6), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_sound_and_words_move_together(lengths, seed):
    samples, timeline = spoken(lengths)
    rng = np.random.default_rng(seed)
    put = draw_pauses(timeline, rng)
    assert put[0].at == 0 and put[-1].at == timeline.seconds and len(put) <= 4
    sound, told = paused(samples, timeline, put, rng)
    assert told.seconds == pytest.approx(len(sound) / RATE, abs=1e-3)
    assert told.seconds == pytest.approx(timeline.seconds + sum(p.seconds for p in put), abs=1e-3)
    for i, each in enumerate(told.sounds):
        old = timeline.sounds[i]
        assert each.end - each.start == pytest.approx(old.end - old.start)
        middle = sound[round((each.start + each.end) / 2 * RATE)]
        assert middle == pytest.approx((i + 1) / 10, abs=0.01)
    for start, end in told.silences(0.45):
        inside = sound[round((start + 0.12) * RATE) : round((end - 0.12) * RATE)]
        assert np.abs(inside).max() < 0.01
        assert inside.std() > 1e-4  # no digital zero
    wanted = sorted(p.seconds for p in put)
    found = sorted(end - start for start, end in told.silences(0.45))
    assert found == pytest.approx(wanted, abs=0.11)  # the sound's own edges lie beside the first


def test_without_pauses_nothing_moves():
    samples, timeline = spoken([0.3, 0.3])
    sound, told = paused(samples, timeline, [], np.random.default_rng(0))
    assert told == timeline
    assert np.abs(sound - samples)[200:-200].max() < 0.006


def test_a_pause_between_two_words_parts_them():
    samples, timeline = spoken([0.3, 0.3])
    cut = timeline.words[0].end
    _, told = paused(samples, timeline, [Pause(cut, 1.0)], np.random.default_rng(0))
    assert told.words[0].end == pytest.approx(0.4)
    assert told.words[1].start == pytest.approx(1.4)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    assert shutil.which("flite"), "flite is missing; `make test` installs it, or: scripts/apt.sh"
    folder = tmp_path_factory.mktemp("corpus")
    for name, pauses in (("plain", False), ("one", True), ("two", True)):
        build(folder / name, [TEXT], seed=4, voices=["flite:slt"], pauses=pauses)
    return folder


def test_a_corpus_with_pauses_is_the_same_again_and_still_in_them(corpora):
    (sample,) = read_samples(corpora / "one" / "samples.jsonl")
    (again,) = read_samples(corpora / "two" / "samples.jsonl")
    (plain,) = read_samples(corpora / "plain" / "samples.jsonl")
    clip, timeline = formats.read(sample.clip), read_alignment(sample.alignment)
    assert clip.same_motion(formats.read(again.clip))
    assert [w.text for w in timeline.words] == TEXT.rstrip(".").split()
    pauses = clip.meta.notes["pauses"]
    assert len(pauses) >= 2 and formats.read(plain.clip).meta.notes["pauses"] == []
    longer = clip.duration - formats.read(plain.clip).duration
    assert longer == pytest.approx(sum(seconds for _, seconds in pauses), abs=0.07)
    assert Recording(sample.audio).samples().shape[0] / RATE == pytest.approx(
        clip.duration, abs=0.05
    )
    found = speech_scores(speech_sums(clip.values, clip.times, spoken_spans(timeline)))
    assert found.silence_motion < 0.02  # it comes to rest within 0.4 s, judged from 0.2 s on
    assert found.closure_rate == 1
    assert abs(found.onset_lag) < 0.3
    assert not clip.values[:10, list(MOUTH_31)].any()  # it waits
