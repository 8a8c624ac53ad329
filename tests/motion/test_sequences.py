"""Random performances: the same at any rate, with blinks, jumps of the eyes, and rest."""

from __future__ import annotations

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.formats.plausibility import implausible
from semanticface.language.temporal import find_events
from semanticface.motion.sequences import Shape, envelope, sample_clip
from semanticface.rig import INDEX, concatenate


def test_same_seed_same_bytes() -> None:
    first, again = sample_clip(6, 30, seed=4), sample_clip(6, 30, seed=4)
    assert first == again and first.values.tobytes() == again.values.tobytes()
    assert not first.same_motion(sample_clip(6, 30, seed=5))


def test_same_performance_at_any_rate() -> None:
    slow, fast = sample_clip(8, 30, seed=2), sample_clip(8, 60, seed=2)
    assert np.allclose(slow.times, fast.times[::2])
    assert np.array_equal(slow.values, fast.values[::2])


def test_a_longer_clip_begins_as_a_shorter_one() -> None:
    short, long = sample_clip(5, 30, seed=9), sample_clip(30, 30, seed=9)
    assert np.array_equal(short.values, long.values[: len(short)])


@pytest.mark.parametrize("seed", range(4))
def test_nothing_a_face_cannot_do(seed: int) -> None:
    clip = sample_clip(40, 30, seed=seed)
    assert np.isfinite(clip.values).all()
    assert implausible(clip) == []
    assert len(clip) == 1200 and clip.rate == pytest.approx(30)


def test_blinks_come_as_often_and_last_as_long_as_in_takes() -> None:
    seconds, blinks = 0.0, []
    for seed in range(6):
        clip = sample_clip(60, 60, seed=seed)
        lid = clip.column("eyeBlinkLeft") > 0.5
        starts = np.flatnonzero(lid[1:] & ~lid[:-1])
        ends = np.flatnonzero(~lid[1:] & lid[:-1])
        ends = ends[ends > starts[0]]
        widths = (ends[: len(starts)] - starts[: len(ends)]) / 60
        blinks += list(widths[widths < 0.5])
        seconds += clip.duration
    assert 5 < 60 * len(blinks) / seconds < 25
    assert 0.06 < np.median(blinks) < 0.25


def test_movement_is_smooth_and_never_frozen() -> None:
    for seed in range(3):
        clip = sample_clip(60, 30, seed=seed)
        second = np.abs(np.diff(clip.values[:, :52], 2, axis=0))
        assert 0.0015 < second.mean() < 0.009
        still = (np.diff(clip.values, axis=0) == 0).all(axis=1)
        assert still.mean() < 0.01


def test_eyes_jump_and_then_rest() -> None:
    clip = sample_clip(60, 60, seed=1)
    head = 0.7 * clip.column("headYaw")
    gaze = clip.column("leftEyeYaw") - head
    speed = np.abs(np.diff(gaze)) * 60
    assert np.percentile(speed, 99.5) > 20 * np.median(speed)


def test_bilabials_close_the_lips_of_an_open_jaw() -> None:
    clip = concatenate([sample_clip(40, 60, seed=seed) for seed in range(3)], pause=1 / 60)
    jaw, close = clip.column("jawOpen"), clip.column("mouthClose")
    assert ((jaw > 0.08) & (close > 0.7 * jaw)).any()


def test_the_describer_tells_of_expressions_and_blinks() -> None:
    told = find_events(sample_clip(60, 30, seed=3))
    assert len(told) > 10


def test_envelope_rises_holds_and_falls() -> None:
    times = np.linspace(0, 2, 201)
    level = envelope(times, Shape(0.2, 0.3, 0.5, 0.4))
    assert level[20] == 0 and level[-1] == 0 and level.max() == 1
    held = (times > 0.51) & (times < 0.99)
    assert np.allclose(level[held], 1)
    assert (np.diff(level[20:50]) >= 0).all() and (np.diff(level[101:]) <= 0).all()


@pytest.mark.parametrize(("seconds", "rate"), [(0, 30), (-1, 30), (1, 0), (float("nan"), 30)])
def test_wrong_arguments_are_named(seconds: float, rate: float) -> None:
    with pytest.raises(BadInput):
        sample_clip(seconds, rate)


def test_gaze_of_both_eyes_stays_together() -> None:
    clip = sample_clip(30, 30, seed=7)
    left, right = clip.values[:, INDEX["leftEyePitch"]], clip.values[:, INDEX["rightEyePitch"]]
    assert np.array_equal(left, right)
