import numpy as np
import pytest
import scipy.linalg

from semanticface.errors import BadInput
from semanticface.metrics.retrieval import frechet_distance, multimodal_distance, r_precision


def cloud(count=64, width=8, seed=0):
    return np.random.default_rng(seed).standard_normal((count, width))


def test_motions_at_their_own_texts_are_always_found():
    found = r_precision(cloud(), cloud(), repeats=2)
    np.testing.assert_array_equal(found.top, [1, 1, 1])
    assert found.pool == 32
    assert found.ranks.shape == (2, 64)


def test_motions_at_random_are_found_by_chance():
    found = r_precision(cloud(400), cloud(400, seed=1), repeats=10)
    np.testing.assert_allclose(found.top, np.array([1, 2, 3]) / 32, atol=0.02)


def test_embeddings_that_are_all_alike_find_nothing():
    assert (r_precision(np.ones((40, 3)), np.ones((40, 3))).top == 0).all()


def test_a_pool_of_everything_is_the_rank_among_all():
    m, t = cloud(20), cloud(20) + 0.8 * cloud(20, seed=2)
    apart = np.linalg.norm(m[:, np.newaxis] - t, axis=-1)
    ranks = (apart <= np.diag(apart)[:, np.newaxis]).sum(axis=1)
    found = r_precision(m, t, pool=20, repeats=3)
    for each in found.ranks:
        np.testing.assert_array_equal(each, ranks)


def test_rivals_are_others_and_drawn_by_seed():
    m, t = cloud(50), cloud(50) + cloud(50, seed=2)
    one, same, other = (r_precision(m, t, pool=4, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.ranks, same.ranks)
    assert (one.ranks != other.ranks).any()
    assert one.ranks.max() <= 4


def test_the_distance_of_pairs_by_hand():
    assert multimodal_distance(np.array([[0.0, 0], [1, 1]]), np.array([[3.0, 4], [1, 2]])) == 3


def test_frechet_distance_agrees_with_the_matrix_root():
    a, b = cloud(200), cloud(150, seed=5) * 1.5 + 0.3
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(ca @ cb).real
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a + 1) == pytest.approx(8)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(BadInput, match="20 pairs for a pool of 32"):
        r_precision(cloud(20), cloud(20))
    with pytest.raises(BadInput, match="twice"):
        multimodal_distance(cloud(3), cloud(4))
    with pytest.raises(BadInput, match="not finite"):
        multimodal_distance(np.full((2, 2), np.nan), np.ones((2, 2)))
    with pytest.raises(BadInput, match="sets of shapes"):
        frechet_distance(cloud(1), cloud(5))
