"""One object, three uses: the example, the score, the reward."""

from __future__ import annotations

import json

import numpy as np
import pytest
from faces import frames
from hypothesis import given
from hypothesis import strategies as st
from samples import faces, record, smile

from semanticface.data.records import Words
from semanticface.data.tasks import STAGES, Task
from semanticface.data.worded import words_then
from semanticface.errors import BadInput
from semanticface.language.answers import FORMATS, answer_format
from semanticface.language.consistency import check
from semanticface.language.describe import describe
from semanticface.language.description import FIELDS, Description
from semanticface.rig import INDEX, mirror

PLAIN = ("flat", "sparse", "regions", "codes", "tokens")


def every_task() -> list[Task]:
    tasks = [Task.of(key, "coefficients") for key in PLAIN]
    tasks += [Task.of(key, "describe+coefficients") for key in FORMATS]
    return [*tasks, Task.of(stage="describe")]


@pytest.mark.parametrize("task", every_task(), ids=lambda t: f"{t.stage}-{t.form.key}")
def test_the_target_is_the_best_answer(task):
    for i, values in enumerate(faces(4)):
        one = record(values, id=str(i))
        score = task.score(one, task.target(one))
        assert score.outcome == "strict"
        if task.numbers:
            step = 0.5 * 10.0**-task.form.decimals + 1e-6
            assert score.mae <= step
            assert score.missing == 0
            assert score.compared == 61
        if task.described:
            assert score.words_with_truth.holds
        assert score.reward > 0.97


@pytest.mark.parametrize("task", every_task(), ids=lambda t: f"{t.stage}-{t.form.key}")
def test_a_worse_answer_is_worth_less(task):
    values = smile(0.7, 0.7)
    values[INDEX["jawOpen"]] = 0.4
    one = record(values)
    half, other = record(values * 0.5), record(mirror(faces(3)[2]))
    best, worse, worst = (task.reward(one, task.target(each)) for each in (one, half, other))
    assert 1 >= best > worse > worst >= 0
    assert task.reward(one, "I cannot see a face.") == 0
    assert task.reward(one, "") == 0


@given(st.text(max_size=400), st.sampled_from(every_task()))
def test_any_text_has_a_reward(text, task):
    assert 0 <= task.reward(record(smile()), text) <= 1


@given(frames())
def test_the_reward_follows_its_formula(values):
    task, one = Task.of("codes", "coefficients"), record(smile())
    error = np.abs(np.round(values.astype(np.float64), 2) - one.values)
    active = one.values >= 0.1
    expected = np.exp(-2 * (np.minimum(error, 1).mean() + np.minimum(error, 1)[active].mean()))
    assert task.reward(one, answer_format("codes").write(values)) == pytest.approx(
        expected, abs=1e-4
    )


def test_what_an_answer_leaves_out_counts_as_wrong():
    one, task = record(smile()), Task.of("flat", "coefficients")
    whole = json.loads(task.target(one))
    del whole["MouthSmileLeft"], whole["JawOpen"]
    score = task.score(one, json.dumps(whole))
    assert score.outcome == "tolerant"
    assert (score.missing, score.compared) == (2, 59)
    assert score.mae == pytest.approx(0, abs=1e-6)  # of what it gives
    assert score.reward == pytest.approx(0.9 * np.exp(-2 * (2 / 61 + 1 / 2)), abs=1e-4)


def test_words_are_held_against_truth_and_against_the_answers_own_numbers():
    one, task = record(smile()), Task.of("codes")
    lie = task.form.write(np.zeros(61), describe(smile()))
    score = task.score(one, lie)
    assert score.words_with_truth.holds
    assert score.words_with_numbers.contradicted
    assert task.reward(one, lie) > task.reward(one, task.form.write(np.zeros(61), _silent()))


def _silent() -> Description:
    return Description("a face", "It does this and that.", "not clearly observable", "unknown")


def test_what_was_not_measured_is_neither_asked_nor_filled_in():
    values = smile()
    values[INDEX["tongueOut"]] = np.nan
    one = record(values)
    with pytest.raises(BadInput, match="record a without tongueOut"):
        Task.of("flat", "coefficients").target(one)
    some = tuple(i for i in range(61) if i != INDEX["tongueOut"])
    task = Task.of(answer_format("flat", channels=some), "coefficients")
    assert "TongueOut" not in task.target(one)
    assert task.score(one, task.target(one)).compared == 60
    assert "TongueOut" not in json.dumps(task.request())
    full = Task.of("flat", "coefficients")
    assert full.score(one, full.target(record(smile()))).compared == 60


def test_targets_out_of_range_are_brought_in_and_counted():
    values = smile()
    values[INDEX["jawOpen"]] = 1.08
    task = Task.of("codes", "coefficients")
    assert "jo100" in task.target(record(values))
    assert "jo40" in task.target(record(np.where(values > 1, np.float32(0.4), values)))
    assert task.clamped == {"records": 1, "values": 1}
    for wrong in (40.0, -0.7):
        values[INDEX["jawOpen"]] = wrong
        with pytest.raises(BadInput, match="hundredths, or in degrees"):
            task.target(record(values))


def test_a_changed_task_asks_anew():
    from dataclasses import replace

    task = Task.of("codes", "coefficients")
    before = task.request()
    other = replace(task, form=answer_format("regions"))
    assert other.request() != before


def test_the_example_has_the_shape_trl_takes():
    one = record(smile(), image="a.png")
    for task in every_task():
        row = task.example(one)
        assert [each["role"] for each in row["prompt"]] == ["system", "user"]
        parts = row["prompt"][1]["content"]
        assert [part["type"] for part in parts] == ["text", "image"]
        assert "<image>" not in json.dumps(row["prompt"])
        assert row["completion"][0]["content"][0]["text"] == task.target(one)
        assert row["images"][0]["path"] == "a.png"
        row["prompt"][1]["content"].clear()  # rows do not share their messages
    assert Task.of().request()[1]["content"]


def test_the_request_names_what_is_wanted():
    def asked(task):
        return " ".join(p.get("text", "") for m in task.request() for p in m["content"])

    assert "whole steps" in asked(Task.of("codes"))
    assert "expression_category" in asked(Task.of("codes"))
    assert "1. **Facial Expression Category**" in asked(Task.of("codes"))
    assert "expression_category" not in asked(Task.of("codes", "coefficients"))
    assert "JawOpen" not in asked(Task.of(stage="describe"))
    assert all(f'"{name}"' in asked(Task.of(stage="describe")) for name in FIELDS)


def test_words_differ_from_record_to_record_and_stay_true():
    task = Task.of(stage="describe")
    told = {task.words(record(smile(), id=str(i))) for i in range(12)}
    assert len(told) > 3
    assert all(check(each, smile()).holds for each in told)
    own = Words.of(describe(smile(), seed=99), by="a-model")
    assert task.words(record(smile(), words=own)) == own.description


def test_a_stage_and_a_format_that_do_not_go_together():
    with pytest.raises(BadInput, match="'two-key' for the stage 'coefficients'"):
        Task.of("two-key", "coefficients")
    with pytest.raises(BadInput, match="the stage 'talk'"):
        Task.of("codes", "talk")
    with pytest.raises(BadInput, match="answer format 'flat' for the prompt"):
        Task.of("flat", "coefficients", prompt="image/semanticface_released").request()
    with pytest.raises(BadInput, match="numbers only"):
        words_then(answer_format("two-key"))
    assert set(STAGES) == {task.stage for task in every_task()}


def test_descriptions_are_read_in_other_shapes():
    task, words = Task.of(stage="describe"), describe(smile())
    analysis = json.dumps(words.as_analysis())
    for text, outcome in (
        (analysis, "strict"), (f"Here:\n```json\n{analysis}\n```", "tolerant"),
        (words.as_markdown(), "tolerant"), (f'{{"analysis": {analysis}}}', "tolerant"),
        (analysis[:-1], "repaired"), (analysis[:40], "failed"),
    ):  # fmt: skip
        answer = task.read(text)
        assert (answer.outcome, answer.words) == (outcome, words if outcome != "failed" else None)


def test_words_before_numbers_are_read_strictly_and_not():
    task, one = Task.of("codes"), record(smile())
    text = task.target(one)
    assert task.read(f"Sure.\n\n{text}\nBye.").outcome == "tolerant"
    numbers_only = task.read(text.rpartition("\n\n")[2])
    assert (numbers_only.outcome, numbers_only.words) == ("tolerant", None)
    import re

    assert re.fullmatch(task.form.regex(), text)
    assert not re.fullmatch(task.form.regex(), text + " ")
    with pytest.raises(BadInput, match="no description"):
        task.form.write(smile())
    odd = Description("a\n\nb", "c", "d", "e")
    with pytest.raises(BadInput, match="cannot hold"):
        task.form.write(smile(), odd)


def test_a_fault_names_the_row():
    values = smile()
    values[3] = np.nan
    rows = Task.of().examples([record(smile(), id="good"), record(values, id="bad")])
    assert next(rows)["record"] == "good"
    with pytest.raises(BadInput, match="record bad, row 2"):
        next(rows)
