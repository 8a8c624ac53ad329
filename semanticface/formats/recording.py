"""Datagrams of any wire in a file, each with the time at which it came.

The file is the magic `SFDGRAM1`, four bytes that name the wire (`vmc `, `ifm `),
then for each datagram its time in seconds (float64), its size (uint32), both
little-endian, and its bytes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable

from semanticface.atomic import whole_file
from semanticface.errors import BadInput
from semanticface.formats.json_lines import MAX_BYTES, PathLike, read_bytes
from semanticface.formats.pace import MAX_DATAGRAM

MAGIC = b"SFDGRAM1"
_HEAD = struct.Struct("<dI")


def save(packets: Iterable[tuple[float, bytes]], path: PathLike, wire: str) -> int:
    """Write (time, datagram) pairs; return how many."""
    count = 0
    with whole_file(path) as temporary, temporary.open("wb") as stream:
        stream.write(MAGIC + _wire(wire))
        for time, packet in packets:
            stream.write(_HEAD.pack(time, len(packet)) + packet)
            count += 1
    return count


def load(path: PathLike, wire: str, *, max_bytes: int = MAX_BYTES) -> list[tuple[float, bytes]]:
    """Read a recording of one wire; a broken one is an error with the datagram's number."""
    data = read_bytes(path, max_bytes=max_bytes)
    head = MAGIC + _wire(wire)
    if not data.startswith(head):
        raise BadInput(f"a file that begins {data[:12]!r}", f"{head!r}", file=path)
    packets: list[tuple[float, bytes]] = []
    at = len(head)
    while at < len(data):
        time, packet = _packet(data, at, len(packets) + 1, path)
        if packets and time < packets[-1][0]:
            found = f"the time {time:g} after {packets[-1][0]:g}"
            raise BadInput(found, "times that rise", file=path, row=len(packets) + 1)
        packets.append((time, packet))
        at += _HEAD.size + len(packet)
    return packets


def _packet(data: bytes, at: int, number: int, path: PathLike) -> tuple[float, bytes]:
    begin = at + _HEAD.size
    if begin > len(data):
        raise BadInput("the end of the file", "a whole datagram", file=path, row=number)
    time, size = _HEAD.unpack_from(data, at)
    if not math.isfinite(time):
        raise BadInput(f"the time {time}", "seconds", file=path, row=number)
    if size > MAX_DATAGRAM or begin + size > len(data):
        found = f"a datagram of {size} bytes where {len(data) - begin} are left"
        raise BadInput(found, f"at most {MAX_DATAGRAM}, all there", file=path, row=number)
    return float(time), data[begin : begin + size]


def _wire(name: str) -> bytes:
    return name.encode("ascii").ljust(4)[:4]
