"""Regions come from the channel table and never touch what was not judged."""

from __future__ import annotations

import numpy as np
import pytest
from faces import frames
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.preference.regions import (
    FINE,
    REGIONS,
    clip_with_region,
    differs_only_in,
    recombined,
    region_of,
    with_region,
)
from semanticface.rig import CHANNELS, COUNT, INDEX, FaceClip


def test_the_halves_and_the_head_are_the_whole_face_once() -> None:
    head = {each.index for each in CHANNELS if each.half == "head"}
    upper, lower = (set(REGIONS[name].channels) for name in ("upper", "lower"))
    assert not upper & lower and not (upper | lower) & head
    assert upper | lower | head == set(range(COUNT)) == set(REGIONS["full"].channels)


def test_the_fine_regions_share_no_channel_and_leave_only_the_head_out() -> None:
    counted = sorted(i for name in FINE for i in REGIONS[name].channels)
    assert counted == sorted({*REGIONS["upper"].channels, *REGIONS["lower"].channels})


def test_eyes_hold_lids_and_eyeballs() -> None:
    assert {"eyeBlinkLeft", "rightEyeYaw"} <= set(REGIONS["eyes"].names)


@given(frames(), frames(), st.sampled_from(sorted(REGIONS)))
def test_only_the_region_moves(base: np.ndarray, other: np.ndarray, region: str) -> None:
    mixed = with_region(base, other, region)
    mask = region_of(region).mask
    assert mixed[~mask].tobytes() == base[~mask].tobytes()
    assert mixed[mask].tobytes() == other[mask].tobytes()
    assert differs_only_in(base, mixed, region)


def test_missing_stays_missing() -> None:
    base, other = np.zeros((2, COUNT), np.float32)
    other[INDEX["mouthSmileLeft"]] = np.nan
    base[INDEX["browInnerUp"]] = np.nan
    mixed = with_region(base, other, "lower")
    assert np.isnan(mixed[[INDEX["mouthSmileLeft"], INDEX["browInnerUp"]]]).all()
    assert np.isnan(mixed).sum() == 2 and differs_only_in(base, mixed, "lower")


@given(frames(), frames(), frames())
def test_winners_are_put_together(base: np.ndarray, up: np.ndarray, low: np.ndarray) -> None:
    whole = recombined(base, {"upper": up, "lower": low})
    assert differs_only_in(whole, with_region(base, up, "upper"), "lower")
    assert np.array_equal(whole[REGIONS["lower"].mask], low[REGIONS["lower"].mask])
    head = [each.index for each in CHANNELS if each.half == "head"]
    assert np.array_equal(whole[head], base[head])


def test_overlapping_winners_are_refused() -> None:
    face = np.zeros(COUNT, np.float32)
    with pytest.raises(BadInput, match="'upper' and 'brows'"):
        recombined(face, {"upper": face, "brows": face})


def test_an_unknown_region_names_the_nearest() -> None:
    with pytest.raises(BadInput, match="Did you mean 'mouth'"):
        region_of("mouht")


def test_answers_of_other_lengths_are_refused() -> None:
    with pytest.raises(BadInput, match="same times"):
        with_region(np.zeros((3, COUNT)), np.zeros((4, COUNT)), "upper")


def test_clips_keep_their_masks_apart() -> None:
    values = np.zeros((2, COUNT), np.float32)
    holes = values.copy()
    holes[:, INDEX["tongueOut"]] = np.nan
    other = FaceClip.of(holes).with_meta(source="tracker")
    mixed = clip_with_region(FaceClip.of(values), other, "mouth")
    assert mixed.absent == ("tongueOut",)
    assert mixed.meta.conventions == ("mouth of tracker",)
    with pytest.raises(BadInput, match="other times"):
        clip_with_region(FaceClip.of(values), other.shifted(0.5), "mouth")
