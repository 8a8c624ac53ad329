"""What docs/serving.md tells people to type: recipes for a cluster, and the sum for its size."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise

import pytest
import yaml
from conftest import REPOSITORY

from semanticface.serve.arguments import Options, arguments
from semanticface.serve.gateway.keys import add_key, make_key
from semanticface.serve.target import target_of

TEXT = (REPOSITORY / "docs" / "serving.md").read_text(encoding="utf-8")
KINDS = {
    "name": str, "repository": str, "tag": str, "modelURL": str, "replicaCount": int,
    "requestCPU": int, "requestMemory": str, "requestGPU": int, "extraVolumes": list,
    "extraVolumeMounts": list, "vllmConfig": dict,
}  # fmt: skip
"""The fields of a model that vllm-stack's schema of values knows, of those used here."""
CONFIG = {"enablePrefixCaching": bool, "maxModelLen": int, "dtype": str, "extraArgs": list}


def block(kind: str, words: str) -> str:
    """The code block of a kind that holds these words."""
    found = re.findall(rf"```{kind}\n(.*?)```", TEXT, re.S)
    return next(each for each in found if words in each)


def test_the_charts_values_have_the_fields_and_kinds_that_it_knows():
    (model,) = yaml.safe_load(block("yaml", "# values.yaml"))["servingEngineSpec"]["modelSpec"]
    assert {name: type(value) for name, value in model.items()} == KINDS
    assert {name: type(value) for name, value in model["vllmConfig"].items()} == CONFIG
    assert {type(each) for each in model["vllmConfig"]["extraArgs"]} == {str}
    mounts = {each["name"]: each["mountPath"] for each in model["extraVolumeMounts"]}
    assert set(mounts) == {each["name"] for each in model["extraVolumes"]}
    assert any(model["modelURL"].startswith(each) for each in mounts.values())


def test_the_cluster_starts_what_serve_would(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    told = arguments(target_of(str(tmp_path), name="face"), Options(dtype="bfloat16"))
    ours = dict(pairwise(told))
    (model,) = yaml.safe_load(block("yaml", "# values.yaml"))["servingEngineSpec"]["modelSpec"]
    config = model["vllmConfig"]
    theirs = dict(each.split("=", 1) for each in config["extraArgs"])
    assert theirs["--served-model-name"] == ours["--served-model-name"] == model["name"]
    for flag in ("--limit-mm-per-prompt", "--structured-outputs-config"):
        assert json.loads(theirs[flag]) == json.loads(ours[flag])
    assert config["enablePrefixCaching"] == ("--enable-prefix-caching" in told)
    assert str(config["maxModelLen"]) == ours["--max-model-len"]
    assert config["dtype"] == ours["--dtype"]


def test_the_five_lines_of_a_gateway_make_one(tmp_path):
    add_key(tmp_path / "keys.jsonl", make_key("studio", 60).client)
    code = block("python", "face-router-service").replace("/keys/", f"{tmp_path}/")
    made: dict[str, object] = {}
    exec(code.replace(".run()", ""), made)
    assert made["client"].check is False
    assert "/v1/face" in made["app"].openapi()["paths"]


def rows():
    """(answer's tokens, seconds a face, faces a second, GPUs), as the table has them."""
    for line in TEXT.split("### How many GPUs")[1].split("p and d of")[0].splitlines():
        cells = [each.strip().replace(",", "") for each in line.strip("|").split("|")]
        if len(cells) == 5 and cells[1].isdecimal():
            yield cells[0], int(cells[1]), *map(float, cells[2:])


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row[0])
def test_the_sum_of_gpus_comes_out(row):
    """s = (P - C) / p + A / d,  N = ceil(F s / u)"""
    name, answer, seconds, rate, count = row
    fresh = int(found[1]) if (found := re.search(r"(\d+) fresh", name)) else 790 - 730
    exact = fresh / 20_000 + answer / 4_000
    assert exact == pytest.approx(seconds, abs=6e-4)
    assert 1 / exact == pytest.approx(rate, rel=0.02)
    assert math.ceil(300 * exact / 0.7) == count
    assert len(list(rows())) == 4
