"""Manifests and every kind of source."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
import yaml
from samples import as_bytes, faces, picture, records_file

from semanticface.data.images import Pictures
from semanticface.data.manifest import manifest_of, read_manifest
from semanticface.data.sources import Tally, records
from semanticface.errors import BadInput
from semanticface.rig import CHANNELS, INDEX, NAMES


def manifest(folder, *sources):
    path = folder / "data.yaml"
    path.write_text(yaml.safe_dump({"sources": list(sources)}))
    return read_manifest(path)


@pytest.fixture
def portraits(tmp_path):
    """Two people, a picture each with JSON beside it; one picture without numbers."""
    for name, values in zip(("anna", "bert"), faces(2), strict=True):
        folder = tmp_path / "portraits" / name
        folder.mkdir(parents=True)
        picture().save(folder / "1.png")
        numbers = {c.label: float(v) for c, v in zip(CHANNELS, values, strict=True)}
        (folder / "1.json").write_text(json.dumps(numbers))
    picture().save(tmp_path / "portraits" / "anna" / "2.jpg")
    return tmp_path


def test_a_folder_of_pictures_with_numbers_beside(portraits):
    tally = Tally()
    told = list(records(manifest(portraits, {
        "kind": "folder", "path": "portraits", "subject_from": "folder", "consent": "given",
        "licence": "CC-BY-4.0",
    }), tally))  # fmt: skip
    assert [each.subject for each in told] == ["anna", "bert"]
    assert [each.id for each in told] == ["portraits/anna/1", "portraits/bert/1"]
    assert np.allclose(told[1].values, faces(2)[1])
    assert {each.consent for each in told} == {"given"}
    assert Pictures().decode(told[0].image).size == (32, 24)
    assert tally.records == {"portraits": 2}
    assert tally.passed_over == {"portraits: pictures without a .json": 1}


def test_a_sidecar_may_say_more_than_the_manifest(portraits):
    beside = portraits / "portraits" / "anna" / "1.json"
    beside.write_text(json.dumps({"targets": {"jawOpen": 0.5}, "consent": "refused"}))
    told = next(records(manifest(portraits, {
        "kind": "folder", "path": "portraits", "subject": "x", "consent": "given",
    })))  # fmt: skip
    assert (told.consent, told.subject) == ("refused", "x")


def test_a_table_for_a_folder_and_csv_sidecars(portraits):
    place = portraits / "portraits"
    (place / "labels.csv").write_text(
        "image,subject,JawOpen,TongueOut\nanna/1.png,anna,0.5,\nbert/1.png,bert,0.25,0\n"
    )
    told = list(records(manifest(portraits, {
        "kind": "folder", "path": "portraits", "table": "labels.csv",
    })))  # fmt: skip
    assert [each.values[INDEX["jawOpen"]] for each in told] == [0.5, 0.25]
    assert np.isnan(told[0].values[INDEX["tongueOut"]])
    assert told[1].values[INDEX["tongueOut"]] == 0
    (place / "anna" / "1.csv").write_text("JawOpen\n0.75\n")
    (one,) = records(manifest(portraits, {
        "kind": "folder", "path": "portraits", "numbers": "csv", "subject_from": "stem",
    }))  # fmt: skip
    assert (one.values[INDEX["jawOpen"]], one.subject) == (0.75, "1")
    (place / "labels.csv").write_bytes(b"image,JawOpen\n\xff\xfe,1\n")
    with pytest.raises(BadInput, match="CSV in UTF-8"):
        list(records(manifest(portraits, {
            "kind": "folder", "path": "portraits", "table": "labels.csv", "subject": "a",
        })))  # fmt: skip
    (place / "labels.csv").write_text("image,JawOpen\nanna/1.png,wide\n")
    with pytest.raises(BadInput, match="row 2, column JawOpen: found 'wide'"):
        list(records(manifest(portraits, {
            "kind": "folder", "path": "portraits", "table": "labels.csv", "subject": "a",
        })))  # fmt: skip


def test_json_lines_under_other_names(tmp_path):
    path = tmp_path / "theirs.jsonl"
    rows = [{"file": f"{i}.png", "person": "p", "blendshapes": {"jawOpen": i / 10}}
            for i in range(3)]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = list(records(manifest(tmp_path, {
        "kind": "jsonl", "path": "theirs.jsonl", "name": "theirs",
        "keys": {"image": "file", "subject": "person", "targets": "blendshapes"},
    })))  # fmt: skip
    assert [each.id for each in told] == ["theirs/1", "theirs/2", "theirs/3"]
    assert told[2].image.path == str(tmp_path / "2.png")
    assert told[2].values[INDEX["jawOpen"]] == np.float32(0.2)


def test_a_wrong_row_of_a_source_is_told_with_its_place(tmp_path):
    path = records_file(tmp_path, 2)
    path.write_text(path.read_text() + '{"id": "x"}\n')
    with pytest.raises(BadInput, match=r"records.jsonl, row 3, column image: found no 'image'"):
        list(records(manifest_of(path)))


def test_parquet_with_pictures_inside(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    values = faces(5)
    values[2, 7] = np.nan
    image = [{"bytes": as_bytes(picture(seed=i)), "path": f"{i}.png"} for i in range(5)]
    table = pa.table({
        "image": image, "who": [f"s{i}" for i in range(5)],
        "numbers": [[None if np.isnan(v) else float(v) for v in row] for row in values],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "faces.parquet")
    source = {"kind": "parquet", "path": "faces.parquet",
              "keys": {"subject": "who", "targets": "numbers"}}  # fmt: skip
    told = list(records(manifest(tmp_path, source)))
    assert np.array_equal([each.values for each in told], values, equal_nan=True)
    assert np.array_equal(np.asarray(Pictures().decode(told[3].image)), np.asarray(picture(seed=3)))
    columns = {name: values[:, i].tolist() for i, name in enumerate(NAMES)}
    pq.write_table(pa.table({"image": ["a.png"] * 5, **columns}), tmp_path / "wide.parquet")
    (tmp_path / "many").mkdir()
    (tmp_path / "wide.parquet").rename(tmp_path / "many" / "1.parquet")
    wide = list(records(manifest(tmp_path, {
        "kind": "parquet", "path": "many", "subject": "a",
    })))  # fmt: skip
    assert np.array_equal([each.values for each in wide], values, equal_nan=True)
    assert wide[0].image.path == str(tmp_path / "many" / "a.png")
    (tmp_path / "no.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(BadInput, match="no Parquet"):
        list(records(manifest_of(tmp_path / "no.parquet")))


def test_a_synthetic_set_and_its_sides(made):
    told = list(records(manifest_of(made)))
    assert len(told) == 24
    (made.parent / "data.yaml").write_text(
        yaml.safe_dump({"sources": [{"kind": "synthetic", "path": "faces", "side": "test"}]})
    )
    test = list(records(read_manifest(made.parent / "data.yaml")))
    assert test == [each for each in told if each.split == "test"] != []
    assert {each.consent for each in told} == {"synthetic"}


@pytest.mark.parametrize(("source", "says"), [
    ({"kind": "film", "path": "a"}, "'folder', 'take'"),
    ({"kind": "jsonl"}, "a jsonl without 'path'"),
    ({"kind": "jsonl", "path": "a", "pth": 1}, "Did you mean 'path'"),
    ({"kind": "take", "path": "a"}, "a take without 'mirrored'"),
    ({"kind": "take", "path": "a", "mirrored": "no"}, "boolean"),
    ({"kind": "folder", "path": "a"}, "subject or subject_from"),
    ({"kind": "synthetic", "path": "a", "subject": "b"}, "say subject"),
    ({"kind": "folder", "path": "a", "subject": "b", "images": "/etc/*"}, "pattern"),
    ({"kind": "folder", "path": "a", "subject": "b", "images": "[z-a]*.png"}, "ranges that rise"),
    ({"kind": "folder", "path": "a", "subject": "b", "images": "."}, "one of files"),
    ({"kind": "jsonl", "path": "a", "consent": "sure"}, "'given'"),
    ("jsonl", "dictionary"),
])  # fmt: skip
def test_a_manifest_that_does_not_fit(tmp_path, source, says):
    with pytest.raises(BadInput, match=says) as caught:
        manifest(tmp_path, {"kind": "jsonl", "path": "fine.jsonl"}, source)
    assert caught.value.row == 2


@pytest.mark.parametrize("text", ["", "sources: []", "- a", "sources: {", "source: []", "a: !!x b"])
def test_what_is_no_manifest(tmp_path, text):
    (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(BadInput, match=r"m\.yaml"):
        read_manifest(tmp_path / "m.yaml")
    with pytest.raises(BadInput, match="a folder that semanticface synth made"):
        manifest_of(tmp_path)


@pytest.mark.parametrize("text", [
    "sources:\n- kind: jsonl\n  consent: given\n  path: a\n  consent: refused\n",
    "sources:\n- {kind: jsonl,\n   path: a,\n   keys: {id: a},\n   keys: {id: b}}\n",
    "sources:\n- kind: jsonl\n  path: a\n\nsources: []\n",
])  # fmt: skip
def test_a_key_that_stands_twice_is_refused(tmp_path, text):
    (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(BadInput, match=r"m\.yaml, row 5: found the key '\w+' twice"):
        read_manifest(tmp_path / "m.yaml")


@pytest.mark.parametrize(("text", "says"), [
    ("image,JawOpen,JawOpen\nanna/1.png,0.1,0.2\n", "row 1, column JawOpen: .* twice"),
    ("image,JawOpen,jawOpen\nanna/1.png,0.1,0.2\n", "row 2, .*'JawOpen' and 'jawOpen'"),
    ("image,JawOpen\nanna/1.png,1_0\n", "row 2, column JawOpen: found '1_0'"),
    ("image,JawOpen\nanna/1.png,\uff11\n", "row 2, column JawOpen: found"),
    ("image,JawOpen\nanna/1.png,inf\n", "row 2, column JawOpen: found 'inf'"),
])  # fmt: skip
def test_a_table_that_could_be_misread_is_refused(portraits, text, says):
    (portraits / "portraits" / "labels.csv").write_text(text, encoding="utf-8")
    source = {"kind": "folder", "path": "portraits", "table": "labels.csv", "subject": "a"}
    with pytest.raises(BadInput, match=rf"labels\.csv, {says}"):
        list(records(manifest(portraits, source)))


def test_nameless_columns_are_nobodys_and_signs_and_powers_are_numbers(portraits):
    text = "image,JawOpen,HeadYaw,TongueOut,,\nanna/1.png, .5 ,-2.5e-1,nan,,\n"
    (portraits / "portraits" / "labels.csv").write_text(text)
    source = {"kind": "folder", "path": "portraits", "table": "labels.csv", "subject": "a"}
    (one,) = records(manifest(portraits, source))
    assert one.values[[INDEX["jawOpen"], INDEX["headYaw"]]].tolist() == [0.5, -0.25]
    assert np.isnan(one.values[INDEX["tongueOut"]])


def test_a_picture_in_no_folder_of_a_subject_is_refused(portraits):
    place = portraits / "portraits"
    (place / "1.json").write_text((place / "anna" / "1.json").read_text())
    picture().save(place / "1.png")
    (place / "labels.csv").write_text("image,JawOpen\n1.png,0.1\n")
    for more in ({}, {"table": "labels.csv"}):
        source = {"kind": "folder", "path": "portraits", "subject_from": "folder", **more}
        with pytest.raises(BadInput, match=r"portraits/1\.png: .*subject: NAME"):
            list(records(manifest(portraits, source)))


def test_pictures_of_other_kinds_are_counted(portraits):
    (portraits / "portraits" / "anna" / "3.GIF").write_bytes(b"GIF89a")
    tally = Tally()
    source = {"kind": "folder", "path": "portraits", "subject_from": "folder"}
    assert len(list(records(manifest(portraits, source), tally))) == 2
    assert tally.passed_over["portraits: .gif pictures, which are not read"] == 1


@pytest.mark.parametrize("kind", ["folder", "take", "jsonl", "parquet", "synthetic"])
def test_a_source_that_is_not_there(tmp_path, kind):
    more = {"folder": {"subject": "a"}, "take": {"mirrored": False}}.get(kind, {})
    with pytest.raises(BadInput, match=r"nowhere|no such"):
        list(records(manifest(tmp_path, {"kind": kind, "path": "nowhere", **more})))


def test_a_parquet_file_that_is_broken_further_down_is_named(tmp_path):
    table = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    path, rows = tmp_path / "t.parquet", 3000
    held = {"image": ["a.png"] * rows, "subject": [f"{i} {'a' * 40}" for i in range(rows)],
            "targets": [[0.1] * 61] * rows}  # fmt: skip
    write_table(table.table(held), path, use_dictionary=False, compression="snappy")
    spoilt = bytearray(path.read_bytes())
    spoilt[2000:4000] = bytes(each ^ 0x5A for each in spoilt[2000:4000])
    path.write_bytes(spoilt)
    with pytest.raises(BadInput, match=r"t\.parquet: found a broken Parquet file"):
        list(records(manifest_of(path)))


def _peak(path, count: int) -> int:
    tracemalloc.start()
    try:
        assert sum(1 for _ in records(manifest_of(path))) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_ten_times_the_rows_take_no_more_memory(tmp_path):
    row = {"image": {"path": "a.png"}, "targets": [0.123] * 61, "subject": "a"}
    short, long = tmp_path / "short.jsonl", tmp_path / "long.jsonl"
    for path, count in ((short, 300), (long, 3000)):
        with path.open("w") as stream:
            for i in range(count):
                stream.write(json.dumps({**row, "id": str(i)}) + "\n")
    _peak(short, 300)  # what is loaded once
    assert _peak(long, 3000) < _peak(short, 300) + 60_000
