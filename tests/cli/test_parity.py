"""`semanticface parity`, before it asks a server. With a real one: tests/e2e."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from semanticface.cli import parity
from semanticface.errors import BadInput
from semanticface.train.places import small_run


@pytest.mark.slow
def test_a_whole_model_has_nothing_to_merge():
    with pytest.raises(BadInput, match=r"trained a whole model.*leave --merged out"):
        parity.parity(small_run(), endpoint="http://127.0.0.1:1", merged=True, api_key_env="")


@pytest.mark.parametrize("most", [None, 1000, 262144])
def test_a_picture_above_the_runs_bound_is_asked_about(tmp_path, most):
    held = {"semanticface": "run/1", "config": {"min_pixels": None, "max_pixels": most}}
    (tmp_path / "manifest.json").write_text(json.dumps(held))
    shown = parity._above(tmp_path)
    assert len(shown) == (most is not None)
    for each in shown:
        width, height = Image.open(io.BytesIO(each)).size
        assert 1.2 * most < width * height < 8 * most


def test_a_model_that_is_no_run_has_no_bound(tmp_path):
    assert parity._above(tmp_path) == []
