"""GRPO with a discriminator's belief as reward, on models of 0.2 M parameters."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("trl", reason="comes with the train extra")

import tiny_models
import yaml
from samples import picture
from training import LORA, REPOSITORY, recipe, train, weights

from semanticface.errors import BadInput
from semanticface.motion.expressions import sample_frames
from semanticface.preference.candidates import Candidate, regional_pair
from semanticface.preference.discriminator import Lesson, teach
from semanticface.preference.judged import of_coefficients
from semanticface.preference.regions import with_region
from semanticface.rig import COUNT

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
CONFIGS = sorted((REPOSITORY / "recipes" / "configs" / "grpo").glob("*.yaml"))
AREA = {"min_pixels": 1024, "max_pixels": 4096}
SMALL = {
    "max_steps": 2, "logging_steps": 1, "warmup_steps": 0, "num_generations": 2,
    "per_device_train_batch_size": 2, "gradient_accumulation_steps": 1, "faces": 3,
    "probe_steps": 1, "probe_rows": 1, "probe_tokens": 80, "max_completion_length": 80,
    "disable_tqdm": "true", "use_cpu": "true", "bf16": "false", "dtype": "float32",
    "dataloader_pin_memory": "false",
}  # fmt: skip


@pytest.fixture(scope="module")
def judge():
    """Taught that the answer nearer to what was read wins."""
    rng, truth = np.random.default_rng(0), sample_frames(160, seed=3)
    duels, won = [], []
    for n, row in enumerate(truth):
        near, far = (np.clip(row + rng.normal(0, s, COUNT), 0, 1) for s in (0.02, 0.2))
        sides = [Candidate.of("x", each) for each in ((near, far), (far, near))[n % 2]]
        base = Candidate.of("x", row)
        duels.append(regional_pair(base, *sides, ("upper", "lower")[n // 2 % 2]))
        won.append(1.0 - n % 2)
    looked = np.concatenate([truth, np.ones_like(truth)], axis=1)
    pairs = of_coefficients(looked, duels, won, [f"s{n // 4}" for n in range(160)])
    return teach(pairs, Lesson(members=2, epochs=12))


def flags(output, start, judge, data, **more):
    told = SMALL | {"output_dir": output, "start": start, "discriminator": judge,
                    "data": data} | more  # fmt: skip
    return [word for key, value in told.items() for word in (f"--{key}", str(value))]


def journal(run, name="log.jsonl"):
    return [json.loads(line) for line in (run / name).read_text().splitlines()]


def test_an_answer_is_rewarded_for_what_the_judge_prefers(judge):
    from semanticface.data.tasks import Task
    from semanticface.preference.align.reward import FaceReward, Shown

    truth = sample_frames(1, seed=8)[0]
    before = np.clip(truth + 0.25, 0, 1).astype(np.float32)
    looked = np.concatenate([truth, np.ones(COUNT)])[None].astype(np.float32)
    task = Task.of("flat", "coefficients")
    reward = FaceReward(judge, task, [Shown(picture(48, 48, seed=1), "s", None, before)],
                        ("upper", "lower"), look=lambda _: looked)  # fmt: skip
    half = with_region(before, truth, "upper")
    texts = [task.form.write(each, None) for each in (truth, half, before)]
    said = [*([{"role": "assistant", "content": each}] for each in texts), "no answer"]
    told = reward([None] * 4, said, face=[0] * 4, images=None)
    assert told[0] > told[1] > told[2] == pytest.approx(0.5, abs=0.02)
    assert told[3] == 0 and reward.unread == 1


def rewarded(name, output, start, judge, data, **more):
    """One or two steps by a config of recipes/configs/grpo; its text and its run."""
    path, module = next(each for each in CONFIGS if each.stem == name), recipe("grpo")
    module.main(module.parse(["--config", str(path),
                              *flags(output, start, judge.save(output.parent / "judge"), data,
                                     **more)]))  # fmt: skip
    return path.read_text(), output


def test_the_small_model_is_moved_by_its_rewards(judge, data, tmp_path):
    text, run = rewarded("nano", tmp_path / "run", "", judge, data, max_steps=1, faces=1)
    held = json.loads((run / "manifest.json").read_text())
    assert held["training"]["beta"] == yaml.safe_load(text)["beta"]
    assert len(held["data"]["discriminator"]) == 64 and held["data"]["records"] == 1
    told = next(row for row in journal(run) if "reward" in row)
    assert 0 < told["reward"] < 1 and told["grad_norm"] > 0
    moved = weights(run, "adapter")
    assert any(each.abs().max() > 0 for name, each in moved.items() if "lora_B" in name)
    assert [row["step"] for row in journal(run, "probes.jsonl")] == [0, 1]


def test_an_adapter_goes_on_and_is_the_reference(data, judge, tmp_path):
    model, area = tiny_models.save("qwen3_vl", tmp_path / "model"), AREA
    start = train(tmp_path / "start", model, data, max_steps=1, max_records=4,
                  per_device_train_batch_size=1, probe_tokens=16, **LORA, **area)  # fmt: skip
    _, run = rewarded("qwen3vl_4b_lora", tmp_path / "run", start, judge, data, **area)
    assert (run / "adapter" / "hashes.json").is_file() and not list(run.rglob("ref"))
    assert weights(run, "adapter").keys() == weights(start, "adapter").keys()
    log = [row for row in journal(run) if "reward" in row]
    assert len(log) == 2 and all("kl" in row and row["reward"] >= 0 for row in log)


def test_every_config_has_a_family():
    """Both are run above."""
    assert {each.stem for each in CONFIGS} == {"nano", "qwen3vl_4b_lora"}
    for path in CONFIGS:
        assert "accelerate launch" in path.read_text() and "# Hardware:" in path.read_text()


def test_what_is_missing_is_told(tmp_path):
    with pytest.raises(BadInput, match="--discriminator FOLDER --data FACES"):
        recipe("grpo").parse(["--start", "x", "--data", "faces"])
