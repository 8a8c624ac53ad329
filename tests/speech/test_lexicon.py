"""How words are pronounced: numbers in every way they are read, parts, accents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.speech.decoder import Decoder
from semanticface.speech.numerals import readings
from semanticface.speech.words import latin_share, tokens


@pytest.fixture(scope="module")
def lexicon():
    return Decoder(letters=False).lexicon


@pytest.mark.parametrize(("token", "first", "also"), [
    ("25", "twenty five", ""),
    ("105", "one hundred and five", "one oh five"),
    ("1984", "nineteen eighty four", "one thousand nine hundred eighty four"),
    ("2005", "two thousand and five", "two thousand five"),
    ("1,984", "one thousand nine hundred and eighty four", ""),
    ("21st", "twenty first", ""),
    ("3.14", "three point one four", ""),
    ("$5.20", "five dollars twenty cents", "five twenty"),
    ("$1", "one dollar", ""),
    ("$3.5", "three point five dollars", "three point five"),
    ("\u00a32.01", "two pounds one penny", ""),
    ("50 %", "fifty percent", ""),
    ("1990s", "nineteen nineties", ""),
    ("007", "zero zero seven", "oh oh seven"),
    ("10-20", "ten to twenty", ""),
    ("555-1234", "five hundred and fifty five to one thousand two hundred and thirty four",
     "five five five one two three four"),
    ("0", "zero", ""),
])  # fmt: skip
def test_numbers_are_read_as_people_read_them(token, first, also):
    told = [" ".join(words) for words in readings(token)]
    assert told[0] == first
    assert not also or also in told


@given(st.from_regex(r"[$\u00a3]?[0-9][0-9,.\-]{0,30}[%a-z]{0,2}", fullmatch=True))
def test_no_token_breaks_the_reader(token):
    for words in readings(token):
        assert words
        assert all(word.isalpha() for word in words)


def test_a_number_has_phones_in_each_way_and_keeps_its_token(lexicon):
    said = lexicon.saying("1984")
    assert said.by == "number"
    assert said.ways[0] == "N AY1 N T IY1 N EY1 T IY0 F AO1 R"
    assert "W AH1 N N AY1 N EY1 T F AO1 R" in said.ways
    text = "I paid $1,000.50, or 50 %, on the 21st: 25 cats at 5:30."
    assert [each.shown for each in tokens(text)] == [
        "I", "paid", "$1,000.50", "or", "50 %", "on", "the", "21st", "25", "cats", "at",
        "5", "30"]  # fmt: skip
    assert latin_share(tokens(text)) == 1
    assert all(lexicon.saying(each.key) for each in tokens(text))


def test_letters_beside_digits_and_accents(lexicon):
    assert lexicon.saying("mp3").ways == ("EH1 M P IY1 TH R IY1",)
    assert lexicon.saying("covid-19").ways[0].endswith("N AY1 N T IY1 N")
    assert lexicon.saying("na\u00efve").ways == lexicon.saying("naive").ways
    assert lexicon.saying("zzyxqv") is None
