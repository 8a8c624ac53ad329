import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, stdtrit

from semanticface.errors import BadInput
from semanticface.metrics.coefficients import Sums, macro, scores, stacked, sums
from semanticface.metrics.statistics import (
    by_key,
    cluster_bootstrap,
    holm,
    jackknife_t,
    paired_difference,
    t_interval,
    wilson,
)
from semanticface.rig import COUNT
from tests.metrics.faces_apart import pair

NAN = float("nan")


def mean(s):
    total, frames = s
    return total / frames


def takes(values):
    """Cluster sums of takes of one frame each."""
    return np.asarray(values, float), np.ones(len(values))


def widened(level, clusters):
    """The level at which a plain bootstrap has the tails of one widened for few clusters."""
    reach = np.sqrt(clusters / (clusters - 1)) * stdtrit(clusters - 1, (1 + level) / 2)
    return 2 * ndtr(reach) - 1


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_bootstrap_of_single_values_agrees_with_scipy(method):
    values = np.random.default_rng(4).exponential(size=30)
    found = cluster_bootstrap(takes(values), mean, resamples=20_000, method=method)
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, confidence_level=widened(0.95, 30),
        method={"bca": "BCa", "percentile": "percentile"}[method], random_state=5,
    ).confidence_interval  # fmt: skip
    width = theirs.high - theirs.low
    assert found.estimate == pytest.approx(values.mean())
    assert found.low == pytest.approx(theirs.low, abs=0.03 * width)
    assert found.high == pytest.approx(theirs.high, abs=0.03 * width)


def spread(s):
    total, square, frames = s
    return np.sqrt(square / frames - (total / frames) ** 2)


@pytest.mark.parametrize("method", ["bca", "percentile"])
@pytest.mark.parametrize(("clusters", "level"), [(6, 0.8), (25, 0.95)])
def test_bootstrap_of_a_biased_statistic_agrees_with_scipy(method, clusters, level):
    """A standard deviation: resamples lie too low, and few clusters need wide tails."""
    values = np.random.default_rng(6).normal(0, 1, clusters)
    table = (values, values**2, np.ones(clusters))
    found = cluster_bootstrap(table, spread, resamples=60_000, method=method, level=level)
    theirs = scipy.stats.bootstrap(
        (values,), np.std, n_resamples=60_000, confidence_level=widened(level, clusters),
        method={"bca": "BCa", "percentile": "percentile"}[method], random_state=5,
    ).confidence_interval  # fmt: skip
    width = theirs.high - theirs.low
    assert found.low == pytest.approx(theirs.low, abs=0.015 * width)
    assert found.high == pytest.approx(theirs.high, abs=0.015 * width)


def test_bca_leans_to_the_long_tail():
    values = np.random.default_rng(4).exponential(size=30)
    bca, plain = (
        cluster_bootstrap(takes(values), mean, method=m, resamples=4000)
        for m in ("bca", "percentile")
    )
    assert bca.low > plain.low
    assert bca.high > plain.high


def test_the_same_seed_gives_the_same_interval_and_another_gives_another():
    values = takes(np.random.default_rng(0).random(12))
    assert cluster_bootstrap(values, mean) == cluster_bootstrap(values, mean)
    assert cluster_bootstrap(values, mean) != cluster_bootstrap(values, mean, seed=1)


def test_drawing_in_pieces_changes_nothing(monkeypatch):
    values = takes(np.random.default_rng(0).random(12))
    whole = cluster_bootstrap(values, mean)
    monkeypatch.setattr("semanticface.metrics.statistics._CHUNK", 500)
    assert cluster_bootstrap(values, mean) == whole


def test_intervals_of_many_statistics_are_those_of_each():
    rng = np.random.default_rng(1)
    table, frames = rng.random((15, 4)), rng.integers(1, 9, 15).astype(float)
    sums_of = (table * frames[:, np.newaxis], frames[:, np.newaxis])
    found = cluster_bootstrap(sums_of, mean)
    for j in range(4):
        alone = cluster_bootstrap((sums_of[0][:, j], frames), mean)
        assert (found.estimate[j], found.low[j], found.high[j]) == pytest.approx(alone[:3])


@given(st.floats(0.1, 50), st.floats(-5, 5))
def test_an_interval_moves_with_the_unit(scale, shift):
    values = np.random.default_rng(2).random(9)
    plain = cluster_bootstrap(takes(values), mean, resamples=200)
    moved = cluster_bootstrap(takes(values * scale + shift), mean, resamples=200)
    expected = np.array(plain[:3]) * scale + shift
    np.testing.assert_allclose(moved[:3], expected, rtol=1e-6, atol=1e-6)


def test_a_long_take_counts_by_its_frames():
    found = cluster_bootstrap((np.array([10.0, 1.0]), np.array([10.0, 2.0])), mean)
    assert found.estimate == pytest.approx(11 / 12)
    assert (found.low, found.high) == pytest.approx((0.5, 1.0))


def test_takes_that_agree_leave_no_doubt():
    found = cluster_bootstrap(takes([0.25] * 6), mean)
    assert (found.low, found.high) == (0.25, 0.25)


def test_few_clusters_are_said_to_be_few():
    values = np.arange(1.0, 20)
    told = {k: cluster_bootstrap(takes(values[:k]), mean, resamples=50).caution for k in (3, 8, 12)}
    assert told[3] == ("3 clusters: a bootstrap covers at most 75%, not 95%; trust jackknife_t")
    assert "only 8 clusters" in told[8]
    assert told[12] == ""


def test_a_statistic_that_hangs_on_one_cluster_is_said_to():
    shown = np.zeros(12)
    shown[3] = 4.0

    def recall(s):
        return np.where(s[1] > 0, s[0] / np.maximum(s[1], 1), NAN)

    found = cluster_bootstrap((shown / 2, shown), recall)
    assert found.estimate == 0.5
    assert "undefined in up to 3" in found.caution  # (11 / 12)^12 is 35 %
    assert found.doubtful is True
    lost = cluster_bootstrap((np.zeros(12), np.zeros(12)), recall)
    assert np.isnan(lost.low) and lost.caution == ""


def test_clips_of_a_take_are_one_cluster():
    clips = [(np.array(float(i)), np.array(1.0)) for i in range(5)]
    found = by_key(clips, ["b", "a", "b", "c", "a"])
    assert found.names == ("b", "a", "c")
    np.testing.assert_array_equal(found.sums[0], [2, 5, 3])
    np.testing.assert_array_equal(found.sums[1], [2, 2, 1])


@pytest.mark.parametrize("lacking", [None, "", "  "])
def test_a_missing_cluster_key_is_an_error(lacking):
    with pytest.raises(BadInput, match="row 1: found no cluster key"):
        by_key([np.ones(2)] * 3, ["a", lacking, "b"])


def test_one_cluster_is_an_error():
    for interval in (cluster_bootstrap, jackknife_t):
        with pytest.raises(BadInput, match="found 1 cluster, expected at least 2"):
            interval(by_key([(np.array(1.0), np.array(2.0))] * 3, ["ann"] * 3).sums, mean)
    with pytest.raises(BadInput, match="at least 2"):
        t_interval(np.array([0.3]))


def test_sums_that_cannot_be_drawn_are_errors():
    with pytest.raises(BadInput, match="not finite"):
        cluster_bootstrap((np.array([1.0, NAN]), np.ones(2)), mean)
    with pytest.raises(BadInput, match="leading axes"):
        cluster_bootstrap((np.ones(3), np.ones(2)), mean)
    with pytest.raises(BadInput, match="5 cluster keys for 2"):
        by_key([1, 2], ["a"] * 5)
    with pytest.raises(BadInput, match="level of 95"):
        cluster_bootstrap(takes([1, 2, 3]), mean, level=95)


def test_t_interval_agrees_with_scipy():
    values = np.random.default_rng(1).random((7, 2))
    for j, (low, high) in enumerate(
        zip(t_interval(values).low, t_interval(values).high, strict=True)
    ):
        theirs = scipy.stats.ttest_1samp(values[:, j], 0).confidence_interval(0.95)
        assert (low, high) == pytest.approx((theirs.low, theirs.high))


def test_jackknife_of_a_plain_mean_is_the_t_interval():
    values = np.random.default_rng(1).random(7)
    assert jackknife_t(takes(values), mean)[:3] == pytest.approx(t_interval(values)[:3])


def test_pairing_takes_out_what_makes_a_take_hard():
    rng = np.random.default_rng(7)
    hard = rng.random(20) * 5
    one, other = hard + 0.2 + 0.01 * rng.standard_normal(20), hard
    found = paired_difference(takes(one), takes(other), mean)
    assert found.estimate == pytest.approx(0.2, abs=0.01)
    assert found.high - found.low < 0.03
    assert cluster_bootstrap(takes(one), mean).high - cluster_bootstrap(takes(one), mean).low > 1


def test_intervals_of_a_whole_face():
    parts = [pair(60, seed=k) for k in range(12)]
    table = by_key([sums(*part) for part in parts], [f"take {k}" for k in range(12)]).sums
    assert isinstance(table, Sums)
    active = np.ones(COUNT, np.bool_)
    found = cluster_bootstrap(
        table, lambda s: np.stack(macro(scores(s), active).mean, axis=-1), resamples=200
    )
    whole = sums(*(np.concatenate(side) for side in zip(*parts, strict=True)))
    np.testing.assert_allclose(found.estimate, np.stack(macro(scores(whole), active).mean))
    finite = ~np.isnan(found.low)
    assert finite.sum() > 15
    inside = (found.low <= found.estimate) & (found.estimate <= found.high)
    assert (inside | found.doubtful)[finite].all()
    each = cluster_bootstrap(table, lambda s: scores(s).mae, resamples=200)
    assert each.low.shape == (COUNT,)
    assert isinstance(stacked([sums(*parts[0])]), Sums)


@pytest.mark.parametrize("trials", [1, 10, 200])
def test_wilson_agrees_with_scipy(trials):
    for successes in {0, 1, trials // 3, trials}:
        theirs = scipy.stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")
        assert wilson(successes, trials)[1:3] == pytest.approx((theirs.low, theirs.high))


def test_wilson_without_trials_and_against_nonsense():
    assert all(np.isnan(wilson(0, 0)[:3]))
    assert wilson(0, 0).caution == "no trials"
    for successes, trials in ((3, 2), (-1, 2), (NAN, 2)):
        with pytest.raises(BadInput, match="successes"):
            wilson(successes, trials)


def test_holm_by_hand():
    # sorted: 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1, never falling
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.6, NAN, 0.02])), [0.6, NAN, 0.04])
    np.testing.assert_allclose(holm(np.array([0.9, 0.8])), [1, 1])
    with pytest.raises(BadInput, match="outside"):
        holm(np.array([1.2]))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_as_the_step_down_does(p_values):
    adjusted = holm(np.array(p_values))
    rejected = set()
    for step, i in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[i] * (len(p_values) - step) > 0.05:
            break
        rejected.add(int(i))
    assert set(np.flatnonzero(adjusted <= 0.05)) == rejected


@pytest.mark.slow
def test_intervals_cover_as_often_as_they_say():
    """400 studies of 20 takes of unequal length, whose frames resemble each other."""
    rng = np.random.default_rng(11)
    covered = {"bca": 0, "percentile": 0, "t": 0}
    for study in range(400):
        frames = rng.integers(50, 400, 20).astype(float)
        table = (rng.normal(3, 1, 20) * frames, frames)
        found = {
            "bca": cluster_bootstrap(table, mean, seed=study),
            "percentile": cluster_bootstrap(table, mean, seed=study, method="percentile"),
            "t": jackknife_t(table, mean),
        }
        for name, interval in found.items():
            covered[name] += interval.low <= 3 <= interval.high
    assert all(0.92 <= count / 400 <= 0.98 for count in covered.values()), covered


@pytest.mark.slow
def test_an_interval_over_frames_would_be_a_lie():
    """What clusters are for: 20 takes of 50 frames that only differ between takes."""
    rng = np.random.default_rng(12)
    covered = 0
    for study in range(100):
        frames = np.repeat(rng.normal(0, 1, 20), 50)
        found = cluster_bootstrap(takes(frames), mean, seed=study, resamples=200)
        covered += found.low <= 0 <= found.high
    assert covered < 40


def test_a_statistic_that_nearly_every_resample_lowers_is_doubtful():
    """The share of takes that were drawn at all, beside one that is not biased."""
    found = cluster_bootstrap(
        np.eye(12), lambda wins: np.stack([(wins > 0).mean(axis=-1), wins[..., 0] / 12], axis=-1)
    )
    assert found.doubtful.tolist() == [True, False]
    assert "one side of 1 of 2 estimates" in found.caution
    plain = cluster_bootstrap(takes(np.random.default_rng(0).normal(0, 1, 12)), mean)
    assert (plain.doubtful, plain.caution) == (False, "")


def test_an_end_beyond_the_pole_of_the_formula_is_the_farthest_resample():
    """One take of ten differs: strong acceleration, and tails far out for 3 clusters."""
    found = cluster_bootstrap(takes([0.0, 0.0, 9.0]), mean, level=0.99)
    assert (found.low, found.high) == pytest.approx((0, 9))


def test_a_jackknife_interval_stands_around_the_estimate():
    rng = np.random.default_rng(3)
    table = (rng.random(6), rng.integers(1, 50, 6).astype(float))
    found = jackknife_t(table, mean)
    left = [(table[0].sum() - table[0][k]) / (table[1].sum() - table[1][k]) for k in range(6)]
    error = np.sqrt(5 / 6 * ((left - np.mean(left)) ** 2).sum())
    assert found.estimate == pytest.approx(table[0].sum() / table[1].sum())
    assert found.high - found.estimate == pytest.approx(scipy.stats.t.ppf(0.975, 5) * error)
    assert found.estimate - found.low == pytest.approx(found.high - found.estimate)
