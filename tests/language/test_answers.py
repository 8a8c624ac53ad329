import json
import re
from functools import cache

import jsonschema
import llguidance
import numpy as np
import pytest
from faces import frames
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.language.answers import FORMATS, ValueTokens, answer_format
from semanticface.language.description import Description
from semanticface.language.numerals import decimal_pattern, integer_pattern, limit, spell
from semanticface.rig import CHANNELS, COUNT, INDEX

KEYS = list(FORMATS)
WORDS = Description(
    "a smile", 'Mouth: "both" corners, up\\out.', "joy — perhaps", "mostly symmetric"
)
SPOKEN = st.text(st.characters(exclude_categories=("C",), exclude_characters="{}"), min_size=1)
words = st.builds(Description, SPOKEN, SPOKEN, SPOKEN, SPOKEN)


@pytest.fixture(scope="module")
def spelling():
    return llguidance.LLTokenizer("byte")


@pytest.mark.parametrize("decimals", [1, 2, 3])
@pytest.mark.parametrize("key", KEYS)
@given(data=st.data())
def test_what_a_format_writes_it_reads_back_strictly(key, decimals, data):
    values = data.draw(frames(decimals))
    form = answer_format(key, decimals)
    parsed = form.read(form.write(values, WORDS))
    assert parsed.report.outcome == "strict", parsed.report
    np.testing.assert_allclose(parsed.values, values, atol=1e-6)
    assert not np.signbit(parsed.values[parsed.values == 0]).any()


@given(values=frames(), description=words)
def test_any_words_survive_a_two_key_answer(values, description):
    form = answer_format("two-key")
    assert form.read(form.write(values, description)).description == description


@pytest.mark.parametrize("decimals", [1, 2, 3])
@pytest.mark.parametrize("key", KEYS)
@given(data=st.data())
def test_the_regex_matches_what_is_written(key, decimals, data):
    form = answer_format(key, decimals)
    text = form.write(data.draw(frames(decimals)), WORDS)
    assert re.compile(form.regex()).fullmatch(text)


@cache
def schema_of(key):
    """Checked and put together once: that takes longer than an answer."""
    schema = answer_format(key).json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("key", [key for key in KEYS if answer_format(key).json_schema()])
@given(values=frames())
def test_the_schema_accepts_what_is_written_and_nothing_looser(key, values):
    form, schema = answer_format(key), schema_of(key)
    answer = json.loads(form.write(values, WORDS))
    schema.validate(answer)
    face = answer.get("arkit", answer)
    for name, value in (("JawOpen", 1.5), ("EyeBlinkLeft", -0.1), ("Chin", 0.5)):
        before = face.get(name)
        face[name] = value
        assert not schema.is_valid(answer)
        face.pop(name) if before is None else face.update({name: before})


@pytest.mark.parametrize("decimals", [1, 3])
@pytest.mark.parametrize("key", KEYS)
def test_a_grammar_engine_accepts_the_answer_and_stops_bad_ones(key, decimals, spelling):
    form = answer_format(key, decimals)
    face = np.zeros(COUNT)
    face[[INDEX["jawOpen"], INDEX["headYaw"]]] = 0.3, -0.2
    text = form.write(face, WORDS)

    def accepted(answer: str) -> bool:
        grammar = llguidance.LLMatcher.grammar_from_regex(form.regex())
        matcher = llguidance.LLMatcher(spelling, grammar)
        assert not matcher.get_error()
        tokens = spelling.tokenize_str(answer)
        return matcher.consume_tokens(tokens) and matcher.is_accepting()

    assert accepted(text)
    assert not accepted(text + " ")
    assert not accepted(" " + text)
    assert not accepted(text[:-1])
    if form.json_schema():
        assert not accepted(text.replace('":', '" :', 1))
        assert not accepted(text.replace(spell(3 * 10 ** (decimals - 1), decimals), "1.9"))


@pytest.mark.parametrize("decimals", [1, 2, 3])
@pytest.mark.parametrize("name", ["jawOpen", "headYaw"])
def test_number_patterns_accept_the_range_and_nothing_else(name, decimals):
    channel = CHANNELS[INDEX[name]]
    decimal = re.compile(decimal_pattern(channel, decimals))
    integer = re.compile(integer_pattern(channel, decimals))
    nonzero = re.compile(integer_pattern(channel, decimals, zero=False))
    most = limit(channel, decimals)
    for steps in range(-2100, 2101):
        legal = (-most if channel.signed else 0) <= steps <= most
        assert bool(decimal.fullmatch(spell(steps, decimals))) == legal
        assert bool(integer.fullmatch(str(steps))) == legal
        assert bool(nonzero.fullmatch(str(steps))) == (legal and steps != 0)
    for text in ("-0", "-0.0", "-0.00", "-0.000", "00", "01", "+1", "1e0", ".5", "0.", " 0"):
        assert not decimal.fullmatch(text)
        assert not integer.fullmatch(text)


@pytest.mark.parametrize("key", KEYS)
def test_missing_values_and_values_out_of_range_are_not_written(key):
    face = np.zeros(COUNT)
    face[INDEX["tongueOut"]] = np.nan
    with pytest.raises(BadInput, match="no value for tongueOut"):
        answer_format(key).write(face, WORDS)
    face[INDEX["tongueOut"]] = 1.08
    with pytest.raises(BadInput, match=r"1\.08 for tongueOut.*into_range"):
        answer_format(key).write(face, WORDS)


@pytest.mark.parametrize("key", KEYS)
@given(data=st.data())
def test_a_format_of_some_channels_reads_only_those(key, data):
    chosen = tuple(sorted(data.draw(st.sets(st.integers(0, 60), min_size=1, max_size=8))))
    values = data.draw(frames(2))
    form = answer_format(key, 2, chosen)
    text = form.write(values, WORDS)
    assert re.compile(form.regex()).fullmatch(text)
    read = form.read(text).values
    np.testing.assert_allclose(read[list(chosen)], values[list(chosen)], atol=1e-6)
    assert np.isnan(np.delete(read, chosen)).all()


def test_a_neutral_face_is_short_in_the_sparse_formats():
    assert answer_format("sparse").write(np.zeros(COUNT)) == "{}"
    assert answer_format("codes").write(np.zeros(COUNT)) == "=."


def test_value_tokens_are_all_in_the_vocabulary():
    form = ValueTokens()
    words = set(form.vocabulary())
    assert len(words) == 2 * 150 + 1
    face = np.linspace(0, 1, COUNT)
    face[-9:] -= 1
    assert set(re.findall(r"<v-?\d+>", form.write(face))) <= words


def test_described_formats_need_a_description_and_unknown_formats_get_a_hint():
    with pytest.raises(BadInput, match="no description"):
        answer_format("two-key").write(np.zeros(COUNT))
    with pytest.raises(BadInput, match="Did you mean 'sparse'"):
        answer_format("spars")
    with pytest.raises(BadInput, match="4 decimals"):
        answer_format("flat", 4)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"JawOpen":0.5,"JawOpen":0.5}', "given twice"),
        ('{"JawOpen":NaN}', "NaN"),
        ('{"JawOpen":-0.0}', "minus before zero"),
        ('{"JawOpen":true}', "not a number"),
        ('{"JawOpen":1.5}', "range"),
        ('{"MouthClose":0.1,"JawOpen":0.1}', "out of order"),
        ('{"Chin":0.1}', "unknown"),
        ('{"JawOpen":0.1} ', "before or after"),
        ('{"JawOpen":0.1,}', "not JSON"),
        ('{"JawOpen":1' + "0" * 400 + "}", "too large"),
    ],
)
def test_strict_reading_of_sparse_json_says_why_not(text, why):
    report = answer_format("sparse").read(text).report
    assert report.outcome == "failed"
    assert why in report.notes[0]
