"""How a command ends that runs until somebody ends it.

Ctrl-C is an end that commands prepare for: files are written, children stopped. What else asks a
process to end (`kill`, a service manager, a closed terminal) would by default end it on the spot.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


@contextmanager
def as_ctrl_c() -> Iterator[None]:
    """Within, an end that is asked for and a closed terminal are ends like Ctrl-C.

    Not the terminal, where somebody asked to outlive it (nohup).
    """
    before = {signal.SIGTERM: signal.getsignal(signal.SIGTERM)}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        before[signal.SIGHUP] = signal.SIG_DFL
    for each in before:
        signal.signal(each, _ended)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def run_until_ended(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` within `as_ctrl_c`: an end that is asked for cancels the work, between two of
    the loop's steps. Raised in the midst of one, where Ctrl-C is ignored, it would be that step's
    failure too, told of at the very end."""

    asked: list[signal.Signals] = []

    async def whole() -> T:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None

        def end(number: signal.Signals) -> None:
            asked.append(number)
            task.cancel()

        for each in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(each) is _ended:
                loop.add_signal_handler(each, end, each)
        return await work

    try:
        return asyncio.run(whole())
    except asyncio.CancelledError:
        if not asked:  # a fault of the work's own is no end that somebody asked for
            raise
        raise KeyboardInterrupt from None


def _ended(number: int, frame: FrameType | None) -> None:
    """What Ctrl-C would do now: an event loop has it cancel its work instead of breaking it off."""
    heard = signal.getsignal(signal.SIGINT)
    if not callable(heard):  # ignored, as shells have it for what they start in the background
        raise KeyboardInterrupt
    heard(signal.SIGINT, frame)
