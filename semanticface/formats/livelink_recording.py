"""Recorded packet streams: gzip of a version byte, u32 count, then u32 size + packet each."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zlib
from pathlib import Path

from semanticface.atomic import write_bytes
from semanticface.errors import BadInput
from semanticface.formats.fill import complete
from semanticface.formats.livelink_packet import (
    LARGEST,
    VERSION,
    Packet,
    Rate,
    decode,
    encode,
    from_frame,
    times_of,
    to_clip,
)
from semanticface.formats.mouth_pair import MOUTH_KEPT
from semanticface.rig.clip import ClipMeta, FaceClip

PathLike = str | os.PathLike[str]

FORMAT = "livelink-udp"
DEVICE = "00000000-0000-0000-0000-000000000000"
SUBJECT = "semanticface"
LIMIT = 512 << 20
"""Bytes a recording may unpack to: about seven hours at 60 frames a second."""
_HEAD = struct.Struct(">BI")
_SIZE = struct.Struct(">I")


def read(
    path: PathLike,
    *,
    subject: str | None = None,
    device: str | None = None,
    limit: int = LIMIT,
) -> FaceClip:
    """Read a recording of one face; `subject` and `device` choose where there are several.

    Times are seconds of the device's clock. `limit` bounds the unpacked size.
    """
    packets = read_packets(path, limit=limit)
    names = sorted({packet.subject for packet in packets})
    if subject is None and len(names) > 1:
        raise BadInput(
            f"the subjects {', '.join(names[:6])}", "one; choose with subject= or --subject",
            file=Path(path).name,
        )  # fmt: skip
    chosen = [
        packet
        for packet in packets
        if subject in (None, packet.subject) and device in (None, packet.device)
    ]
    devices = sorted({packet.device for packet in chosen})
    if len(devices) > 1:
        raise BadInput(
            f"the subject {chosen[0].subject!r} from the devices {', '.join(devices[:6])}",
            "one; choose with device=", file=Path(path).name,
        )  # fmt: skip
    if not chosen:
        raise BadInput(
            f"no packet of {subject!r}" if subject is not None else "no packets",
            f"the subjects {', '.join(names[:6])}" if names else "at least one",
            file=Path(path).name,
        )
    return to_clip(chosen, ClipMeta(source=Path(path).name, format=FORMAT))


def read_packets(path: PathLike, *, limit: int = LIMIT) -> list[Packet]:
    """All packets of a recording, in the order in which they were recorded."""
    data = _unpack(Path(path), limit)
    try:
        return _split(data)
    except BadInput as error:
        raise error.at(file=Path(path).name) from None


def _unpack(path: Path, limit: int) -> bytes:
    try:
        with gzip.open(path) as file:
            data = file.read(limit + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput(f"a damaged file ({error})", "a gzip recording", file=path.name) from None
    if len(data) > limit:
        raise BadInput(
            f"more than {limit} bytes once unpacked", "a recording; raise it with limit=",
            file=path.name,
        )  # fmt: skip
    return data


def _split(data: bytes) -> list[Packet]:
    if len(data) < _HEAD.size:
        raise BadInput(f"{len(data)} bytes", "a version byte and a count of packets")
    version, count = _HEAD.unpack_from(data)
    if version != VERSION:
        raise BadInput(f"recording version {version}", f"{VERSION}")
    packets: list[Packet] = []
    at = _HEAD.size
    while at < len(data):
        packet, at = _next(data, at, len(packets))
        packets.append(packet)
    if len(packets) != count:
        raise BadInput(f"{len(packets)} packets", f"{count}, as the recording's head says")
    return packets


def _next(data: bytes, at: int, index: int) -> tuple[Packet, int]:
    start = at + _SIZE.size
    if len(data) < start:
        raise BadInput("an end within a packet's size", "a whole packet", row=index)
    (size,) = _SIZE.unpack_from(data, at)
    if size > min(LARGEST, len(data) - start):
        found, wanted = f"a packet of {size} bytes", f"at most the {len(data) - start} that follow"
        raise BadInput(found, wanted, row=index)
    try:
        return decode(data[start : start + size]), start + size
    except BadInput as error:
        raise error.at(row=index) from None


def write(
    clip: FaceClip,
    path: PathLike,
    *,
    subject: str | None = None,
    device: str | None = None,
    rate: int | None = None,
    fill: float | None = None,
) -> tuple[str, ...]:
    """Write a recording; return what was filled or is doubtful, empty if nothing.

    Frames without a face become packets without values, as the app sends them.
    `rate` is the nominal rate that frame numbers count at, by default the base
    of the clip.
    """
    packets, report = to_packets(clip, subject=subject, device=device, rate=rate, fill=fill)
    if not packets:
        raise BadInput("a clip without frames", "at least one to record")
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as file:
        file.write(_HEAD.pack(VERSION, len(packets)))
        for packet in packets:
            data = encode(packet)
            file.write(_SIZE.pack(len(data)) + data)
    write_bytes(path, stream.getvalue())
    return report


def to_packets(
    clip: FaceClip,
    *,
    subject: str | None = None,
    device: str | None = None,
    rate: int | None = None,
    fill: float | None = None,
) -> tuple[list[Packet], tuple[str, ...]]:
    """A packet a frame, and what was filled or is doubtful."""
    filled = complete(clip, fill, what="a Live Link packet")
    used = Rate(rate or clip.meta.base or 60, 1)
    id_ = device if device is not None else str(clip.meta.notes.get("device", DEVICE))
    name = subject if subject is not None else clip.meta.subject or SUBJECT
    packets = [
        from_frame(values if face else None, time, rate=used, device=id_, subject=name)
        for values, face, time in zip(
            filled.values, filled.tracked.tolist(), times_of(clip).tolist(), strict=True
        )
    ]
    return packets, filled.report + _doubts(clip)


def _doubts(clip: FaceClip) -> tuple[str, ...]:
    doubts = []
    if MOUTH_KEPT in clip.meta.conventions:
        doubts.append("the mouth pair is sent as the CSV labels it: likely the wrong way round")
    if clip.extra:
        doubts.append(f"extra columns not written: {', '.join(clip.extra)}")
    return tuple(doubts)
