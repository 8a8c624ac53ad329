"""Stretches of recordings, decoded when they are asked for.

What a recording does not have, before its start and after its end, is silence: a window at
the edge is as long as any other and its middle stays its middle.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from semanticface.speech.audio import RATE, Recording, Samples


@dataclass
class Sounds:
    """Recordings of at most ten minutes each, the last ones used kept decoded."""

    seconds: float = 3600.0
    """Of sound kept, 64 kB a second."""
    _held: OrderedDict[str, Samples] = field(default_factory=OrderedDict)

    def span(self, path: str, start: float, end: float) -> Samples:
        """Samples at 16 kHz from `start` to `end` seconds."""
        return cut(self._whole(path), start, end)

    def _whole(self, path: str) -> Samples:
        if path in self._held:
            self._held.move_to_end(path)
            return self._held[path]
        self._held[path] = Recording(path).samples()
        while len(self._held) > 1 and self._kept() > self.seconds:
            self._held.popitem(last=False)
        return self._held[path]

    def _kept(self) -> float:
        return sum(len(each) for each in self._held.values()) / RATE


class Passing:
    """A recording of any length as its blocks pass by: stretches in the order of their starts."""

    def __init__(self, blocks: Iterable[Samples]) -> None:
        self._blocks = iter(blocks)
        self._held = np.zeros(0, np.float32)
        self._first = 0

    def span(self, start: float, end: float) -> Samples:
        """Samples at 16 kHz from `start` to `end` seconds; what lies before is forgotten."""
        gone = min(max(round(start * RATE) - self._first, 0), len(self._held))
        self._held, self._first = self._held[gone:], self._first + gone
        while self._first + len(self._held) < round(end * RATE) + 1:
            block = next(self._blocks, None)
            if block is None:
                break
            self._held = np.concatenate([self._held, block])
        return cut(self._held, start, end, begin=self._first)


def cut(samples: Samples, start: float, end: float, *, begin: int = 0) -> Samples:
    """From `start` to `end` seconds of samples at 16 kHz, silence where there are none.

    `begin` is the number of the first sample.
    """
    first, count = round(start * RATE) - begin, max(round((end - start) * RATE), 0)
    out = np.zeros(count, np.float32)
    low, high = max(first, 0), min(first + count, len(samples))
    if high > low:
        out[low - first : high - first] = samples[low:high]
    return out
