"""The experiments' reader: what it is taught stands where it is read."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from conftest import REPOSITORY

pytest.importorskip("torch", reason="comes with the train extra")
sys.path.insert(0, str(REPOSITORY / "scripts"))

import torch
from small_reader import answers, study
from small_reader.reader import IGNORED, SEEN, Reader, Told
from small_reader.sight import NAMES, SUBSET, Faces

from semanticface.motion.expressions import sample_frames
from semanticface.rig import NAMES as ALL

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def reader():
    return Reader(seed=0, hidden=32, layers=1).eval()


@pytest.fixture(scope="module")
def held():
    values = np.full((8, 61), np.nan, np.float32)
    values[:, SUBSET] = sample_frames(8, seed=1)[:, SUBSET]
    seen = np.random.default_rng(0).normal(size=(8, 16, SEEN)).astype(np.float16)
    return Faces(seen, values, np.arange(8) // 2)


def test_the_channels_are_those_named():
    assert {ALL[i] for i in SUBSET} == set(NAMES)


def test_labels_stand_where_logits_are(reader, held):
    told = answers.numbers(reader, held, "tokens")
    ids, labels = reader.rows([told[0], told[1][:3]])
    assert labels[0].tolist() == [*told[0], reader.end]
    assert labels[1].tolist() == [*told[1][:3], reader.end, *[IGNORED] * 9]
    logits = reader(torch.from_numpy(held.seen[:2]).float(), ids)
    assert logits.shape[:2] == labels.shape


def test_greedy_answers_are_the_likeliest_tokens_of_a_whole_pass(reader, held):
    seen = torch.from_numpy(held.seen[:3]).float()
    told = reader.answers(seen, 6)
    assert all(len(each) == 6 for each in told.ids)  # random weights do not end so soon
    ids, labels = reader.rows(told.ids)
    with torch.inference_mode():
        logits = reader(seen, ids)
    assert logits.argmax(-1)[:, :6].tolist() == labels[:, :6].tolist()
    assert told.expected[0] == pytest.approx(reader.expected(logits)[0, :6].tolist(), abs=1e-4)


@pytest.mark.parametrize("key", ["tokens", "codes", "flat"])
def test_what_is_written_is_read_again(reader, held, key):
    ids = answers.numbers(reader, held, key)
    told = Told(ids, [[0.5] * len(each) for each in ids])
    if key == "tokens":
        found = answers.read_values(reader, told)
        assert (found.expected[:, SUBSET] == 0.5).all()
        values = found.likeliest
    else:
        values = answers.read_text(reader, told, key)
    off = np.abs(values - np.clip(held.values, 0, 1))[:, SUBSET]
    assert off.max() <= 0.005 + 1e-6


def test_words_are_held_against_the_numbers(reader, held):
    texts = answers.texts(reader, Told(answers.words(reader, held), []))
    true = answers.held_against(texts, held.values)
    assert true.supported == 1 and true.unread == 0
    false = answers.held_against(texts[::-1], held.values)
    assert false.supported < 1


def test_training_lowers_the_loss(held):
    small = Reader(seed=0, hidden=32, layers=1)
    told = answers.numbers(small, held, "tokens")
    ids, labels = small.rows(told)
    seen = torch.from_numpy(held.seen).float()
    before = float(study.cross_entropy(small(seen, ids), labels).detach())
    often = held._replace(seen=np.repeat(held.seen, 4, 0))
    study.train(small, often, lambda rows: [small.rows([told[n // 4] for n in rows])],
                faces=1600, seed=0)  # fmt: skip
    after = float(study.cross_entropy(small(seen, ids), labels).detach())
    assert after < before - 1


def test_intervals_are_over_people_and_differences_are_paired(held):
    noisy = held.values + np.float32(0.1)
    row = study.row(held, [held.values, noisy])
    assert row.mae.estimate == pytest.approx(0.05, abs=1e-5) and row.missing == 0
    gap = study.difference(held, [noisy], [held.values], "mae")
    assert gap.estimate == pytest.approx(0.1, abs=1e-5)
