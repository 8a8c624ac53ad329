"""Sending frames when they are due, and receiving datagrams come what may.

Shared by every wire: the sender keeps time against the start, so that waiting a
little too long never adds up; the receiver counts what it cannot read and goes
on.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.formats.frames import Frame, clip_of
from semanticface.rig import ClipMeta, FaceClip

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (frames done, frames in all)."""
MAX_DATAGRAM = 65_535
_POLL = 0.1


@dataclass(frozen=True)
class Sent:
    """What a sender did."""

    frames: int
    datagrams: int
    seconds: float
    worst_delay: float
    """Seconds by which the latest frame missed its time; 0 when not in real time."""


def due(
    times: Iterable[float],
    *,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[int, float]]:
    """(index, seconds late) of each frame when it is due; the first is due at once.

    Each wait is measured from the start, not from the frame before: no drift. A
    frame that is late is given at once and none is dropped.
    """
    begin, first = clock(), None
    for i, stamp in enumerate(times):
        first = float(stamp) if first is None else first
        at = begin + float(stamp) - first
        while (wait := at - clock()) > 0:
            sleep(wait)
        yield i, max(0.0, clock() - at)


def send_frames(
    times: Sequence[float] | NDArray[np.float64],
    packets_of: Callable[[int], Sequence[bytes]],
    host: str,
    port: int,
    *,
    realtime: bool = True,
    progress: Progress | None = None,
) -> Sent:
    """Send the datagrams of each frame to `host:port`, at the frames' own pace.

    `realtime=False` sends as fast as the socket takes them; a receiver on the
    other end of a network will then miss some.
    """
    worst, datagrams, begin = 0.0, 0, time.perf_counter()
    with _connected(host, port) as wire:
        schedule = due(times) if realtime else ((i, 0.0) for i in range(len(times)))
        for i, late in schedule:
            worst = max(worst, late)
            for packet in packets_of(i):
                _send(wire, packet)
                datagrams += 1
            if progress is not None:
                progress(i + 1, len(times))
    return Sent(len(times), datagrams, time.perf_counter() - begin, worst)


class PartlyBad(BadInput):
    """A datagram with a fault; the frames that it completed all the same."""

    def __init__(self, fault: BadInput, frames: Sequence[Frame]) -> None:
        super().__init__(fault.found, fault.expected, column=fault.column, hint=fault.hint)
        self.frames = frames


class Assembler(Protocol):
    """Makes frames of datagrams; raises `BadInput` on one that is none."""

    def feed(self, datagram: bytes) -> Sequence[Frame]:
        """The frames that this datagram completes."""
        ...


class FrameReceiver:
    """Receives frames on a UDP port until told to stop; no datagram can end it.

    Use it in a `with` block. `good` and `bad` count datagrams, `last_fault` says
    what was wrong with the last bad one.
    """

    def __init__(
        self, assembler: Assembler, host: str, port: int, *, format: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.good = 0
        self.bad = 0
        self.last_fault = ""
        self._assembler = assembler
        self._format = format
        self._clock = clock
        _check_address(host, port)
        self._socket = socket.socket(_family(host), socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except (OSError, UnicodeError) as fault:
            self._socket.close()
            raise BadInput(
                f"{host}:{port}, which cannot be listened on ({fault})", "a free port"
            ) from None
        self._socket.settimeout(_POLL)

    @property
    def port(self) -> int:
        """The port listened on; a free one if 0 was asked for."""
        return int(self._socket.getsockname()[1])

    def datagrams(
        self, *, seconds: float | None = None, idle: float | None = None
    ) -> Iterator[tuple[float, bytes]]:
        """(seconds since the call, bytes) of each datagram, readable or not.

        Ends after `seconds` in all, or after `idle` seconds without a datagram.
        """
        begin = latest = self._clock()
        while True:
            packet = self._receive()
            now = self._clock()
            if packet is not None:
                latest = now
                yield now - begin, packet
            if seconds is not None and now - begin >= seconds:
                return
            if idle is not None and now - latest >= idle:
                return

    def frames(
        self, *, seconds: float | None = None, idle: float | None = None
    ) -> Iterator[tuple[float, Frame]]:
        """(seconds since the call, frame) of each frame; bad datagrams are counted."""
        for stamp, packet in self.datagrams(seconds=seconds, idle=idle):
            for frame in self._frames(packet):
                yield stamp, frame

    def record(
        self,
        *,
        seconds: float | None = None,
        idle: float | None = None,
        most: int | None = None,
    ) -> FaceClip:
        """Receive until one of the limits and give the frames as a clip."""
        times: list[float] = []
        frames: list[Frame] = []
        for stamp, frame in self.frames(seconds=seconds, idle=idle):
            times.append(stamp)
            frames.append(frame)
            if most is not None and len(frames) >= most:
                break
        notes = self._notes()
        return clip_of(frames, times, ClipMeta(f"port {self.port}", self._format, notes=notes))

    def _notes(self) -> dict[str, object]:
        return {"bad_datagrams": self.bad} if self.bad else {}

    def close(self) -> None:
        """Free the port."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def _receive(self) -> bytes | None:
        try:
            return self._socket.recvfrom(MAX_DATAGRAM)[0]
        except TimeoutError:
            return None
        except ConnectionError as fault:  # Windows reports a refused answer here
            self._count(str(fault))
            return None

    def _frames(self, packet: bytes) -> Sequence[Frame]:
        try:
            frames = self._assembler.feed(packet)
        except BadInput as fault:
            self._count(str(fault))
            return _completed(fault)
        self.good += 1
        return frames

    def _count(self, fault: str) -> None:
        self.bad += 1
        self.last_fault = fault


def assemble(
    assembler: Assembler, packets: Sequence[tuple[float, bytes]]
) -> tuple[list[float], list[Frame], list[str]]:
    """(times, frames, faults) of recorded datagrams; a bad one is a fault, not an end."""
    times: list[float] = []
    frames: list[Frame] = []
    faults: list[str] = []
    for number, (stamp, packet) in enumerate(packets, start=1):
        try:
            found = assembler.feed(packet)
        except BadInput as fault:
            faults.append(str(fault.at(row=number)))
            found = _completed(fault)
        frames += found
        times += [stamp] * len(found)
    return times, frames, faults


def _check_address(host: str, port: int) -> None:
    if not 0 <= port <= 65_535:
        raise BadInput(f"the port {port}", "0 to 65535")
    if "\0" in host:
        raise BadInput(f"the host {host[:60]!r}", "a name or an address")


def _completed(fault: BadInput) -> Sequence[Frame]:
    return fault.frames if isinstance(fault, PartlyBad) else ()


def _connected(host: str, port: int) -> socket.socket:
    _check_address(host, port)
    wire = socket.socket(_family(host), socket.SOCK_DGRAM)
    try:
        wire.connect((host, port))
    except (OSError, UnicodeError) as fault:
        wire.close()
        raise BadInput(f"{host}:{port}, which cannot be reached ({fault})", "a host") from None
    return wire


def _send(wire: socket.socket, packet: bytes) -> None:
    try:
        wire.send(packet)
    except ConnectionRefusedError:
        return  # nobody listens yet; UDP senders do not wait for anybody


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
