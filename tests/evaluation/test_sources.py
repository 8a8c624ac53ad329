"""Specs from YAML, files of every kind, and names that stay where they belong."""

from __future__ import annotations

import json
import string
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.evaluation.items import Item
from semanticface.evaluation.places import filled, safe_name
from semanticface.evaluation.sources import FileSource, FileSpec, source_of, spec_of
from semanticface.formats import read, write
from semanticface.formats.keyframe_jsonl import read_answers as read_keyframes
from semanticface.formats.semanticface_jsonl import read_answers
from semanticface.rig import COUNT, FaceClip

SUITE = """
- {kind: file, name: ours, path: "run/{take}.csv", options: {exchange_mouth: false}}
- {kind: mediapipe, name: tracker, environment: .tracker, on: renders, every: 5, identities: [0, 3]}
- kind: endpoint
  name: model
  url: http://127.0.0.1:8000/v1/
  model: face
  api_key_env: FACE_KEY
  structured: true
- {kind: degraded, name: late, lag: 0.08, dead: [cheekPuff], muted: 0.7}
"""


def clip(frames: int = 5) -> FaceClip:
    rng = np.random.default_rng(2)
    return FaceClip.of(np.round(rng.random((frames, COUNT)) / 2, 3), 7 + np.arange(frames) / 30)


def test_a_suite_gives_a_source_each():
    sources = [source_of(spec_of(raw)) for raw in yaml.safe_load(SUITE)]
    told = [(each.name, each.kind) for each in sources]
    assert told == [("ours", "file"), ("tracker", "mediapipe"), ("model", "endpoint"),
                    ("late", "degraded")]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"kind": "file", "name": "x", "path": "p", "speed": 2}, "speed"),
        ({"kind": "oracle", "name": "x"}, "oracle"),
        ({"name": "x", "path": "p"}, "kind"),
        ({"kind": "degraded", "name": "", "lag": 1}, "name"),
        ({"kind": "degraded", "name": "x", "missing": 2}, "missing"),
        ("file", "at file|source"),
    ],
)
def test_what_does_not_fit_is_named(raw, named):
    with pytest.raises(BadInput, match=named):
        spec_of(raw)


def test_a_file_for_each_take(tmp_path):
    for take, change in (("a", 0.0), ("b", 0.25)):
        write(clip().with_values(clip().values + change), tmp_path / f"ann-{take}.npz")
    source = FileSource(FileSpec(name="x", path=str(tmp_path / "{subject}-{take}.npz")))
    (found,) = source.predict(Item("b", "ann", None))
    np.testing.assert_array_equal(found.clip.values, clip().values + np.float32(0.25))
    assert found.reports == () and found.notes["path"].endswith("ann-b.npz")
    with pytest.raises(BadInput, match="take 'c'"):
        source.predict(Item("c", "ann", None))
    with pytest.raises(BadInput, match="without a subject"):
        source.predict(Item("a", None, None))


def test_options_go_to_the_reader(tmp_path, shared):
    path = str(shared / "livelink" / "{take}.csv")
    plain = FileSource(FileSpec(name="x", path=path))
    kept = FileSource(FileSpec(name="x", path=path, options={"exchange_mouth": False}))
    item = Item("apfel", None, None)
    one, other = plain.predict(item)[0].clip, kept.predict(item)[0].clip
    np.testing.assert_array_equal(one.column("mouthLeft"), other.column("mouthRight"))
    assert plain.fingerprint(item) != kept.fingerprint(item)
    wrong = FileSource(FileSpec(name="x", path=path, options={"speed": 2}))
    with pytest.raises(BadInput, match="'speed'"):
        wrong.predict(item)


def test_a_file_of_released_answers_brings_its_reports(shared):
    path = shared / "released_answers" / "semanticface_example_result.jsonl"
    (found,) = FileSource(FileSpec(name="x", path=str(path))).predict(Item("t", None, None))
    answers = read_answers(path)
    assert len(found.clip) == len(found.reports) == len(found.texts) == len(answers)
    assert found.texts == tuple(each.text for each in answers)
    assert sum(found.notes["outcomes"].values()) == len(answers)
    for row, answer in zip(found.clip.values, answers, strict=True):
        assert np.isnan(row).all() == (answer.parsed.report.outcome == "failed")


def test_keyframes_bring_a_report_each(shared):
    path = shared / "released_answers" / "keyframeface_example_result.jsonl"
    (found,) = FileSource(FileSpec(name="x", path=str(path))).predict(Item("t", None, None))
    assert len(found.clip) == len(found.reports) == len(read_keyframes(path))


def test_an_unreadable_answer_keeps_its_place(tmp_path):
    good = json.dumps({"response": json.dumps({"JawOpen": 0.5})})
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([good, json.dumps({"response": "I cannot see a face."}), good]))
    source = FileSource(FileSpec(name="x", path=str(path), options={"rate": 10}))
    (found,) = source.predict(Item("t", None, None))
    assert [report.outcome for report in found.reports] == ["tolerant", "failed", "tolerant"]
    assert np.isnan(found.clip.values[1]).all()
    np.testing.assert_allclose(found.clip.times, [0, 0.1, 0.2])
    assert found.texts[1] == "I cannot see a face."


def test_the_fingerprint_is_of_the_bytes_not_of_the_place(tmp_path):
    write(clip(), tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes((tmp_path / "a.npz").read_bytes())
    item = Item("t", None, None)
    one = FileSource(FileSpec(name="x", path=str(tmp_path / "a.npz")))
    other = FileSource(FileSpec(name="y", path=str(tmp_path / "b.npz")))
    assert one.fingerprint(item) == other.fingerprint(item)
    write(clip(6), tmp_path / "b.npz")
    assert one.fingerprint(item) != other.fingerprint(item)


def test_a_take_folder_is_one_input(tmp_path):
    folder = tmp_path / "20250101_slate_1"
    write(clip(40), f"{folder}/", "take", fill=0.0)
    source = FileSource(FileSpec(name="x", path=str(folder)))
    before = source.fingerprint(Item("t", None, None))
    (found,) = source.predict(Item("t", None, None))
    assert found.clip.same_motion(read(folder))
    (folder / "movie.mov").write_bytes(b"frames")  # holds no coefficients
    assert source.fingerprint(Item("t", None, None)) == before
    (table,) = folder.glob("*_Face.csv")
    table.write_text(table.read_text().replace("\n", " \n", 1))
    assert source.fingerprint(Item("t", None, None)) != before


@pytest.mark.parametrize("take", ["../secret", "..", ".", "a/b", "a\\b", "c:x", "a\0b", "a\nb"])
def test_a_take_cannot_lead_out_of_its_folder(take):
    with pytest.raises(BadInput):
        filled("run/{take}/x.csv", Item(take, None, None))


def test_a_pattern_knows_two_names():
    assert filled("{subject}/{take}.csv", Item("t{0}", "ann", None)) == "ann/t{0}.csv"
    with pytest.raises(BadInput, match=r"Did you mean 'take'"):
        filled("{takes}.csv", Item("t", None, None))


@given(st.text(max_size=90))
def test_a_safe_name_stays_where_it_is(text):
    name = safe_name(text)
    assert 0 < len(name.encode()) <= 80 and Path(name).name == name
    assert set(name) <= set(string.ascii_letters + string.digits + "._-~")
    assert not name.startswith((".", "-")) and not name.endswith(".")


@given(st.text(max_size=70), st.text(max_size=70))
def test_two_texts_never_share_a_name(one, other):
    assert (safe_name(one) == safe_name(other)) == (one == other)


@pytest.mark.parametrize("text", ["con", "AUX.txt", "..", "", "a/b", "é", "a" * 61])
def test_an_unsafe_text_is_marked(text):
    assert "~" in safe_name(text)


def test_a_harmless_text_is_itself():
    assert safe_name("S07-001") == "S07-001"
