"""A learned judge: what it must do whatever it learnt, and that it learns."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="comes with the train extra")

from PIL import Image

from semanticface.errors import BadInput
from semanticface.motion.expressions import sample_frames
from semanticface.preference import discriminator as learned
from semanticface.preference.candidates import Candidate, Duel, regional_pair
from semanticface.preference.discriminator import Discriminator, Lesson, teach
from semanticface.preference.judged import (
    ORDER,
    Judged,
    asked_of,
    held_out,
    judged_of,
    of_coefficients,
    of_renders,
)
from semanticface.preference.learned import let_discriminate
from semanticface.preference.oracle import Oracle, Traits
from semanticface.preference.store import Store
from semanticface.preference.store.content import Item, Project, add_pairs, add_project, add_rater
from semanticface.preference.store.files import keep_file
from semanticface.preference.store.preferred import Filter
from semanticface.preference.store.verdicts import heard
from semanticface.rig import COUNT

from .pairs import QUIET, TINY, face, lower_pair

QUICK = Lesson(members=3, epochs=30, seed=1)


def verdicts(count: int, seed: int = 0, noise: float = 0.5) -> Judged:
    """Answers with errors around a truth that the input tells with some noise."""
    rng = np.random.default_rng(seed)
    truth = sample_frames(count, seed=seed)
    oracle = Oracle(Traits(noise=noise), seed=seed)
    duels, won, looked = [], [], []
    for row in truth:
        base, one, other = (Candidate.of("x", np.clip(row + rng.normal(0, s, COUNT), 0, 1))
                            for s in (0.0, *rng.permutation([0.08, 0.15])))  # fmt: skip
        duels.append(regional_pair(base, one, other, ("upper", "lower")[len(duels) % 2]))
        click = oracle.judge(duels[-1].one, duels[-1].other, Candidate.of("t", row),
                             duels[-1].region).click  # fmt: skip
        won.append(1.0 if click == "left" else 0.0)
        read = row + rng.normal(0, 0.05, COUNT)
        looked.append(np.concatenate([read, np.full(COUNT, 0.8)]))
    return of_coefficients(np.array(looked), duels, won, [f"s{n // 5}" for n in range(count)])


@pytest.fixture(scope="module")
def pairs() -> Judged:
    return verdicts(240)


@pytest.fixture(scope="module")
def judge(pairs: Judged) -> Discriminator:
    return teach(pairs.some(~held_out(pairs.subjects, 0.3, seed=9)), QUICK)


def test_it_learns_what_the_oracle_prefers_and_knows_how_well(
    pairs: Judged, judge: Discriminator
) -> None:
    found = learned.marks(judge, pairs.some(held_out(pairs.subjects, 0.3, seed=9)))
    assert found.accuracy.estimate > 0.65 and found.accuracy.low < found.accuracy.estimate
    assert found.cross_entropy < 0.69 and found.calibration < 0.2
    assert found.accuracy.clusters == 14 and found.verdicts == 70


def test_exchanging_the_answers_exchanges_the_probability(
    pairs: Judged, judge: Discriminator
) -> None:
    there, back = judge.believes(pairs), judge.believes(pairs.exchanged())
    assert np.allclose(there.probability + back.probability, 1, atol=1e-6)
    assert np.allclose(there.doubt, back.doubt, atol=1e-6) and (there.doubt >= 0).all()
    assert there.members.shape == (3, len(pairs))
    assert np.allclose(there.members.mean(axis=0), there.probability)


def test_nothing_outside_the_region_counts(pairs: Judged, judge: Discriminator) -> None:
    upper = pairs.some(pairs.region == ORDER.index("upper"))
    lower = sorted({*range(COUNT)} - {*learned.region_of("upper").channels})
    other = replace(upper, one=upper.one.copy(), looked=upper.looked.copy())
    other.one[:, lower] = 1.0
    other.looked[:, lower] = 0.5
    assert np.allclose(judge.believes(upper).probability, judge.believes(other).probability)


def test_the_same_lesson_gives_the_same_judge(pairs: Judged) -> None:
    few, lesson = pairs.some(np.arange(60)), Lesson(members=2, epochs=2)
    one, other = teach(few, lesson), teach(few, lesson)
    assert np.array_equal(one.believes(pairs).members, other.believes(pairs).members)
    assert not np.array_equal(*one.believes(pairs).members)  # members differ


def test_it_is_kept_and_found_again(pairs: Judged, judge: Discriminator, tmp_path: Path) -> None:
    again = learned.load(judge.save(tmp_path / "judge"))
    assert np.allclose(again.believes(pairs).members, judge.believes(pairs).members)
    assert again.about == judge.about and again.temperature == judge.temperature
    assert not list(tmp_path.rglob("*.pt")) and not list(tmp_path.rglob("*.bin"))
    card = json.loads((tmp_path / "judge" / "discriminator.json").read_text())
    (tmp_path / "judge" / "discriminator.json").write_text(json.dumps(card | {"semanticface": 1}))
    with pytest.raises(BadInput, match="discriminator/1"):
        learned.load(tmp_path / "judge")
    with pytest.raises(BadInput, match=r"no discriminator\.json"):
        learned.load(tmp_path)


def test_the_temperature_undoes_what_was_overdone() -> None:
    rng = np.random.default_rng(0)
    gaps = rng.normal(0, 1.5, 4000)
    won = (rng.random(4000) < 1 / (1 + np.exp(-gaps))).astype(float)
    assert learned.temperature_of(3 * gaps[None], won) == pytest.approx(3, rel=0.1)
    assert learned.temperature_of(gaps[None], won) == pytest.approx(1, rel=0.1)


def test_calibration_by_hand() -> None:
    told, won = np.array([0.9, 0.9, 0.1, 0.55]), np.array([1.0, 1.0, 1.0, 1.0])
    # Bin of 0.9: came 1, 1, 0 against 0.9; bin of 0.55: came 1 against 0.55.
    assert learned.expected_error(told, won) == pytest.approx((3 * abs(2 / 3 - 0.9) + 0.45) / 4)


def test_subjects_are_on_one_side_and_stay_there() -> None:
    names = np.array([f"p{n % 7}" for n in range(50)])
    aside = held_out(names, 0.3, seed=2)
    assert not set(names[aside]) & set(names[~aside]) and len(set(names[aside])) == 2
    assert (held_out(names[::-1], 0.3, seed=2)[::-1] == aside).all()
    with pytest.raises(BadInput, match="two or more"):
        held_out(np.array(["a", "a"]), 0.5)


def test_a_curve_rises_and_refuses_the_same_people(pairs: Judged) -> None:
    aside = held_out(pairs.subjects, 0.3, seed=9)
    points = learned.curve(pairs.some(~aside), pairs.some(aside), (20, 150, 5000), QUICK)
    assert [each.verdicts for each in points] == [20, 150]
    assert points[1].marks.cross_entropy < points[0].marks.cross_entropy
    with pytest.raises(BadInput, match="both learnt from and tested on"):
        learned.curve(pairs, pairs, (20,))


def test_what_it_cannot_judge_is_refused(pairs: Judged, judge: Discriminator) -> None:
    clip = Candidate.of("film", np.zeros((4, COUNT)))
    with pytest.raises(BadInput, match="a clip of 4 frames"):
        of_coefficients(np.zeros((1, 2 * COUNT)), [Duel(clip, clip, "full")], [1.0], ["a"])
    with pytest.raises(BadInput, match="without a verdict"):
        teach(replace(pairs, won=np.full(len(pairs), np.nan)), QUICK)
    with pytest.raises(BadInput, match="values and confidences"):
        teach(replace(pairs, looked=pairs.looked[:, :5]), QUICK)
    with pytest.raises(BadInput, match="pairs of renders"):
        judge.believes(replace(pairs, kind="renders"))
    with pytest.raises(BadInput, match="one of each a pair"):
        of_coefficients(np.zeros((2, 2 * COUNT)), [], [], [])
    with pytest.raises(BadInput, match="a share between 0 and 1"):
        Lesson(calibrated_on=1.0)


@pytest.mark.slow
def test_it_learns_from_renders() -> None:
    """Jaws: the input is drawn too, and the answer whose jaw is nearer wins."""
    rng = np.random.default_rng(3)
    duels, won, inputs = [], [], []
    for _ in range(96):
        truth, near, far = rng.choice([0.0, 1.0]), 0.0, 0.0
        near, far = (truth, 1 - truth) if (first := rng.random() < 0.5) else (1 - truth, truth)
        duels.append(regional_pair(*(Candidate.of("x", face(jawOpen=v)) for v in (0, near, far)),
                                   "lower"))  # fmt: skip
        won.append(float(first))
        inputs.append(Image.fromarray(learned_picture(truth)))
    pairs = of_renders(inputs, duels, won, [f"s{n // 4}" for n in range(96)])
    aside = held_out(pairs.subjects, 0.3)
    judge = teach(pairs.some(~aside), Lesson(members=1, epochs=8, width=16, batch=16))
    assert learned.marks(judge, pairs.some(aside)).accuracy.estimate > 0.9
    back = judge.believes(pairs.exchanged()).probability
    assert np.allclose(judge.believes(pairs).probability + back, 1, atol=1e-5)


def learned_picture(jaw: float) -> np.ndarray:
    from semanticface.preference.difference import SMALL
    from semanticface.preference.presentation import shown

    return shown(face(jawOpen=jaw), "full", SMALL)


def four_pairs(store: Store) -> Project:
    """Three of them with a picture."""
    import io

    project = add_project(store, "faces", presentation=TINY, rules=QUIET)
    stream = io.BytesIO()
    Image.new("RGB", (112, 112), (90, 80, 70)).save(stream, "png")
    picture = keep_file(store, stream.getvalue())
    for n in range(4):
        item = Item(f"i{n}", f"s{n}", picture=picture if n else None)
        add_pairs(store, project.id, item, [lower_pair(0.2 + 0.2 * n)])
    return project


def test_the_command_goes_on_where_it_stopped(
    store: Store, judge: Discriminator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from semanticface.cli.main import app
    from semanticface.preference import judged

    looked = np.zeros((1, 2 * COUNT), np.float32)
    monkeypatch.setattr(judged, "by_model", lambda: lambda p: looked.repeat(len(p), 0))
    project = four_pairs(store)
    command = ["rank", "judge", str(store.media.parent), str(judge.save(tmp_path / "judge"))]
    for more, count in ((["--most", "3"], 3), ([], 1), ([], 0)):
        told = CliRunner().invoke(app, [*command, *more])
        assert told.exit_code == 0 and f"{count} verdicts by discriminator" in told.stderr
    assert [each.kind for each in heard(store, project.id)] == ["discriminator"] * 4


def test_it_judges_a_project_under_its_own_kind(store: Store, judge: Discriminator) -> None:
    project = four_pairs(store)
    human = add_rater(store, project.id, "ann")
    with pytest.raises(BadInput, match="kind discriminator"):
        let_discriminate(store, project, human, judge)
    rater = add_rater(store, project.id, "net", "discriminator")
    looked = np.zeros((1, 2 * COUNT), np.float32)
    assert let_discriminate(store, project, rater, judge, lambda p: looked.repeat(len(p), 0)) == 4
    said = heard(store, project.id)
    assert {each.kind for each in said} == {"discriminator"}
    assert sorted(each.choice for each in said).count("skip") == 1  # the item without a picture
    asked = asked_of(store, project.id, Filter(("discriminator",)))
    assert len(asked.duels) == 3 and len(judged_of(asked, "renders")) == 3
    assert asked_of(store, project.id).duels == ()  # nobody's verdicts are made up
