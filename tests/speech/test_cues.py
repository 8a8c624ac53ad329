"""Cues say what is said in which frame; windows come back as they went and leave no seam."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.data.speech_tasks import SpeechTask
from semanticface.errors import BadInput
from semanticface.language.answers import FlatJson
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.rig import CHANNELS, COUNT, INDEX
from semanticface.speech.contours import Contours
from semanticface.speech.cues import (
    CUES,
    MARKS,
    SETS,
    Spoken,
    Window,
    cues_of,
    emphasised,
    name_of,
    needs_sound,
)
from semanticface.speech.mouth_shapes import ShapeForm, nearest, shapes
from semanticface.speech.rules import animate
from semanticface.speech.stitching import Cut, stitch
from semanticface.speech.timeline import Sound, Timeline, Word
from semanticface.speech.window_answers import FORMS, TOLERANCE, WindowForm, reconstruction

MOUTH = list(MOUTH_31)
SAID = "draft: (by rules, to be corrected) "
MAPLE = Timeline(
    (Sound("DH", 0.5, 0.55, None, 0), Sound("AH", 0.55, 0.6, 0, 0), Sound("M", 0.6, 0.7, None, 1),
     Sound("EY", 0.7, 0.9, 1, 1), Sound("P", 0.9, 1.0, None, 1), Sound("AH", 1.0, 1.05, 0, 1),
     Sound("L", 1.05, 1.2, None, 1)),
    (Word("The", 0.5, 0.6), Word("maple", 0.6, 1.2)), 2.0,
)  # fmt: skip


def voice(loud_from, loud_to, seconds=2.0):
    count = round(seconds * 100)
    clock = (np.arange(count) + 0.5) / 100
    loudness = np.where((clock > loud_from) & (clock < loud_to), -15.0, -40.0)
    return Contours(loudness.astype(np.float32), np.full(count, 120, np.float32),
                    np.ones(count, np.bool_))  # fmt: skip


def test_a_window_is_told_frame_by_frame():
    told = Spoken(MAPLE, voice(0.7, 0.9)).section(Window(18, 12, 30.0)).splitlines()
    assert told[0] == "words: The *maple*"
    # 0.6 s is frame 18, 0.7 is 21, 0.9 is 27, 1.0 is 30
    assert told[1] == "phones: 0-2 M | 3-8 EY1! | 9-11 P"
    assert told[2].startswith("mouth: M bilabial nasal, lips closed, jaw high; EY front")
    assert told[3].startswith("voice: ")
    digits = told[3].removeprefix("voice: ")
    assert len(digits) == 12
    assert digits[:2] + digits[4:8] == "00" + digits[5] * 4
    assert len(told) == 4  # no pause


def test_silence_is_told_and_nothing_else():
    assert Spoken(MAPLE).section(Window(45, 12, 30.0)) == "words: The maple\npause: 0-11"
    assert Spoken(MAPLE).frame(1.9) == "silence, before the end"
    assert Spoken(Timeline((), seconds=1.0)).section(Window(0, 10, 30.0)) == "pause: 0-9"


def test_one_moment_in_words():
    assert Spoken(MAPLE).frame(0.65) == (
        "M 50% after AH, before EY, in 'maple': bilabial nasal, lips closed, jaw high"
    )


@pytest.mark.parametrize("name", list(SETS))
def test_every_rung_of_the_ablation_shows_its_parts_only(name):
    told = Spoken(MAPLE, voice(0.7, 0.9)).section(Window(10, 40, 30.0), SETS[name])
    assert {line.partition(":")[0] for line in told.splitlines()} == set(SETS[name]) - set(MARKS)


def test_parts_cost_what_they_say():
    spoken, window = Spoken(MAPLE, voice(0.7, 0.9)), Window(10, 40, 30.0)
    costs = [len(spoken.section(window, SETS[name])) for name in SETS
             if "frames" not in SETS[name]]  # fmt: skip
    assert costs == sorted(costs)
    assert costs[0] == 0
    with pytest.raises(BadInput, match="the cue 'smell'"):
        spoken.section(window, ("smell",))


def test_stress_and_emphasis_can_be_left_out_alone():
    spoken, window = Spoken(MAPLE, voice(0.7, 0.9)), Window(18, 12, 30.0)
    told = {
        name: spoken.section(window, cues_of(name)).splitlines()[1]
        for name in ("phones", "phones-stress", "phones-emphasis", "phones-emphasis-stress")
    }
    assert told == {
        "phones": "phones: 0-2 M | 3-8 EY1! | 9-11 P",
        "phones-stress": "phones: 0-2 M | 3-8 EY! | 9-11 P",
        "phones-emphasis": "phones: 0-2 M | 3-8 EY1 | 9-11 P",
        "phones-emphasis-stress": "phones: 0-2 M | 3-8 EY | 9-11 P",
    }  # fmt: skip


@given(name=st.sampled_from(list(SETS)), data=st.data())
def test_a_set_with_parts_left_out_has_a_name(name, data):
    less = data.draw(st.lists(st.sampled_from(SETS[name]), unique=True)) if SETS[name] else []
    told = "-".join((name, *less))
    assert cues_of(told) == tuple(cue for cue in SETS[name] if cue not in less)
    again = name_of(cues_of(told), audio=needs_sound(told))
    assert (cues_of(again), needs_sound(again)) == (cues_of(told), needs_sound(told))
    assert less or again == name


@pytest.mark.parametrize(("told", "why"), [
    ("fones", "the cues 'fones'"), ("phones-mouth", "parts of phones: words, phones, stress"),
    ("audio-stress", "parts of audio: none"), ("text-", "parts of text"),
])  # fmt: skip
def test_what_no_set_has_is_refused(told, why):
    with pytest.raises(BadInput, match=why):
        cues_of(told)


def test_a_phone_a_frame_and_six_more_on_each_side():
    spoken = Spoken(MAPLE)
    told = [spoken.section(Window(first, 4, 30.0), ("frames",)) for first in (20, 24)]
    assert all(line.startswith("frames: ") for line in told)
    here, later = (line.removeprefix("frames: ").split() for line in told)
    assert len(here) == len(later) == 4 + 2 * 6
    assert here[4:] == later[:-4]  # a frame's phone does not depend on the window
    at = np.arange(14, 30) / 30
    wanted = [next((s.symbol for s in MAPLE.sounds if s.start <= t < s.end), "-") for t in at]
    assert here == wanted


def test_a_closure_between_two_frames_is_not_lost():
    sounds = (Sound("AA", 0.0, 0.35, 1), Sound("B", 0.35, 0.36, None), Sound("AA", 0.36, 0.7, 1))
    told = Spoken(Timeline(sounds, seconds=1.0)).section(Window(6, 9, 30.0), ("frames",))
    assert told.split() == ["frames:", *["AA"] * 11, "B", *["AA"] * 9]


def test_emphasis_is_measured():
    assert emphasised(MAPLE, voice(0.7, 0.9)) == {3}
    assert emphasised(MAPLE, voice(1.0, 1.05)) == {5}
    assert emphasised(MAPLE, None) == frozenset()


def test_emphasis_does_not_depend_on_a_pause():
    assert emphasised(MAPLE, voice(0.0, 2.0)) == frozenset()


WEIGHTS = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@given(
    line=WEIGHTS, other=WEIGHTS, form=st.sampled_from(FORMS),
    tolerance=st.sampled_from([0.0, 0.03, 0.1]),
)  # fmt: skip
def test_what_is_written_is_read_within_the_tolerance(line, other, form, tolerance):
    values = np.zeros((len(line), COUNT), np.float32)
    values[:, INDEX["jawOpen"]] = line
    values[:, INDEX["mouthSmileLeft"]] = np.resize(other, len(line))
    values[:, INDEX["mouthSmileRight"]] = np.resize(other[::-1], len(line))
    values[:, INDEX["mouthLowerDownLeft"]] = values[:, INDEX["mouthLowerDownRight"]] = line[::-1]
    told = WindowForm(form, MOUTH_31, tolerance)
    read = told.read(told.write(values), len(line))
    assert read.why == ""
    allowed = 0.005 + (0 if form == "frames" else tolerance) + 0.0051
    assert np.abs(read.values[:, MOUTH_31] - values[:, MOUTH_31]).max() <= allowed
    assert np.isnan(read.values[:, INDEX["browInnerUp"]]).all()


def test_codes_by_hand():
    values = np.zeros((5, COUNT), np.float32)
    values[:, INDEX["jawOpen"]] = 0.1, 0.2, 0.3, 0.2, 0.1
    values[:, [INDEX["mouthLowerDownLeft"], INDEX["mouthLowerDownRight"]]] = 0.25
    assert WindowForm("codes").write(values) == "jo 0:10 2:30 4:10;mlb 0:25"
    assert WindowForm("keys").write(values) == (
        '{"jawOpen":{"0":10,"2":30,"4":10},"mouthLowerDownLeft":{"0":25},'
        '"mouthLowerDownRight":{"0":25}}'
    )
    assert WindowForm("frames").write(values).startswith('{"jawOpen":[10,20,30,20,10],')
    assert WindowForm("codes").write(np.zeros((5, COUNT))) == ""
    assert not np.nan_to_num(WindowForm("codes").read("", 5).values).any()


@pytest.mark.parametrize(("text", "why"), [
    ("jo 0:10 9:3", "outside"), ("xx 0:1", "no code"), ("jo", "no code"),
    ("jo 0:1;jo 0:2", "twice"), ("ebl 0:1", "not asked for"), ("jo 0:1 2:3 and so on", "no code"),
    ("x" * 300_000, "characters"),
])  # fmt: skip
def test_broken_codes_are_refused_with_a_reason(text, why):
    read = WindowForm("codes").read(text, 5)
    assert read.values is None
    assert why in read.why


@pytest.mark.parametrize("text", [
    "[]", "{", '{"jawOpen":[1,2]}', '{"jawOpen":5}', '{"nose":[1,2,3]}', '{"jawOpen":[1,2,true]}',
    '{"jawOpen":[1,2,1e9]}',
])  # fmt: skip
def test_broken_json_is_refused(text):
    assert WindowForm("frames").read(text, 3).values is None


def test_what_is_out_of_range_is_counted():
    read = WindowForm("codes").read("jo 0:130 1:50", 3)
    assert read.clamped == 1
    assert read.values[0, INDEX["jawOpen"]] == 1


def test_nothing_is_filled_in():
    values = np.zeros((3, COUNT))
    values[1, INDEX["jawOpen"]] = np.nan
    with pytest.raises(BadInput, match="jawOpen"):
        WindowForm().write(values)


def test_codes_do_not_collide():
    both = {c.code[:-1] + "b" for c in CHANNELS if c.side != "centre" and c.unit == "weight"}
    assert not both & {c.code for c in CHANNELS}


@given(total=st.integers(1, 60), frames=st.integers(1, 20), hop=st.integers(1, 20))
def test_windows_cover_every_frame_and_stitch_to_the_whole(total, frames, hop):
    cut = Cut(frames, min(hop, frames))
    values = np.random.default_rng(total).uniform(size=(total, COUNT)).astype(np.float32)
    windows = cut.windows(total, 30.0)
    parts = {w: values[w.first : w.first + w.frames] for w in windows}
    whole = stitch(parts, total)
    assert whole.missing == 0
    assert np.abs(whole.values - values).max() < 1e-6


def test_two_windows_that_disagree_meet_without_a_step():
    low, high = np.zeros((10, COUNT), np.float32), np.ones((10, COUNT), np.float32)
    told = stitch({Window(0, 10, 30.0): low, Window(6, 10, 30.0): high}, 16).values[:, 0]
    assert told[:6].tolist() == [0] * 6
    assert told[6:10] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert told[10:].tolist() == [1] * 6


def test_a_missing_window_is_counted_not_filled():
    ones = np.ones((5, COUNT), np.float32)
    told = stitch({Window(0, 5, 30.0): ones, Window(10, 5, 30.0): ones}, 15)
    assert told.missing == 5
    assert np.isnan(told.values[5:10]).all()
    with pytest.raises(BadInput, match="a hop"):
        Cut(5, 6).windows(10, 30.0)


@pytest.mark.parametrize("form", [
    WindowForm("codes", tolerance=0), WindowForm("keys", tolerance=0), WindowForm("frames"),
    ShapeForm(),
], ids=lambda form: form.form)  # fmt: skip
def test_a_draft_is_the_rules_mouth_in_the_answers_own_form(form):
    heard = voice(0.7, 0.9)
    told = Spoken(MAPLE, heard).section(Window(20, 10, 30.0), ("draft",), form)
    rules = animate(MAPLE, heard).values[20:30]
    before = "draft: " if form.form == "shapes" else SAID
    assert told == before + form.write(rules)
    if form.form != "shapes":
        read = form.read(told.removeprefix(before), 10)
        np.testing.assert_allclose(read.values, rules, atol=0.0051)


def test_shapes_beside_a_draft_repeat_it_exactly_and_correct_it_finely():
    plain = ShapeForm()
    draft = animate(MAPLE).values[18:30]
    rows, beside = draft[:, MOUTH], plain.beside(draft)
    assert beside.write(draft) == plain.write(draft)
    again = beside.read(beside.write(draft), len(draft)).values
    np.testing.assert_allclose(again[:, MOUTH], rows, atol=1e-6)
    assert np.abs(plain.read(plain.write(draft), len(draft)).values - draft)[:, MOUTH].max() > 0.02
    assert np.isnan(again[:, INDEX["eyeBlinkLeft"]]).all()

    belief = np.zeros((len(draft), len(shapes())))
    belief[np.arange(len(draft)), nearest(rows)] = 1
    np.testing.assert_allclose(beside.believed(belief)[:, MOUTH], rows, atol=1e-6)
    half = 0.5 * belief
    half[:, 0] += 0.5
    np.testing.assert_allclose(beside.believed(half)[:, MOUTH], 0.5 * rows + 0.5 * shapes()[0],
                               atol=1e-6)  # fmt: skip

    still = np.zeros_like(draft)  # whatever was drafted, the rest of the table says what it says
    assert beside.read(plain.write(still), len(still)).values[:, MOUTH].max() == 0
    others = draft.copy()
    others[:, MOUTH] = shapes()[(nearest(rows) + 100) % len(shapes())]
    np.testing.assert_allclose(beside.read(beside.write(others), len(others)).values[:, MOUTH],
                               others[:, MOUTH], atol=1e-6)  # fmt: skip
    near = draft.copy()
    near[:, MOUTH] = np.clip(rows + 0.004, 0, 1)  # nearer to the draft than to any shape
    np.testing.assert_allclose(beside.read(beside.write(near), len(near)).values[:, MOUTH], rows,
                               atol=1e-6)  # fmt: skip
    assert beside.read("<m3>", 2).values is None and "frames" in beside.read("<m3>", 2).why


def test_without_phones_there_is_no_draft_and_a_draft_at_rest_is_told():
    silent = Spoken(Timeline((), seconds=1.0))
    assert silent.section(Window(0, 10, 30.0), ("draft",)) == ""
    task = SpeechTask.of("shapes", cues="drafted")
    assert task.form_for(silent, Window(0, 10, 30.0)) == task.form
    told = Spoken(MAPLE).section(Window(50, 9, 30.0), ("draft",), WindowForm("codes"))
    assert told == SAID + "-"


def test_a_draft_is_at_the_windows_rate_and_rests_after_the_end():
    spoken, form = Spoken(MAPLE), WindowForm("frames")
    for rate in (30.0, 60.0, 30.0):
        told = spoken.section(Window(15, 10, rate), ("draft",), form)
        assert told == SAID + form.write(animate(MAPLE, rate=rate).values[15:25])
    assert spoken.section(Window(58, 9, 30.0), ("draft",), form) == SAID + "{}"


def test_windows_take_at_least_8_times_less_text_than_a_json_object_a_frame(readings, aligner):
    from semanticface.speech.audio import Recording

    path, text = readings[2]
    clip = animate(aligner.align(Recording(path).blocks(), text))
    frame = FlatJson(decimals=2, channels=MOUTH_31)
    by_frame = sum(len(frame.write(np.nan_to_num(values))) for values in clip.values)
    windows = Cut().windows(len(clip), 30.0)
    cut = [clip.values[w.first : w.first + w.frames] for w in windows]
    assert by_frame / sum(len(WindowForm("codes").write(part)) for part in cut) > 8
    found = reconstruction(WindowForm("codes"), cut)
    assert found.worst <= TOLERANCE + 0.0101
    assert found.mae < 0.006


def test_the_order_of_parts_is_fixed():
    spoken, window = Spoken(MAPLE, voice(0.7, 0.9)), Window(10, 40, 30.0)
    assert spoken.section(window, CUES[::-1]) == spoken.section(window, CUES)
