"""The tables: read whole, refused where a name or a circle is wrong, close to real takes."""

from __future__ import annotations

import copy
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from semanticface.errors import BadInput
from semanticface.formats import read
from semanticface.motion.expressions import sample_frames
from semanticface.motion.repertoire import TABLE, columns, from_table, repertoire
from semanticface.rig import INDEX


@pytest.fixture
def table() -> dict[str, Any]:
    text = resources.files("semanticface.motion").joinpath(TABLE).read_text(encoding="utf-8")
    return copy.deepcopy(yaml.safe_load(text))


def test_a_movement_without_side_means_both() -> None:
    assert columns("mouthSmile") == (INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"])
    assert columns("mouthSmileLeft") == (INDEX["mouthSmileLeft"],)
    assert columns("mouthLeft") == (INDEX["mouthLeft"],)


def test_shares_sum_to_one_and_every_pose_moves() -> None:
    known = repertoire()
    for poses in (known.expressions, known.visemes, known.rare):
        assert poses.shares.sum() == pytest.approx(1)
        still = [n for n, d in zip(poses.names, poses.drives, strict=True) if not d.any()]
        assert still in ([], ["rest"])


def test_couplings_keep_the_drive_itself() -> None:
    assert np.allclose(np.diag(repertoire().coupling), 1)


def test_a_strange_name_is_refused_with_the_nearest(table: dict[str, Any]) -> None:
    table["expressions"]["joy"][1]["mouthSmlie"] = 0.5
    with pytest.raises(BadInput, match=r"mouthSmlie.*mouthSmile"):
        from_table(table)


def test_couplings_in_a_circle_are_refused(table: dict[str, Any]) -> None:
    table["couplings"]["jawOpen"] = {"mouthLowerDown": 0.5}
    with pytest.raises(BadInput, match="circle"):
        from_table(table)


def test_a_missing_habit_is_named(table: dict[str, Any]) -> None:
    del table["habits"]["talk_share"]
    with pytest.raises(BadInput, match="talk_share"):
        from_table(table)


def test_sampled_faces_are_closer_to_real_takes_than_takes_to_one_another(shared: Path) -> None:
    takes = [read(path).values for path in sorted((shared / "livelink").glob("*.csv"))]
    parts = [take[~np.isnan(take).any(axis=1), :52] for take in takes]
    real, faces = np.concatenate(parts), sample_frames(20_000, 1)[:, :52]
    active = (np.percentile(real, 95, axis=0) > 0.05) & (real.std(axis=0) > 0.01)

    def gaps(one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
        with np.errstate(invalid="ignore", divide="ignore"):
            a, b = (np.nan_to_num(np.corrcoef(x[:, active].T)) for x in (one, other))
        return (
            float(np.abs(one.mean(axis=0) - other.mean(axis=0)).mean()),
            float(
                np.abs(np.subtract(*(np.percentile(x, 95, axis=0) for x in (one, other)))).mean()
            ),
            float(np.abs(a - b).mean()),
        )

    mean, high, correlation = gaps(real, faces)
    assert mean < 0.015 and high < 0.07 and correlation < 0.18
    others = [gaps(p, np.concatenate([q for q in parts if q is not p])) for p in parts]
    assert all(ours < min(theirs) for ours, theirs in
               zip((mean, high, correlation), zip(*others, strict=True), strict=True))  # fmt: skip
