"""One datagram of Live Link Face, version 6, big-endian.

    u8 version = 6 | i32 + UTF-8 device id | i32 + UTF-8 subject | i32 frame
    f32 subframe | i32 rate numerator | i32 rate denominator | u8 61 | 61 x f32

Values stand in the channel table's order. A packet that ends before the count
tells of a frame in which no face was tracked.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from semanticface.errors import BadInput
from semanticface.formats import timecode
from semanticface.rig.channels import COUNT, NAMES
from semanticface.rig.clip import ClipMeta, FaceClip, Times, Values

VERSION = 6
LARGEST = 65_507
"""Bytes that fit in one UDP datagram."""
DAY_SECONDS = 86_400
_TIME = struct.Struct(">ifii")
_LENGTH = struct.Struct(">i")
_LARGEST_INT = 2**31 - 1
_LARGEST_SUBFRAME = 16.0
"""A known recording adds up its subframes to 2.4 and more; beyond this is noise."""
_THOUSANDTH = 1000.0
_FLOAT32_STEP = 2.0**-24
"""How far a number below 1 can be from its nearest float32."""


@dataclass(frozen=True, eq=False)
class Packet:
    """What one datagram says."""

    device: str
    subject: str
    frame: int
    """Frames since midnight, or since the device started, at the nominal rate."""
    subframe: float
    """Fraction of a frame, 0 to 1, a float32 on the wire. Some senders go above 1."""
    numerator: int = 60
    denominator: int = 1
    """A common library writes 0 below 60 fps; `rate` takes that for 1."""
    values: Values | None = None
    """float32 [61] in table order; None where no face was tracked."""

    @property
    def rate(self) -> float:
        """Nominal frames a second."""
        return self.numerator / (self.denominator or 1)

    @property
    def seconds(self) -> float:
        """Time of day on the device, or since it started; see `frame`."""
        base = round(self.rate)
        if base != self.rate:
            return (self.frame + self.subframe) / self.rate
        whole, frame = divmod(self.frame, base)
        return float(timecode.seconds(whole, _in_thousandths(frame, self.subframe), base))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Packet):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        numbers = None if self.values is None else self.values.tobytes()
        return (self.device, self.subject, self.frame, self.subframe,
                self.numerator, self.denominator, numbers)  # fmt: skip


def _in_thousandths(frame: int, subframe: float) -> float:
    """The very double that the same moment has in a CSV, whose fraction has three digits."""
    thousandths = round(subframe * _THOUSANDTH)
    if abs(thousandths / _THOUSANDTH - subframe) <= _FLOAT32_STEP:
        return (frame * 1000 + thousandths) / _THOUSANDTH
    return frame + subframe


# -- bytes -----------------------------------------------------------------------


def encode(packet: Packet) -> bytes:
    """The datagram of `packet`."""
    _check_time(packet.frame, packet.subframe, packet.numerator, packet.denominator)
    parts = [bytes([VERSION]), _text(packet.device), _text(packet.subject)]
    parts.append(
        _TIME.pack(packet.frame, packet.subframe, packet.numerator, packet.denominator)
    )  # fmt: skip
    if packet.values is not None:
        values = np.asarray(packet.values, dtype=np.float32)
        if values.shape != (COUNT,):
            raise BadInput(f"values of shape {values.shape}", f"({COUNT},)")
        _check_finite(values)
        parts += [bytes([COUNT]), values.astype(">f4").tobytes()]
    data = b"".join(parts)
    if len(data) > LARGEST:
        raise BadInput(f"a packet of {len(data)} bytes", f"at most {LARGEST}; shorten the names")
    return data


def _text(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"the name {text!r}", "text that UTF-8 can hold") from None
    return _LENGTH.pack(len(raw)) + raw


def decode(data: bytes) -> Packet:
    """Read one datagram; `BadInput` and nothing else for a bad one.

    No length in the packet is believed: each is compared with the bytes that
    are really there before anything is read or kept.
    """
    if len(data) > LARGEST:
        raise BadInput(f"{len(data)} bytes", f"at most {LARGEST} in a datagram")
    _check_version(data)
    device, at = _read_text(data, 1, "device id")
    subject, at = _read_text(data, at, "subject name")
    if len(data) - at < _TIME.size:
        raise BadInput(f"a packet that ends after {len(data)} bytes", "frame number and rate")
    frame, subframe, numerator, denominator = _TIME.unpack_from(data, at)
    _check_time(frame, subframe, numerator, denominator)
    values = _read_values(data, at + _TIME.size)
    return Packet(device, subject, frame, subframe, numerator, denominator, values)


def _check_version(data: bytes) -> None:
    if not data:
        raise BadInput("an empty datagram", "a Live Link Face packet")
    if data[0] == VERSION:
        return
    if data[:4] == bytes([0, 0, 0, VERSION]):
        raise BadInput("a version of four bytes, big-endian", f"one byte {VERSION}, then lengths")
    raise BadInput(f"packet version {data[0]}", f"{VERSION}")


def _read_text(data: bytes, at: int, what: str) -> tuple[str, int]:
    start = at + _LENGTH.size
    if len(data) < start:
        raise BadInput(f"a packet that ends after {len(data)} bytes", f"the length of the {what}")
    (length,) = _LENGTH.unpack_from(data, at)
    if not 0 <= length <= len(data) - start:
        raise BadInput(
            f"a {what} of {length} bytes", f"at most the {len(data) - start} that follow"
        )
    try:
        return data[start : start + length].decode("utf-8"), start + length
    except UnicodeDecodeError:
        raise BadInput(f"a {what} that is not UTF-8", "UTF-8 text") from None


def _check_time(frame: int, subframe: float, numerator: int, denominator: int) -> None:
    if not 0 <= frame <= _LARGEST_INT:
        raise BadInput(f"frame number {frame}", f"0 to {_LARGEST_INT}")
    if not 0.0 <= subframe <= _LARGEST_SUBFRAME:
        raise BadInput(f"subframe {subframe}", f"0 to 1, or at most {_LARGEST_SUBFRAME:g}")
    if not 0 < numerator <= _LARGEST_INT or not 0 <= denominator <= _LARGEST_INT:
        raise BadInput(f"frame rate {numerator}/{denominator}", "positive whole numbers")
    if not 1 <= numerator / (denominator or 1) <= 1000:
        raise BadInput(f"frame rate {numerator}/{denominator}", "1 to 1000 frames a second")


def _read_values(data: bytes, at: int) -> Values | None:
    if at == len(data):
        return None
    count, rest = data[at], len(data) - at - 1
    if count == 0 and rest == 0:
        return None
    if count != COUNT or rest != 4 * COUNT:
        raise BadInput(
            f"a count of {count} before {rest} bytes of values", f"{COUNT} before {4 * COUNT}"
        )
    values = np.frombuffer(data, ">f4", COUNT, at + 1).astype(np.float32)
    _check_finite(values)
    values.flags.writeable = False
    return values


def _check_finite(values: Values) -> None:
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise BadInput(str(values[wrong[0]]), "a finite number", column=NAMES[int(wrong[0])])


# -- clips -----------------------------------------------------------------------


class Rate(NamedTuple):
    """Nominal frames a second as the wire has them."""

    numerator: int
    denominator: int


def to_clip(packets: Sequence[Packet], meta: ClipMeta) -> FaceClip:
    """Packets of one subject as a clip in order of time, which `meta.notes` reports.

    A packet without values is a row of NaN. A clock that falls back by more than
    half a day has passed midnight; any smaller step back is a packet that came
    late.
    """
    if not packets:
        raise BadInput("no packets", "at least one to make a clip")
    rates = sorted({packet.rate for packet in packets})
    if len(rates) > 1:
        raise BadInput(f"packets of {rates[0]:g} and {rates[1]:g} frames a second", "one rate")
    times = timecode.past_midnight(np.array([packet.seconds for packet in packets]))
    late = int((times < np.maximum.accumulate(times)).sum())
    order = np.argsort(times, kind="stable")
    values = np.full((len(packets), COUNT), np.nan, dtype=np.float32)
    for row, i in enumerate(order.tolist()):
        face = packets[i].values
        if face is not None:
            values[row] = face
    repeated = int((np.diff(times[order]) == 0).sum())
    notes = {"device": packets[0].device, **meta.notes}
    notes |= {key: n for key, n in (("late packets", late), ("repeated times", repeated)) if n}
    told = ClipMeta(
        source=meta.source, format=meta.format, subject=packets[0].subject,
        base=max(1, round(rates[0])), clock="timecode", notes=notes,
    )  # fmt: skip
    return FaceClip(values, times[order], np.ones(COUNT, np.bool_), told)


def from_frame(
    values: Values | None, time: float, *, rate: Rate, device: str, subject: str
) -> Packet:
    """The packet of one frame at `time` seconds."""
    frame, subframe = _frame_of(time, rate)
    return Packet(device, subject, frame, subframe, rate.numerator, rate.denominator, values)


def _frame_of(time: float, rate: Rate) -> tuple[int, float]:
    """Frame number and float32 subframe; thousandths stay thousandths."""
    if rate.denominator == 1:
        whole, thousandths = (int(part) for part in timecode.split(time, rate.numerator))
        back = float(timecode.seconds(whole, thousandths / 1000, rate.numerator))
        if abs(back - time) * rate.numerator < 1e-6:
            frame, rest = divmod(thousandths, 1000)
            return whole * rate.numerator + frame, float(np.float32(rest / _THOUSANDTH))
    exact = time * rate.numerator / rate.denominator
    frame = int(np.floor(exact))
    return frame, float(np.float32(exact - frame))


def times_of(clip: FaceClip) -> Times:
    """The clip's times, which a packet can only hold from 0 on."""
    if len(clip) and clip.times[0] < 0:
        raise BadInput(f"a time of {clip.times[0]:g} s", "times from 0 on; shift the clip", row=0)
    return clip.times
