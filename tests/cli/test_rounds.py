"""`semanticface rounds` and `demo --preference`: what they are told, and what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from semanticface.cli.main import app
from semanticface.cli.rounds import _keys
from semanticface.errors import BadInput
from semanticface.preference import rounds


def test_keys_of_the_training_are_key_value() -> None:
    assert _keys(["max_steps=20", "loss_type=sigmoid,sft"]) == {
        "max_steps": "20",
        "loss_type": ["sigmoid", "sft"],
    }
    for bad in ("max_steps", "=3", "a b=3"):
        with pytest.raises(BadInput, match="KEY=VALUE"):
            _keys([bad])


def test_without_faces_it_says_what_is_missing(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["rounds", str(tmp_path / "r")])
    assert isinstance(told.exception, BadInput) and "--data" in str(told.exception)


@pytest.mark.parametrize(
    ("why", "best", "code", "said"),
    [("drift", 2, 0, "oracle drift"), ("done", 0, 0, "none was better"), (None, 0, 3, "waits")],
)
def test_it_tells_how_it_ended(
    why: Any, best: int, code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def go(*_: Any) -> rounds.Outcome:
        if why is None:
            raise rounds.Waiting("round 1 waits for people")
        row = rounds.Row(1, "evaluate", {"preference": 0.6, "believed": 0.7})
        return rounds.Outcome(why, best, (row,))

    monkeypatch.setattr(rounds, "go", go)
    told = CliRunner().invoke(app, ["rounds", str(tmp_path / "r"), "--data", "faces"])
    assert told.exit_code == code and said in told.output + str(told.stderr)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_small_round_runs_as_the_document_says_it(tmp_path: Path) -> None:
    """From the folder that a user stands in, into the folder that it chooses itself."""
    pytest.importorskip("trl", reason="comes with the train extra")
    command = [sys.executable, "-m", "semanticface.cli.main", "demo", "--preference"]
    told = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    made = tmp_path / "semanticface-demo"
    assert "<img" in (made / "preference.html").read_text(encoding="utf-8")
    steps = [json.loads(line)["step"] for line in
             (made / "rounds" / "ledger.jsonl").read_text().splitlines()]  # fmt: skip
    assert tuple(steps) == rounds.STEPS
