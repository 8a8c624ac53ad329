"""Pictures: the same every time, options that do what they say, faults that are named."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.render.background import background_of
from semanticface.render.look import LOOKS, look_of
from semanticface.render.picture import Renderer, dimmed, render_frame
from semanticface.render.sheet import contact_sheet, difference, difference_sheet, side_by_side
from semanticface.rig import COUNT, INDEX


def face(**channels: float) -> np.ndarray:
    values = np.zeros(COUNT, np.float32)
    for name, value in channels.items():
        values[INDEX[name]] = value
    return values


SMILE = face(mouthSmileLeft=0.9, mouthSmileRight=0.9, jawOpen=0.3, browInnerUp=0.5, headYaw=0.2)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("antialias", [False, True])
def test_same_inputs_same_bytes(look, antialias):
    options = {"look": look, "antialias": antialias, "size": 128, "identity": 5}
    one, other = Renderer(**options), Renderer(**options)
    first = one.render(SMILE)
    one.render(face(jawOpen=1))  # whatever was drawn in between leaves no trace
    assert first.tobytes() == one.render(SMILE).tobytes() == other.render(SMILE).tobytes()
    assert first.shape == (128, 128, 3)
    assert first.dtype == np.uint8
    assert first.std() > 20


def test_threads_draw_the_same():
    found = {}

    def work(i):
        renderer = Renderer(size=96)
        found[i] = [renderer.render(face(jawOpen=k / 5)).tobytes() for k in range(6)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found[0] == found[1] == found[2]


def test_render_frame_keeps_its_renderer_and_takes_arrays():
    one = render_frame(SMILE, size=64, look="clay")
    assert np.array_equal(one, render_frame(SMILE, size=64, look="clay"))
    assert np.array_equal(one, Renderer(size=64, look="clay").render(SMILE))
    assert render_frame(SMILE, size=64, identity=[1.0, -1.0]).shape == (64, 64, 3)


def test_a_seed_is_a_person_and_other_seeds_are_others():
    pictures = [render_frame(face(), size=64, identity=seed) for seed in range(6)]
    for i in range(6):
        for j in range(i):
            assert np.abs(pictures[i].astype(int) - pictures[j]).mean() > 2
    same_face = render_frame(face(), size=64, identity=3, seed=4)
    assert not np.array_equal(same_face, pictures[3])


def test_sizes_views_and_backgrounds():
    assert render_frame(face(), size=(97, 61)).shape == (61, 97, 3)
    front, left, right = (render_frame(face(), size=96, view=v) for v in ("front", "left", "right"))
    assert np.abs(front.astype(int) - left).mean() > 5
    assert np.abs(left.astype(int) - right).mean() > 5
    for name in ("plain", "gradient", "noise", "#204060"):
        assert background_of(name, 40, 30).shape == (30, 40, 3)
    corner = render_frame(face(), size=64, background="#204060")[0, 0]
    assert np.abs(corner.astype(int) - (0x20, 0x40, 0x60)).max() <= 1
    own = np.full((64, 64, 3), 0.25, np.float32)
    assert np.ptp(Renderer(size=64, background=own).render(face())[0]) == 0


def test_the_whole_head_fits_with_the_jaw_open_and_the_head_turned():
    renderer = Renderer(size=128, background="#ff00ff")
    for values in (face(jawOpen=1), face(headYaw=0.5), face(headPitch=0.3, jawOpen=0.6)):
        picture = renderer.render(values).astype(int)
        border = np.concatenate([picture[0], picture[:100, 0], picture[:100, -1]])
        assert (border == (255, 0, 255)).all(axis=1).mean() > 0.97


def test_crops_show_their_half_and_fade():
    upper = Renderer(size=128, crop="upper", background="#00ff00")
    lower = Renderer(size=128, crop="lower", background="#00ff00")
    rest_up, rest_low = upper.render(face()), lower.render(face())
    blink = upper.render(face(eyeBlinkLeft=1, eyeBlinkRight=1))
    smile = face(mouthSmileLeft=1, mouthSmileRight=1)
    assert np.abs(blink.astype(int) - rest_up).mean() > 0.5
    jaw_up = np.abs(upper.render(face(jawOpen=1)).astype(int) - rest_up).mean()
    jaw_low = np.abs(lower.render(face(jawOpen=1)).astype(int) - rest_low).mean()
    assert jaw_up < 0.2 * jaw_low
    assert np.abs(lower.render(smile).astype(int) - rest_low).mean() > 1.5
    assert np.abs(lower.render(face(browInnerUp=1)).astype(int) - rest_low).mean() < 0.1
    green = (rest_up[..., 1] > 250) & (rest_up[..., 0] < 5)
    assert green[-1].all()  # nothing is left at the lower edge
    soft = (rest_up[..., 1] > rest_up[..., 0].astype(int) + 30) & ~green
    assert soft.sum() > 100  # and the way there is gradual


def test_focus_dims_the_other_half_only():
    plain, focus = (Renderer(size=128, focus=f, background="plain") for f in (None, "upper"))
    a, b = plain.render(face()).astype(int), focus.render(face()).astype(int)
    eyes, mouth = np.s_[40:60, 40:88], np.s_[88:100, 50:78]
    assert np.abs(a[eyes] - b[eyes]).mean() < 1
    assert b[mouth].std() < 0.5 * a[mouth].std()


def test_a_mirrored_look_is_lit_from_the_other_side():
    look = look_of("realistic")
    assert look.mirrored().mirrored() == look
    assert look.mirrored() != look


def test_dimming_keeps_the_picture_but_greyer():
    picture = render_frame(face(), size=64)
    assert dimmed(picture).std() < picture.std()
    assert dimmed(picture).dtype == np.uint8


@pytest.mark.parametrize("options", [
    {"look": "realstic"}, {"view": "frnt"}, {"crop": "uper"}, {"background": "blue"},
    {"size": 8}, {"size": 9000}, {"focus": "left"},
    {"background": np.zeros((3, 3, 3), np.float32)},
])  # fmt: skip
def test_wrong_options_are_named(options):
    with pytest.raises(BadInput) as told:
        Renderer(**options)
    assert "expected" in str(told.value)


def test_wrong_values_are_named():
    with pytest.raises(BadInput, match="61"):
        render_frame(np.zeros(52))
    holed = face()
    holed[INDEX["jawOpen"]] = np.nan
    with pytest.raises(BadInput, match="jawOpen"):
        render_frame(holed)


def test_texture_is_subtle_and_only_where_it_can_be_seen():
    def skin(grain, size):
        return Renderer(size=size, grain=grain, crop="lower").render(face()).astype(int)

    assert 0.05 < np.abs(skin(0.0, 512) - skin(0.5, 512)).mean() < 6
    whole = (Renderer(size=64, grain=grain).render(face()) for grain in (0.0, 1.0))
    assert np.array_equal(*whole)


def test_looks_keep_their_promise():
    clay = Renderer(look="clay", size=128).render(face()).astype(int)
    colour = np.ptp(clay[40:100, 40:88], axis=-1)
    assert np.percentile(colour, 90) < 40  # hardly any colour
    flat = Renderer(look="toon", size=256, antialias=False).render(face())[90:180, 90:170]
    rich = Renderer(look="realistic", size=256, antialias=False).render(face())[90:180, 90:170]
    assert len(np.unique(flat.reshape(-1, 3), axis=0)) < len(np.unique(rich.reshape(-1, 3), axis=0))
    own = replace(look_of("clay"), skin=(0.0, 0.3, 0.0))
    green = Renderer(look=own, size=64).render(face())[36:42, 29:35].astype(int)
    assert (green[..., 1] > green[..., 0] + 40).all()


def test_sheets():
    pictures = [render_frame(face(jawOpen=k / 4), size=64) for k in range(5)]
    sheet = contact_sheet(pictures, [f"jaw {k}" for k in range(5)], columns=3, title="jaw")
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] == 3 * 68 + 4
    assert np.array_equal(sheet, contact_sheet(pictures, [f"jaw {k}" for k in range(5)],
                                               columns=3, title="jaw"))  # fmt: skip
    pair = side_by_side(pictures[:2])
    assert pair.shape == (64 + 8, 2 * 68 + 4, 3)
    assert np.array_equal(pair[4:68, 4:68], pictures[0])
    apart = difference(pictures[0], pictures[4], gain=4)
    assert apart.max() > 100
    assert not difference(pictures[0], pictures[0]).any()
    assert difference_sheet(pictures[0], pictures[4]).shape[1] == 3 * 68 + 4
    long = contact_sheet(pictures[:1], ["a label that is far too long for its picture"])
    assert long.shape[1] == 72


def test_sheets_refuse_what_does_not_fit():
    picture = render_frame(face(), size=64)
    for call in (
        lambda: contact_sheet([]),
        lambda: contact_sheet([picture], ["a", "b"]),
        lambda: side_by_side([picture, picture[:32]]),
        lambda: difference(picture, picture[..., :2]),
    ):
        with pytest.raises(BadInput):
            call()
