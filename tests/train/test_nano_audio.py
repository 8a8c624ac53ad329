"""The small audio model's tokens: what a frame is told stands where it can be found."""

from __future__ import annotations

import pytest

pytest.importorskip("transformers", reason="comes with the train extra")

from semanticface.speech.cues import SILENT
from semanticface.speech.phones import symbols
from semanticface.train.nano_audio import frame_tokens, tokenizer


def test_a_phone_is_one_token_wherever_it_stands():
    words = tokenizer()
    line = "frames: " + " ".join([SILENT, *symbols(), SILENT])
    told = words(line + frame_tokens(1)[0], add_special_tokens=False)["input_ids"]
    named = words.convert_ids_to_tokens(told)
    assert named[-len(symbols()) - 3 :] == [SILENT, *symbols(), SILENT, "<t0>"]


def test_phones_do_not_cut_words():
    words = tokenizer()
    alone, within = (words(text, add_special_tokens=False)["input_ids"]
                     for text in ("words: ER", "words: ERNIE"))  # fmt: skip
    assert words.convert_tokens_to_ids("ER") in alone
    assert words.convert_tokens_to_ids("ER") not in within
