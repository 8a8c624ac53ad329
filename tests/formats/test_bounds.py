"""Small files that ask for much memory or time are refused with their place."""

import json
import time
import tracemalloc

import pytest

from semanticface.errors import BadInput
from semanticface.formats import (
    audio2face,
    gltf_file,
    json_lines,
    jsonl_clip,
    livelink_csv,
    take_metadata,
    textgrid,
)
from semanticface.formats.bounds import MAX_CELL, MAX_TEXT, check_texts
from semanticface.formats.frames import clip_of
from semanticface.rig import RIG_VERSION, ClipMeta

LONG = "x" * (MAX_CELL + 1)


def refused(read, path, text, *told):
    path.write_text(text)
    with pytest.raises(BadInput) as fault:
        read(path)
    for part in (path.name, *told):
        assert part in str(fault.value)


def own(extra, cell):
    head = {"semanticface": "clip/1", "rig": RIG_VERSION, "names": ["jawOpen"], "extra": extra}
    frame = {"time": 0.0, "values": [0.5], "extra": cell}
    return json.dumps(head) + "\n" + json.dumps(frame) + "\n"


def test_a_long_cell_is_refused_in_every_table(tmp_path):
    rows = f"Timecode,BlendShapeCount,JawOpen,Note\n00:00:00:00.000,2,0.5,{LONG}\n"
    refused(livelink_csv.read, tmp_path / "a.csv", rows, "row 2", "column Note")
    rows = f"timeCode,blendShapes.JawOpen,note\n0.0,0.5,{LONG}\n"
    refused(audio2face.read, tmp_path / "b.csv", rows, "row 2", "column note")
    refused(jsonl_clip.read, tmp_path / "c.jsonl", own(["note"], [LONG]), "row 2", "column note")
    rows = f"V,1,1,60,{LONG}\n"
    refused(take_metadata.read_frame_log, tmp_path / "d.csv", rows, "row 1", "column Timecode")


def test_columns_that_are_much_only_together_are_refused():
    cells = ["x" * MAX_CELL] + [""] * (MAX_TEXT // MAX_CELL - 1)
    check_texts({"a": cells}, range(len(cells)))
    with pytest.raises(BadInput, match="column b"):
        check_texts({"a": cells, "b": cells}, range(len(cells)))


def test_names_invented_in_each_frame_are_refused():
    frames = [{f"name{i}_{j}": 0.0 for j in range(20)} for i in range(40)]
    with pytest.raises(BadInput, match=r"row 26.*520 columns"):
        clip_of(frames, range(40), ClipMeta())
    with pytest.raises(BadInput, match="1,025 characters"):
        clip_of([{LONG: 0.0}], [0.0], ClipMeta())


def test_too_many_names_or_columns_are_refused(tmp_path):
    many = [f"n{i}" for i in range(513)]
    refused(jsonl_clip.read, tmp_path / "a.jsonl", own(many, [0] * 513), "row 1", "513 names")
    refused(audio2face.read, tmp_path / "a.csv", ",".join(["timeCode", *many]), "514 columns")


def test_an_integer_no_array_holds_is_refused(tmp_path):
    refused(jsonl_clip.read, tmp_path / "a.jsonl", own(["n"], [10**30]), "row 2", "64 bits")


def test_doubled_quotes_take_no_memory_of_their_own(tmp_path):
    path = tmp_path / "a.TextGrid"
    path.write_text('"ooTextFile"\n"TextGrid"\n0 1 <exists> 1 "' + '""' * 500_000 + '"')
    tracemalloc.start()
    try:
        with pytest.raises(BadInput):
            textgrid.read_tiers(path, max_bytes=2**20)
        assert tracemalloc.get_traced_memory()[1] < 12 * path.stat().st_size
    finally:
        tracemalloc.stop()


def quick(work):
    begin = time.perf_counter()
    try:
        work()
    finally:
        assert time.perf_counter() - begin < 2


def test_open_brackets_and_many_names_take_time_in_proportion(tmp_path):
    path = tmp_path / "a.TextGrid"
    path.write_text('"ooTextFile"\n"TextGrid"\n' + "<" * 100_000)
    with pytest.raises(BadInput):
        quick(lambda: textgrid.read_tiers(path))
    names = [f"n{i}" for i in range(60_000)]
    quick(lambda: json_lines.names(names, most=60_000))


def test_gltf_looks_through_its_lists_once(tmp_path):
    root = {"accessors": [{} for _ in range(2_000)], "buffers": []}
    file = gltf_file.GltfFile(tmp_path / "a.gltf", root, None, 1)
    assert file.items("accessors") is file.items("accessors")
    quick(lambda: [file.items("accessors") for _ in range(20_000)])
