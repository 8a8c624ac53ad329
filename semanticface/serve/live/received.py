"""What arrives of a live stream: how often, how late, and what it shows.

Delay is the time of day of an arrival less the packet's own stamp, which says when the face
looked so: from the picture to the receiver, provided both clocks are the same or agree.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.formats.livelink_packet import DAY_SECONDS, Packet, to_clip
from semanticface.formats.livelink_stream import Receiver
from semanticface.rig import CHANNELS, ClipMeta, FaceClip

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

Floats = NDArray[np.float64]
WIDTH, TALL = 920, 150
_LEFT, _TOP, _GAP = 64, 34, 44
_COLOURS = ("#2f6fde", "#d9542b", "#1c9a6c", "#a155c9", "#b58900", "#d33682")
_BIN = 0.5
"""Seconds over which packets are counted for a rate."""
_PAUSE = 1.5
"""Usual steps: a longer one between two arrivals is counted as a gap."""


class Arrival(NamedTuple):
    """One packet."""

    at: float
    """Seconds since the first one."""
    delay: float
    """Seconds from the face to here, -12 to 12 hours."""
    packet: Packet


class Received(NamedTuple):
    """In numbers."""

    frames: int
    seconds: float
    rate: float
    """Frames a second between the first and the last."""
    delay: tuple[float, float]
    """Seconds, the middle and the 95th percentile."""
    gaps: int
    """Steps of more than one and a half of the middle one."""


def hear(receiver: Receiver, seconds: float, *, patience: float = 5.0) -> Iterator[Arrival]:
    """Packets of one subject for `seconds` from the first, or until `patience` of silence."""
    first: Packet | None = None
    begun = 0.0
    while True:
        left = patience if first is None else min(patience, begun + seconds - time.monotonic())
        packet = receiver.receive(max(left, 0.0))
        if packet is None:
            return
        now = time.monotonic()
        if first is None:
            first, begun = packet, now
        if packet.subject == first.subject:
            yield Arrival(now - begun, _delay(packet), packet)


def _delay(packet: Packet) -> float:
    """Over midnight too."""
    late = time_of_day() - packet.seconds
    return late - DAY_SECONDS * round(late / DAY_SECONDS)


def time_of_day() -> float:
    """Seconds since midnight, local time."""
    now = time.time()
    held = time.localtime(now)
    return held.tm_hour * 3600 + held.tm_min * 60 + held.tm_sec + now % 1


def numbers(arrivals: Sequence[Arrival]) -> Received:
    """Rate, delay and gaps of a stream."""
    if len(arrivals) < 2:
        raise BadInput(f"{len(arrivals)} packets", "two at least to tell a rate by")
    at = np.array([each.at for each in arrivals])
    steps = np.diff(at)
    late = np.percentile([each.delay for each in arrivals], [50, 95])
    span = float(at[-1] - at[0])
    return Received(len(at), span, (len(at) - 1) / max(span, 1e-9),
                    (float(late[0]), float(late[1])),
                    int((steps > _PAUSE * np.median(steps)).sum()))  # fmt: skip


def clip_of(arrivals: Sequence[Arrival], source: str) -> FaceClip:
    """The packets as a clip."""
    return to_clip([each.packet for each in arrivals], ClipMeta(source=source))


def picture(arrivals: Sequence[Arrival], most: int = 6) -> Image:
    """Three panels over the seconds of arrival: rate, delay, and the channels that move most."""
    from PIL import Image, ImageDraw

    told = numbers(arrivals)
    page = Image.new("RGB", (WIDTH, 3 * (TALL + _GAP) + _TOP + 40), "white")
    draw = ImageDraw.Draw(page)
    draw.text((_LEFT, 8), f"{told.frames} frames in {told.seconds:.1f} s: {told.rate:.1f}/s, "
              f"delay {1000 * told.delay[0]:.0f} ms (95 %: {1000 * told.delay[1]:.0f} ms), "
              f"{told.gaps} gaps", fill="black")  # fmt: skip
    at = np.array([each.at for each in arrivals])
    span = max(float(at[-1]), 1e-6)
    _rates(_Panel(draw, 0, span, "frames a second"), at)
    late = 1000 * np.array([each.delay for each in arrivals])
    _Panel(draw, 1, span, "from face to receiver, ms").lines(
        at, {"": late}, min(0.0, float(late.min())), float(late.max())
    )
    _Panel(draw, 2, span, "channels").lines(at, _moving(arrivals, most), 0.0, 1.0)
    draw.text((WIDTH // 2, page.height - 18), "seconds since the first packet", fill="#555555")
    return page


def _rates(panel: _Panel, at: Floats) -> None:
    """Counts in whole bins: what is left over at the end would look like a fall."""
    edges = np.arange(0, at[-1] + 1e-9, _BIN)
    if len(edges) < 2:
        edges = np.array([0.0, at[-1]])
    counts, _ = np.histogram(at, edges)
    rates = counts / np.diff(edges)
    steps = np.repeat(edges, 2)[1:-1], np.repeat(rates, 2)
    panel.lines(steps[0], {"": steps[1]}, 0.0, float(max(rates.max(), 1.0)) * 1.1)


def _moving(arrivals: Sequence[Arrival], most: int) -> dict[str, Floats]:
    lost = np.full(len(CHANNELS), np.nan)
    held = [each.packet.values for each in arrivals]
    rows = np.array([lost if each is None else each for each in held], np.float64)
    spread = np.array(
        [
            -1.0
            if channel.signed or np.isnan(rows[:, channel.index]).all()
            else float(np.nanstd(rows[:, channel.index]))
            for channel in CHANNELS
        ]
    )
    chosen = [i for i in np.argsort(-spread)[:most] if spread[i] > 0]
    return {CHANNELS[i].name: rows[:, i] for i in chosen}


class _Panel:
    """One drawing over the page's width."""

    def __init__(self, draw: ImageDraw, row: int, span: float, title: str) -> None:
        self.draw, self.span = draw, span
        self.top = _TOP + 18 + row * (TALL + _GAP)
        draw.text((_LEFT, self.top - 16), title, fill="black")
        draw.rectangle((_LEFT, self.top, WIDTH - 16, self.top + TALL), outline="#bbbbbb")
        for part in range(6):
            x = self._x(span * part / 5)
            draw.line((x, self.top + TALL, x, self.top + TALL + 4), fill="#777777")
            draw.text((x - 8, self.top + TALL + 6), f"{span * part / 5:.1f}", fill="#555555")

    def lines(self, at: Floats, series: dict[str, Floats], low: float, high: float) -> None:
        """Named lines between two values, which stand at the left edge."""
        high = high if high > low else low + 1.0
        for share in (0.0, 0.5, 1.0):
            y = self.top + TALL * (1 - share)
            self.draw.text((6, y - 6), f"{low + share * (high - low):.4g}", fill="#555555")
        for n, (name, line) in enumerate(series.items()):
            colour = _COLOURS[n % len(_COLOURS)]
            points = [(self._x(t), self.top + TALL * (1 - (v - low) / (high - low)))
                      for t, v in zip(at, line, strict=True) if np.isfinite(v)]  # fmt: skip
            self.draw.line(points, fill=colour, width=2)
            self.draw.text((_LEFT + 70 + 128 * n, self.top - 16), name, fill=colour)

    def _x(self, at: float) -> float:
        return _LEFT + (WIDTH - 16 - _LEFT) * at / self.span
