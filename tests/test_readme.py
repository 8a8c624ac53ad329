"""The README's own commands and code, run as they stand."""

from __future__ import annotations

import re
import shlex
import sys
from functools import cache

import pytest
from conftest import REPOSITORY
from PIL import Image

from semanticface import formats
from semanticface.cli import main as cli
from semanticface.formats import livelink_csv
from semanticface.motion.filters import savgol
from semanticface.motion.rehearsal import perform
from semanticface.render.picture import Renderer
from semanticface.render.video import write_video
from semanticface.rig import concatenate
from semanticface.speech.voices import Voice, say

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = (line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines())
    return [line for line in lines if line.startswith("semanticface ")]


@cache
def heads():
    """Whole heads: `predict` looks for the face in each."""
    renderer = Renderer(size=128)
    return [renderer.render(values) for values in perform(seed=3).values[:30:10]]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    clip = concatenate([perform(seed=i) for i in range(2)], pause=1 / 30)
    livelink_csv.write(clip, tmp_path / "take.csv")
    livelink_csv.write(perform(seed=2), tmp_path / "rom.csv")
    for name in ("smooth.csv", "live.csv"):
        livelink_csv.write(savgol(clip), tmp_path / name)
    formats.write(perform(), tmp_path / "mediapipe.json", "mediapipe")
    say("Bob put the pumpkin in the van.", Voice("flite:slt"), tmp_path / "voice.wav")
    Image.fromarray(heads()[0]).save(tmp_path / "face.png")
    write_video(tmp_path / "film.mp4", heads(), 10)
    monkeypatch.chdir(tmp_path)


def test_it_begins_with_the_two_commands():
    first = blocks("sh")[0]
    assert first.index("make demo") < first.index("make test")
    assert len(commands()) >= 9


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", commands())
def test_every_command_works(command, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    code = 0
    try:
        cli.main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    told = capsys.readouterr()

    assert code == 0, told.err + told.out


@pytest.mark.usefixtures("folder")
def test_the_code_works():
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block, names)
    assert names["parsed"].report.outcome == "tolerant"
    assert not names["parsed"].report.missing


def test_every_picture_it_shows_is_there():
    for place in re.findall(r"\]\(([^)#]+)\)", README):
        assert (REPOSITORY / place).exists(), place
