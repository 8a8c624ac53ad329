"""Whatever stands in a file or an option, the fault names it and is none of Python's own."""

import json

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.formats import json_lines, jsonl_clip, lam_json, mediapipe, pace, take_metadata
from semanticface.rig import (
    COUNT,
    RIG_VERSION,
    FaceClip,
    load_npz,
    load_parquet,
    save_npz,
    save_parquet,
)

CLIP = FaceClip.of(np.full((3, COUNT), 0.5), rate=30)


@pytest.mark.parametrize("number", ["9" * 5_000, "NaN", "9" * 400])
def test_numbers_without_end_in_take_json(tmp_path, number):
    path = tmp_path / "take.json"
    path.write_text(f'{{"take": {number}}}')
    with pytest.raises(BadInput, match=r"take\.json"):
        take_metadata.read_info(path)
    path.write_text(f'{{"FrameRate": {number}}}')
    with pytest.raises(BadInput, match=r"take\.json"):
        take_metadata.read_video(path)


@pytest.mark.parametrize("value", ["1e999", "-1E+0400", "9" * 310 + ".0", r'"\ud800"'])
def test_what_cannot_be_written_again_is_not_read(tmp_path, value):
    head = {"semanticface": "clip/1", "rig": RIG_VERSION, "names": ["jawOpen"], "extra": ["n"]}
    path = tmp_path / "a.jsonl"
    frame = f'{{"time": 0.0, "values": [0.5], "extra": [{value}]}}'
    path.write_text(f"{json.dumps(head)}\n{frame}\n")
    with pytest.raises(BadInput, match=r"a\.jsonl, row 2"):
        jsonl_clip.read(path)


def test_large_numbers_and_whole_pairs_are_read():
    assert json_lines.parse(r'[1e300, 1e-999, "\ud83d\ude00"]') == [1e300, 0.0, "😀"]


@pytest.mark.parametrize(("save", "load"), [(save_npz, load_npz), (save_parquet, load_parquet)])
def test_a_broken_byte_anywhere_names_the_file(tmp_path, save, load):
    path = tmp_path / "clip"
    save(CLIP, path)
    whole = path.read_bytes()
    spots = np.random.default_rng(3).integers(0, len(whole), 300)
    for at in [*spots.tolist(), *range(len(whole) - 60, len(whole))]:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            load(path)
        except BadInput as fault:
            assert "clip" in str(fault)


@pytest.mark.parametrize("read", [lam_json.read, mediapipe.read])
@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_of_nothing_is_refused(tmp_path, read, rate):
    with pytest.raises(BadInput, match="the rate"):
        read(tmp_path / "a.json", rate=rate)


def test_a_face_before_the_first_is_refused(tmp_path):
    with pytest.raises(BadInput, match="face -1"):
        mediapipe.read(tmp_path / "a.json", face=-1)


@pytest.mark.parametrize(("host", "port"), [("::1", 70_000), ("127.0.0.1", -1), ("a\0b", 9)])
def test_an_address_that_is_none_is_refused(host, port):
    with pytest.raises(BadInput):
        pace.FrameReceiver(None, host, port)
    with pytest.raises(BadInput):
        pace.send_frames([0.0], lambda i: [b""], host, port)
