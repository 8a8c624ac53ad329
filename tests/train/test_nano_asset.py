"""The trained small model that comes with the package: whole, small, and better than guessing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="comes with the train extra")
pytest.importorskip("transformers", reason="comes with the train extra")

from PIL import Image

from semanticface.data.drawing import faces_of, renderer_of
from semanticface.data.plan import Part, Plan
from semanticface.data.shards import digest_of
from semanticface.data.splits import DEFAULT
from semanticface.errors import BadInput
from semanticface.language.consistency import check
from semanticface.motion.expressions import sample_frames
from semanticface.train.nano import PIXELS
from semanticface.train.nano_view import face_camera
from semanticface.train.places import small_run
from semanticface.train.predictor import opened
from semanticface.train.processors import fixed_side
from semanticface.train.seal import check_seal

pytestmark = pytest.mark.filterwarnings("default")
PICTURES = 40


@pytest.fixture(scope="module")
def run():
    return small_run()


@pytest.fixture(scope="module")
def held_out():
    """Faces of people on the test side, cut to the face: pictures and values."""
    plan = Plan(frames=4000, identities=400, seed=77, antialias=True, setting_frames=4)
    part = Part("test", 0, 0, PICTURES)
    values = faces_of(plan, part).values
    pictures = []
    for frame in range(PICTURES):
        setting = plan.setting("test", frame)
        assert DEFAULT.side(f"synthetic-{setting.identity}") == "test"
        renderer = renderer_of(plan, part, setting, face_camera(plan.size))
        pictures.append(Image.fromarray(renderer.render(values[frame])))
    return pictures, values


def test_it_is_small_and_sealed(run):
    files = [each for each in run.rglob("*") if each.is_file()]
    assert sum(each.stat().st_size for each in files) < 25e6
    check_seal(run / "model")
    manifest = json.loads((run / "manifest.json").read_text())
    assert digest_of(run / "model" / "model.safetensors") == manifest["weights"]["sha256"]
    assert "/tmp" not in (run / "manifest.json").read_text()


def test_its_answers_are_strict_and_better_than_guessing(run, held_out):
    pictures, values = held_out
    faces = opened(run).faces(pictures)
    assert {face.parsed.report.outcome for face in faces} == {"strict"}
    told = np.array([face.values for face in faces])
    off = np.abs(told - values).mean()
    mean = sample_frames(4000, seed=1, coverage=0.3).mean(0)
    assert off < 0.8 * np.abs(mean - values).mean()
    assert off < 0.7 * np.abs(values).mean()
    assert told[:, :52].std(0).max() > 0.1


def test_it_puts_faces_into_words_before_numbers(run, held_out):
    pictures, values = held_out
    written = opened(run, answer="two-key").faces(pictures[:4])
    read = opened(run).faces(pictures[:4])
    assert {face.parsed.report.outcome for face in written} == {"strict"}
    off = [
        np.abs(one.values - other.values).mean() for one, other in zip(written, read, strict=True)
    ]
    assert np.mean(off) < 0.03
    checks = [check(f.words, truth) for f, truth in zip(written, values, strict=False)]
    true, false = (sum(len(getattr(each, name)) for each in checks)
                   for name in ("supported", "contradicted"))  # fmt: skip
    assert true > false and true > 4 * len(checks)


def test_one_face_at_a_time_is_the_same(run, held_out):
    predictor = opened(run)
    together = predictor.faces(held_out[0][:3])
    alone = [predictor.faces([each])[0] for each in held_out[0][:3]]
    for one, other in zip(together, alone, strict=True):
        assert np.abs(one.values - other.values).max() <= 0.011


@pytest.mark.parametrize("side", [150, 192, 384])
def test_a_square_of_any_size_is_seen_at_its_size(run, held_out, side):
    """The processor's own rounding shows some squares to the model at 84 x 84."""
    predictor = opened(run)
    assert fixed_side(predictor.processor) == PIXELS
    one, other = (predictor.faces([each.resize((size, size)) for each in held_out[0][:6]])
                  for size in (2 * PIXELS, side))  # fmt: skip
    off = [np.abs(a.values - b.values).mean() for a, b in zip(one, other, strict=True)]
    assert np.mean(off) < 0.012


def test_its_card_survives_new_weights(run, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "scripts"))
    from nano_build.packing import CARD, pack

    card = (run / CARD).read_text()
    assert "Licence" in card and "Limits" in card and "docs/nano.md" in card
    again = tmp_path / "nano"
    again.mkdir()
    shutil.copy(run / CARD, again / CARD)
    pack(run, again, json.loads((run / "manifest.json").read_text()))
    assert (again / CARD).read_text() == card
    check_seal(again / "model")


def test_changed_weights_are_refused(run, tmp_path):
    folder = tmp_path / "nano"
    shutil.copytree(run, folder)
    weights = folder / "model" / "model.safetensors"
    held = bytearray(weights.read_bytes())
    held[-1] ^= 1
    weights.write_bytes(held)
    with pytest.raises(BadInput, match=r"model\.safetensors"):
        opened(folder)
