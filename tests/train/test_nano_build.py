"""What the small model is warmed up with: the fast tower is the library's, chunks repeat."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="comes with the train extra")
pytest.importorskip("transformers", reason="comes with the train extra")

import torch

from semanticface.rig import COUNT, mirror
from semanticface.train import nano

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.usefixtures("scripts")]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from transformers import AutoModelForImageTextToText

    folder = nano.build(tmp_path_factory.mktemp("nano"), "test", seed=1)
    return AutoModelForImageTextToText.from_pretrained(folder).eval()


def pictures(count):
    size = (count, nano.PIXELS, nano.PIXELS, 3)
    return np.random.default_rng(0).integers(0, 256, size, np.uint8)


def pixels(patches):
    """As the library's processor lays them out: each patch twice in time."""
    one = patches.reshape(-1, 3, 1, nano.PATCH**2)
    return one.expand(-1, -1, 2, -1).reshape(len(one), -1)


def test_the_fast_tower_gives_what_the_library_gives(model):
    from nano_build.tower import SIDE, Seer, patches_of
    from PIL import Image

    from semanticface.train.processors import load_processor

    held = pictures(2)
    patches = patches_of(torch.from_numpy(held))
    with torch.no_grad():
        mine = Seer(model.model.visual)(patches)
        theirs = model.model.visual(pixels(patches), torch.tensor([[1, SIDE, SIDE]] * 2))
    assert torch.allclose(mine.tokens.flatten(0, 1), theirs.pooler_output, atol=1e-5)
    assert torch.allclose(mine.deep.flatten(0, 1), theirs.deepstack_features[0], atol=1e-5)
    processor = load_processor(model.config.name_or_path)
    made = processor.image_processor(images=[Image.fromarray(each) for each in held],
                                     return_tensors="pt")["pixel_values"]  # fmt: skip
    assert torch.allclose(pixels(patches), made, atol=1e-5)


def test_the_speaker_gives_what_the_library_gives(model):
    from nano_build.speaker import Speaker
    from nano_build.tower import SIDE, Seer, patches_of

    speaker = Speaker(model)
    patches = patches_of(torch.from_numpy(pictures(2)))
    ids = torch.cat([speaker.request, speaker.after, speaker.names]).expand(2, -1)
    with torch.no_grad():
        mine = speaker.words(speaker._through(Seer(model.model.visual)(patches), ids))
        theirs = model(
            input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=pixels(patches),
            image_grid_thw=torch.tensor([[1, SIDE, SIDE]] * 2),
            mm_token_type_ids=(ids == model.config.image_token_id).int(),
        ).logits  # fmt: skip
    assert torch.allclose(mine, theirs, atol=1e-5)


def pool_of(*names):
    from nano_build.pool import held

    rng, pool = np.random.default_rng(1), held()
    for name in names:
        pool.pictures.append(pictures(40))
        pool.values.append(rng.random((40, COUNT), np.float32))
        pool.points.append(rng.random((40, 16, 16, 10)).astype(np.float16))
        pool.names.append(name)
    return pool


def test_held_pictures_stay_on_disk(tmp_path):
    from nano_build.pool import held

    shown, rng = pictures(7), np.random.default_rng(0)
    values, points = rng.random((7, COUNT), np.float32), rng.random((7, 16, 16, 10))
    np.savez(tmp_path / "train-00000.npz", pictures=shown, values=values,
             points=points.astype(np.float16))  # fmt: skip
    pool = held()
    pool.grow(tmp_path, "train")
    assert isinstance(pool.pictures[0], np.memmap)
    assert np.array_equal(pool.pictures[0], shown)
    assert np.array_equal(pool.values[0], values)


def test_a_step_learns_and_a_checkpoint_goes_on(model, tmp_path):
    from nano_build import warming

    pool = pool_of("train-00000.npz")
    settings = warming.Settings(minutes=1, batch=8, spoken=4, late=0.0)
    run = warming.Warming(model, settings, pool)
    before = run.seer.tower.blocks[0].mlp.linear_fc1.weight.clone()
    losses = run.step()
    assert all(np.isfinite(each) for each in losses.values())
    assert not torch.equal(before, run.seer.tower.blocks[0].mlp.linear_fc1.weight)
    run.save(tmp_path)
    again = warming.Warming(model, settings, pool)
    again.resume(tmp_path)
    assert again.progress.steps == 1
    for name, each in run.slow.items():
        assert torch.equal(each, again.slow[name]), name


def test_a_run_without_the_language_model_keeps_what_that_had_learnt(model, tmp_path):
    from nano_build import warming

    pool = pool_of("train-00000.npz")
    speaking = warming.Settings(minutes=1, batch=8, spoken=4)
    run = warming.Warming(model, speaking, pool)
    run.step()
    run.save(tmp_path)
    seeing = warming.Warming(model, warming.Settings(minutes=1, batch=8), pool)
    seeing.resume(tmp_path)
    seeing.step()
    seeing.save(tmp_path)
    again = warming.Warming(model, speaking, pool)
    again.resume(tmp_path)
    assert again.progress.steps == 2
    apart = {name for name, each in run.slow.items() if not torch.equal(each, again.slow[name])}
    assert any(name.startswith("seer.") for name in apart)
    assert not any(name.startswith("speaker.") for name in apart)
    assert len(again.steps) == len(run.steps) == 4


def test_batches_mix_faces_with_and_without_habits_until_the_end():
    from nano_build.pool import Drawer, is_wild

    pool = pool_of("train-00003.npz", "train-10003.npz")
    assert [is_wild(name) for name in pool.names] == [False, True]
    pool.values[1][:] += 10
    drawer = Drawer(pool, 0, wild=0.25)
    wild = np.array([(drawer.batch(16).values > 5).any(1).tolist() for _ in range(20)])
    assert (wild.sum(1) == 4).all()
    assert wild[:, :4].any()
    assert wild[:, -4:].any()
    drawer.wild = 0.0
    assert (drawer.batch(16).values < 5).all()
    alone = Drawer(pool_of("train-10003.npz"), 0, wild=0.25)
    assert len(alone.batch(16).values) == 16


def test_wild_faces_move_one_side_without_the_other():
    from nano_build.wild import wild_faces

    from semanticface.rig import INDEX, into_range

    faces = wild_faces(4000, 7)
    assert np.array_equal(faces, wild_faces(4000, 7))
    assert into_range(faces).moved == 0
    for name in ("eyeBlink", "mouthSmile", "browDown", "noseSneer"):
        left, right = faces[:, INDEX[f"{name}Left"]], faces[:, INDEX[f"{name}Right"]]
        assert np.mean(np.abs(left - right) > 0.2) > 0.04, name
        assert abs(left.mean() - right.mean()) < 0.02, name
    aside = faces[:, INDEX["jawLeft"]] > 0.1
    assert aside.mean() > 0.05
    assert not (aside & (faces[:, INDEX["jawRight"]] > 0.1)).any()
    assert not faces[:, INDEX["headYaw"]].any()
    names = (
        "mouthSmileLeft",
        "jawLeft",
        "browDownLeft",
        "mouthPucker",
        "noseSneerLeft",
        "tongueOut",
    )
    at = [INDEX[name] for name in names]
    busy, lone = ((each[:, at] > 0.3).mean() for each in (faces, wild_faces(4000, 7, lone=True)))
    assert 0 < lone < busy / 3


def test_a_steps_matrix_has_even_singular_values():
    from nano_build.muon import orthogonal

    made = orthogonal(torch.randn(24, 60, generator=torch.Generator().manual_seed(0)))
    values = torch.linalg.svdvals(made)
    assert 0.5 < values.min() <= values.max() < 1.5


def test_a_mirrored_cell_lies_on_the_other_side():
    from nano_build.pool import mirrored_points

    points = np.random.default_rng(2).random((16, 16, 10)).astype(np.float32)
    turned = mirrored_points(points)
    assert np.allclose(turned[3, 0, 1], -points[3, 15, 1])
    assert np.allclose(turned[3, 0, 2], points[3, 15, 2])
    assert np.array_equal(mirrored_points(turned), points)
    values = np.random.default_rng(3).random(COUNT).astype(np.float32)
    assert np.array_equal(mirror(mirror(values)), values)


@pytest.mark.slow
def test_a_chunk_is_the_same_each_time_and_shows_its_side(monkeypatch):
    from nano_build import views

    monkeypatch.setattr(views, "CHUNK", 6)
    one, again = views.chunk(1), views.chunk(1)
    for a, b in zip(one, again, strict=True):
        assert np.array_equal(a, b)
    train = set(views.plan_of().people["train"])
    test = set(views.plan_of().people["test"])
    assert set(one.people.tolist()) <= train
    assert not train & test
    assert one.points[..., 0].max() == 1
