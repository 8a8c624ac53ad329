"""Figures over takes: what pools, what is bounded, what a single take cannot say."""

from __future__ import annotations

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.evaluation import summary
from semanticface.evaluation.baselines import guess, means_of_others
from semanticface.evaluation.comparisons import compare
from semanticface.evaluation.tally import HEADLINE, headline, tally
from semanticface.metrics.coefficients import active_channels
from semanticface.motion.sequences import sample_clip
from semanticface.rig import FaceClip, concatenate

SURE = summary.Sureness(resamples=200)


def takes(count: int, seconds: float = 8) -> list[FaceClip]:
    return [sample_clip(seconds, 30, seed=seed) for seed in range(count)]


def noisy(clip: FaceClip, size: float, seed: int) -> FaceClip:
    noise = np.random.default_rng(seed).normal(0, size, clip.values.shape)
    return clip.with_values(clip.values + noise)


def test_the_headline_of_parts_is_that_of_the_whole():
    clips = takes(3)
    preds = [noisy(clip, 0.05, i) for i, clip in enumerate(clips)]
    active = active_channels([clip.values for clip in clips])
    parts = [tally(p, y) for p, y in zip(preds, clips, strict=True)]
    scored = summary.clustered(parts, ["a", "b", "c"])
    pooled = summary.headline_figures(scored, active, SURE)
    table = np.concatenate([p.values for p in preds]), np.concatenate([y.values for y in clips])
    once = headline(
        summary.clustered([tally(FaceClip.of(table[0]), FaceClip.of(table[1]))], ["x"]).tallies,
        active,
    )[0]
    for name in ("mae", "rmse", "pearson", "ccc", "f1_10", "amplitude_ratio", "bias"):
        assert pooled[name].value == pytest.approx(once[HEADLINE.index(name)], rel=1e-9), name


def test_a_single_take_has_no_interval_and_says_why():
    clip = takes(1)[0]
    scored = summary.clustered([tally(noisy(clip, 0.05, 0), clip)], ["only"])
    figure = summary.headline_figures(scored, active_channels(clip.values), SURE)["mae"]
    assert figure.value is not None
    assert figure.low is None
    assert "one take" in figure.caution


def test_takes_without_a_key_are_refused():
    clip = takes(1)[0]
    with pytest.raises(BadInput, match="cluster key"):
        summary.clustered([tally(clip, clip)] * 2, ["a", None])


def test_intervals_stay_where_the_metric_can_be():
    clips = takes(3)
    scored = summary.clustered([tally(noisy(c, 0.02, i), c) for i, c in enumerate(clips)], "abc")
    found = summary.headline_figures(scored, active_channels([c.values for c in clips]), SURE)
    assert found["pearson"].high <= 1
    assert found["mae"].low >= 0


def test_the_mean_to_guess_is_that_of_the_others():
    clips = takes(3)
    means, name = means_of_others(clips, ["a", "b", "c"])
    others = np.concatenate([clips[1].values, clips[2].values]).astype(np.float64)
    assert name == "mean of other takes"
    assert np.allclose(means["a"], others.mean(axis=0))
    alone, called = means_of_others(clips[:1], ["a"])
    assert np.allclose(alone["a"], clips[0].values.astype(np.float64).mean(axis=0))
    assert "knows" in called


def test_skill_is_zero_for_the_guess_itself():
    clips = takes(3)
    means, _ = means_of_others(clips, ["a", "b", "c"])
    active = active_channels([clip.values for clip in clips])
    for kind, column in (("zero", "skill_zero"), ("mean", "skill_mean")):
        parts = [
            tally(guess(kind, clip, means[key]), clip, means[key])
            for clip, key in zip(clips, "abc", strict=True)
        ]
        found = summary.headline_figures(summary.clustered(parts, "abc"), active, SURE)
        assert found[column].value == pytest.approx(0, abs=1e-9)


def compared(sizes: tuple[float, float], count: int, seed: int, margin: float | None = None):
    clips = takes(count, seconds=3)
    triples = [
        (noisy(c, sizes[0], 1000 * seed + i), noisy(c, sizes[1], 7 + 1000 * seed + count + i), c)
        for i, c in enumerate(clips)
    ]
    keys = [f"take {i}" for i in range(count)]
    active = active_channels([clip.values for clip in clips])
    return compare(("one", "other"), triples, keys, active, margin=margin, sure=SURE)


def test_a_planted_difference_is_found_and_sized():
    found = compared((0.05, 0.04), 6, 0)
    assert found.difference.low > 0
    expected = (0.05 - 0.04) * np.sqrt(2 / np.pi)
    assert found.difference.value == pytest.approx(expected, rel=0.05)
    assert "worse" in found.verdict
    assert found.p == pytest.approx(2 / 2**6)
    best = min(each.p_holm for each in found.channels.values())
    assert best >= found.p, "correction never makes p smaller"


def test_no_difference_is_equivalent_within_a_wide_margin_only():
    assert compared((0.05, 0.05), 6, 1, margin=0.01).equivalent is True
    assert compared((0.05, 0.04), 6, 1, margin=0.001).equivalent is False


@pytest.mark.slow
def test_a_null_is_rarely_called_a_difference():
    """The 95 % interval of six takes misses zero in about one of twenty nulls."""
    wrong = sum(
        not (found.difference.low <= 0 <= found.difference.high)
        for found in (compared((0.05, 0.05), 6, seed) for seed in range(60))
    )
    assert wrong <= 9, "binomial(60, 0.05) exceeds 9 in one of a thousand"


def test_means_over_clusters_count_every_cluster_once():
    values = np.array([1.0, 1.0, 1.0, 5.0, np.nan])
    figure = summary.mean_over_clusters(values, ["a", "a", "a", "b", "c"], SURE)
    assert figure.value == pytest.approx(3.0)
    assert figure.clusters == 2
    assert figure.n == 4


def test_joined_takes_score_like_one_cluster():
    one, two = takes(2)
    joined = concatenate([one, two.shifted(100)])
    both = summary.clustered([tally(noisy(one, 0.05, 0), one), tally(noisy(two, 0.05, 1), two)],
                             ["s", "s"])  # fmt: skip
    assert both.names == ("s",)
    assert float(np.max(both.tallies.coefficients.frames)) == len(joined)
