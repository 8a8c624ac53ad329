"""Files for batch labelling: every answer goes to its own picture."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pictures import png
from stand_in import face_of

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.serve.batch import read_answers, write_requests
from semanticface.serve.client import Frame

TASK = Task.of("flat", "coefficients")
SHOWN = [Frame(n / 30, png(n, (16, 16))) for n in range(5)]


@pytest.fixture
def answers(tmp_path):
    """As vLLM writes them: in another order, one failed."""
    asked = tmp_path / "requests.jsonl"
    assert write_requests(SHOWN, TASK, "face", asked) == 5
    lines = [json.loads(line) for line in asked.read_text().splitlines()]
    assert len({line["custom_id"] for line in lines}) == 5
    told = []
    for line, frame in zip(lines, SHOWN, strict=True):
        text = TASK.form.write(face_of(frame.picture))
        body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
        told.append(
            {"custom_id": line["custom_id"], "response": {"status_code": 200, "body": body}}
        )
    told[3]["response"] = {"status_code": 500, "body": None}
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in reversed(told)))
    return path


def test_answers_find_their_pictures(answers):
    clip, reports = read_answers(answers, SHOWN, TASK)
    for n in (0, 1, 2, 4):
        np.testing.assert_allclose(clip.values[n], face_of(SHOWN[n].picture), atol=1e-6)
        assert reports[n].outcome == "strict"
    assert np.isnan(clip.values[3]).all() and reports[3].outcome == "failed"


def test_answers_to_other_pictures_are_refused(answers):
    other = [Frame(n / 30, png(n + 9, (16, 16))) for n in range(5)]
    with pytest.raises(BadInput, match="4 other pictures"):
        read_answers(answers, other, TASK)


@pytest.mark.parametrize("line", ["x", "[]", "{}"])
def test_a_broken_line_is_named(tmp_path, line):
    (tmp_path / "a.jsonl").write_text(line + "\n")
    with pytest.raises(BadInput, match="row 1"):
        read_answers(tmp_path / "a.jsonl", SHOWN, TASK)
