"""What a run is told: said at once where it cannot be, and kept so that it can be said again."""

from __future__ import annotations

import pytest
import yaml

pytest.importorskip("trl", reason="comes with the train extra")

from training import flags, recipe

from semanticface.errors import BadInput
from semanticface.train.manifest import training_of
from semanticface.train.start import config_of

pytestmark = pytest.mark.filterwarnings("default")


def parsed(tmp_path, **more):
    return recipe().parse(flags(tmp_path / "run", tmp_path / "model", "faces.jsonl", **more))


@pytest.mark.parametrize(("told", "fault"), [
    ({"num_train_epochs": 3}, "num_train_epochs beside max_steps 4.*max_steps: -1"),
    ({"save_only_model": "true"}, "save_only_model: true"),
    ({"stage": "describe", "answer": "two-key", "best_by": "mae"}, "strict, words, reward"),
    ({"best_by": "words"}, "best_by: words for the stage 'coefficients'"),
    ({"number_loss": 0.3, "label_smoothing_factor": 0.1}, "nll without smoothing"),
    ({"region_weights": "jaw=2", "loss_type": "dft"}, "loss_type dft .* with weights"),
], ids=str)  # fmt: skip
def test_what_would_be_lost_in_silence_is_refused(tmp_path, told, fault):
    with pytest.raises(BadInput, match=fault):
        parsed(tmp_path, **told)


def test_epochs_alone_are_epochs(tmp_path):
    training = parsed(tmp_path, num_train_epochs=3, max_steps=-1).training
    assert (training.num_train_epochs, training.max_steps) == (3, -1)


@pytest.mark.parametrize(("key", "value", "fault"), [
    ("region_weights", {"mouth": 2}, "expected text"), ("also", None, "expected text"),
    ("views", 2.5, "found 2.5, expected a whole number"), ("mirror", 1, "true or false"),
    ("max_records", [1], "a whole number or null"), ("num_train_epochs", 2, "max_steps 400"),
], ids=str)  # fmt: skip
def test_a_value_of_another_kind_is_named(tmp_path, key, value, fault):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({key: value}))
    with pytest.raises(BadInput, match=fault):
        recipe().parse(["--config", str(path)])


def test_values_may_be_written_as_flags_are(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("number_loss: 1e-1\nmax_records:\nviews: '2'\nmirror: yes\n")
    made = recipe().parse(["--config", str(path)])
    assert (made.loss.number_loss, made.data.max_records, made.data.views) == (0.1, None, 2)
    assert made.data.mirror is True


def test_the_settings_that_are_kept_are_the_settings_without_a_secret(tmp_path):
    more = {"lr_scheduler_type": "cosine_with_min_lr",
            "lr_scheduler_kwargs": '{"min_lr": 0.00001}'}  # fmt: skip
    settings = parsed(tmp_path, **more, hub_token="hf_secret")
    settings.training.save_total_limit = None
    told = yaml.safe_dump(config_of(settings))
    assert "hf_secret" not in told
    (tmp_path / "config.yaml").write_text(told)
    again = recipe().parse(["--config", str(tmp_path / "config.yaml")])
    assert again[:4] == settings[:4]
    assert training_of(again.training) == training_of(settings.training)
    assert again.training.save_total_limit is None


def test_rows_left_out_make_another_run(tmp_path):
    plain, cut = (training_of(parsed(tmp_path, dataloader_drop_last=each).training)
                  for each in ("false", "true"))  # fmt: skip
    assert plain != cut
