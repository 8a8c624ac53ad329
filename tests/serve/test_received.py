"""The receiver's word on a live stream: rate, delay, gaps, and a picture of them."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from semanticface.cli.main import app
from semanticface.errors import BadInput
from semanticface.formats import livelink_udp, read
from semanticface.formats.livelink_packet import Rate, from_frame
from semanticface.rig import COUNT, INDEX
from semanticface.serve.live.received import Arrival, hear, numbers, picture
from semanticface.serve.live.senders import sender_of
from semanticface.serve.live.steady import Out


def arrival(at: float, delay: float = 0.1, jaw: float = 0.0) -> Arrival:
    values = np.zeros(COUNT, np.float32)
    values[INDEX["jawOpen"]] = jaw
    packet = from_frame(values, 100 + at, rate=Rate(30, 1), device="D", subject="Ann")
    return Arrival(at, delay, packet)


def test_rate_delay_and_gaps():
    told = numbers([arrival(n / 30, 0.1 + 0.001 * (n % 2)) for n in range(31)]
                   + [arrival(1.2 + n / 30, 0.1) for n in range(30)])  # fmt: skip
    assert told.frames == 61 and told.gaps == 1
    assert told.rate == pytest.approx(60 / (1.2 + 29 / 30))
    assert told.delay[0] == pytest.approx(0.1) and told.delay[1] == pytest.approx(0.101)
    with pytest.raises(BadInput, match="1 packets"):
        numbers([arrival(0)])


def test_the_picture_shows_what_moves():
    still = picture([arrival(n / 30) for n in range(60)])
    moving = picture([arrival(n / 30, jaw=0.5 + 0.5 * np.sin(n / 5)) for n in range(60)])
    low = still.height * 2 // 3
    panels = [np.asarray(each.crop((0, low, *each.size))) for each in (still, moving)]
    blue = [(np.abs(panel.astype(int) - (0x2F, 0x6F, 0xDE)).sum(-1) < 30).sum() for panel in panels]
    assert blue[0] == 0 and blue[1] > 300


def send(port: int, shown: float, count: int = 8) -> None:
    """Frames whose face was seen `shown` seconds before they are sent."""
    with sender_of(f"udp://127.0.0.1:{port}", subject="Ann", rate=30) as sender:
        sender.send(Out(0.0, np.zeros(COUNT, np.float32), "neutral"))
        begun = time.monotonic()
        for n in range(count):
            time.sleep(0.02)
            values = np.full(COUNT, n / 10, np.float32)
            sender.send(Out(time.monotonic() - begun - shown + 1e-3, values, "fresh"))


def test_a_frame_is_as_late_as_its_face_is_old():
    with livelink_udp.Receiver("127.0.0.1", 0) as receiver:
        thread = threading.Thread(target=send, args=(receiver.address[1], 0.25))
        thread.start()
        heard = list(hear(receiver, 30.0, patience=3.0))
        thread.join()
    assert len(heard) == 9
    late = np.median([each.delay for each in heard[1:]])
    assert 0.2 < late < 10.0  # at least as old as the face; more where the machine is busy


def test_the_command_writes_take_and_picture(tmp_path):
    with livelink_udp.Receiver("127.0.0.1", 0) as receiver:
        port = receiver.address[1]
    told = ["receive", "--host", "127.0.0.1", "--port", str(port), "--patience", "4",
            "--plot", str(tmp_path / "live.png"), "-o", str(tmp_path / "take.csv")]  # fmt: skip
    stop = threading.Event()

    def keep_sending():
        while not stop.is_set():
            send(port, 0.0)

    thread = threading.Thread(target=keep_sending)
    thread.start()
    done = CliRunner().invoke(app, [*told, "--seconds", "0.6"])
    stop.set()
    thread.join()
    assert done.exit_code == 0, done.output
    assert "Ann" in done.stdout and "/s" in done.stdout
    assert (tmp_path / "live.png").read_bytes().startswith(b"\x89PNG")
    assert len(read(tmp_path / "take.csv")) > 2


def test_silence_is_said():
    with livelink_udp.Receiver("127.0.0.1", 0) as receiver:
        port = receiver.address[1]
    done = CliRunner().invoke(app, ["receive", "--host", "127.0.0.1", "--port", str(port),
                                    "--patience", "0.2"])  # fmt: skip
    assert isinstance(done.exception, BadInput) and "no Live Link packet" in str(done.exception)
