"""Frames sent at their moments by a thread of its own, so that nothing waits for the sending.

    with Paced(sender, zero) as out:      # zero: when the frame of time 0 is due
        out.put(0.0, values)

A fault of the sender ends the `with` with that fault; what was put before it ends is sent.
"""

from __future__ import annotations

import threading
import time
from queue import SimpleQueue
from types import TracebackType
from typing import Self

import numpy as np

from semanticface.rig.clip import Values
from semanticface.serve.live.senders import Sender
from semanticface.serve.live.steady import Out


class Paced:
    """Sends each frame when it is due; at once where `zero` is None."""

    def __init__(self, sender: Sender, zero: float | None) -> None:
        self._sender, self._zero = sender, zero
        self._waiting: SimpleQueue[tuple[float, Values] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._fault: BaseException | None = None
        self._stop = threading.Event()
        self.late = 0
        """Frames that were there only after they were due."""

    def put(self, at: float, values: Values) -> None:
        """A frame, in rising order of time."""
        if self._fault is not None:
            raise self._fault
        if self._zero is not None and time.monotonic() > self._zero + at:
            self.late += 1
        self._waiting.put((at, values))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if kind is not None:
            self._stop.set()
        self._waiting.put(None)
        self._thread.join()
        if self._fault is not None and kind is None:
            raise self._fault

    def _run(self) -> None:
        try:
            while (frame := self._waiting.get()) is not None and not self._stop.is_set():
                if self._zero is not None:
                    self._stop.wait(max(0.0, self._zero + frame[0] - time.monotonic()))
                # The rest of the face is at rest, and the wire must say so.
                self._sender.send(Out(frame[0], np.nan_to_num(frame[1]), "fresh"))
        except BaseException as fault:
            self._fault = fault
