"""Folders that `datasets.Dataset.save_to_disk` wrote."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from samples import as_bytes, faces, picture

from semanticface.data.images import Pictures
from semanticface.data.manifest import read_manifest
from semanticface.data.sources import records
from semanticface.errors import BadInput

datasets = pytest.importorskip("datasets", reason="comes with the train extra")
pytestmark = pytest.mark.slow


def told(folder, **source):
    path = folder / "data.yaml"
    path.write_text(yaml.safe_dump({"sources": [{"kind": "datasets", **source}]}))
    return list(records(read_manifest(path)))


def test_pictures_stay_encoded_until_they_are_wanted(tmp_path):
    values = faces(3)
    held = datasets.Dataset.from_dict(
        {"image": [{"bytes": as_bytes(picture(seed=i)), "path": None} for i in range(3)],
         "targets": values.tolist(), "subject": ["a", "b", "c"]},
        features=datasets.Features({
            "image": datasets.Image(), "subject": datasets.Value("string"),
            "targets": datasets.List(datasets.Value("float32")),
        }),
    )  # fmt: skip
    held.save_to_disk(str(tmp_path / "one"))
    datasets.DatasetDict({"train": held, "test": held}).save_to_disk(str(tmp_path / "two"))
    found = told(tmp_path, path="one", consent="given")
    assert [each.image.kind for each in found] == ["data"] * 3
    assert np.array_equal([each.values for each in found], values)
    assert np.array_equal(
        np.asarray(Pictures().decode(found[2].image)), np.asarray(picture(seed=2))
    )
    assert len(told(tmp_path, path="two", part="test")) == 3
    with pytest.raises(BadInput, match="one of train, test"):
        told(tmp_path, path="two")
    with pytest.raises(BadInput, match="no saved data set"):
        told(tmp_path, path=".")
