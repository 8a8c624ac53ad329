from __future__ import annotations

import sys
from pathlib import Path

import pytest
from training import face_data, tiny_model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    return tiny_model(tmp_path_factory)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return face_data(tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="module")
def scripts():
    """What stands beside the package can be imported: how the small model is made."""
    folder = str(Path(__file__).parents[2] / "scripts")
    sys.path.insert(0, folder)
    yield
    sys.path.remove(folder)
