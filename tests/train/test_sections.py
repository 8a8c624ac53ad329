"""Weights lie where the words and the regions' numbers stand, in every answer format."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("transformers", reason="comes with the train extra")

from samples import faces, record

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.language.answers import FORMATS
from semanticface.rig import CHANNELS
from semanticface.train.options import LossOptions
from semanticface.train.sections import numbers_start, over_tokens, places, weigh

KINDS = [(key, "coefficients") for key in FORMATS if not FORMATS[key].described]
KINDS += [(key, "describe+coefficients") for key in FORMATS]


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_every_number_is_found_where_it_stands(kind):
    task = Task.of(*kind)
    for values in faces(3, seed=2):
        text = task.target(record(values))
        found = places(task.form, text, numbers_start(task, text))
        read = task.read(text).values
        zero_left_out = task.form.key in ("sparse", "codes")
        wanted = {c.index for c in CHANNELS if read[c.index] != 0 or not zero_left_out}
        assert {each.channel for each in found} == wanted and len(found) == len(wanted)
        for each in found:
            digits = "".join(ch for ch in text[each.start : each.end] if ch.isdigit() or ch == "-")
            if kind[0] in ("tokens", "regions", "codes"):
                assert int(digits) == round(float(read[each.channel]) * 10**task.form.decimals)


def test_regions_and_words_weigh_what_they_are_told():
    task = Task.of("codes")
    text = task.target(record(faces(1)[0]))
    start = numbers_start(task, text)
    made = weigh(task, text, LossOptions(words_weight=0.25, region_weights="mouth=3"))
    assert (made[:start] == 0.25).all()
    for each in places(task.form, text, start):
        wanted = 3 if CHANNELS[each.channel].region == "mouth" else 1
        assert (made[each.start : each.end] == wanted).all()


def test_a_row_keeps_its_say():
    made = over_tokens(np.array([2, 2, 0, 0], np.float32), [(0, 2), (2, 4)], [5, 6], [5, 6, 9])
    assert made.tolist() == pytest.approx([2.0, 0.0, 1.0])
    assert made.mean() == pytest.approx(1)


def test_other_tokens_in_the_template_are_refused():
    with pytest.raises(BadInput, match="tokens change inside the chat template"):
        over_tokens(np.ones(2, np.float32), [(0, 2)], [5], [7, 9])


def test_no_weight_at_all_is_refused():
    with pytest.raises(BadInput, match="weights of zero"):
        over_tokens(np.zeros(2, np.float32), [(0, 2)], [5], [5])


@pytest.mark.parametrize(("told", "fault"), [
    ("moth=2", "the region 'moth'"), ("mouth=-1", "mouth=NUMBER"), ("mouth", "mouth=NUMBER"),
    ("mouth=nan", "mouth=NUMBER"),
])  # fmt: skip
def test_weights_that_cannot_be_are_refused(told, fault):
    with pytest.raises(BadInput, match=fault):
        LossOptions(region_weights=told)
