"""What a run saved: loaded by path alone, refused when it was touched, merged without loss."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest

pytest.importorskip("trl", reason="comes with the train extra")

from samples import picture
from training import LORA, train
from typer.testing import CliRunner

from semanticface.cli.main import app
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.rig import load_npz
from semanticface.train.loading import Source
from semanticface.train.merge import merge
from semanticface.train.predictor import opened
from semanticface.train.runs import Run
from semanticface.train.seal import check_seal

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def run(tiny, data, tmp_path_factory):
    """A LoRA run with weights that matter: a high rate moves the answers."""
    folder = tmp_path_factory.mktemp("saved") / "lora"
    return train(folder, tiny, data, **LORA, max_steps=3, learning_rate=0.05)


@pytest.fixture
def copy(run, tmp_path):
    shutil.copytree(run, tmp_path / "moved")
    return tmp_path / "moved"


def seen():
    return [picture(112, 112, seed=n) for n in range(3)]


def told(predictor):
    return [face.completion.text for face in predictor.faces(seen())]


def test_a_run_answers_by_its_path_wherever_it_lies(run, copy, monkeypatch, tmp_path):
    expected = told(opened(run))
    monkeypatch.chdir(tmp_path)
    assert told(opened("moved")) == expected


def test_a_base_given_from_one_place_is_found_from_another(tiny, data, tmp_path, monkeypatch):
    """Begun by a relative path, gone on with by the whole one, used from anywhere."""
    monkeypatch.chdir(tiny.parent)
    begun = train(tmp_path / "lora", tiny.name, data, **LORA, max_steps=1)
    monkeypatch.chdir(tmp_path)
    expected = told(opened(begun, base=str(tiny)))
    assert told(opened(begun)) == expected
    (begun / "adapter").rename(begun / "best")  # killed at its end
    train(begun, tiny, data, **LORA, max_steps=1)
    assert told(opened(begun)) == expected


def test_an_adapter_changes_what_the_base_says(run, tiny):
    base = opened(tiny, answer="tokens", stage="coefficients")
    assert told(base) != told(opened(run))
    assert base.origin != opened(run).origin


@pytest.mark.parametrize(("spoil", "fault"), [
    (lambda f: (f / "adapter_model.safetensors").write_bytes(b"x"), "with other contents"),
    (lambda f: (f / "adapter_config.json").unlink(), "no adapter_config.json"),
    (lambda f: (f / "more.bin").write_bytes(b"x"), "which the list does not know"),
    (lambda f: (f / "hashes.json").unlink(), "neither a finished adapter nor model"),
    (lambda f: (f.parent / "manifest.json").write_text("{}"), "'run/1'"),
], ids=["tampered", "missing", "added", "unsealed", "no manifest"])  # fmt: skip
def test_what_was_touched_is_refused(copy, spoil, fault):
    spoil(copy / "adapter")
    with pytest.raises(BadInput, match=fault):
        opened(copy)


def test_another_base_is_refused(copy, tiny, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(tiny, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"extra": 1}))
    with pytest.raises(BadInput, match="another base model"):
        opened(copy, base=str(other))
    with pytest.raises(BadInput, match="no base model at"):
        opened(copy, base=str(tmp_path / "nowhere"))


def test_a_base_from_the_hub_is_the_commit_that_was_trained_on(copy, tiny, monkeypatch):
    from semanticface.train import predictor

    held = json.loads((copy / "manifest.json").read_text())
    held["base"] = {"path": "some/model", "sha256": f"commit {'a' * 40}"}
    (copy / "manifest.json").write_text(json.dumps(held))
    asked, load_model = [], predictor.load_model

    def watched(source):
        asked.append((source.path, source.revision))
        return load_model(Source(str(tiny)))

    monkeypatch.setattr(predictor, "load_model", watched)
    predictor.load_run(copy)
    predictor.load_run(copy, str(tiny))
    assert asked == [("some/model", "a" * 40), (str(tiny), None)]


def test_checkpoints_are_sealed_and_a_spoilt_one_is_not_gone_on_from(copy):
    check_seal(copy / "checkpoint-2")
    (copy / "checkpoint-3" / "hashes.json").unlink()  # killed while it was saved
    shutil.copytree(copy / "checkpoint-2", copy / "checkpoint-2 (copy)")
    assert Run(copy).last_checkpoint() == copy / "checkpoint-2"
    assert not (copy / "checkpoint-3").exists()
    assert (copy / "checkpoint-2 (copy)").exists()


@pytest.mark.parametrize(("name", "fault"), [
    ("optimizer.pt", "optimizer.pt with other contents"), (".DS_Store", ".DS_Store, which"),
])  # fmt: skip
def test_a_whole_checkpoint_that_was_touched_is_refused_and_kept(copy, name, fault):
    (copy / "checkpoint-3" / name).write_bytes(b"half")
    with pytest.raises(BadInput, match=f"{fault}.*take the folder away"):
        Run(copy).last_checkpoint()
    assert (copy / "checkpoint-3" / "hashes.json").is_file()


def test_merged_is_adapter(run, tmp_path):
    proof = merge(run, tmp_path / "merged")
    assert proof.largest < 1e-3 and proof.same == 1 and proof.tokens > 100
    assert told(opened(tmp_path / "merged")) == told(opened(run))


def test_a_merge_that_loses_something_writes_nothing(run, tmp_path, monkeypatch):
    import peft

    monkeypatch.setattr(
        peft.PeftModel, "merge_and_unload", lambda self: self.unload(), raising=False
    )
    monkeypatch.setattr(peft.tuners.lora.LoraModel, "merge_and_unload", lambda self: self.unload())
    with pytest.raises(SemanticFaceError, match="not its adapter"):
        merge(run, tmp_path / "merged")
    assert not list(tmp_path.iterdir())


def test_a_merge_into_no_numbers_writes_nothing(run, tmp_path, monkeypatch):
    import peft

    lora = peft.tuners.lora.LoraModel
    whole = lora.merge_and_unload

    def spoilt(self):
        made = whole(self)
        next(iter(made.parameters())).data.fill_(float("nan"))
        return made

    monkeypatch.setattr(lora, "merge_and_unload", spoilt)
    with pytest.raises(SemanticFaceError, match="differ by up to nan"):
        merge(run, tmp_path / "merged")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def album(tmp_path):
    folder = tmp_path / "album"
    folder.mkdir()
    for n in (1, 2, 10):
        picture(60, 80, seed=n).save(folder / f"f{n}.png")
    (folder / "bad.jpg").write_bytes(b"no picture")
    return folder


def call(*words):
    return CliRunner().invoke(app, ["predict", *map(str, words)], catch_exceptions=False)


def test_a_folder_is_answered_and_what_fails_is_listed(run, album, tmp_path):
    out = tmp_path / "out"
    done = call(album, "--run", run, "--out", out, "--batch", 2, "--overlay")
    assert done.exit_code == 1
    held = json.loads((out / "faces.json").read_text())
    assert [name.rsplit("/", 1)[1] for name in held] == ["f1.png", "f2.png", "f10.png"]
    assert all(len(each["arkit"]) == 61 for each in held.values())
    assert list(json.loads((out / "failed.json").read_text())) == [str(album / "bad.jpg")]
    assert len(load_npz(out / "clip.npz")) == 3
    assert len((out / "faces.csv").read_text().splitlines()) == 4
    assert (out / "overlay.mp4").stat().st_size > 1000


def test_a_broken_movie_or_a_name_that_is_no_text_stops_no_other(run, album, tmp_path):
    (album / "film.mp4").write_bytes(b"no movie")
    shutil.copy(album / "f1.png", os.fsdecode(os.fsencode(album) + b"/caf\xe9.png"))
    out = tmp_path / "out"
    assert call(album, "--run", run, "--out", out).exit_code == 1
    assert len(json.loads((out / "faces.json").read_text())) == 3
    failed = json.loads((out / "failed.json").read_text())
    assert {name.rsplit("/", 1)[1] for name in failed} == {"bad.jpg", "film.mp4", "caf\\xe9.png"}
    assert "no movie" in failed[str(album / "film.mp4")]
    assert "not UTF-8" in failed[str(album / "caf\\xe9.png")]


def test_an_answer_with_a_line_of_its_own_is_gone_on_with(tmp_path):
    """JSON keeps U+2028 and its like as they are, and Python takes them for ends of lines."""
    from semanticface.data.images import ImageRef
    from semanticface.train.decoding import Completion
    from semanticface.train.predictions import Predictions
    from semanticface.train.predictor import Face
    from semanticface.train.shots import Shot

    text = "one\u2028two\x85three"
    face = Face(np.zeros(61, np.float32), None, None, Completion(text, 1, True, 1))
    Predictions.begun(tmp_path, "x").add("k", Shot("a", None, ImageRef(path="a"), ""), face, 9)
    assert Predictions.begun(tmp_path, "x").held["k"].text == text


def test_answers_are_gone_on_with(run, album, tmp_path):
    out = tmp_path / "out"
    (album / "bad.jpg").unlink()
    call(album / "f1.png", "--run", run, "--out", out)
    whole = (out / "answers.jsonl").read_text()
    (out / "answers.jsonl").write_text(whole + '{"key": "cut of')  # killed while writing
    done = call(album, "--run", run, "--out", out)
    assert done.exit_code == 0
    assert (out / "answers.jsonl").read_text().startswith(whole)
    assert len((out / "answers.jsonl").read_text().splitlines()) == 4
    assert "2 of them new" in done.stderr.replace("\n", " ")


def test_answers_of_another_model_are_not_mixed_in(run, tiny, album, tmp_path):
    out = tmp_path / "out"
    call(album / "f1.png", "--run", run, "--out", out)
    with pytest.raises(BadInput, match="answers of another model"):
        call(album / "f2.png", "--run", tiny, "--stage", "coefficients", "--format", "tokens",
             "--out", out)  # fmt: skip


def test_one_picture_is_answered_on_stdout(run, album):
    done = call(album / "f1.png", "--run", run)
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)["arkit"]) == 61


def test_a_model_is_asked_for_the_channels_that_are_wanted(tiny, album):
    done = call(album / "f1.png", "--run", tiny, "--stage", "coefficients", "--format", "tokens",
                "--channels", "jawOpen,cheekPuff")  # fmt: skip
    assert list(json.loads(done.stdout)["arkit"]) == ["JawOpen", "CheekPuff"]
    with pytest.raises(BadInput, match="channels for a run"):
        call(album / "f1.png", "--channels", "arkit-52")


def test_a_movie_is_a_clip_with_its_own_times(run, tmp_path):
    from semanticface.render.video import write_video

    frames = [np.asarray(picture(64, 64, seed=n)) for n in range(4)]
    write_video(tmp_path / "film.mp4", frames, 10)
    done = call(tmp_path / "film.mp4", "--run", run, "--out", tmp_path / "out", "--every", 0.2)
    assert done.exit_code == 0
    np.testing.assert_allclose(load_npz(tmp_path / "out" / "clip.npz").times, [0, 0.2], atol=1e-3)


def test_no_camera_is_said(run, tmp_path):
    with pytest.raises(BadInput, match="no camera 93"):
        call("--camera", 93, "--run", run, "--out", tmp_path / "out")


@pytest.mark.parametrize(("words", "fault"), [
    ([], "no picture"), (["x.png", "--camera", "0"], "pictures and a camera"),
    (["a.png", "b.png"], "no folder for the answers"),
    (["nowhere.png", "--out", "o"], "no such file"),
])  # fmt: skip
def test_what_cannot_be_asked_is_said(words, fault, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=fault):
        call(*words)


def test_a_run_is_a_source_of_the_evaluation(run):
    from semanticface.evaluation.items import Item
    from semanticface.evaluation.sources import source_of, spec_of
    from semanticface.rig import FaceClip

    truth = FaceClip(np.zeros((2, 61), np.float32), np.array([0.0, 1.0]), np.ones(61, np.bool_))
    source = source_of(spec_of({"kind": "run", "name": "ours", "path": str(run), "size": 112}))
    item = Item("take", "anna", truth)
    found = source.predict(item)[0]
    assert found.clip.values.shape == (2, 61) and np.isfinite(found.clip.values).all()
    assert [each.outcome for each in found.reports] == ["strict", "strict"]
    again = source_of(spec_of({"kind": "run", "name": "other", "path": str(run), "size": 112}))
    assert source.fingerprint(item) == again.fingerprint(item)
