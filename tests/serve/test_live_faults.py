"""A live stream whose receiver, source or model fails."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time

import numpy as np
import pytest
from pictures import png
from stand_in import standing_in

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.language.parsed import STRICT
from semanticface.rig import COUNT, INDEX
from semanticface.serve.client import FaceClient, Frame, Result, Settings
from semanticface.serve.live.loop import Live
from semanticface.serve.live.senders import Vmc, sender_of
from semanticface.serve.live.sources import in_time
from semanticface.serve.live.steady import Out, Steady

JAW = INDEX["jawOpen"]


def frame(n: int) -> Out:
    return Out(n / 60, np.zeros(COUNT, np.float32), "fresh")


@contextlib.contextmanager
def sink(listen):
    """A WebSocket server on a thread."""
    from websockets.sync.server import serve

    with serve(listen, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        finally:
            server.shutdown()
            thread.join()


def test_a_websocket_that_does_not_read_gets_the_newest_and_holds_up_nobody():
    awake, heard = threading.Event(), []

    def slow(connection):
        awake.wait(30)
        heard.extend(connection)

    with sink(slow) as url:
        sender = sender_of(url, subject="x", rate=60)
        try:
            for n in range(8000):  # more than every buffer on the way holds
                sender.send(frame(n))
            assert sender.unheard > 0
        finally:
            awake.set()
            sender.close()


def test_a_websocket_that_does_not_read_can_be_left():
    awake = threading.Event()
    with sink(lambda connection: awake.wait(60)) as url:
        sender = sender_of(url, subject="x", rate=60)
        for n in range(8000):
            sender.send(frame(n))
        begun = time.monotonic()
        sender.close()
        assert time.monotonic() - begun < 20
        awake.set()


def test_a_websocket_that_hangs_up_is_one_plain_error():
    with sink(lambda connection: connection.recv()) as url:
        sender = sender_of(url, subject="x", rate=60)
        with contextlib.closing(sender), pytest.raises(BadInput, match="hung up"):
            for n in range(1000):
                sender.send(frame(n))
                time.sleep(0.01)


def test_a_network_that_is_away_for_a_while_ends_no_stream(monkeypatch):
    with Vmc("127.0.0.1", 9) as sender:

        class Away:
            def send(self, datagram):
                raise OSError(113, "No route to host")

            def close(self):
                pass

        wire, sender._wire = sender._wire, Away()
        sender.send(frame(0))
        sender._wire = wire
        sender.send(frame(1))
    assert sender.unheard > 0


def test_a_source_that_cannot_keep_up_leaves_pictures_out():
    def slowly(at: float) -> bytes:
        time.sleep(0.1)
        return b"x"

    times = [n / 30 for n in range(60)]
    begun = time.monotonic()
    found = list(in_time(times, slowly))
    assert 0 < len(found) < 40
    assert [each.time for each in found] == sorted({each.time for each in found})
    assert time.monotonic() - begun < 4.0  # two seconds of film, not six


def test_a_camera_that_is_pulled_out_is_said_as_it_is():
    class Still:
        def send(self, out):
            pass

    class Nobody:
        async def ask(self, picture, at=0.0):
            return result(at)

    def camera():
        yield Frame(0.0, b"x")
        raise OSError(19, "No such device")

    with pytest.raises(OSError, match="No such device"):
        asyncio.run(Live(Nobody(), Still(), 30.0, 2).run(camera()))


def test_a_camera_that_gives_nothing_keeps_nobody_from_ending():
    asleep = threading.Event()

    def camera():
        yield Frame(0.0, b"x")
        asleep.wait(20)

    class Still:
        def send(self, out):
            pass

    class Nobody:
        async def ask(self, picture, at=0.0):
            return result(at)

    async def a_moment():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                await Live(Nobody(), Still(), 30.0, 2).run(camera())

    begun = time.monotonic()
    asyncio.run(a_moment())
    assert time.monotonic() - begun < 10
    asleep.set()


def test_the_last_answer_is_sent_too():
    sent = []

    class Kept:
        def send(self, out):
            sent.append(out.values[JAW])

    class Late:
        async def ask(self, picture, at=0.0):
            await asyncio.sleep(0.2)
            return result(at)

    asyncio.run(Live(Late(), Kept(), 2.0, 1).run(iter([Frame(0.0, b"x")])))
    assert max(sent) > 0.5


def result(at: float, jaw: float = 0.8) -> Result:
    values = np.zeros(COUNT, np.float32)
    values[JAW] = jaw
    return Result(at, values, None, None, STRICT, "", "stop", 0.1, 1, 1, 1)


def test_what_has_eased_to_rest_does_not_come_back_by_being_left_out():
    steady = Steady()
    steady.take(result(1.0), 1.0)
    assert steady.at(9.0).state == "neutral"
    assert steady.take(result(9.0, float("nan")), 9.0)
    assert steady.at(9.0).values[JAW] < 0.01


def test_an_unheard_stream_is_not_silent_about_it():
    """A port at which nobody listens answers so; after the second datagram it is known."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with sender_of(f"udp://127.0.0.1:{port}", subject="x", rate=30) as sender:
        for n in range(5):
            sender.send(frame(n))
            time.sleep(0.02)
        assert sender.unheard > 0


def test_a_reply_of_another_shape_is_no_answer_and_no_end(standing):
    """One strange reply among good ones; 401 still ends it."""
    standing.fault = lambda number, before: "nothing" if number == 1 else ""

    def seen(at):
        return png(int(at * 10), (32, 32))

    async def streamed():
        settings = Settings(concurrency=1, deadline=5.0)
        async with FaceClient(standing.url, settings=settings) as client:
            live = Live(client, Kept(), rate=60.0, depth=1)
            return await live.run(in_time([0.0, 0.3, 0.6, 0.9, 1.2], seen))

    pulse = asyncio.run(streamed())
    assert pulse.predicted >= 2 and pulse.refused.get("no answer") == 1
    standing.fault = lambda number, before: "401"
    with pytest.raises(BadInput, match="HTTP 401"):
        asyncio.run(streamed())


class Kept:
    unheard = 0

    def send(self, out):
        pass


@pytest.fixture
def standing():
    with standing_in(Task.of("tokens", "coefficients")) as server:
        yield server
