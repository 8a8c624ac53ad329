"""Speech to mouth while it is spoken: sound in by the block, frames out at a stated delay.

    live = Live(Ear())                      # or any other `Mouth`
    for block in microphone():
        for frame in live.push(block): ...  # time in seconds since the start, values [61]

Every `hop` seconds the last `BEHIND` seconds are looked at anew, and the frames are given that
have `ahead` seconds of sound after them, for a mouth cannot be known without what comes
next. So a frame is out between `ahead` and `ahead + hop` after its moment, and by as much
later as the work takes: `delay` says the worst of it, `busy` the share of time spent working.
New frames take over from what was foreseen in a straight line, so that no seam shows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.rig import COUNT
from semanticface.speech.audio import RATE, SILENT_PEAK, Samples
from semanticface.speech.contours import contours
from semanticface.speech.hear import Listening, PhoneLoop
from semanticface.speech.rules import animate
from semanticface.speech.timeline import Timeline

Values = NDArray[np.float32]
HOP, AHEAD, BEHIND = 0.2, 0.3, 2.0
_EDGE = 0.1
"""Seconds at the end of what is looked at in which the rules bring a clip to rest."""


class Mouth(Protocol):
    """What makes a stretch of sound into frames."""

    def __call__(self, samples: Samples, rate: float, start: float | None = None) -> Values:
        """Values [T, 61] of sound at 16 kHz, frame i at i / rate seconds.

        `start`: where the sound begins in a longer one that goes on from call to call; None
        for sound on its own.
        """


class Frame(NamedTuple):
    """One frame of the mouth."""

    time: float
    """Seconds since the first sample."""
    values: Values
    """[61], NaN outside the mouth."""


@dataclass
class Ear:
    """Phones heard by a phone loop, and the mouth by the rules."""

    loop: PhoneLoop = field(default_factory=PhoneLoop)
    _listening: Listening = field(init=False)

    def __post_init__(self) -> None:
        self._listening = Listening(self.loop)
        noise = np.random.default_rng(0).normal(0, 0.01, RATE).astype(np.float32)
        self(noise, 30.0)  # tables and libraries are read now, not in the first moment

    def __call__(self, samples: Samples, rate: float, start: float | None = None) -> Values:
        """No words, no model: about every third phone is another than was said."""
        alone = self._listening.until + 1.0  # after a gap it listens anew
        heard = self._since(samples, alone if start is None else start)
        return animate(heard, contours([samples]), rate=rate).values

    def _since(self, samples: Samples, start: float) -> Timeline:
        found = [
            each._replace(start=max(each.start - start, 0.0), end=each.end - start)
            for each in self._listening.sounds(samples, start)
        ]
        return Timeline(tuple(found), (), len(samples) / RATE, "arpabet",
                        "pocketsphinx, phones alone")  # fmt: skip


@dataclass
class Live:
    """Where a running recording stands."""

    mouth: Mouth
    rate: float = 30.0
    hop: float = HOP
    ahead: float = AHEAD
    delay: float = 0.0
    """The longest so far, seconds from a frame's moment to its coming out, work included."""
    worked: float = 0.0
    """Seconds of work."""
    _held: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    _start: float = 0.0
    """Seconds at which what is held begins: a frame's moment."""
    _heard: int = 0
    """Samples that came in."""
    _next: int = 0
    """The frame that comes out next."""
    _foreseen: Values = field(default_factory=lambda: np.zeros((0, COUNT), np.float32))

    def __post_init__(self) -> None:
        if not (0.05 <= self.hop <= 1 and _EDGE <= self.ahead <= 1 and 1 <= self.rate <= 240):
            told = f"a hop of {self.hop} s, {self.ahead} s ahead, {self.rate} frames a second"
            raise BadInput(told, f"0.05 to 1 s, {_EDGE} to 1 s, 1 to 240")

    @property
    def heard(self) -> float:
        """Seconds of sound so far."""
        return self._heard / RATE

    @property
    def busy(self) -> float:
        """Seconds of work for each second of sound: above 1 it cannot keep up."""
        return self.worked / max(self.heard, 1e-9)

    def push(self, block: Samples) -> Iterator[Frame]:
        """Take a block of sound; give the frames that are ready."""
        for first in range(0, len(block), round(self.hop * RATE)):
            part = block[first : first + round(self.hop * RATE)]
            self._held = np.concatenate([self._held, part])
            self._heard += len(part)
            ready = int((self._heard / RATE - self.ahead) * self.rate)
            if ready - self._next >= self.hop * self.rate - 1e-6:
                yield from self._look(ready)

    def end(self) -> Iterator[Frame]:
        """The frames that were still waited for, once the sound has ended."""
        self._held = np.concatenate([self._held, np.zeros(round(self.ahead * RATE), np.float32)])
        yield from self._look(int(np.ceil(self._heard / RATE * self.rate - 1e-6)))

    def _look(self, ready: int) -> Iterator[Frame]:
        """Frames up to `ready`, by what is held."""
        if ready <= self._next:
            return
        started = time.perf_counter()
        self._forget()
        found = self._values()
        known = found[self._next - round(self._start * self.rate) :]
        shared = min(len(self._foreseen), len(known))
        way = (np.arange(1, shared + 1) / (shared + 1))[:, None]
        known[:shared] = (1 - way) * self._foreseen[:shared] + way * known[:shared]
        count = min(ready - self._next, len(known))
        sure = max(len(known) - round(_EDGE * self.rate), count)
        self._foreseen = known[count:sure]
        took = time.perf_counter() - started
        self.worked += took
        self.delay = max(self.delay, self._heard / RATE - self._next / self.rate + took)
        for values in known[:count]:
            yield Frame(self._next / self.rate, values)
            self._next += 1

    def _forget(self) -> None:
        """Keep `BEHIND` seconds before the next frame, from a frame's own moment on."""
        keep = max(self._next - round(BEHIND * self.rate), 0) / self.rate
        gone = round((keep - self._start) * RATE)
        if gone > 0:
            self._held = self._held[gone:]
            self._start = keep

    def _values(self) -> Values:
        """At rest where nothing sounds: an empty room is no reason to guess phones."""
        if np.abs(self._held).max(initial=0.0) < SILENT_PEAK:
            still = np.full((int(np.ceil(len(self._held) / RATE * self.rate)), COUNT), np.nan)
            still[:, list(MOUTH_31)] = 0
            return still.astype(np.float32)
        return self.mouth(self._held, self.rate, self._start).copy()


def as_blocks(raw: Any, seconds: float = 0.05) -> Iterator[Samples]:
    """Blocks of a binary stream of 16-bit little-endian mono at 16 kHz, until it ends."""
    size = 2 * round(seconds * RATE)
    rest = b""
    while data := raw.read(size):
        whole = rest + data
        rest = whole[len(whole) - len(whole) % 2 :]
        held = np.frombuffer(whole[: len(whole) - len(rest)], "<i2")
        yield (held / 32768).astype(np.float32)
