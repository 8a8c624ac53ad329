"""Sound files that are not what they seem, at the gateway."""

from __future__ import annotations

import io
import struct
import wave

import pytest

from semanticface.errors import BadInput
from semanticface.serve.gateway.speech import _measured, kind_of

TITLE = b"ID3\x03\x00\x00\x00\x00\x00"
SESSION = b"""v=0
o=- 0 0 IN IP4 127.0.0.1
s=x
c=IN IP4 127.0.0.1
t=0 0
m=audio 45678 RTP/AVP 0
"""


def crc(data: bytes, bits: int, polynomial: int) -> int:
    held = 0
    for byte in data:
        held ^= byte << (bits - 8)
        for _ in range(8):
            held = (held << 1 ^ polynomial if held >> (bits - 1) else held << 1) % (1 << bits)
    return held


def flac(rate: int, told: int | None = None) -> bytes:
    """One frame of 65,535 equal samples; `told` is the rate by the frame itself."""
    block = 65_535
    sizes = (rate << 44 | 15 << 36 | block).to_bytes(8, "big")
    head = struct.pack(">HH", block, block) + bytes(6) + sizes + bytes(16)
    frame = b"\xff\xf8" + bytes([0x70 if told is None else 0x7D, 0x08, 0])
    frame += struct.pack(">H", block - 1)
    frame += b"" if told is None else struct.pack(">H", told)
    frame += bytes([crc(frame, 8, 0x07)])
    frame += b"\x00" + struct.pack(">h", 1000)
    frame += struct.pack(">H", crc(frame, 16, 0x8005))
    return b"fLaC" + bytes([0x80, 0, 0, 34]) + head + frame


@pytest.mark.parametrize("rate", [1, 20])
def test_a_few_bytes_do_not_unfold_into_gigabytes(tmp_path, rate):
    for sound in (flac(rate), flac(16_000, told=rate)):
        assert len(sound) < 60
        path = tmp_path / "sound.flac"
        path.write_bytes(sound)
        with pytest.raises(BadInput, match=f"{rate} samples a second"):
            _measured(path, "flac", 120.0)
    path.write_bytes(flac(16_000))
    _measured(path, "flac", 120.0)
    with pytest.raises(BadInput, match="more than 4 s"):
        _measured(path, "flac", 4.0)


def test_a_title_hides_nothing_else():
    """Behind a title FFmpeg looks anew, and would open a network session."""
    for hidden in (SESSION, b"#EXTM3U\nhttp://127.0.0.1/x", b"RIFF....WAVE", b""):
        for title in (TITLE + b"\0", TITLE + b"\x05" + b"words"):
            with pytest.raises(BadInput, match="no sound"):
                kind_of(title + hidden)
    assert kind_of(TITLE + b"\x05words" + b"\xff\xfb\x90\x00") == "mp3"
    assert kind_of(TITLE + b"\x02\0\0" + b"\0\0\xff\xfb\x90\x00") == "mp3"


def test_what_breaks_off_is_measured_as_far_as_it_goes(tmp_path):
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16_000))
    path = tmp_path / "sound.wav"
    path.write_bytes(stream.getvalue()[:9000])
    _measured(path, "wav", 1.0)
    path.write_bytes(b"RIFF....WAVEnothing")
    with pytest.raises(BadInput, match="cannot be read"):
        _measured(path, "wav", 1.0)
