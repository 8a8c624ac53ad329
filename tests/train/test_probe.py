"""Which probe is best, and when a run gives up."""

from __future__ import annotations

from importlib import util
from math import isnan, nan

import pytest

pytest.importorskip("trl", reason="comes with the train extra")

from training import losses, train, weights

from semanticface.errors import BadInput, MissingExtra
from semanticface.train import parsing, probe
from semanticface.train.options import PROBED, ProbeOptions
from semanticface.train.probe import best_of, given_up
from semanticface.train.runs import read_journal

pytestmark = pytest.mark.filterwarnings("default")

RISING = ("ccc", "pearson", "strict", "words", "reward")
FALLING = ("mae", "active_mae")


def probes(*values):
    return [(10 * n, value) for n, value in enumerate(values, 1)]


def test_every_figure_has_a_direction():
    assert sorted(RISING + FALLING) == sorted(PROBED)


@pytest.mark.parametrize(("values", "highest", "lowest"), [
    ((0.3, 0.9, 0.1), 20, 30), ((0.5, 0.5, 0.5), 10, 10), ((nan, 0.2, 0.4), 30, 20),
    ((0.4, nan, 0.2), 10, 30), ((-0.5, 0.1, -0.9), 20, 30), ((0.7,), 10, 10),
], ids=str)  # fmt: skip
def test_the_best_is_the_first_of_the_highest_or_of_the_lowest(values, highest, lowest):
    assert {best_of(probes(*values), by)[0] for by in RISING} == {highest}
    assert {best_of(probes(*values), by)[0] for by in FALLING} == {lowest}


def test_without_a_number_the_last_probe_stands():
    step, value = best_of(probes(nan, nan), "ccc")
    assert step == 20 and isnan(value)


@pytest.mark.parametrize(("by", "values", "patience", "stops"), [
    ("reward", (0.1, 0.9, 0.8, 0.7), 2, True), ("reward", (0.1, 0.9, 0.8), 2, False),
    ("reward", (0.1, 0.2, 0.3, 0.4), 1, False), ("reward", (0.4, 0.3, 0.2, 0.1), 3, True),
    ("mae", (0.4, 0.3, 0.2, 0.1), 1, False), ("mae", (0.1, 0.2, 0.3), 2, True),
    ("mae", (0.1, 0.2, 0.3), 0, False), ("mae", (), 1, False),
    ("reward", (0.5, 0.5), 1, True), ("ccc", (0.5, nan), 1, True),
], ids=str)  # fmt: skip
def test_patience_counts_probes_after_the_best(by, values, patience, stops):
    assert given_up(probes(*values), ProbeOptions(best_by=by, patience=patience)) is stops


@pytest.mark.slow
@pytest.mark.parametrize(("by", "values"), [
    ("reward", (0.2, 0.9, 0.3, 0.1)), ("mae", (0.4, 0.1, 0.3, 0.2)),
])  # fmt: skip
def test_a_run_gives_up_and_its_best_weights_are_the_result(by, values, tiny, data, tmp_path,
                                                            monkeypatch):  # fmt: skip
    """Figures of the probes are set, so that the second is the best one; all is told onwards."""
    import torch

    measured, turns = probe.figures, iter(values)
    monkeypatch.setattr(probe, "figures",
                        lambda *told: measured(*told)._replace(**{by: next(turns)}))  # fmt: skip
    run = train(tmp_path / "run", tiny, data, max_steps=9, probe_steps=1, save_steps=1,
                save_total_limit=9, patience=2, best_by=by, report_to="tensorboard")  # fmt: skip
    assert len(losses(run)) == 4
    assert [row[by] for row in read_journal(run / "probes.jsonl")] == list(values)
    result = weights(run)
    best, last = (weights(run, f"checkpoint-{step}") for step in (2, 4))
    assert all(torch.equal(result[name], each) for name, each in best.items())
    assert any(not torch.equal(result[name], each) for name, each in last.items())
    events = list(run.rglob("events.out.tfevents.*"))
    assert events and b"probe/reward" in events[0].read_bytes()


@pytest.mark.parametrize(("told", "fault"), [
    ("wandb", "report_to: wandb without the package.*pip install wandb"),
    ("tensorbord", "Did you mean 'tensorboard'"),
])  # fmt: skip
def test_where_nothing_can_be_told_is_said_first(told, fault, monkeypatch):
    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "wandb" else found(name))
    with pytest.raises(BadInput, match=fault):
        parsing._check_reports([told])


def test_tensorboard_comes_with_the_train_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingExtra, match=r"semanticface\[train\]"):
        parsing._check_reports("tensorboard")
