"""The live loop: one thread takes pictures, the model is asked, frames go out on the beat.

At most `depth` pictures are with the model at once. A picture that comes while all places
are taken waits in the one place for the newest; an older one there is dropped and counted.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.serve.client import Frame, Result
from semanticface.serve.live.senders import Sender
from semanticface.serve.live.steady import Steady

_WINDOW = 200


class Asked(Protocol):
    """Who answers: `FaceClient`, or for speech `ear.Ear`."""

    async def ask(self, picture: bytes, at: float = 0.0) -> Result:
        """The face of what came at a time."""


class Pulse(NamedTuple):
    """How it goes."""

    seconds: float
    """Since the first picture."""
    sent: int
    predicted: int
    dropped: int
    """Pictures that nobody was asked about."""
    latency: float
    """Median seconds from a picture to its answer, of the last 200; NaN before the first."""
    states: dict[str, int]
    refused: dict[str, int]
    worst_beat: float
    """Seconds by which the latest frame missed its beat."""


@dataclass
class Live:
    """One stream from a source to a sender."""

    client: Asked
    sender: Sender
    rate: float = 30.0
    depth: int = 4
    steady: Steady = field(default_factory=Steady)
    tail: float = 0.0
    """Seconds to go on after the last picture."""
    tell: Callable[[Pulse], None] | None = None
    """Called once a second."""

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.depth < 1:
            raise BadInput(f"rate {self.rate}, depth {self.depth}", "numbers above zero")
        self._newest: Frame | None = None
        self._there = asyncio.Event()
        self._over = False
        self._begun = 0.0
        self._late: deque[float] = deque(maxlen=_WINDOW)
        self._predicted = self._dropped = self._sent = 0
        self._states: Counter[str] = Counter()
        self._worst = 0.0
        self._stop = threading.Event()

    async def run(self, source: Iterable[Frame]) -> Pulse:
        """Until the source ends, or the task is cancelled."""
        work = asyncio.create_task(self._work(source))
        beating = asyncio.create_task(self._beat())
        try:
            done, _ = await asyncio.wait({work, beating}, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()  # a sender that fails ends the stream
        finally:
            self._stop.set()
            for each in (work, beating):
                each.cancel()
            await asyncio.gather(work, beating, return_exceptions=True)
        return self.pulse()

    async def _work(self, source: Iterable[Frame]) -> None:
        """Pictures in, questions asked, and the tail."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._take(source))
                for _ in range(self.depth):
                    group.create_task(self._ask())
        except ExceptionGroup as several:
            told, _ = several.split(SemanticFaceError)
            raise (told or several).exceptions[0] from None  # a missing camera is no crash
        await asyncio.sleep(max(self.tail, 2 / self.rate))  # the last answer is sent too

    # -- taking pictures -----------------------------------------------------------

    async def _take(self, source: Iterable[Frame]) -> None:
        """Pictures from a thread, for cameras and sleeping sources block.

        Nobody waits for that thread: a camera that gives nothing must not keep a stream from
        its end.
        """
        over = asyncio.get_running_loop().create_future()
        threading.Thread(target=self._read, args=(source, over), daemon=True).start()
        await over
        self._over = True
        self._there.set()

    def _read(self, source: Iterable[Frame], over: asyncio.Future[None]) -> None:
        loop = over.get_loop()
        try:
            fault = self._pass_on(source, loop)
            loop.call_soon_threadsafe(self._ended, over, fault)
        except RuntimeError:
            if not loop.is_closed():  # the stream has ended meanwhile
                raise

    def _pass_on(
        self, source: Iterable[Frame], loop: asyncio.AbstractEventLoop
    ) -> BaseException | None:
        try:
            for frame in source:
                if self._stop.is_set():
                    break
                loop.call_soon_threadsafe(self._seen, frame)
        except Exception as fault:  # whatever a source raises ends the stream, over there
            return fault
        return None

    def _seen(self, frame: Frame) -> None:
        if not self._begun:
            self._begun = time.monotonic() - frame.time
        if self._newest is not None:
            self._dropped += 1
        self._newest = frame
        self._there.set()

    def _ended(self, over: asyncio.Future[None], fault: BaseException | None) -> None:
        if over.done():
            return
        if fault is None:
            over.set_result(None)
        else:
            over.set_exception(fault)

    # -- asking ----------------------------------------------------------------------

    async def _ask(self) -> None:
        while True:
            await self._there.wait()
            frame, self._newest = self._newest, None
            if frame is None:
                if self._over:
                    return
                self._there.clear()
                continue
            if not self._over:
                self._there.clear()
            result = await self.client.ask(frame.picture, frame.time)
            now = time.monotonic() - self._begun
            self._predicted += 1
            self._late.append(now - frame.time)
            self.steady.take(result, now)

    # -- sending ---------------------------------------------------------------------

    async def _beat(self) -> None:
        """A frame each 1/rate seconds, measured from the first: no drift."""
        while not self._begun:
            await asyncio.sleep(0.001)
        first, beat, told = time.monotonic(), 0, 0
        while True:
            due = first + beat / self.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            self._worst = max(self._worst, now - due)
            out = self.steady.at(now - self._begun)
            self.sender.send(out)
            self._sent += 1
            self._states[out.state] += 1
            # Beats that were missed altogether are not made up for.
            beat = max(beat + 1, int((now - first) * self.rate))
            if self.tell is not None and int(now - first) > told:
                told = int(now - first)
                self.tell(self.pulse())

    def pulse(self) -> Pulse:
        """How it goes."""
        late = sorted(self._late)
        middle = late[len(late) // 2] if late else float("nan")
        return Pulse(time.monotonic() - self._begun if self._begun else 0.0, self._sent,
                     self._predicted, self._dropped, middle, dict(self._states),
                     dict(self.steady.refused), self._worst)  # fmt: skip
