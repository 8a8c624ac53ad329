"""The speech task and the synthetic corpus: files in, prompts, answers and scores out."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest

from semanticface import formats
from semanticface.data.speech_corpus import build, sentences, speaker_of, split_of, style_of
from semanticface.data.speech_samples import SpeechSample, read_samples, write_samples
from semanticface.data.speech_tasks import SpeechTask
from semanticface.data.splits import Shares
from semanticface.errors import BadInput
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.metrics.speech import speech_scores, speech_sums
from semanticface.rig import FaceClip, save_npz
from semanticface.speech.alignments import read_alignment
from semanticface.speech.rules import enliven
from semanticface.speech.spans import spoken_spans
from semanticface.speech.voices import Voice

TEXTS = ["Bob moved five blue pumpkins.", "Please give my brother the map before noon."]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    assert shutil.which("flite"), "flite is missing; `make test` installs it, or: scripts/apt.sh"
    folder = tmp_path_factory.mktemp("corpus")
    built = build(folder, TEXTS, seed=4, voices=["flite:slt", "flite:awb"])
    assert built.refused == ()
    return folder


@pytest.fixture(scope="module")
def samples(corpus):
    return list(read_samples(corpus / "samples.jsonl"))


def test_every_utterance_is_there_and_says_that_it_is_synthetic(corpus, samples):
    assert len(samples) == 4
    assert Counter(each.subject for each in samples) == {"flite:slt": 2, "flite:awb": 2}
    for each in samples:
        assert each.consent == "synthetic"
        clip = formats.read(each.clip)
        assert clip.meta.notes["synthetic"] is True
        assert "synthetic" in clip.meta.source
        words = [w.text for w in read_alignment(each.alignment).words]
        assert words == each.text.rstrip(".").split()


def test_the_mouths_of_the_corpus_close_and_touch(samples):
    for each in samples:
        clip, timeline = formats.read(each.clip), read_alignment(each.alignment)
        found = speech_scores(speech_sums(clip.values, clip.times, spoken_spans(timeline)))
        assert found.closure_rate == 1
        assert found.teeth_rate == 1


def test_a_corpus_comes_out_the_same_again(corpus, tmp_path):
    build(tmp_path, TEXTS[:1], seed=4, voices=["flite:slt", "flite:awb"])
    for path in tmp_path.rglob("*.npz"):
        first = formats.read(corpus / path.relative_to(tmp_path))
        assert formats.read(path).same_motion(first)


def test_voices_and_sentences_have_styles_of_their_own():
    one, again, other = (style_of("flite:slt", 1, 0), style_of("flite:slt", 1, 0),
                         style_of("flite:rms", 1, 0))  # fmt: skip
    assert one == again != other
    near = style_of("flite:slt", 1, 1)
    assert abs(near.jaw - one.jaw) < 0.25
    assert near != one


def test_a_voice_may_have_many_speakers_who_keep_their_pitch_and_their_side(tmp_path):
    voices = ["flite:slt", "flite:awb"]
    texts = [*TEXTS, "My father poured warm milk."]
    build(tmp_path, texts, seed=4, voices=voices, speakers=3)
    told = list(read_samples(tmp_path / "samples.jsonl"))
    assert {each.subject.rpartition("-")[0] for each in told} == set(voices)
    assert len({each.subject for each in told}) > len(voices)
    assert all((each.unseen in ("voice", "both")) == each.subject.startswith("flite:awb")
               for each in told)  # fmt: skip
    by_name = {}
    for sentence in range(40):
        name, voice = speaker_of("flite:slt", 4, sentence, 3)
        assert by_name.setdefault(name, voice) == voice
    assert len(set(by_name.values())) == len(by_name) == 3
    assert speaker_of("flite:slt", 4, 0) == ("flite:slt", Voice("flite:slt"))
    with pytest.raises(BadInput, match="0 speakers"):
        build(tmp_path, texts, speakers=0)


def test_a_corpus_without_an_unseen_voice_says_so(corpus, tmp_path):
    text = TEXTS[:1]
    built = build(tmp_path / "a", text, voices=["flite:slt"], accent=0)
    assert "no sample of an unseen voice" in built.notes[0]
    other = build(tmp_path / "b", text, voices=["flite:slt"], held_out=["flite:slt"], accent=0)
    assert [note[:21] for note in other.notes] == ["no sample to train on"]
    assert {each.unseen for each in read_samples(tmp_path / "b" / "samples.jsonl")} <= {
        "voice", "both"}  # fmt: skip
    with pytest.raises(BadInput, match="to hold out"):
        build(tmp_path / "c", text, held_out=["flite:awb2"])


def test_the_builders_command_holds_out_the_voice_it_is_told(tmp_path):
    (tmp_path / "t.txt").write_text(TEXTS[0])
    done = subprocess.run(
        [sys.executable, "scripts/speech_corpus.py", tmp_path / "c", "--texts", tmp_path / "t.txt",
         "--voices", "flite:slt", "flite:rms", "--held-out", "flite:rms", "--accent", "0",
         "--pauses", "--films", "1"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "unseen voice" not in done.stdout
    held = {each.subject for each in read_samples(tmp_path / "c" / "samples.jsonl")
            if each.unseen in ("voice", "both")}  # fmt: skip
    assert held == {"flite:rms"}
    assert "1 films" in done.stdout
    (sample, *_) = read_samples(tmp_path / "c" / "samples.jsonl")
    with av.open(str(Path(sample.clip).with_suffix(".mp4"))) as held:
        frames = sum(1 for _ in held.decode(video=0))
        assert held.streams.audio
    assert abs(frames - len(formats.read(sample.clip))) <= 1
    assert read_alignment(sample.alignment).sounds[0].start > 0.5


def test_the_builders_command_says_what_is_wrong_in_a_line(tmp_path):
    for more, told in ((["--held-out", "flite:awb2"], "flite:awb2"), (["--speakers", "0"], "0 sp"),
                       (["--texts", "gone.txt"], "gone.txt: no such file")):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "scripts/speech_corpus.py", tmp_path / "c", "--sentences", "1", *more],
            cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr


def test_a_builder_that_is_stopped_says_what_is_left(tmp_path):
    running = subprocess.Popen(
        [sys.executable, "scripts/speech_corpus.py", tmp_path / "c", "--sentences", "400"],
        cwd=Path(__file__).parents[2], stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while not list(tmp_path.rglob("*.npz")) and time.monotonic() < until:
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    told = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert "stopped before the list of samples was written" in told and "Traceback" not in told
    assert not (tmp_path / "c" / "samples.jsonl").exists()


def test_no_held_out_sentence_or_voice_is_trained_on():
    shares = Shares(val=0.2, test=0.3)
    texts = sentences(60, seed=2)
    assert len(set(texts)) == 60
    sides = {t: split_of(t, "flite:slt", ["flite:awb"], shares) for t in texts}
    assert {side for side, _ in sides.values()} == {"train", "val", "test"}
    for text in texts:
        side, unseen = split_of(text, "flite:awb", ["flite:awb"], shares)
        assert side == "test"
        assert unseen == ("voice" if sides[text][0] == "train" else "both")
    assert {unseen for side, unseen in sides.values() if side == "test"} == {"sentence"}


def test_samples_come_back_and_faults_name_their_row(tmp_path):
    sample = SpeechSample(id="a", audio="a.wav", clip="a.npz", subject="ann")
    write_samples(tmp_path / "s.jsonl", [sample])
    (back,) = read_samples(tmp_path / "s.jsonl")
    assert back.audio == str(tmp_path / "a.wav")
    (tmp_path / "t.jsonl").write_text(json.dumps({"id": "a", "audo": "a.wav"}) + "\n")
    with pytest.raises(BadInput, match="row 1"):
        list(read_samples(tmp_path / "t.jsonl"))


@pytest.mark.parametrize("form", ["frames", "keys", "codes"])
def test_the_target_is_read_back_as_the_truth_and_earns_nearly_everything(samples, form):
    task = SpeechTask.of(form)
    take = task.take(samples[0])
    windows = task.windows(take)
    targets = {window: task.target(take, window) for window in windows}
    clip, missing = task.assemble(take, targets)
    assert missing == 0
    assert isinstance(clip, FaceClip)
    assert np.abs(clip.values[:, MOUTH_31] - take.clip.values[:, MOUTH_31]).max() < 0.045
    scores = [task.score(take, window, targets[window]) for window in windows]
    assert min(score.reward for score in scores) > 0.9
    assert {score.contacts for score in scores if not np.isnan(score.contacts)} == {1.0}


def test_worse_answers_earn_less(samples):
    task = SpeechTask.of("codes")
    take = task.take(samples[0])
    window = max(task.windows(take), key=lambda w: take.clip.values[w.first + 4, 17])
    good = task.reward(take, window, task.target(take, window))
    still = task.reward(take, window, "")
    wild = task.reward(take, window, "jo 0:90;mp 0:90")
    broken = task.score(take, window, "the jaw opens")
    assert good > still > wild > broken.reward == 0
    assert "no code" in broken.why


def test_a_row_for_training(samples):
    task = SpeechTask.of("codes", cues="text")
    rows = list(task.examples(samples[0]))
    row = rows[2]
    assert set(row) == {"prompt", "completion", "record"}  # by cues alone
    text = row["prompt"][1]["content"][0]["text"]
    assert "words: " in text
    assert "voice: " in text
    assert "jo jawOpen" in text
    assert row["record"] == f"{samples[0].id}@24"
    heard = list(SpeechTask.of("codes", cues="audio").examples(samples[0]))[2]
    assert heard["audio"]["start"] == pytest.approx(24 / 30 - 0.25)
    assert heard["audio"]["end"] == pytest.approx(39 / 30 + 0.25)
    assert heard["prompt"][1]["content"][-1] == {"type": "audio"}
    assert "words: " not in heard["prompt"][1]["content"][0]["text"]
    assert heard["completion"] == row["completion"]


def test_what_was_added_is_not_learnt(samples, tmp_path):
    sample = samples[0]
    save_npz(enliven(formats.read(sample.clip), seed=1), tmp_path / "alive.npz")
    alive = sample.model_copy(update={"clip": str(tmp_path / "alive.npz")})
    task = SpeechTask.of("codes")
    assert "eyeBlinkLeft" not in task.take(alive).clip.names
    assert list(task.examples(alive)) == list(task.examples(sample))


def test_tasks_that_cannot_be_are_refused():
    with pytest.raises(BadInput, match="neither sound nor cues"):
        SpeechTask(cues=(), audio=False)
    with pytest.raises(BadInput, match="the cues 'all'"):
        SpeechTask.of("codes", cues="all")
    with pytest.raises(BadInput, match="the form 'xml'"):
        SpeechTask.of("xml")
