"""The face is found in the picture and cut as the small model's training cut it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from semanticface.errors import BadInput
from semanticface.train import face_crop
from semanticface.train.blazeface import Square, faces
from semanticface.train.face_crop import Sought, crop_of, part

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from face_finder_build.far_faces import far_faces, values_of

FACES, SIZE, SEED = 8, 200, 11


@pytest.fixture(scope="module")
def far():
    """People of the test side, one and a half to three times as far as the model wants them."""
    return list(far_faces("test", FACES, SIZE, SEED, 1.5, 3.0))


@pytest.fixture(scope="module")
def cuts(far):
    return [Sought().cut(each.picture) for each in far]


def test_a_face_is_cut_as_training_cut_it(far, cuts):
    off = [np.subtract(cut.told["box"], each.true) / each.true.side
           for cut, each in zip(cuts, far, strict=True)]  # fmt: skip
    assert np.abs(off).mean() < 0.04 and np.abs(off).max() < 0.15
    for cut in cuts:
        assert cut.told["by"] == "blazeface" and cut.told["score"] > 0.8
        assert cut.picture.size == (cut.told["box"][2],) * 2


def test_the_small_model_reads_what_was_cut_and_not_the_whole(far, cuts):
    pytest.importorskip("torch", reason="comes with the train extra")
    pytest.importorskip("transformers", reason="comes with the train extra")
    from semanticface.train.places import small_run
    from semanticface.train.predictor import opened

    predictor, true = opened(small_run()), values_of("test", FACES, SIZE, SEED)
    off = {name: np.abs([face.values for face in predictor.faces(shown)] - true)[:, :52].mean()
           for name, shown in (("cut", [cut.picture for cut in cuts]),
                               ("whole", [each.picture for each in far]))}  # fmt: skip
    assert off["cut"] < 0.6 * off["whole"]


def test_of_two_faces_the_larger_one_counts(far):
    near, away = sorted(far, key=lambda each: -each.true.side)[:: FACES - 1]
    both = Image.new("RGB", (2 * SIZE, SIZE))
    both.paste(away.picture, (0, 0))
    both.paste(near.picture, (SIZE, 0))
    left, _, side = Sought().cut(both).told["box"]
    assert left > 0.8 * SIZE and abs(side / near.true.side - 1) < 0.15
    assert len(faces(both)) == 2


def test_a_small_face_is_found_piece_by_piece(far):
    wall = Image.new("RGB", (900, 700), (120, 140, 110))
    wall.paste(far[0].picture.resize((160, 160)), (640, 60))
    true = np.array(far[0].true) * 160 / SIZE + (640, 60, 0)
    found = Sought().cut(wall).told["box"]
    assert np.abs(found - true).max() < 0.2 * true[2]


def test_no_face_is_said():
    noise = np.random.default_rng(0).integers(0, 256, (150, 200, 3), dtype=np.uint8)
    with pytest.raises(BadInput, match=r"no face in the picture.*--crop none"):
        Sought().cut(Image.fromarray(noise))
    with pytest.raises(BadInput, match="no face"):
        Sought().cut(Image.new("RGB", (40, 300), "white"))


def test_a_picture_that_is_cut_stays_as_it_is():
    near = next(far_faces("test", 1, 112, SEED, 1.0, 1.0)).picture
    cut = Sought().cut(near)
    assert cut.told["box"] == "all" and cut.picture is near


def test_beyond_the_edge_is_the_edge_again():
    picture = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(2, 2, 3))
    shown = np.asarray(part(picture, Square(-1, -1, 4)))
    np.testing.assert_array_equal(shown, np.asarray(picture)[[0, 0, 1, 1]][:, [0, 0, 1, 1]])
    assert part(picture, Square(1, 0, 1)).size == (1, 1)


@pytest.mark.parametrize("text", ["", "faces", "1,2", "1,2,0", "1,2,nan", "a,b,c", "1,2,3,4"])
def test_what_is_no_crop_is_said(text):
    with pytest.raises(BadInput, match="face, none, or left,top,side"):
        crop_of(text)


def test_a_square_that_is_given_is_taken():
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8))
    cut = crop_of("10,5,30").cut(picture)
    assert cut.told == {"box": [10, 5, 30], "by": "given"}
    np.testing.assert_array_equal(np.asarray(cut.picture), np.asarray(picture)[5:35, 10:40])
    for outside in ("60,0,10", "0,40,9", "-20,0,20", "0,0,181"):
        with pytest.raises(BadInput, match="within the picture's 60 x 40"):
            crop_of(outside).cut(picture)
    assert crop_of("none").cut(picture).picture is picture


def test_another_look_only_sharpens(far):
    """The second look at a face is of the same face."""
    for each in far:
        first = face_crop.square_of(max(faces(each.picture), key=lambda face: face.area))
        again = face_crop.square_of(face_crop.face_in(each.picture))
        assert np.abs(np.subtract(first, again)).max() < 0.15 * each.true.side


def test_predict_tells_what_it_cut_and_keeps_answers_apart(far, tmp_path):
    pytest.importorskip("torch", reason="comes with the train extra")
    pytest.importorskip("transformers", reason="comes with the train extra")
    from semanticface.cli.main import app

    far[0].picture.save(tmp_path / "anna.png")
    Image.new("RGB", (90, 90), "white").save(tmp_path / "wall.png")
    out = tmp_path / "out"

    def asked(*words):
        done = CliRunner().invoke(
            app, ["predict", str(tmp_path / "anna.png"), *words, "-o", str(out)]
        )
        return done, next(iter(json.loads((out / "faces.json").read_text()).values()), None)

    done, face = asked(str(tmp_path / "wall.png"))
    assert done.exit_code == 1 and face["meta"]["crop"]["by"] == "blazeface"
    assert "no face in the picture" in (out / "failed.json").read_text()
    done, whole = asked("--crop", "none")
    assert done.exit_code == 0 and "crop" not in whole["meta"] and whole["arkit"] != face["arkit"]
    done, again = asked()
    assert "0 of them new" in done.stderr.replace("\n", " ") and again == face
