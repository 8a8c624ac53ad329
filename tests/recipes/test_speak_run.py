"""A run of speech from the recipe to the user's two commands."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("trl", reason="comes with the train extra")

import tiny_hearing
from training import REPOSITORY, recipe, speech_data

from semanticface import formats
from semanticface.cli import main as cli
from semanticface.metrics.mouth_sets import MOUTH_31

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
MOUTH = list(MOUTH_31)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a corpus and a run of two steps that hears alone."""
    folder = tmp_path_factory.mktemp("speech")
    data = speech_data(folder)
    model = tiny_hearing.save("qwen2_audio", folder / "model")
    module = recipe()
    module.main(module.parse([
        "--config", str(REPOSITORY / "recipes" / "configs" / "audioface_nano.yaml"),
        "--cues", "audio", "--model", str(model), "--data", str(data), "--max_steps", "2",
        "--output_dir", str(folder / "run"), "--warmup_steps", "0", "--probe_steps", "1",
        "--per_device_train_batch_size", "2", "--use_cpu", "true", "--disable_tqdm", "true",
    ]))  # fmt: skip
    return folder


def said(monkeypatch, capsys, *words: object) -> str:
    monkeypatch.setattr(sys, "argv", ["semanticface", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    told = capsys.readouterr().err
    assert not stop.value.code, told
    return told


def test_the_small_model_that_comes_along_speaks(place, monkeypatch, capsys, tmp_path):
    clip = tmp_path / "a.npz"
    said(monkeypatch, capsys, "speak", place / "one.wav", "--run", "small", "-o", clip)
    made = formats.read(clip)
    assert made.meta.notes["made_by"] == "model"
    assert np.isfinite(made.values[:, MOUTH]).all()


def test_a_run_speaks_and_speaks_live(place, monkeypatch, capsys, tmp_path):
    clip, live = tmp_path / "a.npz", tmp_path / "b.csv"
    said(monkeypatch, capsys, "speak", place / "one.wav", "--run", place / "run", "-o", clip)
    made = formats.read(clip)
    assert len(made) == 36 and made.meta.notes["made_by"] == "model"
    assert np.isfinite(made.values[:, MOUTH]).all()
    told = said(monkeypatch, capsys, "speak-live", place / "one.wav", "--run", place / "run",
                "-o", live)  # fmt: skip
    assert "held back by 0.60 s" in told
    assert len(formats.read(live)) == 36


def test_the_rules_speak_live_to_a_take(place, monkeypatch, capsys, tmp_path):
    said(monkeypatch, capsys, "speak-live", place / "two.wav", "-o", tmp_path / "c.csv")
    assert len(formats.read(tmp_path / "c.csv")) == 36


def test_a_run_of_speech_reads_no_picture(place, monkeypatch, capsys):
    from semanticface.errors import BadInput
    from semanticface.train.predictor import opened

    with pytest.raises(BadInput, match="a run of speech"):
        opened(place / "run")


def test_the_small_model_reads_words_so_it_is_refused_live(place, monkeypatch, capsys, tmp_path):
    told = ["speak-live", str(place / "one.wav"), "--run", "small", "-o", str(tmp_path / "a.csv")]
    monkeypatch.setattr(sys, "argv", ["semanticface", *told])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert "trained with cues" in capsys.readouterr().err
