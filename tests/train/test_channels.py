"""Data that measures some channels only: counted, trained on and answered by those."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

pytest.importorskip("trl", reason="comes with the train extra")

from samples import picture
from training import face_data, train
from typer.testing import CliRunner

from semanticface.cli.main import app
from semanticface.errors import BadInput
from semanticface.train.manifest import read_manifest, task_json, task_of
from semanticface.train.one_pass import task_named
from semanticface.train.options import DataOptions
from semanticface.train.predictor import opened
from semanticface.train.rows import rows, sides
from semanticface.train.runs import read_journal

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """Faces without rotations; two of the first one's shapes lie a little above 1."""
    path = face_data(tmp_path_factory.mktemp("shapes"))
    held = [json.loads(line) for line in path.read_text().splitlines()]
    for each in held:
        each["targets"][52:] = [None] * 9
    held[0]["targets"][:2] = [1.2, 1.01]
    path.write_text("".join(json.dumps(each) + "\n" for each in held))
    return path


@pytest.mark.parametrize("told", ["arkit-52", "jawOpen,cheekPuff", "mouth-29", "all-61"])
@pytest.mark.parametrize("answer", ["flat", "slots", "codes"])
def test_a_manifest_tells_the_channels(told, answer):
    task = task_named(answer, "coefficients", channels=told)
    held = task_json(task)
    assert ("channels" in held) == (told != "all-61")
    assert task_of({"task": json.loads(json.dumps(held))}) == task


@pytest.mark.parametrize(("told", "fault"), [
    ("arkit52", "Did you mean 'arkit-52'"), ("jawOpen, jawOpn", "Did you mean 'jawOpen'"),
    ("jawOpen, jawOpen", "each channel once"), (",", "one at least"),
])  # fmt: skip
def test_channels_that_are_none_are_refused(told, fault):
    with pytest.raises(BadInput, match=fault):
        _ = DataOptions(channels=told).task


def test_what_is_not_measured_is_not_asked_for(shapes, tmp_path):
    whole = DataOptions(answer="flat")
    held = sides(whole, shapes, tmp_path / "whole", 2)
    with pytest.raises(BadInput, match=r"without headYaw.*channels: arkit-52"):
        rows(held.train, whole)[0]
    some = DataOptions(answer="flat", channels="arkit-52", also="describe+coefficients/two-key")
    made = rows(held.train, some)
    first, words = (json.loads(made[i]["completion"][0]["content"][0]["text"]) for i in (0, 12))
    assert len(first) == len(words["arkit"]) == 52 and words["analysis"]
    assert first["EyeBlinkLeft"] == 1.0


def test_values_at_the_edge_are_counted_and_said(shapes, tmp_path, caplog):
    caplog.set_level(logging.WARNING, "semanticface")
    held = sides(DataOptions(channels="arkit-52"), shapes, tmp_path / "rows", 2)
    assert held.clamped == {"records": 1, "values": 2}
    assert caplog.messages == [
        "2 values of 1 records lie beyond their range and are learnt at its edge"
    ]
    less = sides(DataOptions(channels="jawOpen"), shapes, tmp_path / "less", 2)
    assert less.clamped == {"records": 0, "values": 0}


@pytest.mark.slow
def test_shapes_are_trained_on_probed_and_predicted(shapes, tiny, tmp_path):
    run = train(tmp_path / "run", tiny, shapes, channels="arkit-52", also="coefficients/slots",
                max_steps=2)  # fmt: skip
    held = read_manifest(run / "manifest.json")
    assert held["task"]["channels"] == held["also"][0]["channels"] == "arkit-52"
    assert held["clamped"] == {"records": 1, "values": 2}
    probe = read_journal(run / "probes.jsonl")[-1]
    assert probe["tokens"] == 52 and probe["strict"] == 1 and probe["mae"] > 0
    for answer in ("tokens", "slots"):
        face = opened(run, answer=answer).faces([picture(112, 112)])[0]
        assert np.isfinite(face.values[:52]).all() and np.isnan(face.values[52:]).all()


@pytest.mark.slow
def test_the_budget_counts_channels_and_says_what_is_at_the_edge(shapes, tiny):
    words = ["budget", shapes, "-p", tiny, "--stage", "coefficients", "--format", "tokens"]
    told = CliRunner().invoke(app, [*map(str, words), "--channels", "arkit-52"])
    assert told.exit_code == 0, told.output
    assert "median target 54" in told.stdout
    assert "2 values of 1 records lie beyond their range" in told.stdout
