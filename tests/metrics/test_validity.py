import numpy as np
import pytest

from semanticface import formats
from semanticface.errors import BadInput
from semanticface.formats.plausibility import implausible
from semanticface.language.parsed import STRICT, ParseReport
from semanticface.metrics.validity import (
    RULES,
    ValiditySums,
    outcomes,
    validity,
    validity_sums,
)
from semanticface.rig import COUNT, INDEX, FaceClip

NAN = float("nan")


def face(frames=4, **columns):
    values = np.zeros((frames, COUNT))
    for name, column in columns.items():
        values[:, INDEX[name]] = column
    return values


def test_a_face_at_rest_has_no_fault():
    found = validity(validity_sums(face()))
    for name, value in found._asdict().items():
        assert not np.any(value), name


def test_values_out_of_range_by_channel():
    found = validity(validity_sums(face(jawOpen=[1.08, 1.0, -0.1, NAN], headYaw=[-1.4, 1.6, 0, 0])))
    assert found.out_of_range[INDEX["jawOpen"]] == pytest.approx(2 / 3)
    assert found.out_of_range[INDEX["headYaw"]] == 0.25
    assert found.out_of_range_all == pytest.approx(3 / (4 * COUNT - 1))
    assert validity_sums(face(jawOpen=np.float32(1.0))).out_of_range.sum() == 0


def test_missing_and_infinite_values_are_told_apart():
    found = validity(validity_sums(face(jawOpen=[NAN, np.inf, -np.inf, 0])))
    assert found.missing[INDEX["jawOpen"]] == 0.25
    assert found.not_finite[INDEX["jawOpen"]] == 0.5
    assert found.out_of_range[INDEX["jawOpen"]] == 0


def test_what_was_not_asked_for_is_not_missing():
    values = face(tongueOut=NAN, headYaw=NAN)
    asked = np.ones(COUNT, np.bool_)
    asked[[INDEX["tongueOut"], INDEX["headYaw"]]] = False
    assert validity(validity_sums(values)).missing_all == pytest.approx(2 / COUNT)
    found = validity(validity_sums(values, asked))
    assert found.missing_all == 0
    assert np.isnan(found.missing[INDEX["tongueOut"]])


def test_contradictions_by_rule_and_by_frame():
    values = face(
        eyeLookInLeft=[0.2, 0.2, 0.2, 0.2], eyeLookOutLeft=[0.2, 0.1, NAN, 0.3],
        jawOpen=[0.3, 0.3, 0.3, 0.3], mouthClose=[0.37, 0.36, 0.3, 0.9],
    )  # fmt: skip
    found = validity(validity_sums(values))
    shares = dict(zip(RULES, found.contradictions, strict=True))
    assert shares["eyeLookInLeft with eyeLookOutLeft"] == pytest.approx(2 / 3)
    assert shares["mouthClose above jawOpen"] == 0.5
    assert shares["jawLeft with jawRight"] == 0
    assert found.contradictory == 0.5


def test_counts_of_clips_add_up():
    values = np.random.default_rng(0).random((20, COUNT)) * 1.2
    values[3] = NAN
    whole = validity_sums(values)
    parts = [validity_sums(part) for part in (values[:7], values[7:])]
    added = ValiditySums(*(a + b for a, b in zip(*parts, strict=True)))
    for one, other in zip(whole, added, strict=True):
        np.testing.assert_array_equal(one, other)
    stacked = ValiditySums(*map(np.stack, zip(*parts, strict=True)))
    assert validity(stacked).contradictions.shape == (2, len(RULES))


def test_the_same_frames_are_contradictory_here_and_in_validate():
    values = (np.random.default_rng(0).random((40, COUNT)) * 0.4).astype(np.float32)
    told = [fault.found for fault in implausible(FaceClip.of(values))]
    sums = validity_sums(values)
    for rule, broken in zip(RULES[:-1], sums.broken, strict=False):
        one, _, other = rule.split(" ")
        assert any(t.startswith(f"{one} and {other} together in {broken:g} of 40") for t in told)
    assert any(f"more than jawOpen in {sums.broken[-1]:g} of 40" in t for t in told)


def test_real_takes_hardly_contradict_themselves(shared):
    clip = formats.read(shared / "livelink" / "apfel.csv")
    found = validity(validity_sums(clip.values))
    assert found.contradictory < 0.01
    assert found.not_finite_all == 0
    assert found.missing_all == pytest.approx(np.isnan(clip.values).mean())


def test_outcomes_of_answers():
    reports = [STRICT] * 6 + [
        ParseReport("tolerant"), ParseReport("tolerant", missing=("jawOpen",)),
        ParseReport("repaired"), ParseReport("failed"),
    ]  # fmt: skip
    found = outcomes(reports)
    assert {key: share.estimate for key, share in found.shares.items()} == {
        "strict": 0.6, "tolerant": 0.2, "repaired": 0.1, "failed": 0.1,
    }  # fmt: skip
    assert (found.whole.estimate, found.answers) == (0.8, 10)
    assert 0.31 < found.shares["strict"].low < 0.6 < found.shares["strict"].high < 0.84
    with pytest.raises(BadInput, match="at least one answer"):
        outcomes([])


def test_a_bad_table_is_refused():
    with pytest.raises(BadInput, match="shape"):
        validity_sums(np.zeros((3, 52)))
