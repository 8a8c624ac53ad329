"""Words against numbers, counted: hand cases, our own text, planted lies, released answers."""

import json
import math

import numpy as np
import pytest
from described import face
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.formats import semanticface_jsonl
from semanticface.language.describe import describe_frames
from semanticface.metrics.language import (
    ROWS,
    active_channels,
    grid_share,
    score_answers,
    score_texts,
)
from semanticface.motion.expressions import sample_frames
from semanticface.rig import COUNT, FaceClip, mirror


def one(text, **weights):
    (score,) = score_texts([text], face(**weights)[None]).texts
    return score


def test_counts_of_one_text_by_hand():
    score = one("The jaw is open. The brows are raised.", jawOpen=0.5, mouthSmile=0.6)
    assert (score.supported, score.contradicted, score.open) == (1, 1, 0)
    assert (score.told_active, score.active) == (1, 3)
    assert score.told > score.told_active


def test_a_claim_without_a_side_is_told_of_the_active_side_only():
    score = one("A clear smile.", mouthSmileLeft=0.5)
    assert (score.told, score.told_active, score.active) == (1, 1, 1)
    both = one("A smile on both sides.", mouthSmileLeft=0.5)
    assert (both.told, both.told_active, both.contradicted) == (2, 1, 1)


def test_denials_and_hedges_the_numbers_speak_against_tell_nothing():
    assert one("No smile is visible.", jawOpen=0.5).told == 0
    assert one("Possibly a smile.", jawOpen=0.5).told == 0


def test_ratios_are_of_sums_and_the_counts_stay_by_answer():
    texts = ["The jaw is open.", "The jaw is open. A smile. The tongue is out."]
    values = np.stack([face(jawOpen=0.5), face(jawOpen=0.5, mouthPucker=0.5)])
    scores = score_texts(texts, values, clusters=["ann", "bob"])
    assert scores.contradicted == pytest.approx(2 / 4)
    assert scores.mention_recall == pytest.approx(2 / 3)
    assert scores.clusters == ("ann", "bob")
    columns = scores.columns()
    assert columns["contradicted"].tolist() == [0, 2]
    assert columns["active"].tolist() == [1, 2]
    assert columns["supported"].sum() / 4 == scores.supported
    assert any("mention_recall: 0.667 of 3" in line for line in scores.lines())


def test_distinct_shares_by_hand():
    scores = score_texts(["a b a", "a b a"], np.zeros((2, COUNT)))
    assert scores.distinct_1 == pytest.approx(2 / 6)
    assert scores.distinct_2 == pytest.approx(2 / 4)
    assert scores.distinct_texts == 0.5
    chinese = score_texts(["微笑微笑"], np.zeros((1, COUNT)))
    assert chinese.distinct_1 == pytest.approx(2 / 4)


def test_nothing_to_count_is_nan_and_not_zero():
    scores = score_texts([""], np.zeros((1, COUNT)))
    shares = (scores.contradicted, scores.open, scores.mention_precision, scores.mention_recall,
              scores.distinct_1)  # fmt: skip
    assert all(math.isnan(share) for share in shares)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_our_own_texts_are_perfect_and_about_other_faces_they_are_not(language):
    values = sample_frames(30, 5)
    texts = describe_frames(values, language=language)
    scores = score_texts(texts, values)
    assert scores.contradicted == 0 and scores.open == 0
    assert scores.mention_precision == scores.mention_recall == 1
    others = score_texts(texts, np.roll(values, 1, axis=0))
    assert others.contradicted > 0.2
    assert others.mention_precision < 0.8 and others.mention_recall < 0.8


def test_muting_the_numbers_costs_precision_and_not_recall():
    values = sample_frames(30, 5)
    muted = score_texts(describe_frames(values), values * np.float32(0.4))
    assert muted.mention_precision < 0.8 < muted.mention_recall


def test_leaving_words_out_costs_recall_only():
    values = np.stack([face(jawOpen=0.5, mouthSmile=0.5)])
    scores = score_texts(["The jaw is open."], values)
    assert scores.contradicted == 0 and scores.mention_precision == 1
    assert scores.mention_recall == pytest.approx(1 / 3)


def test_words_for_a_mirrored_face_are_wrong_about_sides_only():
    values = np.stack([face(mouthSmileLeft=0.6)])
    text = "A clear smile on the left side."
    assert score_texts([text], values).contradicted == 0
    flipped = score_texts([text], mirror(values))
    assert flipped.contradicted == 1 and flipped.mention_precision == 0


def test_active_channels_are_named_once():
    assert active_channels(face(eyeLookDown=0.5, jawOpen=0.05)) == {
        "eyeLookDownLeft",
        "eyeLookDownRight",
    }


def test_lengths_that_differ_are_refused():
    with pytest.raises(BadInput, match="2 values for 1 texts"):
        score_texts(["a"], np.zeros((2, COUNT)))
    with pytest.raises(BadInput, match="1 clusters for 2 texts"):
        score_texts(["a", "b"], np.zeros((2, COUNT)), clusters=["x"])


@given(st.lists(st.integers(0, 10), min_size=1), st.floats(0.02, 0.08))
def test_the_grid_is_found_and_nothing_beside_it(steps, off):
    on = np.array(steps, np.float32) / np.float32(10)
    assert grid_share(on) == 1
    assert grid_share(on + off) == 0
    assert grid_share([*on, *(on + off)]) == 0.5
    assert math.isnan(grid_share([np.nan]))


def test_a_file_of_our_own_answers(tmp_path):
    values = np.round(sample_frames(6, 2), 3)
    values = np.clip(values, -1.5, 1)
    path = tmp_path / "results.jsonl"
    clip = FaceClip.of(values)
    semanticface_jsonl.write(
        clip, path, descriptions=describe_frames(values), images=["a.png"] * 3 + ["b.png"] * 3
    )
    with path.open("a") as stream:
        stream.write(json.dumps({"response": "I cannot see a face."}) + "\n")
    report = score_answers(path)
    assert report.outcomes == {"strict": 6, "tolerant": 0, "repaired": 0, "failed": 1}
    assert (report.answers, report.complete, report.unscored) == (7, 6, 1)
    assert report.parsed == pytest.approx(6 / 7)
    assert report.values == 6 * COUNT and report.grid_share < 0.7
    assert report.language.clusters == ("a.png",) * 3 + ("b.png",) * 3
    # Rotations of the file are radians as ours; only the mouth pair is labelled in exchange.
    assert report.language.contradicted < 0.05
    assert any("without numbers, words not scored: 1" in line for line in report.lines())
    with pytest.raises(BadInput, match="2 clusters for 7 answers"):
        score_answers(path, clusters=["a", "b"])


def test_released_answers(shared):
    """Counts agree with the faults that were read off the eight answers by hand."""
    report = score_answers(shared / "released_answers" / "semanticface_example_result.jsonl")
    assert report.outcomes["tolerant"] == report.answers == report.complete == 8
    assert report.values == 8 * COUNT and report.grid_share == report.grid_share_moving == 1
    assert report.zero_share == pytest.approx(0.61, abs=0.01) and report.levels <= 11
    assert report.language.columns()["contradicted"].tolist() == [0, 0, 2, 3, 0, 1, 0, 2]
    assert 0.7 < report.language.mention_recall < report.language.mention_precision < 1


def test_every_row_is_whole():
    assert all(len(row) == 5 for row in ROWS)
