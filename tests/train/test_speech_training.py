"""Windows of speech in training: rows, batches, one-pass answers, and what they are put into."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zlib
from functools import partial

import numpy as np
import pytest

pytest.importorskip("trl", reason="comes with the train extra")

import tiny_hearing
import torch
from training import REPOSITORY, recipe, speech_data

from semanticface.data.sounds import Passing, Sounds, cut
from semanticface.data.speech_samples import SpeechSample, read_samples, write_samples
from semanticface.data.speech_tasks import SpeechTask, unpacked
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.rig import FaceClip, save_npz
from semanticface.speech.audio import RATE, Recording, as_wav
from semanticface.speech.cues import SETS
from semanticface.speech.mouth_shapes import nearest, read_table, shapes
from semanticface.speech.rules import animate
from semanticface.train.hearing import load_hearing
from semanticface.train.loading import Source
from semanticface.train.manifest import speech_json, speech_of
from semanticface.train.objective import Changed, mouth_loss
from semanticface.train.places import model_place
from semanticface.train.runs import Run, report
from semanticface.train.speaking import ModelEar, Speaker, speaker
from semanticface.train.speech_collation import Asking, SpeechCollator, shape_ids
from semanticface.train.speech_rows import Sayable, opened_speech, speech_sides
from semanticface.train.trainer import of_mouths

pytestmark = pytest.mark.filterwarnings("default")
MOUTH = list(MOUTH_31)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return speech_data(tmp_path_factory.mktemp("speech"))


@pytest.fixture(scope="module")
def ears(tmp_path_factory):
    folder = tiny_hearing.save("qwen2_audio", tmp_path_factory.mktemp("ears"))
    loaded = load_hearing(Source(str(folder), "float32"), SpeechTask.of("shapes"))
    return loaded._replace(model=loaded.model.eval())


@pytest.fixture(scope="module")
def take(data):
    return SpeechTask.of("shapes").take(next(read_samples(data)))


def options(data, **more):
    told = {"stage": "speech", "data": data, "answer": "shapes"} | more
    return (
        recipe()
        .parse(["--model", "x", *(w for k, v in told.items() for w in (f"--{k}", str(v)))])
        .data
    )


@pytest.mark.parametrize("cues", SETS)
def test_a_run_says_its_task_to_the_letter(cues):
    task = SpeechTask.of("shapes", cues=cues, frames=21, hop=9, margin=0.4, rate=25)
    assert speech_of({"task": speech_json(task)}) == task
    assert "shapes" not in speech_json(task)
    own = SpeechTask.of("shapes", cues=cues, shapes=_own_table())
    assert speech_of({"task": json.loads(json.dumps(speech_json(own)))}) == own != task
    lips = SpeechTask.of("codes", cues=cues, channels="mouth-29")
    assert speech_of({"task": speech_json(lips)}) == lips


def test_a_run_that_was_shown_drafts_of_other_rules_is_refused():
    told = speech_json(SpeechTask.of("shapes", cues="drafted"))
    assert len(told["draft"]) == len(MOUTH) and max(told["draft"]) > 0.05
    assert "draft" not in speech_json(SpeechTask.of("shapes", cues="timed"))
    almost = told | {"draft": [each + 1e-4 for each in told["draft"]]}
    assert speech_of({"task": json.loads(json.dumps(almost))}).cues
    other = told | {"draft": [told["draft"][0] + 0.01, *told["draft"][1:]]}
    with pytest.raises(BadInput, match="other rules of the mouth"):
        speech_of({"task": other})
    assert speech_of({"task": {k: v for k, v in told.items() if k != "draft"}}).cues


def test_the_report_says_how_a_run_of_speech_is_used(tmp_path):
    run = Run(tmp_path)
    run.probes.write_text('{"step": 3, "mae": 0.1}\n')
    run.manifest.write_text(
        json.dumps({"semanticface": "run/1", "task": speech_json(SpeechTask.of("codes"))})
    )
    assert f"semanticface speak SOUND --run {tmp_path}" in report(run, tmp_path / "model")
    run.manifest.write_text(
        json.dumps({"semanticface": "run/1", "task": {"stage": "coefficients"}})
    )
    assert "semanticface predict PICTURE" in report(run, tmp_path / "model")


def test_rows_are_windows_and_sides_share_no_sentence(data, tmp_path):
    held = options(data)
    sides = speech_sides(held, data, tmp_path, 4)
    take = held.speech.take(next(read_samples(data)))
    assert len(sides.train) == len(held.speech.windows(take))
    assert [each.sentence for each in sides.probe] == ["two"]
    again = opened_speech(tmp_path)
    assert again.train.digest() == sides.train.digest()
    assert (
        again.train[0] == sides.train[0] == held.speech.example(take, held.speech.windows(take)[0])
    )
    other = speech_sides(options(data, cues="audio"), data, tmp_path / "other", 4)
    assert other.train.digest() != sides.train.digest()


def test_a_table_of_recordings_mouths_is_made_and_trained_with(tmp_path):
    rng = np.random.default_rng(0)
    moved = np.cumsum(rng.normal(0, 0.05, (2600, 4)), 0) @ rng.normal(0, 1, (4, 31))
    values = np.full((2600, 61), np.nan, np.float32)
    values[:, MOUTH] = 0.5 + 0.5 * np.sin(moved)
    save_npz(FaceClip(values, np.arange(2600) / 30, ~np.isnan(values).all(0)), tmp_path / "a.npz")
    (tmp_path / "a.wav").write_bytes(as_wav(np.zeros(87 * RATE, np.float32)))
    sample = {"audio": "a.wav", "clip": "a.npz", "subject": "ann", "consent": "given"}
    write_samples(tmp_path / "samples.jsonl", [
        SpeechSample.model_validate({**sample, "id": side, "split": side})
        for side in ("train", "test")])  # fmt: skip
    done = subprocess.run(
        [sys.executable, REPOSITORY / "scripts" / "mouth_shapes.py", tmp_path, "--own",
         tmp_path / "mine.npz"], capture_output=True, text=True, check=True)  # fmt: skip
    trained, held = (line.split() for line in done.stdout.splitlines()[:2])
    assert float(trained[3]) < 0.5 * float(trained[10]) and held[:2] == ["held", "out:"]
    told = options(tmp_path, cues="audio", shapes=tmp_path / "mine.npz")
    take = told.speech.take(next(read_samples(tmp_path / "samples.jsonl")))
    row = told.speech.example(take, told.speech.windows(take)[0])
    own = read_table(tmp_path / "mine.npz")
    wanted = nearest(take.clip.values[:15, MOUTH], own)
    text = row["completion"][0]["content"][0]["text"]
    assert text == "".join(f"<m{k}>" for k in wanted)
    with pytest.raises(BadInput, match="table of shapes with codes"):
        _ = options(tmp_path, cues="audio", answer="codes", shapes=tmp_path / "mine.npz").speech


def _own_table():
    rng = np.random.default_rng(1)
    return base64.b64encode(zlib.compress(rng.integers(0, 101, 256 * 31, np.uint8).tobytes())
                            ).decode()  # fmt: skip


def test_mouths_that_the_shapes_cannot_say_are_told(data, take):
    rules = Sayable()
    rules.add(take.clip.values[:, MOUTH])
    rng = np.random.default_rng(0)
    wild = Sayable()
    wild.add(np.concatenate([rng.uniform(0, 1, (50, 31)), np.full((1, 31), np.nan)]))
    assert rules.doubt == ""
    assert "take --shapes" in wild.doubt and "nan" not in wild.doubt


def test_the_expected_mouth_is_pulled_to_the_true_one():
    ids = list(range(5, 5 + len(shapes())))
    loss = mouth_loss(ids)
    logits = torch.zeros(1, 3, 300, requires_grad=True)
    labels = torch.tensor([[5 + 7, -100, 5 + 7]])
    mouths = torch.tensor(shapes()[7]).float().expand(1, 3, 31)
    found = loss(logits, labels, mouths)
    even = np.abs(shapes().mean(0) - shapes()[7]).mean()
    assert found[0].tolist() == pytest.approx([100 * even, 0, 100 * even], rel=1e-4)
    found.sum().backward()
    assert logits.grad[0, 1].abs().sum() == 0
    assert logits.grad[0, 0, 5 + 7] < 0
    sure = torch.zeros(1, 1, 300)
    sure[0, 0, 5 + 7] = 50
    assert float(loss(sure, labels[:, :1], mouths[:, :1])) == pytest.approx(0, abs=1e-3)
    between = torch.tensor(0.5 * (shapes()[7] + shapes()[9])).float().expand(1, 1, 31)
    both = torch.zeros(1, 1, 300)
    both[0, 0, [5 + 7, 5 + 9]] = 50
    assert float(loss(both, labels[:, :1], between)) == pytest.approx(0, abs=1e-3)
    assert float(loss(sure, labels[:, :1], between)) > 0.5


def test_the_output_layer_sees_the_answers_alone_and_the_loss_is_the_same(ears, take):
    task = SpeechTask.of("shapes", cues="timed")
    collate = SpeechCollator(Asking(ears.processor, task), mouths=True)
    batch = collate(rows_of(task, take))
    mouths, labels = batch.pop("mouths"), batch["labels"]
    loss = mouth_loss(shape_ids(ears.processor.tokenizer))
    model, head = ears.model.eval(), ears.model.get_output_embeddings()

    rest = {key: each for key, each in batch.items() if key != "labels"}
    logits = model(**rest).logits[:, :-1]
    learnt = labels[:, 1:] != -100
    chosen = logits.log_softmax(-1).gather(-1, labels[:, 1:].clamp(min=0)[..., None])[..., 0]
    by_hand = (chosen - 0.7 * loss(logits, labels[:, 1:], mouths[:, 1:])) * learnt
    wanted = torch.autograd.grad(by_hand.sum(), head.weight)[0]

    seen = []
    watch = head.register_forward_hook(lambda _, given, out: seen.append(out.shape[1]))
    out = Changed(model, head, None, partial(of_mouths, loss, mouths, None), 0.7)(**batch)
    watch.remove()
    first = int(learnt.any(0).nonzero()[0])
    assert first > 30
    assert seen == [labels.shape[1] - first]
    torch.testing.assert_close(out.log_probs, by_hand)
    torch.testing.assert_close(torch.autograd.grad(out.log_probs.sum(), head.weight)[0], wanted)
    assert model(**rest).logits.shape[1] == labels.shape[1]  # nothing stays behind
    alone = Changed(model, head, None, partial(of_mouths, loss, mouths, None), 0.7)
    none = alone(**(batch | {"labels": torch.full_like(labels, -100)}))
    assert float(none.log_probs.detach().sum()) == 0


def test_the_loss_knows_the_draft(ears, take):
    task = SpeechTask.of("shapes", cues="drafted")
    rows = rows_of(task, take)[:2]
    del rows[1]["row"]["draft"]
    batch = SpeechCollator(Asking(ears.processor, task), mouths=True)(rows)
    labels, drafts = batch["labels"], batch["drafts"]
    assert drafts.shape == (*labels.shape, 32)
    assert float(drafts[1].abs().max()) == 0
    ids = shape_ids(ears.processor.tokenizer)
    loss, learnt = mouth_loss(ids), labels != -100
    window = task.windows(take)[0]
    draft = torch.zeros((*labels.shape, 31))
    draft[0, learnt[0]] = torch.tensor(take.spoken.drafted(window)[:, MOUTH])
    sure = torch.zeros((*labels.shape, max(ids) + 1))
    places = torch.tensor(ids)[drafts[0, learnt[0], 0].long()]
    sure[0, learnt[0].nonzero().flatten(), places] = 50
    found = loss(sure, labels, draft, drafts)[0, learnt[0]]
    assert found.max() < 0.1  # in hundredths; what half precision leaves
    assert loss(sure, labels, draft)[0, learnt[0]].mean() > 0.3


def test_settings_that_mean_nothing_for_speech_are_refused(data):
    assert options(data, number_loss=0.3)
    with pytest.raises(BadInput, match="number_loss with speech in codes"):
        options(data, number_loss=0.3, answer="codes")
    with pytest.raises(BadInput, match="with speech"):
        options(data, region_weights="mouth=2")
    with pytest.raises(BadInput, match="with speech"):
        options(data, mirror=True)
    with pytest.raises(BadInput, match="which hears nothing"):
        load_hearing(_written(data), SpeechTask.of("codes"))


def _written(data):
    folder = data.parent / "reader"
    if not folder.is_dir():
        tiny_hearing.save("qwen3", folder)
    return Source(str(folder), "float32")


def rows_of(task, take):
    return [{"row": task.example(take, w)} for w in task.windows(take)]


def test_slots_are_learnt_to_be_the_shapes_and_nothing_else(ears, take):
    task = SpeechTask.of("shapes")
    batch = SpeechCollator(Asking(ears.processor, task))(rows_of(task, take))
    tokenizer = ears.processor.tokenizer
    for row, window in enumerate(task.windows(take)):
        learnt = batch["labels"][row] != -100
        told = tokenizer.convert_ids_to_tokens(batch["labels"][row][learnt].tolist())
        part = take.clip.values[window.first : window.first + window.frames][:, MOUTH]
        assert told == [f"<m{k}>" for k in nearest(part)]
        before = batch["input_ids"][row][learnt.nonzero().flatten() - 1].tolist()
        assert tokenizer.convert_ids_to_tokens(before) == [f"<t{i}>" for i in range(window.frames)]


def test_text_answers_are_learnt_whole_with_their_end(data, take):
    task = SpeechTask.of("codes", cues="text")
    loaded = load_hearing(_written(data), task)
    batch = SpeechCollator(Asking(loaded.processor, task))(rows_of(task, take))
    assert "input_features" not in batch
    learnt = batch["labels"][1][batch["labels"][1] != -100].tolist()
    assert learnt[-1] == loaded.processor.eos_token_id
    assert loaded.processor.decode(learnt[:-1]) == task.target(take, task.windows(take)[1])
    with pytest.raises(BadInput, match=r"tokens in one@"):
        SpeechCollator(Asking(loaded.processor, task), max_length=50)(rows_of(task, take))


def test_the_model_hears(ears, take):
    task = SpeechTask.of("shapes", cues="audio")
    batch = SpeechCollator(Asking(ears.processor, task))(rows_of(task, take))
    with torch.no_grad():
        loss = ears.model(**batch).loss
        batch["input_features"] = batch["input_features"].flip(-1)
        assert abs(float(ears.model(**batch).loss - loss)) > 1e-6


@pytest.mark.parametrize("cues", ["audio", "articulation", "text"])
def test_a_recording_is_answered_the_same_in_any_company(ears, take, cues):
    task = SpeechTask.of("shapes", cues=cues)
    sound = Recording(take.sample.audio).samples()
    many, one = speaker(ears.model, ears.processor, task), speaker(ears.model, ears.processor, task)
    one.batch = 1
    together, alone = many.clip(take.spoken, sound), one.clip(take.spoken, sound)
    assert len(together.clip) == len(take.clip)
    assert together.missing == 0 and not together.unread
    assert np.abs(together.clip.values - alone.clip.values)[:, MOUTH].max() < 1e-5
    assert together.clip.values[:, MOUTH].max() <= shapes().max()


def test_the_answer_is_what_the_trained_place_says(ears, take):
    """The scores of the collator's own batch, at the places whose labels it set."""
    task = SpeechTask.of("shapes", cues="phones")
    batch = SpeechCollator(Asking(ears.processor, task))(rows_of(task, take))
    labels = batch.pop("labels")
    with torch.no_grad():
        logits = ears.model(**batch).logits
    ids = ears.processor.tokenizer.convert_tokens_to_ids([f"<m{k}>" for k in range(len(shapes()))])
    row, window = 1, task.windows(take)[1]
    places = (labels[row] != -100).nonzero().flatten() - 1
    belief = logits[row, places][:, ids].softmax(-1).double().numpy()
    answers = speaker(ears.model, ears.processor, task).windows(
        take.spoken, Recording(take.sample.audio).samples(), task.windows(take)
    )
    assert np.abs(answers[row].read.values[:, MOUTH] - belief @ shapes()).max() < 1e-4
    assert answers[row].text.count("<m") == window.frames


def test_who_repeats_the_draft_speaks_by_the_rules_and_the_difference_is_learnt(
    ears, take, monkeypatch
):
    task = SpeechTask.of("shapes", cues="drafted")
    rules = animate(take.spoken.timeline, take.spoken.contours)
    asked = speaker(ears.model, ears.processor, task)
    ids = shape_ids(ears.processor.tokenizer)

    def repeating(told):
        """Sure of the draft's own token, which stands in the request, at each slot."""
        given = told["input_ids"]
        logits = torch.full((*given.shape, max(ids) + 1), -50.0)
        slots = asked.asking.slots(task.cut.frames)
        for row, tokens in enumerate(given.tolist()):
            drafted = [token for token in tokens if token in set(ids)]
            places = [i for i, token in enumerate(tokens) if token in set(slots)]
            for place, token in zip(places, drafted, strict=False):
                logits[row, place, token] = 50
        return logits

    monkeypatch.setattr(asked, "_scores", repeating)
    made = asked.clip(take.spoken, Recording(take.sample.audio).samples())
    count = min(len(made.clip), len(rules))
    np.testing.assert_allclose(made.clip.values[:count, MOUTH], rules.values[:count, MOUTH],
                               atol=1e-5)  # fmt: skip

    window = task.windows(take)[1]
    row, draft = task.example(take, window), take.spoken.drafted(window)
    left = draft[:, MOUTH] - shapes()[nearest(draft[:, MOUTH])]
    truth = take.clip.values[window.first : window.first + window.frames][:, MOUTH]
    np.testing.assert_allclose(unpacked(row["mouth"], 31), truth, atol=1e-3)
    np.testing.assert_allclose(unpacked(row["draft"]["left"], 31), left, atol=1e-3)
    assert row["draft"]["places"] == nearest(draft[:, MOUTH]).tolist()
    text = row["completion"][0]["content"][0]["text"]
    again = task.read(take.spoken, window, text).values[:, MOUTH]
    plain = shapes()[nearest(truth)]
    assert (np.square(again - truth).sum(1) < np.square(plain - truth).sum(1) + 1e-9).mean() > 0.5
    assert task.score(take, window, text).mae == pytest.approx(
        np.abs(again - truth).mean(), rel=1e-3
    )


def test_answers_that_cannot_be_read_leave_gaps_that_are_counted(ears, take):
    task = SpeechTask.of("codes", cues="audio")
    asked = speaker(ears.model, ears.processor, task, most=6)
    made = asked.clip(take.spoken, Recording(take.sample.audio).samples())
    assert made.missing == len(made.clip)
    assert np.isnan(made.clip.values).all()
    assert len(made.unread) == len(task.windows(take))


def test_blocks_are_answered_as_the_whole_and_little_is_held(ears, take):
    asked = speaker(ears.model, ears.processor, SpeechTask.of("shapes", cues="phones"))
    whole = Recording(take.sample.audio).samples()
    passing, seen = Passing(whole[i : i + 4000] for i in range(0, len(whole), 4000)), []
    for window in asked.task.cut.windows(36, 30.0):
        span = asked.task.heard(window)
        assert np.array_equal(passing.span(*span), cut(whole, *span))
        seen.append(len(passing._held))
    assert max(seen) < 1.3 * RATE
    blocks = (whole[i : i + 4000] for i in range(0, len(whole), 4000))
    parted = asked.clip_of(take.spoken, blocks, len(whole) / RATE).clip
    assert np.array_equal(asked.clip(take.spoken, whole).clip.values, parted.values, equal_nan=True)


def test_a_window_in_which_the_model_fails_is_a_gap(ears, take, monkeypatch):
    asked = speaker(ears.model, ears.processor, SpeechTask.of("shapes", cues="phones"))
    sound, inner, first = Recording(take.sample.audio).samples(), Speaker._batch, []

    def failing(self, spoken, sounds, windows):
        first.append(windows[0])
        if any(window.first == 12 for window in windows):
            raise RuntimeError("out of memory\nat this window")
        return inner(self, spoken, sounds, windows)

    right = asked.clip(take.spoken, sound)
    monkeypatch.setattr(Speaker, "_batch", failing)
    made = asked.clip(take.spoken, sound)
    assert made.unread == ["0.40 to 0.90 s: the model failed: out of memory at this window"]
    gap = np.isnan(made.clip.values[:, MOUTH]).all(axis=1)
    assert made.missing == gap.sum() == 9  # 15 frames, of which 3 and 3 are its neighbours' too
    assert np.abs((made.clip.values - right.clip.values)[:12, MOUTH]).max() < 1e-5


def test_a_model_that_always_fails_is_an_error(ears, take, monkeypatch):
    asked = speaker(ears.model, ears.processor, SpeechTask.of("shapes", cues="phones"))
    monkeypatch.setattr(Speaker, "_batch", lambda *_: {}["no such place"])
    with pytest.raises(SemanticFaceError, match="no window could be answered"):
        asked.clip(take.spoken, Recording(take.sample.audio).samples())


def test_live_it_hears_alone(ears, take):
    with pytest.raises(BadInput, match="trained with cues"):
        ModelEar(speaker(ears.model, ears.processor, SpeechTask.of("shapes")))
    ear = ModelEar(speaker(ears.model, ears.processor, SpeechTask.of("shapes", cues="audio")))
    values = ear(np.zeros(RATE, np.float32), 30.0)
    assert values.shape == (30, 61)


def test_the_small_model_hears_as_long_as_a_window_and_its_margins(tmp_path, monkeypatch):
    from semanticface.train import nano_audio

    built = []
    monkeypatch.setattr(nano_audio, "build", lambda folder, seconds: built.append(seconds))
    for frames, margin in ((15, 0.25), (30, 0.25), (16, 0.25), (45, 0.25)):
        model_place("", str(tmp_path), SpeechTask.of("shapes", frames=frames, margin=margin))
    assert built == [1, 2, 2, 2]


def test_sound_outside_a_recording_is_silence(data):
    path = next(read_samples(data)).audio
    whole = Recording(path).samples()
    sounds = Sounds(seconds=0.5)
    part = sounds.span(path, -0.25, 0.75)
    assert len(part) == RATE
    assert not part[:4000].any()
    assert np.array_equal(part[4000:], whole[:12000])
    assert not cut(whole, 2, 3).any()
    assert np.array_equal(sounds.span(path, 0.1, 0.2), whole[1600:3200])
