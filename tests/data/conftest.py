"""A small synthetic set, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from samples import SMALL

from semanticface.data import synth


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """A small synthetic set."""
    folder = tmp_path_factory.mktemp("synth") / "faces"
    synth.make(SMALL, folder)
    return folder
