"""What docs/data.md says is so."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from conftest import REPOSITORY
from movies import film
from samples import SMALL, picture

from semanticface.data import synth
from semanticface.data.manifest import read_manifest
from semanticface.data.records import Record
from semanticface.data.sources import records
from semanticface.errors import BadInput
from semanticface.formats.take import write_take
from semanticface.motion.rehearsal import perform

TEXT = (REPOSITORY / "docs" / "data.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_the_worked_example_works(tmp_path, monkeypatch):
    pytest.importorskip("av")
    monkeypatch.chdir(tmp_path)
    for name in ("anna", "bert"):
        folder = tmp_path / "set" / "portraits" / name
        folder.mkdir(parents=True)
        picture().save(folder / "01.jpg")
        (folder / "01.json").write_text(json.dumps({"JawOpen": 0.31, "MouthSmileLeft": 0.62}))
    clip = perform()[:60].with_meta(slate="Scene", take=1, subject="carla")
    write_take(tmp_path / "set" / "20240131_Scene_1", raw=clip)
    film(tmp_path / "set" / "20240131_Scene_1" / "Scene_1_carla.mov")
    synth.make(SMALL, tmp_path / "set" / "faces")
    (tmp_path / "set" / "data.yaml").write_text(block("yaml"))
    found = list(records(read_manifest("set/data.yaml")))
    assert {each.subject for each in found} >= {"anna", "bert", "carla"}
    names: dict[str, object] = {}
    exec(block("python"), names)
    sides = {each.subject for each in names["on_side"](found, "train")}
    if "anna" in sides or "bert" in sides:
        with pytest.raises(BadInput, match=r"portraits/(anna|bert)"):
            list(names["rows"])
    assert int(np.isnan(found[0].values).sum()) == 59


def test_every_key_of_a_record_is_told():
    for key in Record.model_fields:
        assert f"`{key}`" in TEXT, key
