"""The rule baseline: contacts are made, silence is still, rounding comes early, no seams."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.metrics.events import SHUT_BELOW, lip_gap
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.metrics.speech import speech_scores, speech_sums, viseme_confusion
from semanticface.rig import INDEX, NAMES
from semanticface.speech.blending import REACH, blend
from semanticface.speech.contours import Contours
from semanticface.speech.phones import phones
from semanticface.speech.rules import ADDED, Style, animate, enliven, spoken_only
from semanticface.speech.spans import spoken_spans, viseme_spans
from semanticface.speech.timeline import Sound, Timeline

SAID = sorted(name for name in phones() if name != "SIL")


def said(symbols, step=0.1, start=0.5, after=0.5):
    """A timeline of symbols of one length each."""
    sounds = tuple(Sound(s, start + i * step, start + (i + 1) * step)
                   for i, s in enumerate(symbols.split()))  # fmt: skip
    return Timeline(sounds, (), start + len(sounds) * step + after)


@st.composite
def timelines(draw):
    now, sounds = draw(st.floats(0, 0.6)), []
    for _ in range(draw(st.integers(1, 14))):
        length = draw(st.floats(0.03, 0.3))
        sounds.append(Sound(draw(st.sampled_from(SAID)), now, now + length))
        now += length + draw(st.sampled_from([0.0, 0.0, 0.0, 0.4]))
    return Timeline(tuple(sounds), (), now + draw(st.floats(0, 0.7)))


@given(timeline=timelines(), rate=st.sampled_from([25.0, 30.0, 60.0]))
def test_lips_close_for_every_p_b_m_at_any_rate(timeline, rate):
    clip = animate(timeline, rate=rate)
    gap = lip_gap(np.nan_to_num(clip.values))
    for start, end in timeline.contacts("lips"):
        near = (clip.times >= start - 0.5 / rate - 1e-9) & (clip.times <= end + 0.5 / rate + 1e-9)
        assert gap[near].min() <= SHUT_BELOW
        shut = int(np.flatnonzero(near)[gap[near].argmin()])
        for name in ("mouthLowerDownLeft", "mouthUpperUpRight"):
            assert clip.values[shut, INDEX[name]] < 0.02


@given(timeline=timelines())
def test_values_are_weights_of_the_mouth_and_nothing_else(timeline):
    clip = animate(timeline)
    assert set(np.flatnonzero(clip.present)) == set(MOUTH_31)
    assert np.isfinite(clip.values[:, clip.present]).all()
    assert clip.values[:, clip.present].min() >= 0
    assert clip.values[:, clip.present].max() <= 1
    assert len(clip) == max(1, np.ceil(timeline.seconds * 30 - 1e-6))


def test_f_and_v_bring_the_lip_to_the_teeth():
    timeline = said("AA F AA V AA")
    scores = speech_scores(speech_sums(animate(timeline).values, animate(timeline).times,
                                       spoken_spans(timeline)))  # fmt: skip
    assert scores.teeth_rate == 1
    bare = blend(timeline.pieces(), animate(timeline).times)
    assert speech_scores(speech_sums(bare, animate(timeline).times,
                                     spoken_spans(timeline))).teeth_rate < 1  # fmt: skip


@pytest.mark.parametrize("symbols", ["AA P V AA", "AA V M AA", "F B V P", "IY M F UW"])
def test_lips_and_teeth_side_by_side_get_a_frame_each(symbols):
    timeline = said(symbols, step=0.07)
    clip = animate(timeline)
    scores = speech_scores(speech_sums(clip.values, clip.times, spoken_spans(timeline)))
    assert scores.closure_rate == 1
    assert scores.teeth_rate == 1


def test_lips_left_to_blending_alone_stay_open():
    """What the contacts are for: a short b between open vowels."""
    timeline = said("AA B AA", step=0.06)
    times = animate(timeline).times
    assert lip_gap(blend(timeline.pieces(), times))[times < 0.7].max() > 0.1
    bare = blend(timeline.pieces(), times)
    inside = (times >= 0.56) & (times <= 0.62)
    assert lip_gap(bare)[inside].min() > SHUT_BELOW


def test_silence_is_still_to_the_last_bit():
    timeline = said("M AA P", start=1.0, after=1.5)
    clip = animate(timeline)
    still = (clip.times < 0.65) | (clip.times > 1.3 + 0.45)
    assert still.sum() > 40
    assert not np.nan_to_num(clip.values[still]).any()
    scores = speech_scores(speech_sums(clip.values, clip.times, spoken_spans(timeline)))
    assert scores.silence_motion < 0.05
    assert abs(scores.onset_lag) < 0.3


def test_a_clip_begins_and_ends_at_rest_even_where_speech_does_not():
    clip = animate(said("AA AA AA", start=0.0, after=0.0), rate=60)
    jaw = clip.column("jawOpen")
    assert jaw[0] < 0.6 * jaw.max()
    assert jaw[-1] < 0.6 * jaw.max()


def test_rounding_is_taken_up_early_and_spread_is_not():
    clip = animate(said("S T UW", step=0.1), rate=60)
    pucker = clip.column("mouthPucker")
    before = pucker[np.searchsorted(clip.times, 0.65)]  # in the t, 50 ms before the vowel
    assert before > 0.25 * pucker.max()
    reverse = animate(said("UW T S", step=0.1), rate=60).column("mouthPucker")
    after = reverse[np.searchsorted(clip.times, 0.65)]
    assert after < before


def test_visemes_are_told_apart():
    timeline = said("M AA M IY F UW SH IY W AA S EH B OW V AE", step=0.18)
    clip = animate(timeline)
    found = viseme_confusion(clip.values, clip.values, clip.times, viseme_spans(timeline))
    assert found.accuracy > 0.75


def test_any_stretch_is_as_it_is_within_the_whole():
    timeline = said("P AA T UW K IY M AO F S AH B W IY", step=0.11)
    times = animate(timeline).times
    whole = blend(timeline.pieces(), times)
    low, high = 20, 45
    near = [p for p in timeline.pieces()
            if p.end > times[low] - 2 * REACH and p.start < times[high] + 2 * REACH]  # fmt: skip
    part = blend(near, times[low:high])
    assert np.abs(part - whole[low:high]).max() < 2e-3


def test_a_louder_voice_opens_the_jaw_further():
    timeline = said("AA AA AA AA AA AA", step=0.25)
    steps = round(timeline.seconds * 100)
    clock = (np.arange(steps) + 0.5) / 100
    loudness = np.where(clock < 1.25, -30.0, -18.0).astype(np.float32)
    contours = Contours(loudness, np.full(steps, np.nan, np.float32), np.ones(steps, np.bool_))
    jaw = animate(timeline, contours).column("jawOpen")
    assert jaw[50] > 1.2 * jaw[25]
    calm = animate(timeline, contours, style=Style(loudness=0.0)).column("jawOpen")
    assert calm[50] == pytest.approx(calm[25], rel=0.02)


def test_styles_scale_what_they_name():
    timeline = said("AA UW IY")
    usual = animate(timeline)
    broad = animate(timeline, style=Style(jaw=1.3, rounding=1.2, uneven=0.3))
    assert broad.column("jawOpen").max() == pytest.approx(1.3 * usual.column("jawOpen").max())
    assert broad.column("mouthPucker").max() == pytest.approx(
        1.2 * usual.column("mouthPucker").max(), rel=1e-5)  # fmt: skip
    assert broad.column("mouthStretchLeft").max() > broad.column("mouthStretchRight").max()


def test_what_is_added_is_marked_and_comes_off_again():
    clip = animate(said("M AA P AA", after=3.0))
    alive = enliven(clip, seed=3)
    added = alive.meta.notes[ADDED]
    assert {"eyeBlinkLeft", "headYaw", "leftEyePitch"} <= set(added)
    assert not set(added) & {NAMES[i] for i in MOUTH_31}
    assert "added" in alive.meta.conventions[-1]
    assert alive.column("eyeBlinkLeft").max() > 0.3
    assert spoken_only(alive).same_motion(clip)
    assert enliven(clip, seed=3).same_motion(alive)
    assert "headYaw" not in enliven(clip, head=False).names


def test_a_timeline_without_a_sound_is_a_face_at_rest():
    clip = animate(Timeline((), seconds=2.0))
    assert len(clip) == 60
    assert not np.nan_to_num(clip.values).any()
    with pytest.raises(BadInput, match="--fps"):
        animate(Timeline((), seconds=2.0), rate=0)
