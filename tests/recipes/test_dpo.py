"""Alignment on models of 0.2 M parameters: the loss by hand, what it leaves, what it refuses."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("trl", reason="comes with the train extra")

import preferences
import tiny_models
import yaml
from samples import picture
from training import LORA, REPOSITORY, recipe, train, weights

from semanticface.errors import BadInput
from semanticface.rig import COUNT

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
DPO = REPOSITORY / "recipes" / "dpo.py"
CONFIGS = [each for each in sorted((REPOSITORY / "recipes" / "configs" / "dpo").glob("*.yaml"))
           if not each.stem.startswith("audioface_")]  # fmt: skip
FAMILY = {"nano": None, "qwen3vl_4b_lora": "qwen3_vl", "qwen3vl_4b_qlora": "qwen3_vl"}


@pytest.fixture(scope="module")
def whole(tiny, data, tmp_path_factory):
    """A start that is a whole model."""
    return train(tmp_path_factory.mktemp("start") / "whole", tiny, data, max_steps=2)


@pytest.fixture(scope="module")
def adapted(tiny, data, tmp_path_factory):
    """A start with an adapter."""
    folder = tmp_path_factory.mktemp("start") / "adapted"
    return train(folder, tiny, data, max_steps=2, **LORA)


@pytest.fixture(scope="module")
def pairs(data, tmp_path_factory):
    return preferences.write(tmp_path_factory.mktemp("pairs"), data)


def align(output, start, pairs, **more):
    module = recipe("dpo")
    module.main(module.parse(preferences.flags(output, start, pairs, **more)))
    return output


@pytest.fixture(scope="module")
def aligned(adapted, pairs, data, tmp_path_factory):
    return align(tmp_path_factory.mktemp("runs") / "aligned", adapted, pairs, data=data)


def journal(run, name="log.jsonl"):
    return [json.loads(line) for line in (run / name).read_text().splitlines()]


# -- the loss -----------------------------------------------------------------


def built(start, pairs, output, **more):
    """A trainer before its first step, and a batch."""
    from semanticface.preference.align.run import begin, parse
    from semanticface.preference.align.trainer import loaded, trainer_of

    settings = parse(preferences.flags(output, start, pairs, **more))
    begun = begin(settings)
    trainer = trainer_of(begun.start, loaded(begun.start, settings.start), settings.start,
                         settings.training, begun.pairs.rows, begun.run,
                         region_mask=settings.pairs.region_mask)  # fmt: skip
    rows = [trainer.train_dataset[i] for i in range(4)]
    return trainer, rows, trainer.data_collator(rows)


def by_hand(model, batch):
    """[2 N, T] log-probabilities of the next tokens, one row at a time and without TRL."""
    import torch

    told = []
    side = len(batch["input_ids"])
    patches = batch["pixel_values"].chunk(side)
    for row in range(side):
        one = {"input_ids": batch["input_ids"][row][None], "pixel_values": patches[row],
               "attention_mask": batch["attention_mask"][row][None],
               "image_grid_thw": batch["image_grid_thw"][row][None],
               "mm_token_type_ids": batch["mm_token_type_ids"][row][None]}  # fmt: skip
        with torch.no_grad():
            logs = model(**one).logits[0, :-1].double().log_softmax(-1)
        told.append(logs.gather(1, batch["input_ids"][row][1:, None])[:, 0])
    return torch.stack(told)


@pytest.mark.parametrize("masked", ["true", "false"])
@pytest.mark.parametrize("start", ["whole", "adapted"])
def test_the_loss_is_the_formula(start, masked, pairs, tmp_path, request):
    """-log sigmoid(beta (d(chosen) - d(rejected))) + 0.3 * (-mean log p(chosen))."""
    import torch

    trainer, rows, batch = built(request.getfixturevalue(start), pairs, tmp_path / "run", beta=0.3,
                                 region_mask=masked, loss_weights=[1.0, 0.3])  # fmt: skip
    model, beta = trainer.model, 0.3
    before = by_hand(model, batch)
    torch.manual_seed(1)
    for name, each in model.named_parameters():
        if each.requires_grad and ".ref." not in name:
            each.data += 0.05 * torch.randn_like(each)
    after = by_hand(model, batch)
    mask = batch["completion_mask"][:, 1:].double()
    ratio = ((after - before) * mask).sum(1)
    chosen, rejected = ratio.chunk(2)
    sft = -(after * mask).chunk(2)[0].sum() / mask.chunk(2)[0].sum()
    wanted = -torch.nn.functional.logsigmoid(beta * (chosen - rejected)).mean() + 0.3 * sft
    model.train()
    found = trainer.compute_loss(model, dict(batch))
    assert abs(float((chosen - rejected).abs().mean())) > 0.05  # it has moved
    assert float(found.detach()) == pytest.approx(float(wanted), abs=2e-4)
    assert mask.sum(1).tolist() == (
        [float(len(row["channels"])) for row in rows] * 2 if masked == "true" else [63.0] * 8
    )


def test_at_the_start_nothing_is_preferred(adapted, pairs, tmp_path):
    trainer, _, batch = built(adapted, pairs, tmp_path / "run", loss_type=["sigmoid"],
                              loss_weights=[1.0])  # fmt: skip
    trainer.model.train()
    loss = trainer.compute_loss(trainer.model, dict(batch))
    assert float(loss.detach()) == pytest.approx(math.log(2), abs=1e-5)


def test_the_mask_holds_the_judged_tokens_and_no_other(adapted, pairs, tmp_path):
    trainer, rows, batch = built(adapted, pairs, tmp_path / "run")
    tokens = trainer.processing_class.tokenizer
    for row in range(8):
        counted = batch["input_ids"][row][batch["completion_mask"][row].bool()]
        text = rows[row % 4][("chosen", "rejected")[row // 4]][0]["content"][0]["text"]
        values = tokens(text, add_special_tokens=False)["input_ids"]
        assert counted.tolist() == [values[i] for i in rows[row % 4]["channels"]]


@pytest.mark.parametrize("answer", ["codes", "two-key", "flat", "regions"])
def test_the_mask_knows_every_way_of_writing(answer, tiny):
    from semanticface.data.tasks import Task
    from semanticface.language.parse import parse_answer
    from semanticface.preference.align.collation import _counting
    from semanticface.preference.regions import region_of

    described = answer == "two-key"
    task = Task.of(answer, "describe+coefficients" if described else "coefficients")
    rng, channels = np.random.default_rng(0), frozenset(region_of("upper").channels)
    from semanticface.preference.align.rows import _text

    text = _text(rng.uniform(0.1, 0.9, COUNT).astype(np.float32), task, "p")
    spans = [(i, i + 1) for i in range(len(text))]
    counted = _counting(task, text, channels, spans)
    kept = "".join(c if k else " " for c, k in zip(text, counted, strict=True))
    found = _named(kept)
    assert any(counted) and not all(counted)
    if answer in ("two-key", "flat"):
        assert found == channels
    assert parse_answer(text, task.form).report.outcome == "strict"


def _named(text):
    from semanticface.rig import CHANNELS

    return {each.index for each in CHANNELS if f'"{each.label}"' in text}


# -- what it leaves -----------------------------------------------------------


def test_it_leaves_a_run_that_can_be_used(aligned, adapted):
    names = {each.name for each in aligned.iterdir()}
    assert {"manifest.json", "config.yaml", "log.jsonl", "probes.jsonl", "pairs.json", "adapter",
            "start_answers.json", "curves.png"} <= names  # fmt: skip
    assert not list(aligned.rglob("ref")) and not list((aligned / "adapter").rglob("*.bin"))
    held = json.loads((aligned / "manifest.json").read_text())
    first = json.loads((adapted / "manifest.json").read_text())
    assert held["task"] == first["task"] and held["base"] == first["base"]
    probes = journal(aligned, "probes.jsonl")
    assert [row["step"] for row in probes] == [0, 2, 4] and probes[0]["wins"] == 0.5
    assert all(row["activity"] > 0 and row["strict"] == 1 for row in probes)
    log = journal(aligned)
    assert [row["step"] for row in log] == [1, 2, 3, 4]
    assert log[-1]["rewards/margins"] > log[0]["rewards/margins"]  # chosen answers gain
    told = json.loads((aligned / "pairs.json").read_text())
    assert told["pairs"] == 14 and told["judged_by"] == {"oracle": 14}
    assert told["tokens"] == {"chosen": 61, "rejected": 61, "chosen_longer": None}
    assert weights(aligned, "adapter").keys() == weights(adapted, "adapter").keys()


def test_it_can_be_predicted_from_and_aligned_again(aligned, pairs, tmp_path):
    from semanticface.train.predictor import opened

    face = opened(aligned).faces([picture(48, 48, seed=1)])[0]
    assert not np.isnan(face.values).any()
    again = align(tmp_path / "again", aligned, pairs, max_steps=1)
    assert (again / "adapter" / "hashes.json").is_file()


def test_a_whole_model_gets_an_adapter(whole, pairs, tmp_path):
    from semanticface.train.predictor import opened

    run = align(tmp_path / "run", whole, pairs, max_steps=2)
    assert opened(run).faces([picture(48, 48, seed=1)])[0].values.shape == (COUNT,)
    assert journal(run, "probes.jsonl") == [{"step": 2}]  # no faces to look at


def test_killed_and_gone_on_with_it_ends_the_same(adapted, pairs, aligned, data, tmp_path):
    run = tmp_path / "run"
    command = [sys.executable, str(DPO), *preferences.flags(run, adapted, pairs, data=data)]
    alone = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    started = subprocess.Popen(command, env=alone, stderr=subprocess.DEVNULL)
    seal = run / "checkpoint-2" / "hashes.json"
    deadline = time.monotonic() + 280
    while not seal.is_file() and started.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    started.send_signal(signal.SIGKILL)
    started.wait()
    assert seal.is_file()
    if not (run / "adapter").exists():  # it may have been faster than the signal
        align(run, adapted, pairs, data=data)
    one, other = weights(run, "adapter"), weights(aligned, "adapter")
    assert all((one[name] - other[name]).abs().max() < 1e-6 for name in one)
    assert [row["step"] for row in journal(run)] == [1, 2, 3, 4]


# -- what it watches ----------------------------------------------------------


def test_collapse_is_told_and_can_end_the_training(adapted, pairs, tmp_path):
    run = align(tmp_path / "run", adapted, pairs, learning_rate=0.1, max_steps=6,
                loss_type=["sigmoid"], loss_weights=[1.0], stop_at_collapse="true",
                collapse=0.05)  # fmt: skip
    alarms = [row for row in journal(run) if "alarm" in row]
    assert len(alarms) == 1 and alarms[0]["chosen_nats"] < -0.05 and alarms[0]["step"] < 6


def test_wins_are_by_the_nearer_answer():
    from semanticface.preference.align.watch import wins

    truth = np.zeros((2, COUNT), np.float32)
    truth[:, [17, 43]] = 0.6  # jawOpen below, browInnerUp above
    worse, hole = truth * 0.5, truth.copy()
    hole[0, 3] = np.nan
    assert wins(truth, worse, truth).rate == 1 and wins(worse, truth, truth).rate == 0
    assert wins(truth, truth, truth).rate == 0.5
    assert wins(hole, worse, truth).rate == 0.75
    assert math.isnan(wins(truth[:0], truth[:0], truth[:0]).rate)
    unknown = truth.copy()
    unknown[0, 3] = np.nan
    assert wins(worse, truth, unknown) == (0, 2)  # the other face alone
    assert math.isnan(wins(truth, worse, truth * np.nan).rate)


def test_without_any_truth_the_last_weights_are_kept_and_that_is_said(
    adapted, pairs, data, tmp_path, caplog
):
    from semanticface.data.records import read_records, write_records
    from semanticface.preference.align.run import report
    from semanticface.train.runs import Run

    blind = data.parent / "blind.jsonl"
    write_records(blind, [each.model_copy(update={"targets": (None,) * COUNT})
                          for each in read_records(data)])  # fmt: skip
    run = align(tmp_path / "run", adapted, pairs, data=blind, max_steps=2, probe_steps=1)
    assert [row["wins"] for row in journal(run, "probes.jsonl")] == [None] * 3
    assert "best_by 'wins' cannot be measured" in caplog.text
    assert "kept: the last weights" in report(Run(run), run / "adapter")


# -- texts --------------------------------------------------------------------


def test_pairs_of_texts_are_learnt_from_too(adapted, tmp_path):
    rows = [{"prompt": [{"role": "user", "content": f"Say {n}."}], "judged_by": {"human": 1},
             "chosen": {"text": f"<v{n}>"}, "rejected": {"text": f"<v{n + 5}> <v1>"}}
            for n in range(4)]  # fmt: skip
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    run = align(tmp_path / "run", adapted, path, max_steps=2)
    told = json.loads((run / "pairs.json").read_text())
    assert told["judged_by"] == {"human": 4} and told["tokens"]["chosen_longer"] == 0
    assert told["lopsided"]


# -- configs ------------------------------------------------------------------


def test_every_config_has_a_family():
    assert {each.stem for each in CONFIGS} == set(FAMILY)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_a_config_aligns_a_small_model_of_its_family(path, tiny, data, pairs, tmp_path):
    family = FAMILY[path.stem]
    model = tiny if family is None else tiny_models.save(family, tmp_path / "model")
    area = {} if family is None else {"min_pixels": 1024, "max_pixels": 4096}
    parts = {} if family is None else LORA | {"stage": "describe+coefficients", "answer": "two-key"}
    start = train(tmp_path / "start", model, data, max_steps=1, max_records=4,
                  per_device_train_batch_size=1, probe_tokens=16, **parts, **area)  # fmt: skip
    text = path.read_text()
    assert "accelerate launch" in text and "# Hardware:" in text
    assert f"recipes/configs/dpo/{path.name}" in text or path.stem == "nano"
    module = recipe("dpo")
    small = [f"--{key}={value}" for key, value in {
        "max_steps": 1, "per_device_train_batch_size": 1, "gradient_accumulation_steps": 1,
        "dtype": "float32", "max_pairs": 2, "warmup_steps": 0, "use_cpu": "true", "bf16": "false",
        "disable_tqdm": "true", "dataloader_pin_memory": "false", **area}.items()]  # fmt: skip
    run = tmp_path / "run"
    module.main(module.parse(["--config", str(path), "--start", str(start), "--preferences",
                              str(pairs), "--media", str(pairs.parent / "media"),
                              "--output_dir", str(run), *small]))  # fmt: skip
    held = json.loads((run / "manifest.json").read_text())
    assert held["training"]["beta"] == yaml.safe_load(text)["beta"]
    assert held["config"]["quantised"] == (path.stem == "qwen3vl_4b_qlora")
    assert (run / "adapter" / "hashes.json").is_file()


# -- what it refuses ----------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"beta": 0.2}, r"training\.beta 0\.2 where it was 0\.1"),
        ({"region_mask": "false"}, r"config\.region_mask false where it was true"),
        ({"max_pairs": 3}, r"config\.max_pairs 3"),
    ],
)
def test_a_changed_run_is_not_gone_on_with(change, told, adapted, pairs, data, aligned, tmp_path):
    import shutil

    run = tmp_path / "run"
    shutil.copytree(aligned, run)
    shutil.rmtree(run / "adapter")
    with pytest.raises(BadInput, match=told):
        align(run, adapted, pairs, data=data, **change)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ({"picture": "../../etc/passwd"}, "a hash of 64 digits"),
        ({"picture": "0" * 64}, "no such picture"),
        ({"region": "uper"}, "upper"),
        ({"chosen": {"values": [0.1] * 5}}, "5 values"),
        ({"chosen": None}, "no 'chosen'"),
    ],
)
def test_a_broken_row_is_named(spoil, told, pairs, tmp_path):
    from semanticface.data.tasks import Task
    from semanticface.preference.align.options import PairOptions
    from semanticface.preference.align.rows import read_pairs

    rows = [json.loads(line) for line in pairs.read_text().splitlines()][:2]
    rows[1] |= spoil
    path = tmp_path / "broken.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    options = PairOptions(str(path), str(pairs.parent / "media"))
    with pytest.raises(BadInput, match=told) as fault:
        read_pairs(options, Task.of("tokens", "coefficients"))
    assert "2" in str(fault.value)


def test_what_cannot_be_learnt_from_is_counted(pairs, tmp_path):
    from semanticface.data.tasks import Task
    from semanticface.preference.align.options import PairOptions
    from semanticface.preference.align.rows import read_pairs

    rows = [json.loads(line) for line in pairs.read_text().splitlines()][:6]
    rows[0]["picture"] = None
    rows[1]["chosen"]["values"][3] = None
    rows[2]["rejected"] = rows[2]["chosen"]
    rows[3]["judged_by"] = {"oracle": 1, "human": 1}
    rows[4]["chosen"] = {"frames": [[0.0] * COUNT], "times": [0.0]}
    path = tmp_path / "some.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    options = PairOptions(str(path), str(pairs.parent / "media"), kinds="oracle")
    found = read_pairs(options, Task.of("tokens", "coefficients"))
    assert len(found.rows) == 1 and found.left_out == {
        "without a picture": 1, "numbers missing": 1, "the same text for both": 1,
        "judged by others": 1, "clips, of which a model of pictures says nothing": 1,
    }  # fmt: skip


def test_a_start_in_one_pass_is_told_what_to_choose(tmp_path):
    from semanticface.preference.align.options import StartOptions
    from semanticface.preference.align.trainer import start_of

    with pytest.raises(BadInput, match="--answer tokens"):
        start_of(StartOptions())
    assert start_of(StartOptions(answer="tokens")).task.form.key == "tokens"
    with pytest.raises(BadInput, match="one the run has learnt: slots, tokens"):
        start_of(StartOptions(answer="codes"))


@pytest.mark.parametrize(
    ("flag", "told"),
    [("--max_length=64", "cut in silence"), ("--best_by=winz", "wins"),
     ("--kinds=people", "human"), ("--betta=0.1", "beta"),
     ("--precompute_ref_log_probs=true", "with pictures")],
)  # fmt: skip
def test_a_wrong_setting_is_told_at_once(flag, told, pairs, tmp_path):
    from semanticface.data.tasks import Task
    from semanticface.preference.align.rows import read_pairs

    with pytest.raises(BadInput, match=told):
        settings = recipe("dpo").parse([flag, "--start", "x", "--preferences", str(pairs)])
        read_pairs(settings.pairs, Task.of("tokens", "coefficients"))
