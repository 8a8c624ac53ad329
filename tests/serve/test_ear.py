"""Speech live: from sound to a moving mouth at the receiver, and clear words without a device."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import threading

import numpy as np
import pytest
from typer.testing import CliRunner

from semanticface.cli.main import app
from semanticface.errors import BadInput
from semanticface.formats import read
from semanticface.rig import INDEX
from semanticface.serve.live.ear import AHEAD, HOP, Ear, is_sound, windows
from semanticface.speech.audio import RATE
from semanticface.speech.hear import hear
from semanticface.speech.rules import animate
from semanticface.speech.voices import Voice, say

SAID = "Bob put the pumpkin in the van."


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    if shutil.which("flite") is None:
        pytest.skip("no flite; see `make test`")
    path = tmp_path_factory.mktemp("voice") / "said.wav"
    return path, say(SAID, Voice("flite:slt"), path)


def jaw(clip):
    return clip.column("jawOpen")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux' interface")
@pytest.mark.parametrize("source", ["microphone", "microphone:hw:9"])
def test_without_a_device_it_is_said_so(source):
    assert is_sound(source)
    with pytest.raises(BadInput, match="no microphone") as caught:
        next(windows(source))
    assert "microphone:PIPE" in str(caught.value)
    done = CliRunner().invoke(app, ["stream", "--source", source, "--to", "udp://127.0.0.1:9"])
    assert isinstance(done.exception, BadInput) and "no microphone" in str(done.exception)


def test_what_is_no_sound_is_said(tmp_path):
    bad = tmp_path / "x.wav"
    bad.write_bytes(b"no sound")
    for source, why in ((bad, "cannot be read"), (tmp_path / "none.wav", "no such file")):
        with pytest.raises(BadInput, match=why):
            next(windows(str(source)))
    assert not is_sound("take.mov") and not is_sound("webcam")


def test_a_pipe_is_a_microphone_at_its_own_pace(spoken, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    thread = threading.Thread(target=lambda: pipe.write_bytes(spoken[0].read_bytes()))
    thread.start()
    shown = list(windows(f"microphone:{pipe}"))
    thread.join()
    assert len(shown) == int(spoken[1].seconds / HOP)
    assert [each.time for each in shown] == pytest.approx(
        [HOP * (n + 1) for n in range(len(shown))]
    )
    assert {len(each.picture) for each in shown[25:]} <= {2 * 2 * RATE}


def test_the_ear_hears_lips_and_jaw(spoken):
    """Windows of a sentence, one after the other, move the mouth as the whole does."""
    path, timeline = spoken
    sound = np.frombuffer(path.read_bytes()[44:], np.int16)
    ear, at = Ear(), np.arange(0.4, timeline.seconds, HOP)

    async def heard():
        ends = (at * RATE).astype(int)
        return [await ear.ask(sound[max(0, e - 2 * RATE) : e].tobytes(), e / RATE) for e in ends]

    results = asyncio.run(heard())
    opening = np.array([each.values[INDEX["jawOpen"]] for each in results])
    assert [each.time for each in results] == pytest.approx(at - AHEAD, abs=1e-3)
    assert opening.max() > 0.15
    whole = animate(hear([sound / np.float32(32768)]), rate=60)
    other = np.interp(at - AHEAD, whole.times, jaw(whole))
    assert np.corrcoef(opening, other)[0, 1] > 0.5
    still = asyncio.run(ear.ask(np.zeros(RATE, np.int16).tobytes(), 1.0))
    assert np.nanmax(still.values) < 0.01 and np.isnan(still.values).sum() == 61 - 31


def test_the_command_streams_a_recording(spoken, tmp_path):
    take = tmp_path / "take.csv"
    done = CliRunner().invoke(app, ["stream", "--source", str(spoken[0]), "--to", str(take)])
    assert done.exit_code == 0, done.output
    clip = read(take)
    assert jaw(clip).max() > 0.02 and len(clip) > 2
    assert not np.isnan(clip.values).any()
