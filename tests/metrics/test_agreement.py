import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from semanticface.errors import BadInput
from semanticface.metrics.agreement import (
    Comparison,
    Round,
    bradley_terry,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    oracle_drift,
    win_rate,
)
from semanticface.metrics.statistics import wilson

NAN = float("nan")


@pytest.mark.parametrize(
    ("policy", "won", "judged"), [("half", 7, 10), ("drop", 6, 8), ("loss", 6, 10)]
)
def test_what_a_tie_is_worth_is_said(policy, won, judged):
    found = win_rate(6, 2, 2, policy=policy)
    assert found[:3] == wilson(won, judged)[:3]
    assert found.method == f"wilson, ties {policy}"


def test_a_win_rate_without_verdicts_is_undefined():
    assert np.isnan(win_rate(0, 0, 3, policy="drop").estimate)


def tournament(wins, rater="r"):
    """Comparisons from {(winner, loser): times}, each by a rater of its own."""
    return [
        Comparison(one, other, 1, f"{rater}{i}")
        for (one, other), times in wins.items()
        for i in range(times)
    ]


def by_iteration(wins, names):
    """Bradley-Terry by Zermelo's iteration, log strengths of mean 0."""
    table = np.array([[wins.get((a, b), 0) for b in names] for a in names], float)
    strength = np.ones(len(names))
    for _ in range(5000):
        met = table + table.T
        strength = table.sum(axis=1) / (met / (strength[:, np.newaxis] + strength)).sum(axis=1)
        strength /= np.exp(np.log(strength).mean())
    return np.log(strength)


def test_strengths_agree_with_zermelos_iteration():
    wins = {
        ("a", "b"): 7,
        ("b", "a"): 3,
        ("b", "c"): 6,
        ("c", "b"): 4,
        ("a", "c"): 8,
        ("c", "a"): 2,
    }
    found = bradley_terry(tournament(wins), resamples=200)
    assert found.items == ("a", "b", "c")
    np.testing.assert_allclose(found.strength.estimate, by_iteration(wins, "abc"), atol=1e-6)
    assert (found.strength.low < found.strength.estimate).all()
    assert (found.strength.estimate < found.strength.high).all()


def test_two_things_differ_by_the_log_odds():
    found = bradley_terry(tournament({("a", "b"): 9, ("b", "a"): 3}), resamples=50)
    assert found.strength.estimate[0] - found.strength.estimate[1] == pytest.approx(np.log(3))


def test_a_tie_is_half_a_win_each():
    tied = [Comparison("a", "b", 0.5, f"{i}") for i in range(6)]
    found = bradley_terry([*tied, Comparison("b", "a", 0, "x")], resamples=50)
    assert found.strength.estimate[0] - found.strength.estimate[1] == pytest.approx(np.log(4 / 3))


def test_what_never_lost_has_no_strength_unless_asked_for():
    wins = tournament({("a", "b"): 5})
    with pytest.raises(BadInput, match="never lost or never won"):
        bradley_terry(wins)
    shrunk = bradley_terry(wins, alpha=0.1, resamples=50).strength.estimate
    assert np.isfinite(shrunk).all()
    assert shrunk[0] > shrunk[1]
    with pytest.raises(BadInput, match="nothing"):
        bradley_terry([])


def test_verdicts_need_a_cluster_and_a_score():
    with pytest.raises(BadInput, match="no cluster key"):
        bradley_terry([Comparison("a", "b", 1, None), Comparison("b", "a", 1, "x")])
    for wrong in (Comparison("a", "b", 2, "x"), Comparison("a", "a", 1, "x")):
        with pytest.raises(BadInput, match=r"score of 0, 0\.5 or 1"):
            bradley_terry([wrong])


def test_verdicts_of_few_raters_are_less_sure():
    """45 verdicts: each of another rater, or of nine raters who always say the same."""
    scores = [1] * 30 + [0] * 15
    alone = [Comparison("a", "b", score, f"rater {i}") for i, score in enumerate(scores)]
    nine = [Comparison("a", "b", score, f"rater {i // 5}") for i, score in enumerate(scores)]
    one, other = (bradley_terry(each, resamples=300).strength for each in (alone, nine))
    np.testing.assert_allclose(one.estimate, other.estimate)
    assert (one.clusters, other.clusters) == (45, 9)
    assert other.high[0] - other.low[0] > 1.5 * (one.high[0] - one.low[0])


@given(st.lists(st.tuples(*[st.sampled_from("abc")] * 2), min_size=1, max_size=20))
def test_cohens_kappa_agrees_with_scikit_learn(pairs):
    one, other = zip(*pairs, strict=True)
    if len({*one, *other}) == 1:
        assert np.isnan(cohen_kappa(one, other))
    else:
        assert cohen_kappa(one, other) == pytest.approx(cohen_kappa_score(one, other))


def test_cohens_kappa_needs_the_same_items():
    with pytest.raises(BadInput, match="2 and 1 ratings"):
        cohen_kappa("ab", "a")


PSYCHIATRY = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip
"""The worked example that goes with Fleiss' kappa: 14 raters, ten subjects, five categories."""


def test_fleiss_kappa_of_the_published_example():
    assert fleiss_kappa(np.array(PSYCHIATRY)) == pytest.approx(0.210, abs=0.0005)


def test_fleiss_kappa_at_its_ends():
    assert fleiss_kappa(np.array([[3, 0], [0, 3]])) == 1
    assert np.isnan(fleiss_kappa(np.array([[3, 0], [3, 0]])))
    with pytest.raises(BadInput, match="krippendorff_alpha allows missing"):
        fleiss_kappa(np.array([[3, 0], [1, 1]]))


CODERS = np.array([
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
])  # fmt: skip
"""Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C."""


@pytest.mark.parametrize(
    ("level", "alpha"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_krippendorffs_alpha_of_his_own_example(level, alpha):
    assert krippendorff_alpha(CODERS, level) == pytest.approx(alpha, abs=0.0005)


def test_krippendorffs_alpha_at_its_ends():
    assert krippendorff_alpha(np.array([[1, 2, 3], [1, 2, 3]])) == 1
    assert np.isnan(krippendorff_alpha(np.ones((2, 3))))
    with pytest.raises(BadInput, match="rated twice"):
        krippendorff_alpha(np.array([[1.0, NAN], [NAN, 2.0]]))


def test_drift_is_the_difference_of_the_win_rates():
    rng = np.random.default_rng(0)
    human = rng.integers(0, 2, 80).astype(float)
    pleased = np.where(rng.random(80) < 0.4, 1.0, human)
    human[:5] = NAN
    keys = [f"script {i % 16}" for i in range(80)]
    found = oracle_drift({1: Round(human, human, keys), 2: Round(pleased, human, keys)})
    assert found[1][:3] == (0, 0, 0)
    assert found[2].estimate == pytest.approx(pleased.mean() - np.nanmean(human))
    assert 0 < found[2].low < found[2].estimate < found[2].high
    assert found[2].clusters == 16


def test_drift_wants_verdicts_of_both():
    with pytest.raises(BadInput, match="shapes"):
        oracle_drift({1: Round(np.ones(3), np.ones(2), ["a"] * 3)})
    none = np.full(4, NAN)
    found = oracle_drift({1: Round(np.ones(4), none, ["a", "b", "c", "d"])})[1]
    assert np.isnan(found.estimate)
