import itertools

import numpy as np
import pytest
import scipy.stats

from semanticface.errors import BadInput
from semanticface.metrics.significance import (
    equivalence,
    power,
    sign_flip,
    takes_needed,
    upper_spread,
)
from semanticface.metrics.statistics import holm, paired_difference

NAN = float("nan")


def test_sign_flips_by_hand():
    found = sign_flip(np.array([1.0, 2.0, 3.0]))
    assert (found.p, found.least, found.exact) == (2 / 8, 2 / 8, True)
    assert found.difference == 2
    assert sign_flip(np.array([1.0, -1.0])).p == 1
    assert sign_flip(np.zeros(4)).p == 1


def test_exact_sign_flips_agree_with_scipy():
    values = np.random.default_rng(0).normal(0.4, 1, 9)
    theirs = scipy.stats.permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flip(values).p == pytest.approx(theirs.pvalue)


def test_drawn_sign_flips_are_near_all_of_them():
    values = np.random.default_rng(0).normal(0.4, 1, 16)
    patterns = np.array(list(itertools.product([-1, 1], repeat=16)))
    exact = (np.abs(patterns @ values) >= abs(values.sum()) - 1e-9).mean()
    found = sign_flip(values)
    assert not found.exact
    assert found.p == pytest.approx(exact, abs=0.01)
    assert sign_flip(values).p == found.p
    assert found.least == pytest.approx(1e-4, rel=0.01)


def test_many_channels_at_once_and_one_without_values():
    values = np.random.default_rng(0).normal(0, 1, (8, 3))
    values[2, 1] = NAN
    found = sign_flip(values)
    assert found.p.shape == (3,)
    assert np.isnan(found.p[1])
    assert found.p[2] == sign_flip(values[:, 2]).p
    np.testing.assert_array_equal(np.isnan(holm(found.p)), [False, True, False])


def test_one_cluster_tells_nothing():
    for test in (sign_flip, lambda x: equivalence(x, 0.1), upper_spread):
        with pytest.raises(BadInput, match="at least 2"):
            test(np.array([0.3]))


def test_equivalence_is_two_t_tests():
    values = np.random.default_rng(3).normal(0.01, 0.05, 12)
    found = equivalence(values, 0.05)
    above = scipy.stats.ttest_1samp(values, -0.05, alternative="greater").pvalue
    below = scipy.stats.ttest_1samp(values, 0.05, alternative="less").pvalue
    assert found.p == pytest.approx(max(above, below))
    assert found.equivalent == (found.low > -0.05 and found.high < 0.05)
    inside = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((inside.low, inside.high))


def test_not_different_is_not_equal():
    values = np.array([0.4, -0.5, 0.3, -0.3])
    assert sign_flip(values).p > 0.5
    assert not equivalence(values, 0.1).equivalent
    assert equivalence(values, 2.0).equivalent


@pytest.mark.parametrize(("same", "margin", "equal"), [(0.0, 0.1, True), (0.2, 0.1, False)])
def test_equivalence_without_spread(same, margin, equal):
    assert equivalence(np.full(4, same), margin).equivalent is equal


def test_a_margin_has_to_be_declared():
    with pytest.raises(BadInput, match="margin 0"):
        equivalence(np.zeros(4), 0.0)


@pytest.mark.parametrize(("effect", "takes"), [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10)])
def test_takes_needed_are_those_of_the_published_tables(effect, takes):
    """Paired t test, two-sided 0.05, power 0.8, as G*Power and Cohen's tables give it."""
    assert takes_needed(effect, 1.0) == takes
    assert power(takes, effect, 1.0) >= 0.8 > power(takes - 1, effect, 1.0)


def test_power_without_a_difference_is_the_error_rate():
    assert power(10, 0.0, 1.0) == pytest.approx(0.05)
    assert power(1, 5.0, 1.0) == 0


def test_power_questions_without_an_answer():
    for difference, spread in ((0.0, 1.0), (0.1, 0.0), (NAN, 1.0), (1e-6, 1.0)):
        with pytest.raises(BadInput):
            takes_needed(difference, spread)


def test_upper_spread_of_few_takes():
    values = np.array([1.0, 2.0, 3.0])
    expected = np.sqrt(2 * values.var(ddof=1) / scipy.stats.chi2.ppf(0.2, 2))
    assert upper_spread(values) == pytest.approx(expected)
    assert expected == pytest.approx(2.117, abs=0.001)


def _difference(rng, planted):
    """Per-take sums of two sources on 20 takes; a take is hard for both."""
    frames = rng.integers(50, 400, 20).astype(float)
    hard = rng.gamma(4, 0.02, 20)
    errors = (hard + planted + rng.normal(0, 0.02, 20), hard)
    return [(each * frames, frames) for each in errors]


@pytest.mark.slow
def test_a_planted_difference_is_found_and_a_null_is_not_at_the_stated_rates():
    """400 studies of 20 takes each: 5 % false alarms, and the power that was foretold."""
    rng = np.random.default_rng(21)
    planted = 0.0132
    flips, intervals = {0.0: 0, planted: 0}, {0.0: 0, planted: 0}
    for study, size in itertools.product(range(400), (0.0, planted)):
        one, other = _difference(rng, size)
        apart = one[0] / one[1] - other[0] / other[1]
        flips[size] += sign_flip(apart, resamples=2000, seed=study).p <= 0.05
        found = paired_difference(one, other, lambda s: s[0] / s[1], seed=study, resamples=500)
        intervals[size] += not found.low <= 0 <= found.high
    foretold = power(20, planted, 0.02)
    assert foretold == pytest.approx(0.8, abs=0.01)
    assert 0.02 <= flips[0.0] / 400 <= 0.08
    assert 0.02 <= intervals[0.0] / 400 <= 0.09
    assert flips[planted] / 400 == pytest.approx(foretold, abs=0.06)
    assert intervals[planted] / 400 > 0.65  # frames weigh takes unequally, which costs power


@pytest.mark.slow
def test_equivalence_errs_as_rarely_as_it_says():
    """At the margin itself, equivalence is claimed in 5 % of studies."""
    rng = np.random.default_rng(22)
    claimed = sum(equivalence(rng.normal(0.5, 1, 20), 0.5).equivalent for _ in range(1000))
    near = sum(equivalence(rng.normal(0, 0.5, 20), 0.5).equivalent for _ in range(1000))
    assert 0.03 <= claimed / 1000 <= 0.07
    assert near / 1000 > 0.95
