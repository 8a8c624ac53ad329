"""The trained small model of speech that comes with the package: whole, small, and it speaks."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="comes with the train extra")
pytest.importorskip("transformers", reason="comes with the train extra")
pytest.importorskip("pocketsphinx", reason="comes with the speech extra")

from semanticface.data.shards import digest_of
from semanticface.data.speech_corpus import SAMPLES, build, sentences
from semanticface.data.speech_samples import read_samples
from semanticface.data.splits import DEFAULT
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.metrics.speech import speech_scores, speech_sums
from semanticface.speech.audio import Recording
from semanticface.speech.spans import spoken_spans
from semanticface.train.places import small_run
from semanticface.train.seal import check_seal
from semanticface.train.speaking import opened

pytestmark = pytest.mark.filterwarnings("default")
VOICE = "flite:slt"


def test_it_is_small_and_sealed():
    run = small_run(speech=True)
    assert sum(each.stat().st_size for each in run.rglob("*") if each.is_file()) < 3e6
    check_seal(run / "model")
    manifest = json.loads((run / "manifest.json").read_text())
    assert digest_of(run / "model" / "model.safetensors") == manifest["weights"]["sha256"]
    assert "/tmp" not in (run / "manifest.json").read_text()


@pytest.mark.slow
def test_new_sentences_are_spoken_with_closed_lips(tmp_path):
    texts = [text for text in sentences(400, seed=3) if DEFAULT.side(text) == "test"][:3]
    build(tmp_path, texts, seed=7, voices=[VOICE], voices_each=1, held_out=())
    speaker = opened(small_run(speech=True))
    sums, still = [], []
    for sample in read_samples(tmp_path / SAMPLES):
        take = speaker.task.take(sample)
        sound = Recording(sample.audio).samples()
        made = speaker.clip(take.spoken, sound, len(take.clip) / speaker.task.rate)
        assert not made.missing and not made.unread
        spans = spoken_spans(take.spoken.timeline)
        truth, times = take.clip.values, take.clip.times
        sums.append(speech_sums(made.clip.values, times, spans, truth=truth))
        mouth = truth[:, list(MOUTH_31)]
        still.append(np.abs(mouth - mouth.mean(0)).mean())
    told = [speech_scores(each) for each in sums]
    assert np.mean([each.closure_rate for each in told]) > 0.9
    assert np.mean([each.mouth_mae for each in told]) < 0.5 * np.mean(still)
