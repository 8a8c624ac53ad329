"""What a judge is shown: the region clear, the rest faint, the same for both answers."""

from __future__ import annotations

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.preference.presentation import Presentation, digest, shown, weights_of
from semanticface.preference.regions import FINE
from semanticface.render.head import load_head
from semanticface.rig import COUNT, INDEX

SMALL = Presentation(size=96, antialias=False)


def face(**channels: float) -> np.ndarray:
    values = np.zeros(COUNT, np.float32)
    for name, value in channels.items():
        values[INDEX[name]] = value
    return values


def changed(region: str, how: Presentation, **channels: float) -> float:
    gap = shown(face(), region, how).astype(int) - shown(face(**channels), region, how)
    return float(np.abs(gap).mean())


@pytest.mark.parametrize("region", ["upper", "lower", *FINE])
def test_focus_keeps_the_whole_face_faint(region: str) -> None:
    focus, plain = (shown(face(), region, Presentation(mode, size=96)).astype(int)
                    for mode in ("focus", "plain"))  # fmt: skip
    gap = np.abs(focus - plain).max(axis=2)
    assert (gap == 0).mean() > 0.2 and (gap > 10).mean() > 0.1
    assert weights_of(region).min() == 0 and weights_of(region).max() == 1


@pytest.mark.parametrize(("region", "own", "foreign"), [
    ("upper", "browInnerUp", "jawOpen"), ("lower", "jawOpen", "browInnerUp"),
    ("eyes", "eyeBlinkLeft", "jawOpen"), ("mouth", "mouthPucker", "browInnerUp"),
])  # fmt: skip
@pytest.mark.parametrize("mode", ["focus", "crop"])
def test_the_judged_part_shows_more_than_with_the_whole_face(
    mode: str, region: str, own: str, foreign: str
) -> None:
    how, plain = Presentation(mode, size=96), Presentation("plain", size=96)
    gain = changed(region, how, **{own: 1.0}) / changed(region, plain, **{own: 1.0})
    loss = changed(region, how, **{foreign: 1.0}) / changed(region, plain, **{foreign: 1.0})
    assert gain > 1.3 * loss and gain > 0.9


def test_views_stand_side_by_side() -> None:
    how = Presentation("focus", views=("front", "three-quarter"), size=64, antialias=False)
    picture = shown(face(jawOpen=1), "lower", how)
    assert picture.shape == (64, 128, 3)
    front = Presentation("focus", size=64, antialias=False)
    assert np.array_equal(picture[:, :64], shown(face(jawOpen=1), "lower", front))


def test_the_head_is_held_still_for_parts_only() -> None:
    turned = face(headYaw=0.5)
    assert np.array_equal(shown(turned, "lower", SMALL), shown(face(), "lower", SMALL))
    assert not np.array_equal(shown(turned, "full", SMALL), shown(face(), "full", SMALL))


def test_a_missing_number_is_drawn_at_rest() -> None:
    hole = face()
    hole[INDEX["jawOpen"]] = np.nan
    assert np.array_equal(shown(hole, "full", SMALL), shown(face(), "full", SMALL))


def test_a_hash_follows_everything_that_is_shown() -> None:
    still = np.zeros(1)
    base = digest(face(), still, "upper", SMALL, 3)
    others = [
        digest(face(jawOpen=0.1), still, "upper", SMALL, 3),
        digest(face(), still, "lower", SMALL, 3),
        digest(face(), still, "upper", Presentation(size=97), 3),
        digest(face(), still, "upper", SMALL, 4),
        digest(face(), still, "upper", SMALL, 3, "sound"),
        digest(face(), still + 1, "upper", SMALL, 3),
    ]
    assert len({base, *others}) == 7
    assert base == digest(face(), still, "upper", Presentation.from_json(SMALL.as_json()), 3)


@pytest.mark.parametrize("bad", [{"mode": "half"}, {"views": ()}, {"views": ("up",)}])
def test_what_cannot_be_shown_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        Presentation(**bad)
    with pytest.raises(BadInput):
        Presentation.from_json('{"mode": 1}')


def test_a_focus_needs_a_weight_a_vertex() -> None:
    from semanticface.render.picture import Renderer

    with pytest.raises(BadInput, match="vertex each"):
        Renderer(load_head(), size=32, focus=np.ones(5, np.float32))
