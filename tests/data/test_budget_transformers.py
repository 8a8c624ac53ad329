"""Token budgets counted by a real library's processor, from a folder and offline."""

from __future__ import annotations

import pytest
import tiny_processor
import typer
from samples import faces, record, records_file
from typer.testing import CliRunner

from semanticface.cli.budget import budget
from semanticface.data.budget import measure
from semanticface.data.images import Pictures
from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.train.processors import load_processor

pytest.importorskip("transformers", reason="comes with the train extra")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_processor.save(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("task", [Task.of(), Task.of("codes", "coefficients")],
                         ids=lambda task: task.form.key)  # fmt: skip
def test_each_row_has_the_tokens_that_the_processor_gives_it(model, task):
    processor = load_processor(model)
    records = [record(values, id=f"r{i}") for i, values in enumerate(faces(4))]
    counted = measure(records, task, processor, longest=4)
    for row in counted.longest:
        one = records[row.row - 1]
        example = task.example(one)
        text = processor.apply_chat_template(example["prompt"] + example["completion"])
        whole = processor(
            images=[[Pictures().decode(one.image)]], text=[text], add_special_tokens=False
        )
        assert row.tokens == len(whole["input_ids"][0])
        assert row.image == tiny_processor.PATCHES
        assert row.target == len(task.target(one).encode()) + 1  # and the end mark


def test_the_command_lists_the_longest_and_refuses_what_would_be_clipped(model, tmp_path):
    app = typer.Typer()
    app.command()(budget)
    data = records_file(tmp_path, 5)
    command = [str(data), "-p", str(model), "--stage", "coefficients", "--format", "codes"]
    told = CliRunner().invoke(app, command, catch_exceptions=False)
    assert told.exit_code == 0
    assert "5 rows: median" in told.stdout
    assert "r3" in told.stdout
    with pytest.raises(BadInput, match=r"row \d: found .* tokens in record r\d"):
        CliRunner().invoke(app, [*command, "--max-length", "100"], catch_exceptions=False)


def test_a_model_that_also_takes_films_is_counted_without_torchvision(tmp_path):
    """The packaged small model; its pictures are what the recipe is told to make of them."""
    from semanticface.train.places import small_run

    app = typer.Typer()
    app.command()(budget)
    command = [str(records_file(tmp_path, 2)), "-p", str(small_run() / "model"),
               "--stage", "coefficients", "--format", "slots"]  # fmt: skip
    told = CliRunner().invoke(app, command, catch_exceptions=False)
    assert "picture 20" in told.stdout
    more = ["--min-pixels", "50176", "--max-pixels", "50176"]
    told = CliRunner().invoke(app, [*command, *more], catch_exceptions=False)
    assert "picture 70" in told.stdout


def test_a_folder_without_a_processor(tmp_path, model):
    with pytest.raises(BadInput, match="no processor"):
        load_processor(tmp_path)
    tiny_processor.processor().tokenizer.save_pretrained(str(tmp_path / "text"))
    with pytest.raises(BadInput, match="text alone"):
        load_processor(tmp_path / "text")
