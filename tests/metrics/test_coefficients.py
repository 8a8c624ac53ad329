import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr
from sklearn.metrics import (
    mean_absolute_error,
    mean_squared_error,
    precision_recall_fscore_support,
)

from semanticface import formats
from semanticface.errors import BadInput
from semanticface.metrics.coefficients import (
    Scores,
    Sums,
    active_channels,
    all_zero,
    constant,
    left_out_means,
    macro,
    pooled,
    previous_frame,
    scores,
    skill,
    stacked,
    sums,
)
from semanticface.metrics.grid import grid
from semanticface.rig import CHANNELS, COUNT, INDEX, NAMES, FaceClip, mirror, region_indices
from tests.metrics.faces_apart import pair, pairs

NAN = float("nan")
ROTATION = np.array([channel.unit == "radian" for channel in CHANNELS])


def score(pred, truth):
    return scores(sums(pred, truth))


def one_channel(name, pred, truth):
    """Scores of a face in which only one channel was measured."""
    tables = np.full((2, len(pred), COUNT), NAN)
    tables[0][:, INDEX[name]], tables[1][:, INDEX[name]] = pred, truth
    return scores(sums(*tables))


def at(scores, name):
    return Scores(*(float(field[INDEX[name]]) for field in scores))


def same(one, other, tolerance=1e-9):
    for name in one._fields:
        a, b = getattr(one, name), getattr(other, name)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)


def known(pred, truth, i):
    there = ~(np.isnan(pred[:, i]) | np.isnan(truth[:, i]))
    return pred[there, i].astype(float), truth[there, i].astype(float)


def test_errors_and_correlations_agree_with_scipy_and_scikit_learn():
    pred, truth = pair(holes=0.1)
    found = score(pred, truth)
    for i in range(COUNT):
        p, y = known(pred, truth, i)
        assert found.n[i] == len(p)
        assert found.mae[i] == pytest.approx(mean_absolute_error(y, p))
        assert found.mse[i] == pytest.approx(mean_squared_error(y, p))
        assert found.rmse[i] == pytest.approx(mean_squared_error(y, p) ** 0.5)
        assert found.bias[i] == pytest.approx((p - y).mean(), abs=1e-12)
        if y.std() > 1e-6:
            assert found.pearson[i] == pytest.approx(pearsonr(p, y).statistic)
        else:
            assert np.isnan(found.pearson[i])
            assert np.isnan(found.ccc[i])


def test_concordance_is_pearson_times_lins_bias_correction():
    pred, truth = pair()
    found = score(pred, truth)
    for i in np.flatnonzero(found.truth_std > 0):
        p, y = known(pred, truth, i)
        scale, shift = p.std() / y.std(), (p.mean() - y.mean()) / np.sqrt(p.std() * y.std())
        accuracy = 2 / (scale + 1 / scale + shift**2)
        assert found.ccc[i] == pytest.approx(pearsonr(p, y).statistic * accuracy)


@pytest.mark.parametrize(("level", "threshold"), [("10", 0.1), ("30", 0.3)])
def test_activations_agree_with_scikit_learn(level, threshold):
    pred, truth = pair()
    found = score(pred, truth)
    for i in range(52):
        shown = [x[:, i].astype(float) >= threshold - 1e-6 for x in (truth, pred)]
        precision, recall, f1, _ = precision_recall_fscore_support(
            *shown, average="binary", zero_division=np.nan
        )
        assert getattr(found, f"precision_{level}")[i] == pytest.approx(precision, nan_ok=True)
        assert getattr(found, f"recall_{level}")[i] == pytest.approx(recall, nan_ok=True)
        assert getattr(found, f"f1_{level}")[i] == pytest.approx(f1, nan_ok=True)


def test_a_value_said_as_the_threshold_is_shown_in_either_precision():
    said = np.array([0.1, 0.1, 0.3, 0.3])
    for table in (said, said.astype(np.float32), np.array([0.1, 0.1, 0.30000001, 0.2999999])):
        found = at(one_channel("jawOpen", table, said), "jawOpen")
        assert (found.precision_10, found.recall_10, found.recall_30) == (1, 1, 1)


def test_a_turn_the_other_way_is_a_false_alarm_and_a_miss():
    truth = np.array([0.4, 0.4, -0.4, 0.0])
    found = at(one_channel("headYaw", [0.4, -0.4, -0.4, 0.0], truth), "headYaw")
    assert found.precision_10 == found.recall_10 == pytest.approx(2 / 3)
    assert found.amplitude_ratio == pytest.approx(0.4 / 1.2)
    assert found.active_mae == pytest.approx(0.8 / 3)


def test_a_negative_weight_shows_nothing():
    found = at(one_channel("jawOpen", [-0.5, 0.5], [0.5, 0.5]), "jawOpen")
    assert (found.precision_10, found.recall_10) == (1, 0.5)


def test_active_frames_are_those_of_the_truth_above_tau():
    truth, pred = [0.04, 0.05, 0.06, 0.5], [1.0, 1.0, 0.01, 0.25]
    found = at(one_channel("jawOpen", pred, truth), "jawOpen")
    assert found.active_mae == pytest.approx((0.05 + 0.25) / 2)
    assert found.amplitude_ratio == pytest.approx(0.26 / 0.56)


def test_symmetry_error_is_that_of_the_difference_of_the_sides():
    pred, truth = pair()
    found = score(pred, truth)
    left, right = INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]
    p, y = (x.astype(float)[:, left] - x.astype(float)[:, right] for x in (pred, truth))
    assert found.symmetry_error[left] == pytest.approx(np.abs(p - y).mean())
    assert found.symmetry_error[right] == found.symmetry_error[left]
    assert np.isnan(found.symmetry_error[INDEX["jawOpen"]])


def test_a_pair_counts_where_both_sides_were_measured():
    pred, truth = pair()
    left, right = INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]
    whole = score(pred[50:], truth[50:]).symmetry_error[left]
    pred[:50, right] = NAN
    found = score(pred, truth)
    assert found.symmetry_error[left] == found.symmetry_error[right] == pytest.approx(whole)


def test_eyes_that_converge_alike_are_no_asymmetry():
    truth, pred = np.zeros((2, 3, COUNT))
    pred[:, INDEX["leftEyeYaw"]], pred[:, INDEX["rightEyeYaw"]] = 0.1, -0.1
    assert score(pred, truth).symmetry_error[INDEX["leftEyeYaw"]] == 0
    pred[:, INDEX["rightEyeYaw"]] = 0.1  # both look to the subject's right
    assert score(pred, truth).symmetry_error[INDEX["leftEyeYaw"]] == pytest.approx(0.2)


def test_what_is_undefined_is_nan_and_never_zero():
    still = at(one_channel("jawOpen", [0.1, 0.2, 0.3], [0.0, 0.0, 0.0]), "jawOpen")
    assert all(map(np.isnan, (still.pearson, still.ccc, still.recall_10, still.amplitude_ratio)))
    assert (still.precision_10, still.f1_10, still.active_mae) == (
        0,
        0,
        pytest.approx(NAN, nan_ok=True),
    )
    rest = at(one_channel("jawOpen", [0.0, 0.0], [0.0, 0.0]), "jawOpen")
    assert rest.mae == 0
    assert all(map(np.isnan, (rest.precision_10, rest.recall_10, rest.f1_10)))
    absent = at(one_channel("jawOpen", [0.0], [0.0]), "cheekPuff")
    assert absent.n == 0
    assert all(np.isnan(value) for name, value in absent._asdict().items() if name != "n")


def test_a_constant_off_the_binary_grid_stands_still_too():
    for rest in (0.1, 0.3, 0.7, 0.9, np.float32(0.3), 1e-7):
        found = at(one_channel("jawOpen", np.linspace(0, 1, 999), np.full(999, rest)), "jawOpen")
        assert np.isnan(found.pearson)
        assert np.isnan(found.ccc)
        assert found.truth_std == 0


def test_a_prediction_that_stands_still_has_no_pearson_and_a_concordance_of_zero():
    found = at(one_channel("jawOpen", np.full(50, 0.3), np.linspace(0, 1, 50)), "jawOpen")
    assert np.isnan(found.pearson)
    assert found.ccc == 0


@given(pairs(), st.randoms())
def test_the_order_of_frames_does_not_matter(both, random):
    pred, truth = both
    order = random.sample(range(len(pred)), len(pred))
    same(score(pred[order], truth[order]), score(pred, truth))


@given(pairs(), st.data())
def test_clips_pooled_are_as_one_clip(both, data):
    pred, truth = both
    cut = data.draw(st.integers(0, len(pred)))
    parts = [sums(pred[:cut], truth[:cut]), sums(pred[cut:], truth[cut:])]
    whole = score(pred, truth)
    same(scores(pooled(parts)), whole)
    same(scores(pooled(stacked(parts))), whole)
    by_weight = scores(pooled(stacked(parts), np.array([[1, 1], [2, 2]])))
    same(Scores(*(field[0] for field in by_weight)), whole)
    same(Scores(*(field[1] for field in by_weight))._replace(n=whole.n), whole)


@given(pairs())
def test_frames_without_values_are_as_if_absent(both):
    pred, truth = both
    lost = np.full((1, COUNT), NAN)
    longer = [np.concatenate([x[:1], lost, x[1:], lost]) for x in (pred, truth)]
    same(score(*longer), score(pred, truth))


@given(pairs())
def test_a_mirrored_face_has_mirrored_scores(both):
    flipped = [mirror(x) for x in both]
    found, plain = score(*flipped), score(*(x.astype(np.float32) for x in both))
    order = [INDEX[channel.mirror] for channel in CHANNELS]
    sign = np.array([channel.mirror_sign for channel in CHANNELS])
    turned = Scores(*(field[order] for field in plain))
    same(found, turned._replace(bias=turned.bias * sign), 1e-6)


def test_scores_belong_to_channels_not_to_places():
    pred, truth = pair()
    order = np.concatenate([np.random.default_rng(3).permutation(52), np.arange(52, COUNT)])
    found, plain = score(pred[:, order], truth[:, order]), score(pred, truth)
    for name in set(Scores._fields) - {"symmetry_error"}:
        np.testing.assert_allclose(getattr(found, name), getattr(plain, name)[order], atol=1e-12)


def test_missing_counts_a_truth_without_prediction_only():
    truth = np.array([0.1, 0.2, NAN, 0.4])
    found = at(one_channel("jawOpen", [0.1, NAN, 0.3, NAN], truth), "jawOpen")
    assert (found.n, found.missing) == (1, pytest.approx(2 / 3))


def test_active_channels_by_height_and_spread():
    frames = np.zeros((100, COUNT))
    frames[50:, INDEX["jawOpen"]] = 0.3
    frames[:, INDEX["mouthClose"]] = 0.3  # high, but still
    frames[97:, INDEX["eyeBlinkLeft"]] = 1.0  # too rare
    frames[50:, INDEX["headYaw"]] = -0.2  # a rotation, by magnitude
    frames[:, INDEX["tongueOut"]] = NAN
    assert [NAMES[i] for i in np.flatnonzero(active_channels(frames))] == ["jawOpen", "headYaw"]
    np.testing.assert_array_equal(
        active_channels([frames[:30], frames[30:]]), active_channels(frames)
    )


def test_active_channels_of_a_real_take_are_those_that_inspect_shows(shared):
    from semanticface.formats.survey import channel_rows

    clip = formats.read(shared / "livelink" / "apfel.csv")
    shown = {row.name for row in channel_rows(clip) if row.active}
    assert {NAMES[i] for i in np.flatnonzero(active_channels(clip.values))} == shown
    assert 5 < len(shown) < 55


def test_macro_means_correlations_over_active_and_errors_over_all_weights():
    pred, truth = pair()
    active = active_channels(truth)
    found, each = macro(score(pred, truth), active), score(pred, truth)
    assert found.mean.mae == pytest.approx(each.mae[:52].mean())
    assert found.channels.mae == 52
    assert found.mean.ccc == pytest.approx(each.ccc[active & ~ROTATION].mean())
    assert found.channels.ccc == (active & ~ROTATION).sum()
    mouth = macro(each, active, "mouth")
    assert mouth.mean.mae == pytest.approx(each.mae[list(region_indices("mouth"))].mean())


def test_macro_does_not_add_radians_to_weights():
    each = score(*pair())
    active = np.ones(COUNT, np.bool_)
    assert macro(each, active, "upper").channels.mae == sum(
        not ROTATION[i] for i in region_indices("upper")
    )
    assert macro(each, active, "head").mean.mae == pytest.approx(each.mae[52:55].mean())


def test_a_dead_channel_lowers_the_macro_correlation():
    pred, truth = pair()
    truth[:, :52] = truth[:, [INDEX["jawOpen"]]] + np.linspace(0, 1, len(truth))[:, np.newaxis]
    pred[:, :52] = truth[:, :52]
    pred[:, INDEX["jawOpen"]] = 0.3
    active = active_channels(truth)
    found = macro(score(pred, truth), active)
    assert found.still == 1
    assert found.mean.pearson == pytest.approx(51 / 52)
    assert found.mean.ccc == pytest.approx(51 / 52)


def test_skill_against_a_baseline():
    np.testing.assert_allclose(
        skill(np.array([0.0, 0.1, 0.2]), np.array([0.2, 0.1, 0.1])), [1, 0, -1]
    )
    assert np.isnan(skill(0.1, 0.0))


def test_baselines_stand_where_the_truth_does():
    truth = np.arange(4 * COUNT, dtype=float).reshape(4, COUNT)
    truth[2, 5] = NAN
    hole = np.isnan(truth)
    assert (all_zero(truth)[~hole] == 0).all()
    mean = constant(np.arange(COUNT), truth)
    np.testing.assert_array_equal(mean[0], np.arange(COUNT))
    for made in (all_zero(truth), mean):
        np.testing.assert_array_equal(np.isnan(made), hole)
    late = previous_frame(truth)
    assert np.isnan(late[0]).all()
    np.testing.assert_array_equal(late[1:], truth[:-1])


def test_left_out_means_know_nothing_of_their_own_cluster():
    _, truth = pair(90)
    parts = [truth[:20], truth[20:50], truth[50:]]
    means = left_out_means(stacked([sums(part, part) for part in parts]))
    np.testing.assert_allclose(means[1], np.concatenate([parts[0], parts[2]]).mean(0, np.float64))
    with pytest.raises(BadInput, match="two or more clusters"):
        left_out_means(sums(truth, truth))


def test_bad_tables_are_refused():
    good = np.zeros((3, COUNT))
    with pytest.raises(BadInput, match="2 predicted frames against 3"):
        sums(good[:2], good)
    with pytest.raises(BadInput, match="shape"):
        sums(good[:, :52], good[:, :52])
    bad = good.copy()
    bad[1, INDEX["jawOpen"]] = np.inf
    with pytest.raises(BadInput, match="row 1, column jawOpen"):
        sums(bad, good)
    with pytest.raises(BadInput, match="leading cluster axis"):
        pooled(sums(good, good))
    with pytest.raises(BadInput, match="at least one"):
        pooled([])


def test_a_take_against_itself_is_perfect(shared):
    clip = formats.read(shared / "livelink" / "alex_rom_3.csv")
    found = macro(score(clip.values, clip.values), active_channels(clip.values))
    assert (found.mean.mae, found.still) == (0, 0)
    assert found.mean.ccc == pytest.approx(1)
    assert found.mean.amplitude_ratio == pytest.approx(1)
    assert found.mean.f1_30 == 1


def test_mirroring_a_real_take_shows_in_the_symmetry(shared):
    clip = formats.read(shared / "livelink" / "alex_rom_3.csv")
    plain = macro(score(clip.values, clip.values), active_channels(clip.values))
    turned = macro(score(clip.mirrored().values, clip.values), active_channels(clip.values))
    assert plain.mean.symmetry_error == 0 < turned.mean.symmetry_error


def test_sums_have_the_fields_of_a_face():
    assert all(field.shape == (COUNT,) for field in sums(*pair()))
    assert all(field.shape == (2, COUNT) for field in stacked([sums(*pair()), sums(*pair())]))
    assert isinstance(pooled([sums(*pair())]), Sums)


def test_answers_in_tenths_are_on_the_grid():
    rng = np.random.default_rng(0)
    said = np.rint(rng.random((50, COUNT)) * 10) / 10
    said[:, :40] = 0
    said[0, 0] = NAN
    found = grid(said.astype(np.float32))
    assert (found.share, found.share_nonzero, found.levels) == (1, 1, 11)
    assert found.values == said.size - 1
    assert 0.65 < found.zeros < 0.75
    measured = grid(rng.random((500, COUNT)))
    assert measured.share == pytest.approx(0.002, abs=0.001)
    assert measured.levels > 9000
    assert np.isnan(grid(np.full(3, NAN)).share)


def test_a_real_take_is_not_on_the_grid(shared):
    found = grid(formats.read(shared / "livelink" / "S07-001.csv").values)
    assert found.share_nonzero < 0.02
    assert found.levels > 1000


def test_a_clips_values_go_in_as_they_are():
    clip = FaceClip.of(np.zeros((4, COUNT)))
    assert score(clip.values, clip.values).mae.sum() == 0
