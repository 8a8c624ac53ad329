"""The tracker's process: pictures in, scores out, and what happens when it fails.

Most of these run the shipped worker and the whole of our side of the pipe, with a
stand-in for the `mediapipe` package: its "scores" are functions of the pixels, so that
rows, order and times can be checked exactly. Whether MediaPipe itself reads faces is
checked where it is installed: SEMANTICFACE_TRACKER, or .tracker beside this checkout.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semanticface.errors import BadInput
from semanticface.evaluation.items import Item, Prediction
from semanticface.evaluation.specs import TrackerSpec
from semanticface.evaluation.tracker import Tracker, TrackerSource, blocks
from semanticface.rig import INDEX, NAMES, ORDERS, FaceClip
from semanticface.rig.clip import mirror
from tests.evaluation.test_images import movie, truth

REPOSITORY = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("SEMANTICFACE_TRACKER", REPOSITORY / ".tracker"))

STAND_IN = '''
"""Stands in for MediaPipe: jawOpen is the mean red, _neutral the first pixel's green."""
import os, sys, time
from types import SimpleNamespace as Some

NAMES = {names!r}
print("a library that talks on standard output")
count = 0

class Landmarker:
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def detect(self, picture):
        global count
        count += 1
        mode = os.environ.get("STAND_IN", "")
        if mode == "dies" and count > 20:
            print("the graph is broken", file=sys.stderr)
            sys.exit(7)
        if mode == "hangs" and count > 20:
            time.sleep(60)
        if picture[0, 0, 2] == 255:  # blue: no face
            return Some(face_blendshapes=[])
        scores = dict.fromkeys(NAMES, 0.0)
        scores["jawOpen"] = float(picture[..., 0].mean()) / 255
        scores["_neutral"] = float(picture[0, 0, 1]) / 255
        scores["eyeBlinkLeft"] = picture.shape[0] / 100
        return Some(face_blendshapes=[[Some(category_name=n, score=s) for n, s in scores.items()]])

vision = Some(FaceLandmarkerOptions=lambda **_: None, RunningMode=Some(IMAGE=0),
              FaceLandmarker=Some(create_from_options=lambda _: Landmarker()))
tasks = Some(vision=vision, BaseOptions=lambda model_asset_path: open(model_asset_path).close())
ImageFormat = Some(SRGB=0)
Image = lambda form, data: data
'''


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A folder as install_tracker.sh makes it, with the stand-in in MediaPipe's place."""
    folder = tmp_path_factory.mktemp("tracker")
    packages = folder / "lib" / "python3.11" / "site-packages"
    (packages / "mediapipe-0.0.1.dist-info").mkdir(parents=True)
    (packages / "mediapipe.py").write_text(STAND_IN.format(names=ORDERS["mediapipe"].labels))
    (folder / "bin").mkdir()
    python = folder / "bin" / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={packages} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (folder / "face_landmarker.task").write_bytes(b"a model")
    return folder


def pictures(count: int, size: int = 8) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 254, (size, size, 3), np.uint8) for _ in range(count)]


def item_of(tmp_path: Path, made: list[np.ndarray], **more: object) -> Item:
    (tmp_path / "stills").mkdir()
    for number, picture in enumerate(made):
        Image.fromarray(picture).save(tmp_path / "stills" / f"f{number}.png")
    return Item("t", "ann", truth(len(made)), **more)


def predict(environment: Path, tmp_path: Path, item: Item, **options: object) -> Prediction:
    spec = TrackerSpec(name="mp", environment=environment, on="frames",
                       frames=str(tmp_path / "stills"), **options)  # fmt: skip
    (found,) = TrackerSource(spec).predict(item)
    return found


def red(made: list[np.ndarray]) -> np.ndarray:
    return np.array([picture[..., 0].mean() / 255 for picture in made], np.float32)


def test_every_picture_gets_its_own_scores_at_its_own_time(environment, tmp_path):
    made = pictures(37)
    found = predict(environment, tmp_path, item_of(tmp_path, made))
    np.testing.assert_allclose(found.clip.column("jawOpen"), red(made), atol=1e-6)
    green = [picture[0, 0, 1] / 255 for picture in made]
    np.testing.assert_allclose(found.clip.extra["_neutral"], green, atol=1e-6)
    np.testing.assert_array_equal(found.clip.times, truth(37).times)
    assert found.clip.absent == ("tongueOut", *NAMES[52:])
    assert found.clip.meta.clock == "timecode" and found.clip.meta.subject == "ann"
    assert found.notes["pictures shown"] == found.notes["faces found"] == 37
    assert found.notes["tracker"] == "mediapipe-0.0.1"


def test_pictures_without_a_face_are_missing(environment, tmp_path):
    made = pictures(40)
    lost = [*range(18), 30]  # a whole block before the first face, and one later
    for number in lost:
        made[number][0, 0, 2] = 255
    found = predict(environment, tmp_path, item_of(tmp_path, made))
    assert np.flatnonzero(~found.clip.tracked).tolist() == lost
    seen = np.setdiff1d(np.arange(40), lost)
    np.testing.assert_allclose(found.clip.column("jawOpen")[seen], red(made)[seen], atol=1e-6)
    assert found.notes["faces found"] == 21


def test_no_face_at_all(environment, tmp_path):
    made = pictures(3)
    for picture in made:
        picture[0, 0, 2] = 255
    found = predict(environment, tmp_path, item_of(tmp_path, made))
    assert len(found.clip) == 3 and not found.clip.tracked.any()
    assert "jawOpen" in found.clip.names  # it has such a channel, it found no face


def test_pictures_of_several_sizes(environment, tmp_path):
    made = [*pictures(3, 8), *pictures(2, 12), *pictures(1, 8)]
    found = predict(environment, tmp_path, item_of(tmp_path, made))
    sizes = [picture.shape[0] / 100 for picture in made]
    np.testing.assert_allclose(found.clip.column("eyeBlinkLeft"), sizes, atol=1e-6)
    np.testing.assert_allclose(found.clip.column("jawOpen"), red(made), atol=1e-6)


def test_a_mirrored_movie_is_mirrored_back(environment, tmp_path):
    made = pictures(3)
    straight = predict(environment, tmp_path, item_of(tmp_path, made))
    item = Item("t", "ann", truth(3), mirrored_movie=True)
    found = predict(environment, tmp_path, item)
    np.testing.assert_array_equal(found.clip.values, mirror(straight.clip.values))
    assert found.clip.meta.conventions == ("mirrored",)


def test_progress_and_identities(environment):
    told: list[tuple[int, int]] = []
    spec = TrackerSpec(name="mp", environment=environment, identities=(0, 2), size=32)
    found = TrackerSource(spec).predict(
        Item("t", None, truth(18)), lambda done, total: told.append((done, total))
    )
    assert [each.notes["identity"] for each in found] == [0, 2]
    assert told == [(16, 36), (18, 36), (34, 36), (36, 36)]
    assert not np.array_equal(found[0].clip.values, found[1].clip.values)


def test_a_movie_is_followed(environment, tmp_path):
    made = pictures(6, 32)
    item = Item("t", None, truth(6), movie=movie(tmp_path / "m.mp4", made))
    spec = TrackerSpec(name="mp", environment=environment, on="movie", every=2)
    (found,) = TrackerSource(spec).predict(item)
    np.testing.assert_allclose(found.clip.column("jawOpen"), red(made)[::2], atol=1e-6)
    np.testing.assert_allclose(np.diff(found.clip.times), [0.08, 0.16])


def test_a_tracker_that_dies_says_why(environment, tmp_path, monkeypatch):
    monkeypatch.setenv("STAND_IN", "dies")
    item = item_of(tmp_path, pictures(60))
    with pytest.raises(BadInput, match="ended with code 7") as caught:
        predict(environment, tmp_path, item)
    assert "the graph is broken" in str(caught.value)


def test_a_tracker_that_is_stuck_is_ended(environment, tmp_path, monkeypatch):
    monkeypatch.setenv("STAND_IN", "hangs")
    item = item_of(tmp_path, pictures(60))
    with pytest.raises(BadInput, match=r"no answer of the tracker in 2 s.*'patience'"):
        predict(environment, tmp_path, item, patience=2)


def test_no_process_is_left_behind(environment):
    with pytest.raises(RuntimeError), Tracker(environment) as tracker:
        process = tracker._process
        raise RuntimeError
    assert process.poll() is not None


def test_no_tracker_names_the_script(tmp_path):
    source = TrackerSource(TrackerSpec(name="mp", environment=tmp_path))
    with pytest.raises(BadInput, match=r"install_tracker\.sh"):
        source.fingerprint(Item("t", None, truth()))
    with pytest.raises(BadInput, match=r"install_tracker\.sh"):
        source.predict(Item("t", None, truth()))


def test_the_fingerprint_moves_with_what_matters(environment):
    item = Item("t", None, truth())
    spec = TrackerSpec(name="mp", environment=environment)
    base = TrackerSource(spec).fingerprint(item)
    changed = [{"every": 2}, {"identities": (1,)}, {"look": "clay"}, {"view": "left"}, {"size": 64}]
    moved = {TrackerSource(spec.model_copy(update=each)).fingerprint(item) for each in changed}
    assert len(moved) == 5 and base not in moved
    assert TrackerSource(spec.model_copy(update={"name": "b"})).fingerprint(item) == base
    model = environment / "face_landmarker.task"
    model.write_bytes(b"another model")
    assert TrackerSource(spec).fingerprint(item) != base
    model.write_bytes(b"a model")


def test_blocks_are_bounded_in_pictures_and_bytes():
    small = [np.zeros((4, 4, 3), np.uint8)] * 40
    assert [len(block) for block in blocks(small)] == [16, 16, 8]
    large = [np.zeros((1080, 1920, 3), np.uint8)] * 5
    assert [len(block) for block in blocks(large)] == [2, 2, 1]
    assert list(blocks([])) == []
    with pytest.raises(BadInput, match="float64"):
        list(blocks([np.zeros((4, 4, 3))]))


@pytest.mark.slow
@pytest.mark.skipif(
    not (REAL / "face_landmarker.task").exists(),
    reason="no MediaPipe: scripts/install_tracker.sh makes .tracker, or set SEMANTICFACE_TRACKER",
)
def test_mediapipe_reads_an_opening_jaw_and_a_wink():
    values = np.zeros((9, 61), np.float32)
    values[:5, INDEX["jawOpen"]] = np.linspace(0, 0.9, 5)
    values[5:, INDEX["eyeBlinkLeft"]] = np.linspace(0, 1, 4)
    clip = FaceClip.of(values, 5 + np.arange(9) / 30)
    (found,) = TrackerSource(TrackerSpec(name="mp", environment=REAL)).predict(
        Item("t", None, clip)
    )
    assert found.clip.tracked.all()
    np.testing.assert_array_equal(found.clip.times, clip.times)
    jaw = found.clip.column("jawOpen")
    assert (np.diff(jaw[:5]) > 0).all() and jaw[4] > 0.3
    left, right = found.clip.column("eyeBlinkLeft")[8], found.clip.column("eyeBlinkRight")[8]
    assert left > right + 0.2  # the subject's own left
