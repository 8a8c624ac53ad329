"""What a run finds out before it begins."""

from __future__ import annotations

import pytest

pytest.importorskip("trl", reason="comes with the train extra")

from training import flags, recipe

from semanticface.data.budget import measure
from semanticface.data.images import ImageRef
from semanticface.errors import BadInput
from semanticface.train import nano
from semanticface.train.loading import Source, load_model, processor_of
from semanticface.train.options import DataOptions, ProbeOptions
from semanticface.train.places import model_place
from semanticface.train.probe import Probe
from semanticface.train.rows import shown_records, sides
from semanticface.train.runs import Run
from semanticface.train.start import begin, commit_of

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """No way to the hub, and a cache of its own."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("base", ["runs/nowhere/model", "runs/nowhere"])
def test_a_model_that_is_nowhere_is_said(offline, base):
    with pytest.raises(BadInput, match=f"{base}: found no model .*, expected a model's folder"):
        commit_of(base, None)


def test_a_model_fetched_before_is_known_without_the_hub(offline):
    kept = offline / "models--some--model"
    for revision, commit in (("main", "a" * 40), ("v2", "b" * 40)):
        (kept / "snapshots" / commit).mkdir(parents=True)
        (kept / "snapshots" / commit / "config.json").write_text("{}")
        (kept / "refs").mkdir(exist_ok=True)
        (kept / "refs" / revision).write_text(commit)
    assert commit_of("some/model", None) == "a" * 40
    assert commit_of("some/model", "v2") == "b" * 40
    assert commit_of(str(kept), None) is None


def test_a_model_given_from_here_is_known_from_everywhere(tiny, tmp_path, monkeypatch):
    """A hub name stays a name, and so does a folder that is not there."""
    monkeypatch.chdir(tiny.parent)
    assert model_place(tiny.name, "cache") == str(tiny.resolve())
    assert model_place("some/model", "cache") == "some/model"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(nano, "build", lambda folder: None)
    assert model_place("", "cache") == str(tmp_path.resolve() / "cache" / "nano-random")


def test_no_bars_are_drawn_where_nobody_watches(tiny, capfd):
    from transformers.utils import logging

    load_model(Source(str(tiny)))
    assert "Loading weights" not in capfd.readouterr().err
    assert logging.is_progress_bar_enabled()


def test_rows_are_measured_with_pictures_as_large_as_they_will_be(tiny, data, tmp_path):
    """What fits with the processor's own pictures is cut with larger ones."""
    told = flags(tmp_path / "run", tiny, data)
    settings = recipe().parse(told)
    held = sides(settings.data, data, tmp_path / "rows", 2).train
    processor = processor_of(settings.model.source(str(tiny)))
    most = measure(shown_records(held, settings.data), settings.data.task, processor).most
    begin(recipe().parse([*told, "--max_length", str(most)]), str(tiny), None)
    larger = [*told, "--max_length", str(most), "--max_pixels", "50176", "--min_pixels", "50176"]
    with pytest.raises(BadInput, match=f"{most + 48} tokens"):
        begin(recipe().parse(larger), str(tiny), None)


def test_a_probe_keeps_records_and_no_pictures(data, tmp_path):
    from PIL.Image import Image

    held = sides(DataOptions(), data, tmp_path / "rows", 2).probe
    probe = Probe(None, ProbeOptions(), held, None, Run(tmp_path))
    kept = [each for value in vars(probe).values() if isinstance(value, list) for each in value]
    assert len(kept) == 2 and not any(isinstance(each, Image) for each in kept)
    lost = held[0].model_copy(update={"image": ImageRef(path=str(tmp_path / "lost.png"))})
    with pytest.raises(BadInput, match=f"record {held[0].id}, picture .*lost"):
        Probe(None, ProbeOptions(), [lost], None, Run(tmp_path))
