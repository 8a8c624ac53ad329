"""Rounds: order, resuming, drift; the real steps on a tiny model, killed and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.preference.rounds import (
    STEPS,
    Evaluated,
    Outcome,
    Plan,
    best_of,
    go,
    ledger,
    plan_of,
    verdict_of,
)

from .pairs import face


class Steps:
    """Steps that note what they were asked; evaluation follows a script."""

    def __init__(self, scores: list[tuple[float, float | None]], fault: tuple[Any, ...] = ()):
        self.scores, self.fault = scores, fault
        self.done: list[tuple[int, str]] = []

    def all(self) -> dict[Any, Any]:
        return {step: (lambda work, step=step: self._do(work, step)) for step in STEPS}

    def _do(self, work: Any, step: str) -> dict[str, Any]:
        if (work.round, step) == self.fault:
            raise RuntimeError("killed")
        self.done.append((work.round, step))
        if step != "evaluate":
            return {}
        preference, believed = self.scores[work.round - 1]
        return {"preference": preference, "believed": believed}


def test_steps_come_in_order_and_the_best_round_is_kept(tmp_path: Path) -> None:
    steps = Steps([(0.55, 0.6), (0.7, 0.7), (0.69, 0.8)])
    outcome = go(tmp_path, Plan(), steps.all())
    assert steps.done == [(n, step) for n in (1, 2, 3) for step in STEPS]
    assert isinstance(outcome, Outcome) and outcome.why == "done" and outcome.best == 2
    assert json.loads((tmp_path / "best.json").read_text())["run"] == "round-2/run"


@pytest.mark.parametrize("step", STEPS)
def test_whatever_ends_a_step_the_next_call_begins_with_it(tmp_path: Path, step: str) -> None:
    scores: list[tuple[float, float | None]] = [(0.6, None), (0.7, None)]
    with pytest.raises(RuntimeError):
        go(tmp_path, Plan(rounds=2), Steps(scores, (2, step)).all())
    again = Steps(scores)
    assert go(tmp_path, Plan(rounds=2), again.all()).best == 2
    assert again.done == [(2, each) for each in STEPS[STEPS.index(step) :]]  # type: ignore[arg-type]


def test_a_line_of_the_ledger_that_was_cut_short_never_counted(tmp_path: Path) -> None:
    go(tmp_path, Plan(rounds=1), Steps([(0.6, None)]).all())
    path = tmp_path / "ledger.jsonl"
    path.write_text(path.read_text()[:-20])
    again = Steps([(0.6, None)])
    go(tmp_path, Plan(rounds=1), again.all())
    assert again.done == [(1, "evaluate")]
    assert [row.step for row in ledger(tmp_path)] == list(STEPS)


def test_oracle_drift_ends_the_rounds(tmp_path: Path) -> None:
    steps = Steps([(0.6, 0.6), (0.7, 0.7), (0.65, 0.8), (0.9, 0.9)])
    outcome = go(tmp_path, Plan(rounds=4), steps.all())
    assert outcome.why == "drift" and outcome.best == 2
    assert steps.done[-1] == (3, "evaluate")


def test_a_first_round_worse_than_the_start_ends_the_rounds(tmp_path: Path) -> None:
    steps = Steps([(0.36, 0.86), (0.36, 0.98)])
    outcome = go(tmp_path, Plan(rounds=2), steps.all())
    assert (outcome.why, outcome.best) == ("drift", 0) and steps.done[-1] == (1, "evaluate")


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ([(0.6, 0.6)], "go on"),
        ([(0.6, 0.6), (0.59, 0.7)], "go on"),  # within the tolerance
        ([(0.6, 0.6), (0.5, 0.7)], "drift"),
        ([(0.6, 0.6), (0.5, 0.6)], "no gain"),
        ([(0.6, None), (0.5, None)], "no gain"),
        ([(0.7, 0.6), (0.69, 0.7), (0.67, 0.8)], "drift"),  # slowly, against the best
        ([(0.4, 0.6), (0.6, 0.5)], "go on"),
        ([(0.36, 0.86)], "drift"),  # below the start itself, and the judge likes it
        ([(0.36, None)], "no gain"),
        ([(0.36, 0.4)], "no gain"),
        ([(0.49, 0.9)], "go on"),
        ([(0.49, 0.9), (0.47, 0.95)], "drift"),  # against the start, which is the best
    ],
)
def test_when_it_stops(scores: list[tuple[float, float | None]], told: str) -> None:
    history = [Evaluated(n, *each) for n, each in enumerate(scores, 1)]
    assert verdict_of(history, 0.02) == told


def test_no_round_is_best_where_the_start_was_better() -> None:
    assert best_of([Evaluated(1, 0.48, None), Evaluated(2, 0.5, None)]) == 0
    assert best_of([Evaluated(1, 0.6, None), Evaluated(2, 0.6, None)]) == 1


def test_another_plan_is_refused_but_more_rounds_are_not(tmp_path: Path) -> None:
    scores: list[tuple[float, float | None]] = [(0.6, None), (0.7, None)]
    go(tmp_path, Plan(rounds=1), Steps(scores).all())
    with pytest.raises(BadInput, match=r"temperature 0\.5 where it was 1\.0"):
        go(tmp_path, Plan(rounds=1, temperature=0.5), Steps(scores).all())
    more = Steps(scores)
    assert go(tmp_path, Plan(rounds=2), more.all()).best == 2
    assert {number for number, _ in more.done} == {2}
    assert plan_of(tmp_path) == Plan(rounds=2)


@pytest.mark.parametrize(
    "bad", [{"rounds": 0}, {"judge": "discriminator"}, {"samples": 1}, {"temperature": 0.0}]
)
def test_plans_that_make_no_sense_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Plan(**bad)


# -- the real steps -----------------------------------------------------------

TRAINING = {"max_steps": 2, "per_device_train_batch_size": 2, "warmup_steps": 0, "rank": 4,
            "alpha": 8, "learning_rate": 1e-3, "probe_steps": 0, "logging_steps": 1,
            "disable_tqdm": "true", "use_cpu": "true"}  # fmt: skip


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run of a random tiny model, and faces."""
    pytest.importorskip("trl", reason="comes with the train extra")
    from training import face_data, tiny_model, train

    folder = tmp_path_factory.mktemp("rounds")
    data = face_data(folder / "faces", train=6, val=2)
    return train(folder / "start", tiny_model(tmp_path_factory), data, max_steps=1), data


def plan_for(start: tuple[Path, Path], **more: Any) -> Plan:
    return Plan(start=str(start[0]), data=str(start[1]), rounds=1, faces=3, held_out=2, samples=3,
                training=dict(TRAINING), **more)  # fmt: skip


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_two_real_rounds_with_an_oracle(start: tuple[Path, Path], tmp_path: Path) -> None:
    from semanticface.preference.round_evaluation import compared
    from semanticface.preference.round_steps import run_samplers, steps
    from semanticface.train.predictor import opened

    plan = plan_for(start)
    go(tmp_path, plan, steps(run_samplers(plan)))
    more = Plan(**{**vars(plan), "rounds": 2, "tolerance": 1.0})
    with pytest.raises(BadInput, match="tolerance"):
        go(tmp_path, more, steps(run_samplers(more)))
    more = Plan(**{**vars(plan), "rounds": 2})
    outcome = go(tmp_path, more, steps(run_samplers(more)))
    rows = {(row.round, row.step): row.told for row in outcome.rows}
    assert rows[1, "sample"] == {"faces": 3, "answers": 9}
    assert rows[1, "judge"]["judge"] == "oracle" and rows[1, "judge"]["preferences"] >= 1
    assert 0 <= rows[1, "evaluate"]["preference"] <= 1 and rows[1, "evaluate"]["duels"] == 4
    if (2, "train") in rows:  # the second goes on from the first's adapter
        second = json.loads((tmp_path / "round-2" / "run" / "manifest.json").read_text())
        first = json.loads((tmp_path / "round-1" / "run" / "manifest.json").read_text())
        assert second["base"] == first["base"] and second["data"] != first["data"]
    assert opened(tmp_path / "round-1" / "run").task.form.key == "tokens"
    told = compared(more, tmp_path, run_samplers(more))
    assert len(told) == 2 and all(len(each.errors) == 2 for each in told)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("default")
def test_killed_with_9_at_any_step_it_goes_on(start: tuple[Path, Path], tmp_path: Path) -> None:
    """Killed when the first file of each step appears, again and again, until it is through."""
    code = (
        "import json,sys; from semanticface.preference.rounds import *; "
        "from semanticface.preference.round_steps import *; "
        f"p = Plan(**{{**json.loads({json.dumps(json.dumps(vars(plan_for(start))))}), "
        "'regions': ('upper','lower')}); "
        "go(sys.argv[1], p, steps(run_samplers(p)))"
    )
    signs = ["round-1/answers.jsonl", "store/store.sqlite", "round-1/run/manifest.json"]
    kills = 0
    for sign in signs:
        started = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)],
                                   stderr=subprocess.DEVNULL, env={**os.environ})  # fmt: skip
        deadline = time.monotonic() + 250
        while not (tmp_path / sign).is_file() and started.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        if started.poll() is None:
            started.send_signal(signal.SIGKILL)
            kills += 1
        started.wait()
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True,
                   stderr=subprocess.DEVNULL)  # fmt: skip
    assert kills >= 2 and [row.step for row in ledger(tmp_path)] == list(STEPS)
    answers = (tmp_path / "round-1" / "answers.jsonl").read_text().splitlines()
    assert len(answers) == 1 + 9  # each asked for once, though the work was begun four times


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_people_are_waited_for(start: tuple[Path, Path], tmp_path: Path) -> None:
    from semanticface.preference.round_steps import run_samplers, steps
    from semanticface.preference.rounds import Waiting
    from semanticface.preference.store import open_store
    from semanticface.preference.store.content import add_rater, project_of
    from semanticface.preference.store.questions import open_questions
    from semanticface.preference.store.verdicts import record

    plan = plan_for(start, judge="human")
    real = steps(run_samplers(plan))
    with pytest.raises(Waiting, match=r"waits for people: 0 of \d+ pairs"):
        go(tmp_path, plan, real)
    store = open_store(tmp_path / "store")
    project = project_of(store, "round-1")
    rater = add_rater(store, project.id, "ann")
    while asked := open_questions(store, project, rater.id, 1):
        record(store, rater.id, asked[0].id, "left", key=f"click-{asked[0].id}")
    store.close()
    try:
        go(tmp_path, plan, real)
    except Waiting as fault:  # where two steps changed an answer so that it shows
        assert "held-out-1" in str(fault)
    told = {row.step: row.told for row in ledger(tmp_path)}
    assert told["judge"]["judge"] == "human" and told["train"]["run"] == "round-1/run"
    lines = (tmp_path / "round-1" / "preferences.jsonl").read_text().splitlines()
    assert all(json.loads(line)["judged_by"] == {"human": 1} for line in lines)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_people_compare_a_round_with_the_start(start: tuple[Path, Path], tmp_path: Path) -> None:
    """Three of four verdicts for the round; asked for once, whatever the samplers say later."""
    from semanticface.preference.round_evaluation import evaluate
    from semanticface.preference.round_parts import task_of
    from semanticface.preference.rounds import Waiting, Work
    from semanticface.preference.sampling import Sampler
    from semanticface.preference.store import open_store
    from semanticface.preference.store.content import add_rater, answer_of, project_of
    from semanticface.preference.store.questions import open_questions
    from semanticface.preference.store.verdicts import heard, record

    work = Work(plan_for(start, judge="human"), tmp_path, 1)
    work.place.mkdir()
    form, calls = task_of(work).form, []

    def samplers(place: str) -> Sampler:
        values = np.full(61, 0.6 if place == str(work.run) else 0.1, np.float32)

        def answers(pictures: Any, _seeds: Any) -> list[str]:
            calls.append(place)
            return [form.write(values, None)] * len(pictures)

        return Sampler(place, answers)

    with pytest.raises(Waiting, match=r"waits for people: 0 of 4 pairs.*held-out-1"):
        evaluate(work, samplers)
    store = open_store(tmp_path / "store")
    project = project_of(store, "held-out-1")
    rater = add_rater(store, project.id, "ann")
    judged = 0
    while asked := open_questions(store, project, rater.id, 1):
        sides = [answer_of(store, key).source for key in (asked[0].left, asked[0].right)]
        own = "left" if sides[0] in ("round", "truth") else "right"
        other = {"left": "right", "right": "left"}[own]
        judged += "round" in sides
        click = other if judged == 3 and "round" in sides else own
        record(store, rater.id, asked[0].id, click, key=f"key-{asked[0].id}")
    checks = [each for each in heard(store, project.id) if each.purpose == "check"]
    assert judged == 4 and [each.choice for each in checks] == ["one"]
    store.close()
    told = evaluate(work, samplers)
    assert (told["preference"], told["by"], told["asked"]) == (0.75, "human", 4)
    assert 0 <= told["oracle"] <= 1 and told["active_mae"] >= 0
    assert len(calls) == 2  # once each


def telling_pool(people: str, channels: list[str]) -> list[Any]:
    from samples import record

    from semanticface.preference.candidates import Candidate, regional_pair

    pool = []
    for n, (who, channel) in enumerate(zip(people, channels, strict=True)):
        base = Candidate.of("b", face())
        duel = regional_pair(base, base, Candidate.of("x", face(**{channel: 0.5})), "lower")
        pool.append((duel, record(face(), id=f"r{n}", subject=who)))
    return pool


def test_a_round_asks_what_was_asked_about_least() -> None:
    from semanticface.preference.sampled_pairs import telling

    pool = telling_pool("aaab", ["jawOpen", "jawOpen", "jawOpen", "mouthPucker"])
    assert [each.worth for each in telling(pool, 0)] == [0.0] * 4
    found = telling(pool, 2)
    assert [each.face.id for each in found] == ["r0", "r3"]
    assert found[0].worth >= found[1].worth > 0


def test_a_round_asks_what_the_discriminator_is_unsure_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from semanticface.preference import discriminator, learned, sampled_pairs

    members = np.array([[0.9, 0.9, 0.1, 0.99], [0.95, 0.9, 0.9, 0.99]])
    told = discriminator.Belief(members.mean(0), members.std(0), members)
    monkeypatch.setattr(discriminator, "load", lambda _: None)
    monkeypatch.setattr(learned, "believed", lambda *_: told)
    monkeypatch.setattr(sampled_pairs, "asked_about", lambda pool: pool)
    pool = telling_pool("abcd", ["jawOpen"] * 4)
    found = sampled_pairs.telling(pool, 1, str(tmp_path))
    assert [each.face.id for each in found] == ["r2"]  # its members are split


# -- sampling -----------------------------------------------------------------


def test_a_server_that_dies_costs_one_batch(tmp_path: Path) -> None:
    from samples import faces, record
    from samples import picture as drawn_picture

    from semanticface.errors import SemanticFaceError
    from semanticface.preference.sampling import Sampler, collect

    rows = []
    for n, values in enumerate(faces(3, seed=1)):
        path = tmp_path / f"{n}.png"
        drawn_picture(16, 16, seed=n).save(path)
        rows.append(record(np.clip(values, -1, 1), id=f"r{n}", image=str(path)))
    asked: list[Any] = []

    def answers(pictures: Any, seeds: Any) -> list[str]:
        if len(asked) == 4:
            raise SemanticFaceError("http://127.0.0.1: nobody is there. Run again to go on.")
        asked.extend(seeds)
        return [f"{seed}" for seed in seeds]

    path = tmp_path / "answers.jsonl"
    with pytest.raises(SemanticFaceError, match="go on"):
        collect(Sampler("m", answers), rows, 2, path, batch=2)
    with path.open("ab") as stream:
        stream.write(b'{"record": "r2", "num')  # killed while it wrote
    asked.append("free")
    told = collect(Sampler("m", answers), rows, 2, path, batch=2)
    assert [each.record for each in told] == ["r0", "r0", "r1", "r1", "r2", "r2"]
    assert told[0].text == "None" and told[1].text not in ("None", told[3].text)
    assert len(asked) == 7  # four before, the rest once
    with pytest.raises(BadInput, match="another file"):
        collect(Sampler("another", answers), rows, 2, path)
    with pytest.raises(BadInput, match="two or more"):
        collect(Sampler("m", answers), rows, 1, path)
