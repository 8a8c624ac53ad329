"""A clip at other times: what is kept, what is bridged, and what stays empty."""

from __future__ import annotations

import numpy as np
import pytest
from faces import clips
from hypothesis import given
from hypothesis import strategies as st

from semanticface import formats
from semanticface.errors import BadInput
from semanticface.motion.rehearsal import perform
from semanticface.motion.resample import common_grid, resample
from semanticface.rig import COUNT, INDEX, FaceClip

WAYS = ("linear", "pchip")


def wave(rate: float, seconds: float = 4.0, hertz: float = 1.0) -> FaceClip:
    times = np.arange(round(seconds * rate) + 1) / rate
    phase = 2 * np.pi * hertz * times[:, None] + np.linspace(0, 3, COUNT)
    return FaceClip.of(0.5 + 0.4 * np.sin(phase), times)


@pytest.mark.parametrize(("way", "most"), [("linear", 0.006), ("pchip", 0.003)])
def test_there_and_back_keeps_a_slow_wave(way, most):
    clip = wave(60)
    back = resample(resample(clip, rate=47.0, way=way), clip.times, way=way)
    inside = np.isfinite(back.values).all(axis=1)
    assert inside.sum() >= len(clip) - 2
    assert np.abs(back.values - clip.values)[inside].max() < most


@pytest.mark.parametrize("way", WAYS)
@given(clip=clips())
def test_its_own_times_give_its_own_numbers(clip, way):
    again = resample(clip, clip.times, way=way)
    np.testing.assert_array_equal(again.values, clip.values)
    np.testing.assert_array_equal(again.present, clip.present)
    assert not again.extra


@pytest.mark.parametrize("way", WAYS)
@given(clip=clips(), rate=st.floats(0.5, 200))
def test_nothing_is_made_up(clip, way, rate):
    """Every number lies between the two frames around it, and none stands beside a NaN."""
    new = resample(clip, rate=rate, way=way)
    after = np.clip(np.searchsorted(clip.times, new.times - 1e-9), 0, len(clip) - 1)
    before = np.maximum(np.searchsorted(clip.times, new.times + 1e-9, side="right") - 1, 0)
    one, other = clip.values[before], clip.values[after]
    known = np.isfinite(new.values)
    on_a_frame = np.abs(clip.times[before] - new.times) < 2e-6 * 2.0
    on_a_frame |= np.abs(clip.times[after] - new.times) < 2e-6 * 2.0
    between = known & ~on_a_frame[:, None]
    assert np.isfinite(one[between]).all()
    assert np.isfinite(other[between]).all()
    assert (new.values[between] >= np.minimum(one, other)[between] - 1e-5).all()
    assert (new.values[between] <= np.maximum(one, other)[between] + 1e-5).all()


def test_short_pauses_are_bridged_long_ones_stay_empty_and_both_are_counted():
    clip = wave(30)
    kept = np.ones(len(clip), np.bool_)
    kept[[20, 21]] = False  # three steps: the longest that is bridged
    kept[50:53] = False  # four steps
    new = resample(clip[kept], clip.times)
    empty = np.isnan(new.values).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(empty), [50, 51, 52])
    (told,) = new.meta.conventions
    assert "1 short pauses bridged" in told
    assert "3 frames left empty in longer gaps" in told
    bridged = resample(clip[kept], clip.times, longest_gap=1.0)
    assert np.isfinite(bridged.values).all()


def test_a_lost_value_is_never_bridged():
    clip = wave(30)
    values = clip.values.copy()
    values[40, INDEX["jawOpen"]] = np.nan
    new = resample(clip.with_values(values), rate=60.0)
    lost = np.flatnonzero(np.isnan(new.column("jawOpen")))
    np.testing.assert_array_equal(lost, [79, 80, 81])
    assert np.isfinite(new.column("browInnerUp")).all()
    assert "3 values left empty beside ones not measured" in new.meta.conventions[-1]


def test_outside_of_the_clip_is_unknown():
    new = resample(wave(30, 1.0), [-0.5, 0.5, 1.5])
    np.testing.assert_array_equal(np.isnan(new.values[:, 0]), [True, False, True])
    assert "2 frames left empty outside the clip" in new.meta.conventions[-1]


def test_extra_columns_and_frames_stamped_alike_are_named_when_dropped():
    clip = FaceClip(
        np.full((3, COUNT), 0.5), np.array([0.0, 0.0, 1.0]), np.ones(COUNT, np.bool_),
        extra={"joy": np.zeros(3)},
    )  # fmt: skip
    told = resample(clip, rate=4.0).meta.conventions[-1]
    assert "columns joy dropped" in told
    assert "1 frames stamped like their next one dropped" in told


def test_the_low_pass_takes_out_what_the_new_rate_would_fold():
    clip = wave(60, hertz=9.0)  # at 10 fps it would turn up as 1 Hz
    folded = resample(clip, rate=10.0)
    clean = resample(clip, rate=10.0, lowpass=True)
    middle = slice(5, -5)
    assert folded.values[middle].std(axis=0).min() > 0.2
    assert clean.values[middle].std(axis=0).max() < 0.02


def test_a_common_grid_has_the_coarser_rate_and_the_shared_span():
    a, b = wave(60, 4.0), wave(25, 4.0).shifted(1.0)
    one, other = common_grid(a, b)
    np.testing.assert_array_equal(one.times, other.times)
    assert one.times[0] == 1.0
    assert one.times[-1] == pytest.approx(4.0)
    assert one.rate == pytest.approx(25)
    assert np.isfinite(one.values).all()
    np.testing.assert_array_equal(other.values, b.values[: len(other)])
    assert common_grid(a, b, rate=50.0).first.rate == pytest.approx(50)


def test_clips_on_the_same_times_are_left_as_they_are():
    clip = perform()
    one, other = common_grid(clip, clip.with_values(clip.values * 0.5))
    assert one == clip
    np.testing.assert_array_equal(other.values, clip.values * np.float32(0.5))


def test_clips_that_never_meet_are_refused_with_both_spans():
    with pytest.raises(BadInput, match=r"0\.000 to 4\.000 s and from 10\.000 to 14\.000 s"):
        common_grid(wave(30), wave(30).shifted(10))
    with pytest.raises(BadInput, match="timecode clock"):
        common_grid(wave(30), wave(30).with_meta(clock="timecode"))
    with pytest.raises(BadInput, match="without frames"):
        common_grid(wave(30), wave(30)[:0])


@pytest.mark.parametrize(
    "arguments", [{}, {"rate": 0.0}, {"rate": -1.0}, {"times": [0.0], "rate": 1.0}]
)
def test_wrong_arguments_are_named(arguments):
    with pytest.raises(BadInput):
        resample(wave(30), **arguments)
    with pytest.raises(BadInput, match="linear, pchip"):
        resample(wave(30), rate=1.0, way="cubic")


@pytest.mark.parametrize("name", ["alex_rom_3", "apfel"])
def test_a_real_take_at_60_and_back(shared, name):
    clip = formats.read(shared / "livelink" / f"{name}.csv")
    back = resample(resample(clip, rate=60.0, way="pchip"), clip.times, way="pchip")
    both = np.isfinite(clip.values) & np.isfinite(back.values)
    assert both.sum() > 0.98 * np.isfinite(clip.values).sum()
    assert not (np.isfinite(back.values) & np.isnan(clip.values)).any()
    assert np.abs(back.values - clip.values)[both].mean() < 0.002
