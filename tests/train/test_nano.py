"""The small model: its files load by path, and its tokens write every text of ours."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="comes with the train extra")
pytest.importorskip("transformers", reason="comes with the train extra")

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.language.answers import FORMATS, ValueTokens, answer_format
from semanticface.language.describe import describe
from semanticface.motion.expressions import sample_frames
from semanticface.rig import CHANNELS
from semanticface.train import nano
from semanticface.train.nano_tokenizer import tokenizer, value_ids
from semanticface.train.processors import load_processor

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return nano.build(tmp_path_factory.mktemp("nano") / "test", "test", seed=3)


@pytest.fixture(scope="module")
def words():
    return tokenizer()


def loaded(folder):
    from transformers import AutoModelForImageTextToText

    return AutoModelForImageTextToText.from_pretrained(str(folder)).eval()


def asked(processor, picture, text=""):
    from PIL import Image

    request = processor.apply_chat_template(
        Task.of("tokens", "coefficients").request(), tokenize=False, add_generation_prompt=True
    )
    return processor(images=[Image.fromarray(picture)], text=[request + text], return_tensors="pt")


def picture(seed, size=112):
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


def test_the_folder_loads_by_path_and_sees(folder):
    model, processor = loaded(folder), load_processor(folder)
    first, other = (asked(processor, picture(seed)) for seed in (0, 1))
    assert first["pixel_values"].shape == (196, 3 * 2 * nano.PATCH**2)
    assert (first["input_ids"] == model.config.image_token_id).sum() == 49
    logits = [model(**each).logits[0, -1].detach().numpy() for each in (first, other)]
    assert np.isfinite(logits).all()
    assert np.abs(logits[0] - logits[1]).max() > 1e-6


def test_a_larger_picture_costs_no_more(folder):
    processor = load_processor(folder)
    assert asked(processor, picture(0, 448))["input_ids"].shape == asked(
        processor, picture(0)
    )["input_ids"].shape  # fmt: skip


def test_a_seed_decides_the_weights(folder, tmp_path):
    import torch

    state = torch.random.get_rng_state()
    same, other = (nano.build(tmp_path / str(seed), "test", seed=seed) for seed in (3, 4))
    held = (folder / "model.safetensors").read_bytes()
    assert (same / "model.safetensors").read_bytes() == held
    assert (other / "model.safetensors").read_bytes() != held
    assert torch.equal(state, torch.random.get_rng_state())
    for name in ("tokenizer.json", "preprocessor_config.json", "config.json"):
        assert (same / name).read_bytes() == (folder / name).read_bytes()


def test_sizes_are_what_they_are_called(words):
    from transformers import Qwen3VLForConditionalGeneration

    counts = {size: sum(p.numel() for p in Qwen3VLForConditionalGeneration(
        nano.config(size)).parameters()) for size in nano.SHAPES}  # fmt: skip
    assert 150_000 < counts["test"] < 250_000
    assert 8_000_000 < counts["nano"] < 12_400_000
    assert len(words) <= nano.config("nano").text_config.vocab_size <= 1500


def test_an_unknown_size_is_refused():
    with pytest.raises(BadInput, match="nanoo"):
        nano.config("nanoo")


def test_every_format_comes_back_from_its_tokens(words):
    for i, face in enumerate(sample_frames(5, seed=4)):
        for key in FORMATS:
            told = answer_format(key).write(face, describe(face, seed=i))
            assert words.decode(words(told)["input_ids"]) == told
    assert words.decode(words("头 é \U0001f600")["input_ids"]) == "头 é \U0001f600"


def test_labels_values_and_digits_are_single_tokens(words):
    for text in (*(c.label for c in CHANNELS), *ValueTokens().vocabulary(), *"0123456789"):
        assert len(words(text)["input_ids"]) == 1, text
    assert len(words("0.375")["input_ids"]) == 5


def test_a_face_is_sixty_one_tokens_that_survive_decoding(words):
    form = ValueTokens()
    face = sample_frames(1, seed=1)[0]
    ids = words(form.write(face))["input_ids"]
    rising = value_ids(words)
    assert len(ids) == 61
    assert rising == tuple(range(rising[0], rising[0] + len(form.vocabulary())))
    again = form.read(words.decode(ids, skip_special_tokens=True)).values
    assert np.abs(again - face).max() <= 0.5 / 100 + 1e-6
