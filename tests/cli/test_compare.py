"""`semanticface compare`, run as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from scipy.io import wavfile
from typer.testing import CliRunner

from semanticface.cli.compare import compare
from semanticface.errors import BadInput
from semanticface.formats import write
from semanticface.motion.sequences import sample_clip
from semanticface.rig import INDEX, FaceClip
from semanticface.speech.alignments import write_alignment
from semanticface.speech.phones import phone
from semanticface.speech.rules import animate
from semanticface.speech.timeline import Sound, Timeline

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


def test_a_mouth_is_judged_by_what_is_said(tmp_path):
    rng = np.random.default_rng(0)
    for folder in ("truth", "mute", "loud", "said"):
        (tmp_path / folder).mkdir()
    for k, words in enumerate((("P", "AA"), ("AA", "M", "IY"), ("B", "OW", "F", "AA"))):
        sounds = tuple(Sound(each, 0.5 + 0.2 * i, 0.7 + 0.2 * i) for i, each in enumerate(words))
        said = Timeline(sounds, seconds=2.0)
        write_alignment(said, tmp_path / "said" / f"t{k}.TextGrid")
        voice = 0.1 * rng.standard_normal(32_000) * np.linspace(1, 0, 32_000)
        wavfile.write(tmp_path / "said" / f"t{k}.wav", 16_000, voice.astype(np.float32))
        clip = animate(said)
        late = FaceClip(clip.values, clip.times + 1000, clip.present, clip.meta)  # a timecode
        write(late, tmp_path / "truth" / f"t{k}.npz")
        write(late, tmp_path / "loud" / f"t{k}.npz")
        values = np.where(np.isnan(clip.values), np.nan, 0).astype(np.float32)
        values[:, INDEX["jawOpen"]] = 0.5 + 0.1 * np.sin(9 * clip.times)
        write(late.with_values(values), tmp_path / "mute" / f"t{k}.npz")
    said = tmp_path / "said"
    printed = run(tmp_path, tmp_path / "loud", tmp_path / "mute", "--against", tmp_path / "truth",
                  "--alignment", said, "--audio", said)  # fmt: skip
    assert "closure_rate" in printed and "jaw_energy" in printed
    found = headline(tmp_path)
    loud, mute = (found[name]["headline"] for name in ("loud", "mute"))
    assert loud["closure_rate"]["value"] == 1 and mute["closure_rate"]["value"] == 0
    assert loud["closure_rate"]["n"] == 3 and loud["closure_rate"]["clusters"] == 3
    assert loud["teeth_rate"]["value"] == 1 and mute["teeth_rate"]["value"] == 0
    assert loud["silence_motion"]["value"] < mute["silence_motion"]["value"]
    assert {"rounding_rate", "jaw_energy", "mouth_mae"} <= set(loud)
    assert mute["mouth_mae"]["value"] > 0.02 and loud["mouth_mae"]["low"] is not None
    assert loud["viseme_accuracy"]["n"] == 10  # OW is two
    assert loud["viseme_accuracy"]["value"] > 0.8 > 0.4 > mute["viseme_accuracy"]["value"]
    zero, mean = (found[name]["headline"] for name in ("all zero", "mean of other takes"))
    assert 0 < mean["mouth_mae"]["value"] < mute["mouth_mae"]["value"]
    assert zero["teeth_rate"]["value"] == 0
    assert zero["closure_rate"]["value"] == 1  # a face at rest has its lips together
    assert zero["mae_silence"]["low"] is not None and "jaw_energy" not in zero
    assert loud["mae_lips_together"]["value"] == 0 < mute["mae_lips_together"]["value"]
    assert mute["mae_lip_on_teeth"]["n"] < mute["mae_silence"]["n"]  # f once, and much silence
    assert mute["mae_silence"]["low"] is not None and mute["mae_rounded"]["clusters"] == 3
    held = json.loads((tmp_path / "out" / "result.json").read_text())
    assert held["reference"]["closure_rate"]["value"] == 1
    assert held["reference"]["viseme_accuracy"]["value"] == loud["viseme_accuracy"]["value"]
    page = (tmp_path / "out" / "index.html").read_text()
    assert "closure_rate" in page and "Mouth MAE by class of sound" in page
    told = found["loud"]["visemes"]
    counts, own = np.array(told["counts"]), loud["viseme_accuracy"]["value"]
    assert counts.sum() == 10
    assert np.trace(counts) / 10 == pytest.approx(own)
    assert "What sounds look like" in page
    lips = told["names"].index(phone("P").viseme)
    assert counts[lips].sum() == counts[lips, lips] == 3
    assert "3 of 3 lips came out nearest to lips" in page


def test_sound_without_an_alignment_and_words_without_phones_are_refused(folders, tmp_path):
    pair = (folders / "ref/t1.npz", folders / "near/t1.npz", "--no-page")
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    with pytest.raises(BadInput, match="--audio alone"):
        run(tmp_path, *pair, "--audio", tmp_path / "a.srt")
    with pytest.raises(BadInput, match="words without phones"):
        run(tmp_path, *pair, "--alignment", tmp_path / "a.srt")
    with pytest.raises(BadInput, match="no such file"):
        run(tmp_path, *pair, "--alignment", tmp_path / "none.TextGrid")


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
