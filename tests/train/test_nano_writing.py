"""How the small model is taught to write: what is shown is what is asked of it later."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="comes with the train extra")
pytest.importorskip("transformers", reason="comes with the train extra")

import torch
from PIL import Image

from semanticface.rig import COUNT
from semanticface.train import nano
from semanticface.train.processors import load_processor

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.usefixtures("scripts")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return nano.build(tmp_path_factory.mktemp("nano"), "test", seed=1)


@pytest.fixture
def model(place):
    from transformers import AutoModelForImageTextToText

    return AutoModelForImageTextToText.from_pretrained(place).eval()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("cache")
    size = (12, nano.PIXELS, nano.PIXELS, 3)
    for name in ("train-00000", "train-10000"):
        values = rng.uniform(0, 0.6, (12, COUNT)).astype(np.float32)
        np.savez(folder / f"{name}.npz", pictures=rng.integers(0, 256, size, np.uint8),
                 values=values)  # fmt: skip
    return folder


def lesson_of(model, count=8):
    from nano_build.tower import Seer, patches_of
    from nano_build.writing import Lesson

    rng = np.random.default_rng(5)
    size = (count, nano.PIXELS, nano.PIXELS, 3)
    pictures = torch.from_numpy(rng.integers(0, 256, size, np.uint8))
    values = rng.uniform(0, 0.6, (count, COUNT)).astype(np.float32)
    with torch.no_grad():
        return Lesson(Seer(model.model.visual)(patches_of(pictures)), torch.tensor(values), values)


@pytest.mark.parametrize("which", [0, 1], ids=["JSON", "words first"])
def test_what_is_shown_is_what_the_library_makes_of_request_and_answer(place, model, which):
    from nano_build.tower import Seer, patches_of
    from nano_build.writing import Settings, Writing

    writing = Writing(model, Settings(), lesson_of(model))
    form = writing.forms[which]
    pixels = np.random.default_rng(1).integers(0, 256, (nano.PIXELS, nano.PIXELS, 3), np.uint8)
    values = np.linspace(0, 0.9, COUNT, dtype=np.float32)
    answer, weights = form.answer(values, seed=3)
    processor = load_processor(place)
    text = processor.tokenizer.decode(answer)
    asked = processor.apply_chat_template(
        form.task.request(), tokenize=False, add_generation_prompt=True
    )
    inputs = processor(images=[[Image.fromarray(pixels)]], text=[asked + text],
                       return_tensors="pt", add_special_tokens=False)  # fmt: skip
    assert inputs["input_ids"][0].tolist() == form.request + answer
    with torch.no_grad():
        sight = Seer(model.model.visual)(patches_of(torch.from_numpy(pixels[None])))
        mine = model.lm_head(writing._through(sight, inputs["input_ids"]))
        theirs = model(**inputs).logits
    assert torch.allclose(mine, theirs, atol=1e-4)
    assert form.task.read(text.removesuffix("<|im_end|>")).outcome == "strict"
    assert sum(each == 1.0 for each in weights) == 2 * COUNT


def test_a_lesson_changes_what_it_is_to_and_can_be_put_onto_another(place, cache, tmp_path):
    from nano_build.writing import Settings, teach
    from safetensors.torch import load_file

    settings = Settings(minutes=0.02, faces=8, batch=2, kept=2)
    teach(place, tmp_path / "one", cache, settings, None)
    assert not (tmp_path / "one.part").exists()
    began, one = (load_file(folder / "model.safetensors") for folder in (place, tmp_path / "one"))
    changed = {name for name, each in one.items() if not torch.equal(each, began[name])}
    assert changed and not any("visual" in name for name in changed)
    held = json.loads((tmp_path / "one" / "lesson.json").read_text())
    assert held["steps"] == len(held["losses"]) > 0 and not held["went_on"]
    assert load_processor(tmp_path / "one").tokenizer.eos_token == "<|im_end|>"
    change = tmp_path / "one" / "change.safetensors"
    teach(place, tmp_path / "two", cache, Settings(minutes=0.0, faces=8), change)
    two = load_file(tmp_path / "two" / "model.safetensors")
    assert all(torch.allclose(two[name], each, atol=1e-6) for name, each in one.items())


def test_a_lesson_that_was_stopped_goes_on(model, tmp_path):
    from nano_build.writing import Settings, Writing

    settings = Settings(minutes=60, batch=2, kept=2)
    one = Writing(model, settings, lesson_of(model))
    one.losses = [one._step() for _ in range(2)]
    one.save(tmp_path)
    wanted = one._step()
    one.resume(tmp_path)
    assert len(one.losses) == 2 and one._step() == pytest.approx(wanted, rel=1e-4)


def test_text_begins_as_likely_as_values(model):
    from nano_build.writing import set_text

    from semanticface.train.nano_tokenizer import tokenizer, value_ids

    words = tokenizer()
    held = model.get_input_embeddings().weight
    before = held.detach().clone()
    set_text(model)
    assert torch.equal(held[list(value_ids(words))], before[list(value_ids(words))])
    values = held[list(value_ids(words))][-101:-1].detach()
    middle = values.mean(0)
    likely = held[words.convert_tokens_to_ids(['"', '":', "ly"])].detach() @ middle
    assert torch.allclose(likely, middle @ middle, atol=1e-4)
    tens = values.unflatten(0, (10, 10)).mean(1) - middle
    ones = values.unflatten(0, (10, 10)).mean(0) - middle
    digits = held[words.convert_tokens_to_ids(list("0123456789"))].detach() - middle - tens
    assert torch.allclose(digits / digits.norm(), ones / ones.norm(), atol=1e-5)


def test_what_it_could_do_before_costs_nothing_until_it_changes(model):
    from nano_build.writing import Settings, Writing

    writing = Writing(model, Settings(), lesson_of(model))
    rows = [0, 1, 2, 3]
    assert writing._kept(rows).item() == pytest.approx(0, abs=1e-5)
    with torch.no_grad():
        for weight in model.model.language_model.layers.parameters():
            weight += 0.02 * torch.randn(weight.shape, generator=torch.manual_seed(0))
    worse = writing._kept(rows)
    assert worse.item() > 0.001
    worse.backward()
    assert all(each.grad is None for each in writing.before.parameters())
    assert any(each.grad is not None for each in writing.language.parameters())


def test_beliefs_are_those_that_are_read(model):
    from nano_build.speaker import Speaker

    lesson = lesson_of(model)
    speaker = Speaker(model).eval()
    with torch.no_grad():
        told = speaker.expected(speaker.beliefs(lesson.sight, lesson.truth))
        assert torch.allclose(told[:, :COUNT], speaker.read(lesson.sight), atol=1e-4)
        again = speaker.read_again(lesson.sight)[:4]
    assert torch.allclose(told[:4, COUNT:], again, atol=1e-4)
