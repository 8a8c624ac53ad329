"""What a server is held to: every legal answer, an end to free text, and a cheap grammar."""

from __future__ import annotations

import re

import pytest

from semanticface.data.tasks import Task
from semanticface.language.answers import FORMATS
from semanticface.language.describe import describe
from semanticface.motion.expressions import sample_frames
from semanticface.serve.request import LONGEST, answer_pattern

FACES = sample_frames(6, seed=2)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("key", [*FORMATS, "words"])
def test_every_answer_that_is_trained_is_allowed(key, language):
    if key == "words":
        task = Task.of(stage="describe", language=language)
    else:
        stage = "describe+coefficients" if FORMATS[key].described else "coefficients"
        task = Task.of(key, stage, language=language)
    allowed = re.compile(answer_pattern(task))
    for n, face in enumerate(FACES):
        words = describe(face, seed=n, language=language)
        assert max(map(len, words.as_analysis().values())) < LONGEST
        assert allowed.fullmatch(_written(task, face, words))


def _written(task, face, words):
    import json

    if not task.numbers:
        return json.dumps(words.as_analysis(), ensure_ascii=False)
    return task.form.write(face, words if task.described else None)


@pytest.mark.parametrize("task", [Task.of("two-key"), Task.of(stage="describe")])
def test_words_have_an_end_and_are_a_class_repeated(task):
    """A repeated choice of characters and escapes made a server's grammar 500 times slower."""
    pattern = answer_pattern(task, 12)
    assert not re.search(r"\)\{\d+,\d*\}", pattern)
    assert not re.search(r"\]\+", pattern)
    assert pattern.count("{1,12}") == 4
