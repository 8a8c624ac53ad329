"""The recipe of the learned judge, from a store to its marks."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="comes with the train extra")

from PIL import Image
from training import recipe

from semanticface.errors import BadInput
from semanticface.motion.expressions import sample_frames
from semanticface.preference.candidates import Candidate, regional_pair
from semanticface.preference.discriminator import Lesson, load
from semanticface.preference.store import open_store
from semanticface.preference.store.content import Item, Rules, add_pairs, add_project, add_rater
from semanticface.preference.store.files import keep_file
from semanticface.preference.store.questions import open_questions
from semanticface.preference.store.verdicts import record

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen pairs of eight people, each judged by somebody who presses left."""
    folder = tmp_path_factory.mktemp("judged") / "s"
    store = open_store(folder, create=True)
    project = add_project(store, "faces", rules=Rules(1, 0, 0))
    values = sample_frames(32, seed=1)
    stream = io.BytesIO()
    Image.new("RGB", (112, 112), (90, 80, 70)).save(stream, "png")
    picture = keep_file(store, stream.getvalue())
    for n in range(16):
        one, other = (Candidate.of("x", values[2 * n + k]) for k in (0, 1))
        item = Item(f"i{n}", f"s{n % 8}", picture=picture)
        add_pairs(store, project.id, item, [regional_pair(one, one, other, "lower")])
    rater = add_rater(store, project.id, "ann")
    while asked := open_questions(store, project, rater.id, 1):
        record(store, rater.id, asked[0].id, "left", key=f"click-{asked[0].id}")
    store.close()
    return folder


@pytest.mark.parametrize("kind", ["coefficients", "renders"])
def test_it_leaves_a_judge_its_marks_and_a_curve(judged: Path, tmp_path: Path, kind: str) -> None:
    module = recipe("discriminator")
    out = tmp_path / "judge"
    options = module.Options(store=str(judged), kind=kind, curve=[6, 5000], out=str(out))
    module.main(options, Lesson(members=2, epochs=1, width=8))
    told = json.loads((out / "marks.json").read_text())
    assert told["judged_by"] == "human" and told["test"]["verdicts"] == 4
    assert [each["learnt_from"] for each in told["curve"]] == [6]
    assert load(out).kind == kind and np.isfinite(told["test"]["cross_entropy"])


def test_kinds_of_judges_stay_apart(judged: Path, tmp_path: Path) -> None:
    module = recipe("discriminator")
    with pytest.raises(BadInput):
        module.main(module.Options(store=str(judged), judges="oracle", kind="renders"), Lesson())
    with pytest.raises(BadInput, match="coefficients, renders"):
        module.main(module.Options(store=str(judged), kind="pictures"), Lesson())
