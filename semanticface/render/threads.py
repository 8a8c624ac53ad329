"""Many pictures from one renderer, drawn by several threads of one process.

    for picture in render_all(Renderer(size=512), clip.values):
        ...

The loops of drawing hold no lock, so two threads on two cores draw nearly twice as many
pictures a second. Order is kept, and only a few pictures are drawn ahead of their reader.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar

from numpy.typing import ArrayLike

from semanticface.errors import BadInput
from semanticface.render.picture import Picture, Renderer

_MOST, _AHEAD = 8, 4
_Item = TypeVar("_Item")


def render_all(
    renderer: Renderer, frames: Iterable[ArrayLike], threads: int | None = None
) -> Iterator[Picture]:
    """The pictures of frames of 61 values, in order; `threads` is by default one a core."""
    return draw_all(renderer, frames, Renderer.render, threads)


def draw_all(
    renderer: Renderer,
    items: Iterable[_Item],
    draw: Callable[[Renderer, _Item], Picture],
    threads: int | None = None,
) -> Iterator[Picture]:
    """`draw(renderer, item)` of each item, in order; every thread has a renderer of its own."""
    count = cores() if threads is None else threads
    if count < 1:
        raise BadInput(f"{count} threads", "at least one")
    if count == 1:
        return (draw(renderer, item) for item in items)
    return _threaded(renderer, iter(items), draw, count)


def cores() -> int:
    """Cores that this process may use, at most eight."""
    return min(_MOST, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
               else os.cpu_count() or 1)  # fmt: skip


def _threaded(
    renderer: Renderer, items: Iterator[_Item], draw: Callable[[Renderer, _Item], Picture],
    count: int,
) -> Iterator[Picture]:  # fmt: skip
    free: SimpleQueue[Renderer] = SimpleQueue()
    for _ in range(count - 1):
        free.put(renderer.twin())
    free.put(renderer)

    def one(item: _Item) -> Picture:
        mine = free.get()
        try:
            return draw(mine, item)
        finally:
            free.put(mine)

    with ThreadPoolExecutor(count, thread_name_prefix="draw") as pool:
        waiting = deque(pool.submit(one, item) for item in islice(items, _AHEAD * count))
        try:
            while waiting:
                picture = waiting.popleft().result()
                waiting.extend(pool.submit(one, item) for item in islice(items, 1))
                yield picture
        finally:
            _give_up(waiting)


def _give_up(waiting: Iterable[Future[Picture]]) -> None:
    for each in waiting:
        each.cancel()
