"""The recipe on a model of 0.2 M parameters: what it leaves, what it learns, what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("trl", reason="comes with the train extra")

from training import LORA, REPOSITORY, SFT, flags, losses, recipe, train, weights

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.train.runs import read_journal

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def run(tiny, data, tmp_path_factory):
    """A finished run of four steps."""
    return train(tmp_path_factory.mktemp("runs") / "plain", tiny, data, probe_steps=2)


def test_it_leaves_a_run_that_says_what_it_is(run):
    names = {each.name for each in run.iterdir()}
    assert names == {"manifest.json", "config.yaml", "log.jsonl", "probes.jsonl", "curves.png",
                     ".lock", "data", "checkpoint-2", "checkpoint-4", "model"}  # fmt: skip
    held = json.loads((run / "manifest.json").read_text())
    assert held["config"]["answer"] == "tokens" and held["data"]["records"] == 12
    assert held["versions"]["torch"] and len(held["prompt"]["request_sha256"]) == 64
    assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")
    probes = [json.loads(line) for line in (run / "probes.jsonl").read_text().splitlines()]
    assert [row["step"] for row in probes] == [2, 4]
    assert all(row["strict"] == 1 and row["tokens"] == 61 and row["mae"] > 0 for row in probes)


EXACT = [7.1161, 7.0317, 7.0160, 6.8670]


def test_losses_are_what_they_were(run):
    """Another number here is another training: say in the commit why it moved."""
    assert losses(run) == pytest.approx(EXACT, abs=2e-3)


def test_the_loss_is_cross_entropy_over_the_answer_alone(tiny, data):
    import torch

    batch, model = first_batch(tiny, data)
    labels = batch.pop("labels")
    with torch.no_grad():
        logits = model(**batch).logits
    learnt = labels[:, 1:] != -100
    assert learnt.sum(1).tolist() == [63] * 4  # 61 values, the end of the turn, a line's end
    scores = logits[:, :-1][learnt].log_softmax(-1)
    by_hand = -scores.gather(1, labels[:, 1:][learnt][:, None]).mean()
    assert float(by_hand) == pytest.approx(EXACT[0], abs=2e-3)


def first_batch(tiny, data, **more):
    """The first batch that the recipe draws, and the model before its first step."""
    from semanticface.train.loading import load
    from semanticface.train.rows import sides
    from semanticface.train.runs import Run
    from semanticface.train.trainer import trainer_of

    settings = recipe().parse(flags(data.parent / "scratch", tiny, data, **more))
    folder = data.parent / "scratch"
    loaded = load(settings.model.source(str(tiny)))
    trainer = trainer_of(settings, loaded, sides(settings.data, data, folder, 2), Run(folder))
    batch = next(iter(trainer.get_train_dataloader()))
    return dict(batch), loaded.model


def test_the_loss_looks_at_the_picture(tiny, data):
    import torch

    batch, model = first_batch(tiny, data)
    with torch.no_grad():
        seen = float(model(**batch).loss)
        batch["pixel_values"] = batch["pixel_values"].flip(-1)
        assert abs(float(model(**batch).loss) - seen) > 1e-7


def test_the_same_run_twice_is_the_same(run, tiny, data, tmp_path):
    import torch

    again = train(tmp_path / "again", tiny, data, probe_steps=2)
    held = weights(run)
    assert all(torch.equal(held[name], each) for name, each in weights(again).items())


def test_killed_in_the_middle_of_a_checkpoint_nothing_is_lost(run, tiny, data, tmp_path):
    """SIGKILL while the second checkpoint's optimiser is being written, then the same command."""
    import torch

    folder = tmp_path / "killed"
    words = flags(folder, tiny, data, probe_steps=2)
    die = (
        "import os, signal, sys, torch; save = torch.save; seen = []\n"
        "def dying(what, path, *more, **options):\n"
        "    seen.append(str(path))\n"
        "    if 'checkpoint-4' in str(path) and 'optimizer' in str(path):\n"
        "        open(path, 'wb').write(b'half'); os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return save(what, path, *more, **options)\n"
        "torch.save = dying\n"
        f"sys.argv = ['sft.py', *{words!r}]\n"
        f"import runpy; runpy.run_path({str(SFT)!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", die], cwd=REPOSITORY, env=alone(),
                          capture_output=True, check=False)  # fmt: skip
    assert done.returncode == -9, done.stderr[-2000:]
    assert (folder / "checkpoint-4" / "optimizer.pt").read_bytes() == b"half"
    train(folder, tiny, data, probe_steps=2)
    held = weights(run)
    assert all(torch.equal(held[name], each) for name, each in weights(folder).items())
    assert losses(folder) == losses(run)
    steps = [
        json.loads(line)["step"] for line in (folder / "probes.jsonl").read_text().splitlines()
    ]
    assert steps == [2, 4]


def alone():
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}


def test_a_finished_run_is_left_alone(run, tiny, data):
    with pytest.raises(BadInput, match="a finished run"):
        train(run, tiny, data, probe_steps=2)


def test_two_processes_do_not_work_in_one_folder(tiny, data, tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    busy = (
        f"import sys; from pathlib import Path; from semanticface.train.runs import Run\n"
        f"Run(Path({str(folder)!r})).alone(); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", busy], env=alone(), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as other:  # fmt: skip
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BadInput, match="another process at work in it"):
            train(folder, tiny, data)
        other.kill()
    train(folder, tiny, data, max_steps=1)


def begun(run, tmp_path):
    folder = tmp_path / "begun"
    shutil.copytree(run, folder)
    shutil.rmtree(folder / "model")
    return folder


@pytest.mark.parametrize(("change", "told"), [
    ({"learning_rate": 2e-3}, "training.learning_rate 0.002 where it was 0.001"),
    ({"answer": "codes"}, "config.answer"),
    ({"wording": 3}, "config.wording"),
], ids=str)  # fmt: skip
def test_another_run_is_not_gone_on_with(run, tiny, data, tmp_path, change, told):
    with pytest.raises(BadInput, match=told):
        train(begun(run, tmp_path), tiny, data, probe_steps=2, **change)


def test_other_faces_are_not_gone_on_with(run, tiny, data, tmp_path):
    lines = data.read_text().splitlines()
    other = data.with_name("other.jsonl")
    other.write_text("\n".join(lines[1:]) + "\n")
    with pytest.raises(BadInput, match=r"data\.records 11 where it was 12"):
        train(begun(run, tmp_path), tiny, other, probe_steps=2)


def test_another_prompt_is_not_gone_on_with(run, tiny, data, tmp_path):
    folder = begun(run, tmp_path)
    held = json.loads((folder / "manifest.json").read_text())
    held["prompt"]["request_sha256"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(held))
    with pytest.raises(BadInput, match=r"prompt\.request_sha256"):
        train(folder, tiny, data, probe_steps=2)


def test_gradients_gathered_over_steps_are_those_of_the_whole_batch(run, tiny, data, tmp_path):
    split = train(tmp_path / "split", tiny, data, probe_steps=2, per_device_train_batch_size=2,
                  gradient_accumulation_steps=2)  # fmt: skip
    assert losses(split) == pytest.approx(losses(run), abs=1e-4)


def test_two_processes_are_one(run, tiny, data, tmp_path):
    """Two by two rows in two processes are the four rows of one."""
    words = flags(tmp_path / "two", tiny, data, probe_steps=2, per_device_train_batch_size=2)
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone",
         str(SFT), *words],
        cwd=REPOSITORY, env=alone(), capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert losses(tmp_path / "two") == pytest.approx(losses(run), abs=1e-3)
    held = json.loads((tmp_path / "two" / "manifest.json").read_text())
    assert held["processes"] == 2
    alike, both = (read_journal(each / "probes.jsonl") for each in (run, tmp_path / "two"))
    assert [row["step"] for row in both] == [row["step"] for row in alike]
    for one, two in zip(alike, both, strict=True):  # faces are dealt out and come back in order
        assert two["mae"] == pytest.approx(one["mae"], abs=0.02)
        assert two["sample"][:4] == one["sample"][:4]


def test_two_machines_are_one(run, tiny, data, tmp_path):
    """The launch file for two machines, both of them here and without their GPUs."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    words = flags(tmp_path / "two", tiny, data, max_steps=2, per_device_train_batch_size=2)
    machines = [
        subprocess.Popen(
            [sys.executable, "-m", "accelerate.commands.launch", "--config_file",
             str(REPOSITORY / "recipes/accelerate/two_nodes.yaml"), "--num_processes", "2",
             "--main_process_port", port, "--machine_rank", str(rank), str(SFT), *words],
            cwd=REPOSITORY, env=alone() | {"ACCELERATE_USE_CPU": "true"}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        for rank in (0, 1)
    ]  # fmt: skip
    try:
        for each in machines:
            said, _ = each.communicate(timeout=240)
            assert each.returncode == 0, said[-3000:]
    finally:
        for each in machines:
            each.kill()
    assert losses(tmp_path / "two") == pytest.approx(losses(run)[:2], abs=1e-3)
    assert json.loads((tmp_path / "two" / "manifest.json").read_text())["processes"] == 2


@pytest.fixture(scope="module")
def adapted(tiny, data, tmp_path_factory):
    return train(tmp_path_factory.mktemp("runs") / "lora", tiny, data, **LORA)


def test_lora_trains_the_parts_of_its_plan_and_no_others(adapted):
    names = weights(adapted, "adapter")
    assert {name.split(".")[3] for name in names} == {"visual", "language_model"}
    assert all("merger" in name for name in names if "visual" in name)
    assert any(each.abs().max() > 0 for name, each in names.items() if "lora_B" in name)


def test_dora_and_weights_by_section_and_number_loss_train(tiny, data, tmp_path):
    more = LORA | {"dora": "true", "region_weights": "mouth=2,jaw=3", "number_loss": 0.3,
                   "max_steps": 2}  # fmt: skip
    run = train(tmp_path / "dora", tiny, data, **more)
    assert any("lora_magnitude_vector" in name for name in weights(run, "adapter"))
    plain = train(tmp_path / "even", tiny, data, **(more | {"number_loss": 0}))
    assert losses(run)[0] > losses(plain)[0]


def test_qlora_trains_over_weights_in_four_bits(tiny, data, tmp_path):
    pytest.importorskip("bitsandbytes", reason="comes with the train extra")
    run = train(tmp_path / "qlora", tiny, data, **LORA, quantised="true", max_steps=2, bf16="true")
    assert (run / "adapter" / "adapter_model.safetensors").is_file()
    assert all(each > 0 for each in losses(run))


def test_a_part_that_does_not_move_stops_the_run(tiny, data, tmp_path, monkeypatch):
    """A tower whose gradients are lost on the way."""
    from semanticface.train import trainer

    made = trainer.trainer_of

    def cut(settings, loaded, *rest):
        for name, each in loaded.model.named_parameters():
            if "merger" in name:
                each.register_hook(lambda grad: grad * 0)
        return made(settings, loaded, *rest)

    monkeypatch.setattr(trainer, "trainer_of", cut)
    with pytest.raises(SemanticFaceError, match="projector: none of its"):
        train(tmp_path / "cut", tiny, data, weight_decay=0)


def test_rows_that_would_be_cut_are_refused(tiny, data, tmp_path):
    with pytest.raises(BadInput, match="would lose its last"):
        train(tmp_path / "cut", tiny, data, max_length=400)


def test_the_command_says_faults_in_one_line(tmp_path):
    done = subprocess.run([sys.executable, str(SFT), "--answr", "codes"], cwd=REPOSITORY, text=True,
                          env=alone(), capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 1
    assert "the flag '--answr'" in done.stderr and "Did you mean '--answer'?" in done.stderr
    assert "Traceback" not in done.stderr
