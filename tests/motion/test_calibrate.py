"""A face's rest is taken off, its range stretched, and what was learned kept in a file."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from faces import clips
from hypothesis import given
from hypothesis import strategies as st

from semanticface import formats
from semanticface.errors import BadInput
from semanticface.motion.calibrate import apply_range, learn_range
from semanticface.motion.neutral import (
    Neutral,
    neutral_at,
    neutral_of,
    neutral_quiet,
    subtract_neutral,
)
from semanticface.motion.profile import Profile, load_profile, save_profile
from semanticface.motion.rehearsal import perform
from semanticface.rig import COUNT, INDEX, NAMES, FaceClip

SHAPES = slice(0, 52)


def exercise(seconds: float = 60.0) -> FaceClip:
    """Every shape rises from 0.1 to 0.6 once; the rotations swing."""
    times = np.arange(0, seconds, 1 / 30)
    centres = np.linspace(2, seconds - 2, COUNT)
    values = 0.1 + 0.5 * np.exp(-(((times[:, None] - centres) / 0.4) ** 2))
    return FaceClip.of(values, times)


@given(clip=clips(), rest=st.floats(0, 0.8))
def test_the_phones_formula(clip, rest):
    clip = clip.with_meta(calibrated=False)
    neutral = Neutral(np.full(COUNT, rest, np.float32), "made up")
    after = subtract_neutral(clip, neutral)
    expected = np.maximum(0, clip.values - np.float32(rest))
    np.testing.assert_allclose(after.values[:, SHAPES], expected[:, SHAPES], atol=1e-6)
    np.testing.assert_array_equal(np.isnan(after.values), np.isnan(clip.values))
    np.testing.assert_array_equal(after.values[:, 52:], clip.values[:, 52:])
    assert after.meta.calibrated is True
    assert "neutral subtracted (made up)" in after.meta.conventions[-1]
    turned = subtract_neutral(clip, neutral, "subtract")
    np.testing.assert_allclose(turned.values[:, 52:], clip.values[:, 52:] - rest, atol=1e-6)


def test_what_was_below_the_rest_is_counted():
    clip = FaceClip.of(np.full((4, COUNT), 0.2))
    told = subtract_neutral(clip, Neutral(np.full(COUNT, 0.3, np.float32), "x")).meta.conventions
    assert f"{4 * 52} values below rest set to 0; rotations kept" in told[-1]


def test_calibrated_clips_are_neither_calibrated_again_nor_a_source_of_rest():
    clip = perform()
    once = subtract_neutral(clip, neutral_at(clip, 0.1))
    with pytest.raises(BadInput, match="calibrated already"):
        subtract_neutral(once, neutral_at(clip, 0.1))
    with pytest.raises(BadInput, match="from a calibrated clip"):
        neutral_of(once)


def test_a_neutral_must_know_what_the_clip_has():
    clip = perform()
    with pytest.raises(BadInput, match=r"a neutral without .*jawOpen"):
        subtract_neutral(clip, neutral_of(clip.select("eye")))
    eyes = clip.select("eye")
    assert subtract_neutral(eyes, neutral_of(clip)).names == eyes.names


def test_the_rest_at_a_moment_is_the_median_around_it():
    clip = exercise()
    found = neutral_at(clip, 2.0, width=0.5).values
    near = (clip.times >= 1.75) & (clip.times <= 2.25)
    np.testing.assert_allclose(found, np.median(clip.values[near], axis=0))
    with pytest.raises(BadInput, match="seconds from 0 to"):
        neutral_at(clip, 99)
    with pytest.raises(BadInput, match="no tracked frame"):
        neutral_at(perform(), 8.7)  # the face is lost there


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_quiet_frames_are_the_rest_and_not_the_held_smile(seed):
    clip = perform(seed=seed)
    rest = np.nanmedian(clip.values[:9], axis=0)  # before the first blink
    found = neutral_quiet(clip).values
    assert np.abs(found - rest)[SHAPES].max() < 0.1
    assert found[INDEX["mouthSmileLeft"]] < 0.1
    with pytest.raises(BadInput, match="at least 5"):
        neutral_quiet(clip[:3])


def test_an_observed_range_becomes_the_expected_one():
    clip = exercise()
    profile = learn_range(clip, low=0, high=100)
    after = apply_range(clip, profile)
    jaw = after.column("jawOpen")
    assert jaw.min() == pytest.approx(0, abs=1e-6)
    assert jaw.max() == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(profile.gain[INDEX["jawOpen"]], 2.0, rtol=0.01)
    np.testing.assert_array_equal(after.values[:, 52:], clip.values[:, 52:])
    np.testing.assert_array_equal(after.column("eyeLookUpLeft"), clip.column("eyeLookUpLeft"))
    half = apply_range(clip, learn_range(clip, {"jaw": (0.0, 0.5)}, low=0, high=100))
    assert half.column("jawOpen").max() == pytest.approx(0.5, abs=0.01)
    with pytest.raises(BadInput, match="calibrated to its range already"):
        apply_range(after, profile)


def test_gains_are_bounded_sides_share_one_and_lips_go_with_the_jaw():
    values = exercise().values.copy()
    left, right = INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]
    values[:, left] = 0.1 + (values[:, left] - 0.1) * 0.8
    values[:, INDEX["browInnerUp"]] *= 0.4
    values[:, INDEX["mouthClose"]] *= 0.5
    clip = exercise().with_values(values)
    shared_gain = learn_range(clip, low=0, high=100)
    own = learn_range(clip, low=0, high=100, share_sides=False, gains=(0.5, 5.0))
    assert shared_gain.gain[left] == shared_gain.gain[right]
    assert own.gain[left] == pytest.approx(1 / 0.4, rel=0.01)
    assert own.gain[right] == pytest.approx(1 / 0.5, rel=0.01)
    assert shared_gain.gain[INDEX["browInnerUp"]] == 2.0
    assert "browInnerUp" in shared_gain.bounded
    assert own.gain[INDEX["mouthClose"]] == own.gain[INDEX["jawOpen"]]


def test_what_never_moved_is_left_alone_and_listed():
    values = exercise().values.copy()
    values[:, INDEX["cheekPuff"]] = 0.04
    values[:, INDEX["tongueOut"]] = np.nan
    clip = exercise().with_values(values)
    profile = learn_range(clip)
    assert profile.still == ("cheekPuff", "tongueOut")
    after = apply_range(clip, profile)
    np.testing.assert_array_equal(after.column("cheekPuff"), clip.column("cheekPuff"))
    assert np.isnan(after.column("tongueOut")).all()
    assert "not moved and left alone: cheekPuff, tongueOut" in after.meta.conventions[-1]


def test_values_beyond_the_learned_range_are_held_and_counted():
    profile = learn_range(exercise(), low=0, high=100)
    other = FaceClip.of(np.full((2, COUNT), 0.9))
    after = apply_range(other, profile)
    assert after.values[:, SHAPES].max() == 1.0
    moved = int((profile.gain[SHAPES] > 1).sum()) * 2
    assert f"{moved} values held within their range" in after.meta.conventions[-1]


@given(clip=clips(holes=True))
def test_a_missing_value_stays_missing(clip):
    after = apply_range(clip, learn_range(exercise()))
    np.testing.assert_array_equal(np.isnan(after.values), np.isnan(clip.values))


@pytest.mark.parametrize("wrong", [
    {"low": 60, "high": 50}, {"low": -1}, {"gains": (2.0, 1.0)}, {"gains": (0.0, 1.0)},
    {"expected": {"moth": (0, 1)}},
])  # fmt: skip
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(BadInput):
        learn_range(exercise(), **wrong)
    with pytest.raises(BadInput, match="without a tracked frame"):
        learn_range(exercise()[:0])


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_profile_does_after_the_file_what_it_did_before(tmp_path, suffix):
    take, clip = exercise(), perform()
    neutral = neutral_quiet(clip)
    profile = Profile(neutral, learn_range(take), "subtract")
    path = tmp_path / f"anna.{suffix}"
    save_profile(profile, path)
    again = load_profile(path)
    np.testing.assert_allclose(again.applied(clip).values, profile.applied(clip).values, atol=2e-5)
    assert again.range is not None
    assert again.range.still == profile.range.still
    assert again.range.source == profile.range.source
    assert again.applied(clip).meta.calibrated
    read = yaml.safe_load(path.read_text()) if suffix == "yaml" else json.loads(path.read_text())
    assert read["rig"] == "arkit61/1"


@pytest.mark.parametrize(("text", "says"), [
    ("[1, 2]", "list as the file"),
    ("{", "cannot be read"),
    ("semanticface: something else\nrig: arkit61/1", "something else"),
    ("semanticface: calibration profile 1\nrig: other", "other"),
    ("semanticface: calibration profile 1\nrig: arkit61/1\nneutrl: {}", "Did you mean 'neutral'"),
    ("semanticface: calibration profile 1\nrig: arkit61/1\n"
     "neutral: {channels: {jawOpn: 1}}", "Did you mean 'jawOpen'"),
    ("semanticface: calibration profile 1\nrig: arkit61/1\n"
     "neutral: {channels: {jawOpen: yes}}", "expected a number"),
    ("semanticface: calibration profile 1\nrig: arkit61/1\n"
     "range: {channels: {jawOpen: {gain: -1}}}", "gain of -1"),
    ("semanticface: calibration profile 1\nrig: arkit61/1\nrotations: turn", "keep or subtract"),
])  # fmt: skip
def test_a_file_that_is_no_profile_is_refused_with_its_name(tmp_path, text, says):
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=says) as fault:
        load_profile(path)
    assert "p.yaml" in str(fault.value)
    with pytest.raises(BadInput, match="suffix"):
        save_profile(Profile(), tmp_path / "p.txt")


def test_the_real_range_of_motion_take_reaches_further(shared):
    clip = formats.read(shared / "livelink" / "alex_rom_3.csv")
    profile = learn_range(clip)
    assert profile.still == ("jawLeft", "jawRight")
    after = apply_range(clip, profile)
    before, now = (np.percentile(each.values, 99.5, axis=0) for each in (clip, after))
    free = [i for i in range(52) if profile.gain[i] != 1 and NAMES[i] not in profile.bounded]
    free = [i for i in free if NAMES[i] not in ("mouthClose", "mouthLeft", "mouthRight")]
    assert len(free) > 25
    np.testing.assert_allclose(now[free], 1, atol=0.06)
    assert (now[free] > before[free] - 0.02).all()


def test_calibrated_real_takes_look_like_the_phones(shared):
    """Some columns rest at zero for most of the take, and no value is negative."""
    clip = formats.read(shared / "livelink" / "S07-001.csv")
    after = subtract_neutral(clip, neutral_quiet(clip))
    assert after.values[:, SHAPES].min() == 0
    assert (after.values[:, SHAPES] == 0).mean() > (clip.values[:, SHAPES] == 0).mean() + 0.1
