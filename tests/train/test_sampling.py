"""Answers drawn by chance: in the grammar, the same for the same seed, the likeliest when cold."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="comes with the train extra")
pytest.importorskip("llguidance", reason="comes with the train extra")

from samples import picture
from transformers import AutoModelForImageTextToText

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.train.decoding import Decoder
from semanticface.train.processors import load_processor
from semanticface.train.sampling import by_chance, drawn

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def decoder(tiny):
    model = AutoModelForImageTextToText.from_pretrained(str(tiny)).eval()
    return Decoder.of(model, load_processor(tiny), Task.of("tokens", "coefficients"))


def test_draws_are_their_seeds_and_stay_in_the_grammar(decoder):
    shown = [picture(48, 48, seed=1)] * 2
    one, other = drawn(decoder, shown, temperature=1.0, seeds=[3, 4])
    assert one.text != other.text
    assert drawn(decoder, shown[:1], temperature=1.0, seeds=[3])[0].text == one.text
    form = Task.of("tokens", "coefficients").form
    assert all(form.read(each.text).report.outcome == "strict" for each in (one, other))
    cold = drawn(decoder, shown[:1], temperature=1e-6, seeds=[3])[0]
    assert cold.text == decoder.answers(shown[:1])[0].text
    with pytest.raises(BadInput, match="above 0"):
        drawn(decoder, shown, temperature=0.0, seeds=[1, 2])
    with pytest.raises(BadInput, match="one each"):
        decoder.answers(shown, [by_chance(1.0, 1)])


def test_tokens_come_as_often_as_their_odds():
    class Three:
        def allowed(self):
            return np.array([True, False, True, True])

    pick, scores = by_chance(2.0, 5), np.log([1.0, 50.0, 4.0, 16.0])
    counts = np.bincount([pick(scores, Three()) for _ in range(4000)], minlength=4) / 4000
    # Odds 1 : 4 : 16 of the allowed, their roots at temperature 2.
    assert counts == pytest.approx([1 / 7, 0, 2 / 7, 4 / 7], abs=0.03)
