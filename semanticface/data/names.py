"""Files below a folder by a pattern, in the order of their names, in the memory of a few.

`sorted(folder.glob(pattern))` holds every name, and so does the glob. Here names are sorted in
pieces that are put on disk and merged; a folder that fits in one piece never touches it.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from heapq import merge
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO

from semanticface.errors import BadInput

_PIECE = 1 << 15
"""Names that are sorted at once."""
_PIECES = re.compile(r"\[!?\]?[^\]]*\]|\*|\?|[^*?\[]+|\[")
_WILD = {"*": "[^/]*", "?": "[^/]"}


def found(folder: Path, pattern: str) -> Iterator[Path]:
    """Files below `folder` whose path matches, sorted part by part as paths are.

    `**` stands for any folders, `*` and `?` for what is inside one name. Links to folders
    are followed only where the pattern names each level, for `**` could go round in circles.
    """
    matches = compiled(pattern).fullmatch
    parts = PurePosixPath(pattern).parts
    deepest = None if "**" in parts else len(parts)
    names = (name for name in _names(folder, deepest) if matches(name))
    for key in in_order(name.replace("/", "\0") for name in names):
        yield folder / key.replace("\0", "/")


def in_order(names: Iterable[str], piece: int = _PIECE) -> Iterator[str]:
    """Names sorted, `piece` of them in memory at a time."""
    rest = iter(names)
    first = sorted(islice(rest, piece))
    second = list(islice(rest, piece))
    if not second:
        yield from first
        return
    with ExitStack() as held:
        runs = [_spilt(first, held)]
        while second:
            runs.append(_spilt(sorted(second), held))
            second = list(islice(rest, piece))
        del first
        yield from merge(*(map(json.loads, run) for run in runs))


def _spilt(names: list[str], held: ExitStack) -> IO[str]:
    """A run of names on disk, a line each, read from its beginning."""
    file = held.enter_context(tempfile.TemporaryFile("w+", encoding="ascii"))  # noqa: SIM115
    file.writelines(json.dumps(name) + "\n" for name in names)
    file.seek(0)
    return file


def _names(folder: Path, deepest: int | None, above: str = "", depth: int = 1) -> Iterator[str]:
    """Every file below, by its path from the first folder; one folder's entry at a time."""
    with os.scandir(folder / above) as entries:
        for entry in entries:
            name = f"{above}{entry.name}"
            if entry.is_dir(follow_symlinks=deepest is not None):
                if deepest is None or depth < deepest:
                    yield from _names(folder, deepest, f"{name}/", depth + 1)
            elif entry.is_file():
                yield name


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of paths as an expression; one that can be none is an error."""
    if not PurePosixPath(pattern).parts:
        raise BadInput(f"the pattern '{pattern}'", "one of files, as **/*.png")
    try:
        return re.compile(_expression(pattern))
    except re.error as fault:
        raise BadInput(f"the pattern '{pattern}' ({fault})", "ranges that rise, as [a-z]") \
            from None  # fmt: skip


def _expression(pattern: str) -> str:
    """The pattern as a regular expression over paths with slashes."""
    parts = PurePosixPath(pattern).parts
    made = ["(?:[^/]+/)*" if part == "**" else "".join(map(_piece, _PIECES.findall(part))) + "/"
            for part in parts]  # fmt: skip
    whole = "".join(made)
    return whole + "[^/]+" if parts[-1] == "**" else whole.removesuffix("/")


def _piece(told: str) -> str:
    """A wildcard, a choice of characters, or plain text, as a regular expression."""
    if told in _WILD:
        return _WILD[told]
    if told.startswith("[") and len(told) > 2:
        inside = told[1:-1].replace("\\", r"\\").replace("[", r"\[")
        return f"[^/{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    return re.escape(told)
