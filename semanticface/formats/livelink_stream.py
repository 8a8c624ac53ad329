"""Live Link Face over UDP: send a clip at its own pace, receive one from a phone.

with Receiver() as phone:                      # port 11111 on all interfaces
    clip = phone.record(seconds=10)
send(clip, "192.168.1.20", subject="Ann")
"""

from __future__ import annotations

import logging
import math
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, tee
from types import TracebackType

from semanticface.errors import BadInput
from semanticface.formats.livelink_packet import (
    LARGEST,
    Packet,
    decode,
    encode,
    from_frame,
    to_clip,
)
from semanticface.formats.livelink_packet import Rate as _Rate
from semanticface.formats.livelink_recording import FORMAT, to_packets
from semanticface.formats.pace import due
from semanticface.rig.clip import ClipMeta, FaceClip

PORT = 11_111
_log = logging.getLogger(__name__)
_SOURCES = 64
"""Devices whose order is followed; a flood of invented names fills no memory."""
_REASONS = 64
_RESTART = 3600.0
"""A clock this many seconds back is a device that started again, not a late packet."""

_DAY = 86_400.0
_LEAP = 10.0
"""Seconds by which a device's clock and ours may drift apart between two packets."""

Progress = Callable[[int, int], None]


# -- sending ---------------------------------------------------------------------


def send(
    clip: FaceClip,
    host: str,
    port: int = PORT,
    *,
    subject: str | None = None,
    device: str | None = None,
    rate: int | None = None,
    fill: float | None = None,
    realtime: bool = True,
    loop: bool = False,
    progress: Progress | None = None,
) -> int:
    """Send every frame at its own time; return how many packets went out.

    Each frame is due at a moment reckoned from the start, so that delays do not
    add up. `loop` goes round until interrupted, and the frame numbers go on.
    `progress` is told packets sent and packets a round.
    """
    packets, report = to_packets(clip, subject=subject, device=device, rate=rate, fill=fill)
    if not packets:
        raise BadInput("a clip without frames", "at least one to send")
    for told in report:
        _log.warning("%s", told)
    family, address = _resolve(host, port)
    sent = 0
    round_seconds = clip.duration + (clip.step if len(clip) > 1 else 1 / packets[0].rate)
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        turns = count() if loop else range(1)
        frames, moments = tee(
            (turn, packet, at + turn * round_seconds)
            for turn in turns
            for packet, at in zip(packets, clip.times.tolist(), strict=True)
        )
        schedule = due(moment for _, _, moment in moments) if realtime else count()
        for (turn, packet, at), _ in zip(frames, schedule, strict=False):
            sock.sendto(encode(_later(packet, at, turn)), address)
            sent += 1
            if progress is not None:
                progress(sent, len(packets))
    return sent


def _later(packet: Packet, at: float, turn: int) -> Packet:
    if turn == 0:
        return packet
    return from_frame(
        packet.values, at, rate=_Rate(packet.numerator, packet.denominator),
        device=packet.device, subject=packet.subject,
    )  # fmt: skip


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    if not 0 <= port <= 65_535:
        raise BadInput(f"port {port}", "0 to 65535; Live Link listens on 11111")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise BadInput(f"the host {host!r} ({error})", "an address such as 192.168.1.20") from None
    return found[0], (str(found[4][0]), port)


# -- receiving -------------------------------------------------------------------


@dataclass
class Traffic:
    """What came in, by kind."""

    packets: int = 0
    """Good packets handed out."""
    without_face: int = 0
    bad: int = 0
    """Datagrams that were no Live Link packets; they are skipped."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why they were bad, with how many of each."""
    late: int = 0
    """Good packets that were overtaken by a newer one of their device."""
    repeated: int = 0
    """Good packets with the time of the newest one."""
    other_subjects: int = 0
    """Good packets of other devices or subjects than the recorded one; they are skipped."""
    implausible: int = 0
    """Packets of another rate, or of a time far from where their device's clock must be."""


class Receiver:
    """Hears Live Link Face packets; a bad datagram is counted and never an error."""

    def __init__(
        self, host: str = "0.0.0.0", port: int = PORT, *, subject: str | None = None
    ) -> None:
        self.subject = subject
        self.traffic = Traffic()
        self._newest: dict[tuple[str, str], float] = {}
        family, address = _resolve(host, port)
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.bind(address)
        except OSError as error:
            self._socket.close()
            raise BadInput(
                f"{host}:{port} cannot be listened on ({error.strerror})", "a free port",
                hint="Another program, perhaps Unreal, may be listening there.",
            ) from None  # fmt: skip

    def __enter__(self) -> Receiver:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Packet]:
        """Packets as they come, without end."""
        while True:
            packet = self.receive()
            if packet is not None:
                yield packet

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that are listened on."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def receive(self, timeout: float | None = None) -> Packet | None:
        """The next good packet, or None after `timeout` seconds without one.

        Bad datagrams do not prolong the wait.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return None
            packet = self._wait(left)
            if packet is not None:
                return packet

    def record(
        self, *, seconds: float | None = None, frames: int | None = None, patience: float = 30.0
    ) -> FaceClip:
        """Record one subject for `seconds` or until there are `frames`.

        Without a `subject`, the first that is heard is recorded and the others
        are counted. `patience` is how long silence may last before giving up.
        """
        if seconds is None and frames is None:
            raise BadInput("no end of the recording", "seconds=... or frames=...")
        packets: list[Packet] = []
        end = math.inf if seconds is None else time.monotonic() + seconds
        heard = time.monotonic()
        while frames is None or len(packets) < frames:
            now = time.monotonic()
            packet = self.receive(min(end, heard + patience) - now)
            if packet is None:
                break
            if not packets or self._belongs(packet, packets[-1], time.monotonic() - heard):
                packets.append(packet)
                heard = time.monotonic()
        if not packets:
            raise self._silence()
        return to_clip(packets, self._meta())

    def _belongs(self, packet: Packet, last: Packet, elapsed: float) -> bool:
        """Whether a packet goes on with what is being recorded; counted if not.

        One datagram, well-formed but foreign, must not spoil a recording: another
        sender, another rate, or a clock that leaps while ours does not.
        """
        if (packet.device, packet.subject) != (last.device, last.subject):
            self.traffic.other_subjects += 1
            return False
        leap = packet.seconds - last.seconds - elapsed
        leap -= _DAY * round(leap / _DAY)  # midnight is no leap
        if packet.rate != last.rate or abs(leap) > _LEAP:
            self.traffic.implausible += 1
            return False
        return True

    def _wait(self, left: float | None) -> Packet | None:
        self._socket.settimeout(left)
        try:
            data, _ = self._socket.recvfrom(LARGEST + 1)
        except TimeoutError:
            return None
        except ConnectionError:  # an answer to something sent from this port before
            return None
        try:
            packet = decode(data)
        except BadInput as error:
            self._count_bad(error)
            return None
        if self.subject not in (None, packet.subject):
            self.traffic.other_subjects += 1
            return None
        self._count(packet)
        return packet

    def _count_bad(self, error: BadInput) -> None:
        self.traffic.bad += 1
        reason = f"expected {error.expected}"
        if reason in self.traffic.reasons or len(self.traffic.reasons) < _REASONS:
            self.traffic.reasons[reason] += 1

    def _count(self, packet: Packet) -> None:
        self.traffic.packets += 1
        self.traffic.without_face += packet.values is None
        key, at = (packet.device, packet.subject), packet.seconds
        newest = self._newest.get(key)
        if newest is None and len(self._newest) >= _SOURCES:
            return
        if newest is not None and newest - _RESTART < at <= newest:
            self.traffic.late += at < newest
            self.traffic.repeated += at == newest
        else:
            self._newest[key] = at

    def _meta(self) -> ClipMeta:
        traffic = self.traffic
        counted = {
            "bad datagrams": traffic.bad,
            "packets of other subjects": traffic.other_subjects,
            "implausible packets": traffic.implausible,
        }
        host, port = self.address
        notes = {key: number for key, number in counted.items() if number}
        return ClipMeta(source=f"udp {host}:{port}", format=FORMAT, notes=notes)

    def _silence(self) -> BadInput:
        host, port = self.address
        found = f"no Live Link packet on {host}:{port}"
        if self.traffic.bad:
            found += f", but {self.traffic.bad} other datagrams"
        return BadInput(
            found, "packets from the app",
            hint="Enter this computer's address and port in the app's Live Link settings, "
            "and allow the port in the firewall.",
        )  # fmt: skip
