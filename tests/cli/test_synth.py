"""`semanticface synth`, run as a user runs it."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from semanticface.cli.synth import synth
from semanticface.data.shards import read_made
from semanticface.errors import BadInput

app = typer.Typer()
app.command()(synth)


def run(*arguments: object):
    told = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert told.exit_code == 0, told.output
    return told.stderr


def test_a_set_is_made_and_not_made_twice(tmp_path):
    command = (tmp_path / "faces", "--frames", 8, "--identities", 4, "--size", 32, "--shard", 4,
               "--looks", "clay, toon", "--workers", 1, "--encoding", "png")  # fmt: skip
    told = run(*command)
    assert "8 pictures in" in told
    assert "MB for 8 pictures of 32 x 32" in told
    assert "people: 2 train, 1 val, 1 test" in told
    assert read_made(tmp_path / "faces", deep=True).plan["looks"] == ["clay", "toon"]
    assert "all made before" in run(*command)


def test_what_cannot_be_is_said(tmp_path):
    with pytest.raises(BadInput, match="the look 'oil'"):
        run(tmp_path / "faces", "--looks", "oil")
    assert not (tmp_path / "faces").exists()
