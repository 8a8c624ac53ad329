"""An arm of the cue experiment that was stopped is gone on with as if it had not been."""

from __future__ import annotations

import json
import sys

import pytest
from training import REPOSITORY, losses, speech_data, weights

pytest.importorskip("trl", reason="comes with the train extra")

from semanticface.data.speech_samples import read_samples
from semanticface.errors import BadInput

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def learning():
    folder = str(REPOSITORY / "scripts" / "experiments")
    sys.path.insert(0, folder)
    import speech_build.learning as module

    yield module
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return list(read_samples(speech_data(tmp_path_factory.mktemp("speech"))))


@pytest.fixture(scope="module")
def plan(learning):
    return learning.Plan("phones", seed=1, window=6, hop=4)


@pytest.fixture(scope="module")
def unbroken(learning, samples, plan, tmp_path_factory):
    out = tmp_path_factory.mktemp("unbroken")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "LOG", 1)
        learnt = learning.train(plan, samples, out, 6, save=2, batch=2)
    return out / "phones-6-frames-seed-1", learnt.loaded.model.state_dict()


def stopped(learning, monkeypatch, step, when="on_step_end"):
    def stop(self, args, state, control, **more):
        if state.global_step == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(learning.Progress, when, stop)


def same(one, other):
    return one.keys() == other.keys() and all((one[name] == other[name]).all() for name in one)


@pytest.mark.parametrize(
    "step, when", [(1, "on_step_end"), (3, "on_step_end"), (6, "on_train_end")]
)
def test_a_stopped_arm_goes_on_to_the_bit(
    learning, samples, plan, unbroken, tmp_path, monkeypatch, step, when
):
    monkeypatch.setattr(learning, "LOG", 1)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stopped(learning, patch, step, when)
        learning.train(plan, samples, tmp_path, 6, save=2, batch=2)
    again = learning.train(plan, samples, tmp_path, 6, save=2, batch=2)
    there, trained = unbroken
    folder = tmp_path / there.name
    assert losses(folder) == losses(there)
    assert same(again.loaded.model.state_dict(), trained)
    assert same(weights(folder), weights(there))
    spent = (folder / "spent.jsonl").read_text().splitlines()
    seconds = [json.loads(row)["seconds"] for row in spent]
    assert len(seconds) == 3 and seconds == sorted(seconds)


def test_a_finished_arm_is_read_again_and_not_trained(
    learning, samples, plan, unbroken, monkeypatch
):
    there, trained = unbroken
    stopped(learning, monkeypatch, 1)
    assert not list(there.glob("checkpoint-*"))
    again = learning.train(plan, samples, there.parent, 6, save=2, batch=2)
    assert same(again.loaded.model.state_dict(), trained)
    assert again.seconds > 0


def test_another_length_in_its_folder_is_refused(learning, samples, plan, unbroken):
    with pytest.raises(BadInput, match="steps 6"):
        learning.train(plan, samples, unbroken[0].parent, 8, save=2, batch=2)
