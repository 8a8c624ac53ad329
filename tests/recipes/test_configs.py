"""Every config that is shipped: parsed, instantiated on a small model of its family, trained."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("trl", reason="comes with the train extra")

import tiny_hearing
import tiny_models
import yaml
from training import REPOSITORY, recipe, speech_data

pytestmark = pytest.mark.filterwarnings("default")
CONFIGS = sorted((REPOSITORY / "recipes" / "configs").glob("*.yaml"))
LAUNCHES = sorted((REPOSITORY / "recipes" / "accelerate").glob("*.yaml"))
FAMILY = {"demo": None, "nano": None, "nano_asset": None, "qwen3vl_4b_lora": "qwen3_vl",
          "qwen3vl_4b_qlora": "qwen3_vl", "qwen2_5vl_3b_lora": "qwen2_5_vl",
          "smolvlm": "smolvlm"}  # fmt: skip
HEARING = {"audioface_nano": "qwen2_audio", "audioface_qwen2_audio_7b_lora": "qwen2_audio",
           "audioface_qwen2_5_omni_3b_lora": "qwen2_5_omni",
           "audioface_qwen3_omni_30b_lora": "qwen3_omni",
           "audioface_qwen3_4b_text_lora": "qwen3"}  # fmt: skip
SEEING = [each for each in CONFIGS if each.stem in FAMILY]
LISTENING = [each for each in CONFIGS if each.stem in HEARING]


def test_every_config_has_a_family():
    assert {each.stem for each in CONFIGS} == {*FAMILY, *HEARING}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_a_config_is_parsed_and_says_how_it_is_launched(path):
    settings = recipe().parse(["--config", str(path), "--bf16", "false"])
    held = yaml.safe_load(path.read_text())
    assert settings.training.output_dir == held["output_dir"]
    assert settings.model.plan and (settings.data.speech or settings.data.task)
    if settings.data.augment:  # the same pixels would come again with every second pass
        assert settings.data.views >= 16
    text = path.read_text()
    assert "accelerate launch" in text and "# Hardware:" in text
    assert f"recipes/configs/{path.name}" in text


@pytest.mark.slow
@pytest.mark.parametrize("path", SEEING, ids=lambda p: p.stem)
def test_a_config_trains_a_small_model_of_its_family(path, tiny, data, tmp_path):
    """All of the config's own keys but size: places, steps, batch, workers, bfloat16 weights."""
    family = FAMILY[path.stem]
    model = tiny if family is None else tiny_models.save(family, tmp_path / "model")
    module = recipe()
    area = () if family in (None, "smolvlm") else ("--min_pixels", "1024", "--max_pixels", "4096")
    module.main(module.parse([
        "--config", str(path), "--model", str(model), "--data", str(data), "--max_records", "4",
        "--output_dir", str(tmp_path / "run"), "--max_steps", "1", "--dtype", "float32",
        "--warmup_steps", "0", "--per_device_train_batch_size", "1",
        "--gradient_accumulation_steps", "1", "--dataloader_num_workers", "0", "--probe_rows", "1",
        "--probe_tokens", "32", "--dataloader_pin_memory", "false",
        "--use_cpu", "true", "--disable_tqdm", "true", *area,
    ]))  # fmt: skip
    held = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert held["config"]["answer"] == yaml.safe_load(path.read_text()).get("answer", "codes")
    result = "adapter" if "rank" in yaml.safe_load(path.read_text()) else "model"
    assert (tmp_path / "run" / result / "hashes.json").is_file()


@pytest.fixture(scope="session")
def speech(tmp_path_factory):
    return speech_data(tmp_path_factory.mktemp("speech"))


@pytest.mark.slow
@pytest.mark.parametrize("path", LISTENING, ids=lambda p: p.stem)
def test_a_config_of_speech_trains_a_small_model_of_its_family(path, speech, tmp_path):
    model = tiny_hearing.save(HEARING[path.stem], tmp_path / "model")
    module = recipe()
    module.main(module.parse([
        "--config", str(path), "--model", str(model), "--data", str(speech), "--max_records", "1",
        "--output_dir", str(tmp_path / "run"), "--max_steps", "1", "--dtype", "float32",
        "--warmup_steps", "0", "--per_device_train_batch_size", "2",
        "--gradient_accumulation_steps", "1", "--dataloader_num_workers", "0", "--probe_rows", "1",
        "--probe_tokens", "8", "--dataloader_pin_memory", "false", "--use_cpu", "true",
        "--disable_tqdm", "true",
    ]))  # fmt: skip
    held = json.loads((tmp_path / "run" / "manifest.json").read_text())
    told = yaml.safe_load(path.read_text())
    assert held["task"]["cues"] == told["cues"]
    assert held["task"]["answer"] == told["answer"]
    result = "model" if path.stem == "audioface_nano" else "adapter"
    assert (tmp_path / "run" / result / "hashes.json").is_file()
    probe = json.loads((tmp_path / "run" / "probes.jsonl").read_text().splitlines()[0])
    assert probe["strict"] == (1 if told["answer"] == "shapes" else 0)


@pytest.mark.parametrize("path", LAUNCHES, ids=lambda p: p.stem)
def test_a_launch_file_is_one_that_accelerate_reads(path):
    from accelerate.commands.config.config_args import load_config_from_file

    held = load_config_from_file(str(path))
    assert held.num_processes >= 1
    assert "accelerate launch --config_file recipes/accelerate/" in path.read_text()
