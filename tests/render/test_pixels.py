"""Does the picture show what the numbers say? Truth tests in pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semanticface.render.head import PARTS, load_head
from semanticface.render.look import look_of
from semanticface.render.picture import Renderer
from semanticface.rig import BLENDSHAPES, COUNT, INDEX, mirror

SIZE = 256


def face(**channels: float) -> np.ndarray:
    values = np.zeros(COUNT, np.float32)
    for name, value in channels.items():
        values[INDEX[name]] = value
    return values


@pytest.fixture(scope="module")
def clay() -> Renderer:
    return Renderer(look="clay", size=SIZE, background="plain")


@pytest.fixture(scope="module")
def green_eyed() -> Renderer:
    """Eyes whose irises can be counted: pure green, and nothing else is."""
    look = replace(look_of("clay"), iris=(0.0, 0.6, 0.0), sclera=(0.7, 0.7, 0.7), shine=0.0)
    return Renderer(look=look, size=512, crop="upper", background="plain")


def iris(renderer: Renderer, values: np.ndarray, side: str) -> tuple[int, np.ndarray]:
    """How many pixels of an iris are seen, and their middle (x, y)."""
    picture = renderer.render(values).astype(int)
    green = (picture[..., 1] > picture[..., 0] + 25) & (picture[..., 1] > picture[..., 2] + 25)
    columns = np.arange(picture.shape[1]) > picture.shape[1] / 2  # subject's left: on the right
    green &= columns if side == "left" else ~columns
    y, x = np.nonzero(green)
    return len(x), np.array([x.mean(), y.mean()]) if len(x) else np.full(2, np.nan)


def change(renderer: Renderer, values: np.ndarray) -> np.ndarray:
    """[H, W] how much each pixel differs from the neutral face."""
    rest, moved = renderer.render(face()).astype(int), renderer.render(values).astype(int)
    return np.abs(moved - rest).sum(axis=2)


@pytest.mark.parametrize("view", ["front", "high"])
def test_mirrored_numbers_give_the_mirrored_picture(view):
    """Light mirrored too. Tolerance: 1.5 levels in the mean, 1 % of pixels above 24."""
    values = face(
        mouthSmileLeft=0.9, eyeBlinkRight=0.8, browOuterUpLeft=0.7, jawOpen=0.3, mouthLeft=0.4,
        jawRight=0.3, headYaw=0.2, headRoll=0.1, eyeLookOutLeft=0.5, eyeLookInRight=0.5,
    )  # fmt: skip
    look = look_of("realistic")
    one = Renderer(look=look, view=view, size=SIZE, background="plain").render(values)
    other = Renderer(look=look.mirrored(), view=view, size=SIZE, background="plain").render(
        mirror(values)
    )
    apart = np.abs(one.astype(int) - other[:, ::-1]).max(axis=2)
    assert apart.mean() < 1.5
    assert (apart > 24).mean() < 0.01


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_blink_covers_the_iris(green_eyed, side):
    other = "right" if side == "left" else "left"
    shut = face(**{f"eyeBlink{side.capitalize()}": 1.0})
    half = face(**{f"eyeBlink{side.capitalize()}": 0.5})
    full, partly = iris(green_eyed, face(), side)[0], iris(green_eyed, half, side)[0]
    assert full > 250
    assert iris(green_eyed, shut, side)[0] <= 0.01 * full
    assert 0.02 * full < partly < 0.9 * full
    assert iris(green_eyed, shut, other)[0] > 0.97 * iris(green_eyed, face(), other)[0]


def test_a_blink_hides_the_eyeballs(clay):
    def eyes(values):
        clay.render(values)
        return np.isin(clay.mask(), [PARTS.index("eye_left") + 1, PARTS.index("eye_right") + 1])

    assert eyes(face()).sum() > 100
    assert eyes(face(eyeBlinkLeft=1, eyeBlinkRight=1)).sum() < 0.03 * eyes(face()).sum()


@pytest.mark.parametrize(("channels", "x", "y"), [
    ({"eyeLookOutLeft": 0.7, "eyeLookInRight": 0.7}, 1, 0),
    ({"eyeLookInLeft": 0.7, "eyeLookOutRight": 0.7}, -1, 0),
    ({"eyeLookUpLeft": 0.7, "eyeLookUpRight": 0.7}, 0, -1),
    ({"eyeLookDownLeft": 0.7, "eyeLookDownRight": 0.7}, 0, 1),
    ({"leftEyeYaw": -0.47, "rightEyeYaw": -0.33}, 1, 0),
    ({"leftEyePitch": 0.43, "leftEyeYaw": -0.07, "rightEyePitch": 0.43, "rightEyeYaw": 0.07,
      "eyeLookDownLeft": 0.7, "eyeLookDownRight": 0.7}, 0, 1),
])  # fmt: skip
@pytest.mark.parametrize("side", ["left", "right"])
def test_gaze_moves_the_iris_the_right_way(green_eyed, channels, x, y, side):
    """x to the right of the picture is the subject's left; y points down."""
    rest = iris(green_eyed, face(), side)[1]
    dx, dy = iris(green_eyed, face(**channels), side)[1] - rest
    if x:
        assert dx * x > 4
        assert abs(dy) < abs(dx)
    else:
        assert dy * y > 2
        assert abs(dx) < abs(dy)


def test_live_links_rest_angles_look_straight_ahead(green_eyed):
    for side in ("left", "right"):
        straight = iris(green_eyed, face(), side)[1]
        rest = iris(green_eyed, face(leftEyeYaw=-0.07, rightEyeYaw=0.07), side)[1]
        assert np.abs(straight - rest).max() < 0.5


HAS = load_head().has
MOVING = [each for each in BLENDSHAPES if HAS[each.index]]


@pytest.mark.parametrize("channel", MOVING, ids=lambda each: each.name)
def test_every_channel_shows(clay, channel):
    changed = change(clay, face(**{channel.name: 1.0}))
    assert (changed > 24).sum() > 20, "nobody could see it"


@pytest.mark.parametrize("channel", [c for c in MOVING if c.side != "centre"],
                         ids=lambda each: each.name)  # fmt: skip
def test_sided_channels_change_their_side(clay, channel):
    changed = change(clay, face(**{channel.name: 1.0})).astype(float)
    left = changed[:, SIZE // 2 :].sum() / changed.sum()  # the subject's left: on the right
    least = 0.7 if channel.region == "mouth" else 0.8  # half a lip pulls at the other half
    assert (left if channel.side == "left" else 1 - left) > least


@pytest.mark.parametrize("channel", [c for c in MOVING if c.region in ("eye", "brow", "mouth",
                                                                      "jaw", "tongue")],
                         ids=lambda each: each.name)  # fmt: skip
def test_channels_change_their_half(clay, channel):
    border = clay.camera.project(np.array([[0, -0.034, 0.03]], np.float32), SIZE, SIZE)[0, 1]
    changed = change(clay, face(**{channel.name: 1.0})).astype(float)
    upper = changed[: int(border)].sum() / changed.sum()
    assert (upper if channel.half == "upper" else 1 - upper) > 0.8


def test_the_mouth_goes_to_the_side_it_is_named_after():
    look = replace(look_of("clay"), lips=(0.6, 0.0, 0.0), skin=(0.4, 0.4, 0.4))
    renderer = Renderer(look=look, size=SIZE, crop="lower")

    def lips(values):
        picture = renderer.render(values).astype(int)
        return np.nonzero(picture[..., 0] > picture[..., 1] + 60)[1].mean()

    rest = lips(face())
    assert lips(face(mouthLeft=1)) > rest + 3  # the subject's left is on the right
    assert lips(face(mouthRight=1)) < rest - 3
    assert lips(face(jawLeft=1)) > rest + 0.5
    assert lips(face(jawRight=1)) < rest - 0.5


def test_the_head_turns_nods_and_leans_the_right_way(clay):
    def nose(values):
        from semanticface.render.head import pose

        head = clay.head
        tip = head.neutral[:, 2].argmax()
        return clay.camera.project(pose(head, values)[[tip]], SIZE, SIZE)[0]

    rest = nose(face())
    assert nose(face(headYaw=0.3))[0] > rest[0] + 5  # to the subject's left: right in the picture
    assert nose(face(headPitch=0.3))[1] < rest[1] - 5  # up
    assert nose(face(headRoll=0.3))[0] < rest[0] - 5  # the top leans to the subject's right
