"""Rows depend on record and view alone: not on when, where or by whom they are drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("datasets", reason="comes with the train extra")

from samples import picture, record
from training import face_data

from semanticface.data.records import write_records
from semanticface.errors import BadInput
from semanticface.rig import mirror
from semanticface.train.manifest import other_versions, refuse_change
from semanticface.train.options import DataOptions, ProbeOptions
from semanticface.train.rows import contents, rows, sides, view_of

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def held(data, tmp_path_factory):
    return sides(DataOptions(), data, tmp_path_factory.mktemp("rows"), 2)


def test_sides_share_nobody(held):
    assert len(held.train) == 12 and len(held.probe) == 2
    assert not {r.subject for r in held.train} & {r.subject for r in held.probe}


def test_every_second_view_is_the_mirror(held):
    options = DataOptions(mirror=True, views=2)
    for each in held.train:
        first, second = (view_of(each, n, options).record for n in (0, 1))
        assert first == each
        np.testing.assert_array_equal(second.values, mirror(each.values))
        assert second.image.flip != each.image.flip


def test_a_row_is_the_same_whenever_it_is_drawn(held):
    options = DataOptions(mirror=True, augment=True, views=2, also="describe/two-key")
    made, again = rows(held.train, options), rows(held.train, options)
    assert len(made) == 12 * 2 * 2
    assert made[30] == again[30]
    assert made[3]["augment"] != made[27]["augment"]
    assert {made[i]["task"] for i in (0, 12, 24, 36)} == {0, 1}


def test_the_same_faces_elsewhere_have_the_same_hash(held, tmp_path):
    other = face_data(tmp_path / "elsewhere")
    moved = sides(DataOptions(), other, tmp_path / "rows", 2)
    assert moved.train.digest() == held.train.digest()
    fewer = sides(DataOptions(max_records=11), other, tmp_path / "fewer", 2)
    assert fewer.train.digest() != held.train.digest()


def test_other_pictures_under_the_same_names_have_another_hash(tmp_path):
    data = face_data(tmp_path / "faces")
    held = sides(DataOptions(), data, tmp_path / "rows", 2)
    before = held.train.digest()
    picture = Path(held.train[0].image.path)
    picture.write_bytes(picture.read_bytes() + b"\0")
    assert held.train.digest() != before


def test_an_edited_picture_of_the_same_name_and_size_is_seen(tmp_path):
    """Its name and size are the same; in the middle of a large file nothing is looked at."""
    data = face_data(tmp_path / "faces")
    held = sides(DataOptions(), data, tmp_path / "rows", 2)
    edited, large = (Path(held.train[n].image.path) for n in (0, 1))
    large.write_bytes(large.read_bytes() + bytes(300_000))
    before = contents(*held[:2]), held.train.digest()
    for path, at, seen in ((edited, 500, True), (large, -1, True), (large, 150_000, False)):
        whole = path.read_bytes()
        spoilt = bytearray(whole)
        spoilt[at] ^= 1
        path.write_bytes(spoilt)
        assert (contents(*held[:2]) != before[0]) is seen
        assert held.train.digest() == before[1]
        path.write_bytes(whole)
    assert contents(*held[:2]) == before[0]


def test_the_resume_guard_sees_other_contents_and_knows_earlier_manifests():
    config = {"rank": 16, "answer": "codes"}
    now = {"config": config, "data": {"sha256": "a", "contents": "b"}, "training": {}, "task": {},
           "also": [], "prompt": {}, "base": {}, "rig": "r", "processes": 1,
           "version": "2", "versions": {"torch": "2"}}  # fmt: skip
    refuse_change(now, now, Path("manifest.json"))
    with pytest.raises(BadInput, match=r'data\.contents "b" where it was "c"'):
        refuse_change({**now, "data": {"sha256": "a", "contents": "c"}}, now, Path("m"))
    before = {**now, "config": {"answer": "codes", "channels": "mouth-31"},
              "data": {"sha256": "a"}, "version": "1", "versions": {"torch": "1"}}  # fmt: skip
    refuse_change(before, now, Path("m"))
    with pytest.raises(BadInput, match=r"config\.rank 8 where it was 16"):
        refuse_change(before, {**now, "config": {**config, "rank": 8}}, Path("m"))
    assert other_versions(now, now) == []
    assert other_versions(before, now) == [
        'versions.semanticface "2" where it was "1"', 'versions.torch "2" where it was "1"'
    ]  # fmt: skip


def test_one_id_of_two_records_is_refused(tmp_path):
    made = [
        record(id=name, image=str(tmp_path / f"{n}.png"), subject=f"s{n}", split=side)
        for n, (name, side) in enumerate((("a", "train"), ("b", "train"), ("a", "val")))
    ]
    write_records(tmp_path / "faces.jsonl", made)
    with pytest.raises(BadInput, match=r"faces\.jsonl: found the id 'a' of 2 records"):
        sides(DataOptions(), tmp_path / "faces.jsonl", tmp_path / "rows", 2)


def test_one_person_spelt_twice_does_not_stand_on_two_sides(tmp_path):
    made = [record(id=side, image=str(tmp_path / "a.png"), subject=name, split=side)
            for side, name in (("train", "Anna B"), ("val", "anna  b"))]  # fmt: skip
    write_records(tmp_path / "faces.jsonl", made)
    with pytest.raises(BadInput, match="subject 'Anna B' both trained on and held out"):
        sides(DataOptions(), tmp_path / "faces.jsonl", tmp_path / "rows", 2)


def test_pictures_without_numbers_are_told(tmp_path, caplog):
    for name in ("a", "b", "c"):
        picture().save(tmp_path / f"{name}.png")
    for name, side in (("a", "train"), ("b", "val")):
        held = {"targets": [0.1] * 61, "subject": name, "split": side, "consent": "given"}
        (tmp_path / f"{name}.json").write_text(json.dumps(held))
    told = "sources: [{kind: folder, path: ., name: mine, subject_from: stem}]"
    (tmp_path / "data.yaml").write_text(told)
    sides(DataOptions(), tmp_path / "data.yaml", tmp_path / "rows", 2)
    assert caplog.messages == ["mine: pictures without a .json: 1 passed over"]


def test_faces_without_anybody_held_out_are_refused(tmp_path):
    with pytest.raises(BadInput, match="no record held out"):
        sides(DataOptions(), face_data(tmp_path / "all", val=0), tmp_path / "rows", 2)


def test_views_of_faces_that_do_not_vary_are_refused():
    with pytest.raises(BadInput, match="not varied"):
        DataOptions(views=2)


@pytest.mark.parametrize(("told", "fault"), [
    ({"best_by": "maee"}, "Did you mean 'mae'"), ({"patience": -1}, "a negative number"),
    ({"probe_rows": 0}, "a probe of nothing"),
], ids=str)  # fmt: skip
def test_probes_that_cannot_be_are_refused(told, fault):
    with pytest.raises(BadInput, match=fault):
        ProbeOptions(**told)
