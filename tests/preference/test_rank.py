"""The commands: from rendered faces to preferences, in a shell's words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from semanticface.cli.main import app
from semanticface.data.plan import Plan
from semanticface.data.synth import make
from semanticface.errors import BadInput
from semanticface.preference.store import open_store
from semanticface.preference.store.content import project_of
from semanticface.preference.store.verdicts import heard


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synth") / "faces"
    make(Plan(8, 4, ("clay",), 48, 1, shard_frames=8), folder)
    return folder


@pytest.mark.slow
def test_a_round_with_an_oracle_from_the_shell(faces: Path, tmp_path: Path) -> None:
    where = tmp_path / "faces.store"
    run("rank", "new", where, "--size", 64, "--look", "clay", "--check-every", 5)
    told = run("rank", "faults", where, faces, "--checks", 1.0, "--per-region", 2)
    assert "attention checks" in told
    assert "simulated verdicts" in run("rank", "oracle", where, faces, "--noise", 0.2)
    some = ("rank", "oracle", where, faces, "--name", "few", "--most", 2)
    assert "2 simulated verdicts by few" in run(*some)
    assert "2 simulated verdicts by few after 2" in run(*some)
    with pytest.raises(BadInput, match="rater called 'few'"):
        run(*some, "--noise", 0.1)
    assert "of kind oracle" in run("rank", "report", where, "--judges", "oracle")
    assert "0 preferences" in run("rank", "preferences", where, "-o", tmp_path / "people.jsonl")
    run("rank", "preferences", where, "-o", tmp_path / "p.jsonl", "--judges", "oracle")
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert rows and {each["region"] for each in rows} == {"upper", "lower"}
    assert {tuple(each["judged_by"]) for each in rows} == {("oracle",)}
    assert "/i/invite." in run("rank", "invite", where, "ann")
    assert "renders of" in run("rank", "draw", where)
    run("rank", "export", where, "-o", tmp_path / "x.jsonl")
    assert "new: 1 project" in run("rank", "import", tmp_path / "again", tmp_path / "x.jsonl")
    store = open_store(tmp_path / "again")
    assert {each.kind for each in heard(store, project_of(store).id)} == {"oracle"}
    checks = [e for e in heard(store, project_of(store).id) if e.purpose == "check"]
    assert checks and sum(e.choice == e.expected for e in checks) >= 0.8 * len(checks)
    store.close()


def test_two_clips_become_pairs(shared: Path, tmp_path: Path) -> None:
    where = tmp_path / "s"
    run("rank", "new", where, "--size", 64)
    takes = [shared / "livelink" / name for name in ("S07-001.csv", "alex_rom_3.csv")]
    told = run("rank", "clips", where, *takes, "--names", "a,b", "--every", 4, "--subject", "x")
    assert "pairs and 0 attention checks" in told and not told.startswith("0 pairs")


def test_commands_tell_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="rank new"):
        run("rank", "report", tmp_path / "none")
    run("rank", "new", tmp_path / "s")
    with pytest.raises(BadInput, match="name not in use"):
        run("rank", "new", tmp_path / "s")
    with pytest.raises(BadInput, match="one of faces"):
        run("rank", "report", tmp_path / "s", "--project", "face")
    with pytest.raises(BadInput, match="--mixed"):
        run("rank", "preferences", tmp_path / "s", "-o", tmp_path / "p.jsonl",
            "--judges", "human,oracle")  # fmt: skip
