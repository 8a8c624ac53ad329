from __future__ import annotations

import pytest
from training import face_data, tiny_model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    return tiny_model(tmp_path_factory)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return face_data(tmp_path_factory.mktemp("faces"))
