"""The simulated rater does what its traits say, and is never taken for a person."""

from __future__ import annotations

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.preference.candidates import Candidate, Duel
from semanticface.preference.oracle import (
    Oracle,
    Traits,
    geometry,
    let_judge,
    nearer,
    pixels,
)
from semanticface.preference.presentation import Presentation
from semanticface.preference.store import Store
from semanticface.preference.store.content import add_rater
from semanticface.preference.store.preferred import Filter, write_preferences
from semanticface.preference.store.tables import ITEMS
from semanticface.preference.store.verdicts import heard

from .pairs import face, fill

TRUTH = Candidate.of("truth", face(jawOpen=0.5, browInnerUp=0.3))
NEAR = Candidate.of("near", face(jawOpen=0.45, browInnerUp=0.3))
FAR = Candidate.of("far", face(jawOpen=0.1, browInnerUp=0.3))
PERFECT = Traits(noise=0, lapse=0)


def test_a_perfect_one_is_right_on_either_side() -> None:
    oracle = Oracle(PERFECT)
    assert oracle.judge(NEAR, FAR, TRUTH, "lower").click == "left"
    assert oracle.judge(FAR, NEAR, TRUTH, "lower").click == "right"
    assert oracle.judge(NEAR, NEAR, TRUTH, "lower").click == "tie"
    assert nearer(Duel(NEAR, FAR, "lower"), TRUTH) > 0


def test_it_looks_at_the_region_only() -> None:
    brow = Candidate.of("brow", face(jawOpen=0.5, browInnerUp=0.9))
    assert geometry(brow, TRUTH, "upper") > 10 * geometry(brow, TRUTH, "lower")
    assert geometry(TRUTH, TRUTH, "full") == 0
    turned = Candidate.of("t", face(jawOpen=0.5, browInnerUp=0.3, headYaw=0.4))
    assert geometry(turned, TRUTH, "full") == 0  # the head's own turn is no expression


def test_a_change_near_rest_is_seen_better() -> None:
    weak = geometry(Candidate.of("a", face(jawOpen=0.2)), Candidate.of("b", face()), "lower", 0.7)
    strong = geometry(
        Candidate.of("a", face(jawOpen=1.0)), Candidate.of("b", face(jawOpen=0.8)), "lower", 0.7
    )
    plain = geometry(Candidate.of("a", face(jawOpen=0.2)), Candidate.of("b", face()), "lower")
    assert weak > 1.5 * strong
    assert plain == pytest.approx(
        geometry(Candidate.of("a", face(jawOpen=1)), Candidate.of("b", face(jawOpen=0.8)), "lower"),
        rel=1e-4,
    )


def test_chance_follows_the_formula() -> None:
    traits = Traits(noise=1.0, bound=0.5, lapse=0)
    oracle = Oracle(traits, seed=5)
    drift = oracle.judge(NEAR, FAR, TRUTH, "lower").drift
    wanted = 1 / (1 + np.exp(-2 * 0.5 * drift))
    clicks = [oracle.judge(NEAR, FAR, TRUTH, "lower").click for _ in range(800)]
    share = clicks.count("left") / 800
    assert 0.55 < wanted < 0.99 and abs(share - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / 800)


def test_bias_lapses_ties_and_both_bad() -> None:
    left = Oracle(Traits(noise=0, lapse=0, bias=50.0))
    assert left.judge(FAR, NEAR, TRUTH, "lower").click == "left"
    asleep = Oracle(Traits(noise=0, lapse=1.0), seed=2)
    clicks = [asleep.judge(NEAR, FAR, TRUTH, "lower").click for _ in range(200)]
    assert 60 < clicks.count("left") < 140
    assert Oracle(Traits(noise=0, lapse=0, tie=99)).judge(NEAR, FAR, TRUTH, "lower").click == "tie"
    assert Oracle(Traits(lapse=0, bad=0.0)).judge(NEAR, FAR, TRUTH, "lower").click == "bad"


def test_hard_pairs_take_longer_and_more_views_too() -> None:
    oracle = Oracle(Traits(lapse=0))
    easy = oracle.judge(TRUTH, FAR, TRUTH, "lower").seconds
    hard = oracle.judge(NEAR, NEAR, TRUTH, "lower").seconds
    assert hard > easy > oracle.traits.idle
    two = Oracle(Traits(lapse=0), how=Presentation(views=("front", "left")))
    extra = two.judge(TRUTH, FAR, TRUTH, "lower").seconds - easy
    assert extra == pytest.approx(oracle.traits.glance)


def test_pixels_are_those_that_are_shown() -> None:
    brow = Candidate.of("brow", face(jawOpen=0.5, browInnerUp=0.9))
    crop = Presentation("crop", size=64, antialias=False)
    plain = Presentation("plain", size=64, antialias=False)
    assert pixels(brow, TRUTH, "lower", crop) < 0.2 * pixels(brow, TRUTH, "lower", plain)
    seeing = Oracle(Traits(0.0, 1.0, noise=0, lapse=0), how=plain)
    assert seeing.judge(NEAR, FAR, TRUTH, "lower").click == "left"


def test_a_hole_in_the_truth_is_no_truth() -> None:
    hole = face()
    hole[3] = np.nan
    with pytest.raises(BadInput, match="missing"):
        geometry(NEAR, Candidate.of("t", hole), "lower")


@pytest.mark.parametrize("bad", [{"lapse": 2}, {"noise": -1}, {"bound": 0}, {"exponent": 0}])
def test_traits_that_make_no_sense_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        Traits(**bad)


def test_it_works_through_a_project_under_its_own_name(store: Store, tmp_path: object) -> None:
    project = fill(store, 4)
    with store.reading() as connection:
        truths = {row.id: TRUTH for row in connection.execute(ITEMS.select())}
    oracle = Oracle(PERFECT)
    rater = add_rater(store, project.id, "model", "oracle", PERFECT.as_json())
    with pytest.raises(BadInput, match="the person 'ann'"):
        let_judge(store, project, add_rater(store, project.id, "ann"), oracle, truths)
    with pytest.raises(BadInput, match="no truth"):
        let_judge(store, project, rater, oracle, {})
    assert let_judge(store, project, rater, oracle, truths) == 4
    assert {each.kind for each in heard(store, project.id)} == {"oracle"}
    assert all(each.seconds > 0 for each in heard(store, project.id))
    people = write_preferences(store, project.id, f"{tmp_path}/people.jsonl")
    assert people.rows == 0
    rows = write_preferences(store, project.id, f"{tmp_path}/o.jsonl", Filter(judges=("oracle",)))
    assert rows.rows == 4
