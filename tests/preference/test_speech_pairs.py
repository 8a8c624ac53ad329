"""Pairs about recordings: stretches, chance, the rater's loop, export, what an oracle sees."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("trl", reason="comes with the train extra")

import tiny_hearing
from speech_preferences import PATIENT, PERFECT
from training import speech_data, train

from semanticface.cli.rank_speech import is_speech, samples_on
from semanticface.data.speech_samples import read_samples, write_samples
from semanticface.data.speech_tasks import SpeechTask
from semanticface.errors import BadInput
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.preference.align.options import PairOptions
from semanticface.preference.align.rows import read_pairs
from semanticface.preference.candidates import Candidate
from semanticface.preference.oracle import Oracle, geometry, let_judge
from semanticface.preference.recordings import Recordings, Stretch
from semanticface.preference.speech_pairs import How, fill, stretches, truths_in
from semanticface.preference.speech_sampling import Voice, asked_about, collect_spoken
from semanticface.preference.store import open_store
from semanticface.preference.store.content import add_project, add_rater
from semanticface.preference.store.exchange import export_project, import_project
from semanticface.preference.store.files import kept_file
from semanticface.preference.store.preferred import Filter, write_preferences
from semanticface.preference.store.tables import ITEMS
from semanticface.preference.store.wholes import write_wholes
from semanticface.rig import COUNT, INDEX, load_npz, save_npz
from semanticface.speech.audio import RATE, Recording
from semanticface.train.hearing import load_hearing
from semanticface.train.loading import Source
from semanticface.train.speaking import speaker
from semanticface.train.speech_drawing import Drawing

pytestmark = pytest.mark.filterwarnings("default")
TASK = SpeechTask.of("shapes", cues="timed")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return speech_data(tmp_path_factory.mktemp("speech"))


@pytest.fixture(scope="module")
def asked(data):
    return asked_about(next(read_samples(data)), TASK)


def parrot(asked, seed):
    """Whole mouths by chance, for a model."""
    rng = np.random.default_rng([seed or 0])
    return ["".join(f"<m{k}>" for k in rng.integers(0, 256, w.frames)) for w in asked.windows]


PARROT = Voice("parrot t=1", TASK, parrot)
HOW = How(samples=3, others=("rules", "take", "faults"), per_region=3, windows=1)


@pytest.fixture
def held(data, tmp_path):
    store = open_store(tmp_path / "s", create=True)
    project = add_project(store, "speech", rules=PATIENT)
    samples = list(read_samples(data))
    told = fill(store, project, [("parrot", PARROT)], samples, HOW, tmp_path / "answers")
    yield store, project, samples, told
    store.close()


def items(store):
    with store.reading() as connection:
        query = ITEMS.select().order_by(ITEMS.c.name)
        return [dict(row) for row in connection.execute(query).mappings()]


def test_stretches_are_windows_of_the_run(asked):
    assert [w.first for w in asked.windows] == [0, 12]  # what is left at the end is too short
    assert list(stretches(asked, TASK, 1)) == [(0, 15), (12, 15)]
    assert list(stretches(asked, TASK, 2)) == list(stretches(asked, TASK, 9)) == [(0, 27)]


def test_a_rater_hears_what_is_judged_and_the_store_can_ask_again(held, data):
    store, _, samples, told = held
    assert told.pairs > 4 and told.unread == 0
    for item in items(store):
        stretch = Stretch.read(json.loads(item["speech"]))
        assert item["name"] == f"{stretch.sample}@{stretch.first}+15" and item["picture"] is None
        loop = Recording(kept_file(store, item["sound"])).samples()
        assert len(loop) == round(0.5 * RATE)
        heard = Recordings(store.media).heard(stretch)
        sample = next(each for each in samples if each.id == stretch.sample)
        take = TASK.take(sample)
        for window in TASK.windows(take):
            for cues in (("words", "phones", "mouth", "voice", "pause"), ("frames", "draft")):
                assert heard.spoken.section(window, cues) == take.spoken.section(window, cues)
        assert heard.sound.read_bytes() == Path(sample.audio).read_bytes()


def test_filling_again_adds_nothing_and_asks_nobody(held, tmp_path):
    store, project, samples, told = held

    def dumb(asked, seed):
        raise AssertionError("asked again")

    again = fill(store, project, [("parrot", PARROT._replace(texts=dumb))], samples, HOW,
                 tmp_path / "answers")  # fmt: skip
    assert again.pairs == 0 and again.known == told.pairs + told.known


def test_an_export_carries_recordings_and_timelines(held, tmp_path):
    store, project, _, _ = held
    export_project(store, project.id, tmp_path / "a.jsonl")
    other = open_store(tmp_path / "other", create=True)
    import_project(other, tmp_path / "a.jsonl")
    assert items(other) == items(store)
    for item in items(other):
        stretch = Stretch.read(json.loads(item["speech"]))
        assert Recordings(other.media).heard(stretch).spoken.timeline.sounds
    other.close()


def test_the_truth_is_the_takes_own_frames(held):
    store, project, samples, _ = held
    truths = truths_in(store, project, samples)
    for item in items(store):
        stretch = Stretch.read(json.loads(item["speech"]))
        take = TASK.take(next(each for each in samples if each.id == stretch.sample))
        wanted = take.clip.values[stretch.first : stretch.first + 15]
        assert np.array_equal(truths[item["id"]].values, wanted, equal_nan=True)


def test_winners_of_mouth_and_jaw_are_put_together(data, tmp_path):
    store = open_store(tmp_path / "s", create=True)
    project = add_project(store, "speech", rules=PATIENT)
    samples = list(read_samples(data))
    how = replace(HOW, regions=("mouth", "jaw"))
    fill(store, project, [("parrot", PARROT)], samples, how, tmp_path / "answers")
    rater = add_rater(store, project.id, "oracle", "oracle", PERFECT.as_json())
    let_judge(store, project, rater, Oracle(PERFECT), truths_in(store, project, samples))
    path, rule = tmp_path / "p.jsonl", Filter(("oracle",))
    assert write_wholes(store, project.id, path, rule, ("mouth", "jaw")).rows == 4
    row = json.loads(path.read_text().splitlines()[0])
    assert row["region"] == "full" and set(row["winners"]) == {"mouth", "jaw"}
    options = PairOptions(preferences=str(path), media=str(store.media))
    pairs = read_pairs(options, TASK)
    assert len(pairs.rows) == 4 and not pairs.left_out
    write_preferences(store, project.id, path, rule)
    with pytest.raises(BadInput, match="a part of the mouth"):
        read_pairs(options, TASK)
    store.close()


def test_an_oracle_sees_two_frames_of_open_lips_and_what_is_missing_in_one_only():
    values = np.full((30, COUNT), np.nan, np.float32)
    values[:, list(MOUTH_31)] = 0.1
    truth, faulty = values.copy(), values.copy()
    truth[8:10, INDEX["mouthClose"]] = 0.5
    one, other = (Candidate.of("x", each) for each in (truth, faulty))
    assert geometry(other, one, "lower") > geometry(one, one, "lower") == 0
    assert Oracle(PERFECT).judge(one, other, one, "lower").click == "left"
    hole = truth.copy()
    hole[3, INDEX["jawOpen"]] = np.nan
    with pytest.raises(BadInput, match="the same ones in both"):
        geometry(Candidate.of("x", hole), one, "lower")


def test_answers_go_on_after_a_stop(asked, tmp_path):
    path, count = tmp_path / "a.jsonl", []

    def texts(one, seed):
        count.append(seed)
        return parrot(one, seed)

    voice = PARROT._replace(texts=texts)
    first = collect_spoken(voice, [asked], 2, path)
    more = collect_spoken(voice, [asked], 3, path)
    assert len(count) == 3 and count[0] is None and len(set(count)) == 3
    for one, other in zip(first[0], more[0], strict=False):
        assert np.array_equal(one.stretch(0, 15), other.stretch(0, 15), equal_nan=True)
    with pytest.raises(BadInput, match="Another model"):
        collect_spoken(voice._replace(origin="crow"), [asked], 2, path)


def test_an_answer_that_cannot_be_read_leaves_no_pair(asked, tmp_path):
    told = collect_spoken(PARROT._replace(texts=lambda one, seed: ["?"] * len(one.windows)),
                          [asked], 1, tmp_path / "a.jsonl")[0][0]  # fmt: skip
    assert told.unread == 2 and told.stretch(0, 15) is None


@pytest.mark.parametrize(
    ("change", "told"),
    [({"samples": 0}, "one at least"), ({"others": ("tracker",)}, "rules, take, faults"),
     ({"samples": 1, "others": ()}, "two or more")],
)  # fmt: skip
def test_pairs_of_nothing_are_refused(change, told):
    with pytest.raises(BadInput, match=told):
        How(**change)


def test_chance_follows_belief_and_nothing_beside(tmp_path, data, asked):
    """Of 15 frames that believe the same, 200 draws each: shares as softmax(log p / T)."""
    folder = tiny_hearing.save("qwen2_audio", tmp_path / "m")
    found = load_hearing(Source(str(folder), "float32"), TASK)
    calm = speaker(found.model.eval(), found.processor, TASK)
    belief = np.zeros((15, 256))
    belief[:, :3] = [0.5, 0.3, 0.2]
    drawn = []
    for seed in range(200):
        one = Drawing.of(calm, temperature=0.5, seed=seed)
        drawn += one._shaped(TASK.form, belief, asked.windows[0]).text.split(">")[:-1]
    shares = np.array([drawn.count(f"<m{k}") for k in range(3)]) / len(drawn)
    wanted = np.array([0.25, 0.09, 0.04]) / 0.38
    assert np.abs(shares - wanted).max() < 0.03
    one, other = (Drawing.of(calm, temperature=1.0, seed=s) for s in (1, 2))
    texts = [[e.text for e in each.windows(asked.spoken, asked.sound, asked.windows)]
             for each in (one, one, other)]  # fmt: skip
    assert texts[0] == texts[1] != texts[2]
    one.batch = 1
    assert [e.text for e in one.windows(asked.spoken, asked.sound, asked.windows)] == texts[0]
    with pytest.raises(BadInput, match="above 0"):
        Drawing.of(calm, temperature=0, seed=0)


def test_a_corpus_is_told_from_faces(data, tmp_path):
    (tmp_path / "faces.jsonl").write_text('{"id": "a", "image": {"path": "a.png"}}\n')
    assert is_speech(data) and is_speech(data.parent) and not is_speech(tmp_path / "faces.jsonl")
    assert [each.id for each in samples_on(data, "val")] == ["two"]
    with pytest.raises(BadInput, match="train, val or test"):
        samples_on(data, "left")
    with pytest.raises(BadInput, match="side 'test'"):
        samples_on(data, "test")


def quiet(sample, folder):
    """The same by somebody who hardly opens the mouth."""
    clip = load_npz(sample.clip)
    save_npz(clip.with_values(clip.values * 0.3), folder / f"{sample.id}.npz")
    return sample.model_copy(update={"clip": str(folder / f"{sample.id}.npz")})


@pytest.mark.slow
def test_the_commands_from_recordings_to_preferences(data, tmp_path):
    from typer.testing import CliRunner

    from semanticface.cli.main import app

    folder = tiny_hearing.save("qwen3", tmp_path / "m")
    run = train(tmp_path / "run", folder, data, stage="speech", answer="codes", cues="text",
                max_steps=1, projector="frozen", vision="frozen", probe_tokens=4,
                dtype="float32")  # fmt: skip
    where, corpus = str(tmp_path / "s"), tmp_path / "corpus"
    corpus.mkdir()
    write_samples(corpus / "samples.jsonl", [quiet(each, corpus) for each in read_samples(data)])
    for words in (
        ["rank", "new", where],
        ["rank", "speech", where, str(corpus), "--run", str(run), "--samples", "1",
         "--with", "rules,take", "--windows", "2"],
        ["rank", "oracle", where, str(corpus), "--noise", "0", "--lapse", "0"],
        ["rank", "preferences", where, "--judges", "oracle", "-o", str(tmp_path / "p.jsonl")],
    ):  # fmt: skip
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert [row["chosen"]["source"] for row in rows] == ["take"]
    assert rows[0]["speech"]["frames"] == 27 and len(rows[0]["chosen"]["frames"]) == 27
