"""Timecode: the device's clock to the last thousandth of a frame, whatever the base."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.formats import timecode


def matrix(texts):
    return np.frombuffer("".join(texts).encode(), np.uint8).reshape(len(texts), -1)


def test_a_timecode_is_seconds_of_the_day():
    whole, frames = timecode.parse("13:13:04:31.652")
    assert (whole, frames) == (13 * 3600 + 13 * 60 + 4, 31.652)
    assert timecode.seconds(whole, frames, 60) == 47584 + 31.652 / 60


def test_semicolon_and_missing_fraction_and_hours_of_100():
    assert timecode.parse("01:02:03;04.500") == timecode.parse("01:02:03:04.500")
    assert timecode.parse("01:02:03:04").frames == 4.0
    assert timecode.parse("100:00:00:00").whole == 360_000


@pytest.mark.parametrize(
    "text", ["", "1:2:3", "01:60:00:00.000", "01:00:60:00.000", "aa:00:00:00.000",
             "01:02:03:04.", "01:02:03:-4.000", "01:02:03,04.000", "01.02.03.04", "٠١:02:03:04"]
)  # fmt: skip
def test_other_texts_are_refused(text):
    with pytest.raises(BadInput, match="timecode"):
        timecode.parse(text)


@given(st.lists(st.text("0123456789:;.-", min_size=15, max_size=15), min_size=1, max_size=8))
def test_many_at_once_agree_with_one_by_one_on_any_text(texts):
    stamps = timecode.parse_rows(matrix(texts))
    for i, text in enumerate(texts):
        if stamps.good[i]:
            assert timecode.parse(text) == (stamps.whole[i], stamps.frames[i])


@given(st.lists(st.tuples(*map(st.integers, [0] * 5, [99, 59, 59, 99, 999])), min_size=1))
def test_many_at_once_read_every_usual_timecode(parts):
    texts = [f"{h:02d}:{m:02d}:{s:02d}{':;'[f % 2]}{f:02d}.{t:03d}" for h, m, s, f, t in parts]
    stamps = timecode.parse_rows(matrix(texts))
    assert stamps.good.all()
    assert [*zip(stamps.whole, stamps.frames, strict=True)] == [*map(timecode.parse, texts)]


@given(
    st.sampled_from([24, 25, 30, 60, 120]),
    st.lists(st.integers(0, 40 * 3600 * 60_000), min_size=1, max_size=20),
)
def test_what_is_written_reads_back_to_the_same_double(base, ticks):
    whole, rest = np.divmod(np.sort(ticks), base * 1000)
    times = timecode.seconds(whole, rest / 1000, base)
    texts = timecode.format_times(times, base)
    again = np.array([timecode.parse(text) for text in texts])
    assert np.array_equal(timecode.seconds(again[:, 0], again[:, 1], base), times)
    assert timecode.moved(times, base) == 0


def test_rounding_up_to_a_full_second_carries():
    assert timecode.format_times([59.9999999], 60) == ["00:01:00:00.000"]


def test_times_before_zero_are_refused():
    with pytest.raises(BadInput, match="Shift"):
        timecode.format_times([-0.5], 60)


def test_midnight_makes_time_go_on():
    times = timecode.past_midnight(np.array([86399.5, 86399.9, 0.3, 0.7, 86399.9, 0.1]))
    assert np.allclose(times, [86399.5, 86399.9, 86400.3, 86400.7, 172799.9, 172800.1])
    assert np.array_equal(timecode.past_midnight(np.array([5.0, 4.0])), [5.0, 4.0])


def guess(*texts):
    stamps = np.array([timecode.parse(text) for text in texts])
    return timecode.guess_base(stamps[:, 0].astype(int), stamps[:, 1])


def test_base_is_60_once_a_frame_number_reaches_30():
    assert guess("00:00:00:29.0", "00:00:00:30.0")[::2] == (60, True)


def test_base_is_30_where_frames_start_again_at_30():
    assert guess("00:00:00:28.5", "00:00:00:29.5", "00:00:01:00.5", "00:00:01:01.5")[::2] == (
        30,
        True,
    )


def test_base_of_a_short_take_two_frames_at_a_time_is_60_with_a_doubt():
    assert guess("00:00:00:01.0", "00:00:00:03.0", "00:00:00:05.0")[::2] == (60, False)


def test_base_of_a_short_take_is_30_with_a_doubt():
    assert guess("00:00:00:01.0", "00:00:00:02.0", "00:00:00:03.0")[::2] == (30, False)


def test_a_frame_number_beyond_60_needs_the_base():
    with pytest.raises(BadInput, match="base="):
        guess("00:00:00:99.0")


def test_unreal_takes_60_only_above_30():
    assert timecode.unreal_base([29.9]) == 30
    assert timecode.unreal_base([30.9]) == 30
    assert timecode.unreal_base([31.0]) == 60
