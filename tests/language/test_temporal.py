"""Clips in words: events, blinks, winks, losses."""

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.language.temporal import Hysteresis, describe_clip, find_events
from semanticface.rig import COUNT, INDEX, FaceClip

RATE = 60.0


def bump(count, start, stop, peak):
    """Zero, but for a half sine of height `peak` from second `start` to `stop`."""
    times = np.arange(count) / RATE
    inside = (times >= start) & (times <= stop)
    return np.where(inside, peak * np.sin(np.pi * (times - start) / (stop - start)), 0)


def clip(seconds=6.0, **columns):
    count = int(seconds * RATE)
    values = np.zeros((count, COUNT))
    for name, column in columns.items():
        for each in [name] if name in INDEX else [f"{name}Left", f"{name}Right"]:
            values[:, INDEX[each]] = column(count)
    return FaceClip.of(values, rate=RATE)


def test_a_smile_has_onset_apex_release_and_peak():
    (event,) = find_events(clip(mouthSmile=lambda n: bump(n, 1, 3, 0.8)))
    assert (event.movement, event.side, event.kind) == ("mouthSmile", "both", "movement")
    assert event.onset == pytest.approx(1.08, abs=0.03)
    assert event.apex == pytest.approx(2.0, abs=0.02)
    assert event.release == pytest.approx(2.92, abs=0.03)
    assert event.peak == pytest.approx(0.8, abs=0.01)


def test_hysteresis_keeps_a_trembling_movement_in_one_piece():
    def tremble(count):
        return 0.17 + 0.05 * np.sin(np.arange(count))

    assert len(find_events(clip(jawOpen=tremble))) == 1
    assert not find_events(clip(jawOpen=lambda n: np.full(n, 0.19)))


def test_blinks_winks_and_closed_eyes_are_told_apart():
    def two_blinks(n):
        return bump(n, 1, 1.3, 1.0) + bump(n, 2, 2.3, 1.0)

    told = describe_clip(clip(eyeBlink=two_blinks))
    assert len(told.blinks) == 2 and not told.winks
    assert "blink 2 times, at 1.15, 2.15 s" in told.text
    wink = describe_clip(clip(eyeBlinkRight=lambda n: bump(n, 1, 1.3, 1.0)))
    assert [event.side for event in wink.winks] == ["right"] and not wink.blinks
    assert "The right eye winks at 1.15 s." in wink.text
    closed = describe_clip(clip(eyeBlink=lambda n: bump(n, 1, 4, 1.0)))
    assert not closed.blinks and closed.events[0].kind == "movement"


def test_sides_are_joined_when_together_and_kept_apart_when_not():
    together = find_events(
        clip(
            browOuterUpLeft=lambda n: bump(n, 1, 2, 0.8),
            browOuterUpRight=lambda n: bump(n, 1, 2, 0.4),
        )
    )
    assert [(e.side, e.stronger) for e in together] == [("both", "left")]
    apart = find_events(
        clip(
            browOuterUpLeft=lambda n: bump(n, 1, 2, 0.8),
            browOuterUpRight=lambda n: bump(n, 3, 4, 0.4),
        )
    )
    assert [e.side for e in apart] == ["left", "right"]


def test_a_lost_face_ends_events_and_is_told():
    whole = clip(mouthSmile=lambda n: np.full(n, 0.5))
    values = whole.values.copy()
    values[120:180] = np.nan
    told = describe_clip(FaceClip.of(values, rate=RATE))
    assert [(round(e.start, 2), round(e.end, 2)) for e in told.lost] == [(1.98, 3.0)]
    assert "The face was lost from 1.98 s to 3.00 s." in told.text
    assert [(e.cut, round(e.release, 2)) for e in told.events] == [(True, 1.98), (True, 5.98)]


@pytest.mark.parametrize(
    ("language", "lost", "back", "end"),
    [
        ("en", "until the face is lost at 1.98", "already there when the face returns at 3.00",
         "until the clip ends at 5.98"),
        ("zh", "持续到1.98秒面部丢失", "3.00秒面部重新出现时嘴角上扬已在进行",
         "持续到5.98秒片段结束"),
    ],
)  # fmt: skip
def test_a_lost_face_and_the_end_of_the_clip_are_worded_apart(language, lost, back, end):
    values = clip(mouthSmile=lambda n: np.full(n, 0.5)).values.copy()
    values[120:180] = np.nan
    text = describe_clip(FaceClip.of(values, rate=RATE), language=language).text
    assert lost in text and back in text and end in text
    assert "breaks off" not in text and "记录中断" not in text


def test_a_wink_needs_the_other_eye_measured():
    values = clip(eyeBlinkRight=lambda n: bump(n, 1, 1.3, 1.0)).values.copy()
    values[:, INDEX["eyeBlinkLeft"]] = np.nan
    told = describe_clip(FaceClip.of(values, rate=RATE))
    assert not told.winks and not told.blinks


def test_a_few_unmeasured_frames_do_not_end_a_movement_and_many_are_told():
    values = clip(jawOpen=lambda n: np.full(n, 0.5)).values.copy()
    values[100:104, INDEX["jawOpen"]] = np.nan
    (event,) = find_events(FaceClip.of(values, rate=RATE))
    assert event.hold == pytest.approx(5.98, abs=0.01)
    values[100:160, INDEX["jawOpen"]] = np.nan
    told = describe_clip(FaceClip.of(values, rate=RATE))
    assert [event.cut for event in told.events] == [True, True]
    assert "is no longer measured" in told.text and "when it is measured at 2.67" in told.text


def test_a_pause_of_the_recording_ends_events_too():
    whole = clip(mouthSmile=lambda n: np.full(n, 0.5))
    times = whole.times.copy()
    times[200:] += 2.0
    told = describe_clip(FaceClip.of(whole.values, times))
    assert len(told.events) == 2 and len(told.lost) == 1


def test_holds_are_unbroken():
    def held(n):
        return np.where(np.arange(n) / RATE < 3, 0.7, 0.0)

    def twice(n):
        return bump(n, 0.2, 1.2, 0.8) + bump(n, 4, 5, 0.8) + 0.12

    assert find_events(clip(jawOpen=held))[0].hold == pytest.approx(2.98, abs=0.05)
    assert "held" in describe_clip(clip(jawOpen=held)).text
    assert find_events(clip(jawOpen=twice))[0].hold < 0.5


def test_head_turns_and_gaze_shifts_are_events():
    events = find_events(
        clip(
            headYaw=lambda n: -bump(n, 1, 2, 0.5),
            eyeLookOutLeft=lambda n: bump(n, 3, 4, 0.6),
            eyeLookInRight=lambda n: bump(n, 3, 4, 0.6),
        )
    )
    assert [(e.movement, e.side) for e in events] == [("headRight", "centre"), ("gazeLeft", "both")]


def test_times_count_from_the_clip_s_start_and_only_the_most_are_told():
    many = clip(
        jawOpen=lambda n: sum(bump(n, s, s + 0.4, 0.3 + s / 10) for s in range(5)),
    ).shifted(1000.0)
    told = describe_clip(many, most=2)
    assert len(told.events) == 5
    assert "3 weaker movements are left out." in told.text and "100" not in told.text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_text_is_deterministic_and_seeded(language):
    one = clip(mouthSmile=lambda n: bump(n, 1, 3, 0.8))
    texts = [describe_clip(one, language=language, seed=seed).text for seed in range(20)]
    assert texts == [describe_clip(one, language=language, seed=seed).text for seed in range(20)]
    assert len(set(texts)) > 2
    assert all("{" not in text for text in texts)


def test_still_empty_and_lost_clips():
    assert "stays at rest" in describe_clip(clip()).text
    lost = describe_clip(FaceClip.of(np.full((30, COUNT), np.nan), rate=RATE))
    assert "rest" not in lost.text and "lost" in lost.text and not lost.events
    empty = describe_clip(FaceClip.of(np.zeros((0, COUNT)), rate=RATE))
    assert not empty.events and empty.seconds == 0


def test_thresholds_that_cross_are_refused():
    with pytest.raises(BadInput, match="upper one"):
        Hysteresis(weights=(0.1, 0.2))
