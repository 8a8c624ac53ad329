import json
import time
import tracemalloc

import numpy as np
import pytest
from faces import frames
from hypothesis import given
from hypothesis import strategies as st

from semanticface.language.answers import FORMATS, answer_format
from semanticface.language.description import Description
from semanticface.language.parse import parse_answer, parse_keyframes
from semanticface.rig import CHANNELS, COUNT, INDEX, NAMES, find

WORDS = Description("a smile", "Mouth: both corners up.", "joy", "mostly symmetric")
FACE = np.zeros(COUNT, np.float32)
FACE[[INDEX["jawOpen"], INDEX["mouthSmileLeft"], INDEX["headYaw"]]] = 0.3, 0.612, -0.25
ANSWER = answer_format("two-key").write(FACE, WORDS)
FLAT = json.loads(answer_format("flat").write(FACE))


def test_an_exact_answer_is_strict():
    parsed = parse_answer(ANSWER)
    assert parsed.report.outcome == "strict"
    assert parsed.report.ok
    assert parsed.description == WORDS
    np.testing.assert_allclose(parsed.values, FACE, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (f"```json\n{ANSWER}\n```", "code fences"),
        (f"Sure! Here it is:\n{ANSWER}\nAnything else?", "text around the object"),
        (f" {ANSWER}\n", "unchanged"),
        (ANSWER + "\n" * 5000, "unchanged"),
        (ANSWER.replace('"JawOpen": 0.300', '"JawOpen": 0.3'), "unchanged"),
        (ANSWER.replace('"TongueOut": 0.000', '"TongueOut": -0.000'), "a minus before zero"),
        (json.dumps(FLAT), "flat object without 'arkit'"),
        (json.dumps({"result": {"face": FLAT}}), "numbers nested under result/face"),
        (json.dumps({"Keyframe_one": FLAT}), "numbers nested under Keyframe_one"),
        (json.dumps(dict(reversed(FLAT.items()))), "flat"),
        (json.dumps({CHANNELS[find(k)].name: v for k, v in FLAT.items()}), "another spelling"),
        (json.dumps([FLAT]), "text around"),
        (f"A brace {{ in prose, and {{another}}. {ANSWER}", "text around"),
        (f"{WORDS.as_markdown()}\n\n{json.dumps(FLAT)}", "text around"),
    ],
)
def test_surface_differences_are_tolerated_and_told(text, note):
    parsed = parse_answer(text)
    assert parsed.report.outcome == ("strict" if note is None else "tolerant")
    assert not parsed.report.missing
    np.testing.assert_allclose(parsed.values, FACE, atol=1e-6)
    if note not in (None, "unchanged"):
        assert any(note in told for told in parsed.report.notes)


@pytest.mark.parametrize(
    "text",
    [
        ANSWER.replace("0.300", '"0.300"'),
        ANSWER[:-2],
        ANSWER.replace('"', "'"),
        ANSWER.replace("}}", ",}}"),
        ANSWER.replace('", "', '" "', 1),
        ANSWER.replace('"arkit": {', '"arkit": {,'),
    ],
)
def test_broken_text_is_repaired_and_counted(text):
    parsed = parse_answer(text)
    assert parsed.report.outcome == "repaired"
    known = np.isfinite(parsed.values)
    assert known.sum() >= COUNT - 1
    np.testing.assert_allclose(parsed.values[known], FACE[known], atol=1e-6)


@given(cut=st.integers(0, len(ANSWER) - 1))
def test_a_truncated_answer_gives_only_whole_numbers(cut):
    parsed = parse_answer(ANSWER[:cut])
    known = np.isfinite(parsed.values)
    np.testing.assert_allclose(parsed.values[known], FACE[known], atol=1e-6)
    assert {NAMES[i] for i in np.flatnonzero(~known)} == set(parsed.report.missing)
    assert parsed.report.outcome in ("repaired", "failed")


def test_a_number_at_the_very_end_is_not_believed():
    assert (
        parse_answer('{"JawOpen": 0.3, "MouthClose": 0.1').report.missing.count("mouthClose") == 1
    )


def test_a_missing_key_is_never_zero():
    short = dict(FLAT)
    del short["JawOpen"], short["TongueOut"]
    parsed = parse_answer(json.dumps(short))
    assert parsed.report.missing == ("jawOpen", "tongueOut")
    assert np.isnan(parsed.values[[INDEX["jawOpen"], INDEX["tongueOut"]]]).all()


@pytest.mark.parametrize(
    ("pair", "field"),
    [
        ('"JawOpen": NaN', "not_finite"),
        ('"JawOpen": -Infinity', "not_finite"),
        ('"JawOpen": 1e999', "not_finite"),
        ('"JawOpen": null', "missing"),
        ('"JawOpen": true', "missing"),
        ('"JawOpen": "wide"', "missing"),
        ('"JawOpen": [0.3]', "missing"),
        ('"JawOpen": 0.3, "JawOpen": 0.4', "duplicate"),
    ],
)
def test_what_is_no_number_is_missing_with_a_reason(pair, field):
    parsed = parse_answer(ANSWER.replace('"JawOpen": 0.300', pair))
    assert "jawOpen" in getattr(parsed.report, field)
    assert "jawOpen" in parsed.report.missing
    assert np.isnan(parsed.values[INDEX["jawOpen"]])


def test_values_out_of_range_and_unknown_names_are_kept_apart():
    parsed = parse_answer(ANSWER.replace('"JawOpen": 0.300', '"JawOpen": 3.0, "Chin": 0.1'))
    assert parsed.values[INDEX["jawOpen"]] == 3
    assert parsed.report.out_of_range == ("jawOpen",)
    assert parsed.report.extra == ("Chin",)
    assert not parsed.report.ok


def test_several_keyframes_are_read_in_order():
    text = json.dumps({f"Keyframe_{n}": {**FLAT, "JawOpen": n / 10} for n in range(1, 4)})
    read = parse_keyframes(text)
    assert [each.keyframe for each in read] == ["Keyframe_1", "Keyframe_2", "Keyframe_3"]
    assert [round(float(each.values[INDEX["jawOpen"]]), 3) for each in read] == [0.1, 0.2, 0.3]


@pytest.mark.parametrize("key", [k for k in FORMATS if answer_format(k).json_schema() is None])
def test_text_around_the_compact_formats_is_tolerated(key):
    form = answer_format(key, 2)
    values = np.round(FACE, 2)
    parsed = parse_answer(f"Here:\n{form.write(values, WORDS)}\nDone.", form)
    assert parsed.report.outcome == "tolerant"
    np.testing.assert_allclose(parsed.values, values, atol=1e-6)


@given(st.text(max_size=300))
def test_prose_gives_nothing(text):
    parsed = parse_answer(text)
    assert np.isfinite(parsed.values).sum() == 0 or ":" in text or "=" in text


def test_the_start_of_a_short_code_answer_is_not_taken_for_the_whole():
    parsed = parse_answer("So: = jo30 msl61., I think", answer_format("codes"))
    assert parsed.report.outcome == "failed"


OTHER = json.dumps(dict.fromkeys(FLAT, 0.99))
QUOTED = json.dumps({"analysis": {**WORDS.as_analysis(), "symmetry": 'said "JawOpen": 0.9, so'}})


@pytest.mark.parametrize(
    "text",
    [
        f'{{"confidence": {OTHER}, "arkit": {json.dumps(FLAT)}}}',
        f'{{"previous": {OTHER}, "arkit": {json.dumps(FLAT)}}}',
        f"<think>{OTHER}</think>{json.dumps(FLAT)}",
        f"{OTHER}\nCorrection:\n{ANSWER}",
        f'Format: {{"JawOpen": 0.5, "MouthClose": 0.1}}\n{ANSWER[:-2]},',
        "".join(f"{{x{i}}} " for i in range(64)) + ANSWER,
        f"{QUOTED[:-1]}, {ANSWER[1:-1]}}}",
    ],
    ids=range(7),
)
def test_of_several_sets_of_numbers_the_answer_is_taken(text):
    parsed = parse_answer(text)
    np.testing.assert_allclose(parsed.values, FACE, atol=1e-6)


def test_rival_sets_of_equal_standing_are_told():
    report = parse_answer(f"{OTHER}\n{json.dumps(FLAT)}").report
    assert "2 different sets of numbers, the last is taken" in report.notes


@pytest.mark.parametrize(
    "text",
    [
        ANSWER.replace("0.300", "0,300"),
        ANSWER.replace("0.300", "1,000"),
        ANSWER.replace('"JawOpen": 0.300', '"JawOpen": 0.300, "JawOpen": NaN'),
        ANSWER.replace('"JawOpen": 0.300', '"JawOpen": 0.300, "JawOpen": null'),
        ANSWER.replace('"JawOpen": 0.300', '"confidence.JawOpen": 0.9'),
        QUOTED[:-4],
        QUOTED[:-2] + ', "arkit": {"EyeBlinkLeft": 0.000, "JawOp',
        "It is not true that JawOpen = 1;\nJawOpen: 0, 1\n",
        "JawOpen: 0.5",
    ],
    ids=range(9),
)
def test_nothing_is_read_that_is_not_plainly_the_channels_value(text):
    assert np.isnan(parse_answer(text).values[INDEX["jawOpen"]])


def test_plain_lines_of_names_and_numbers_are_picked():
    parsed = parse_answer("- JawOpen: 0.5\n- MouthClose = 0.25,\n")
    assert parsed.report.outcome == "repaired"
    assert parsed.values[[INDEX["jawOpen"], INDEX["mouthClose"]]].tolist() == [0.5, 0.25]


@pytest.mark.parametrize("key", ["codes", "regions", "tokens"])
@given(data=st.data())
def test_no_prefix_of_a_compact_answer_is_an_answer(key, data):
    form = answer_format(key)
    text = form.write(data.draw(frames(2)), WORDS)
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    assert np.isnan(parse_answer(cut, form).values).all()


def test_two_compact_answers_that_differ_are_none():
    form = answer_format("codes")
    assert parse_answer("= jo30.\n= jo40.", form).report.outcome == "failed"
    assert parse_answer("= jo30.\n= jo30.", form).report.outcome == "tolerant"


@pytest.mark.parametrize(
    "text", ['```json\n{"JawOpen":0.300}\n```', '{"JawOpen":0.300}\n', "x {} y"]
)
def test_what_sparse_json_leaves_out_is_zero_also_with_text_around_it(text):
    parsed = parse_answer(text, answer_format("sparse"))
    assert parsed.report.outcome == "tolerant"
    assert not parsed.report.missing
    assert parsed.values[INDEX["jawOpen"]] == np.float32(0.3 if "JawOpen" in text else 0)


def test_a_cut_sparse_object_leaves_the_rest_missing():
    parsed = parse_answer('{"JawOpen":0.300,"MouthClose":0.1', answer_format("sparse"))
    assert np.isfinite(parsed.values).sum() == 1


def test_every_keyframe_keeps_its_place_and_name():
    faces = {f"Keyframe_{n}": FLAT if n != 2 else {"JawOpen": 0.2} for n in range(1, 101)}
    text = json.dumps(faces)
    read = parse_keyframes(text)
    assert [each.keyframe for each in read] == list(faces)
    assert len(read[1].report.missing) == COUNT - 1
    cut = parse_keyframes(text[: text.index("Keyframe_3") + 300])
    assert [each.keyframe for each in cut] == ["Keyframe_1", "Keyframe_2", "Keyframe_3"]
    assert cut[2].report.outcome == "repaired"
    assert 0 < len(cut[2].report.missing) < COUNT


def test_the_last_word_of_a_markdown_description_is_whole():
    words = Description("a", "b", "c", "a symmetrical expression")
    parsed = parse_answer(f"{words.as_markdown()}\n\n```json\n{json.dumps(FLAT)}\n```")
    assert parsed.description == words


FRAGMENTS = st.sampled_from(
    ["{", "}", '"', "'", ":", ",", "[", "]", "JawOpen", '"JawOpen": 0.3', "arkit", "NaN", "-",
     "0.25", "1e5", "\\u12", "null", "true", "\n", "```", " ", "eyeBlinkLeft", "=", "\x00", "é",
     "analysis"]
)  # fmt: skip


@given(st.lists(FRAGMENTS, max_size=60).map("".join), st.sampled_from(list(FORMATS)))
def test_no_value_is_invented_from_fragments(text, key):
    parsed = parse_answer(text, answer_format(key))
    implied = {0.0} if key in ("sparse", "codes") and parsed.report.outcome == "strict" else set()
    numbers = {0.3, 0.25, 1e5} | implied
    for value in parsed.values[np.isfinite(parsed.values)]:
        digits = f"{value:g}"
        assert any(np.isclose(value, n) for n in numbers) or digits.lstrip("-") in text, (
            text,
            value,
        )


@given(frames(), st.integers(0, 2000), st.sampled_from(list('{}",:0x\n')))
def test_one_wrong_character_never_changes_another_value(values, at, character):
    text = answer_format("two-key").write(values, WORDS)
    at = at % len(text)
    parsed = parse_answer(text[:at] + character + text[at + 1 :])
    known = np.isfinite(parsed.values)
    wrong = known & ~np.isclose(parsed.values, np.round(values, 3), atol=2e-3)
    assert wrong.sum() <= 1


@pytest.mark.parametrize(
    "hostile",
    [
        "{" * 10_000_000,
        "}" * 10_000_000,
        '{"a":' * 200_000,
        "{" * 999_999,
        "[" * 999_999,
        "a" * 999_999,
        '"JawOpen":' * 90_000,
        '{"JawOpen":1,' * 70_000,
        '{"JawOpen":[1,2]}' * 50_000,
        '{"JawOpen":' + "1" * 500_000 + "}",
        '{"JawOpen":"' + " " * 500_000 + '"}',
        '"' * 999_999,
        "\\" * 999_999,
        '{"expression_category":"' + '\\"' * 400_000,
        '{"JawOpen":0,"JawOpen":1,' + '"JawOpen":2,' * 60_000 + '"MouthClose":0}',
        '{"a":"' * 150_000,
        '"Keyframe_1":{' * 60_000,
    ],
    ids=lambda text: f"{text[:14]}x{len(text)}",
)
@pytest.mark.parametrize("key", ["two-key", "codes", "markdown"])
def test_hostile_text_is_read_in_bounded_time_and_memory(hostile, key):
    form = answer_format(key)
    tracemalloc.start()
    begun = time.process_time()
    parsed = parse_answer(hostile, form)
    spent = time.process_time() - begun
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.isfinite(parsed.values).sum() <= 1
    # Bounds, not speed: a quadratic reader would need minutes and gigabytes here.
    assert spent < 20
    assert peak < 400_000_000


def test_the_released_answers_of_semanticface_are_read(shared):
    lines = (shared / "released_answers/semanticface_example_result.jsonl").read_text().splitlines()
    read = [parse_answer(json.loads(line)["response"]) for line in lines]
    assert len(read) == 8
    for parsed in read:
        assert parsed.report.outcome == "tolerant"
        assert parsed.report.missing == ()
        assert parsed.description is not None
        assert parsed.description.symmetry
        grid = np.round(parsed.values * 10) / 10
        np.testing.assert_allclose(parsed.values, grid, atol=1e-6)
    share = np.mean([parsed.values == 0 for parsed in read])
    assert share == pytest.approx(0.61, abs=0.01)


def test_the_released_answers_of_keyframeface_are_read(shared):
    lines = (shared / "released_answers/keyframeface_example_result.jsonl").read_text().split("\n")
    read = [parse_keyframes(json.loads(line)["response"])[0] for line in lines if line.strip()]
    assert [each.keyframe for each in read] == ["Keyframe_one", "Keyframe_two"]
    assert all(each.report.missing == () for each in read)
