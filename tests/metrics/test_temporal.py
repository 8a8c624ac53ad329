"""Figures of movement against closed forms, SciPy, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from faces import clips
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from semanticface import formats
from semanticface.errors import BadInput
from semanticface.metrics.retention import peak_retention
from semanticface.metrics.temporal import (
    ROWS,
    figure,
    frozen,
    high_share,
    jitter,
    jitter_ratio,
    lag,
    log_spectral_distance,
    regularity,
    smoothness,
    spectrum,
    summary,
)
from semanticface.motion.filters import zero_phase
from semanticface.motion.rehearsal import perform
from semanticface.motion.resample import resample
from semanticface.rig import CHANNELS, COUNT, INDEX, FaceClip

MIRROR = np.array([INDEX[channel.mirror] for channel in CHANNELS])
TAKES = ("S07-001", "alex_rom_3", "apfel")


def sine(hertz: float, rate: float = 60.0, seconds: float = 20.0, size: float = 0.4) -> FaceClip:
    times = np.arange(round(seconds * rate)) / rate
    wave = 0.5 + size * np.sin(2 * np.pi * hertz * times + 0.3)
    return FaceClip.of(np.repeat(wave[:, None], COUNT, axis=1), times)


def noise(frames: int = 6000, rate: float = 60.0, seed: int = 0) -> FaceClip:
    values = np.random.default_rng(seed).normal(0.5, 0.05, (frames, COUNT))
    return FaceClip.of(values, rate=rate)


@pytest.mark.parametrize("hertz", [0.7, 2.3, 6.1])
@pytest.mark.parametrize("rate", [30.0, 60.0])
def test_jitter_of_a_sine_is_known(hertz, rate):
    """The second difference of A sin(wt) is -4 A sin(wh/2)^2 sin(wt); mean |sin| is 2/pi."""
    angle = 2 * np.pi * hertz
    found = jitter(sine(hertz, rate))
    plain = 4 * 0.4 * np.sin(angle / rate / 2) ** 2 * 2 / np.pi
    np.testing.assert_allclose(found.per_frame, plain, rtol=0.02)
    np.testing.assert_allclose(found.per_second, plain * rate**2, rtol=0.02)


def test_jitter_per_second_hardly_depends_on_the_rate_and_per_frame_does():
    slow, quick = jitter(sine(1.0, 30)), jitter(sine(1.0, 60))
    np.testing.assert_allclose(slow.per_second, quick.per_second, rtol=0.02)
    np.testing.assert_allclose(slow.per_frame, 4 * quick.per_frame, rtol=0.02)


def test_jitter_over_real_time_sees_a_parabola_through_an_irregular_clock():
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.030, 0.036, 80))
    clip = FaceClip.of(np.repeat((0.3 * times**2)[:, None], COUNT, axis=1), times)
    np.testing.assert_allclose(jitter(clip).per_second, 0.6, rtol=0.01)


def test_no_difference_is_taken_across_a_missing_frame_or_a_lost_value():
    times = np.arange(40) / 30
    values = np.repeat(np.where(np.arange(40) < 20, 0.2, 0.9)[:, None], COUNT, axis=1)
    jump = FaceClip.of(values, times)
    assert jitter(jump).per_frame.min() > 0
    gap = np.ones(40, np.bool_)
    gap[20] = False
    assert jitter(jump[gap]).per_frame.max() == 0
    values[20] = np.nan
    assert jitter(FaceClip.of(values, times)).per_frame.max() == 0


def test_white_noise():
    """|d2| has mean sqrt(6) s c, |d1| sqrt(2) s c, with c = sqrt(2 / pi)."""
    found = jitter(noise()).per_frame
    np.testing.assert_allclose(found, np.sqrt(6) * 0.05 * np.sqrt(2 / np.pi), rtol=0.06)
    np.testing.assert_allclose(smoothness(noise()), 1 - np.sqrt(3) / 2, atol=0.02)
    np.testing.assert_allclose(high_share(noise()), 1 - 8 / 30, atol=0.04)


def test_smoothness_of_a_line_a_zigzag_and_a_rest():
    line = FaceClip.of(np.repeat(np.linspace(0, 1, 50)[:, None], COUNT, axis=1))
    zigzag = FaceClip.of(np.repeat((np.arange(50) % 2 * 0.5)[:, None], COUNT, axis=1))
    np.testing.assert_allclose(smoothness(line), 1, atol=1e-5)
    np.testing.assert_allclose(smoothness(zigzag), 0, atol=1e-6)
    assert np.isnan(smoothness(FaceClip.of(np.full((50, COUNT), 0.3)))).all()


def test_the_spectrum_is_scipys_and_a_sine_stands_on_its_line():
    clip = noise(900)
    hertz, power = spectrum(clip)
    f, expected = signal.welch(clip.values.astype(float), 60.0, nperseg=120, axis=0)
    np.testing.assert_allclose(hertz, f, rtol=1e-6)
    np.testing.assert_allclose(power, expected, rtol=1e-6)
    hertz, power = spectrum(sine(12.0))
    assert hertz[power[:, 0].argmax()] == pytest.approx(12.0)
    assert power[:, 0].sum() * (hertz[1] - hertz[0]) == pytest.approx(0.4**2 / 2, rel=0.01)
    assert high_share(sine(12.0)).min() > 0.999
    assert high_share(sine(3.0)).max() < 0.001


def test_the_high_share_of_two_sines_is_that_of_their_energies():
    slow, quick = sine(2.0, size=0.3), sine(15.0, size=0.1)
    both = slow.with_values(slow.values + quick.values - 0.5)
    np.testing.assert_allclose(high_share(both), 0.1**2 / (0.1**2 + 0.3**2), rtol=0.01)
    assert np.isnan(high_share(sine(2.0, 12.0))).all()  # 12 fps hold nothing above 6 Hz


def test_long_stretches_count_and_short_ones_do_not():
    clip = noise(900)
    values = clip.values.copy()
    values[400:410] = np.nan
    values[450] = np.nan  # leaves 40 frames, less than a segment
    found = spectrum(clip.with_values(values)).power
    one, other = spectrum(clip[:400]).power, spectrum(clip[451:]).power
    np.testing.assert_allclose(found, (one * 400 + other * 449) / 849, rtol=1e-6)
    assert np.isnan(spectrum(clip[:60]).power).all()
    with pytest.raises(BadInput, match="without a rate"):
        spectrum(clip[:1])


def test_half_the_size_is_six_decibels_away():
    clip = noise(1200)
    half = clip.with_values(0.5 + (clip.values - 0.5) / 2)
    np.testing.assert_allclose(log_spectral_distance(half, clip), 20 * np.log10(2), rtol=1e-3)
    np.testing.assert_array_equal(log_spectral_distance(clip, clip), 0)
    still = clip.with_values(np.full_like(clip.values, 0.5))
    assert np.isfinite(log_spectral_distance(still, clip)).all()
    assert log_spectral_distance(still, clip).min() > 40
    assert np.isnan(log_spectral_distance(clip, still)).all()


def test_frozen_frames_are_counted_and_the_longest_run_is_timed():
    clip = noise(100, rate=50.0)
    values = clip.values.copy()
    values[21:31] = values[20]
    values[61] = values[60]
    values[80] = values[79]
    values[80, 5] += 0.1  # one channel moves: not frozen
    found = frozen(clip.with_values(values))
    assert found.share == pytest.approx(11 / 99)
    assert found.longest == pytest.approx(10 / 50)
    assert found.channels[0] == pytest.approx(12 / 99)
    assert found.channels[5] == pytest.approx(11 / 99)
    assert frozen(clip).share == 0
    assert frozen(clip).longest == 0


def test_a_lost_face_is_not_a_frozen_one():
    values = noise(50).values.copy()
    values[10:20] = np.nan
    found = frozen(FaceClip.of(values))
    assert found.share == 0
    assert found.longest == 0
    assert np.isnan(frozen(FaceClip.of(values)[10:20]).share)


def test_regularity():
    even = regularity(noise(100))
    assert even.spread == pytest.approx(0, abs=1e-9)
    assert even.regular == 1
    assert even.missing == 0
    kept = np.ones(100, np.bool_)
    kept[[30, 50, 51]] = False
    holes = regularity(noise(100)[kept])
    assert holes.missing == 3
    assert holes.regular == pytest.approx(94 / 96)
    assert np.isnan(regularity(noise(1)).regular)


def test_the_ratio_to_the_reference_is_taken_at_one_rate():
    truth = resample(perform(seed=1)[:240], rate=60.0, way="pchip")
    same = jitter_ratio(resample(truth, rate=30.0), truth)
    assert np.nanmax(np.abs(same - 1)) < 0.05
    shaky = truth.with_values(
        truth.values + np.random.default_rng(0).normal(0, 0.02, truth.values.shape)
    )
    assert figure(jitter_ratio(shaky, truth)) > 5
    assert figure(jitter_ratio(zero_phase(truth), truth)) < 1
    still = truth.with_values(truth.values * 0)
    assert np.nanmax(jitter_ratio(still, truth)) == 0
    assert np.isnan(jitter_ratio(truth, still)).all()


@given(clip=clips(most=20), seconds=st.floats(-100, 100))
def test_when_it_happened_does_not_matter(clip, seconds):
    one, other = jitter(clip), jitter(clip.shifted(seconds))
    np.testing.assert_array_equal(one.per_frame, other.per_frame)
    np.testing.assert_allclose(one.per_second, other.per_second, rtol=1e-5)
    assert frozen(clip).share == pytest.approx(frozen(clip.shifted(seconds)).share, nan_ok=True)
    np.testing.assert_array_equal(smoothness(clip), smoothness(clip.shifted(seconds)))


@given(clip=clips(most=20))
def test_absent_channels_have_no_figure(clip):
    for found in (*jitter(clip), smoothness(clip), frozen(clip).channels):
        assert found.shape == (COUNT,)
        assert np.isnan(found[~clip.present]).all()
    assert not np.isinf(jitter(clip).per_second).any()


def test_a_mirror_swaps_the_channels_and_leaves_the_figures():
    clip = perform(seed=2)
    other = clip.mirrored()
    for measure in (lambda c: jitter(c).per_frame, smoothness, high_share,
                    lambda c: frozen(c).channels):  # fmt: skip
        np.testing.assert_allclose(measure(clip)[MIRROR], measure(other), rtol=1e-4, atol=1e-9)
        assert figure(measure(clip)) == pytest.approx(figure(measure(other)), rel=1e-5)
    truth = perform(seed=3)[: len(clip)]
    np.testing.assert_allclose(
        log_spectral_distance(clip, truth)[MIRROR],
        log_spectral_distance(other, truth.mirrored()), rtol=1e-4,
    )  # fmt: skip


def test_channels_do_not_speak_for_each_other():
    clip = noise(300)
    order = np.random.default_rng(1).permutation(COUNT)
    shuffled = clip.with_values(clip.values[:, order])
    for measure in (lambda c: jitter(c).per_frame, smoothness, high_share):
        np.testing.assert_allclose(measure(clip)[order], measure(shuffled), rtol=1e-6)


def test_the_summary_has_the_rows_it_names():
    clip = perform()
    alone, against = summary(clip), summary(clip, clip)
    assert [row.name for row in ROWS] == list(against)
    assert set(against) - set(alone) == {"jitter_ratio", "log_spectral_distance", "lag"}
    assert against["jitter_ratio"] == pytest.approx(1)
    assert against["log_spectral_distance"] == 0
    assert against["lag"] == pytest.approx(0, abs=1e-3)
    assert lag(clip.shifted(0.1), clip).seconds == pytest.approx(0.1, abs=0.003)
    for row in ROWS:
        assert row.better
        assert row.what
        assert row.source


@pytest.mark.parametrize("name", TAKES)
def test_real_takes_lie_where_they_were_measured(shared, name):
    """At 30 fps; those of 60 fps lie between 0.0004 and 0.0037 per frame squared."""
    clip = formats.read(shared / "livelink" / f"{name}.csv")
    found = summary(clip)
    assert 0.002 < found["jitter"] < 0.007
    assert found["frozen"] == 0
    assert found["high_share"] < 0.02
    assert found["missing_frames"] in (2, 3)


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_hardly_a_clip_has_hardly_a_figure(frames):
    clip = FaceClip.of(np.full((frames, COUNT), 0.2))
    found = summary(clip)
    assert np.isnan(found["jitter"])
    assert np.isnan(found["smoothness"])
    assert np.isnan(found["high_share"])
    assert np.isnan(found["frozen"]) == (frames < 2)
    assert np.isnan(found["longest_freeze"]) == (frames < 2)


def test_peak_retention_of_a_bump_is_its_height():
    times = np.arange(90) / 30
    bump = 0.1 + 0.8 * np.exp(-(((times - 1.5) / 0.2) ** 2))
    clip = FaceClip.of(np.repeat(bump[:, None], COUNT, axis=1), times)
    lower = clip.with_values(0.1 + (clip.values - 0.1) * 0.5)
    kept, peaks = peak_retention(clip, lower)
    np.testing.assert_array_equal(peaks, 1)
    np.testing.assert_allclose(kept, 0.5, atol=0.01)
    late = clip.with_values(np.roll(clip.values, 2, axis=0))
    np.testing.assert_allclose(peak_retention(clip, late).kept, 1, atol=1e-5)
    assert np.isnan(peak_retention(clip, clip, rise=0.9).kept).all()
