"""One pass reads what slots were taught: labels, expected values, confidences."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("trl", reason="comes with the train extra")

import torch
from samples import faces, picture, record
from training import train
from transformers import AutoModelForImageTextToText

from semanticface.errors import BadInput
from semanticface.language.answers import ValueTokens
from semanticface.rig import CHANNELS
from semanticface.train.collation import collator
from semanticface.train.one_pass import Reader, opening, task_named
from semanticface.train.options import DataOptions, LossOptions
from semanticface.train.predictor import opened
from semanticface.train.processors import load_processor

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def processor(tiny):
    return load_processor(tiny)


def test_the_token_after_each_slot_is_to_be_its_value(processor):
    options = DataOptions(answer="slots", also="coefficients/tokens")
    values = faces(2)
    rows = [task.example(record(v)) | {"task": n} for n, task in enumerate(options.tasks)
            for v in values]  # fmt: skip
    batch = collator(processor, options, LossOptions())(rows)
    slots, tokens = batch["labels"][:2], batch["labels"][2:]
    form = ValueTokens()
    for row, labels in enumerate(slots):
        at = (labels != -100).nonzero().flatten()
        assert len(at) == 61
        assert processor.tokenizer.decode(labels[at]) == form.write(values[row])
        shown = processor.tokenizer.decode(batch["input_ids"][row][at - 1])
        assert shown == opening(form, processor.tokenizer).text
    assert ((tokens != -100).sum(1) == 63).all()
    assert processor.tokenizer.decode(tokens[0][tokens[0] >= 0]).startswith(form.write(values[0]))


def test_weights_of_regions_reach_the_slots(processor):
    options = DataOptions(answer="slots")
    rows = [options.task.example(record(faces(1)[0])) | {"task": 0}]
    batch = collator(processor, options, LossOptions(region_weights="head=0"))(rows)
    weights = batch["weights"][batch["labels"] != -100]
    assert (weights[52:55] == 0).all() and (weights[:52] > 1).all()
    assert float(weights.mean()) == pytest.approx(1)


def test_values_are_expectations_over_what_a_channel_can_be(tiny, processor):
    """Held against the model's own scores, worked out slot by slot."""
    model = AutoModelForImageTextToText.from_pretrained(str(tiny)).eval()
    reader = Reader.of(model, processor, task_named("slots", "coefficients"))
    shown = [picture(112, 112, seed=s) for s in (1, 2)]
    one, two = reader.readouts(shown)
    assert not np.array_equal(one.values, two.values)
    inputs = processor(images=[[shown[0]]], text=[reader.request + reader.filled.text],
                       return_tensors="pt", add_special_tokens=False)  # fmt: skip
    with torch.no_grad():
        logits = model(**inputs).logits[0, -61:]
    for channel in (0, 17, 51, 52, 60):
        words = processor.tokenizer.convert_ids_to_tokens(reader.filled.values[channel])
        numbers = torch.tensor([int(word[2:-1]) / 100 for word in words], dtype=torch.double)
        assert (numbers.min() < 0) == CHANNELS[channel].signed and numbers.max() >= 1
        p = logits[channel][reader.filled.values[channel]].softmax(-1).double()
        value = float(p @ numbers)
        assert one.values[channel] == pytest.approx(value, abs=1e-4)
        near = float(p[(numbers - value).abs() <= 0.05 + 1e-9].sum())
        assert one.confidence[channel] == pytest.approx(near, abs=1e-4)
    assert ((one.mass > 0) & (one.mass < 1)).all()
    alone = reader.readouts(shown[:1])[0]
    np.testing.assert_allclose(alone.values, one.values, atol=1e-5)


@pytest.mark.slow
def test_the_recipe_trains_it_beside_other_tasks(tiny, data, tmp_path):
    also = "describe+coefficients/codes, coefficients/flat@image/names"
    run = train(tmp_path / "run", tiny, data, answer="slots", also=also,
                max_steps=2, learning_rate=3e-3)  # fmt: skip
    held = json.loads((run / "manifest.json").read_text())
    assert held["task"]["answer"] == "slots" and held["also"][0]["answer"] == "codes"
    assert [each["prompt"] for each in held["also"]] == ["image/semanticface", "image/names"]
    probe = json.loads((run / "probes.jsonl").read_text().splitlines()[-1])
    assert probe["strict"] == 1 and probe["tokens"] == 0
    face = opened(run).faces([picture(112, 112)])[0]
    assert face.completion.passes == 1 and np.isfinite(face.values).all()
    assert ((face.confidence > 0) & (face.confidence <= 1)).all()
    other = opened(run, answer="flat")
    assert other.task.prompt == "image/names" and other.origin != opened(run).origin
    assert other.faces([picture(112, 112)])[0].completion.text.startswith('{"EyeBlinkLeft":')
    with pytest.raises(BadInput, match="coefficients/slots, describe"):
        opened(run, answer="two-key")
    held["also_prompts"][1]["request_sha256"] = "0" * 64
    (run / "manifest.json").write_text(json.dumps(held))
    with pytest.raises(BadInput, match="another text of the prompt image/names"):
        opened(run, answer="flat")


def test_words_have_no_slots():
    with pytest.raises(BadInput, match="slots for the stage"):
        task_named("slots", "describe")


def test_another_task_is_named_by_stage_and_answer():
    with pytest.raises(BadInput, match="STAGE/ANSWER"):
        _ = DataOptions(also="slots").tasks


def test_a_tokenizer_without_value_tokens_is_refused():
    from tiny_processor import processor

    with pytest.raises(BadInput, match="a tokenizer without <v"):
        opening(ValueTokens(), processor().tokenizer)
