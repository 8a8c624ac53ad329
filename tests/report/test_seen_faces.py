"""Faces that a model read, on the demo's page."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from semanticface.data.plan import subject
from semanticface.data.splits import DEFAULT
from semanticface.errors import BadInput
from semanticface.language.description import Description
from semanticface.report.seen_faces import held_against, learnt, section, seen
from semanticface.rig import INDEX
from semanticface.train.held_faces import AMONG, held_faces


@pytest.fixture(scope="module")
def two():
    return held_faces(2, seed=3)


def test_the_people_are_of_the_side_that_nobody_learns_from(two):
    assert {DEFAULT.side(subject(each.identity)) for each in two} == {"test"}
    assert len({each.identity for each in two}) == 2
    again = held_faces(2, seed=3)
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(two, again, strict=True))
    assert two[0].picture.shape == (112, 112, 3) and two[0].picture.std() > 20
    assert AMONG > 1
    with pytest.raises(BadInput, match="one at least"):
        held_faces(0)


def test_a_page_part_shows_truth_and_answer_apart(two):
    mean = np.zeros(61, np.float32)
    told = two[0].values.copy()
    most = seen(two[0], told, mean).bars[0].name
    told[INDEX[most]] = 0.0
    off, same = seen(two[0], told, mean), seen(two[0], two[0].values, mean)
    assert same.truth == same.told and off.truth != off.told
    assert same.error == 0 and off.error > 0
    assert off.bars[0].name == most and off.bars[0].told == 0 and off.bars[0].truth > 0.3
    page = section([off, same], None, "A <model>")
    assert page.count("<img") == 6 and "A &lt;model&gt;" in page
    assert "2 of 2" in page and "A few steps" not in page
    assert not re.search(r'(?:src|href)="(?!data:)', page)


def test_a_models_own_words_are_held_against_the_truth(two):
    truth = np.zeros(61, np.float32)
    truth[INDEX["jawOpen"]] = 0.9
    own = Description("an open jaw", "Jaw: the jaw is dropped wide; Mouth: a broad smile.",
                      "not clearly observable", "mostly symmetric")  # fmt: skip
    pieces = held_against(own, truth)
    assert "".join(each.text for each in pieces) == own.as_text()
    verdicts = {each.text: each.verdict for each in pieces}
    assert verdicts["the jaw is dropped wide"] == "supported"
    assert verdicts["a broad smile"] == "contradicted"
    face = seen(two[0], two[0].values, np.zeros(61, np.float32), own)
    page = section([face], None, "A model")
    assert "Jaw: " in page and "claims that the true numbers bear out" in page
    told = re.sub(r"<[^>]+>", "", page)
    assert own.muscle_movements in told and face.words.muscle_movements in told


def test_a_run_is_told_by_its_journals(tmp_path):
    rows = [{"step": 2, "loss": 3.0}, {"step": 4, "loss": 2.5}]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "config.yaml").write_text("answer: slots\n")
    found = learnt(tmp_path)
    assert (found.steps, found.first, found.last, found.probe) == (4, 3.0, 2.5, None)
    (tmp_path / "log.jsonl").write_text("")
    with pytest.raises(BadInput, match="no step"):
        learnt(tmp_path)
