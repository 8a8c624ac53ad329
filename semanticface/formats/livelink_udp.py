"""Live Link Face over UDP: packets, recordings of packets, sending and receiving.

The mouth pair needs no exchange here: the stream labels it by the subject's own
side, unlike the app's CSV files.
"""

from semanticface.formats.livelink_packet import Packet, decode, encode
from semanticface.formats.livelink_recording import (
    FORMAT,
    read,
    read_packets,
    to_packets,
    write,
)
from semanticface.formats.livelink_stream import PORT, Receiver, Traffic, send

__all__ = [
    "FORMAT",
    "PORT",
    "Packet",
    "Receiver",
    "Traffic",
    "decode",
    "encode",
    "read",
    "read_packets",
    "send",
    "to_packets",
    "write",
]
