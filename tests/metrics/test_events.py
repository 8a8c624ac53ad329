import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface import formats
from semanticface.errors import BadInput
from semanticface.metrics.events import (
    LEANS,
    EventSums,
    asymmetry_sums,
    blink_sums,
    closed_spans,
    closure_sums,
    event_scores,
    events,
    lean_agreement,
    lip_gap,
    match_times,
    mouth_onsets,
)
from semanticface.rig import COUNT, INDEX, NAMES

NAN = float("nan")
RATE = 60


def clock(seconds, rate=RATE):
    return np.arange(int(seconds * rate)) / rate


def blinking(times, moments, height=1.0, sides=("Left", "Right")):
    """A face that blinks for 0.2 s around each moment."""
    face = np.zeros((len(times), COUNT))
    for moment in moments:
        lids = np.maximum(0, 1 - np.abs(times - moment) / 0.1) * height
        for side in sides:
            face[:, INDEX[f"eyeBlink{side}"]] += lids
    return face


def speaking(times, openings, height=0.5):
    """A face whose jaw drops for each (start, end), at once."""
    face = np.zeros((len(times), COUNT))
    for start, end in openings:
        face[(times >= start) & (times < end), INDEX["jawOpen"]] = height
    return face


def counts(s):
    return (s.hits, s.claimed, s.shown)


def test_an_event_by_hand():
    times = np.arange(8.0)
    (found,) = events(np.array([0, 0.2, 0.6, 1.0, 1.0, 0.4, 0.2, 0]), times, 0.5, 0.3)
    assert found.start == pytest.approx(1.75)
    assert found.end == pytest.approx(5.5)
    assert (found.time, found.peak) == (3.5, 1.0)
    assert found.seen_start and found.seen_end


def test_trembling_around_the_threshold_is_one_event():
    signal = np.array([0, 0.55, 0.45, 0.55, 0.45, 0.55, 0.1])
    assert len(events(signal, np.arange(7.0), 0.5, 0.3)) == 1
    assert len(events(signal, np.arange(7.0), 0.5, 0.5)) == 3
    with pytest.raises(BadInput, match="off not above on"):
        events(signal, np.arange(7.0), 0.3, 0.5)


def test_events_that_began_or_ended_unseen_say_so():
    first, last = events(np.array([1, 1, 0, 0, 1.0]), np.arange(5.0), 0.5, 0.3)
    assert (first.seen_start, first.seen_end, first.start) == (False, True, 0)
    assert (last.seen_start, last.seen_end, last.end) == (True, False, 4)
    before, after = events(np.array([0, 1, NAN, 1, 0]), np.arange(5.0), 0.5, 0.3)
    assert (before.seen_end, after.seen_start) == (False, False)
    assert events(np.array([]), np.array([]), 0.5, 0.3) == []
    assert events(np.full(3, NAN), np.arange(3.0), 0.5, 0.3) == []


@pytest.mark.parametrize("rate", [30, 59.904, 120])
def test_blinks_are_found_at_any_rate_however_muted(rate):
    times = clock(4, rate)
    truth, pred = blinking(times, [1, 2, 3]), blinking(times, [1.05, 2.05, 3.05], 0.75)
    found = blink_sums(pred, truth, times)
    assert counts(found) == (3, 3, 3)
    scored = event_scores(found)
    assert scored.f1 == 1
    assert scored.lag == pytest.approx(0.05, abs=0.5 / rate + 0.02)


def test_a_missed_a_late_and_an_invented_blink():
    times = clock(6)
    found = event_scores(
        blink_sums(blinking(times, [1, 2.2, 5]), blinking(times, [1, 2, 3]), times)
    )
    assert (found.precision, found.recall) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert found.shown == 3


@pytest.mark.parametrize(("late", "hit"), [(6, 1), (7, 0)])
def test_the_window_is_a_hundred_milliseconds_and_includes_its_end(late, hit):
    times = clock(4)
    found = blink_sums(blinking(times, [2 + late / RATE]), blinking(times, [2]), times)
    assert found.hits == hit


def test_a_wink_is_no_blink():
    times = clock(2)
    assert (
        blink_sums(blinking(times, [1], 0.98, sides=("Left",)), blinking(times, [1]), times).claimed
        == 0
    )


def test_nobody_is_blamed_for_what_the_other_could_not_see():
    times = clock(6)
    truth, pred = blinking(times, [1, 3]), blinking(times, [1, 5])
    truth[times > 4] = NAN
    pred[(times > 2) & (times < 4)] = NAN
    assert counts(blink_sums(pred, truth, times)) == (1, 1, 1)


def test_no_blinks_anywhere_leave_the_rates_undefined():
    times = clock(1)
    rest = np.zeros((len(times), COUNT))
    found = event_scores(blink_sums(rest, rest, times))
    assert all(np.isnan(value) for value in found[:5])


def best_by_trying(pred, truth, window):
    """Most pairs, then least distance, by every way to match."""
    few, many = sorted((pred, truth), key=len)
    best = (0, 0.0)
    for order in itertools.permutations(range(len(many)), len(few)):
        apart = [abs(few[i] - many[j]) for i, j in enumerate(order)]
        near = [each for each in apart if each <= window]
        best = max(best, (len(near), -sum(near)))
    return best


moments = st.lists(st.integers(0, 40).map(lambda i: i / 32), max_size=5, unique=True)


@given(moments, moments)
def test_matching_is_the_best_there_is(pred, truth):
    found = match_times(np.array(pred), np.array(truth), 0.25)
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)
    pairs, apart = best_by_trying(pred, truth, 0.25)
    assert len(found) == pairs
    assert sum(abs(pred[i] - truth[j]) for i, j in found) == pytest.approx(-apart)


def test_matching_does_not_take_the_nearest_first():
    assert sorted(match_times(np.array([0.0, 0.1]), np.array([0.09, 0.19]), 0.1)) == [
        (0, 0),
        (1, 1),
    ]


def test_the_lip_gap_closes_when_mouth_close_takes_the_jaw_back():
    face = np.zeros((2, COUNT))
    face[:, INDEX["jawOpen"]] = 0.505
    face[1, INDEX["mouthClose"]] = 0.5
    np.testing.assert_allclose(lip_gap(face), [0.505, 0.0], atol=1e-12)


def test_the_mouth_opens_and_closes_late():
    times = clock(6)
    truth = speaking(times, [(1, 2), (3, 4)])
    found = mouth_onsets(speaking(times, [(1.1, 2.05), (3.1, 4.05)]), truth, times)
    opening, closing = map(event_scores, found)
    assert (opening.f1, closing.f1) == (1, 1)
    assert opening.lag == pytest.approx(0.1, abs=1 / RATE)
    assert closing.lag == pytest.approx(0.05, abs=1 / RATE)
    earlier = mouth_onsets(truth, speaking(times, [(1.1, 2.05), (3.1, 4.05)]), times)
    assert event_scores(earlier.opening).lag == pytest.approx(-opening.lag)


def test_a_clip_that_begins_open_has_not_opened():
    times = clock(2)
    found = mouth_onsets(speaking(times, [(0, 1)]), speaking(times, [(0, 1)]), times)
    assert (found.opening.shown, found.closing.shown) == (0, 1)


def test_onsets_fall_between_frames():
    times = np.arange(5.0)
    face = np.zeros((5, COUNT))
    face[:, INDEX["jawOpen"]] = [0, 0, 0.4, 0.4, 0]
    late = face.copy()
    late[2, INDEX["jawOpen"]] = 0.2
    lag = event_scores(mouth_onsets(late, face, times).opening).lag
    assert lag == pytest.approx(0.5 - 0.25)


def test_closures_that_are_kept_missed_and_invented():
    times = clock(6)
    truth = speaking(times, [(0, 1), (1.1, 3), (3.1, 6)])  # closed at 1 and at 3
    assert counts(closure_sums(truth, truth, times)) == (2, 2, 2)
    one = event_scores(closure_sums(speaking(times, [(0, 1), (1.1, 6)]), truth, times))
    assert (one.precision, one.recall, one.f1) == (1, 0.5, pytest.approx(2 / 3))
    extra = speaking(times, [(0, 1), (1.1, 3), (3.1, 5), (5.1, 6)])
    assert event_scores(closure_sums(extra, truth, times)).precision == pytest.approx(2 / 3)


def test_lips_that_never_part_match_one_closure_only():
    times = clock(6)
    truth = speaking(times, [(0, 1), (1.1, 3), (3.1, 6)])
    assert counts(closure_sums(np.zeros_like(truth), truth, times)) == (1, 1, 2)


def test_a_closure_may_be_of_an_open_jaw():
    times = clock(3)
    truth = speaking(times, [(0, 3)])
    muted = truth.copy()
    truth[60:70, INDEX["mouthClose"]] = 0.49
    assert counts(closure_sums(truth, truth, times)) == (1, 1, 1)
    assert counts(closure_sums(muted, truth, times)) == (0, 0, 1)


def test_the_share_of_bilabials_that_close():
    times = clock(4)
    face = speaking(times, [(0, 1), (1.2, 2), (2.1, 4)])
    face[times > 3.5] = NAN
    spans = np.array([[0.9, 1.3], [2.0, 2.1], [3.0, 3.2], [3.6, 3.9]])
    np.testing.assert_array_equal(closed_spans(face, spans, times), [1, 1, 0, NAN])


def test_the_stronger_side():
    truth, pred = np.zeros((2, 4, COUNT))
    left, right = INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]
    truth[:, left], truth[:, right] = [0.5, 0.5, 0.5, 0.52], [0.3, 0.3, 0.3, 0.5]
    pred[:, left], pred[:, right] = [0.9, 0.2, 0.4, 0], [0.1, 0.4, 0.4, 1]
    found = asymmetry_sums(pred, truth)
    i = LEANS.index("mouthSmile")
    assert (found.leaning[i], found.same[i], found.other[i]) == (3, 1, 1)
    assert lean_agreement(found)[i] == pytest.approx(1 / 3)
    assert np.isnan(lean_agreement(found)[LEANS.index("browDown")])


def test_every_pair_of_weights_leans():
    paired = {name.replace("Left", "") for name in NAMES[:52] if "Left" in name}
    assert set(LEANS) == paired
    assert {"jaw", "mouth"} < paired


def test_an_exchanged_mouth_leans_the_other_way(shared):
    clip = formats.read(shared / "livelink" / "alex_rom_3.csv")
    wrong = clip.exchanged("mouthLeft", "mouthRight").values
    right, exchanged = (
        lean_agreement(asymmetry_sums(x, clip.values))[LEANS.index("mouth")]
        for x in (clip.values, wrong)
    )
    assert (right, exchanged) == (1, 0)


def test_a_real_take_has_the_blinks_of_itself(shared):
    clip = formats.read(shared / "livelink" / "S07-001.csv")
    found = blink_sums(clip.values, clip.values, clip.times)
    assert counts(found) == (7, 7, 7)
    assert found.lag == 0
    late = event_scores(blink_sums(np.roll(clip.values, 2, axis=0), clip.values, clip.times))
    assert late.f1 == 1
    assert late.lag == pytest.approx(2 * clip.step, rel=0.05)


def test_thousands_of_events_are_matched_in_order():
    rng = np.random.default_rng(0)
    truth = np.cumsum(rng.uniform(0.05, 0.2, 4000))
    found = match_times(rng.permutation(truth + 0.01), truth, 0.1)
    assert len(found) == 4000


def test_counts_of_clips_add_up():
    sums = EventSums(
        *(np.array([a, b]) for a, b in zip((1, 2, 3, 0.1, 0.1), (3, 4, 3, 0, 0.2), strict=True))
    )
    whole = event_scores(EventSums(*(part.sum() for part in sums)))
    assert (whole.precision, whole.recall) == (pytest.approx(4 / 6), pytest.approx(4 / 6))
    assert whole.lag == pytest.approx(0.025)
    assert event_scores(sums).f1.shape == (2,)


def test_times_must_fit():
    face = np.zeros((3, COUNT))
    with pytest.raises(BadInput, match="one time grid"):
        blink_sums(face, face, np.arange(4.0))
    with pytest.raises(BadInput, match="shape"):
        lip_gap(face[:, :52])
