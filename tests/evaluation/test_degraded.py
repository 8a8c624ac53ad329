"""Each planted fault is exactly what it says, and nothing besides."""

from __future__ import annotations

import numpy as np
import pytest
from faces import clips
from hypothesis import given, settings
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.evaluation.degraded import DegradedSource
from semanticface.evaluation.items import Item
from semanticface.evaluation.specs import DegradedSpec
from semanticface.rig import COUNT, INDEX, FaceClip
from semanticface.rig.clip import mirror

FRAMES = 400


def truth(seed: int = 1) -> FaceClip:
    rng = np.random.default_rng(seed)
    values = rng.random((FRAMES, COUNT)).astype(np.float32)
    values[:, 52:] -= 0.5
    values[50:60] = np.nan
    clip = FaceClip.of(values, 1000 + np.arange(FRAMES) / 59.904)
    return clip.with_meta(source="phone", conventions=("mouth pair exchanged",), calibrated=False)


def degraded(take: str = "t", clip: FaceClip | None = None, **faults: object) -> FaceClip:
    source = DegradedSource(DegradedSpec(name="bad", **faults))
    (found,) = source.predict(Item(take, None, truth() if clip is None else clip))
    assert found.notes["planted"].keys() == faults.keys() - {"seed"}
    return found.clip


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return np.array_equal(one, other, equal_nan=True)


@settings(max_examples=15)
@given(clips(most=4))
def test_no_fault_is_the_reference_itself(clip):
    assert degraded(clip=clip) == clip


def test_nothing_but_the_numbers_tells():
    found = degraded(mirrored=True, exchange_mouth=True, noise=0.1, percent=True, lag=0.1)
    assert found.meta == truth().meta


def test_noise():
    found, clip = degraded(noise=0.05), truth()
    apart = (found.values - clip.values)[~np.isnan(clip.values).any(axis=1)]
    assert (apart[:, 52:] == 0).all()
    assert abs(apart[:, :52].std() - 0.05) < 0.001
    assert abs(apart[:, :52].mean()) < 0.001
    assert (found.values[:, :52] < 0).any() and (found.values[:, :52] > 1).any()  # nothing cut


def test_lag():
    found, clip = degraded(lag=0.08), truth()
    assert same(found.values, clip.values)
    np.testing.assert_array_equal(found.times, clip.times + 0.08)


def test_exchanged_mouth():
    found, clip = degraded(exchange_mouth=True), truth()
    assert same(found.column("mouthLeft"), clip.column("mouthRight"))
    assert same(found.column("mouthRight"), clip.column("mouthLeft"))
    others = np.delete(np.arange(COUNT), [INDEX["mouthLeft"], INDEX["mouthRight"]])
    assert same(found.values[:, others], clip.values[:, others])


def test_mirrored():
    assert same(degraded(mirrored=True).values, mirror(truth().values))


def test_dead_channels():
    found, clip = degraded(dead=("cheekPuff", "headYaw")), truth()
    dead = [INDEX["cheekPuff"], INDEX["headYaw"]]
    lost = np.isnan(clip.values[:, 0])
    assert (found.values[:, dead][~lost] == 0).all() and np.isnan(found.values[lost]).all()
    others = np.delete(np.arange(COUNT), dead)
    assert same(found.values[:, others], clip.values[:, others])


def test_muted():
    found, clip = degraded(muted=0.5), truth()
    assert same(found.values[:, :52], clip.values[:, :52] * np.float32(0.5))
    assert same(found.values[:, 52:], clip.values[:, 52:])


def test_frozen_frames():
    found, clip = degraded(frozen=0.25), truth()
    repeats = [
        i for i in range(1, FRAMES)
        if same(found.values[i], found.values[i - 1])
        and not same(clip.values[i], clip.values[i - 1])
    ]  # fmt: skip
    anyway = 9  # the ten lost frames in a row repeat each other in the reference too
    assert 0.25 * FRAMES - anyway <= len(repeats) <= 0.25 * FRAMES
    for i in range(FRAMES):
        assert any(same(found.values[i], clip.values[j]) for j in range(i, -1, -1))
    np.testing.assert_array_equal(found.times, clip.times)


def test_missing_frames():
    clip = truth()[:50]
    found = degraded(clip=clip, missing=0.2)
    lost = np.isnan(found.values).all(axis=1)
    assert lost.sum() == 10
    assert same(found.values[~lost], clip.values[~lost])
    np.testing.assert_array_equal(found.times, clip.times)


def test_percent_and_degrees():
    clip = truth()
    percent, degrees = degraded(percent=True).values, degraded(degrees=True).values
    assert same(percent[:, :52], clip.values[:, :52] * np.float32(100))
    assert same(percent[:, 52:], clip.values[:, 52:])
    np.testing.assert_allclose(degrees[:, 52:], np.degrees(clip.values[:, 52:]), rtol=1e-6)
    assert same(degrees[:, :52], clip.values[:, :52])


def test_chance_is_of_the_seed_and_the_take():
    faults = {"noise": 0.1, "frozen": 0.1, "missing": 0.1}
    one = degraded(**faults)
    assert one == degraded(**faults)
    assert one != degraded(take="u", **faults)
    assert one != degraded(seed=1, **faults)


@given(st.integers(1, 12), st.floats(0, 1), st.floats(0, 1))
def test_any_share_of_any_length(frames, frozen, missing):
    clip = truth()[:frames]
    source = DegradedSource(DegradedSpec(name="bad", frozen=frozen, missing=missing))
    (found, *_) = (each.clip for each in source.predict(Item("t", None, clip)))
    assert len(found) == len(clip) and found.meta == clip.meta
    assert np.isnan(found.values).all(axis=1).sum() == round(missing * len(clip))


def test_the_fingerprint_moves_with_what_matters():
    item = Item("t", None, truth())
    base = DegradedSource(DegradedSpec(name="a")).fingerprint(item)
    assert DegradedSource(DegradedSpec(name="b")).fingerprint(item) == base
    assert DegradedSource(DegradedSpec(name="a", lag=0.1)).fingerprint(item) != base
    assert DegradedSource(DegradedSpec(name="a")).fingerprint(item._replace(truth=truth(2))) != base


def test_what_cannot_be_degraded():
    with pytest.raises(BadInput, match="without a reference"):
        DegradedSource(DegradedSpec(name="a")).predict(Item("t", None, None))
    with pytest.raises(ValueError, match="no channel called JawOpen"):
        DegradedSpec(name="a", dead=("JawOpen",))
