"""Answers, known faults on them, and which pairs are worth asking."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from faces import frames
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.language.answers import DEFAULT
from semanticface.language.describe import describe
from semanticface.motion.expressions import sample_frames
from semanticface.preference.candidates import (
    Candidate,
    Duel,
    from_file,
    regional_pair,
    sampled,
    unlike,
)
from semanticface.preference.difference import LEAST, looks_apart, worth_asking
from semanticface.preference.perturbations import KINDS, Perturbation, perturbed
from semanticface.preference.regions import FINE, REGIONS, differs_only_in
from semanticface.preference.selection import Weights, select
from semanticface.rig import COUNT, INDEX, FaceClip, save_npz


def smile(strength: float) -> np.ndarray:
    values = np.zeros(COUNT, np.float32)
    values[[INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"], INDEX["jawOpen"]]] = strength
    return values


# -- answers ------------------------------------------------------------------


def test_answers_are_read_and_the_unreadable_is_told() -> None:
    text = DEFAULT.write(smile(0.5), describe(smile(0.5)))
    found = sampled([("a t=0.7", text), ("b", "I cannot see a face.")], DEFAULT)
    assert [each.source for each in found.candidates] == ["a t=0.7"]
    assert found.candidates[0].text == text
    assert found.candidates[0].values[0, INDEX["jawOpen"]] == np.float32(0.5)
    assert [each.source for each in found.unread] == ["b"]


def test_a_file_gives_a_clip_or_a_moment(tmp_path: Path) -> None:
    values = np.linspace(0, 1, 5)[:, None] * smile(1)
    values[:, INDEX["tongueOut"]] = np.nan
    save_npz(FaceClip.of(values, rate=10).shifted(7), tmp_path / "a.npz")
    whole = from_file(tmp_path / "a.npz", source="take")
    assert len(whole.values) == 5 and whole.times[0] == 0 and whole.missing == 5
    moment = from_file(tmp_path / "a.npz", source="take", at=0.2)
    assert moment.still and moment.values[0, INDEX["jawOpen"]] == pytest.approx(0.5)
    assert np.isnan(moment.values[0, INDEX["tongueOut"]]) and moment.drawable.min() == 0


@pytest.mark.parametrize(("values", "times"), [
    (np.full(COUNT, np.nan), None), (np.full(COUNT, np.inf), None), (np.zeros((2, 5)), None),
    (np.zeros((2, COUNT)), [0.5, 0.5]), (np.zeros((2, COUNT)), [0.0]), (np.zeros((0, COUNT)), []),
])  # fmt: skip
def test_what_is_no_answer_is_refused(values: np.ndarray, times: list[float] | None) -> None:
    with pytest.raises(BadInput):
        Candidate.of("x", values, times)


def test_equal_motion_is_kept_once() -> None:
    one, same, other = (Candidate.of(n, smile(s)) for n, s in (("a", 0.5), ("b", 0.5), ("c", 0.6)))
    assert unlike([one, same, other]) == (one, other)
    assert unlike([other], {one.digest: one, other.digest: other}) == ()


def test_a_clip_comes_onto_another_ones_times() -> None:
    clip = Candidate.of("a", np.linspace(0, 1, 11)[:, None] * smile(1), rate=10)
    other = Candidate.of("b", np.zeros((7, COUNT)), rate=7)
    moved = clip.on_times_of(other)
    assert np.array_equal(moved.times, other.times)
    assert np.allclose(moved.values[:, INDEX["jawOpen"]], other.times, atol=1e-6)


@given(frames(), frames(), frames(), st.sampled_from(sorted(REGIONS)))
def test_a_regional_pair_differs_in_its_region_only(
    base: np.ndarray, one: np.ndarray, other: np.ndarray, region: str
) -> None:
    duel = regional_pair(*(Candidate.of("x", v) for v in (base, one, other)), region)
    assert differs_only_in(duel.one.values, duel.other.values, region)
    same = np.array_equal(one[REGIONS[region].mask], other[REGIONS[region].mask])
    assert duel.fair == (not same)


# -- faults -------------------------------------------------------------------


@given(frames(), st.sampled_from([k for k in KINDS if k != "late"]), st.sampled_from(FINE))
def test_a_fault_stays_in_its_region_and_in_range(face: np.ndarray, kind: str, region: str) -> None:
    base = Candidate.of("truth", face)
    fault = Perturbation(kind, region, 0.6)
    one = perturbed(base, fault, seed=4)
    assert differs_only_in(base.values, one.candidate.values, region)
    weights = one.candidate.values[:, :52]
    assert weights.min() >= 0 and weights.max() <= max(1, face[:52].max())
    assert one.candidate.digest == perturbed(base, fault, seed=4).candidate.digest


def test_faults_do_what_they_say() -> None:
    base = Candidate.of("truth", smile(0.8))
    at = INDEX["mouthSmileLeft"]
    gain = perturbed(base, Perturbation("gain", "mouth", 0.5)).candidate
    assert gain.values[0, at] == pytest.approx(0.4)
    assert gain.values[0, INDEX["jawOpen"]] == np.float32(0.8)
    dead = perturbed(base, Perturbation("dead", "mouth", 1.0)).candidate
    assert dead.values[0, at] == 0 and dead.values[0, INDEX["jawOpen"]] == np.float32(0.8)
    up = perturbed(base, Perturbation("shift", "upper", 0.4, ("browInnerUp",))).candidate
    assert up.values[0, INDEX["browInnerUp"]] == pytest.approx(0.4)
    over = perturbed(base, Perturbation("gain", "full", 2.0))
    assert over.clamped == 3 and over.candidate.values[0, at] == 1
    with pytest.raises(BadInput, match="browInnerUp"):
        perturbed(base, Perturbation("shift", "lower", 0.4, ("browInnerUp",)))


def test_lateness_moves_a_part_in_time_and_needs_a_clip() -> None:
    ramp = Candidate.of("truth", np.linspace(0, 1, 11)[:, None] * smile(1), rate=10)
    late = perturbed(ramp, Perturbation("late", "jaw", 0.2)).candidate
    jaw, lips = (late.values[:, INDEX[n]] for n in ("jawOpen", "mouthSmileLeft"))
    assert jaw[5] == pytest.approx(0.3) and lips[5] == pytest.approx(0.5) and jaw[0] == 0
    with pytest.raises(BadInput, match="still"):
        perturbed(Candidate.of("x", smile(1)), Perturbation("late", "jaw", 0.2))


# -- which pairs --------------------------------------------------------------


def test_pairs_that_look_the_same_or_differ_elsewhere_are_sifted_out() -> None:
    base = Candidate.of("a", smile(0.5))
    hardly = smile(0.5)
    hardly[INDEX["mouthSmileLeft"]] += 0.001
    clearly, elsewhere = smile(0.9), smile(0.9)
    elsewhere[INDEX["browInnerUp"]] = 1
    duels = [Duel(base, Candidate.of("b", v), "lower") for v in (hardly, clearly, elsewhere)]
    sifted = worth_asking(duels)
    assert sifted.kept == (duels[1],) and sifted.alike == 1 and sifted.unfair == 1


def test_a_small_part_counts_as_a_large_one() -> None:
    shut = np.zeros(COUNT, np.float32)
    shut[INDEX["eyeBlinkLeft"]] = 1
    rest = Candidate.of("rest", np.zeros(COUNT))
    assert looks_apart(rest, Candidate.of("wink", shut)) > 10 * LEAST
    assert looks_apart(rest, rest) == 0


def _duels(count: int) -> list[Duel]:
    values = sample_frames(2 * count, 5)
    return [
        regional_pair(*(Candidate.of("x", v) for v in (a, a, b)), "lower")
        for a, b in zip(values[:count], values[count:], strict=True)
    ]


def test_the_most_doubtful_pairs_come_first() -> None:
    duels, only = _duels(4), Weights(1, 0, 0)
    predicted = np.array([[0.99, 0.5, 0.8, 0.01]])
    chosen = select(duels, list("abcd"), 3, predicted=predicted, weights=only)
    assert [each.place for each in chosen] == [1, 2, 0]
    split = np.array([[0.5, 0.95, 0.5, 0.5], [0.5, 0.05, 0.5, 0.5]])
    first = select(duels, list("abcd"), 1, predicted=split, weights=Weights(0, 1, 0))
    assert first[0].place == 1 and first[0].disagreement == pytest.approx(0.9)


def test_subjects_take_turns() -> None:
    duels = _duels(6)
    chosen = select(duels, ["a", "a", "a", "a", "a", "b"], 2, weights=Weights(0, 0, 1))
    assert {("a", "a", "a", "a", "a", "b")[each.place] for each in chosen} == {"a", "b"}
    assert len({each.place for each in select(duels, list("aaaaab"), 99)}) == 6


def test_predictions_must_be_probabilities() -> None:
    with pytest.raises(BadInput, match="0 to 1"):
        select(_duels(2), ["a", "b"], 1, predicted=np.array([[2.0, 0.1]]))
