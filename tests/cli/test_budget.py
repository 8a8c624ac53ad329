"""`semanticface budget`: what it refuses before it counts.

Counting needs the training stack: see `tests/data/test_budget_transformers.py`.
"""

from __future__ import annotations

import pytest
import typer
from samples import records_file
from typer.testing import CliRunner

from semanticface.cli.budget import budget
from semanticface.errors import BadInput

app = typer.Typer()
app.command()(budget)


def run(*arguments: object) -> None:
    CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)


@pytest.mark.parametrize(("more", "says"), [
    (("--stage", "coefficient"), "Did you mean 'coefficients'"),
    (("--format", "code"), "Did you mean 'codes'"),
])  # fmt: skip
def test_wrong_options_are_told(tmp_path, more, says):
    with pytest.raises(BadInput, match=says):
        run(records_file(tmp_path, 1), "-p", tmp_path, *more)


def test_a_manifest_that_is_none(tmp_path):
    with pytest.raises(BadInput, match=r"a manifest\.yaml"):
        run(tmp_path, "-p", tmp_path)
