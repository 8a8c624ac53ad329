"""`semanticface render`, run as a user runs it."""

from __future__ import annotations

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from semanticface.cli.render import render
from semanticface.errors import BadInput
from semanticface.motion.rehearsal import perform
from semanticface.rig import save_npz

app = typer.Typer()
app.command()(render)


@pytest.fixture(scope="module")
def take(tmp_path_factory):
    path = tmp_path_factory.mktemp("take") / "take.npz"
    save_npz(perform()[:45], path)
    return path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_picture(take, tmp_path):
    out = tmp_path / "face.png"
    run(take, "-o", out, "--size", "160x120", "--look", "clay", "--at", "0.5", "--identity", "3")
    picture = np.asarray(Image.open(out))
    assert picture.shape == (120, 160, 3)
    run(take, "-o", tmp_path / "peak.png", "--size", 96, "--view", "three-quarter", "--fast")
    assert (tmp_path / "peak.png").exists()


@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_a_film(take, tmp_path, suffix):
    av = pytest.importorskip("av")
    out = tmp_path / f"face.{suffix}"
    run(take, "-o", out, "--size", 64, "--fps", 10, "--crop", "lower", "--fast")
    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 15


def test_a_glb(take, tmp_path):
    pytest.importorskip("pygltflib")
    run(take, "-o", tmp_path / "face.glb", "--identity", 1)
    assert (tmp_path / "face.glb").read_bytes()[:4] == b"glTF"


@pytest.mark.parametrize(("arguments", "says"), [
    (["-o", "face.gif"], "suffix"),
    (["-o", "face.png", "--audio", "voice.wav"], "without sound"),
    (["-o", "face.mp4", "--audio", "voice.wav"], "no such file"),
    (["-o", "face.mp4", "--at", "1"], "--at"),
    (["-o", "nowhere/face.png"], "folder"),
    (["-o", "face.png", "--size", "big"], "--size"),
    (["-o", "face.png", "--at", "77"], "length"),
    (["-o", "face.png", "--view", "above"], "view"),
    (["-o", "face.png", "--rig", "absent.glb"], "folder of OBJ"),
    (["-o", "face.mp4", "--size", "65"], "even"),
])  # fmt: skip
def test_faults_are_named(take, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=says):
        run(take, *arguments)
    assert list(tmp_path.iterdir()) == []
