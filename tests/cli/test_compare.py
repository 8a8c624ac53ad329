"""`semanticface compare`, run as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from semanticface.cli.compare import compare
from semanticface.errors import BadInput
from semanticface.formats import write
from semanticface.motion.sequences import sample_clip
from semanticface.rig import FaceClip

app = typer.Typer()
app.command()(compare)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    """Three takes in `ref`, a slightly and a very noisy copy of each in `near` and `far`."""
    place = tmp_path_factory.mktemp("takes")
    for name in ("ref", "near", "far"):
        (place / name).mkdir()
    for k in range(3):
        clip = sample_clip(5, seed=k)
        write(clip, place / "ref" / f"t{k}.npz")
        write(noisy(clip, 0.01), place / "near" / f"t{k}.npz")
        write(noisy(clip, 0.10), place / "far" / f"t{k}.npz")
    return place


def noisy(clip: FaceClip, noise: float) -> FaceClip:
    rng = np.random.default_rng(1)
    values = np.clip(clip.values + rng.normal(0, noise, clip.values.shape), -1, 1)
    return clip.with_values(values.astype(np.float32))


def run(tmp_path: Path, *arguments: object, code: int = 0) -> str:
    told = [str(each) for each in arguments]
    told += ["--out", str(tmp_path / "out"), "--resamples", "100"]
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, told, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def headline(tmp_path: Path) -> dict:
    held = json.loads((tmp_path / "out" / "result.json").read_text())
    return {each["name"]: each for each in held["sources"]}


def test_folders_against_a_folder(folders, tmp_path):
    said = run(tmp_path, folders / "near", folders / "far", "--against", folders / "ref")
    assert "near is better than far" in said
    found = headline(tmp_path)
    assert found["near"]["headline"]["mae"]["value"] < found["far"]["headline"]["mae"]["value"]
    assert {p["take"] for p in found["near"]["pairings"] if p["scored"]} == {"t0", "t1", "t2"}
    assert (tmp_path / "out" / "index.html").stat().st_size > 50_000
    assert said.count("noted jitter near") == 1, "findings of one kind are told once a source"


def test_the_first_clip_is_the_reference_of_the_others(folders, tmp_path):
    said = run(tmp_path, folders / "ref/t1.npz", folders / "near/t1.npz", folders / "far/t1.npz",
               "--no-page")  # fmt: skip
    assert {"near/t1", "far/t1"} < set(headline(tmp_path))
    assert "shows nothing about others" in said
    assert not (tmp_path / "out" / "index.html").exists()


def test_a_margin_tests_equivalence(folders, tmp_path):
    said = run(tmp_path, folders / "near", folders / "far", "--against", folders / "ref",
               "--margin", "0.2", "--no-page")  # fmt: skip
    assert "equivalent" in said


def test_another_person_is_refused_until_the_switch_says_so(folders, tmp_path):
    pair = (folders / "ref/t0.npz", folders / "near/t1.npz", "--no-page")
    said = run(tmp_path, *pair, code=2)
    assert "--any-subject" in said
    assert "nothing could be compared" in said
    assert "overridden" in run(tmp_path, *pair, "--any-subject")


def test_takes_that_a_folder_lacks_are_named_and_the_rest_is_scored(folders, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    write(sample_clip(5, seed=0), few / "t0.npz")
    said = run(tmp_path, few, "--against", folders / "ref", "--no-page")
    assert "no prediction" in said
    assert "t1" in said
    assert [p["scored"] for p in headline(tmp_path)["few"]["pairings"]] == [True, False, False]


def test_two_files_for_one_take_are_not_guessed_between(folders, tmp_path):
    both = tmp_path / "both"
    both.mkdir()
    write(sample_clip(5, seed=0), both / "t0.npz")
    write(sample_clip(5, seed=0), both / "t0.csv")
    said = run(tmp_path, both, "--against", folders / "ref", "--no-page", code=2)
    assert "t0.csv and t0.npz" in said


@pytest.mark.parametrize("name", ["a {take}.npz", "[1] *.npz", "ä ö.npz", "{}.npz", "-x.npz"])
def test_odd_names_are_names(folders, tmp_path, name):
    odd = tmp_path / name
    write(sample_clip(5, seed=0), odd)
    run(tmp_path, folders / "ref/t0.npz", odd, "--no-page")
    run(tmp_path, folders / "near/t0.npz", "--against", odd, "--no-page")
    folder = tmp_path / f"folder {{take}} {name}"
    folder.mkdir()
    write(sample_clip(5, seed=0), folder / "t0.npz")
    run(tmp_path, folder, "--against", folders / "ref/t0.npz", "--no-page")


def test_what_makes_no_sense_is_said(folders, tmp_path):
    for arguments, says in (
        ([folders / "ref/t0.npz"], "one clip"),
        ([folders / "ref/t0.npz", tmp_path / "none.npz"], "no such file"),
        ([folders / "near", "--against", tmp_path], "no clip"),
        ([folders / "near/t0.npz", folders / "far/t0.npz", "--by", "frame"], "take"),
    ):
        with pytest.raises(BadInput, match=says):
            run(tmp_path, *arguments)
