"""Where frames go: Live Link over UDP, VMC over UDP, JSON over a WebSocket, a CSV take."""

from __future__ import annotations

import json
import socket
import threading
from abc import ABC, abstractmethod
from collections import deque
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np

from semanticface.errors import BadInput, need
from semanticface.formats import vmc
from semanticface.formats.livelink_packet import DAY_SECONDS, Rate, encode, from_frame
from semanticface.formats.livelink_stream import PORT
from semanticface.rig import CHANNELS, ClipMeta, FaceClip
from semanticface.serve.live.received import time_of_day
from semanticface.serve.live.steady import Out

BASES = (24, 25, 30, 48, 50, 60)
"""Nominal rates that a Live Link timecode may count in; real times stand in the fractions."""
_ROOM = 8
"""Messages that may wait for a WebSocket."""
_BUFFER = 16 << 10
"""Bytes that the system may hold for it, some twenty frames."""
_GOODBYE = 1.0
"""Seconds for its last messages."""


class Sender(ABC):
    """Sends one frame after the other; leaving its `with` closes it."""

    unheard = 0
    """Datagrams or messages that nobody took: the other end was away, or too slow."""

    @abstractmethod
    def send(self, out: Out) -> None:
        """One frame, at once."""

    @abstractmethod
    def close(self) -> None:
        """The last frame was sent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Udp(Sender):
    def __init__(self, host: str, port: int) -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except OSError as error:
            raise BadInput(f"the address {host}:{port} ({error})", "HOST:PORT") from None
        self._wire = socket.socket(found[0], socket.SOCK_DGRAM)
        self._wire.connect(found[4])

    def _put(self, datagram: bytes) -> None:
        try:
            self._wire.send(datagram)
        except OSError:  # nobody there, or no way there: either may be back for the next frame
            self.unheard += 1

    def close(self) -> None:
        """Nothing is left to send."""
        self._wire.close()


class LiveLink(_Udp):
    """Live Link Face's packets, as Unreal takes them; stamps count from midnight."""

    def __init__(self, host: str, port: int, subject: str, rate: float) -> None:
        super().__init__(host, port)
        base = next((each for each in BASES if each >= round(rate)), BASES[-1])
        self._rate, self._device, self._subject = Rate(base, 1), str(uuid4()).upper(), subject
        self._begun: float | None = None
        """Time of day at which the stream's clock stood at zero."""

    def send(self, out: Out) -> None:
        """One datagram. The first frame is sent before any answer: its stamp is now."""
        if self._begun is None:
            self._begun = time_of_day() - out.time
        at = (self._begun + out.time) % DAY_SECONDS
        self._put(encode(from_frame(out.values, at, rate=self._rate, device=self._device,
                                    subject=self._subject)))  # fmt: skip


class Vmc(_Udp):
    """VMC over OSC: blendshapes, and head and eyes as bones."""

    def send(self, out: Out) -> None:
        """The datagrams of one frame."""
        for datagram in vmc.encode(out.values):
            self._put(datagram)


class Socket(Sender):
    """`{"time", "state", "arkit": {label: value}}` to a WebSocket server, a message a frame.

    A thread sends, for a receiver that does not read must not hold up the beat. Of frames that
    it leaves waiting the oldest are dropped, and little is left to the system's own buffer.
    """

    def __init__(self, url: str) -> None:
        client = need("websockets.sync.client", "serve", "Sending over a WebSocket")
        self._closed = need("websockets.exceptions", "serve", "").ConnectionClosed
        self._open = ExitStack()
        try:
            self._wire: Any = self._open.enter_context(
                client.connect(url, proxy=None, close_timeout=_GOODBYE)
            )
        except (OSError, ValueError) as error:
            raise BadInput(f"nobody at {url} ({error})", "a WebSocket server") from None
        self._wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        self._url, self._gone, self._over = url, "", False
        self._waiting: deque[str] = deque()
        self._there = threading.Condition()
        self._hand = threading.Thread(target=self._work, daemon=True)
        self._hand.start()

    def send(self, out: Out) -> None:
        """One message, at once or soon; an error if the receiver has gone."""
        if self._gone:
            raise BadInput(
                f"a receiver at {self._url} that hung up ({self._gone})", "one that stays"
            )
        face = {c.label: round(float(out.values[c.index]), 4) for c in CHANNELS}
        told = {"time": round(out.time, 4), "state": out.state, "arkit": face}
        with self._there:
            if len(self._waiting) >= _ROOM:
                self._waiting.popleft()
                self.unheard += 1
            self._waiting.append(json.dumps(told))
            self._there.notify()

    def _work(self) -> None:
        while True:
            with self._there:
                self._there.wait_for(lambda: self._waiting or self._over)
                if not self._waiting:
                    return
                message = self._waiting.popleft()
            try:
                self._wire.send(message)
            except (OSError, self._closed) as error:
                self._gone = str(error) or type(error).__name__
                return

    def close(self) -> None:
        """Sends what waits and says goodbye, to one who listens."""
        with self._there:
            self._over = True
            self._there.notify()
        self._hand.join(_GOODBYE)
        if self._hand.is_alive():
            with suppress(OSError):
                self._wire.socket.shutdown(socket.SHUT_RDWR)
            self._hand.join()
        self._open.close()


class Csv(Sender):
    """A Live Link CSV, written when the stream ends."""

    def __init__(self, path: Path, subject: str) -> None:
        if not path.parent.is_dir():
            raise BadInput("no such folder", "a folder to write to", file=path.parent)
        self._path, self._subject, self._frames = path, subject, list[Out]()

    def send(self, out: Out) -> None:
        """Kept until the end."""
        self._frames.append(out)

    def close(self) -> None:
        """Writes the file."""
        if not self._frames:
            return
        from semanticface.formats import write

        times = np.array([each.time for each in self._frames])
        meta = ClipMeta(source="live", subject=self._subject)
        clip = FaceClip.of(
            np.stack([each.values for each in self._frames]), times - times[0], meta=meta
        )
        write(clip, self._path, "livelink-csv")


def sender_of(place: str, *, subject: str, rate: float) -> Sender:
    """`udp://HOST[:11111]`, `vmc://HOST[:39539]`, `ws://HOST:PORT/PATH`, or a `.csv` file."""
    parts = urlsplit(place)
    if parts.scheme in ("ws", "wss"):
        return Socket(place)
    if parts.scheme in ("udp", "vmc") and parts.hostname:
        if parts.scheme == "vmc":
            return Vmc(parts.hostname, parts.port or vmc.PORT)
        return LiveLink(parts.hostname, parts.port or PORT, subject, rate)
    if place.lower().endswith(".csv"):
        return Csv(Path(place).expanduser(), subject)
    raise BadInput(
        f"the destination '{place}'",
        "udp://HOST:11111, vmc://HOST:39539, ws://HOST:PORT/PATH or FILE.csv",
    )
