"""A transformers model of speech recognition as a recogniser: very small, weights at random."""

from __future__ import annotations

import json

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.speech.transcribe import transcribe
from semanticface.train.recognising import is_model, recogniser

pytest.importorskip("transformers")

LETTERS = "|ABCDEFGHIJKLMNOPQRSTUVWXYZ'"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
    )

    place = tmp_path_factory.mktemp("ctc")
    marks = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3}
    letters = {each: 4 + i for i, each in enumerate(LETTERS)}
    (place / "vocab.json").write_text(json.dumps(marks | letters))
    Wav2Vec2CTCTokenizer(str(place / "vocab.json")).save_pretrained(place)
    Wav2Vec2FeatureExtractor().save_pretrained(place)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 16, "conv_dim": (8, 8), "conv_kernel": (10, 8),
            "conv_stride": (40, 8), "num_feat_extract_layers": 2,
            "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}  # fmt: skip
    model = Wav2Vec2ForCTC(Wav2Vec2Config(vocab_size=len(marks | letters), pad_token_id=0, **size))
    model.lm_head.bias.data[: len(marks)] = -1e4  # letters alone
    model.save_pretrained(place)
    return place


def test_a_folder_of_transformers_recognises(folder):
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    assert is_model(folder)
    heard = transcribe([sound], recogniser(folder))
    assert heard
    assert set(heard) <= set(LETTERS.lower() + LETTERS + " ")


def test_what_is_no_model(tmp_path):
    assert not is_model(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(BadInput, match="a model that cannot be read"):
        recogniser(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"")
    assert not is_model(tmp_path)  # faster-whisper's
