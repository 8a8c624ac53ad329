"""Mirrored records and changed pixels."""

from __future__ import annotations

import numpy as np
import pytest
from faces import frames
from hypothesis import given
from hypothesis import strategies as st
from samples import as_bytes, faces, picture, record, smile

from semanticface.data.augment import Pixels, exchanged_sides, mirrored
from semanticface.data.collate import DecodeImages
from semanticface.data.images import Pictures
from semanticface.data.records import Words
from semanticface.errors import BadInput
from semanticface.language.consistency import check
from semanticface.language.describe import describe
from semanticface.render.picture import Renderer
from semanticface.rig import mirror


@given(frames(), st.integers(0, 50))
def test_a_mirror_twice_is_the_record_again(values, seed):
    words = Words.of(describe(values, seed=seed))
    one = record(values, words=words)
    there, how = mirrored(one)
    assert how == "described anew"
    assert np.array_equal(there.values, mirror(values))
    assert there.image.flip
    assert check(there.words.description, there.values).holds
    back = mirrored(there).record
    assert (back.id, back.targets, back.image) == (one.id, one.targets, one.image)


@given(frames(decimals=2), st.integers(0, 20), st.sampled_from(["en", "zh"]))
def test_sides_exchanged_in_the_rules_own_words_stay_true(values, seed, language):
    words = describe(values, seed=seed, language=language)
    turned = type(words)(*(exchanged_sides(text) for text in words.as_analysis().values()))
    held = check(turned, mirror(values), language=language)
    assert not held.contradicted
    assert not held.unmentioned


def test_sides_of_words():
    assert exchanged_sides("Left brow up, right-sided, brightly; rightward.") == (
        "Right brow up, left-sided, brightly; leftward."
    )
    assert exchanged_sides("左眼闭上，右嘴角") == "右眼闭上，左嘴角"


def test_a_models_words_are_turned_and_checked():
    values = smile(0.8, 0.3)
    words = Words.of(describe(values, seed=2), by="a-model")
    there, how = mirrored(record(values, words=words))
    assert how == "exchanged"
    assert there.words.by == "a-model"
    assert there.words != words
    false = words.model_copy(update={"muscle_movements": "The left brow is raised."})
    there, how = mirrored(record(values, words=false))
    assert (how, there.words.by) == ("described anew", "rules")
    assert check(there.words.description, there.values).holds


def test_the_mirrored_picture_shows_the_mirrored_numbers():
    """A rendered face with its numbers mirrored is its picture mirrored."""
    renderer = Renderer(size=64, look="clay", background="plain", antialias=True)
    values = smile(0.9, 0.0)
    shot = as_bytes(Pictures().decode(record(values, image=_drawn(renderer, values)).image))
    flipped = Pictures().decode(mirrored(record(values, image=shot)).record.image)
    there, away = (
        Pictures().decode(record(values, image=_drawn(renderer, each)).image)
        for each in (mirror(values), values)
    )
    lower = (slice(36, 58), slice(16, 48))

    def far(one, other):
        return np.abs(np.asarray(one, float)[lower] - np.asarray(other, float)[lower]).mean()

    assert far(flipped, there) < far(flipped, away)


def _drawn(renderer, values):
    from PIL import Image

    return as_bytes(Image.fromarray(renderer.render(values)))


def test_the_same_seed_changes_pixels_the_same_way():
    image, settings = picture(64, 64), Pixels(chance=1.0)
    one, again, other = (np.asarray(settings.apply(image, s)) for s in ((3, 1), (3, 1), (3, 2)))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert one.shape == (64, 64, 3)


def test_nothing_asked_is_nothing_done():
    still = Pixels(0, 0, 0, 0, 0, 0, 0, 0, 1.0)
    image = picture(50, 40)
    assert np.array_equal(np.asarray(still.apply(image, 5)), np.asarray(image))


@pytest.mark.parametrize("name", ["crop", "brightness", "contrast", "saturation", "tint", "blur",
                                  "noise", "occlusion"])  # fmt: skip
def test_each_setting_does_something_and_no_more_than_it_may(name):
    quiet = dict.fromkeys(("crop", "brightness", "contrast", "saturation", "tint", "blur",
                           "noise", "occlusion"), 0.0)  # fmt: skip
    loud = Pixels(**{**quiet, name: 20.0 if name == "blur" else 0.2}, chance=1.0)
    image = picture(64, 64)
    changed = [np.asarray(loud.apply(image, seed), int) for seed in range(8)]
    different = [np.abs(each - np.asarray(image, int)).max(axis=2) > 2 for each in changed]
    assert sum(each.any() for each in different) >= 7
    if name == "occlusion":
        assert max(each.mean() for each in different) <= 0.2
    with pytest.raises(BadInput, match=name):
        Pixels(**{name: -0.1})


def test_the_collator_changes_only_rows_with_a_number():
    rows = [{"images": [{"data": as_bytes(picture(seed=1))}], "record": "a", "augment": seed}
            for seed in (None, 4, 4, 5)]  # fmt: skip
    done = DecodeImages(lambda made: made, pixels=Pixels())(rows)
    shown = [np.asarray(each["images"][0]) for each in done]
    assert np.array_equal(shown[0], np.asarray(picture(seed=1)))
    assert np.array_equal(shown[1], shown[2])
    assert not np.array_equal(shown[1], shown[3])


def test_changed_pixels_leave_the_numbers_alone():
    one = record(faces(1)[0])
    before = one.targets
    Pixels().apply(Pictures().decode(one.image), 1)
    assert one.targets == before
