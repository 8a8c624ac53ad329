"""Fewer passes, the same tokens: held against the library's own generation, one token a pass."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="comes with the train extra")
pytest.importorskip("llguidance", reason="comes with the train extra")

from plain_generation import plain
from tiny_models import FAMILIES, save
from transformers import AutoModelForImageTextToText

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.language.answers import ValueTokens
from semanticface.train.decoding import Decoder, Guesses
from semanticface.train.grammar import Grammar, value_lark
from semanticface.train.one_pass import Slots, _values
from semanticface.train.processors import load_processor

pytestmark = pytest.mark.filterwarnings("default")
KINDS = [("flat", "coefficients"), ("tokens", "coefficients"), ("regions", "coefficients"),
         ("sparse", "coefficients"), ("codes", "describe+coefficients"), ("flat", "describe"),
         ("two-key", "describe+coefficients")]  # fmt: skip


@pytest.fixture(scope="module")
def loaded(tiny):
    return AutoModelForImageTextToText.from_pretrained(str(tiny)).eval(), load_processor(tiny)


def pictures(count, size=112):
    from PIL import Image

    draw = [np.random.default_rng(i).integers(0, 256, (size, size, 3), np.uint8)
            for i in range(count)]  # fmt: skip
    return [Image.fromarray(each) for each in draw]


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_answers_are_those_of_plain_generation(loaded, kind):
    task, shown = Task.of(*kind), pictures(2)
    decoder = Decoder.of(*loaded, task, most=700)
    answers = decoder.answers(shown)
    assert [each.text for each in answers] == plain(decoder, shown)
    for each in answers:
        if each.whole:
            assert task.read(each.text).outcome == "strict"
        else:
            assert each.tokens == 700


@pytest.mark.parametrize("family", FAMILIES)
def test_families_answer_the_same_alone_and_side_by_side(family, tmp_path):
    folder = save(family, tmp_path)
    model = AutoModelForImageTextToText.from_pretrained(str(folder)).eval()
    shown = [*pictures(1, 32), *pictures(2, 64)]
    decoder = Decoder.of(
        model, load_processor(folder), Task.of("regions", "coefficients"), most=400
    )
    together = [each.text for each in decoder.answers(shown)]
    assert together == [decoder.answers([each])[0].text for each in shown]
    assert together[:1] == plain(decoder, shown[:1])


def test_guesses_save_passes_and_change_nothing(loaded):
    task = Task.of("flat", "coefficients", decimals=2)
    decoder = Decoder.of(*loaded, task, most=700)
    guessed = decoder.answers(pictures(1))[0]
    decoder.guesses = Guesses([])
    without = decoder.answers(pictures(1))[0]
    assert guessed.text == without.text
    assert guessed.passes <= without.passes < guessed.tokens / 2


def test_an_answer_that_is_guessed_right_takes_few_passes(loaded):
    """The guess is the answer itself: whole blocks stand."""
    decoder = Decoder.of(*loaded, Task.of("flat", "coefficients", decimals=2), most=700)
    first = decoder.answers(pictures(1))[0]
    decoder.guesses = Guesses(decoder.processor.tokenizer(first.text)["input_ids"])
    again = decoder.answers(pictures(1))[0]
    assert again.text == first.text and again.passes < first.passes / 3


def test_a_value_is_one_token(loaded):
    decoder = Decoder.of(*loaded, Task.of("tokens", "coefficients"))
    assert decoder.answers(pictures(1))[0].tokens == 61


def test_a_tokenizer_without_value_tokens_is_refused(loaded):
    from tiny_processor import processor

    with pytest.raises(BadInput, match="a tokenizer without <v"):
        Grammar.of(ValueTokens(), processor().tokenizer, 300)


def test_no_picture_is_refused(loaded):
    with pytest.raises(BadInput, match="no picture"):
        Decoder.of(*loaded, Task.of("codes", "coefficients")).answers([])


def test_a_tokenizer_that_gives_unknown_tokens_an_id_has_no_value_tokens():
    """Every value would be the same token."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"<unk>": 0, "</s>": 1}, unk_token="<unk>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", eos_token="</s>")
    for asked in (lambda: value_lark(ValueTokens(), tokenizer),
                  lambda: _values(Slots(), tokenizer)):  # fmt: skip
        with pytest.raises(BadInput, match="a tokenizer without <v-"):
            asked()
