"""Sampling from a served model: answers are kept as they come, a dead server costs a batch."""

from __future__ import annotations

import numpy as np
import pytest
from samples import faces, picture, record
from stand_in import standing_in

from semanticface.data.tasks import Task
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.language.parse import parse_answer
from semanticface.preference.sampling import collect
from semanticface.serve.client import Settings
from semanticface.serve.sampling import of_endpoint

QUICK = Settings(concurrency=2, pause=0.01, deadline=2.0)


def records(folder, count):
    made = []
    for n, values in enumerate(faces(count, seed=2)):
        path = folder / f"{n}.png"
        picture(32, 32, seed=n).save(path)
        made.append(record(np.clip(values, -1, 1), id=f"r{n}", image=str(path)))
    return made


def test_a_server_that_dies_is_told_and_what_it_said_is_kept(tmp_path):
    task, rows = Task.of("flat", "coefficients"), records(tmp_path, 3)
    path = tmp_path / "answers.jsonl"
    with standing_in(task) as server:
        sampler = of_endpoint(server.url, temperature=0.8, settings=QUICK)
        server.fault = lambda number, before: "400" if number >= 2 else ""
        with pytest.raises(SemanticFaceError, match="Run again to go on"):
            collect(sampler, rows, 2, path, batch=2)
        kept = path.read_text().splitlines()
        assert len(kept) == 1 + 4  # two records whole; the third's batch is asked again
        server.fault = lambda number, before: ""
        told = collect(sampler, rows, 2, path, batch=2)
    assert path.read_text().splitlines()[:5] == kept and len(told) == 6
    for each in told:
        assert parse_answer(each.text, task.form).report.outcome == "strict"


def test_a_temperature_of_nothing_is_refused():
    with pytest.raises(BadInput, match="above 0"):
        of_endpoint("http://127.0.0.1:1", temperature=0.0)
