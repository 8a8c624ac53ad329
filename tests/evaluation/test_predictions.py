"""A prediction is used again only if it is the one that would be made now."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.evaluation.fingerprints import clip_sha256
from semanticface.evaluation.items import Item, Prediction
from semanticface.evaluation.predictions import cached, load
from semanticface.language.parsed import ParseReport
from semanticface.rig import COUNT, FaceClip


def clip(seed: int = 0) -> FaceClip:
    rng = np.random.default_rng(seed)
    values = rng.random((6, COUNT)).astype(np.float32)
    values[2] = np.nan
    values[:, 9] = np.nan
    made = FaceClip.of(values, rng.random(6).cumsum())
    return made.with_meta(subject="ann", conventions=("mirrored",), notes={"a": [1, None]})


class Counting:
    """A source that counts how often it was really asked; two identities."""

    name, kind = "our model/β", "file"
    unanswered = 0

    def __init__(self) -> None:
        self.asked = 0

    def fingerprint(self, item: Item) -> str:
        return clip_sha256(item.truth)

    def predict(self, item, progress=None, *, work=None):
        self.asked += 1
        report = ParseReport("tolerant", missing=("jawOpen",), notes=("text around",))
        notes = {"identity": 0, "unanswered": self.unanswered}
        return [
            Prediction(item.truth, (report, ParseReport("strict")), ("eins", "zwei\n"), notes),
            Prediction(clip(7), notes={"identity": 1}),
        ]


@pytest.fixture
def source():
    return Counting()


ITEM = Item("../../etc/take 1", "ann", clip())


def files(folder: Path, suffix: str) -> list[Path]:
    return sorted(folder.rglob(f"*{suffix}"))


def test_what_comes_back_is_what_was_made(source, tmp_path):
    made = cached(source, ITEM, tmp_path)
    again = cached(source, ITEM, tmp_path)
    assert source.asked == 1
    assert [each.cached for each in made] == [False, False]
    assert [each.cached for each in again] == [True, True]
    for one, other in zip(made, again, strict=True):
        assert other.clip == one.clip
        assert other._replace(cached=False, clip=one.clip) == one


def test_files_stay_in_the_folder(source, tmp_path):
    cached(source, ITEM, tmp_path / "kept")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 3
    assert {path.parent.parent for path in written} == {tmp_path / "kept"}
    assert all(source.fingerprint(ITEM)[:16] in path.name for path in written)


def test_other_input_is_predicted_anew_and_both_are_kept(source, tmp_path):
    other = ITEM._replace(truth=clip(1))
    cached(source, ITEM, tmp_path)
    (found, _) = cached(source, other, tmp_path)
    assert source.asked == 2 and found.clip == clip(1)
    assert cached(source, ITEM, tmp_path)[0].clip == clip()
    assert source.asked == 2


def test_refresh_asks_whatever_is_there(source, tmp_path):
    cached(source, ITEM, tmp_path)
    (found, _) = cached(source, ITEM, tmp_path, refresh=True)
    assert source.asked == 2 and not found.cached
    assert found.notes["predicted anew"] == "asked to predict anew"
    assert cached(source, ITEM, tmp_path)[0].cached


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def swap(path: Path) -> None:
    """A sound clip, but another one."""
    from semanticface.rig import save_npz

    save_npz(clip(3), path)


@pytest.mark.parametrize("damage", [cut, flip, swap, Path.unlink])
def test_a_changed_clip_is_predicted_anew_and_it_says_so(source, tmp_path, damage):
    cached(source, ITEM, tmp_path)
    damage(files(tmp_path, "-1.npz")[0])
    found = cached(source, ITEM, tmp_path)
    assert source.asked == 2 and found[1].clip == clip(7)
    assert "-1.npz" in found[0].notes["predicted anew"]
    assert cached(source, ITEM, tmp_path)[0].cached  # and is whole again


def edited(path: Path) -> None:
    path.write_text(path.read_text().replace("eins", "drei"))


@pytest.mark.parametrize("damage", [cut, edited, lambda path: path.write_text("[]")])
def test_a_changed_sidecar_is_predicted_anew_and_it_says_so(source, tmp_path, damage):
    cached(source, ITEM, tmp_path)
    damage(files(tmp_path, ".json")[0])
    found = cached(source, ITEM, tmp_path)
    assert source.asked == 2 and found[0].texts[0] == "eins"
    assert ".json" in found[0].notes["predicted anew"]


def test_half_a_fingerprint_is_not_enough(source, tmp_path):
    cached(source, ITEM, tmp_path)
    (path,) = files(tmp_path, ".json")
    with pytest.raises(BadInput, match="other input"):
        load(path, source.fingerprint(ITEM)[:16] + "0" * 48)


def test_unanswered_frames_are_tried_again(source, tmp_path):
    source.unanswered = 2
    cached(source, ITEM, tmp_path)
    source.unanswered = 0
    found = cached(source, ITEM, tmp_path)
    assert source.asked == 2
    assert "2 frames unanswered" in found[0].notes["predicted anew"]
    assert cached(source, ITEM, tmp_path)[0].cached and source.asked == 2


def test_a_failure_leaves_nothing_that_could_be_used(source, tmp_path):
    def fails(item, progress=None, *, work=None):
        raise BadInput("nothing")

    source.predict = fails
    with pytest.raises(BadInput):
        cached(source, ITEM, tmp_path)
    assert files(tmp_path, ".json") == []


def test_the_sidecar_is_json_anybody_can_read(source, tmp_path):
    cached(source, ITEM, tmp_path)
    held = json.loads(files(tmp_path, ".json")[0].read_text(encoding="utf-8"))
    assert held["fingerprint"] == source.fingerprint(ITEM)
    first = held["predictions"][0]
    assert first["reports"][0]["missing"] == ["jawOpen"] and first["texts"][1] == "zwei\n"
