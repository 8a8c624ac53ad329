"""Alignment of models of speech: requests as in training, the loss by hand, what it leaves."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("trl", reason="comes with the train extra")

import speech_preferences
import tiny_hearing
import torch
import yaml
from training import LORA, REPOSITORY, recipe, speech_data, train

from semanticface.data.speech_samples import read_samples
from semanticface.data.speech_tasks import SpeechTask
from semanticface.errors import BadInput
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.preference.align.options import PairOptions, StartOptions
from semanticface.preference.align.rows import read_pairs
from semanticface.preference.align.run import begin, parse
from semanticface.preference.align.speech_collation import counting
from semanticface.preference.align.trainer import loaded, start_of, trainer_of
from semanticface.preference.regions import region_of
from semanticface.preference.speech_pairs import How
from semanticface.train.speaking import opened
from semanticface.train.speech_collation import Asking, SpeechCollator

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
CONFIGS = sorted((REPOSITORY / "recipes" / "configs" / "dpo").glob("audioface_*.yaml"))
EVERY = How(samples=4, others=("rules", "take", "faults"), per_region=4, windows=1, least=0.5)
SPEECH = {"stage": "speech", "probe_steps": 0, "dtype": "float32"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return speech_data(tmp_path_factory.mktemp("speech"))


def started(factory, data, family="qwen2_audio", **more):
    folder = factory.mktemp("start")
    model = tiny_hearing.save(family, folder / "model")
    return train(folder / "run", model, data, **SPEECH, **{"max_steps": 2, **more})


@pytest.fixture(scope="module")
def ears(data, tmp_path_factory):
    """A whole model that hears, reads a phone a frame and answers in shapes, in one pass."""
    return started(tmp_path_factory, data, answer="shapes", cues="timed", learning_rate=1e-2)


@pytest.fixture(scope="module")
def writer(data, tmp_path_factory):
    """A model without ears and with an adapter, whose answers are text."""
    return started(tmp_path_factory, data, "qwen3", answer="codes", cues="text",
                   **LORA | {"projector": "frozen"})  # fmt: skip


@pytest.fixture(scope="module")
def pairs(ears, data, tmp_path_factory):
    return speech_preferences.write(tmp_path_factory.mktemp("pairs"), ears, data, EVERY)


@pytest.fixture(scope="module")
def of_jaws(ears, data, tmp_path_factory):
    """The same by the jaw alone; shapes of a model that writes text, which read them as text."""
    how = How(samples=3, others=("rules", "take"), regions=("jaw",), per_region=4, windows=2,
              least=0.1)  # fmt: skip
    return speech_preferences.write(tmp_path_factory.mktemp("jaws"), ears, data, how)


def built(start, pairs, output, **more):
    """A trainer before its first step, its rows, and a batch of them."""
    settings = parse(speech_preferences.flags(output, start, pairs, **more))
    begun = begin(settings)
    found = loaded(begun.start, settings.start)
    trainer = trainer_of(begun.start, found, settings.start, settings.training, begun.pairs.rows,
                         begun.run, region_mask=settings.pairs.region_mask)  # fmt: skip
    rows = [trainer.train_dataset[i] for i in range(min(3, len(begun.pairs.rows)))]
    return trainer, rows, trainer.data_collator(rows)


def align(output, start, pairs, **more):
    module = recipe("dpo")
    module.main(module.parse(speech_preferences.flags(output, start, pairs, **more)))
    return output


def journal(run, name="log.jsonl"):
    return [json.loads(line) for line in (run / name).read_text().splitlines()]


# -- rows ---------------------------------------------------------------------


@pytest.mark.parametrize("cues", ["audio", "timed", "text", "articulation", "drafted"])
def test_a_request_is_the_one_of_training_to_the_letter(cues, pairs, data):
    task = SpeechTask.of("codes", cues=cues)
    take = task.take(next(read_samples(data)))
    known = [task.example(take, window) for window in task.windows(take)]
    options = PairOptions(preferences=str(pairs), media=str(pairs.parent / "media"))
    rows = read_pairs(options, task).rows
    assert len(rows) >= 4
    for row in rows:
        like = [each for each in known if each["prompt"] == row["prompt"]]
        assert like and ("audio" in row) == task.audio
        if task.audio:
            spans = [(each["audio"]["start"], each["audio"]["end"]) for each in like]
            assert (row["audio"]["start"], row["audio"]["end"]) in spans
        assert row["chosen"] != row["rejected"]


def test_answers_in_shapes_stand_beside_the_draft_that_was_shown(pairs, data):
    task = SpeechTask.of("shapes", cues="drafted")
    options = PairOptions(preferences=str(pairs), media=str(pairs.parent / "media"))
    takes = [task.take(each) for each in read_samples(data)]
    windows = {task.request(take, window)[0]["content"][0]["text"]: (take, window)
               for take in takes for window in task.windows(take)}  # fmt: skip
    preferences = [json.loads(line) for line in pairs.read_text().splitlines()]
    shown = [np.array(each[side]["frames"], float)
             for each in preferences for side in ("chosen", "rejected")]  # fmt: skip
    exact = 0
    for row in read_pairs(options, task).rows:
        take, window = windows[row["prompt"][0]["content"][0]["text"]]
        form = task.form_for(take.spoken, window)
        for side in ("chosen", "rejected"):
            text = row[side][0]["content"][0]["text"]
            assert text in {form.write(each) for each in shown}
            read = task.read(take.spoken, window, text).values[:, list(MOUTH_31)]
            exact += bool(np.abs(read - form.draft).max() < 1e-5)
    assert exact  # the rules' own mouth, of which shapes alone say the nearest


def test_the_same_store_gives_the_same_bytes_and_a_manifest(ears, data, tmp_path):
    one = speech_preferences.write(tmp_path / "one", ears, data, EVERY)
    other = speech_preferences.write(tmp_path / "other", ears, data, EVERY)
    assert one.read_bytes() == other.read_bytes()
    held = json.loads((one.parent / "preferences.jsonl.manifest.json").read_text())
    assert held["judged_by"]["oracle"] == held["pairs_judged"] > 4


def test_what_cannot_be_learnt_from_is_counted(pairs, tmp_path):
    rows = [json.loads(line) for line in pairs.read_text().splitlines()]
    rows[0].pop("speech")
    rows[1]["speech"]["rate"] = 25.0
    rows[2]["region"] = "jaw"
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    options = PairOptions(preferences=str(path), media=str(pairs.parent / "media"))
    assert read_pairs(options, SpeechTask.of("shapes", cues="timed")).left_out == {
        "without a recording": 1, "at another rate than the run's": 1,
        "a part of the mouth, of which shapes say the whole": 1}  # fmt: skip
    rows[3]["speech"]["recording"] = "../" * 21 + "x"
    path.write_text(json.dumps(rows[3]) + "\n")
    with pytest.raises(BadInput, match="64 hexadecimal"):
        read_pairs(options, SpeechTask.of("shapes"))


# -- the loss -----------------------------------------------------------------


def by_hand(model, batch, task):
    """[2 N, T] log-probabilities of what stands, without TRL: of shapes at their slots."""
    told = {key: each for key, each in batch.items() if key not in ("completion_mask", "shown_ids")}
    told["input_ids"] = batch.get("shown_ids", batch["input_ids"])
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    with torch.no_grad():
        logs = base(**told).logits[:, :-1].double().log_softmax(-1)
    return logs.gather(2, batch["input_ids"][:, 1:, None])[..., 0]


@pytest.mark.parametrize("start", ["ears", "writer"])
def test_the_loss_is_the_formula(start, pairs, tmp_path, request):
    """-log sigmoid(beta (d(chosen) - d(rejected))) + 0.3 * (-mean log p(chosen))."""
    trainer, _, batch = built(request.getfixturevalue(start), pairs, tmp_path / "run", beta=0.3,
                              loss_weights=[1.0, 0.3])  # fmt: skip
    model, beta = trainer.model, 0.3
    before = by_hand(model, batch, None)
    torch.manual_seed(1)
    for name, each in model.named_parameters():
        if each.requires_grad and ".ref." not in name:
            each.data += 0.05 * torch.randn_like(each)
    after = by_hand(model, batch, None)
    mask = batch["completion_mask"][:, 1:].double()
    chosen, rejected = ((after - before) * mask).sum(1).chunk(2)
    sft = -(after * mask).chunk(2)[0].sum() / mask.chunk(2)[0].sum()
    wanted = -torch.nn.functional.logsigmoid(beta * (chosen - rejected)).mean() + 0.3 * sft
    model.train()
    found = trainer.compute_loss(model, dict(batch))
    assert float((chosen - rejected).abs().mean()) > 1e-3
    assert float(found.detach()) == pytest.approx(float(wanted), abs=2e-4)


def test_shapes_are_judged_where_training_learnt_them(ears, pairs, data, tmp_path):
    """Against the collator of training: the same inputs, the same places, the same labels."""
    trainer, rows, batch = built(ears, pairs, tmp_path / "run")
    task = start_of(StartOptions(start=str(ears))).heard
    asking = Asking(trainer.processing_class, task)
    for side, place in (("chosen", 0), ("rejected", len(rows))):
        learnt = SpeechCollator(asking)([{"row": {**row, "completion": row[side], "record": "r"}}
                                         for row in rows])  # fmt: skip
        for row in range(len(rows)):
            length = int(learnt["attention_mask"][row].sum())
            shown, stands = (batch[key][place + row][:length] for key in ("shown_ids", "input_ids"))
            labels = learnt["labels"][row][:length]
            assert torch.equal(shown, learnt["input_ids"][row][:length])
            counted = batch["completion_mask"][place + row][:length].bool()
            assert torch.equal(stands[counted], labels[labels != -100])
            assert torch.equal(counted, labels != -100)
    assert torch.equal(batch["input_features"][: len(rows)], learnt["input_features"])


def test_the_sound_and_the_cues_change_the_loss(ears, pairs, tmp_path):
    trainer, rows, batch = built(ears, pairs, tmp_path / "run", loss_weights=[1.0, 1.0])
    trainer.model.train()

    def loss(each):
        return float(trainer.compute_loss(trainer.model, dict(each)).detach())

    first = loss(batch)
    assert loss(batch) == first
    deaf = {**batch, "input_features": batch["input_features"].flip(-1)}
    assert abs(loss(deaf) - first) > 1e-6
    other = [json.loads(json.dumps(row).replace(" M ", " B ").replace(" AA ", " F "))
             for row in rows]  # fmt: skip
    assert other != rows
    assert abs(loss(trainer.data_collator(other)) - first) > 1e-6


def test_only_the_judged_regions_tokens_count(writer, of_jaws, tmp_path):
    trainer, rows, batch = built(writer, of_jaws, tmp_path / "run")
    tokens, jaws = trainer.processing_class, region_of("jaw")
    for row in range(2 * len(rows)):
        counted = tokens.decode(batch["input_ids"][row][batch["completion_mask"][row].bool()])
        text = rows[row % len(rows)][("chosen", "rejected")[row // len(rows)]]
        parts = text[0]["content"][0]["text"].split(";")
        wanted = [part for part in parts if part.split()[0] in ("jo", "jl", "jr", "jf", "jlb")]
        assert [part.split()[0] for part in counted.replace(";", " ;").split(";") if part.strip()]
        assert counted.replace(";", "") == "".join(wanted)
    assert jaws.channels and "input_features" not in batch
    whole = built(writer, of_jaws, tmp_path / "whole", region_mask="false")[2]
    assert (whole["completion_mask"].sum(1) > batch["completion_mask"].sum(1)).all()


@pytest.mark.parametrize("form", ["frames", "keys", "codes"])
def test_the_mask_knows_every_form(form):
    task = SpeechTask.of(form)
    values = np.zeros((15, 61), np.float32)
    values[:, list(MOUTH_31)] = np.random.default_rng(0).uniform(0.1, 0.9, (15, len(MOUTH_31)))
    text = task.form.write(values)
    spans = [(i, i + 1) for i in range(len(text))]
    mouth, jaw = (counting(form, text, frozenset(region_of(each).channels), spans)
                  for each in ("mouth", "jaw"))  # fmt: skip
    assert any(jaw) and any(mouth) and not any(a and b for a, b in zip(jaw, mouth, strict=True))
    kept = "".join(c for c, k in zip(text, jaw, strict=True) if k)
    assert ("jawOpen" in kept or "jo " in kept) and "mouth" not in kept


# -- what it leaves -----------------------------------------------------------


def test_a_model_that_hears_learns_what_is_preferred(ears, pairs, data, tmp_path):
    run = align(tmp_path / "run", ears, pairs, data=data, max_steps=12, probe_steps=6,
                learning_rate=5e-3, best_by="mae", region_mask="true")  # fmt: skip
    log = journal(run)
    margins = [row["rewards/margins"] for row in log]
    assert margins[0] == pytest.approx(0, abs=1e-5) and np.mean(margins[-3:]) > 0.01
    probes = journal(run, "probes.jsonl")
    assert [row["step"] for row in probes] == [0, 6, 12] and probes[0]["wins"] == 0.5
    assert all(0 <= row["contacts"] <= 1 and row["activity"] > 0 for row in probes)
    held, first = (json.loads((each / "manifest.json").read_text()) for each in (run, ears))
    assert held["task"] == first["task"] and held["prompt"] == first["prompt"]
    assert held["data"]["held_out"] == ["two"]
    assert (run / "adapter" / "hashes.json").is_file() and not list(run.rglob("ref"))
    sample = next(read_samples(data))
    speaker = opened(run)
    take = speaker.task.take(sample)
    spoken = speaker.windows(take.spoken, np.zeros(16000, np.float32), speaker.task.windows(take))
    assert all(each.read.values is not None for each in spoken)


def test_a_model_of_cues_alone_learns_and_is_aligned_again(writer, of_jaws, tmp_path):
    run = align(tmp_path / "run", writer, of_jaws, max_steps=8, learning_rate=5e-3)
    margins = [row["rewards/margins"] for row in journal(run)]
    assert margins[0] == pytest.approx(0, abs=1e-5) and np.mean(margins[-2:]) > 0.01
    told = json.loads((run / "pairs.json").read_text())
    assert told["pairs"] > 1 and told["judged_by"]["oracle"] > 1
    again = align(tmp_path / "again", run, of_jaws, max_steps=1)
    assert (again / "adapter" / "hashes.json").is_file()


def test_pictures_and_speech_are_not_mixed_up(ears, pairs, tmp_path):
    with pytest.raises(BadInput, match="a run of speech"):
        _ = start_of(StartOptions(start=str(ears))).seen
    with pytest.raises(BadInput, match="the one the run has learnt: shapes"):
        start_of(StartOptions(start=str(ears), answer="codes"))
    from semanticface.data.tasks import Task

    options = PairOptions(preferences=str(pairs), media=str(pairs.parent / "media"))
    with pytest.raises(BadInput, match="a model of pictures says nothing"):
        read_pairs(options, Task.of("tokens", "coefficients"))


# -- configs ------------------------------------------------------------------


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_a_config_aligns_a_small_model_of_its_family(path, ears, writer, pairs, data, tmp_path):
    """All of the config's own keys but size."""
    text = path.read_text()
    assert "accelerate launch" in text and "# Hardware:" in text
    assert f"recipes/configs/dpo/{path.name}" in text
    start = {"audioface_nano": ears, "audioface_qwen3_4b_text_lora": writer}[path.stem]
    module, run = recipe("dpo"), tmp_path / "run"
    small = {"start": start, "preferences": pairs, "media": pairs.parent / "media", "data": data,
             "output_dir": run, "max_steps": 1, "per_device_train_batch_size": 1,
             "gradient_accumulation_steps": 1, "dtype": "float32", "max_pairs": 2,
             "warmup_steps": 0, "probe_rows": 1, "probe_tokens": 8, "use_cpu": "true",
             "bf16": "false", "disable_tqdm": "true", "dataloader_num_workers": 0,
             "dataloader_pin_memory": "false"}  # fmt: skip
    flags = [word for key, value in small.items() for word in (f"--{key}", str(value))]
    module.main(module.parse(["--config", str(path), *flags]))
    held = json.loads((run / "manifest.json").read_text())
    assert held["training"]["beta"] == yaml.safe_load(text)["beta"]
    assert (run / "adapter" / "hashes.json").is_file()


def test_the_packaged_model_can_be_aligned():
    start = start_of(StartOptions(start="small-speech"))
    assert start.heard is not None and start.heard.form.form == "shapes" and not start.adapted


@pytest.mark.parametrize("family", ["qwen2_5_omni", "qwen3_omni"])
def test_the_larger_families_that_hear_are_aligned_too(family, pairs, data, tmp_path_factory):
    start = started(tmp_path_factory, data, family, answer="codes", cues="audio", max_steps=1,
                    probe_rows=1, probe_tokens=8, **LORA | {"projector": "frozen"})  # fmt: skip
    trainer, rows, batch = built(start, pairs, tmp_path_factory.mktemp("run"),
                                 loss_weights=[1.0, 1.0])  # fmt: skip
    trainer.model.train()
    loss = trainer.compute_loss(trainer.model, dict(batch))
    assert len(batch["input_ids"]) == 2 * len(rows)
    assert float(loss.detach()) > 0.69  # log 2, and the SFT term
    loss.backward()
    heard = batch["input_features"].clone().requires_grad_()
    trainer.compute_loss(trainer.model, {**batch, "input_features": heard}).backward()
    assert heard.grad is not None and heard.grad.abs().max() > 0  # the sound has a say


# -- rounds -------------------------------------------------------------------


def test_rounds_of_speech_go_on_where_they_were_stopped(ears, data, tmp_path):
    from semanticface.preference.rounds import Plan, go, ledger
    from semanticface.preference.speech_rounds import speech_steps

    plan = Plan(start=str(ears), data=str(data), rounds=1, faces=1, held_out=1, samples=6,
                windows=1, per_region=6, training={"max_steps": 2, "save_steps": 2, "use_cpu":
                "true", "disable_tqdm": "true", "per_device_train_batch_size": 2})  # fmt: skip
    steps = speech_steps(plan)

    def killed(work):
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        go(tmp_path, plan, {**steps, "judge": killed})
    assert [row.step for row in ledger(tmp_path)] == ["sample", "pair"]
    outcome = go(tmp_path, plan, steps)
    told = {row.step: row.told for row in outcome.rows}
    assert [row.step for row in outcome.rows] == ["sample", "pair", "judge", "train", "evaluate"]
    assert told["pair"]["pairs"] == told["judge"]["preferences"] > 0
    assert told["evaluate"]["duels"] == 2 and 0 <= told["evaluate"]["preference"] <= 1
    assert told["evaluate"]["mae"] > 0
    assert opened(tmp_path / "round-1" / "run").task == start_of(StartOptions(str(ears))).heard


@pytest.mark.parametrize(
    ("change", "told"),
    [({"ask": 5}, "stills only"), ({"judge": "human"}, "--evaluated-by oracle"),
     ({"regions": ("brows",)}, "lower, mouth, jaw"), ({"data": ""}, "a corpus of speech")],
)  # fmt: skip
def test_rounds_that_speech_cannot_have_are_refused(change, told, ears, data, tmp_path):
    from semanticface.preference.rounds import Plan, go
    from semanticface.preference.speech_rounds import speech_steps

    plan = Plan(**{"start": str(ears), "data": str(data), "faces": 1, **change})
    with pytest.raises(BadInput, match=told):
        go(tmp_path, plan, speech_steps(plan))
