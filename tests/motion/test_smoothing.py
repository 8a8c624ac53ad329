"""Filters keep peaks, times and gaps, and take tremor."""

from __future__ import annotations

import numpy as np
import pytest
from faces import clips
from hypothesis import given
from scipy import signal

from semanticface import formats
from semanticface.errors import BadInput
from semanticface.metrics.retention import peak_retention
from semanticface.metrics.temporal import jitter
from semanticface.motion.align import best_lag
from semanticface.motion.filters import Lowpass, Savgol, savgol, zero_phase
from semanticface.motion.one_euro import ONE_EURO, OneEuro, OneEuroSettings, one_euro
from semanticface.motion.regions import by_channel
from semanticface.motion.rehearsal import perform
from semanticface.rig import CHANNELS, COUNT, INDEX, FaceClip, region_indices

METHODS = (savgol, zero_phase, one_euro)
TAKES = ("S07-001", "alex_rom_3", "apfel")
LIVELY = (*region_indices("eye"), *region_indices("mouth", "jaw", "brow"))


@pytest.mark.parametrize("method", METHODS)
@given(clip=clips())
def test_nothing_becomes_a_number_and_no_number_gets_lost(method, clip):
    after = method(clip)
    np.testing.assert_array_equal(np.isnan(after.values), np.isnan(clip.values))
    np.testing.assert_array_equal(after.times, clip.times)
    assert len(after.meta.conventions) == len(clip.meta.conventions) + 1


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_face_stays_as_it_is(method):
    clip = FaceClip.of(np.full((90, COUNT), 0.3), rate=60.0)
    np.testing.assert_allclose(method(clip).values, 0.3, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", TAKES)
def test_peaks_of_a_real_take_keep_their_height_and_tremor_goes(shared, name, method):
    clip = formats.read(shared / "livelink" / f"{name}.csv")
    after = method(clip)
    kept, peaks = peak_retention(clip, after)
    for region in ("eye", "mouth", "jaw", "brow"):
        chosen = [i for i in region_indices(region) if peaks[i]]
        assert sum(kept[i] * peaks[i] for i in chosen) / peaks[chosen].sum() > 0.95, region
    for blink in ("eyeBlinkLeft", "eyeBlinkRight"):
        assert kept[INDEX[blink]] > 0.95
    before, now = (np.nanmean(jitter(each).per_frame[:52]) for each in (clip, after))
    assert now < 0.9 * before


@pytest.mark.parametrize("method", [savgol, zero_phase])
def test_looking_both_ways_moves_nothing_in_time(shared, method):
    clip = formats.read(shared / "livelink" / "S07-001.csv")[:1000]
    assert abs(best_lag(method(clip), clip).seconds) < 0.001


def test_one_euro_is_late_but_within_its_bound(shared):
    clip = formats.read(shared / "livelink" / "S07-001.csv")[:1000]
    after = one_euro(clip)
    assert 0 < best_lag(after, clip).seconds < 0.02
    assert "up to 80 ms behind" in after.meta.conventions[-1]


@pytest.mark.parametrize("beta", [0.0, 3.0])
def test_on_a_ramp_one_euro_is_behind_by_one_over_two_pi_cutoff(beta):
    slope, dt = 0.4, 1 / 200
    times = np.arange(0, 3, dt)
    clip = FaceClip.of(np.repeat((slope * times)[:, None], COUNT, axis=1), times)
    setting = OneEuroSettings(2.0, beta, 5.0)
    after = one_euro(clip, {"all": setting})
    behind = (clip.values[-1, 0] - after.values[-1, 0]) / slope
    # at rest on the ramp: cutoff = min + beta slope (1 + behind / dt), behind = 1 / (2 pi cutoff)
    half = (setting.min_cutoff + beta * slope) / 2
    cutoff = half + np.sqrt(half**2 + beta * slope / (2 * np.pi * dt))
    assert behind == pytest.approx(1 / (2 * np.pi * cutoff), rel=0.01)
    assert behind <= setting.delay * 1.001


def test_one_euro_without_beta_is_scipys_first_order_filter():
    rng = np.random.default_rng(1)
    clip = FaceClip.of(rng.uniform(0, 1, (200, COUNT)), rate=50.0)
    after = one_euro(clip, {"all": OneEuroSettings(3.0, 0.0)})
    a = 1 / (1 + 50 / (2 * np.pi * 3.0))
    start = (1 - a) * clip.values[:1].astype(float)
    expected, _ = signal.lfilter([a], [1, a - 1], clip.values.astype(float), axis=0, zi=start)
    np.testing.assert_allclose(after.values, expected, atol=1e-6)


@given(clip=clips(most=20))
def test_streaming_gives_what_the_whole_clip_gives(clip):
    stream = OneEuro()
    rows = [stream.step(t, row) for t, row in zip(clip.times, clip.values, strict=True)]
    np.testing.assert_array_equal(np.array(rows), one_euro(clip).values)
    low, high = np.fmin.reduce(clip.values, axis=0), np.fmax.reduce(clip.values, axis=0)
    known = np.isfinite(low)
    assert (np.array(rows) >= low - 1e-6)[:, known][~np.isnan(rows)[:, known]].all()
    assert (np.array(rows) <= high + 1e-6)[:, known][~np.isnan(rows)[:, known]].all()


def test_streaming_starts_anew_after_a_loss_and_after_a_pause():
    stream = OneEuro({"all": OneEuroSettings(0.5, 0.0)})
    low, high = np.zeros(COUNT), np.ones(COUNT)
    stream.step(0.0, low)
    assert stream.step(0.03, high).max() < 0.2
    lost = high.copy()
    lost[3] = np.nan
    out = stream.step(0.06, lost)
    assert np.isnan(out[3])
    assert not np.isnan(np.delete(out, 3)).any()
    assert stream.step(0.09, high)[3] == 1.0
    assert stream.step(9.0, low).max() == 0.0
    stream.reset()
    assert stream.step(0.0, high).min() == 1.0
    assert stream.step(0.0, low).min() == 1.0  # no time passed: nothing to go by
    with pytest.raises(BadInput, match="do not fall"):
        stream.step(-1.0, low)
    with pytest.raises(BadInput, match=r"\(61,\)"):
        stream.step(1.0, low[:5])
    with pytest.raises(BadInput, match="seconds"):
        stream.step(float("nan"), low)


def noisy(frames: int = 120, rate: float = 60.0) -> FaceClip:
    rng = np.random.default_rng(2)
    return FaceClip.of(rng.uniform(0.3, 0.7, (frames, COUNT)), rate=rate)


def test_savgol_is_scipys_on_even_frames():
    clip = noisy()
    after = savgol(clip, {"all": Savgol(9, 3, "frames")})
    expected = signal.savgol_filter(clip.values.astype(float), 9, 3, axis=0)
    np.testing.assert_allclose(after.values, expected, atol=1e-6)
    same = savgol(clip, {"all": Savgol(0.15, 3)})
    np.testing.assert_array_equal(same.values, after.values)


def test_zero_phase_is_scipys_on_even_frames():
    clip = noisy()
    after = zero_phase(clip, {"all": Lowpass(7.0, 3)})
    b, a = signal.butter(3, 7.0, fs=60.0)
    expected = signal.filtfilt(b, a, clip.values.astype(float), axis=0, padlen=15)
    np.testing.assert_allclose(after.values, expected, atol=1e-4)


@pytest.mark.parametrize("method", [savgol, zero_phase])
def test_each_unbroken_stretch_is_filtered_for_itself(method):
    clip = noisy()
    values = clip.values.copy()
    values[60] = np.nan
    values[64:70] = np.nan
    after = method(clip.with_values(values))
    np.testing.assert_array_equal(after.values[:60], method(clip[:60]).values)
    np.testing.assert_array_equal(after.values[70:], method(clip[70:]).values)
    np.testing.assert_array_equal(after.values[61:64], values[61:64])
    assert "1 stretches (3 frames) too short to filter, left alone" in after.meta.conventions[-1]


@pytest.mark.parametrize("method", [savgol, zero_phase])
def test_a_missing_frame_is_said_or_refused(method):
    clip = perform()[:60]
    kept = np.ones(60, np.bool_)
    kept[30] = False
    after = method(clip[kept])
    assert "uneven, filtered on even steps and taken back" in after.meta.conventions[-1]
    whole = method(clip)
    np.testing.assert_allclose(after.values[:25], whole.values[kept][:25], atol=0.02)
    with pytest.raises(BadInput, match="uneven steps"):
        method(clip[kept], uneven="refuse")
    assert "uneven" not in method(clip, uneven="refuse").meta.conventions[-1]


def test_overshoot_is_held_and_counted_but_not_what_the_source_reached():
    step = np.zeros((80, COUNT))
    step[40:] = 1.0
    after = zero_phase(FaceClip.of(step, rate=60.0))
    assert after.values[:, :52].min() >= 0
    assert after.values[:, :52].max() <= 1
    assert "values held within their range" in after.meta.conventions[-1]
    high = noisy()
    high = high.with_values(high.values + 0.5)  # up to 1.2, as trackers now and then give
    after = savgol(high)
    assert after.values.max() > 1.0
    assert (after.values <= np.maximum(high.values.max(axis=0), 1) + 1e-6)[:, :52].all()


def test_settings_of_the_narrower_word_win_and_those_given_go_over_the_defaults():
    chosen = by_channel({"eyeBlinkLeft": 4, "eye": 3, "all": 1, "upper": 2})
    assert [chosen[INDEX[n]] for n in ("eyeBlinkLeft", "eyeBlinkRight", "browInnerUp")] == [4, 3, 2]
    assert chosen[INDEX["jawOpen"]] == 1
    assert set(by_channel({"eye": 1}, {"all": 2})) == {2}
    clip = noisy()
    after = savgol(clip, {"eyeBlinkLeft": None, "head": None})
    same = [i for i in range(COUNT) if np.array_equal(after.values[:, i], clip.values[:, i])]
    assert same == [INDEX["eyeBlinkLeft"], *region_indices("head")]
    assert "eyeBlinkLeft/head off" in after.meta.conventions[-1].replace(
        "head/eyeBlinkLeft", "eyeBlinkLeft/head"
    )
    with pytest.raises(BadInput, match="Did you mean 'mouth'"):
        savgol(clip, {"muoth": None})


def test_a_filter_that_the_rate_cannot_hold_says_so():
    clip = noisy(rate=10.0)
    for method in (savgol, zero_phase):
        told = method(clip).meta.conventions[-1]
        assert "too slow for this filter, left alone" in told


def test_mirroring_first_or_last_is_the_same():
    clip = perform()
    for method in METHODS:
        one, other = method(clip).mirrored(), method(clip.mirrored())
        np.testing.assert_allclose(one.values, other.values, atol=1e-6)


@pytest.mark.parametrize("wrong", [
    lambda: Savgol(0.0), lambda: Savgol(4, 2, "frames"), lambda: Savgol(0.1, -1),
    lambda: Lowpass(0.0), lambda: Lowpass(float("nan")), lambda: Lowpass(3.0, 0),
    lambda: OneEuroSettings(0.0, 1.0), lambda: OneEuroSettings(1.0, -1.0),
])  # fmt: skip
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(BadInput):
        wrong()


def test_the_defaults_name_every_channel():
    assert len(CHANNELS) == COUNT
    assert None not in by_channel(ONE_EURO)
