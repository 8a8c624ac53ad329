"""Random faces: the same bytes, nothing a face cannot do, everything often enough."""

from __future__ import annotations

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.formats.plausibility import implausible
from semanticface.motion.anatomy import CLOSE_BEYOND_OPEN
from semanticface.motion.expressions import BLOCK, sample_frames
from semanticface.rig import CHANNELS, COUNT, INDEX, FaceClip

MANY = 12_000
OPPOSITES = [
    ("eyeLookInLeft", "eyeLookOutLeft"), ("eyeLookInRight", "eyeLookOutRight"),
    ("eyeLookUpLeft", "eyeLookDownLeft"), ("eyeLookUpRight", "eyeLookDownRight"),
    ("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"),
]  # fmt: skip
RARE = [
    "mouthLeft", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthFunnel", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "jawLeft", "jawRight", "jawForward", "tongueOut",
]  # fmt: skip


@pytest.fixture(scope="module", params=[0.0, 0.4], ids=["life", "coverage"])
def faces(request: pytest.FixtureRequest) -> np.ndarray:
    return sample_frames(MANY, 11, coverage=request.param)


def column(faces: np.ndarray, name: str) -> np.ndarray:
    return faces[:, INDEX[name]]


def test_same_seed_same_bytes_another_seed_other_faces() -> None:
    first = sample_frames(3000, 5)
    assert first.tobytes() == sample_frames(3000, 5).tobytes()
    assert not np.array_equal(first, sample_frames(3000, 6))
    assert first.dtype == np.float32 and first.shape == (3000, COUNT)


@pytest.mark.parametrize("count", [0, 1, BLOCK, BLOCK + 1])
def test_a_frame_does_not_depend_on_how_many_were_asked_for(count: int) -> None:
    assert np.array_equal(sample_frames(count, 5), sample_frames(2 * BLOCK, 5)[:count])


def test_values_are_finite_and_in_range(faces: np.ndarray) -> None:
    low = np.array([channel.low for channel in CHANNELS])
    high = np.array([channel.high for channel in CHANNELS])
    assert np.isfinite(faces).all()
    assert ((faces >= low) & (faces <= high)).all()
    assert not np.signbit(faces[:, :52]).any()


@pytest.mark.parametrize(("one", "other"), OPPOSITES)
def test_opposites_never_show_together(faces: np.ndarray, one: str, other: str) -> None:
    assert np.minimum(column(faces, one), column(faces, other)).max() == 0


def test_the_projects_own_plausibility_check_finds_nothing(faces: np.ndarray) -> None:
    assert implausible(FaceClip.of(faces)) == []


def test_lips_close_no_further_than_the_jaw_opens(faces: np.ndarray) -> None:
    excess = column(faces, "mouthClose") - column(faces, "jawOpen")
    assert excess.max() <= CLOSE_BEYOND_OPEN + 1e-4
    closed = (column(faces, "jawOpen") > 0.3) & (column(faces, "mouthClose") > 0.25)
    assert closed.any()  # and yet open jaws behind closed lips do come


def test_smile_and_frown_seldom_meet(faces: np.ndarray) -> None:
    smile, frown = column(faces, "mouthSmileLeft"), column(faces, "mouthFrownLeft")
    assert (np.minimum(smile, frown) > 0.25).mean() < 0.01


def test_eye_angles_follow_the_look_channels_as_measured(faces: np.ndarray) -> None:
    def v(name: str) -> np.ndarray:
        return column(faces, name).astype(float)

    left = -0.60 * (v("eyeLookOutLeft") - v("eyeLookInLeft")) - 0.07
    right = -0.60 * (v("eyeLookInRight") - v("eyeLookOutRight")) + 0.07
    pitch = -0.61 * (v("eyeLookUpLeft") - v("eyeLookDownLeft"))
    for angle, expected in (
        ("leftEyeYaw", left), ("rightEyeYaw", right),
        ("leftEyePitch", pitch), ("rightEyePitch", pitch),
    ):  # fmt: skip
        assert np.abs(v(angle) - expected).max() < 1e-4


def test_both_eyes_look_the_same_way_and_a_little_inwards(faces: np.ndarray) -> None:
    towards_right_left_eye = column(faces, "eyeLookInLeft") - column(faces, "eyeLookOutLeft")
    towards_right_right_eye = column(faces, "eyeLookOutRight") - column(faces, "eyeLookInRight")
    apart = towards_right_left_eye - towards_right_right_eye
    assert np.abs(np.median(apart) - 0.105) < 0.01
    assert np.corrcoef(towards_right_left_eye, towards_right_right_eye)[0, 1] > 0.98


def test_lids_sink_with_the_gaze_and_widen_as_it_rises(faces: np.ndarray) -> None:
    down, up = column(faces, "eyeLookDownLeft") > 0.4, column(faces, "eyeLookUpLeft") > 0.3
    blink, wide = column(faces, "eyeBlinkLeft"), column(faces, "eyeWideLeft")
    assert np.median(blink[down]) > 0.2 > 0.05 > np.median(blink[up])
    assert np.median(wide[up]) > 0.25 > 0.05 > np.median(wide[down])


def test_lids_go_together_but_winks_happen(faces: np.ndarray) -> None:
    left, right = column(faces, "eyeBlinkLeft"), column(faces, "eyeBlinkRight")
    assert 0.83 < np.corrcoef(left, right)[0, 1] < 1.0
    wink = (np.abs(left - right) > 0.5) & (np.maximum(left, right) > 0.7)
    assert 0.0005 < wink.mean() < 0.03


def test_eyes_take_a_head_turn_back(faces: np.ndarray) -> None:
    yaw, pitch = column(faces, "headYaw"), column(faces, "headPitch")
    assert np.corrcoef(yaw, column(faces, "leftEyeYaw"))[0, 1] > 0.2
    assert np.corrcoef(pitch, column(faces, "leftEyePitch"))[0, 1] > 0.1


def test_both_sides_get_the_same(faces: np.ndarray) -> None:
    for channel in CHANNELS[:52]:
        if channel.side == "left":
            one, other = column(faces, channel.name), column(faces, channel.mirror)
            assert abs(one.mean() - other.mean()) < 0.012, channel.name


def test_coverage_shows_rare_movements_at_every_strength() -> None:
    faces = sample_frames(MANY, 3, coverage=0.5)
    for name in RARE:
        values = column(faces, name)
        assert (values > 0.3).mean() > 0.008, name
        assert (values > 0.6).mean() > 0.003, name


def test_every_movement_is_learnable_without_coverage_except_the_rarest() -> None:
    faces = sample_frames(MANY, 3)
    high = np.percentile(faces[:, :52], 99.8, axis=0)
    assert (high > 0.15).all(), [CHANNELS[i].name for i in np.flatnonzero(high <= 0.15)]


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(BadInput, match="count -1"):
        sample_frames(-1, 0)
    with pytest.raises(BadInput, match="coverage 2"):
        sample_frames(1, 0, coverage=2)
