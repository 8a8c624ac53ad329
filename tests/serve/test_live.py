"""A live stream: steady whatever the model does, honest about when a face looked so."""

from __future__ import annotations

import asyncio
import io
import json
import math
import socket
import sys
import threading
import time

import numpy as np
import pytest
from pictures import png
from PIL import Image
from stand_in import standing_in

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.formats import livelink_udp, read, vmc
from semanticface.language.parsed import STRICT, nothing
from semanticface.rig import CHANNELS, COUNT, INDEX
from semanticface.serve.client import FaceClient, Frame, Result, Settings
from semanticface.serve.doubt import contradictions
from semanticface.serve.live.cropped import Cropped
from semanticface.serve.live.loop import Live
from semanticface.serve.live.senders import sender_of
from semanticface.serve.live.sources import CAMERAS, pictures
from semanticface.serve.live.steady import Settings as Failing
from semanticface.serve.live.steady import Steady
from semanticface.train.face_crop import NO_FACE, crop_of, cut_file

TASK = Task.of("tokens", "coefficients")
JAW = INDEX["jawOpen"]


def result(at: float, jaw: float = 0.5, *, error: str = "", confidence: float | None = None,
           **others: float) -> Result:  # fmt: skip
    values = np.zeros(COUNT, np.float32)
    values[JAW] = jaw
    for name, value in others.items():
        values[INDEX[name]] = value
    sure = None if confidence is None else np.full(COUNT, confidence, np.float32)
    return Result(at, values, sure, None, STRICT, "", "stop", 0.1, 1, 1, 1, error)


# -- what part is shown ----------------------------------------------------------------


def test_the_model_is_asked_about_the_part_alone():
    asked = []

    class Client:
        async def ask(self, picture, at=0.0):
            asked.append((picture, at))
            return result(at)

    whole = png(3, (60, 40))
    given, sought = (Cropped(Client(), crop_of(text)) for text in ("2,3,28", "face"))
    assert asyncio.run(given.ask(whole, 1.5)).time == 1.5
    assert asked == [(cut_file(whole, crop_of("2,3,28")).picture, 1.5)]
    lost = asyncio.run(sought.ask(whole, 2.5))
    assert (lost.time, lost.error, lost.lasting) == (2.5, NO_FACE, True) and len(asked) == 1
    assert Steady().failure(lost) == "no face"
    assert asyncio.run(Cropped(Client(), crop_of("none")).ask(whole)) and asked[-1][0] == whole


# -- what goes out between predictions -----------------------------------------------


def test_before_the_first_answer_the_face_is_at_rest():
    out = Steady().at(0.0)
    assert out.state == "neutral" and not out.values.any()


def test_a_frame_is_held_and_then_eases_to_neutral():
    steady = Steady(Failing(hold=0.4, ease=0.3))
    assert steady.take(result(1.0), 1.2)
    fresh, held = steady.at(1.2), steady.at(1.5)
    assert (fresh.state, held.state) == ("fresh", "held")
    assert fresh.values[JAW] == held.values[JAW] == pytest.approx(0.5)
    easing, rest = steady.at(1.2 + 0.4 + 0.3), steady.at(9.0)
    assert easing.state == "easing"
    assert easing.values[JAW] == pytest.approx(0.5 / math.e, abs=1e-4)
    assert rest.state == "neutral" and rest.values[JAW] < 1e-6
    assert steady.take(result(9.0), 9.2) and steady.at(9.2).values[JAW] == pytest.approx(0.5)


def test_the_stamp_is_when_the_face_looked_so_and_never_falls():
    steady = Steady()
    steady.take(result(1.0), 1.25)
    assert steady.at(1.25).time == pytest.approx(1.0)
    assert steady.at(1.30).time == pytest.approx(1.05)
    steady.take(result(1.02), 1.40)  # a slower answer: its picture is older than the last stamp
    stamps = [steady.at(1.40).time, steady.at(1.45).time, steady.at(1.6).time]
    assert stamps == sorted(set(stamps)) and stamps[0] > 1.05


@pytest.mark.parametrize(("bad", "why"), [
    (result(2.0, error="HTTP 503"), "no answer"), (result(2.0, error=NO_FACE), "no face"),
    (result(2.0, confidence=0.1), "unsure"),
    (result(2.0, eyeLookInLeft=0.5, eyeLookOutLeft=0.5, jawLeft=0.9, jawRight=0.9),
     "contradictory"),
    (result(2.0)._replace(values=np.full(COUNT, np.nan), report=nothing("x").report),
     "not readable"),
    (result(0.5), "late"),
])  # fmt: skip
def test_a_bad_answer_leaves_the_good_one_standing(bad, why):
    steady = Steady()
    steady.take(result(1.0, 0.3, confidence=0.9), 1.1)
    assert not steady.take(bad, 1.2)
    assert steady.refused == {why: 1}
    assert steady.at(1.2).values[JAW] == pytest.approx(0.3)


def test_how_sure_is_sure_enough_can_be_said():
    answer = result(1.0, confidence=0.8)
    assert Steady().take(answer, 1.1)
    assert not Steady(Failing(least_confidence=0.9)).take(answer, 1.1)
    assert Steady(Failing(least_confidence=0.0)).take(result(1.0, confidence=0.1), 1.1)
    assert not Steady().take(result(1.0, confidence=0.55), 1.1)  # noise, to the small model


def test_what_an_answer_leaves_out_stays_as_it_was():
    steady = Steady()
    steady.take(result(1.0, 0.3), 1.0)
    gap = result(1.1, 0.9)
    gap.values[JAW] = np.nan
    assert steady.take(gap, 1.1)
    assert steady.at(1.1).values[JAW] == pytest.approx(0.3)


def test_contradictions_are_counted():
    assert contradictions(result(0).values) == 0
    assert contradictions(result(0, 0.1, mouthClose=0.5, mouthLeft=0.2, mouthRight=0.2).values) == 2


# -- sources and destinations ----------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "stills"
    place.mkdir()
    for n in range(12):
        (place / f"frame{n}.png").write_bytes(png(n, (32, 32)))
    (place / "notes.txt").write_text("no picture")
    return place


def test_a_folder_comes_in_order_and_at_its_rate(folder):
    begun = time.monotonic()
    frames = list(pictures(str(folder), 60.0))
    assert time.monotonic() - begun > 10 / 60
    assert [each.picture for each in frames] == [png(n, (32, 32)) for n in range(12)]
    np.testing.assert_allclose([each.time for each in frames], np.arange(12) / 60)


def test_what_is_no_source_or_destination_is_said(tmp_path):
    for told, found in ((str(tmp_path), "no picture"), (str(tmp_path / "x"), "no such file"),
                        ("webcam:9", "no camera")):  # fmt: skip
        with pytest.raises(BadInput, match=found):
            list(pictures(told))
    for told in ("tcp://x:1", "udp://", "take.bvh", "", "ws://127.0.0.1:9/none",
                 str(tmp_path / "none" / "x.csv")):  # fmt: skip
        with pytest.raises(BadInput):
            sender_of(told, subject="x", rate=30)


def follow(server, source, place, *, rate=60.0, depth=2, tail=0.1, settings=None, deadline=30.0):
    """A whole live stream."""

    async def run():
        quick = Settings(concurrency=depth, timeout=30.0, deadline=deadline, pause=0.01)
        async with FaceClient(server.url, settings=quick) as client:
            with sender_of(place, subject="Ann", rate=rate) as sender:
                live = Live(client, sender, rate, depth, Steady(settings or Failing()), tail)
                return await live.run(source)

    return asyncio.run(run())


def talking(picture: bytes) -> np.ndarray:
    """A face whose jaw follows the picture's number."""
    values = np.zeros(COUNT, np.float32)
    values[JAW] = NUMBERS[picture] / 20
    return values


NUMBERS = {png(n, (32, 32)): n for n in range(12)}


def shown(rate: float = 30.0, count: int = 12):
    begun = time.monotonic()
    for n in range(count):
        time.sleep(max(0.0, begun + n / rate - time.monotonic()))
        yield Frame(n / rate, png(n % 12, (32, 32)))


def test_frames_arrive_at_our_own_receiver_as_they_were_sent():
    with standing_in(TASK) as server, livelink_udp.Receiver("127.0.0.1", 0) as receiver:
        server.face = talking
        heard = []
        thread = threading.Thread(
            target=lambda: heard.append(receiver.record(seconds=60, patience=3.0))
        )
        thread.start()
        pulse = follow(server, shown(), f"udp://127.0.0.1:{receiver.address[1]}")
        thread.join()
    (clip,) = heard
    assert clip.meta.subject == "Ann"
    assert len(clip) == pulse.sent
    assert pulse.predicted + pulse.dropped == 12
    assert (np.diff(clip.times) > 0).all()
    jaw = clip.column("jawOpen")
    assert jaw[0] == 0 and jaw.max() > 0.3
    assert np.diff(jaw).min() > -0.05  # it opens and stays open


def test_a_public_implementation_reads_what_is_sent_live():
    """PyLiveLinkFace, by which many programs hear an iPhone: names, numbers and times."""
    from pylivelinkface import FaceBlendShape, PyLiveLinkFace

    face, kept = np.linspace(0.01, 0.09, COUNT, dtype=np.float32), []

    class Model:
        async def ask(self, picture, at=0.0):
            return result(at)._replace(values=face + np.float32(at / 10))

    class Kept:
        def send(self, out):
            kept.append(out)
            sender.send(out)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(5.0)
        place = f"udp://127.0.0.1:{wire.getsockname()[1]}"
        with sender_of(place, subject="Ann", rate=60) as sender:
            asyncio.run(Live(Model(), Kept(), 60.0, 2).run(shown()))
        heard = [PyLiveLinkFace.decode(wire.recv(2048)) for _ in kept]
    assert all(found for found, _ in heard) and len(heard) > 5
    assert {(each.name, each.fps) for _, each in heard} == {("Ann", 60)}
    for (_, told), out in zip(heard, kept, strict=True):
        by_name = {shape.name: told.get_blendshape(shape) for shape in FaceBlendShape}
        assert by_name == {c.label: out.values[c.index] for c in CHANNELS}
    at = np.array([(each._frames + each._sub_frame) / each.fps for _, each in heard])
    np.testing.assert_allclose(at - at[0], [out.time - kept[0].time for out in kept], atol=2e-3)
    assert len({out.values[JAW] for out in kept}) > 3


def test_a_camera_that_is_missing_is_one_plain_error():
    with standing_in(TASK) as server, pytest.raises(BadInput, match="no camera"):
        follow(server, pictures("webcam:9"), "udp://127.0.0.1:9")


def test_a_camera_is_followed_and_the_newest_picture_is_what_counts(monkeypatch, tmp_path):
    """FFmpeg's own test picture, by the interface that it gives devices."""
    film = "testsrc=size=1280x720:rate=30:duration=0.8"
    monkeypatch.setitem(CAMERAS, sys.platform, (film, "lavfi"))
    over, seen = threading.Event(), []

    def camera():
        yield from pictures("webcam:0")
        over.set()

    class Slow:
        """Has its first answer when the camera has shown everything."""

        async def ask(self, picture, at=0.0):
            seen.append(Image.open(io.BytesIO(picture)).size)
            await asyncio.to_thread(over.wait, 60)
            return result(at)

    with sender_of(str(tmp_path / "take.csv"), subject="x", rate=30) as sender:
        pulse = asyncio.run(Live(Slow(), sender, 30.0, 1).run(camera()))
    assert seen == [(640, 360)] * 2 and (pulse.predicted, pulse.dropped) == (2, 22)
    clip = read(tmp_path / "take.csv")
    assert clip.column("jawOpen").max() > 0.4 and (np.diff(clip.times) > 0).all()


def test_a_slow_model_costs_pictures_and_no_beat():
    with standing_in(TASK) as server, livelink_udp.Receiver("127.0.0.1", 0) as receiver:
        server.face, server.delay = talking, 0.12
        pulse = follow(server, shown(60.0, 36), f"udp://127.0.0.1:{receiver.address[1]}", depth=1)
    assert pulse.dropped > 20 and pulse.predicted + pulse.dropped == 36
    assert pulse.sent > 10
    assert pulse.latency < 36 * 0.12 / 2  # of the newest picture, not of a queue


def test_a_model_that_dies_lets_the_face_come_to_rest(tmp_path):
    with standing_in(TASK) as server:
        server.face = lambda picture: result(0, 0.8).values
        server.know([png(n, (32, 32)) for n in range(12)])
        server.fault = lambda number, before: "" if number < 4 else "500"
        place = tmp_path / "take.csv"
        pulse = follow(server, shown(20.0), str(place), rate=30.0, tail=0.2,
                       settings=Failing(hold=0.05, ease=0.05), deadline=1.0)  # fmt: skip
    assert pulse.refused["no answer"] >= 1 and {"fresh", "easing"} <= set(pulse.states)
    clip = read(place)
    jaw = clip.column("jawOpen")
    assert jaw.max() == pytest.approx(0.8, abs=0.01) and jaw[-1] < 0.05
    assert not np.isnan(clip.values).any()


def test_vmc_is_read_back():
    with standing_in(TASK) as server, vmc.Receiver("127.0.0.1", 0) as receiver:
        server.face = talking
        heard = []
        thread = threading.Thread(
            target=lambda: heard.append(receiver.record(seconds=60, idle=3.0))
        )
        thread.start()
        pulse = follow(server, shown(), f"vmc://127.0.0.1:{receiver.port}")
        thread.join()
    assert len(heard[0]) == pulse.sent
    assert heard[0].column("jawOpen").max() > 0.3


def test_a_websocket_hears_named_numbers():
    from websockets.sync.server import serve

    heard = []

    def listen(connection):
        heard.extend(json.loads(message) for message in connection)

    with standing_in(TASK) as server, serve(listen, "127.0.0.1", 0) as sink:
        thread = threading.Thread(target=sink.serve_forever)
        thread.start()
        server.face = talking
        pulse = follow(server, shown(), f"ws://127.0.0.1:{sink.socket.getsockname()[1]}/face")
        sink.shutdown()
        thread.join()
    assert len(heard) == pulse.sent
    assert max(each["arkit"]["JawOpen"] for each in heard) > 0.3
    assert {each["state"] for each in heard} >= {"neutral", "fresh"}
