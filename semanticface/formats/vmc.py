"""The Virtual Motion Capture protocol: OSC over UDP, port 39539.

`/VMC/Ext/Blend/Val` (name, value) sets a shape, `/VMC/Ext/Blend/Apply` ends the
frame, `/VMC/Ext/Bone/Pos` (name, position, quaternion) turns a bone. Perfect
Sync avatars name the shapes in PascalCase, which is the default here.

Head and eye rotations travel as bones with Unity's axes (left-handed, y up, z
forward) and the position 0, 0, 0. Receivers that also take positions over will
move the head there: `bones=False` sends shapes only. A bone needs all three
angles; shapes without a value are not sent. On the way in, a value belongs to
the frame that the next Apply ends.
"""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput, need
from semanticface.formats import recording, rotation
from semanticface.formats.bounds import MAX_COLUMNS, check_cell
from semanticface.formats.frames import SHAPES, TURNS, Frame, clip_of, left_out, not_carried
from semanticface.formats.json_lines import MAX_BYTES, PathLike
from semanticface.formats.pace import (
    MAX_DATAGRAM,
    FrameReceiver,
    PartlyBad,
    Progress,
    Sent,
    assemble,
    send_frames,
)
from semanticface.rig import INDEX, NAMES, ClipMeta, FaceClip, channel, find

Case = Literal["pascal", "camel"]
PORT = 39539
_WIRE = "vmc"
_VAL, _APPLY = "/VMC/Ext/Blend/Val", "/VMC/Ext/Blend/Apply"
_BONE = "/VMC/Ext/Bone/Pos"
_BONES = {"head": "Head", "leftEye": "LeftEye", "rightEye": "RightEye"}
_PARTS = {bone: part for part, bone in _BONES.items()}
_SAFE = 1400
"""Bytes a datagram has at most, so that no network splits it."""


def encode(
    values: ArrayLike, *, case: Case = "pascal", bones: bool = True, bundle: bool = True
) -> tuple[bytes, ...]:
    """One frame, values [61], as datagrams.

    `case` of the shapes' names. `bundle`: several messages a datagram, each of at
    most 1,400 bytes, the last one with the Apply; otherwise one message each.
    """
    row = np.asarray(values, dtype=np.float32)
    messages = [*(_bones(row) if bones else ()), *_shapes(row, case), _message(_APPLY)]
    if not bundle:
        return tuple(message.dgram for message in messages)
    return tuple(_bundles(messages))


def decode(*datagrams: bytes) -> list[Frame]:
    """The frames that the datagrams complete, channels by the rig's names and units."""
    assembler = Assembler()
    return [frame for datagram in datagrams for frame in assembler.feed(datagram)]


class Assembler:
    """Collects values until an Apply ends the frame."""

    def __init__(self) -> None:
        self._held: dict[str, float] = {}

    def feed(self, datagram: bytes) -> Sequence[Frame]:
        """The frames this datagram ends; `BadInput` if it is no OSC.

        Messages beside a broken one count: the fault (`PartlyBad`) has the frames.
        """
        frames: list[Frame] = []
        fault: BadInput | None = None
        for message in _messages(datagram):
            try:
                if message.address == _APPLY:
                    frames.append(self._held)
                    self._held = {}
                else:
                    self._hold(_told(message))
            except BadInput as found:
                fault = fault or found
        if fault is not None:
            raise PartlyBad(fault, frames)
        return frames

    @property
    def unfinished(self) -> int:
        """How many values came after the last Apply."""
        return len(self._held)

    def _hold(self, told: dict[str, float]) -> None:
        if len(self._held.keys() | told.keys()) > MAX_COLUMNS:
            raise BadInput("more names before an Apply", f"at most {MAX_COLUMNS}")
        self._held |= told


def _told(message: Any) -> dict[str, float]:
    """The values a message sets; none if it is about something else."""
    if message.address == _VAL:
        return _value(message.params)
    return _bone(message.params) if message.address == _BONE else {}


class Receiver(FrameReceiver):
    """Receives VMC frames; see `FrameReceiver`."""

    def __init__(self, host: str = "0.0.0.0", port: int = PORT) -> None:
        need("pythonosc", "formats", "VMC")
        self._values = Assembler()
        super().__init__(self._values, host, port, format=_WIRE)

    def _notes(self) -> dict[str, object]:
        return super()._notes() | _left(self._values)


def _left(assembler: Assembler) -> dict[str, object]:
    return {"unfinished_values": assembler.unfinished} if assembler.unfinished else {}


def send(
    clip: FaceClip,
    host: str = "127.0.0.1",
    port: int = PORT,
    *,
    realtime: bool = True,
    progress: Progress | None = None,
    case: Case = "pascal",
    bones: bool = True,
    bundle: bool = True,
) -> Sent:
    """Send a clip to a VMC receiver at its own pace; options as for `encode`."""

    def packets(i: int) -> tuple[bytes, ...]:
        return encode(clip.values[i], case=case, bones=bones, bundle=bundle)

    return send_frames(clip.times, packets, host, port, realtime=realtime, progress=progress)


def read(path: PathLike, *, max_bytes: int = MAX_BYTES) -> FaceClip:
    """Read a recording of VMC datagrams; unreadable ones are counted in `meta.notes`."""
    packets = recording.load(path, _WIRE, max_bytes=max_bytes)
    times, frames, faults = assemble(assembler := Assembler(), packets)
    notes = _left(assembler)
    if faults:
        notes |= {"bad_datagrams": len(faults), "first_bad": faults[0]}
    return clip_of(frames, times, ClipMeta(Path(path).name, _WIRE, notes=notes), file=path)


def write(
    clip: FaceClip, path: PathLike, *, case: Case = "pascal", bones: bool = True
) -> tuple[str, ...]:
    """Write a clip as a recording of the datagrams that `send` would send."""
    packets = (
        (float(time), packet)
        for time, row in zip(clip.times, clip.values, strict=True)
        for packet in encode(row, case=case, bones=bones)
    )
    recording.save(packets, path, _WIRE)
    turns = [name for name in clip.names if name in TURNS]
    notes = list(left_out(clip, SHAPES if not bones else _carried(clip)))
    if turns and bones:
        notes.append("rotations travel as quaternions of float32: equal to about 1e-6 radians")
    return (*notes, *not_carried(clip))


def _carried(clip: FaceClip) -> list[str]:
    """Channels that can travel: the shapes, and the turns that have all three angles."""
    whole = [
        name
        for part in rotation.PARTS
        for name in rotation.names(part)
        if all(each in clip.names for each in rotation.names(part))
    ]
    return [*SHAPES, *whole]


def _shapes(row: NDArray[np.float32], case: Case) -> Iterator[Any]:
    for name in SHAPES:
        if not np.isnan(value := row[INDEX[name]]):
            label = channel(name).label if case == "pascal" else name
            yield _message(_VAL, ("s", label), ("f", float(value)))


def _bones(row: NDArray[np.float32]) -> Iterator[Any]:
    for part, bone in _BONES.items():
        yaw, pitch, roll = (float(row[INDEX[name]]) for name in rotation.names(part))
        turned = rotation.turn(part, yaw, pitch, roll)
        if turned.known:
            numbers = (0.0, 0.0, 0.0, *rotation.to_unity(turned))
            yield _message(_BONE, ("s", bone), *(("f", number) for number in numbers))


def _message(address: str, *arguments: tuple[str, Any]) -> Any:
    module = need("pythonosc.osc_message_builder", "formats", "VMC")
    builder = module.OscMessageBuilder(address=address)
    for kind, value in arguments:
        builder.add_arg(value, kind)
    return builder.build()


def _bundles(messages: list[Any]) -> Iterator[bytes]:
    module = need("pythonosc.osc_bundle_builder", "formats", "VMC")
    group: list[Any] = []
    size = 16
    for message in [*messages, None]:
        if message is None or size + 4 + message.size > _SAFE:
            builder = module.OscBundleBuilder(module.IMMEDIATELY)
            for each in group:
                builder.add_content(each)
            yield builder.build().dgram
            group, size = [], 16
        if message is not None:
            group.append(message)
            size += 4 + message.size


def _messages(datagram: bytes) -> list[Any]:
    """The OSC messages of a datagram in the order they stand in."""
    module = need("pythonosc.osc_packet", "formats", "VMC")
    if len(datagram) > MAX_DATAGRAM:
        raise BadInput(f"a datagram of {len(datagram)} bytes", f"at most {MAX_DATAGRAM}")
    try:
        with _unlogged():
            return [timed.message for timed in module.OscPacket(datagram).messages]
    except (
        module.ParseError, ValueError, TypeError, IndexError, struct.error, OverflowError,
        RecursionError,
    ) as fault:  # fmt: skip
        raise BadInput(f"a datagram that is not OSC ({fault})", "OSC messages") from None


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep what python-osc says of odd datagrams out of the program's own log."""

    def others(record: logging.LogRecord) -> bool:
        return "pythonosc" not in record.pathname

    root, silent = logging.getLogger(), logging.NullHandler()
    root.addFilter(others)
    root.addHandler(silent)  # with no handler at all, logging would set one up
    try:
        yield
    finally:
        root.removeHandler(silent)
        root.removeFilter(others)


def _value(params: Any) -> dict[str, float]:
    if len(params) != 2 or not isinstance(params[0], str):
        raise BadInput(f"{len(params)} arguments of {_VAL}", "a name and a number")
    check_cell(params[0])
    index = find(params[0])
    return {params[0] if index is None else NAMES[index]: _number(params[1])}


def _bone(params: Any) -> dict[str, float]:
    """Angles of the head or an eye; other bones are none of ours."""
    if len(params) != 8 or not isinstance(params[0], str):
        raise BadInput(f"{len(params)} arguments of {_BONE}", "a name and seven numbers")
    part = _PARTS.get(params[0])
    if part is None:
        return {}
    x, y, z, w = (_number(value) for value in params[4:])
    turned = rotation.from_unity((x, y, z, w))
    if turned is None:
        raise BadInput(f"the rotation {x:g} {y:g} {z:g} {w:g}", "a quaternion of length 1")
    return rotation.angles(part, turned)


def _number(value: Any) -> float:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if not plain or not math.isfinite(value) or abs(value) > np.finfo(np.float32).max:
        raise BadInput(f"{str(value)[:40]!r}", "a number")
    return float(value)
