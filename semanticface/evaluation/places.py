"""File names from a take's name, for reading and for writing, that lead nowhere else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from semanticface.errors import BadInput, did_you_mean
from semanticface.evaluation.items import Item

_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_LONGEST = 60
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def filled(pattern: str, item: Item, escape: Callable[[str], str] = str) -> str:
    """A path with `{take}` and `{subject}` put in; names that would leave it are refused.

    `{{` and `}}` are the braces themselves.
    """
    known = {"take": item.take, "subject": item.subject}

    def value(match: re.Match[str]) -> str:
        key = match[1]
        if key is None:
            return match[0][0]
        if key not in known:
            raise BadInput(f"'{{{key}}}' in a path", "{take} or {subject}", file=pattern,
                           hint=did_you_mean(key, known))  # fmt: skip
        told = known[key]
        if not told:
            raise BadInput(f"take '{item.take}' without a {key}", f"one, for {pattern}")
        if told in (".", "..") or not told.isprintable() or set(told) & set("/\\:"):
            raise BadInput(f"the {key} {told!r}", "a name that can stand in a path", file=pattern)
        return escape(told)

    return _FIELD.sub(value, pattern)


def safe_name(text: str) -> str:
    """A file name for any text: itself if it is harmless, otherwise marked with its hash.

    Two texts have two names, which may differ in case only.
    """
    kept = re.sub(r"[^A-Za-z0-9._-]+", "_", text)[:_LONGEST].lstrip(".-")
    if kept == text and text and not _RESERVED.fullmatch(text) and not text.endswith("."):
        return text
    return f"{kept or '_'}~{hashlib.sha256(text.encode()).hexdigest()[:10]}"
