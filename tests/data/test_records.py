"""Records: what a row may say, and what is said of one that is wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
from faces import frames
from hypothesis import given
from samples import as_bytes, picture, record, records_file, smile

from semanticface.data.records import (
    Words,
    for_training,
    read_records,
    record_of,
    write_records,
)
from semanticface.errors import BadInput
from semanticface.language.describe import describe
from semanticface.rig import INDEX, NAMES

ROW = {"id": "1", "image": {"path": "a.png"}, "targets": [0.0] * 61, "subject": "anna"}


def test_targets_by_name_in_any_spelling_and_absent_ones_missing():
    told = record_of({**ROW, "targets": {"JawOpen": 0.5, "mouthSmile_L": 0.25, "tongueOut": None}})
    assert told.values[INDEX["jawOpen"]] == 0.5
    assert told.values[INDEX["mouthSmileLeft"]] == 0.25
    assert int(np.isnan(told.values).sum()) == 59


@given(frames())
def test_numbers_come_back_to_the_bit(tmp_path_factory, values):
    values[::7] = np.nan
    path = tmp_path_factory.mktemp("r") / "records.jsonl"
    write_records(path, [record(values, image="a.png")])
    (back,) = read_records(path)
    assert np.array_equal(back.values, values, equal_nan=True)


def test_a_file_keeps_everything_and_moves_with_its_pictures(tmp_path):
    (tmp_path / "one").mkdir()
    path = records_file(tmp_path / "one", 3, licence="CC0-1.0", take="t", frame=4, time=0.5)
    first = json.loads(path.read_text().splitlines()[0])
    assert first["image"] == {"path": "pictures/0.png"}
    (tmp_path / "one").rename(tmp_path / "two")
    told = list(read_records(tmp_path / "two" / "records.jsonl"))
    assert [each.image.path for each in told] == [
        str(tmp_path / "two" / "pictures" / f"{i}.png") for i in range(3)
    ]
    assert (told[1].licence, told[1].take, told[1].frame, told[1].time) == ("CC0-1.0", "t", 4, 0.5)


def test_words_are_kept_with_their_author(tmp_path):
    words = Words.of(describe(smile()), by="some-model")
    write_records(tmp_path / "r.jsonl", [record(smile(), image="a.png", words=words)])
    (back,) = read_records(tmp_path / "r.jsonl")
    assert back.words == words
    assert back.words.description == describe(smile())


@pytest.mark.parametrize(("change", "column", "says"), [
    ({"targets": [0.0] * 60}, "targets", "60 targets"),
    ({"targets": ["0.5"] + [0.0] * 60}, "targets", "expected a number"),
    ({"targets": [True] + [0.0] * 60}, "targets", "expected a number"),
    ({"targets": {"jawOpne": 1.0}}, "targets", "Did you mean 'jawOpen'"),
    ({"subject": ""}, "subject", "at least 1 character"),
    ({"consent": "yes"}, "consent", "'given'"),
    ({"subjct": "anna"}, "subjct", "Did you mean 'subject'"),
    ({"image": {}}, "image", "exactly one of path, shard, movie, data"),
    ({"image": {"path": "a", "movie": "b", "time": 1.0}}, "image", "exactly one"),
    ({"image": {"shard": "a.tar", "offset": 5}}, "image", "'size' belongs to a shard"),
    ({"image": {"path": "a.png", "time": 1.0}}, "image", "'time' belongs to a movie"),
    ({"image": {"shard": "a", "offset": -1, "size": 4}}, "image.offset", "greater than or equal"),
    ({"frame": "3"}, "frame", "integer"),
])  # fmt: skip
def test_a_wrong_row_is_told_with_its_place(tmp_path, change, column, says):
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(ROW) + "\n" + json.dumps({**ROW, **change}) + "\n")
    rows = read_records(path)
    assert next(rows).subject == "anna"
    with pytest.raises(BadInput, match=says) as caught:
        next(rows)
    assert (caught.value.row, caught.value.column, caught.value.file) == (2, column, str(path))


def test_a_row_without_a_picture_says_so():
    with pytest.raises(BadInput, match="no 'image'"):
        record_of({key: value for key, value in ROW.items() if key != "image"}, row=7)


def test_not_a_number_and_bytes_never_reach_a_file(tmp_path):
    (tmp_path / "r.jsonl").write_text(json.dumps({**ROW, "targets": [float("nan")] * 61}) + "\n")
    with pytest.raises(BadInput, match="NaN"):
        list(read_records(tmp_path / "r.jsonl"))
    with pytest.raises(BadInput, match="held as bytes"):
        write_records(tmp_path / "w.jsonl", [record(image=as_bytes(picture()))])
    assert not (tmp_path / "w.jsonl").exists()


def test_no_training_without_consent():
    given_one, unknown, refused = (
        record(consent=consent, id=consent) for consent in ("given", "unknown", "refused")
    )
    assert list(for_training([given_one])) == [given_one]
    with pytest.raises(BadInput, match="record unknown, subject anna") as caught:
        list(for_training([given_one, unknown]))
    assert caught.value.row == 2
    assert list(for_training([given_one, unknown], without_consent=True)) == [given_one, unknown]
    with pytest.raises(BadInput, match="refused"):
        list(for_training([refused], without_consent=True))
    assert record_of(ROW).consent == "unknown"


def test_table_order_is_the_rigs():
    told = record_of({**ROW, "targets": list(np.arange(61) / 100)})
    assert told.targets[NAMES.index("jawOpen")] == told.values[INDEX["jawOpen"]].round(2)
