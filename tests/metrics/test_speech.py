"""The mouth's metrics, against cases worked out by hand."""

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.metrics.catalogue import every
from semanticface.metrics.mouth_sets import MOUTH_29, MOUTH_31
from semanticface.metrics.speech import (
    ROWS,
    SpeechScores,
    SpeechSums,
    SpokenSpans,
    onset_lags,
    speech_scores,
    speech_sums,
    touches,
    viseme_confusion,
)
from semanticface.metrics.statistics import cluster_bootstrap
from semanticface.rig import COUNT, INDEX

TIMES = np.arange(40) / 10  # 0 to 3.9 s


def face(frames=40, **channels):
    values = np.zeros((frames, COUNT))
    for name, column in channels.items():
        values[:, INDEX[name]] = column
    return values


def scores(pred, spans, **options):
    return speech_scores(speech_sums(pred, TIMES, spans, **options))


def test_lips_that_close_in_two_of_three_spans():
    jaw = np.full(40, 0.4)
    close = np.zeros(40)
    close[5], close[20] = 0.4, 0.4  # 0.4 - 1.01 * 0.4 < 0.03: shut
    spans = SpokenSpans(lips=[(0.45, 0.55), (1.0, 1.2), (1.95, 2.1)])
    assert scores(face(jawOpen=jaw, mouthClose=close), spans).closure_rate == pytest.approx(2 / 3)
    assert np.isnan(scores(face(), SpokenSpans()).closure_rate)


def test_a_span_nobody_measured_counts_for_nobody():
    pred = face(jawOpen=0.0)
    pred[5] = np.nan
    assert scores(pred, SpokenSpans(lips=[(0.45, 0.55), (1.0, 1.2)])).closure_rate == 1


@pytest.mark.parametrize(("roll", "jaw", "made"), [
    (0.4, 0.10, 1), (0.4, 0.30, 0), (0.1, 0.10, 0), (0.4, 0.0, 0), (0.2, 0.18, 1),
])  # fmt: skip
def test_the_lip_meets_the_teeth_when_tucked_and_near_but_not_shut(roll, jaw, made):
    pred = face(mouthRollLower=roll, jawOpen=jaw)
    assert touches(pred, TIMES, (0.5, 0.7)) == made
    assert scores(pred, SpokenSpans(teeth=[(0.5, 0.7), (1.0, 1.1)])).teeth_rate == made


def test_rounding():
    pucker = np.zeros(40)
    pucker[10:13] = 0.2, 0.6, 0.4
    pred = face(mouthPucker=pucker, mouthFunnel=0.1)
    found = scores(pred, SpokenSpans(rounded=[(1.0, 1.2), (2.0, 2.2)], plain=[(3.0, 3.2)]))
    assert found.rounding_rate == 0.5  # 0.7 and 0.1
    # means 0.5 and 0.1, less 0.1 of the plain vowel
    assert found.rounding_contrast == pytest.approx((0.5 + 0.1) / 2 - 0.1)


def test_jaw_and_voice_correlate_while_speaking_only():
    loud = np.linspace(-40, -20, 40)
    jaw = 0.01 * (loud + 50)
    jaw[30:] = 0.9  # in silence, so not looked at
    spans = SpokenSpans(silent=[(3.0, 4.0)])
    assert scores(face(jawOpen=jaw), spans, loudness=loud).jaw_energy == pytest.approx(1)
    assert scores(face(jawOpen=-jaw + 1), spans, loudness=loud).jaw_energy == pytest.approx(-1)
    other = np.random.default_rng(0).uniform(size=40)
    expected = np.corrcoef(other[:30], loud[:30])[0, 1]
    assert scores(face(jawOpen=other), spans, loudness=loud).jaw_energy == pytest.approx(expected)
    assert np.isnan(scores(face(jawOpen=0.2), spans, loudness=loud).jaw_energy)
    assert np.isnan(scores(face(jawOpen=jaw), spans).jaw_energy)


def test_onsets_early_and_late():
    jaw = np.zeros(40)
    jaw[9:] = 0.3  # speech begins at 1.0: 0.1 s early
    spans = [(0.0, 1.0), (2.0, 2.1), (3.0, 4.0)]  # the second is too short, the third ends all
    assert onset_lags(face(jawOpen=jaw), TIMES, spans, MOUTH_31) == pytest.approx([-0.1])
    jaw[9:12] = 0
    assert onset_lags(face(jawOpen=jaw), TIMES, spans, MOUTH_31) == pytest.approx([0.2])
    found = scores(face(jawOpen=jaw), SpokenSpans(silent=spans))
    assert found.onset_lag == pytest.approx(0.2)
    assert found.onset_spread == pytest.approx(0.2)
    assert len(onset_lags(face(), TIMES, spans, MOUTH_31)) == 0


def test_motion_in_silence_leaves_its_edges_out():
    jaw = np.zeros(40)
    jaw[0:3] = 0.5, 0.3, 0.1  # within 0.2 s of the start of the silence
    jaw[6] = 0.31
    found = scores(face(jawOpen=jaw), SpokenSpans(silent=[(0.0, 1.0)]))
    # frames 2 to 8: |0 - 0.1| + 0.31 + 0.31 over 6 steps of 0.1 s and 31 channels
    assert found.silence_motion == pytest.approx((0.1 + 0.62) / (6 * 0.1 * 31))
    assert scores(face(jawOpen=0.4), SpokenSpans(silent=[(0.0, 1.0)])).silence_motion == 0


def test_errors_over_both_mouth_sets():
    pred, truth = face(jawOpen=0.3, mouthClose=0.31, eyeBlinkLeft=0.9), face()
    wide = scores(pred, SpokenSpans(), truth=truth)
    assert wide.mouth_mae == pytest.approx((0.3 + 0.31) / 31)
    assert wide.mouth_mse == pytest.approx((0.09 + 0.31**2) / 31)
    narrow = scores(pred, SpokenSpans(), truth=truth, channels=MOUTH_29)
    assert narrow.mouth_mae == pytest.approx(0.3 / 29)


def test_visemes_by_the_nearest_mean():
    truth, pred = face(), face()
    for start, channel, level in (
        (0, "jawOpen", 0.6),
        (10, "mouthPucker", 0.8),
        (20, "jawOpen", 0.6),
    ):
        truth[start : start + 10, INDEX[channel]] = level
    pred[:] = truth
    pred[20:30] = truth[10:20]  # the second open vowel came out rounded
    sounds = [("open", 0.0, 0.9), ("round", 1.0, 1.9), ("open", 2.0, 2.9)]
    found = viseme_confusion(pred, truth, TIMES, sounds)
    assert found.names == ("open", "round")
    assert found.counts.tolist() == [[1, 1], [0, 1]]
    assert found.accuracy == pytest.approx(2 / 3)
    assert np.isnan(viseme_confusion(pred, truth, TIMES, []).accuracy)


def test_sums_add_up_and_give_intervals_by_sentence():
    rng = np.random.default_rng(1)
    spans = SpokenSpans(lips=[(0.5, 0.6), (1.5, 1.6)], silent=[(3.0, 3.9)])
    each = [speech_sums(face(jawOpen=rng.uniform(0, 0.06, 40)), TIMES, spans, truth=face())
            for _ in range(8)]  # fmt: skip
    stacked = SpeechSums(*(np.array(column) for column in zip(*each, strict=True)))
    pooled = speech_scores(SpeechSums(*(column.sum() for column in stacked)))
    mean = np.mean([speech_scores(one).mouth_mae for one in each])
    assert pooled.mouth_mae == pytest.approx(mean)
    interval = cluster_bootstrap(
        stacked, lambda s: speech_scores(s).mouth_mae, resamples=200, method="percentile"
    )
    assert interval.low < interval.estimate < interval.high


def test_every_score_has_its_row():
    assert set(SpeechScores._fields) <= {row[0] for row in ROWS} <= set(every())


def test_wrong_shapes_are_told():
    with pytest.raises(BadInput, match="one time a frame"):
        speech_sums(face(10), TIMES, SpokenSpans())
    with pytest.raises(BadInput, match="one time grid"):
        speech_sums(face(), TIMES, SpokenSpans(), truth=face(10))
    with pytest.raises(BadInput, match="loudness"):
        speech_sums(face(), TIMES, SpokenSpans(), loudness=np.zeros(3))
