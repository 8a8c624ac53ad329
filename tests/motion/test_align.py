"""A planted lag is found again."""

from __future__ import annotations

import numpy as np
import pytest

from semanticface import formats
from semanticface.errors import BadInput
from semanticface.motion.align import CUES, aligned, best_lag
from semanticface.motion.rehearsal import perform
from semanticface.motion.resample import resample
from semanticface.rig import COUNT, FaceClip

TAKES = ("S07-001", "alex_rom_3", "apfel")


@pytest.mark.parametrize("planted", [0.08, -0.08, 0.013, 0.0])
@pytest.mark.parametrize("name", TAKES)
def test_a_lag_planted_in_a_real_take_is_found_within_5_ms(shared, name, planted):
    """The takes run at 30 fps, so they are brought to 60; the late one is noisy besides."""
    clip = formats.read(shared / "livelink" / f"{name}.csv")[:1200]
    truth = resample(clip, rate=60.0, way="pchip")
    late = resample(truth.shifted(planted), truth.times)
    noise = np.random.default_rng(7).normal(0, 0.02, late.values.shape)
    found = best_lag(late.with_values(late.values + noise), truth)
    assert found.seconds == pytest.approx(planted, abs=0.005)
    assert found.at_best >= found.at_zero - 1e-9
    assert set(found.cues) == set(CUES)


def test_positive_is_late_and_moving_it_back_aligns():
    clip = perform(seed=3)
    late = clip.shifted(0.21)
    found = best_lag(late, clip)
    assert found.seconds == pytest.approx(0.21, abs=0.003)
    assert "210 ms late" in str(found)
    moved = aligned(late, found)
    assert best_lag(moved, clip).seconds == pytest.approx(0, abs=0.003)
    assert "moved by -21" in moved.meta.conventions[-1]


def test_different_rates_do_not_matter():
    clip = perform(seed=4)
    coarse = resample(clip.shifted(0.1), rate=17.0)
    assert best_lag(coarse, clip).seconds == pytest.approx(0.1, abs=0.01)


def test_swapping_the_clips_turns_the_sign():
    clip = perform(seed=5)
    there, back = best_lag(clip.shifted(0.06), clip), best_lag(clip, clip.shifted(0.06))
    assert there.seconds == pytest.approx(-back.seconds, abs=1e-3)


def test_the_curve_at_zero_is_pearson_on_the_shared_frames():
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 1, (300, COUNT)).astype(np.float32)
    other = values * 0.5 + rng.uniform(0, 0.5, values.shape).astype(np.float32)
    a, b = FaceClip.of(values, rate=60.0), FaceClip.of(other, rate=60.0)
    found = best_lag(a, b, channels=["jawOpen"])
    expected = np.corrcoef(a.column("jawOpen"), b.column("jawOpen"))[0, 1]
    assert found.at_zero == pytest.approx(expected, abs=1e-4)


def test_a_face_that_does_not_move_has_no_lag():
    clip = perform()
    still = clip.with_values(np.where(np.isnan(clip.values), np.nan, 0.25))
    found = best_lag(still, clip)
    assert np.isnan([found.seconds, found.at_zero, found.at_best]).all()
    assert found.still == CUES
    assert "nothing moves" in str(found)
    assert aligned(still, found) == still


def test_a_cue_that_is_missing_is_left_out_and_named():
    clip = perform()
    found = best_lag(clip.select("eye").shifted(0.05), clip)
    assert found.still == ("jawOpen",)
    assert found.seconds == pytest.approx(0.05, abs=0.003)


def test_a_lag_beyond_the_search_is_marked():
    clip = perform(seed=1)
    assert best_lag(clip.shifted(0.2), clip, within=0.1).at_edge


def test_clips_too_far_apart_and_wrong_channels_are_refused():
    clip = perform()
    with pytest.raises(BadInput, match="overlap in time"):
        best_lag(clip.shifted(1000), clip)
    with pytest.raises(BadInput, match="seconds above zero"):
        best_lag(clip, clip, within=0)
    with pytest.raises(KeyError, match="Did you mean 'jawOpen'"):
        best_lag(clip, clip, channels=["jawOpne"])
