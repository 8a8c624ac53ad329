"""iFacialMocap's text over UDP, port 49983: whole percents and degrees.

    jawOpen-12|eyeBlink_L-5|...|=head#rx,ry,rz,px,py,pz|rightEye#rx,ry,rz|leftEye#rx,ry,rz|

Version 2 writes `&` where version 1 writes `-`. Shapes are whole numbers from 0
to 100, so half a percent is lost: `write` says how much. A shape without a value
is left out; `trackingStatus-0` is a frame without a face.

Angles are degrees about x, y, z in ARKit's axes of the face: positive looks
down, turns to the subject's left, leans to the subject's right. (For the eyes
this was checked against the eyeLook values of published packets; for the head it
follows from the axes.) Positions are metres and become extra columns.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput
from semanticface.formats import recording, rotation
from semanticface.formats.frames import SHAPES, TURNS, Frame, clip_of, left_out, not_carried
from semanticface.formats.json_lines import MAX_BYTES, PathLike
from semanticface.formats.pace import (
    MAX_DATAGRAM,
    FrameReceiver,
    Progress,
    Sent,
    assemble,
    send_frames,
)
from semanticface.rig import INDEX, NAMES, ORDERS, ClipMeta, FaceClip, find

Version = Literal[1, 2]
PORT = 49983
POSITION = ("headPositionX", "headPositionY", "headPositionZ")
"""Extra columns: metres in the camera's axes."""
_WIRE, _FORMAT = "ifm", "ifacialmocap"
_MOST = 1e6
_STATUS = "trackingStatus"
_SHAPE = re.compile(r"([A-Za-z_]\w{0,63}?)[-&](-?\d{1,9}(?:\.\d{1,9})?)")
_TURN = re.compile(r"=?(head|leftEye|rightEye)#([-+0-9.eE,]{1,200})")
_LABELS = dict(zip(SHAPES, ORDERS["underscored"].labels, strict=True))


def encode(
    values: ArrayLike, *, version: Version = 1, position: Sequence[float] | None = None
) -> bytes:
    """One frame, values [61], as a datagram.

    `position`: metres, x y z; 0,0,0 is written without one, since the app's own
    readers count six numbers. Values above 1 are written above 100.
    """
    row = np.asarray(values, dtype=np.float32)
    mark = {1: "-", 2: "&"}.get(version)
    if mark is None:
        raise BadInput(f"version {version}", "1 or 2")
    tracked = not np.isnan(row).all()
    fields = [f"{_STATUS}{mark}{int(tracked)}"]
    fields += [
        f"{label}{mark}{round(float(row[INDEX[name]]) * 100)}"
        for name, label in _LABELS.items()
        if not np.isnan(row[INDEX[name]])
    ]
    turns = list(_turns(row, position or (0.0, 0.0, 0.0)))
    return ("|".join([*fields, "=" + "|".join(turns)]) + "|").encode("ascii")


def decode(datagram: bytes) -> Frame:
    """A datagram as a frame, channels by the rig's names and units.

    Names that are no channel keep their value as it is sent. Without a face the
    frame is empty.
    """
    if len(datagram) > MAX_DATAGRAM:
        raise BadInput(f"a datagram of {len(datagram)} bytes", f"at most {MAX_DATAGRAM}")
    try:
        text = datagram.decode("ascii").strip()
    except UnicodeDecodeError:
        raise BadInput("bytes that are no text", "iFacialMocap's fields") from None
    fields = [field.strip() for field in text.split("|") if field.strip() not in ("", "=")]
    if "|" not in text or not (fields or "=" in text):
        raise BadInput(f"'{text[:40]}'", "fields that end with |")
    frame: dict[str, float] = {}
    for field in fields:
        for name, value in _field(field).items():
            if name in frame:
                raise BadInput(f"{name} twice", "each name once")
            frame[name] = value
    return {} if frame.pop(_STATUS, 1) == 0 else frame


class Assembler:
    """Every datagram is a frame."""

    def feed(self, datagram: bytes) -> Sequence[Frame]:
        """The one frame of this datagram."""
        return [decode(datagram)]


class Receiver(FrameReceiver):
    """Receives iFacialMocap frames; see `FrameReceiver`."""

    def __init__(self, host: str = "0.0.0.0", port: int = PORT) -> None:
        super().__init__(Assembler(), host, port, format=_FORMAT)


def send(
    clip: FaceClip,
    host: str = "127.0.0.1",
    port: int = PORT,
    *,
    realtime: bool = True,
    progress: Progress | None = None,
    version: Version = 1,
) -> Sent:
    """Send a clip to a receiver of iFacialMocap at its own pace."""

    def packets(i: int) -> tuple[bytes]:
        return (encode(clip.values[i], version=version, position=_position(clip, i)),)

    return send_frames(clip.times, packets, host, port, realtime=realtime, progress=progress)


def read(path: PathLike, *, max_bytes: int = MAX_BYTES) -> FaceClip:
    """Read a recording of datagrams; unreadable ones are counted in `meta.notes`."""
    packets = recording.load(path, _WIRE, max_bytes=max_bytes)
    times, frames, faults = assemble(Assembler(), packets)
    notes = {"bad_datagrams": len(faults), "first_bad": faults[0]} if faults else {}
    return clip_of(frames, times, ClipMeta(Path(path).name, _FORMAT, notes=notes), file=path)


def write(clip: FaceClip, path: PathLike, *, version: Version = 1) -> tuple[str, ...]:
    """Write a clip as a recording of the datagrams that `send` would send."""
    packets = [
        (float(time), encode(clip.values[i], version=version, position=_position(clip, i)))
        for i, time in enumerate(clip.times)
    ]
    recording.save(packets, path, _WIRE)
    return tuple(_losses(clip))


def _losses(clip: FaceClip) -> Iterator[str]:
    shapes = clip.values[:, [INDEX[name] for name in SHAPES]].astype(np.float64)
    held = shapes[~np.isnan(shapes)]
    worst = float(np.abs(np.round(held * 100) / 100 - held).max(initial=0.0))
    if worst > 1e-7:
        yield f"shapes rounded to whole percents, by at most {worst:.4f}"
    if over := int(((np.round(held * 100) > 100) | (np.round(held * 100) < 0)).sum()):
        yield f"{over} values outside 0 to 100 are written as they are"
    whole = [
        name
        for part in rotation.PARTS
        for name in rotation.names(part)
        if set(rotation.names(part)) <= set(clip.names)
    ]
    yield from left_out(clip, [*SHAPES, *whole])
    if any(name in TURNS for name in whole):
        yield "angles rounded to a millionth of a degree"
    if "headYaw" in whole and not set(POSITION) <= set(clip.extra):
        yield "the head's position is not in the clip and is written as 0,0,0"
    extra = [name for name in clip.extra if name not in POSITION]
    if extra:
        yield f"extra columns left out: {', '.join(extra)}"
    yield from not_carried(clip, extra=True)


def _position(clip: FaceClip, i: int) -> tuple[float, ...] | None:
    if not set(POSITION) <= set(clip.extra):
        return None
    position = tuple(float(clip.extra[name][i]) for name in POSITION)
    return None if any(math.isnan(each) for each in position) else position


def _turns(row: NDArray[np.float32], position: Sequence[float]) -> Iterator[str]:
    for part in ("head", "rightEye", "leftEye"):
        yaw, pitch, roll = (float(row[INDEX[name]]) for name in rotation.names(part))
        turned = rotation.turn(part, yaw, pitch, roll)
        if turned.known:
            numbers = [math.degrees(angle) for angle in turned]
            numbers += position if part == "head" else ()
            yield f"{part}#" + ",".join(f"{number:.6f}" for number in numbers)


def _field(field: str) -> Mapping[str, float]:
    if turned := _TURN.fullmatch(field):
        return _angles(turned[1], turned[2])
    found = _SHAPE.fullmatch(field.removeprefix("="))
    if found is None:
        raise BadInput(f"the field '{field[:40]}'", "name-value, name&value or head#x,y,z")
    name, value = found[1], float(found[2])
    index = find(name)
    if index is None:
        return {name: value}
    if NAMES[index] in TURNS:
        raise BadInput(f"the field '{field[:40]}'", "angles as head#x,y,z")
    return {NAMES[index]: value / 100}


def _angles(part: str, text: str) -> Mapping[str, float]:
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        numbers = []
    lengths = (3, 6) if part == "head" else (3,)
    if len(numbers) not in lengths or not all(abs(number) < _MOST for number in numbers):
        raise BadInput(f"'{part}#{text[:40]}'", f"{' or '.join(map(str, lengths))} numbers")
    turned = rotation.Turn(*(math.radians(number) for number in numbers[:3]))
    return {**rotation.angles(part, turned), **dict(zip(POSITION, numbers[3:], strict=False))}
