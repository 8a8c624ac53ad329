"""What is trained is what the plan says, by full names, and nothing beside it."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("peft", reason="comes with the train extra")

import torch
from transformers import AutoModelForImageTextToText

from semanticface.errors import BadInput
from semanticface.train.adapters import Plan, apply, groups, pattern_of, trainable
from semanticface.train.loading import _whole_blocks

pytestmark = pytest.mark.filterwarnings("default")


def model(tiny):
    return AutoModelForImageTextToText.from_pretrained(str(tiny))


def test_layers_share_a_pattern_and_ends_do_not():
    pattern = pattern_of(["a.layers.0.q", "a.layers.11.q", "a.mlp.0", "a.mlp.2"])
    for name in ("a.layers.0.q", "a.layers.7.q", "a.mlp.0", "a.mlp.2"):
        assert re.fullmatch(pattern, name)
    for name in ("a.mlp.1", "b.layers.0.q", "a.layers.0.qq", "axlayers.0.q"):
        assert not re.fullmatch(pattern, name)


@pytest.mark.parametrize(("plan", "parts"), [
    (Plan(), {"language"}),
    (Plan(vision="lora", language="frozen"), {"vision"}),
    (Plan(vision="full", projector="full", language="full"), {"vision", "projector", "language"}),
    (Plan(vision="frozen", projector="full", language="frozen"), {"projector"}),
    (Plan(vision="frozen", projector="full", language="lora"), {"projector", "language"}),
], ids=["plain", "vision", "all", "projector", "two"])  # fmt: skip
def test_the_parts_of_a_plan_learn_and_no_others(tiny, plan, parts):
    made = apply(plan, model(tiny))
    assert set(groups(made)) - {"head"} == parts
    frozen = {name for name, each in made.named_parameters() if not each.requires_grad}
    assert frozen.isdisjoint(trainable(made))


@pytest.mark.parametrize(("told", "fault"), [
    ({"language": "frozen"}, "every part frozen"),
    ({"quantised": True, "vision": "full"}, "trained fully in a quantised model"),
    ({"dora": True, "language": "full"}, "dora without a part by lora"),
    ({"rank": 0}, "rank 0"), ({"vision": "some"}, "vision: some"),
], ids=str)  # fmt: skip
def test_plans_that_cannot_be_are_refused(told, fault):
    with pytest.raises(BadInput, match=fault):
        Plan(**told)


def test_layers_that_blocks_do_not_divide_keep_the_plain_kernel():
    library = pytest.importorskip("bitsandbytes", reason="comes with the train extra")
    sizes = ((64, 96), (32, 96), (64, 40), (128, 64))
    layers = torch.nn.Sequential(*(library.nn.Linear4bit(*each) for each in sizes))
    for each in layers:
        each.support_avx512bf16_for_cpu = True  # as on processors that have it
    assert [each.support_avx512bf16_for_cpu for each in _whole_blocks(layers)] == [
        True, False, False, True]  # fmt: skip
    for each in layers:
        each.support_avx512bf16_for_cpu = False
    assert not any(each.support_avx512bf16_for_cpu for each in _whole_blocks(layers))
