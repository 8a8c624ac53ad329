"""Rows go through TRL's own vision collator: the answer alone is learnt, nothing is cut."""

from __future__ import annotations

import pytest
import tiny_processor
from samples import faces, record, records_file

from semanticface.data.budget import measure
from semanticface.data.collate import DecodeImages
from semanticface.data.manifest import manifest_of
from semanticface.data.sources import records
from semanticface.data.tasks import Task

pytest.importorskip("trl", reason="comes with the train extra")
datasets = pytest.importorskip("datasets", reason="comes with the train extra")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def collator():
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    processor = tiny_processor.processor()
    return DecodeImages(
        DataCollatorForVisionLanguageModeling(processor, completion_only_loss=True)
    ), processor


@pytest.mark.parametrize("task", [
    Task.of(), Task.of("codes"), Task.of("tokens", "coefficients"), Task.of(stage="describe"),
], ids=lambda task: f"{task.stage}-{task.form.key}")  # fmt: skip
def test_what_is_learnt_is_the_target(collator, task):
    collate, processor = collator
    some = [record(values, id=f"r{i}") for i, values in enumerate(faces(3))]
    batch = collate(list(task.examples(some)))
    assert batch["pixel_values"].shape == (3, 3, 32, 32)
    counted = {row.record: row for row in measure(some, task, processor).longest}
    for i, one in enumerate(some):
        labels = batch["labels"][i]
        learnt = processor.tokenizer.decode(labels[labels >= 0])
        assert learnt == task.target(one) + "<|end|>"
        assert int(batch["attention_mask"][i].sum()) == counted[one.id].tokens


def test_rows_survive_a_table(collator, tmp_path):
    """Through an Arrow table, in which every row has every key, pictures still places."""
    collate, _ = collator
    task = Task.of("codes", "coefficients")
    some = list(records(manifest_of(records_file(tmp_path, 4))))
    plain = list(task.examples(some))
    table = datasets.Dataset.from_list(plain)
    assert table[0]["images"][0]["path"].endswith("0.png")
    ours, theirs = collate(plain), collate([table[i] for i in range(4)])
    assert (ours["input_ids"] == theirs["input_ids"]).all()
    assert (ours["pixel_values"] == theirs["pixel_values"]).all()
