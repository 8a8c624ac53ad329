"""Bringing a source to its reference: what is put right, what is refused, what is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.evaluation.pairing import Paired, Refused, Switches, pair
from semanticface.formats import read
from semanticface.motion.sequences import sample_clip
from semanticface.rig import INDEX, NAMES, FaceClip

ROM = "livelink/alex_rom_3.csv"


@pytest.fixture(scope="module")
def lively() -> FaceClip:
    """Half a minute of sampled performance, moving on both sides."""
    return sample_clip(30, 30, seed=5)


def kinds(found: Paired | Refused) -> dict[str, str]:
    return {each.kind: each.action for each in found.findings}


def noisy(clip: FaceClip, size: float, seed: int = 0) -> FaceClip:
    noise = np.random.default_rng(seed).normal(0, size, clip.values.shape)
    return clip.with_values(clip.values + noise)


def test_a_clip_against_itself_has_nothing_to_say(lively: FaceClip):
    found = pair(lively, lively)
    assert isinstance(found, Paired)
    assert found.findings == ()
    assert np.array_equal(found.pred.values, found.truth.values, equal_nan=True)
    assert found.lag.seconds == pytest.approx(0, abs=1e-3)


def test_every_planted_fault_of_a_real_take_is_named(shared: Path):
    take = read(shared / ROM)
    bad = noisy(take, 0.02)
    values = bad.values.copy()
    values[:, INDEX["jawOpen"]] = 0
    bad = bad.with_values(values).exchanged("mouthLeft", "mouthRight").shifted(0.08)
    found = pair(bad, take)
    assert isinstance(found, Paired)
    told = kinds(found)
    assert told["mouth pair"] == "converted"
    assert {"lag", "dead channel", "jitter"} <= {k for k, a in told.items() if a == "noted"}
    assert found.lag.seconds == pytest.approx(0.08, abs=0.005)
    dead = next(each for each in found.findings if each.kind == "dead channel")
    assert dead.channels == ("jawOpen",)


def test_the_exchanged_mouth_is_put_back(lively: FaceClip):
    turned = lively.exchanged("mouthLeft", "mouthRight")
    found = pair(turned, lively)
    assert isinstance(found, Paired)
    assert kinds(found) == {"mouth pair": "converted"}
    assert np.allclose(found.pred.values, found.truth.values, equal_nan=True)
    kept = pair(turned, lively, Switches(keep_mouth=True))
    assert isinstance(kept, Paired)
    assert kinds(kept) == {"mouth pair": "overridden"}
    assert np.array_equal(kept.pred.values, turned.values, equal_nan=True)


def test_a_mirrored_face_is_turned_back_and_its_mouth_with_it(lively: FaceClip):
    found = pair(lively.mirrored(), lively)
    assert isinstance(found, Paired)
    assert kinds(found) == {"mirrored": "converted"}
    assert np.allclose(found.pred.values, found.truth.values, atol=1e-6, equal_nan=True)
    kept = pair(lively.mirrored(), lively, Switches(keep_mirrored=True))
    assert kinds(kept)["mirrored"] == "overridden"


def test_percent_and_degrees_are_put_right(lively: FaceClip):
    values = lively.values.astype(np.float64)
    values[:, :52] *= 100
    values[:, 52:] *= 180 / np.pi
    found = pair(lively.with_values(values), lively)
    assert isinstance(found, Paired)
    assert [each.kind for each in found.findings] == ["units", "units"]
    assert np.allclose(found.pred.values, found.truth.values, atol=1e-4, equal_nan=True)


def test_real_values_above_one_are_no_percent(lively: FaceClip):
    values = lively.values.copy()
    values[:, :52] = np.minimum(values[:, :52] * 1.3, 1.08)
    found = pair(lively.with_values(values), lively)
    assert "units" not in kinds(found)


def test_a_head_that_was_not_streamed_is_not_scored(lively: FaceClip):
    still = lively.values.copy()
    head = [INDEX[name] for name in ("headYaw", "headPitch", "headRoll")]
    still[:, head] = 0
    found = pair(lively, lively.with_values(still))
    assert isinstance(found, Paired)
    assert kinds(found)["head"] == "converted"
    assert np.isnan(found.truth.values[:, head]).all()


def test_what_was_added_to_speech_is_not_scored(lively: FaceClip):
    blinks = [INDEX[name] for name in ("eyeBlinkLeft", "eyeBlinkRight")]
    other = lively.values.copy()
    other[:, blinks] = 1 - other[:, blinks]
    notes = {"added": ["eyeBlinkLeft", "eyeBlinkRight", "noSuchChannel"]}
    found = pair(lively.with_values(other).with_meta(notes=notes), lively)
    assert isinstance(found, Paired)
    (told,) = [each for each in found.findings if each.kind == "added"]
    assert told.action == "converted" and told.channels == ("eyeBlinkLeft", "eyeBlinkRight")
    assert "of the source were added" in told.text
    assert np.isnan(found.pred.values[:, blinks]).all()
    assert not np.isnan(found.pred.values[:, INDEX["jawOpen"]]).all()
    assert "added" not in kinds(pair(lively, lively))


@pytest.mark.parametrize(
    ("pred", "truth", "kind", "switch"),
    [
        ({"subject": "a"}, {"subject": "b"}, "subject", "any_subject"),
        ({"calibrated": True}, {"calibrated": False}, "calibration", "mix_calibration"),
        ({"clock": "start"}, {"clock": "timecode"}, "clock", "same_start"),
    ],
)
def test_a_wrong_pairing_is_refused_with_its_switch(lively, pred, truth, kind, switch):
    one, other = lively.with_meta(**pred), lively.with_meta(**truth)
    found = pair(one, other)
    assert isinstance(found, Refused)
    refused = [each for each in found.findings if each.action == "refused"]
    assert [each.kind for each in refused] == [kind]
    assert refused[0].flag == "--" + switch.replace("_", "-")
    allowed = pair(one, other, Switches(**{switch: True}))
    assert isinstance(allowed, Paired)
    assert kinds(allowed)[kind] == "overridden"


def test_clips_of_different_hours_are_refused(lively: FaceClip):
    found = pair(lively.shifted(3600), lively)
    assert isinstance(found, Refused)
    assert "overlap" in found.findings[-1].text


def test_nothing_in_common_but_unknown_calibration_is_no_reason(lively: FaceClip):
    found = pair(lively.with_meta(calibrated=None), lively.with_meta(calibrated=True))
    assert isinstance(found, Paired)


def test_muted_smooth_and_lacking_sources_are_named(lively: FaceClip):
    assert kinds(pair(lively.with_values(lively.values * 0.5), lively))["muted"] == "noted"
    lacking = pair(lively.select("mouth", "jaw"), lively)
    told = next(each for each in lacking.findings if each.kind == "lacking channels")
    assert "eyeBlinkLeft" in told.channels
    slow = np.cumsum(lively.values, axis=0)
    width = 15
    smooth = (slow[width:] - slow[:-width]) / width
    clip = FaceClip.of(smooth, lively.times[width // 2 : width // 2 + len(smooth)])
    assert kinds(pair(clip, lively))["too smooth"] == "noted"


@given(st.floats(-0.3, 0.3), st.integers(0, 3))
def test_a_lag_is_found_whatever_it_is(lag: float, seed: int):
    clip = sample_clip(12, 60, seed=seed)
    found = pair(clip.shifted(lag), clip)
    assert isinstance(found, Paired)
    assert found.lag.seconds == pytest.approx(lag, abs=0.012)


def test_scores_do_not_depend_on_the_hour(lively: FaceClip):
    worse = noisy(lively, 0.05)
    early, late = pair(worse, lively), pair(worse.shifted(7200), lively.shifted(7200))
    assert isinstance(early, Paired)
    assert isinstance(late, Paired)
    assert np.allclose(early.pred.values, late.pred.values, atol=2e-3, equal_nan=True)
    assert len(NAMES) == early.pred.values.shape[1]


# -- what is compared with what ---------------------------------------------------------


@pytest.mark.parametrize("dropped", [[7], [7, 8, 200], list(range(3, 800, 9))])
def test_missing_frames_leave_the_others_as_they_were(lively: FaceClip, dropped: list[int]):
    """A grid of its own would smooth the tremor of whoever lacks a frame."""
    trembling = noisy(lively, 0.02)
    kept = np.setdiff1d(np.arange(len(lively)), dropped)
    whole, holed = pair(trembling, lively), pair(trembling[kept], lively)
    assert isinstance(whole, Paired)
    assert isinstance(holed, Paired)
    assert np.array_equal(holed.truth.times, lively.times)
    assert np.array_equal(holed.pred.values[kept], whole.pred.values[kept], equal_nan=True)


def test_a_source_of_half_the_rate_is_scored_at_its_own_frames(lively: FaceClip):
    half = noisy(lively, 0.02)[::2]
    found = pair(half, lively)
    assert isinstance(found, Paired)
    assert np.array_equal(found.pred.values, half.values, equal_nan=True)
    assert np.array_equal(found.truth.values, lively[::2].values, equal_nan=True)


def test_a_lag_too_small_to_name_moves_nothing(lively: FaceClip):
    found = pair(noisy(lively, 0.02).shifted(0.004), lively)
    assert isinstance(found, Paired)
    assert np.array_equal(found.pred_at_best.values, found.pred.values, equal_nan=True)


def test_sources_that_answer_little_say_so(lively: FaceClip):
    quiet = lively.with_values(np.where(np.abs(lively.values) > 0.05, np.nan, 0))
    part = pair(lively[: len(lively) // 3], lively)
    abstains = pair(quiet, lively)
    assert isinstance(part, Paired)
    assert isinstance(abstains, Paired)
    assert part.coverage == pytest.approx(1 / 3, abs=0.01)
    assert abstains.coverage < 0.8
    for found in (part, abstains):
        assert kinds(found)["coverage"] == "noted"
    assert pair(lively, lively).coverage == 1  # type: ignore[union-attr]
    nothing = pair(lively.with_values(np.full_like(lively.values, np.nan)), lively)
    assert kinds(nothing) == {"coverage": "refused"}


def test_another_performance_gets_no_lag_and_is_not_turned():
    truth = sample_clip(40, 30, seed=1)
    turned = 0
    for seed in range(2, 22):
        found = pair(sample_clip(40, 30, seed=seed), truth, Switches(any_subject=True))
        assert isinstance(found, Paired)
        told = kinds(found)
        turned += "mirrored" in told or "mouth pair" in told
        lag = next((each for each in found.findings if each.kind == "lag"), None)
        if lag is not None:
            assert "no lag" in lag.text or found.lag.at_best > 0.3
    assert turned <= 1


def test_a_lag_beyond_the_search_is_not_made_up(lively: FaceClip):
    found = pair(lively.shifted(3.0), lively)
    assert isinstance(found, Paired)
    assert not found.lag.clear
    lag = next(each for each in found.findings if each.kind == "lag")
    assert "3.00 s late gives" in lag.text
    assert lag.flag == "--within"
    wide = pair(lively.shifted(3.0), lively, Switches(within=4.0))
    assert isinstance(wide, Paired)
    assert wide.lag.clear
    assert wide.lag.seconds == pytest.approx(3, abs=0.005)


def test_a_take_that_cannot_tell_follows_the_others(lively: FaceClip):
    values = lively.values.copy()
    values[:, [INDEX["mouthLeft"], INDEX["mouthRight"]]] *= 0.001
    still = lively.with_values(values)
    turned = still.exchanged("mouthLeft", "mouthRight")
    assert kinds(pair(turned, still)) == {}
    found = pair(turned, still, Switches(), frozenset({"mouth pair"}))
    assert isinstance(found, Paired)
    assert kinds(found) == {"mouth pair": "converted"}
    assert np.array_equal(found.pred.values, still.values, equal_nan=True)
    clear = pair(lively, lively, Switches(), frozenset({"mouth pair"}))
    assert kinds(clear) == {}, "a take that can tell is not turned"


def test_midnight_lies_between_two_clips(lively: FaceClip):
    evening = lively.with_meta(clock="timecode").shifted(86390 - lively.times[0])
    morning = lively.with_meta(clock="timecode").shifted(-10 - lively.times[0])
    morning = morning.between(0, 1e9)
    for one, other in ((morning, evening), (evening, morning)):
        found = pair(one, other)
        assert isinstance(found, Paired)
        assert kinds(found)["clock"] == "converted"
        assert abs(found.lag.seconds) < 0.005


def test_calibration_that_only_one_clip_tells_is_noted(lively: FaceClip):
    found = pair(lively.with_meta(calibrated=True), lively.with_meta(calibrated=None))
    assert kinds(found) == {"calibration": "noted"}
