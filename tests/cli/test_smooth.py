"""`semanticface smooth`, run as a user runs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from semanticface import formats
from semanticface.cli import main as cli
from semanticface.motion.filters import zero_phase
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
        monkeypatch.setattr(sys, "argv", ["semanticface", "smooth", *map(str, arguments)])
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
    path = tmp_path / "take.npz"
    save_npz(perform(), path)
    return path


def test_help_teaches_by_examples(run):
    shown = run("--help")
    assert shown.code == 0
    assert "Examples" in shown.out
    assert "semanticface smooth take.csv" in shown.out


def test_the_file_holds_what_the_library_gives(run, take):
    shown = run(take, "-o", "smooth.npz")
    assert shown.code == 0, shown.err
    clip, after = formats.read(take), formats.read("smooth.npz")
    np.testing.assert_array_equal(after.values, zero_phase(clip).values)
    assert after.meta.conventions[-1].startswith("zero-phase low-pass")
    for words in ("region", "jitter", "frozen", "above 8 Hz", "peaks kept", "mouth", "→"):
        assert words in shown.out
    assert "against the clip as it was" in shown.err
    assert "zero-phase low-pass" in shown.err


@pytest.mark.parametrize(("method", "region", "says"), [
    ("one-euro", "mouth=min_cutoff:1.5,beta:2", "mouth 1.5 Hz beta 2"),
    ("savgol", "brow=window:0.4,order:3", "brow 0.4 s order 3"),
    ("zero-phase", "all=cutoff:5", "all 5 Hz"),
])  # fmt: skip
def test_each_method_and_its_settings(run, take, method, region, says):
    shown = run(take, "-o", "s.csv", "--method", method, "--region", region,
                "--region", "eyeBlinkLeft=off")  # fmt: skip
    assert shown.code == 0, shown.err
    assert "eyeBlinkLeft off" in shown.err
    assert says.replace("all", "brow/eye/nose/cheek/mouth/jaw/tongue/head") in shown.err
    before, after = formats.read(take), formats.read("s.csv")
    tracked = before.tracked
    np.testing.assert_allclose(
        after.column("eyeBlinkLeft"), before.column("eyeBlinkLeft")[tracked], atol=1e-6
    )
    assert not np.allclose(after.column("jawOpen"), before.column("jawOpen")[tracked])


def test_another_rate_on_the_way(run, take):
    assert run(take, "-o", "s.npz", "--fps", 24).code == 0
    clip = formats.read("s.npz")
    assert clip.rate == pytest.approx(24)
    assert "resampled to 24.000 fps" in clip.meta.conventions[-1]


@pytest.mark.parametrize(("arguments", "says"), [
    (["-o", "take.npz"], "another file"),
    (["-o", "s.npz", "--region", "mouth"], "NAME=SETTING"),
    (["-o", "s.npz", "--region", "muoth=off"], "Did you mean 'mouth'"),
    (["-o", "s.npz", "--region", "muoth=cutoff:3"], "Did you mean 'mouth'"),
    (["-o", "s.npz", "--region", "mouth=cutof:3"], "Did you mean 'cutoff'"),
    (["-o", "s.npz", "--region", "mouth=cutoff:x"], "a number"),
    (["-o", "s.npz", "--region", "mouth=order:1.5"], "a whole number"),
    (["-o", "s.npz", "--region", "mouth=cutoff:-1"], "above 0 Hz"),
    (["-o", "s.npz", "--region", "mouth=window:1"], "cutoff, order for zero-phase"),
    (["-o", "s.xyz"], "suffix '.xyz'"),
    (["-o", "nowhere/s.npz"], "nowhere"),
    (["-o", "s.npz", "--method", "blur"], "savgol"),
])  # fmt: skip
def test_faults_are_one_message_and_code_2(run, take, tmp_path, arguments, says):
    shown = run(take, *arguments)
    assert shown.code == 2
    assert says in shown.err
    assert "Traceback" not in shown.err
    assert [path.name for path in tmp_path.iterdir()] == ["take.npz"]
