"""Where the command line writes: results to stdout, everything else to stderr."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

_Item = TypeVar("_Item")
_PIPE_WIDTH = 140


@cache
def out() -> Console:
    """Results. As wide as the terminal, or wide enough for a table in a pipe."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)


@cache
def err() -> Console:
    """Notes, warnings, progress."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def note(text: str) -> None:
    """A remark beside the result."""
    from rich.markup import escape

    err().print(f"[dim]{escape(text)}[/dim]")


def fail(text: str) -> None:
    """An error message."""
    from rich.markup import escape

    err().print(f"[red bold]error:[/red bold] {escape(text)}")


def track(items: Iterable[_Item], what: str, total: int | None) -> Iterable[_Item]:
    """The items with a progress bar where somebody watches; silent in a pipe."""
    from rich.progress import track as bar

    if not sys.stderr.isatty():
        return items
    return bar(items, description=what, total=total, console=err(), transient=True)
