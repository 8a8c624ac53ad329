"""Speakers who differ from the table, and a frame of the mouth as one token."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.metrics.speech import speech_scores, speech_sums
from semanticface.rig import COUNT, INDEX, NAMES
from semanticface.speech.manners import Manner, differing
from semanticface.speech.mouth_shapes import (
    ShapeForm,
    nearest,
    read_table,
    shapes,
    vocabulary,
    write_table,
)
from semanticface.speech.phones import SILENCE, phone, phones
from semanticface.speech.rules import animate
from semanticface.speech.spans import spoken_spans
from semanticface.speech.timeline import Sound, Timeline
from semanticface.speech.window_answers import reconstruction

SYMBOLS = ("B", "AA", "P", "IY", "F", "UW", "M", "EY", "V", "OW")
SAID = Timeline(
    tuple(Sound(s, 0.6 + 0.12 * i, 0.72 + 0.12 * i) for i, s in enumerate(SYMBOLS)), (), 2.6
)


def test_a_manner_of_nothing_is_the_table():
    plain, same = animate(SAID), animate(SAID, manner=Manner())
    assert np.array_equal(plain.values, same.values, equal_nan=True)
    assert (
        differing(Manner(), [3], 0.0).phone("AA").targets.tolist() == phone("AA").targets.tolist()
    )


@given(st.integers(0, 2**31), st.floats(0.1, 1.5))
def test_every_speaker_still_closes_and_rests(seed, amount):
    manner = differing(Manner(), [seed], amount)
    clip = animate(SAID, manner=manner)
    found = speech_scores(speech_sums(clip.values, clip.times, spoken_spans(SAID)))
    assert found.closure_rate == 1
    assert found.teeth_rate == 1
    assert manner.phone(SILENCE) is phone(SILENCE)
    before = clip.values[clip.times < 0.25][:, list(MOUTH_31)]
    assert np.ptp(before, axis=0).max() == 0


def test_a_speaker_is_himself_again_and_somebody_else_is_not():
    one, again, other = (differing(Manner(), [k], 1.0) for k in (1, 1, 2))
    values = [animate(SAID, manner=each).values for each in (one, again, other)]
    assert np.array_equal(values[0], values[1], equal_nan=True)
    assert np.nanmean(np.abs(values[0] - values[2])) > 0.005
    for name in phones():
        row = one.phone(name)
        assert row.targets[INDEX["mouthStretchLeft"]] == row.targets[INDEX["mouthStretchRight"]]
        assert row.contact == phone(name).contact


def test_shapes_are_there_to_the_letter_and_rest_is_the_first():
    assert len(vocabulary()) == len(shapes()) == len(set(vocabulary()))
    assert not shapes()[0].any()
    assert shapes()[1:].any(axis=1).all()
    form = ShapeForm()
    rows = form.spread(shapes()[[5, 0, 77]])
    text = form.write(rows)
    assert text.split("><")[1] == "m0"
    assert np.allclose(form.read(text, 3).values, rows, equal_nan=True)
    assert np.abs(shapes()[nearest(shapes())] - shapes()).max() < 1e-9


def test_what_the_rules_say_in_shapes_is_near():
    values = animate(SAID).values
    far = reconstruction(ShapeForm(), [np.nan_to_num(values)])
    assert far.mae < 0.015
    belief = np.zeros((1, len(shapes())))
    belief[0, [3, 9]] = 0.25, 0.75
    mixed = ShapeForm().believed(belief)[0, list(MOUTH_31)]
    assert np.allclose(mixed, 0.25 * shapes()[3] + 0.75 * shapes()[9])


@pytest.mark.parametrize("text", ["<m5>", "<m5><m9999>", "<m5> jaw <m6>", "", "<m5><m6><m7>"])
def test_other_answers_cannot_be_read(text):
    assert ShapeForm().read(text, 2).values is None


def test_a_gap_is_no_shape():
    with pytest.raises(BadInput, match="no value"):
        ShapeForm().write(np.full((2, COUNT), np.nan))


def test_a_table_of_ones_own_says_ones_own_mouths(tmp_path):
    rng = np.random.default_rng(0)
    mine = rng.integers(0, 101, (256, 31)).astype(np.uint8)
    write_table(mine, tmp_path / "mine.npz")
    own = read_table(tmp_path / "mine.npz")
    assert (shapes(own) == mine / 100).all() and not (shapes() == mine / 100).all()
    form = ShapeForm(own=own)
    rows = form.spread(shapes(own)[[7, 200]])
    assert form.write(rows) == "<m7><m200>"
    assert np.allclose(form.read("<m7><m200>", 2).values, rows, equal_nan=True)
    assert ShapeForm().write(rows) != "<m7><m200>"
    belief = np.zeros((1, 256))
    belief[0, [3, 9]] = 0.5
    assert np.allclose(form.believed(belief)[0, list(MOUTH_31)], mine[[3, 9]].mean(0) / 100)


def test_what_is_no_table_is_refused(tmp_path):
    (tmp_path / "text.npz").write_text("no table")
    np.savez(tmp_path / "few.npz", hundredths=np.zeros((9, 31), np.uint8),
             channels=[NAMES[i] for i in MOUTH_31])  # fmt: skip
    np.savez(tmp_path / "other.npz", hundredths=np.zeros((256, 31), np.uint8), channels=NAMES[:31])
    for name, match in (("text", "no table of shapes"), ("gone", "no table of shapes"),
                        ("few", "a table of"), ("other", "other channels")):  # fmt: skip
        with pytest.raises(BadInput, match=match):
            read_table(tmp_path / f"{name}.npz")
    with pytest.raises(BadInput, match="no table of shapes"):
        shapes("bm8gdGFibGU=")
