"""A progress bar that follows an evaluation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def watching() -> Iterator[Callable[[str, int, int], None] | None]:
    """A function to call with (what, done, total); None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import Progress

    from semanticface.cli.console import err

    with Progress(console=err(), transient=True) as bar:
        task = bar.add_task("", total=None)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield tell
