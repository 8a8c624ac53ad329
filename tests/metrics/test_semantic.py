"""The five label-free metrics: oracles, invariances, planted faults, and teaching errors."""

import json
from dataclasses import replace

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.formats.livelink_csv import read as read_take
from semanticface.formats.textgrid import Interval, write_tiers
from semanticface.metrics.judging import judge
from semanticface.metrics.peaks import load_peaks, peaks_of
from semanticface.metrics.segments import Segment, read_segments
from semanticface.metrics.semantic import (
    ACCURACY,
    EYES,
    METRICS,
    MOUTH,
    NEUTRALNESS,
    ROWS,
    SMOOTHNESS,
    Recording,
    score_recordings,
    second_difference,
)
from semanticface.rig import COUNT, INDEX, FaceClip

TABLE = load_peaks()
RATE, LONG = 30, 31
"""A second for each peak: a rise, a hold, a fall."""


def shown(peak, strength=1.4):
    """A face [61] that shows the peak: every level times `strength`, within its ceilings."""
    values = np.zeros(COUNT, np.float32)
    for each in (*peak.every, *peak.some[:1]):
        values[each.column] = min(each.level * strength, 1)
    if peak.name == "jaw open lips closed":
        values[INDEX["mouthClose"]] = values[INDEX["jawOpen"]]
    return values


def session(names=None, strength=1.4, subject="ann"):
    """A recording that shows each named peak for a second, and its labels."""
    names = list(TABLE.peaks) if names is None else names
    way = np.clip(np.minimum(np.arange(LONG), np.arange(LONG)[::-1]) / 8, 0, 1)[:, None]
    values = np.concatenate([way * shown(TABLE.peaks[n], strength) for n in names])
    step = LONG / RATE
    segments = [Segment(n, i * step, i * step + 1) for i, n in enumerate(names)]
    return Recording(FaceClip.of(values, rate=RATE), segments, "take", subject)


def changed(recording, change):
    values = np.array(recording.clip.values)
    change(values)
    return replace(recording, clip=recording.clip.with_values(values))


def numbers(recording, table=TABLE):
    return {name: score_recordings([recording], table).scores[name].value for name in METRICS}


WHOLE = session()


def test_what_is_asked_for_scores_one_and_a_face_at_rest_nothing():
    full = numbers(WHOLE)
    assert [full[name] for name in (ACCURACY, NEUTRALNESS, EYES, MOUTH)] == [1, 1, 1, 1]
    still = changed(WHOLE, lambda values: values.fill(0))
    rest = numbers(still)
    assert rest[ACCURACY] == 0 and rest[EYES] == 0
    assert rest[MOUTH] == rest[NEUTRALNESS] == rest[SMOOTHNESS] == 1


def test_the_table_holds_the_peaks_people_ask_for():
    wanted = ("jaw open", "lip pucker", "smile left", "smile right", "smile both", "brows up",
              "brows down", "eyes shut", "wink left", "wink right", "cheek puff", "lips pressed",
              "tongue out", "sneer", "neutral", "Smile_Left")  # fmt: skip
    assert len(TABLE.peaks) >= 20
    assert all(TABLE.peak(label) for label in wanted)
    assert any("eyeBlinkLeft >= 0.6" in line for line in TABLE.lines())


def test_the_shipped_table_is_its_own_mirror_image():
    """Left and right peaks ask the same of their own side; the rest is symmetrical."""
    swap = {"left": "right", "right": "left"}
    for name, mirrored in TABLE.mirrored().peaks.items():
        partner = TABLE.peaks[" ".join(swap.get(word, word) for word in name.split())]
        for of in ("every", "some", "below", "shuts"):
            assert set(getattr(mirrored, of)) == set(getattr(partner, of)), name
    assert TABLE.mirrored().ceilings == TABLE.ceilings


@st.composite
def recordings(draw):
    """Random smooth motion with random labels."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    knots = rng.random((8, COUNT)) * draw(st.floats(0.2, 1.0))
    at = np.linspace(0, 7, 60)
    values = np.stack([np.interp(at, np.arange(8), column) for column in knots.T], 1)
    values[:, 52:] = 0
    names = draw(st.lists(st.sampled_from(list(TABLE.peaks)), min_size=1, max_size=4))
    starts = [draw(st.floats(0, 1)) for _ in names]
    segments = [
        Segment(n, a, a + draw(st.floats(0, 0.9))) for n, a in zip(names, starts, strict=True)
    ]
    return Recording(FaceClip.of(values, rate=RATE), segments, "random", "ann")


@given(recordings())
def test_mirrored_clips_under_mirrored_expectations_score_the_same(recording):
    mirrored = replace(recording, clip=recording.clip.mirrored())
    assert numbers(recording) == pytest.approx(
        numbers(mirrored, TABLE.mirrored()), nan_ok=True, abs=1e-12
    )


def doubled(clip):
    """Twice the rate: a frame halfway between each two."""
    halfway = (clip.values[1:] + clip.values[:-1]) / 2
    values = np.insert(clip.values, np.arange(1, len(clip)), halfway, axis=0)
    times = np.insert(clip.times, np.arange(1, len(clip)), (clip.times[1:] + clip.times[:-1]) / 2)
    return FaceClip.of(values, times, meta=clip.meta)


def test_twice_the_rate_changes_no_score_but_smoothness():
    twice = numbers(replace(WHOLE, clip=doubled(WHOLE.clip)))
    assert {k: v for k, v in twice.items() if k != SMOOTHNESS} == {
        k: v for k, v in numbers(WHOLE).items() if k != SMOOTHNESS
    }


@given(recordings())
def test_the_time_that_expectations_held_does_not_depend_on_the_rate(recording):
    twice = doubled(recording.clip)
    for segment in recording.segments:
        one, other = (judge(clip, segment, TABLE) for clip in (recording.clip, twice))
        # A sample that stands on a level to the last bit may fall to either side.
        assert one.share == pytest.approx(other.share, abs=0.12, nan_ok=True)
        assert (one.passed is None) == (other.passed is None)


@given(recordings(), st.floats(-50, 50_000))
def test_time_has_no_origin(recording, shift):
    moved = replace(
        recording,
        clip=recording.clip.shifted(shift),
        segments=[Segment(s.name, s.start + shift, s.end + shift) for s in recording.segments],
    )
    assert numbers(moved)[SMOOTHNESS] == pytest.approx(numbers(recording)[SMOOTHNESS])
    assert numbers(moved)[NEUTRALNESS] == pytest.approx(
        numbers(recording)[NEUTRALNESS], abs=0.02, nan_ok=True
    )


# -- planted faults: the right metric falls, and no other ---------------------------------


def fell(recording, before=WHOLE):
    """Names of the metrics that are lower than before."""
    was, now = numbers(before), numbers(recording)
    return {name for name in METRICS if now[name] < was[name] - 1e-9}


def test_a_dead_channel_fails_its_own_expressions_only():
    def kill(values):
        values[:, INDEX["tongueOut"]] = 0

    dead = changed(WHOLE, kill)
    assert fell(dead) == {ACCURACY}
    failed = {row.name: row.fault for row in score_recordings([dead]).expressions() if row.fault}
    assert failed == {"tongue out": "tongueOut >= 0.5 (1)"}


def test_a_dead_eyelid_costs_eye_closure_as_well():
    def kill(values):
        values[:, INDEX["eyeBlinkLeft"]] = 0

    dead = changed(WHOLE, kill)
    assert fell(dead) == {ACCURACY, EYES}
    assert numbers(dead)[EYES] == 0.5  # of both eyes shut, and two winks


def test_exchanged_sides_fail_the_one_sided_expressions_only():
    other = replace(WHOLE, clip=WHOLE.clip.mirrored())
    assert fell(other) == {ACCURACY, EYES}
    failed = {row.name for row in score_recordings([other]).expressions() if row.accuracy < 1}
    one_sided = {name for name in TABLE.peaks if name.endswith((" left", " right"))}
    assert failed == one_sided
    assert numbers(other)[EYES] == 0.5  # both winks on the wrong eye


def test_a_muted_face_loses_accuracy_and_eyelids_and_is_smoother():
    def mute(values):
        values *= 0.5

    muted = changed(session(strength=1.3), mute)
    assert fell(muted) == {ACCURACY, EYES}
    assert numbers(muted)[SMOOTHNESS] > numbers(WHOLE)[SMOOTHNESS]


def test_noise_costs_smoothness_only():
    noise = np.random.default_rng(1).normal(0, 0.01, WHOLE.clip.values.shape)

    def shake(values):
        values += np.abs(noise)

    assert fell(changed(WHOLE, shake)) == {SMOOTHNESS}


def test_a_channel_that_never_rests_costs_neutralness_only():
    def lift(values):
        first = slice(0, LONG)
        values[first, INDEX["cheekPuff"]] = 0.5

    lifted = changed(WHOLE, lift)
    assert NEUTRALNESS in fell(lifted) and fell(lifted) <= {NEUTRALNESS, SMOOTHNESS}
    assert numbers(lifted)[NEUTRALNESS] == pytest.approx(51 / 52)


def test_an_open_mouth_costs_mouth_closure():
    def part(values):
        values[:, INDEX["mouthClose"]] *= 0.5

    assert fell(changed(WHOLE, part)) <= {ACCURACY, MOUTH}
    assert numbers(changed(WHOLE, part))[MOUTH] < 1


# -- rules, by hand -----------------------------------------------------------------------


def test_the_time_share_of_a_ramp_is_the_closed_form():
    """jawOpen from 0 to 1 over a second is at or above 0.5 for half of it."""
    values = np.zeros((31, COUNT), np.float32)
    values[:, INDEX["jawOpen"]] = np.linspace(0, 1, 31)
    score = judge(FaceClip.of(values, rate=30), Segment("jaw open", 0, 1), TABLE)
    assert score.share == pytest.approx(31 / 61) and score.passed


def test_expectations_must_hold_at_the_same_time():
    values = np.zeros((60, COUNT), np.float32)
    values[:30, [INDEX["mouthRollLower"]]] = 0.6
    values[30:, [INDEX["mouthRollUpper"]]] = 0.6
    score = judge(FaceClip.of(values), Segment("lips rolled in", 0, 1.9), TABLE)
    assert score.passed is False and score.failed == ("not all at the same time",)


def test_any_of_needs_one_side_and_all_needs_both():
    values = np.zeros((31, COUNT), np.float32)
    values[:, INDEX["mouthSmileRight"]] = 0.6
    clip = FaceClip.of(values)
    assert judge(clip, Segment("smirk", 0, 1), TABLE).passed
    assert not judge(clip, Segment("smile", 0, 1), TABLE).passed
    assert not judge(clip, Segment("smile left", 0, 1), TABLE).passed
    assert judge(clip, Segment("smile right", 0, 1), TABLE).passed


def test_one_labelled_moment_is_judged_at_that_moment():
    values = np.zeros((31, COUNT), np.float32)
    values[15, INDEX["tongueOut"]] = 0.9
    clip = FaceClip.of(values, rate=30)
    assert judge(clip, Segment("tongue out", 0.5, 0.5), TABLE).passed
    assert not judge(clip, Segment("tongue out", 0.4, 0.4), TABLE).passed


def test_a_blink_in_a_neutral_face_is_forgiven_and_a_droop_is_not():
    values = np.zeros((60, COUNT), np.float32)
    blink = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
    values[20:26, blink] = 1
    assert judge(FaceClip.of(values), Segment("neutral", 0, 1.9), TABLE).rest == 1
    values[:, blink] = 0.4
    assert judge(FaceClip.of(values), Segment("neutral", 0, 1.9), TABLE).rest == 50 / 52


def test_what_was_not_measured_is_not_judged():
    clip = WHOLE.clip.select("eye", "brow", "jaw", "mouth", "nose", "cheek")
    report = score_recordings([replace(WHOLE, clip=clip)])
    row = next(row for row in report.expressions() if row.name == "tongue out")
    assert (row.n, row.unjudged) == (0, 1) and np.isnan(row.accuracy)
    assert report.scores[ACCURACY].value == 1
    assert report.recordings[0].scores[ACCURACY].n == len(TABLE.peaks) - 2
    (tongue,) = (s for s in report.recordings[0].segments if s.peak.name == "tongue out")
    assert tongue.passed is None and tongue.unmeasured == ("tongueOut",)


def test_lost_frames_leave_a_segment_unjudged_once_half_is_gone():
    recording = session(["jaw open"])

    def lose(count):
        def blank(values):
            values[8 : 8 + count] = np.nan

        return changed(recording, blank)

    assert judge(lose(6).clip, recording.segments[0], TABLE).passed
    assert judge(lose(18).clip, recording.segments[0], TABLE).passed is None


def test_second_difference_against_numpy_and_a_closed_form():
    values = np.random.default_rng(0).random((50, COUNT)).astype(np.float32)
    plain = np.abs(np.diff(values[:, :52].astype(float), 2, axis=0)).mean()
    assert second_difference(FaceClip.of(values)) == pytest.approx(plain)
    square = np.tile((np.arange(9.0) ** 2 / 100)[:, None], COUNT)
    assert second_difference(FaceClip.of(square)) == pytest.approx(0.02)
    assert numbers(Recording(FaceClip.of(square)))[SMOOTHNESS] == pytest.approx(0.5)
    assert np.isnan(second_difference(FaceClip.of(values[:2])))


def test_gaps_and_lost_frames_are_no_jerks():
    values = np.zeros((20, COUNT), np.float32)
    values[10:] = 0.8
    times = np.r_[np.arange(10) / 30, 5 + np.arange(10) / 30]
    assert second_difference(FaceClip.of(values, times)) == 0
    values[9:11] = np.nan
    assert second_difference(FaceClip.of(values)) == 0


# -- levels -------------------------------------------------------------------------------


def test_subjects_weigh_the_same_whatever_their_number_of_takes():
    good, bad = session(["smile", "tongue out"]), session(["smile", "tongue out"], 0.5, "bob")
    half = session(["smile", "tongue out"], subject="ann")

    def kill(values):
        values[:, INDEX["tongueOut"]] = 0

    report = score_recordings([good, changed(half, kill), bad])
    assert report.subjects["ann"][ACCURACY] == (0.75, 2)
    assert report.subjects["bob"][ACCURACY] == (0, 1)
    assert report.scores[ACCURACY] == (0.375, 2)
    text = str(report)
    assert "dataset (subjects)" in text and "0.375 (2)" in text and "ann (recordings)" in text
    assert "smile" in text and "own levels" in text


def test_without_labels_smoothness_stands_and_the_rest_says_why_not():
    report = score_recordings([Recording(WHOLE.clip)])
    assert report.scores[SMOOTHNESS].n == 1
    assert set(report.missing()) == {ACCURACY, NEUTRALNESS, EYES, MOUTH}
    assert report.missing()[EYES] == "no segment of a peak that shuts an eye is labelled"
    assert any("no segment of the neutral face" in note for note in report.notes())


def test_several_recordings_need_their_subjects():
    with pytest.raises(BadInput, match=r"no subject for 'take'.*by subject"):
        score_recordings([WHOLE, replace(WHOLE, subject=None)])


def test_mixed_rates_are_told():
    twice = replace(WHOLE, clip=doubled(WHOLE.clip), subject="bob")
    assert any(
        "mixes rates of 30 to 60" in note for note in score_recordings([WHOLE, twice]).notes()
    )


def test_every_metric_has_its_row():
    assert {row[0] for row in ROWS} >= set(METRICS) and all(len(row) == 5 for row in ROWS)


# -- files --------------------------------------------------------------------------------

SEGMENTS = (Segment("smile", 0.5, 1.25), Segment("wink left", 2, 2))


def test_sidecars_of_every_kind_say_the_same(tmp_path):
    rows = [{"name": "smile", "start": 0.5, "end": 1.25}, {"name": "wink left", "time": 2}]
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(rows))
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "a.csv").write_text("name,start,end,time\nsmile,0.5,1.25,\nwink left,,,2\n")
    for name in ("a.yaml", "a.json", "a.csv"):
        assert read_segments(tmp_path / name) == SEGMENTS, name
    tiers = {"peaks": [Interval(0.5, 1.25, "smile")], "words": [Interval(0, 1, "hello")]}
    write_tiers(tiers, tmp_path / "a.TextGrid")
    assert read_segments(tmp_path / "a.TextGrid", tier="peaks") == SEGMENTS[:1]
    with pytest.raises(BadInput, match="one of the tiers peaks, words"):
        read_segments(tmp_path / "a.TextGrid")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "name,begin\nsmile,1\n", "row 2, column segment: found the key 'begin'"),
        ("a.csv", "name,start,end\nsmile,1,x\n", "column end: found 'x'"),
        ("a.csv", "name,start,end\nsmile,2,1\n", "an end at or after the start"),
        ("a.json", '[{"name": 3, "time": 1}]', "the name of a peak expression"),
        ("a.json", '{"smile": 1}', "a list of segments"),
        ("a.yaml", "- {name: smile, time: true}", "seconds"),
        ("a.txt", "", "segments in .yaml"),
    ],
)
def test_broken_sidecars_are_explained(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput) as fault:
        read_segments(tmp_path / name)
    assert says in str(fault.value)


def test_labels_that_nobody_knows_or_that_lie_elsewhere_are_explained():
    with pytest.raises(BadInput, match="Did you mean 'smile'"):
        judge(WHOLE.clip, Segment("smlie", 0, 1), TABLE)
    with pytest.raises(BadInput, match="from_zero"):
        judge(WHOLE.clip.shifted(36_000), Segment("smile", 0, 1), TABLE)


OWN = "extends: shipped\nsettings: {hold: 0.5}\npeaks:\n  huge smile: {all: {mouthSmile: 0.9}}\n"


def test_a_table_of_ones_own_extends_the_shipped_one(tmp_path):
    (tmp_path / "own.yaml").write_text(OWN)
    own = load_peaks(tmp_path / "own.yaml")
    assert own.settings == replace(TABLE.settings, hold=0.5)
    assert set(own.peaks) == {*TABLE.peaks, "huge smile"}
    assert own.source == "own.yaml over tables/peaks.yaml"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("peaks: {a: {all: {jawOpenn: 0.4}}}", "Did you mean 'jawOpen'?"),
        ("peaks: {a: {al: {jawOpen: 0.4}}}", "the key 'al'"),
        ("peaks: {a: {all: {jawOpen: 1.4}}}", "a weight from 0 to 1"),
        ("peaks: {a: {all: {jawOpen: yes}}}", "a weight from 0 to 1"),
        ("peaks: {a: {about: nothing}}", "no expectation"),
        ("peaks: {a: {all: {jawOpen: 0.4}, neutral: true}}", "levels and neutral"),
        ("peaks: {a: {all: {jawOpen: 0.4}, below: {jawOpen: 0.3}}}", "hold together"),
        ("peaks: {a: {all: {jawOpen: 0.4}, shuts: [lefteye]}}", "Did you mean 'leftEye'?"),
        ("peaks: {Kiss: {all: {mouthPucker: 0.4}}}", "the label"),
        ("peaks: {a: {all: {headYaw: 0.4}}}", "a blendshape"),
        ("settings: {holds: 1}", "Did you mean 'hold'?"),
        ("settings: {hold: 0}", "more than 0"),
        ("peak: {}", "Did you mean 'peaks'?"),
        ("peaks: {a: {any: {jawOpen: 0.1}}, a: {any: {jawOpen: 0.2}}}", "the key 'a' twice"),
        ("extends: mine", "'shipped', or no such key"),
        ("[", "no YAML"),
        ("3", "a mapping"),
    ],
)
def test_a_broken_table_is_explained(tmp_path, text, says):
    path = tmp_path / "own.yaml"
    path.write_text(text if text[0] in "[3e" else f"extends: shipped\n{text}\n")
    with pytest.raises(BadInput) as fault:
        load_peaks(path)
    assert says in str(fault.value) and "own.yaml" in str(fault.value)


def test_a_table_without_base_must_be_whole():
    with pytest.raises(BadInput, match=r"no neutral\.ceiling.*extends: shipped"):
        peaks_of({"peaks": {"a": {"all": {"jawOpen": 0.4}}}}, "x")


def test_a_real_take_reaches_most_levels(shared):
    """Peaks of a range-of-motion take, labelled where its own channels are highest."""
    clip = read_take(shared / "livelink" / "alex_rom_3.csv")
    segments = []
    for peak in TABLE.peaks.values():
        if columns := [each.column for each in peak.every]:
            at = float(clip.times[np.nanargmax(clip.values[:, columns].min(axis=1))])
            segments.append(Segment(peak.name, at, at))
    report = score_recordings([Recording(clip, segments)])
    score = report.recordings[0].scores[ACCURACY]
    assert score.n == len(segments) and score.value > 0.6
