"""`semanticface calibrate`, run as a user runs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from semanticface import formats
from semanticface.cli import main as cli
from semanticface.motion.calibrate import learn_range
from semanticface.motion.neutral import neutral_at, neutral_of, neutral_quiet, subtract_neutral
from semanticface.motion.profile import Profile
from semanticface.motion.rehearsal import perform
from semanticface.rig import save_npz


class Run(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def command(*arguments: object) -> Run:
        monkeypatch.setattr(sys, "argv", ["semanticface", "calibrate", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Run(code, captured.out, captured.err)

    return command


@pytest.fixture
def take(tmp_path) -> Path:
    save_npz(perform(seed=2), tmp_path / "rom.npz")
    save_npz(perform()[:9], tmp_path / "rest.npz")
    save_npz(perform(), tmp_path / "take.npz")
    return tmp_path / "take.npz"


def test_help_teaches_by_examples(run):
    shown = run("--help")
    assert shown.code == 0
    assert "Examples" in shown.out
    assert "semanticface calibrate take.csv" in shown.out


def test_the_rest_from_the_clip_from_a_moment_and_from_a_file(run, take):
    clip = formats.read(take)
    for options, neutral in (
        (["--neutral-quiet"], neutral_quiet(clip)),
        (["--neutral-at", 0.1], neutral_at(clip, 0.1)),
        (["--neutral", "rest.npz"], neutral_of(formats.read("rest.npz"))),
    ):
        shown = run(take, "-o", "c.npz", *options)
        assert shown.code == 0, shown.err
        after = formats.read("c.npz")
        np.testing.assert_array_equal(after.values, subtract_neutral(clip, neutral).values)
        assert after.meta.calibrated is True
        assert "neutral subtracted" in shown.err
        assert "peaks kept" in shown.out


def test_rest_and_range_are_learned_kept_and_applied_again(run, take):
    shown = run(take, "-o", "c.npz", "--neutral-quiet", "--range-of-motion", "rom.npz",
                "--save-profile", "anna.yaml")  # fmt: skip
    assert shown.code == 0, shown.err
    assert "range of motion calibrated" in shown.err
    assert "profile -> anna.yaml" in shown.err
    clip = formats.read(take)
    neutral = neutral_quiet(clip)
    range_ = learn_range(subtract_neutral(formats.read("rom.npz"), neutral))
    expected = Profile(neutral, range_).applied(clip)
    first = formats.read("c.npz")
    np.testing.assert_array_equal(first.values, expected.values)
    assert run(take, "-o", "again.npz", "--profile", "anna.yaml").code == 0
    np.testing.assert_allclose(formats.read("again.npz").values, first.values, atol=2e-5)


def test_the_range_alone_leaves_calibrated_unsaid(run, take):
    assert run(take, "-o", "c.csv", "--range-of-motion", take).code == 0
    assert run(take, "-o", "c.npz", "--range-of-motion", take).code == 0
    assert formats.read("c.npz").meta.calibrated is formats.read(take).meta.calibrated


@pytest.mark.parametrize(("arguments", "says"), [
    (["-o", "c.npz"], "nothing to calibrate by"),
    (["-o", "take.npz", "--neutral-quiet"], "another file"),
    (["-o", "c.npz", "--neutral-quiet", "--neutral-at", "1"], "one of them"),
    (["-o", "c.npz", "--neutral-quiet", "--profile", "p.yaml"], "--profile alone"),
    (["-o", "c.npz", "--profile", "p.yaml", "--save-profile", "q.yaml"], "one of them"),
    (["-o", "c.npz", "--profile", "p.yaml"], "p.yaml"),
    (["-o", "c.npz", "--neutral", "none.npz"], "no such file"),
    (["-o", "c.npz", "--neutral-at", "99"], "seconds from 0 to"),
    (["-o", "c.npz", "--neutral-quiet", "--save-profile", "p.txt"], ".yaml or .json"),
    (["-o", "c.npz", "--subtract-rotations", "--range-of-motion", "rom.npz"], "--neutral"),
])  # fmt: skip
def test_faults_are_one_message_and_code_2(run, take, tmp_path, arguments, says):
    shown = run(take, *arguments)
    assert shown.code == 2
    assert says in shown.err
    assert "Traceback" not in shown.err
    assert {path.name for path in tmp_path.iterdir()} == {"take.npz", "rest.npz", "rom.npz"}


def test_a_real_take_by_the_range_of_motion_take(run, shared):
    takes = shared / "livelink"
    shown = run(takes / "apfel.csv", "-o", "c.csv", "--neutral-quiet",
                "--range-of-motion", takes / "alex_rom_3.csv")  # fmt: skip
    assert shown.code == 0, shown.err
    assert "not moved and left alone: jawLeft, jawRight" in shown.err
    before, after = formats.read(takes / "apfel.csv"), formats.read("c.csv")
    assert len(after) == before.tracked.sum()
    assert np.nanmin(after.values[:, :52]) == 0
