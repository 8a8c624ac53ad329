"""Answers on disk: which are asked for again, and what a damaged file is told as."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import pytest
from samples import picture

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.train.decoding import Completion
from semanticface.train.predictions import Predictions, face_json, predict, write_out
from semanticface.train.predictor import Face
from semanticface.train.shots import shots

TASK = Task.of("flat", "coefficients")
WHOLE = TASK.form.write(np.zeros(61, np.float32))


@dataclass
class Writer:
    """Writes one character a token, as far as it may."""

    most: int
    origin: str = "writer"
    asked: list[int] = field(default_factory=list)

    def each(self, pictures, batch):
        pictures = iter(pictures)
        while some := list(islice(pictures, batch)):
            yield from self.faces(some)

    def faces(self, pictures):
        self.asked.append(len(pictures))
        text = WHOLE[: self.most]
        read = TASK.read(text)
        done = Completion(text, len(text), text == WHOLE, 1)
        return [Face(read.values, read.words, read.parsed, done) for _ in pictures]


@pytest.fixture
def album(tmp_path):
    for n in range(2):
        picture(seed=n).save(tmp_path / f"{n}.png")
    return shots([tmp_path])


def answered(writer, album, folder):
    return predict(writer, album, Predictions.begun(folder, writer.origin))


def test_an_answer_that_was_cut_is_asked_for_again_with_more_tokens(album, tmp_path):
    short, shorter, long = Writer(1), Writer(1), Writer(len(WHOLE))
    cut = answered(short, album, tmp_path / "out")
    assert all("cut off at 1 tokens; allow more by --tokens" in each
               for each in cut.failed.values())  # fmt: skip
    assert len(cut.failed) == 2
    assert answered(shorter, album, tmp_path / "out").asked == 0
    done = answered(long, album, tmp_path / "out")
    assert done.asked == 2 and not done.failed
    assert [each.outcome for each in done.answers] == ["strict"] * 2
    again = Writer(10 * len(WHOLE))
    kept = answered(again, album, tmp_path / "out")
    assert again.asked == [] and [each.values.tolist() for each in kept.answers] == [[0.0] * 61] * 2


def test_pictures_of_other_kinds_are_listed(album, tmp_path):
    (tmp_path / "x.gif").write_bytes(b"GIF89a")
    found = answered(Writer(len(WHOLE)), shots([tmp_path]), tmp_path / "out")
    assert len(found.answers) == 2
    assert [name.rsplit("/", 1)[1] for name in found.failed] == ["x.gif"]
    assert "one of PNG, JPEG" in found.failed[str(tmp_path / "x.gif")]


def test_answers_of_an_earlier_version_stand(album, tmp_path):
    answered(Writer(len(WHOLE)), album, tmp_path / "out")
    assert "cut_at" not in (tmp_path / "out" / "answers.jsonl").read_text()


@pytest.mark.parametrize(("damage", "fault"), [
    ('{"key": "a", ', "row 2: found no JSON at character"), ("[]", "row 2: found"),
    ('{"key": "a"}', "row 2: found a line that is no answer"),
    (json.dumps({"key": "a", "name": "a", "time": None, "outcome": "strict", "text": "",
                 "values": [0.5], "analysis": None}), "row 2: found a line that is no answer"),
], ids=["half", "list", "keys", "values"])  # fmt: skip
def test_a_damaged_line_is_told_with_its_place(album, tmp_path, damage, fault):
    answered(Writer(len(WHOLE)), album, tmp_path / "out")
    path = tmp_path / "out" / "answers.jsonl"
    head, *rest = path.read_text().splitlines()
    path.write_text("\n".join([head, damage, *rest]) + "\n")
    with pytest.raises(BadInput, match=rf"answers\.jsonl, {fault}"):
        answered(Writer(len(WHOLE)), album, tmp_path / "out")


def test_answers_stay_in_their_file_and_results_are_written_one_by_one(album, tmp_path):
    """100,000 answers would fill the memory; what is written is one object all the same."""
    found = answered(Writer(len(WHOLE)), album, tmp_path / "out")
    again = answered(Writer(len(WHOLE)), album, tmp_path / "out")
    assert [each.text for each in (*found.answers, *again.answers)] == [""] * 4
    write_out(again, tmp_path / "out", "album")
    whole = {each.name: face_json(each) for each in again.answers}
    text = (tmp_path / "out" / "faces.json").read_text()
    assert text == json.dumps(whole, ensure_ascii=False, indent=1) + "\n" and len(whole) == 2
    write_out(again._replace(answers=[]), tmp_path / "out", "album")
    assert (tmp_path / "out" / "faces.json").read_text() == "{}\n"


@pytest.mark.parametrize("half", ['{"key": "a', '{"key": "' + "a" * 70_000, '{"key": "ä'])
def test_what_a_killed_process_has_left_of_a_line_is_taken_off(album, tmp_path, half):
    answered(Writer(len(WHOLE)), album, tmp_path / "out")
    path = tmp_path / "out" / "answers.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + half.encode()[:-1])
    assert answered(Writer(len(WHOLE)), album, tmp_path / "out").asked == 0
    assert path.read_bytes() == whole
    path.write_bytes(whole[:20])  # of the very first
    with pytest.raises(BadInput, match="answers of another model"):
        Predictions.begun(tmp_path / "out", "writer")
